# SPDX-License-Identifier: Apache-2.0
"""Clocks that go wrong: the server is stopped for a while, the wall clock is put forward and back. No worker loses a
job for it, and people are told."""
import contextlib
import json
import re
import signal
import struct
import time

from lib import ROOT, Skip, check, equal, eventually, pairs, rig, within

LIBRARY = ROOT / "build/tests/interpose/wall_clock.so"
FROZEN = 8  # seconds: more than a turn may be late, and than the leases here
HOUR = 3600


class Clock:
    """A server whose wall clock is the machine's plus `offset` seconds."""

    def __init__(self, hob):
        if not LIBRARY.exists():
            raise Skip("build/tests/interpose is not built")
        self.hob = hob
        self.path = hob.dir / "clock"
        self.path.write_bytes(struct.pack("q", 0))
        # Sanitizers want to be the first library, so it is always the binary without them.
        self.program = hob.script("on_another_clock", f"""#!/bin/sh
shift
HOB_CLOCK="{self.path}" LD_PRELOAD="{LIBRARY}" exec "{ROOT}/build/hob" "$@"
""")

    def start(self):
        self.hob.start(prefix=(self.program,))

    def set(self, offset):
        with open(self.path, "r+b") as file:
            file.write(struct.pack("q", offset * 10**9))


@contextlib.contextmanager
def on_clock():
    with rig(None) as hob:
        clock = Clock(hob)
        clock.start()
        yield hob, clock


def metric(hob, name):
    text = hob.http("GET", "/metrics")[2].decode()
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M).group(1))


def jumps(hob):
    lines = [json.loads(line) for line in hob.hob("journal", "dump", str(hob.data)).splitlines()]
    return [line for line in lines if line["record"] == "clock_jumped"]


def now_ms(hob):
    return pairs(hob.resp().call("STATS"))[b"now"]


def freeze(hob, seconds):
    hob.server.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    hob.server.send_signal(signal.SIGCONT)


def test_a_server_that_is_stopped_takes_no_job_from_a_worker():
    with rig() as hob:
        client = hob.resp()
        job = client.call("PUSH", "work", "k", "x")
        fetched = client.call("FETCH", "w", "LEASE", 6000, "QUEUES", "work")[0]
        worker = hob.work({"slow": ["sleep", str(FROZEN + 2)]}, queues=("slow",))
        slow = client.call("PUSH", "slow", "slow", "x")
        hob.until(slow, "running")
        freeze(hob, FROZEN)
        client.call("ACK", fetched[0], fetched[1], "done")
        equal((hob.state(job), hob.job(job)["attempt"]), ("completed", 1))
        hob.until(slow, "completed")
        equal(hob.job(slow)["attempt"], 1)
        check(worker.poll() is None, "the worker lives")
        check(metric(hob, 'hob_clock_jumps_total{cause="freeze"}') >= 1, "the freeze is counted")
        check(metric(hob, "hob_clock_jumped_seconds_total") >= FROZEN - 1, "and by how much")
        within(hob.server_log(), "the clock jumped")
        within(hob.server_log(), "cause=freeze")
        record = jumps(hob)[0]
        check(record["cause"] == "freeze" and record["by_ms"] >= 1000 * (FROZEN - 1), f"the record: {record}")
        within(hob.hob("stats"), "clock_jumps")
        # It outlives a kill: replay spares the jobs, too.
        hob.kill()
        hob.start()
        equal(hob.state(job), "completed")


def test_a_lease_still_ends_without_a_word():
    with rig() as hob:
        client = hob.resp()
        job = client.call("PUSH", "work", "k", "x")
        fetched = client.call("FETCH", "w", "LEASE", 3000, "QUEUES", "work")[0]
        freeze(hob, FROZEN)
        eventually(lambda: hob.state(job) == "available", "the lease to end")
        word = client.error("ACK", fetched[0], fetched[1]).word
        check(word in ("STALE", "LEASEOVER"), f"a late ack: {word}")


def test_the_wall_clock_an_hour_forward():
    with on_clock() as (hob, clock):
        client = hob.resp()
        job = client.call("PUSH", "work", "k", "x")
        fetched = client.call("FETCH", "w", "QUEUES", "work")[0]
        soon = client.call("PUSH", "later", "k", "x", "DELAY", 30 * 60 * 1000)
        late = client.call("PUSH", "later", "k", "x", "DELAY", 90 * 60 * 1000)
        expires = client.call("PUSH", "other", "k", "x", "EXPIRESIN", 30 * 60 * 1000)
        client.call("PAUSE", "paused", "UNTIL", now_ms(hob) + 30 * 60 * 1000)
        before = now_ms(hob)
        clock.set(HOUR)
        eventually(lambda: hob.state(soon) == "available", "what was due in half an hour")
        eventually(lambda: hob.state(expires) == "discarded", "what was to start in half an hour")
        equal((hob.state(late), hob.state(job)), ("scheduled", "running"))
        check(HOUR * 1000 <= now_ms(hob) - before < (HOUR + 60) * 1000, "time has followed")
        client.call("ACK", fetched[0], fetched[1], "done")
        equal(hob.job(job)["attempt"], 1)
        equal(metric(hob, 'hob_clock_jumps_total{cause="step"}'), 1)
        check(HOUR - 1 < metric(hob, "hob_clock_last_jump_seconds") < HOUR + 1, "the span")
        within(hob.server_log(), "cause=step")
        equal([record["cause"] for record in jumps(hob)], ["step"])
        equal(pairs(client.call("STATS"))[b"clock_jumps"], 1)


def test_the_wall_clock_an_hour_back():
    with on_clock() as (hob, clock):
        client = hob.resp()
        job = client.call("PUSH", "work", "k", "x")
        fetched = client.call("FETCH", "w", "QUEUES", "work")[0]
        before = now_ms(hob)
        clock.set(-HOUR)
        eventually(lambda: "STANDS BEHIND" in hob.server_log(), "the log to say so")
        soon = client.call("PUSH", "later", "k", "x", "DELAY", 1500)
        equal(hob.state(soon), "scheduled")
        hob.until(soon, "available")
        check(before < now_ms(hob) < before + 60000, "time has gone on, and not back")
        client.call("ACK", fetched[0], fetched[1], "done")
        equal((hob.state(job), hob.job(job)["attempt"]), ("completed", 1))
        check(HOUR - 60 < metric(hob, "hob_clock_ahead_seconds") < HOUR + 1, "it is measured")
        within(hob.hob("stats"), "clock_ahead_ms")
        equal(hob.http("GET", "/readyz")[0], 200)
        equal(jumps(hob), [])
        # A restart, and a clock that is put right again.
        equal(hob.stop(), 0)
        clock.start()
        client = hob.resp()
        within(hob.server_log().split("recovered")[-1], "STANDS BEHIND")
        check(now_ms(hob) > before, "not before the journal")
        clock.set(0)
        eventually(lambda: "caught up" in hob.server_log(), "the clock to be right")
        check(metric(hob, "hob_clock_ahead_seconds") < 5, "no more")


def test_a_start_with_a_clock_a_year_behind():
    with on_clock() as (hob, clock):
        client = hob.resp()
        job = client.call("PUSH", "work", "k", "x")
        before = hob.job(job)["created_at"]
        hob.kill()
        clock.set(-365 * 24 * HOUR)
        clock.start()
        within(hob.server_log(), "level=error")
        within(hob.server_log(), "STANDS BEHIND")
        client = hob.resp()
        next_job = client.call("PUSH", "work", "k", "x", "DELAY", 1000)
        check(int(next_job) > int(job) and now_ms(hob) >= before, "it goes on")
        hob.until(next_job, "available")
        equal(len(client.call("FETCH", "w", "COUNT", 2, "QUEUES", "work")), 2)
