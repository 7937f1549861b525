# SPDX-License-Identifier: Apache-2.0
"""/metrics by the tools of Prometheus, and what it says by counting along; dashboard and alerts name what is there."""
import json
import re
import subprocess
import time

from lib import ROOT, check, equal, need, rig, within

LINE = re.compile(r'^([a-z_]+)(?:\{([^}]*)\})? (\S+)$')


def scrape(hob):
    """{(name, labels): number}, labels as a frozenset of pairs; and the text."""
    status, headers, text = hob.http("GET", "/metrics")
    equal((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
    text = text.decode()
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        got = LINE.match(line)
        check(got, f"not a sample: {line!r}")
        labels = frozenset(re.findall(r'(\w+)="([^"]*)"', got[2] or ""))
        check((got[1], labels) not in found, f"twice: {line!r}")
        found[got[1], labels] = float(got[3])
    return found, text


def value(found, name, **labels):
    return found.get((name, frozenset(labels.items())), 0.0)


def test_promtool_finds_nothing_to_complain_about():
    with rig() as hob:
        hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k"})
        done = subprocess.run([need("promtool"), "check", "metrics"], input=scrape(hob)[1], capture_output=True,
                              text=True, check=False)
        equal((done.returncode, done.stdout + done.stderr), (0, ""))


def test_the_numbers_are_those_of_the_jobs():
    with rig() as hob:
        good = hob.script("good", "#!/bin/sh\nsleep 0.2\n")
        bad = hob.script("bad", "#!/bin/sh\nexit 3\n")
        for _ in range(3):
            hob.http("POST", "/v1/jobs", {"queue": "work", "kind": "good"})
        fails = hob.http("POST", "/v1/jobs", {"queue": "work", "kind": "bad", "attempt_max": 2,
                                              "backoff": "fixed:50ms"})[2]["id"]
        hob.http("POST", "/v1/jobs", {"queue": "work", "kind": "good", "delay": "1h"})
        waits = hob.http("POST", "/v1/jobs", {"queue": "idle", "kind": "x"})[2]["id"]
        hob.http("POST", "/v1/queues/idle/pause", {})
        before = scrape(hob)[0]
        equal(value(before, "hob_jobs", queue="work", state="available"), 4)
        equal(value(before, "hob_jobs", queue="work", state="scheduled"), 1)
        hob.work({"good": [good], "bad": [bad]}, slots=5)
        hob.until(fails, "discarded")
        for job in ("1", "2", "3"):
            hob.until(job, "completed")
        hob.resp().error("ACK", "1", "999")
        hob.http("GET", "/v1/jobs/999")
        hob.http("POST", f"/v1/jobs/{waits}/cancel", {})
        hob.http("POST", "/v1/jobs", {"queue": "idle", "kind": "x"})
        time.sleep(0.05)  # the latency of the job that was just pushed is above 0
        found = scrape(hob)[0]
        wanted = [
            ("hob_jobs_enqueued_total", {"queue": "work"}, 5),
            ("hob_jobs_completed_total", {"queue": "work"}, 3),
            ("hob_jobs_failed_total", {"queue": "work", "cause": "exit"}, 2),
            ("hob_jobs_retried_total", {"queue": "work"}, 1),
            ("hob_jobs_discarded_total", {"queue": "work"}, 1),
            ("hob_jobs_cancelled_total", {"queue": "idle"}, 1),
            ("hob_jobs", {"queue": "work", "state": "completed"}, 3),
            ("hob_jobs", {"queue": "idle", "state": "available"}, 1),
            ("hob_queue_paused", {"queue": "idle"}, 1),
            ("hob_queue_paused", {"queue": "work"}, 0),
            ("hob_queue_latency_seconds", {"queue": "work"}, 0),
            ("hob_job_wait_seconds_count", {"queue": "work", "kind": "good"}, 3),
            ("hob_job_run_seconds_count", {"queue": "work", "kind": "bad"}, 2),
            ("hob_job_run_seconds_bucket", {"queue": "work", "kind": "good", "le": "0.1"}, 0),
            ("hob_job_run_seconds_bucket", {"queue": "work", "kind": "good", "le": "+Inf"}, 3),
            ("hob_job_total_seconds_count", {"queue": "work", "kind": "good"}, 3),
            ("hob_workers", {"state": "alive"}, 1),
            ("hob_worker_slots", {"state": "busy"}, 0),
            ("hob_worker_slots", {"state": "free"}, 5),
            ("hob_requests_total", {"protocol": "http", "op": "push", "code": "202"}, 7),
            ("hob_requests_total", {"protocol": "http", "op": "job", "code": "404"}, 1),
            ("hob_requests_total", {"protocol": "resp", "op": "ACK", "code": "STALE"}, 1),
            ("hob_request_seconds_count", {"protocol": "http", "op": "push"}, 7),
            ("hob_store_full", {}, 0),
        ]
        for name, labels, number in wanted:
            equal(value(found, name, **labels), number, f"{name} {labels}")
        check(value(found, "hob_queue_latency_seconds", queue="idle") > 0, "a job waits")
        ran = value(found, "hob_job_run_seconds_sum", queue="work", kind="good")
        check(0.6 <= ran < 30, f"three runs of 0.2 s took {ran} s")
        check(value(found, "hob_log_fsync_seconds_count") > 0, "syncs were counted")
        check(value(found, "hob_log_written_bytes_total") > 0, "bytes were counted")
        check(value(found, "process_resident_memory_bytes") > 1e6, "memory of the process")
        check(value(found, "process_open_fds") > 5, "files of the process")


def test_a_scrape_of_many_queues_is_short():
    with rig() as hob:
        body = "\n".join(json.dumps({"queue": f"q{n}", "kind": f"k{n}"}) for n in range(1300))
        hob.http("POST", "/v1/jobs", body, {"Content-Type": "application/x-ndjson"})
        found, text = scrape(hob)
        equal(value(found, "hob_jobs", queue="~other", state="available"), 300)
        equal(value(found, "hob_jobs_enqueued_total", queue="~other"), 300)
        equal(sum(n for (name, labels), n in found.items()
                  if name == "hob_jobs" and ("state", "available") in labels), 1300)
        check(len(text) < 2_000_000, f"{len(text)} bytes")


def test_dashboard_and_alerts_name_metrics_that_are_there():
    folder = ROOT / "examples/monitoring"
    done = subprocess.run([need("promtool"), "check", "rules", str(folder / "alerts.yml")], capture_output=True,
                          text=True, check=False)
    equal(done.returncode, 0, done.stdout + done.stderr)
    with rig() as hob:
        text = scrape(hob)[1]
        there = set(re.findall(r"^# TYPE (\S+)", text, re.M))
        histograms = set(re.findall(r"^# TYPE (\S+) histogram", text, re.M))
        there |= {name + end for name in histograms for end in ("_bucket", "_sum", "_count")}
        board = json.loads((folder / "grafana.json").read_text())
        expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
        check(len(expressions) >= 12, "the dashboard has panels")
        expressions += re.findall(r"^\s*expr: (.*)$", (folder / "alerts.yml").read_text(), re.M)
        used = {name for expression in expressions for name in re.findall(r"\b(?:hob|process)_[a-z_]+", expression)}
        check(len(used) >= 12, "metrics are used")
        equal(used - there, set(), "metrics that are not there")
        guide = (ROOT / "doc/guide/monitoring.md").read_text()
        for name in sorted(there - {n + e for n in histograms for e in ("_bucket", "_sum", "_count")}):
            if name.startswith("hob_"):
                within(guide, f"`{name}`", f"the guide tells of {name}")
