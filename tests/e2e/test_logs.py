# SPDX-License-Identifier: Apache-2.0
"""Finding out why a job failed: its log as it grows, over attempts, and what all jobs said."""
import json
import subprocess
import threading

from lib import HOB, PATIENCE, Resp, check, equal, eventually, rig, within

SAYS = """#!/bin/sh
echo "attempt $HOB_ATTEMPT begins" >&2
while [ ! -e "$(dirname "$0")/go-$HOB_ATTEMPT" ]; do sleep 0.02; done
echo "attempt $HOB_ATTEMPT ends" >&2
[ "$HOB_ATTEMPT" -gt 1 ]
"""


def test_logs_follow_a_job_over_its_attempts_without_polling():
    """hob logs -f prints each line as it comes, how each attempt ended, and ends when the job is over."""
    with rig() as one:
        one.work({"say": [one.script("say", SAYS)]})
        job = one.hob("push", "work", "say", "{}", "--backoff", "fixed:50ms").strip()
        follower = subprocess.Popen([HOB, "logs", job, "-f", "--server", f"127.0.0.1:{one.port}"],
                                    stdout=subprocess.PIPE, text=True)
        one.processes.append(follower)
        timer = threading.Timer(PATIENCE, follower.kill)  # instead of waiting forever for a line
        timer.start()
        lines = iter(follower.stdout.readline, "")
        equal(next(lines), "-- attempt 1\n")
        within(next(lines), "attempt 1 begins")
        (one.dir / "go-1").touch()
        within(next(lines), "attempt 1 ends")
        rest = [next(lines), next(lines), next(lines)]
        within(rest[0], "-- attempt 1 failed: exit 1 at ")
        equal(rest[1], "-- attempt 2\n")
        within(rest[2], "attempt 2 begins")
        (one.dir / "go-2").touch()
        within(next(lines), "attempt 2 ends")
        within(next(lines), "-- completed since ")
        equal(follower.wait(PATIENCE), 0, "exit code")
        timer.cancel()


def test_a_log_waits_for_its_lines_over_resp_and_http():
    """LOGS … WAIT and ?wait= answer when a line is logged; both read on behind a line, also after a restart."""
    with rig() as one:
        client = one.resp()
        job = client.call("PUSH", "work", "greet", "x")
        _, token, *_ = client.call("FETCH", "w", "QUEUES", "work")[0]
        answers = {}

        def over_resp():
            answers["resp"] = Resp(one.port).call("LOGS", job, "WAIT", "60s")

        def over_http():
            answers["http"] = one.http("GET", f"/v1/jobs/{job}/logs?wait=60s")[2]

        threads = [threading.Thread(target=over_resp), threading.Thread(target=over_http)]
        for thread in threads:
            thread.start()
        equal(answers, {}, "nothing yet")
        client.call("LOG", job, token, "LEVEL", "warn", "LINES", "first", "second")
        for thread in threads:
            thread.join(PATIENCE)
        equal([line[4] for line in answers["resp"]], [b"first", b"second"], "over RESP")
        equal([line["text"] for line in answers["http"]["lines"]], ["first", "second"], "over HTTP")
        seq = answers["http"]["lines"][0]["seq"]
        equal(answers["resp"][0][5].decode(), seq, "the same number")
        after = one.http("GET", f"/v1/jobs/{job}/logs?after={seq}")[2]["lines"]
        equal([line["text"] for line in after], ["second"], "behind the first")
        # The numbers hold over a restart.
        one.kill()
        one.start()
        equal(one.http("GET", f"/v1/jobs/{job}/logs?after={seq}")[2]["lines"], after, "after a restart")


def test_search_finds_lines_errors_and_backtraces_of_all_jobs():
    """hob logs --search goes through many jobs page by page, from new to old, with its filters; --json as well."""
    with rig() as one:
        client = one.resp()
        for i in range(60):
            job = client.call("PUSH", "work", "odd" if i % 2 else "even", "x", "ATTEMPTS", 1)
            _, token, *_ = client.call("FETCH", "w", "QUEUES", "work")[0]
            client.call("LOG", job, token, "LEVEL", "error" if i % 3 == 0 else "info", "LINES",
                        *[f"line {n} of {i}: Connection Refused" for n in range(30)])
            client.call("FAIL", job, token, f"could not reach {i}", "BACKTRACE", f"main\ncall_{i}()\nend")
        found = one.hob("logs", "--search", "connection refused").splitlines()
        equal(len(found), 60 * 30, "lines")
        check("line 29 of 59" in found[0] and "line 0 of 0" in found[-1], f"order: {found[0]} … {found[-1]}")
        equal(len(one.hob("logs", "--search", "REFUSED", "--kind", "odd", "--level", "error").splitlines()), 300)
        equal(len(one.hob("logs", "--search", "refused", "--limit", "7").splitlines()), 7, "--limit")
        within(one.hob("logs", "--search", "could not reach 41"), " odd #1 error could not reach 41")
        trace = json.loads(one.hob("logs", "--search", "call_17(", "--json"))
        equal((trace["place"], trace["text"], trace["id"]), ("backtrace", "call_17()", "18"), "a backtrace")
        equal(len(one.hob("logs", "--search", "refused", "--since", "1h", "--state", "discarded").splitlines()), 1800)
        within(one.hob("logs", "--search", "no such words", code=3), "nothing found in 60 jobs")
        one.hob("logs", "--search", "refused", "--until", "1h", code=3)
        within(one.hob("logs", "--search", "x", "--since", "soon", code=2), "SINCE: 'soon' is not a time")
        within(one.hob("logs", code=2), "wanted: the id of a job, or --search TEXT")
        within(one.hob("logs", "7", "--search", "x", code=2), "either")
        status, _, page = one.http("GET", "/v1/logs?search=refused&limit=3&kind=even")
        equal((status, len(page["lines"]), page["lines"][0]["kind"]), (200, 3, "even"), "over HTTP")


def test_search_over_more_than_one_request_looks_at_ends():
    """A request looks at a bounded number of jobs and bytes; its cursor leads through all of them, and memory stays."""
    with rig() as one:
        client = one.resp()
        big = "x" * 60000
        for i in range(100):
            job = client.call("PUSH", "work", "big", "x", "ATTEMPTS", 1)
            _, token, *_ = client.call("FETCH", "w", "QUEUES", "work")[0]
            client.call("LOG", job, token, "LINES", big + (" needle" if i == 3 else ""))
            client.call("ACK", job, token)
        cursor, found, jobs, _ = client.call("SEARCH", "TEXT", "needle")
        check(cursor != b"0" and found == [] and jobs < 100, "the first page is not the end")
        while cursor != b"0":
            cursor, more, looked, _ = client.call("SEARCH", "TEXT", "needle", "BEFORE", cursor)
            found, jobs = found + more, jobs + looked
        equal((len(found), jobs), (1, 100), "found, and each job looked at once")
        within(one.hob("logs", "--search", "NEEDLE"), "needle")
