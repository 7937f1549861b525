# SPDX-License-Identifier: Apache-2.0
"""Fetching across queues: globs, modes, jobs that come together."""
import json
import time

from lib import check, equal, eventually, pairs, rig
from test_door import closed


def queues(jobs):
    return [job[2].decode() for job in jobs]


def test_a_new_queue_is_found_by_a_worker_that_waits():
    with rig() as hob:
        hob.work({"say": ["/bin/cat"]}, queues=("mail.*", "!mail.slow"))
        slow = hob.hob("push", "mail.slow", "say", "no").strip()
        started = time.monotonic()
        job = hob.hob("push", "mail.new", "say", "yes").strip()
        hob.until(job, "completed")
        check(time.monotonic() - started < 5, "the new queue was found late")
        equal(hob.state(slow), "available")


def test_a_fetch_by_globs_over_resp_and_http():
    with rig() as hob:
        app = hob.resp()
        for queue in ("mail.a", "mail.b", "mail.slow", "hob.own", "other"):
            app.call("PUSH", queue, "k", queue)
        got = app.call("FETCH", "w", "COUNT", 9, "MODE", "listed", "QUEUES", "mail.b", "mail.*", "!*.slow")
        equal(queues(got), ["mail.b", "mail.a"])
        status, _, body = hob.http("POST", "/v1/fetch", {"worker": "h", "queues": ["*"], "count": 9, "mode": "merged"})
        equal((status, [job["queue"] for job in body["jobs"]]), (200, ["mail.slow", "other"]))
        equal(hob.http("POST", "/v1/fetch", {"worker": "h", "queues": ["a b"]})[0], 400)
        equal(hob.http("POST", "/v1/fetch", {"worker": "h", "queues": ["!a"]})[0], 400)
        equal(app.error("FETCH", "w", "QUEUES", "!").word, "BADARG")


def test_a_glob_finds_no_queue_that_the_token_is_not_for():
    with closed() as hob:
        root = hob.enter(hob.root)
        root.call("PUSH", "bank", "k", "theirs")
        shop = hob.enter(hob.make("shop", "--scope", "work", "--queue", "mail.*"))
        equal(shop.call("FETCH", "w", "QUEUES", "*"), [])
        equal(shop.call("FETCH", "w", "QUEUES", "b*"), [])
        equal(shop.error("FETCH", "w", "QUEUES", "bank").word, "NOPERM")
        equal(shop.error("FETCH", "w", "QUEUES", "bank", "*").word, "NOPERM")
        root.call("PUSH", "mail.out", "k", "mine")
        equal(queues(shop.call("FETCH", "w", "COUNT", 9, "QUEUES", "*")), ["mail.out"])


def test_tiers_and_weights_are_set_live_and_stay():
    """What RESP, HTTP and the command line set decides the turns, also after a restart."""
    with rig() as hob:
        app = hob.resp()
        for number in range(70):
            for queue in ("first", "gold", "silver", "bronze"):
                if queue != "first" or number < 5:
                    app.call("PUSH", queue, "k", number)
        equal(app.call("QUEUE", "gold", "WEIGHT", 6), b"OK")
        status, _, body = hob.http("PATCH", "/v1/queues/silver", {"weight": 3})
        equal((status, body["tier"], body["weight"]), (200, 10, 3))
        hob.hob("queues", "set", "first", "--tier", "0", "--weight", "1000")
        rows = [json.loads(line) for line in hob.hob("queues", "--json").splitlines()]
        equal(sorted((row["name"], row["tier"], row["weight"]) for row in rows),
              [("bronze", 10, 1), ("first", 0, 1000), ("gold", 10, 6), ("silver", 10, 3)])
        equal(hob.http("PATCH", "/v1/queues/silver", {"weight": 0})[0], 400)
        check(hob.hob_done("queues", "set", "first", "--tier", "1001").returncode != 0, "a tier beyond its limit")
        hob.kill()
        hob.start()
        app = hob.resp()
        got = queues(app.call("FETCH", "w", "COUNT", 105, "QUEUES", "bronze", "silver", "gold", "first"))
        equal(got[:5], ["first"] * 5)
        equal([got.count(queue) for queue in ("gold", "silver", "bronze")], [60, 30, 10])


def test_a_queue_runs_no_more_at_once_than_its_concurrency():
    """Set live, kept over a restart; a slot that gets free serves the fetch that waits."""
    with rig() as hob:
        app = hob.resp()
        for number in range(6):
            app.call("PUSH", "narrow", "k", number)
        equal(app.call("QUEUE", "narrow", "CONCURRENCY", 2), b"OK")
        got = app.call("FETCH", "w", "COUNT", 1000, "QUEUES", "narrow", "other")
        equal(len(got), 2)
        hob.kill()
        hob.start()
        app = hob.resp()
        equal(app.call("FETCH", "w", "COUNT", 1000, "QUEUES", "*"), [], "after the restart")
        waiting = hob.resp()
        waiting.send("FETCH", "v", "WAIT", 30000, "QUEUES", "narrow")
        eventually(lambda: dict(pairs(app.call("STATS")))[b"waiting_fetches"] == 1, "the fetch to wait")
        app.call("ACK", got[0][0], got[0][1])
        equal(len(waiting.reply()), 1)
        equal(app.call("FETCH", "w", "QUEUES", "narrow"), [])
        status, _, body = hob.http("PATCH", "/v1/queues/narrow", {"concurrency": 3})
        equal((status, body["concurrency"]), (200, 3))
        equal(len(app.call("FETCH", "w", "COUNT", 9, "QUEUES", "narrow")), 1)
        hob.hob("queues", "set", "narrow", "--concurrency", "0")
        equal(len(app.call("FETCH", "w", "COUNT", 9, "QUEUES", "narrow")), 2)


def test_jobs_of_the_same_kind_come_together():
    with rig() as hob:
        app = hob.resp()
        for kind in ("row", "image", "row", "row"):
            app.call("PUSH", "work", kind, "p")
        got = app.call("FETCH", "w", "COUNT", 10, "SAME", "kind", "QUEUES", "work")
        equal([job[3] for job in got], [b"row", b"row", b"row"])
        status, _, body = hob.http("POST", "/v1/fetch", {"worker": "h", "queues": ["work"], "same": "kind"})
        equal((status, [job["kind"] for job in body["jobs"]]), (200, ["image"]))


def test_jobs_of_the_same_group_come_together():
    with rig() as hob:
        app = hob.resp()
        for number, (kind, group) in enumerate((("row", "a"), ("row", "b"), ("image", "a"), ("row", ""), ("row", "a"))):
            app.call("PUSH", "work", kind, number, *(("GROUP", group) if group else ()))
        got = app.call("FETCH", "w", "COUNT", 10, "SAME", "group", "QUEUES", "work")
        equal([job[5] for job in got], [b"0", b"2", b"4"])
        asked = {"worker": "h", "queues": ["work"], "same": "group", "count": 9}
        status, _, body = hob.http("POST", "/v1/fetch", asked)
        equal((status, [job["payload"] for job in body["jobs"]]), (200, [1]))
        equal(app.error("FETCH", "w", "SAME", "tenant", "QUEUES", "work").word, "BADARG")


def test_a_worker_goes_by_the_list_when_it_is_told_to():
    with rig() as hob:
        order = hob.dir / "order"
        say = hob.script("say", f'#!/bin/sh\necho "$HOB_QUEUE" >> "{order}"\n')
        jobs = [hob.hob("push", queue, "say", "x").strip() for queue in ("low", "high", "low", "high")]
        hob.work({"say": [say]}, queues=("high", "low"), slots=1, mode="listed")
        for job in jobs:
            hob.until(job, "completed")
        equal(eventually(lambda: order.read_text().split(), "the order"), ["high", "high", "low", "low"])
