# SPDX-License-Identifier: Apache-2.0
"""The logs of server and worker: one line an event, whatever the jobs say."""
import json
import os
import re

from lib import check, equal, eventually, rig, within

LOGFMT = re.compile(r'(?:[a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^ "=\\]+)(?: |$))+')
NASTY = r"""#!/bin/sh
printf 'bad \033[31m red\rback level=error job=666 " quote \302\233 end\n' >&2
exit 3
"""


def fields(line):
    check(LOGFMT.fullmatch(line), f"not logfmt: {line!r}")
    return {key: json.loads(value) if value.startswith('"') else value
            for key, value in re.findall(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ ]+)', line)}


def failed(one, **settings):
    """Run a job that says nasty things and fails; the worker's log."""
    one.work({"nasty": [one.script("nasty", NASTY)]}, **settings)
    job = one.hob("push", "work", "nasty", "{}", "--attempts", "1").strip()
    one.until(job, "discarded")
    return job, one.worker_log().splitlines()


def test_foreign_text_stays_inside_its_field():
    """A job's error with newline, escape sequence, quotes and key=value is one value of one line, and nothing else."""
    with rig() as one:
        job, lines = failed(one)
        ended = [line for line in map(fields, lines) if line["msg"] == "job failed"]
        equal(len(ended), 1, "lines about the end")
        for key, value in {"job": job, "queue": "work", "kind": "nasty", "attempt": "1", "outcome": "fail",
                           "cause": "exit", "code": "3", "level": "warn"}.items():
            equal(ended[0].get(key), value, key)
        check(ended[0]["dur_ms"].isdigit(), "dur_ms is a number")
        check(not re.search(r"[\x00-\x1f\x7f\x80-\x9f]", "".join(lines)), "no control character is in the log")
        for line in one.server_log().splitlines():
            fields(line)


def test_the_trace_of_a_job_is_in_the_log():
    """The trace id of a job's traceparent is a field of the lines about it."""
    with rig() as one:
        one.work({"quick": ["/bin/true"]})
        headers = '{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}'
        job = one.resp().call("PUSH", "work", "quick", "{}", "HEADERS", headers)
        one.until(job, "completed")
        lines = [line for line in map(fields, one.worker_log().splitlines()) if line.get("job") == str(job)]
        equal([line["trace_id"] for line in lines], ["4bf92f3577b34da6a3ce929d0e0e4736"] * 2, "started, done")


def test_logs_as_json_from_a_level_on():
    """HOB_LOG_FORMAT and HOB_LOG_LEVEL choose; each line is an object, and nothing below the level is there."""
    with rig() as one:
        _, lines = failed(one, environment={"HOB_LOG_FORMAT": "json", "HOB_LOG_LEVEL": "warn"})
        events = [json.loads(line) for line in lines]
        equal([event["msg"] for event in events], ["job failed"], "events")
        check(isinstance(events[0]["attempt"], int), "a number is a number")
        within(one.hob("serve", "--data", str(one.dir / "no"), "--log-level", "loud", code=2),
               "`loud` is none of: debug info warn error")


def test_priorities_for_the_journal_of_systemd():
    """Where stderr is the stream that JOURNAL_STREAM names, lines begin with their priority."""
    with rig() as one:
        (one.dir / "worker.log").touch()
        found = os.stat(one.dir / "worker.log")
        _, lines = failed(one, environment={"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
        check(all(line.startswith(("<6>", "<4>")) for line in lines), f"priorities: {lines}")
        check(any(line.startswith("<4>") and "job failed" in line for line in lines), "a warning has 4")


def told(one, what):
    """The lines of the server's log about this, each a dict."""
    return [line for line in map(fields, one.server_log().splitlines()[1:]) if line["msg"] == what]


def line_of(one, what, **wanted):
    """The first such line, which has these values."""
    found = eventually(lambda: told(one, what), f"a line {what!r}")[0]
    for key, value in wanted.items():
        equal(found.get(key), value, f"{key} of {what!r}")
    return found


def test_the_server_tells_what_becomes_of_jobs_and_what_people_do():
    """A job that is discarded, a worker that goes away, and the deeds of people are lines with the job's id."""
    with rig() as one:
        job, _ = failed(one)
        line_of(one, "job discarded", level="warn", job=job, queue="work", kind="nasty", attempt="1", cause="exit",
                code="3")
        client = one.resp()
        later = str(client.call("PUSH", "later", "mail", "{}", "DELAY", "1h"))
        one.hob("pause", "later", "--by", "ann", "--why", "provider is down", "--for", "1h")
        line_of(one, "queue paused", level="info", queue="later", by="ann", why="provider is down", who="anybody")
        check("until" in told(one, "queue paused")[0], "it says until when")
        one.hob("cancel", later, "--by", "bob")
        line_of(one, "job cancelled", level="info", job=later, queue="later", kind="mail", by="bob")
        one.hob("retry", later, "--by", "eve")
        line_of(one, "job retried", level="info", job=later, by="eve")
        for number in range(3):
            client.call("PUSH", "gone", "slow", str(number), "ATTEMPTS", 1 + number)
        worker = one.resp()
        equal(len(worker.call("FETCH", "w9", "COUNT", 3, "LEASE", "1s", "QUEUES", "gone")), 3)
        worker.close()
        line_of(one, "attempt lost", level="warn", queue="gone", kind="slow", worker="w9", cause="lost")
        line_of(one, "a worker went away with leases, or hangs", level="warn", worker="w9", jobs="3")
        equal(len(told(one, "attempt lost")), 2, "attempts lost that may come again")
        equal(len(told(one, "job discarded")), 2, "jobs discarded")


def test_refused_requests_are_in_the_log_without_what_they_say():
    """A refused request has its id, path and code in the log, at most so many a second; its query and body stay out."""
    with rig() as one:
        status, headers, _ = one.http("GET", "/v1/jobs?since=whsec_hidden")
        equal(status, 400)
        line_of(one, "request refused", level="info", request_id=headers["X-Request-Id"], method="GET",
                path="/v1/jobs", status="400", code="BADARG")
        one.http("GET", "/v1/jobs/999")
        for _ in range(100):
            one.http("POST", "/v1/jobs", {"queue": "no such name", "kind": "whsec_hidden"})
        left = int(line_of(one, "log lines were left out", about="refused requests")["count"])
        check(left > 0 and len(told(one, "request refused")) < 101, f"{left} left out")
        check("whsec_hidden" not in one.server_log() and "999" not in one.server_log(), "what stays out")
