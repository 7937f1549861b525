# SPDX-License-Identifier: Apache-2.0
"""The logs of server and worker: one line an event, whatever the jobs say."""
import json
import os
import re

from lib import check, equal, rig, within

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
