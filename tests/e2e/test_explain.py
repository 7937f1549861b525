# SPDX-License-Identifier: Apache-2.0
"""Why a job does not run, over every way in."""
import json

from lib import check, equal, eventually, pairs, rig, within
from test_door import closed


def gates(answer):
    return {gate["gate"]: gate for gate in answer["gates"]}


def explain(hob, job):
    status, _, answer = hob.http("GET", f"/v1/jobs/{job}/explain")
    equal(status, 200)
    return answer


def test_each_gate_is_told_with_its_live_value():
    with rig() as hob:
        app = hob.resp()
        app.call("QUEUE", "q", "CONCURRENCY", 1)
        first = str(app.call("PUSH", "q", "k", "1"))
        job = str(app.call("PUSH", "q", "k", "2", "EXPIRESIN", 3600000))
        answer = explain(hob, job)
        equal((answer["state"], answer["waits_for"]), ("available", "kind"))
        equal(answer["text"], "no live worker runs kind k")
        within(gates(answer)["line"]["text"], "1 job before it in queue q")
        worker = hob.resp()
        worker.call("WORKER", "w1", "SLOTS", 2)
        lease = worker.call("FETCH", "w1", "QUEUES", "q")[0]
        equal(lease[0].decode(), first)
        answer = explain(hob, job)
        equal(answer["waits_for"], "concurrency")
        equal({key: gates(answer)["concurrency"][key] for key in ("open", "count", "limit")},
              {"open": False, "count": 1, "limit": 1})
        equal(gates(answer)["slot"]["text"], "workers of kind k use 1 of 2 slots")
        equal(gates(answer)["line"]["open"], True)
        equal(gates(answer)["expiry"]["open"], True)
        hob.hob("pause", "q", "--for", "1h", "--by", "ann", "--why", "it leaks")
        answer = explain(hob, job)
        equal(answer["waits_for"], "pause")
        within(answer["text"], "by ann: it leaks")
        check("start_at" in answer, "the end of the pause is known")
        equal(explain(hob, first)["text"], "it is running")
        equal(explain(hob, first)["gates"], [])
        hob.hob("resume", "q")
        worker.call("ACK", lease[0], lease[1])
        answer = explain(hob, job)
        equal((answer["text"], "waits_for" in answer), ("nothing is in its way", False))


def test_resp_and_the_command_line_say_the_same():
    with rig() as hob:
        app = hob.resp()
        job = str(app.call("PUSH", "q", "k", "1", "DELAY", 3600000))
        answer = pairs(app.call("EXPLAIN", job))
        equal((answer[b"state"], answer[b"waits_for"]), (b"scheduled", b"time"))
        equal([pairs(gate)[b"gate"] for gate in answer[b"gates"]], [b"time", b"kind"])
        equal(app.call("EXPLAIN", "4711"), None)
        equal(hob.http("GET", "/v1/jobs/4711/explain")[0], 404)
        told = json.loads(hob.hob("explain", job, "--json"))
        equal(told, explain(hob, job))
        app.call("WORKER", "w1")
        table = hob.hob("explain", job, "-o", "table")
        within(table, "scheduled, queue q, kind k: it waits for its time")
        within(table, "It is expected to start in")
        equal(hob.hob("explain", job, "-q"), "time\nkind\nslot\nfetch\n")
        hob.hob("explain", "4711", code=3)


def test_who_may_see_one_queue_hears_no_names_of_others():
    with closed() as hob:
        root = hob.enter(hob.root)
        root.call("QUEUE", "vip", "TIER", 1)
        root.call("PUSH", "vip", "k", "1")
        job = root.call("PUSH", "q", "k", "1")
        worker = hob.enter(hob.root)
        worker.send("FETCH", "w1", "WAIT", 60000, "QUEUES", "*", "!q", "!vip")
        eventually(lambda: root.call("QUEUES") and b"w1" in str(root.call("WORKERS")).encode(), "the worker")
        shop = hob.enter(hob.make("shop", "--scope", "read", "--queue", "q"))
        for client, sees in ((root, True), (shop, False)):
            told = {pairs(gate)[b"gate"]: pairs(gate) for gate in pairs(client.call("EXPLAIN", job))[b"gates"]}
            equal(b"name" in told[b"tier"], sees)
            equal(b"by" in told[b"fetch"], sees)
            equal(b"vip" in told[b"tier"][b"text"], sees)
            equal(b"w1" in told[b"fetch"][b"text"], sees)
        equal(shop.call("EXPLAIN", 1), None, "a foreign job")
        equal(shop.error("NEXT", "vip").word, "NOPERM")


def test_what_stops_a_job_is_told_by_name():
    """Rates, pauses of kinds and limiters, units of a limiter, and the job that blocks a strict group."""
    with rig() as hob:
        app = hob.resp()
        app.call("WORKER", "w1")
        app.call("QUEUE", "q", "RATE", "1/1h", "GROUPORDER", "block")
        app.call("LIMITER", "api", "CONCURRENCY", 2)
        first = app.call("PUSH", "q", "k", "1", "GROUP", "g", "LIMITERS", "api=2")
        job = app.call("PUSH", "q", "k", "2", "GROUP", "g", "LIMITERS", "api=2")
        lease = app.call("FETCH", "w1", "QUEUES", "q")[0]
        equal(int(lease[0]), first)
        told = {(gate["gate"], gate.get("of")): gate for gate in explain(hob, job)["gates"]}
        rate = told["rate", "queue"]
        equal((rate["open"], rate["count"], rate["limit"]), (False, 0, 1))
        within(rate["text"], "the rate of the queue q, 1/1h, is used up until 20")
        limit = told["concurrency", "limiter"]
        equal((limit["name"], limit["open"], limit["count"], limit["limit"], limit["units"]), ("api", False, 2, 2, 2))
        equal(limit["text"], "the limiter api runs 2 of 2 units, it wants 2")
        equal(told["order", "group"]["open"], False)
        app.call("FAIL", lease[0], lease[1], "broken", "PERMANENT")
        app.call("PAUSE", "k", "KIND", "BY", "ann", "WHY", "it leaks")
        answer = explain(hob, job)
        told = {(gate["gate"], gate.get("of")): gate for gate in answer["gates"]}
        equal(told["blocked", "group"]["job"], str(first))
        equal(told["pause", "kind"]["text"], "the kind k is paused by ann: it leaks")
        equal("start_at" in answer, False)
        app.call("QUEUE", "q", "RATE", "none")
        app.call("RESUME", "k", "KIND")
        app.call("SKIP", "q", "g")
        equal(explain(hob, job)["text"], "nothing is in its way")
        equal(int(app.call("FETCH", "w1", "QUEUES", "q")[0][0]), job)
