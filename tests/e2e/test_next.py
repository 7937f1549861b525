# SPDX-License-Identifier: Apache-2.0
"""The look at what is next in a queue."""
import json

from lib import equal, pairs, rig


def test_what_is_next_is_what_is_fetched():
    """RESP, HTTP and the command line foretell the same jobs, and the fetches after them get those."""
    with rig() as hob:
        app = hob.resp()
        for n in range(30):
            app.call("PUSH", "q", f"kind{n % 2}", str(n), "GROUP", f"g{n % 3 if n < 20 else 7}", "PRIORITY", n % 5 // 4,
                     *(["FRONT"] if n % 7 == 0 else []))
        hob.hob("pause", "q")  # the order is told of a closed queue, too
        told = [pairs(job)[b"id"] for job in app.call("NEXT", "q", "COUNT", 30)]
        equal(len(told), 30)
        equal([pairs(job)[b"id"] for job in app.call("NEXT", "q")], told[:10])
        _, _, page = hob.http("GET", "/v1/queues/q/next?limit=7")
        equal([job["id"].encode() for job in page["jobs"]], told[:7])
        equal(page["next"], None)
        rows = hob.hob("queues", "next", "q", "-n", "3", "--json").splitlines()
        equal([json.loads(row)["id"].encode() for row in rows], told[:3])
        hob.hob("resume", "q")
        got = [app.call("FETCH", "w", "QUEUES", "q")[0][0] for _ in range(30)]
        equal(got, told)
        equal(app.call("NEXT", "q"), [])


def test_what_cannot_be_looked_at():
    with rig() as hob:
        app = hob.resp()
        equal(hob.http("GET", "/v1/queues/none/next")[0], 404)
        app.call("PUSH", "q", "k", "1")
        equal(hob.http("GET", "/v1/queues/q/next?limit=1001")[0], 400)
        equal(hob.http("GET", "/v1/queues/q/next?limit=0")[0], 400)
        equal(app.error("NEXT", "none").word, "NOQUEUE")
        equal(app.error("NEXT", "q", "COUNT", "1001").word, "BADARG")
        equal(app.error("NEXT", "q", "COUNT").word, "BADARG")
        hob.hob("queues", "next", "none", code=3)
