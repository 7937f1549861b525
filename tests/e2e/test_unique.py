# SPDX-License-Identifier: Apache-2.0
"""Unique jobs: by every way in, and after a kill."""
import json

from lib import equal, eventually, rig, within


def test_a_unique_key_is_held_by_its_job_also_after_a_kill():
    with rig() as hob:
        job = hob.hob("push", "mail", "send", "1", "--unique", "k").strip()
        equal(hob.hob("push", "mail", "send", "2", "--unique", "k").strip(), job)
        hob.kill()
        hob.start()
        body = hob.http("GET", f"/v1/jobs/{job}")[2]
        equal((body["unique"], body["unique_scope"], body["payload"]), ("k", "done", 1))
        within(hob.hob("push", "mail", "send", "2", "--unique", "k", "--on-conflict", "reject", code=7), "UNIQUE")
        equal(hob.hob("push", "mail", "send", "3", "--unique", "k", "--on-conflict", "replace").strip(), job)
        hob.kill()
        hob.start()
        equal(hob.http("GET", f"/v1/jobs/{job}")[2]["payload"], 3)
        hob.hob("cancel", job)
        after = hob.hob("push", "mail", "send", "4", "--unique", "k").strip()
        assert after != job, after
        within(hob.hob("retry", job, code=7), f"job {after}")


def test_the_problem_of_a_held_key_has_the_holder_and_a_page():
    with rig() as hob:
        push = {"queue": "mail", "kind": "send", "payload": {"user": {"id": 7}, "n": 1}, "unique_by": ["user.id"]}
        status, _, first = hob.http("POST", "/v1/jobs", push)
        equal((status, first["duplicate"]), (202, False))
        push["payload"]["n"] = 2
        status, _, again = hob.http("POST", "/v1/jobs", push)
        equal((status, again["id"], again["duplicate"]), (200, first["id"], True))
        status, _, problem = hob.http("POST", "/v1/jobs", dict(push, on_conflict="reject"))
        equal((status, problem["code"], problem["id"]), (409, "UNIQUE", first["id"]))
        equal(hob.http("GET", problem["type"])[0], 200)
        for bad in ({"payload": [7]}, {"payload": {"n": 1}}, {"unique": "k"}):
            equal(hob.http("POST", "/v1/jobs", dict(push, **bad))[0], 400)
        equal(hob.http("POST", "/v1/jobs", {"queue": "mail", "kind": "k", "on_conflict": "reject"})[0], 400)


def test_words_of_resp_and_lines_of_push():
    with rig() as hob:
        client = hob.resp()
        first = client.call("PUSH", "mail", "send", '{"a":{"b":"x"},"c":1}', "UNIQUEBY", "a.b,c")
        equal(client.call("PUSH", "mail", "send", '{"c":1,"a":{"b":"\\u0078"}}', "UNIQUEBY", "a.b,c"), first)
        assert client.call("PUSH", "mail", "other", '{"c":1,"a":{"b":"x"}}', "UNIQUEBY", "a.b,c") != first
        line = {"queue": "mail", "kind": "send", "unique": "line", "unique_scope": "waiting"}
        lines = [dict(line, payload=n) for n in (1, 2)]
        ids = hob.hob("push", "-", stdin="".join(json.dumps(line) + "\n" for line in lines)).split()
        equal(ids[0], ids[1])


def test_a_throttle_holds_also_after_a_kill_and_ends_by_itself():
    with rig() as hob:
        push = ("push", "mail", "send", "1", "--unique", "k")
        job = hob.hob(*push, "--throttle", "1h").strip()
        hob.hob("cancel", job)
        hob.kill()
        hob.start()
        equal(hob.hob(*push, "--throttle", "1h").strip(), job)
        hob.hob("delete", job, "--yes")
        hob.kill()
        hob.start()
        equal(hob.http("POST", "/v1/jobs", {"queue": "mail", "kind": "send", "unique": "k", "unique_scope": "time",
                                            "unique_for": "1h"})[2]["id"], job)
        client = hob.resp()
        short = client.call("PUSH", "mail", "send", "1", "UNIQUE", "s", "UNIQUESCOPE", "time", "UNIQUEFOR", "50")
        equal(hob.http("GET", f"/v1/jobs/{short}")[2]["unique_for_ms"], 50)
        again = ("PUSH", "mail", "send", "1", "UNIQUE", "s", "THROTTLE", "50")
        eventually(lambda: client.call(*again) != short, "the end of a throttle")
        for bad in ({"throttle": "1h"}, {"unique": "k", "unique_scope": "time"}, {"unique": "k", "unique_for": "1h"},
                    {"unique": "k", "unique_scope": "waiting", "throttle": "1h"}):
            equal(hob.http("POST", "/v1/jobs", dict({"queue": "mail", "kind": "send"}, **bad))[0], 400)


def test_debounced_pushes_become_one_job_that_runs_when_they_are_quiet():
    with rig() as hob:
        push = ("push", "work", "send", "--unique", "k", "--debounce", "1h")
        job = hob.hob(*push[:3], "1", *push[3:]).strip()
        equal(hob.state(job), "scheduled")
        hob.kill()
        hob.start()
        client = hob.resp()
        equal(client.call("PUSH", "work", "send", "2", "UNIQUE", "k", "DEBOUNCE", "1h", "MAXWAIT", "1ms"), int(job))
        eventually(lambda: hob.state(job) == "available", "the end of max_wait")
        body = {"queue": "work", "kind": "send", "unique": "k", "debounce": 1}
        equal(hob.http("POST", "/v1/jobs", dict(body, payload=3))[2]["id"], job)
        eventually(lambda: hob.state(job) == "available", "a quiet millisecond")
        equal(hob.http("GET", f"/v1/jobs/{job}")[2]["payload"], 3)
        for bad in ({"unique_scope": "done"}, {"on_conflict": "reject"}, {"delay": "1s"}, {"max_wait": "no"}):
            equal(hob.http("POST", "/v1/jobs", dict(body, **bad))[0], 400)
        equal(hob.http("POST", "/v1/jobs", {"queue": "work", "kind": "send", "unique": "k", "max_wait": "1s"})[0], 400)


def test_the_latest_push_waits_blocked_until_the_running_job_ends():
    with rig() as hob:
        push = ("push", "q", "send", "--unique", "k", "--on-conflict", "latest")
        first = hob.hob(*push).strip()
        client = hob.resp()
        client.call("WORKER", "w", "SLOTS", "4")
        lease = client.call("FETCH", "w", "QUEUES", "q")[0]
        second = hob.hob(*push[:3], "2", *push[3:]).strip()
        equal(hob.state(second), "blocked")
        hob.kill()
        hob.start()
        equal(hob.state(second), "blocked")
        client = hob.resp()
        equal(client.call("PUSH", "q", "send", "3", "UNIQUE", "k", "ONCONFLICT", "latest"), int(second))
        status, _, body = hob.http("GET", f"/v1/jobs/{second}/explain")
        equal((status, body["state"], body["waits_for"]), (200, "blocked", "unique"))
        equal([gate["job"] for gate in body["gates"] if gate["gate"] == "unique"], [first])
        equal(hob.hob("ls", "--state", "blocked", "--columns", "id").strip(), second)
        within(hob.hob("retry", second, code=7), f"job {first}")
        equal(client.call("ACK", first, lease[1]), b"OK")
        equal(hob.state(second), "available")
        equal(hob.http("GET", f"/v1/jobs/{second}")[2]["payload"], 3)
        equal(hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "send", "unique": "k", "on_conflict": "latest",
                                            "unique_scope": "waiting"})[0], 400)


def test_pushes_are_merged_into_the_job_that_waits():
    with rig() as hob:
        push = ("push", "q", "write", "--unique", "k", "--merge", "append", "--delay", "1h")
        job = hob.hob(*push[:3], "1", *push[3:]).strip()
        long = json.dumps(["x" * 400])
        equal(hob.hob(*push[:3], long, *push[3:]).strip(), job)
        hob.kill()
        hob.start()
        client = hob.resp()
        equal(client.call("PUSH", "q", "write", "[2, 3]", "UNIQUE", "k", "MERGE", "append"), int(job))
        body = hob.http("GET", f"/v1/jobs/{job}")[2]
        equal((body["payload"], body["merged"], body["state"]), ([1, "x" * 400, 2, 3], 3, "scheduled"))
        one = {"queue": "q", "kind": "write", "unique": "k", "merge": "append", "merge_max": 4}
        status, _, body = hob.http("POST", "/v1/jobs", dict(one, payload={"last": True}))
        equal((status, body["id"], body["state"], body["duplicate"]), (200, job, "available", True))
        hob.kill()
        hob.start()
        equal(hob.http("GET", f"/v1/jobs/{job}")[2]["payload"], [1, "x" * 400, 2, 3, {"last": True}])
        status, _, body = hob.http("POST", "/v1/jobs", dict(one, payload=5))
        equal((status, body["duplicate"]), (202, False))
        equal(hob.http("POST", "/v1/jobs", dict(one, kind="other", payload=5))[0], 409)
        lines = [{"queue": "q", "kind": "count", "unique": "n", "merge": "sum", "payload": n} for n in (1, 0.5, 2)]
        ids = hob.hob("push", "-", stdin="".join(json.dumps(line) + "\n" for line in lines)).split()
        equal(len(set(ids)), 1)
        equal(hob.hob("get", ids[0], "--payload").strip(), "3.5")
        for bad in ({"payload": 1, "merge_max": 1}, {"unique_scope": "done"}, {"on_conflict": "replace"}):
            equal(hob.http("POST", "/v1/jobs", dict(one, **bad))[0], 400)
        equal(hob.http("POST", "/v1/jobs", dict(one, unique="t", merge="sum", payload="text"))[0], 400)
