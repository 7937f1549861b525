# SPDX-License-Identifier: Apache-2.0
"""What the server reckons from what it sees: kinds without a worker, and when a job will be over."""
import json
import time

from lib import check, equal, eventually, pairs, rig, within


def warnings(hob, *words):
    done = hob.hob_done(*words)
    equal(done.returncode, 0, done.stderr)
    return done.stderr


def test_a_kind_that_no_worker_runs_is_told_everywhere_until_one_comes():
    with rig() as hob:
        program = hob.script("good", "#!/bin/sh\nexit 0\n")
        hob.work({"mail": [program]})
        for _ in range(3):
            hob.hob("push", "work", "report", "{}")
        once = hob.hob("push", "work", "mail", "{}").strip()
        hob.until(once, "completed")
        for words in [("stats",), ("ls",), ("ls", "--kind", "report"), ("ls", "--state", "available,running")]:
            told = warnings(hob, *words)
            within(told, "hob: no live worker runs kind `report` (3 jobs wait, the oldest for ")
            within(told, "): start one, see hob workers\n")
            equal(told.count("\n"), 1, told)
        hob.resp().call("QUEUE", "other", "TIER", 10)  # it is there, and empty
        for words in [("stats", "--json"), ("ls", "--json"), ("ls", "--quiet"), ("ls", "--kind", "mail"),
                      ("ls", "--queue", "other"), ("ls", "--state", "completed")]:
            equal(warnings(hob, *words), "", words)
        stats = hob.http("GET", "/v1/stats")[2]
        equal((stats["unserved_jobs"], stats["unserved_cut"]), (3, False))
        row = stats["unserved"][0]
        equal((len(stats["unserved"]), row["queue"], row["kind"], row["available"]), (1, "work", "report", 3))
        equal(json.loads(hob.hob("stats", "--json"))["unserved"][0]["oldest_at"], row["oldest_at"])
        equal(pairs(hob.resp().call("UNSERVED")[0])[b"kind"], b"report")
        within(hob.http("GET", "/metrics")[2].decode(), 'hob_unserved_jobs{queue="work",kind="report"} 3\n')
        last = hob.hob("push", "work", "report", "{}").strip()
        hob.work({"report": [program]})
        hob.until(last, "completed")
        equal(warnings(hob, "stats"), "")
        equal(hob.http("GET", "/v1/stats")[2]["unserved"], [])


def test_many_kinds_without_a_worker_are_told_in_a_few_lines():
    with rig() as hob:
        jobs = [{"queue": f"q{i % 3}", "kind": f"k{i % 8}", "payload": i} for i in range(240)]
        lines = "".join(json.dumps(job) + "\n" for job in jobs)
        hob.hob("push", "-", stdin=lines)
        told = warnings(hob, "ls", "--limit", "1")
        equal(told.count("hob: no live worker runs kind `k"), 5, told)
        within(told, "(30 jobs wait")
        within(told, "hob: and 3 kinds more: hob stats --json lists them\n")


def test_retry_after_tells_about_when_a_job_is_over():
    """100 jobs of 100 ms before it, two slots: about five seconds, and it says so."""
    with rig() as hob:
        program = hob.script("nap", "#!/bin/sh\nsleep 0.1\n")
        lines = "".join(json.dumps({"queue": "work", "kind": "nap", "payload": i}) + "\n" for i in range(100))
        jobs = hob.hob("push", "-", stdin=lines).split()
        equal(hob.http("GET", f"/v1/jobs/{jobs[-1]}")[1]["Retry-After"], "1", "nothing is known yet")
        hob.work({"nap": [program]}, slots=2)
        eventually(lambda: hob.state(jobs[9]) == "completed", "the first jobs are done")
        pushed = time.monotonic()
        status, headers, body = hob.http("POST", "/v1/jobs", {"queue": "work", "kind": "nap"})
        equal(status, 202)
        told = int(headers["Retry-After"])
        middle = int(hob.http("GET", f"/v1/jobs/{jobs[55]}")[1]["Retry-After"])
        check(middle < told, f"the middle, in {middle} s, is sooner than the end, in {told} s")
        status, headers, seen = hob.http("GET", f"/v1/jobs/{body['id']}?wait=60s")
        took = time.monotonic() - pushed
        equal((status, seen["state"], headers.get("Retry-After")), (200, "completed", None))
        check(told / 2 <= took <= told * 2, f"told {told} s, took {took:.1f} s")
