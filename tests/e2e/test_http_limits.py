# SPDX-License-Identifier: Apache-2.0
"""Over HTTP: limits of queues, groups and limiters, pauses of kinds; and what a restart knows."""
from lib import equal, rig


def push(hob, queue="mail", **fields):
    status, _, job = hob.http("POST", "/v1/jobs", dict(queue=queue, kind="send", payload=1, **fields))
    equal(status, 202)
    return job["id"]


def fetch(hob, queue="mail", count=1000):
    status, _, got = hob.http("POST", "/v1/fetch", {"worker": "w", "queues": [queue], "count": count})
    equal(status, 200)
    return [job["id"] for job in got["jobs"]]


def test_a_limiter_holds_for_all_queues_and_a_restart_gives_no_second_burst():
    with rig() as hob:
        status, _, limiter = hob.http("PATCH", "/v1/limiters/stripe", {"rate": "2/1h"})
        equal((status, limiter["rate"], limiter["burst"], limiter["own"]), (200, "2/1h", 2, ["rate"]))
        first, second = push(hob, limiters=["stripe"]), push(hob, "bills", limiters="stripe")
        third = push(hob, limiters=["stripe"])
        equal((fetch(hob), fetch(hob, "bills")), ([first, third], []))
        hob.kill()
        hob.start()
        equal(fetch(hob, "bills"), [])
        _, _, limiter = hob.http("GET", "/v1/limiters/stripe")
        equal((limiter["running"], limiter["waiting"], "opens_at" in limiter), (2, 1, True))
        equal(hob.http("PATCH", "/v1/limiters/stripe", {"rate": "none"})[0], 200)
        equal(fetch(hob, "bills"), [second])


def test_units_rules_and_a_closed_limiter():
    with rig() as hob:
        hob.http("PATCH", "/v1/limiters/tenant-*", {"concurrency": 2})
        large, small = push(hob, limiters=["tenant-1=2"]), push(hob, limiters=["tenant-1"])
        other = push(hob, limiters=["tenant-2"])
        equal(hob.http("GET", "/v1/jobs/" + large)[2]["limiters"], ["tenant-1=2"])
        equal(fetch(hob), [large, other])
        _, _, page = hob.http("GET", "/v1/limiters?limit=2")
        equal(([row["name"] for row in page["limiters"]], page["next"]), (["tenant-*", "tenant-1"], "tenant-1"))
        _, _, page = hob.http("GET", "/v1/limiters?after=tenant-1")
        equal(([row["concurrency"] for row in page["limiters"]], page["next"]), ([2], None))
        equal(hob.http("PATCH", "/v1/jobs/" + small, {"limiters": ["tenant-3"]})[0], 200)
        status, _, closed = hob.http("POST", "/v1/limiters/tenant-3/pause", {"for": "1h", "by": "w", "why": "429"})
        equal((status, closed["paused"], closed["paused_why"]), (200, True, "429"))
        equal(fetch(hob), [])
        _, _, page = hob.http("GET", "/v1/limiters?stopped=true")
        equal([row["name"] for row in page["limiters"]], ["tenant-3"])
        equal(hob.http("POST", "/v1/limiters/tenant-3/resume", {})[2]["paused"], False)
        equal(fetch(hob), [small])
        equal(hob.http("POST", "/v1/limiters/tenant-*/pause", {})[2]["code"], "BADARG")


def test_a_strict_group_is_blocked_by_a_failure_until_it_is_skipped():
    with rig() as hob:
        status, _, queue = hob.http("PATCH", "/v1/queues/mail", {"group_order": "block", "group_concurrency": 5})
        equal((status, queue["group_order"], queue["group_concurrency"]), (200, "block", 5))
        first, second = push(hob, group="g"), push(hob, group="g")
        free = push(hob)
        _, _, got = hob.http("POST", "/v1/fetch", {"worker": "w", "queues": ["mail"], "count": 9})
        equal([job["id"] for job in got["jobs"]], [first, free])
        failed = {"token": got["jobs"][0]["token"], "message": "no", "permanent": True}
        equal(hob.http("POST", f"/v1/jobs/{first}/fail", failed)[0], 200)
        hob.kill()
        hob.start()
        _, _, page = hob.http("GET", "/v1/queues/mail/groups?stopped=true")
        equal([(row["name"], row["blocked_by"]) for row in page["groups"]], [("g", first)])
        equal(fetch(hob), [])
        equal(hob.http("POST", "/v1/queues/mail/groups/g/skip", {})[2], {"skipped": first})
        equal(hob.http("POST", "/v1/queues/mail/groups/g/pause", {"by": "ann"})[2]["paused_by"], "ann")
        equal(fetch(hob), [])
        equal(hob.http("POST", "/v1/queues/mail/groups/g/resume", {})[0], 200)
        equal(fetch(hob), [second])
        _, _, group = hob.http("PATCH", "/v1/queues/mail/groups/g", {"weight": 3, "rate": "1/1m"})
        equal((group["weight"], group["rate"], group["own"]), (3, "1/1m", ["weight", "rate"]))


def test_a_kind_is_paused_in_every_queue():
    with rig() as hob:
        job = push(hob)
        equal(hob.http("POST", "/v1/kinds/send/pause", {"until": "2099-01-01T00:00:00Z"})[2]["paused"], True)
        equal(fetch(hob), [])
        equal([row["name"] for row in hob.http("GET", "/v1/kinds")[2]["kinds"]], ["send"])
        equal(hob.http("POST", "/v1/kinds/send/resume", {})[2], {"name": "send", "paused": False})
        equal(fetch(hob), [job])
        equal(hob.http("POST", "/v1/kinds/nobody/resume", {})[2]["code"], "UNKNOWN")


def test_settings_that_mean_nothing_are_refused():
    with rig() as hob:
        for path, body in (
            ("/v1/limiters/a", {"rate": "fast"}), ("/v1/limiters/a", {"burst": 3}), ("/v1/limiters/a", {}),
            ("/v1/queues/a/groups/g", {"weight": 0}), ("/v1/queues/a", {"aging": "1m", "order": "lifo"}),
            ("/v1/queues/a", {"group_order": "some"}),
        ):
            status, _, problem = hob.http("PATCH", path, body)
            equal((status, problem["code"]), (400, "BADARG"), path)
        status, _, problem = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "limiters": ["a", "a"]})
        equal((status, problem["code"]), (400, "BADARG"))
