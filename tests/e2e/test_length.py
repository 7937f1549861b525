# SPDX-License-Identifier: Apache-2.0
"""How many jobs may wait in a queue: by every way in, and after a kill."""
from lib import equal, rig, within


def test_a_full_queue_refuses_a_push_by_every_way_in():
    with rig() as hob:
        hob.hob("queues", "set", "mail", "--length", "1")
        push = {"queue": "mail", "kind": "send", "payload": 1}
        equal(hob.http("POST", "/v1/jobs", dict(push, key="k"))[0], 202)
        hob.kill()
        hob.start()
        status, headers, problem = hob.http("POST", "/v1/jobs", push)
        equal((status, problem["code"], headers["Retry-After"]), (429, "QUEUEFULL", "1"))
        equal(hob.http("GET", problem["type"])[0], 200)
        equal(hob.http("POST", "/v1/jobs", dict(push, key="k"))[0], 200, "a push again")
        client = hob.resp()
        equal(client.error("PUSH", "mail", "send", "1").word, "QUEUEFULL")
        within(hob.hob("push", "mail", "send", "1", code=75), "QUEUEFULL")
        equal(client.call("QUEUE", "mail", "LENGTH", 2), b"OK")
        client.call("PUSH", "mail", "send", "1")
        status, _, queue = hob.http("PATCH", "/v1/queues/mail", {"length": 0})
        equal((status, queue["length"], queue["on_full"]), (200, 0, "reject"))
        client.call("PUSH", "mail", "send", "1")


def test_the_oldest_or_the_newest_is_dropped_also_after_a_kill():
    with rig() as hob:
        client = hob.resp()
        first, second = client.call("PUSH", "mail", "send", "1"), client.call("PUSH", "mail", "send", "2")
        equal(client.call("QUEUE", "mail", "LENGTH", 2, "ONFULL", "drop_oldest"), b"OK")
        hob.kill()
        hob.start()
        client = hob.resp()
        follow = {"failure": {"push": {"queue": "after", "kind": "k"}}}
        push = {"queue": "mail", "kind": "send", "payload": 3, "on_done": follow}
        third = hob.http("POST", "/v1/jobs", push)[2]["id"]
        got = hob.http("GET", f"/v1/jobs/{first}?wait=20s")[2]
        equal((got["state"], got["errors"][0]["cause"]), ("discarded", "dropped"))
        equal(hob.http("PATCH", "/v1/queues/mail", {"on_full": "drop_newest"})[2]["on_full"], "drop_newest")
        fourth = hob.hob("push", "mail", "send", "4").strip()
        hob.until(fourth, "discarded")
        hob.hob("queues", "set", "mail", "--length", "1")
        hob.until(third, "discarded")
        after = client.call("FETCH", "w", "QUEUES", "after")
        equal(hob.http("GET", f"/v1/jobs/{after[0][0].decode()}")[2]["parent"], third)
        equal(hob.state(second), "available")
        equal(hob.http("GET", "/v1/queues/mail")[2]["discarded_total"], 3)


def test_settings_that_mean_nothing_are_refused():
    with rig() as hob:
        equal(hob.http("PATCH", "/v1/queues/mail", {"on_full": "explode"})[0], 400)
        equal(hob.http("PATCH", "/v1/queues/mail", {"length": 133000001})[0], 400)
        equal(hob.resp().error("QUEUE", "mail", "ONFULL", "x").word, "BADARG")
