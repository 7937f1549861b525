# SPDX-License-Identifier: Apache-2.0
"""One call of the server fails once: an allocation at any index, a sync, a descriptor. It may end with a clear word,
or go on; what it acknowledged is there when it starts again."""
import os
import pathlib
import resource
import signal
import subprocess

from lib import PATIENCE, ROOT, Resp, RespError, Skip, check, equal, eventually, pairs, rig, within

# How many indices of the allocations are tried; all of them: HOB_FAULTS=1000000 tests/e2e/run faults/
INDICES = int(os.environ.get("HOB_FAULTS", "24"))
LIBRARY = ROOT / "build/tests/interpose/fault_once.so"
BINARY = ROOT / "build/hob"  # without sanitizers, which have an allocator of their own


class Run:
    """One life of a server with a fault, and what it acknowledged."""

    def __init__(self, folder, **faults):
        if not LIBRARY.exists():
            raise Skip("build/tests/interpose is not built")
        self.log = pathlib.Path(folder) / "fault.txt"
        environment = {**os.environ, "LD_PRELOAD": str(LIBRARY), **{name: str(value) for name, value in faults.items()}}
        self.acknowledged = {}
        self.acked = set()
        with open(self.log, "wb") as log:
            self.server = subprocess.Popen(
                [BINARY, "serve", "--data", str(pathlib.Path(folder) / "data"), "--listen", "127.0.0.1:0", "--config",
                 "/dev/null", "--callbacks", "off"], stdout=subprocess.PIPE, stderr=log, env=environment)
        line = self.server.stdout.readline().decode()
        self.port = int(line.split("listen=")[1].split()[0].rsplit(":", 1)[1]) if line.startswith("ready ") else None

    def work(self, rounds=3):
        """Push, fetch, ack, look, until it is done or the server is gone."""
        try:
            client = Resp(self.port)
            client.socket.settimeout(10)
            for n in range(rounds):
                for size in (10, 1000, 100000):
                    payload = b"%d:" % n + b"x" * size
                    job = client.call("PUSH", f"q{n}", "k", payload, "KEY", f"{n}-{size}", "TAGS", "a,b")
                    self.acknowledged[job] = payload
                for job in client.call("FETCH", "w", "COUNT", 2, "QUEUES", "q*"):
                    client.call("ACK", job[0], job[1], b"r" * 5000)
                    self.acked.add(int(job[0]))
                client.call("LS", "COUNT", 10)
                client.call("STATS")
            client.close()
        except RespError:
            pass
        except (OSError, ConnectionError):
            pass

    def end(self):
        """Its exit code, and its log."""
        if self.server.poll() is None:
            self.server.terminate()
        code = self.server.wait(PATIENCE)
        self.server.stdout.close()
        return code, self.log.read_text(errors="replace")


def is_a_clear_end(code, log):
    """Ended in order, with an error that is told, or by a panic that says why; never by a wild pointer."""
    if code == 0:
        return True
    told = "level=error" in log or "hob: " in log
    return code not in (-signal.SIGSEGV, -signal.SIGBUS) and told


def all_is_there(hob, run):
    """What the run acknowledged, when the server starts again."""
    hob.start()
    client = hob.resp()
    for job, payload in run.acknowledged.items():
        got = client.call("GET", job)
        check(got is not None, f"job {job} was acknowledged and is lost")
        view = pairs(got)
        equal(view[b"payload"], payload, f"payload of job {job}")
        if job in run.acked:
            equal(view[b"state"], b"completed", f"state of job {job}, whose ack was acknowledged")


def test_an_allocation_that_fails_at_any_index_loses_nothing():
    with rig(None) as first:
        counts = first.dir / "counts"
        run = Run(first.dir, FAULT_COUNTS=counts)
        run.work()
        code, log = run.end()
        equal(code, 0, f"exit code without a fault; {log}")
        count = int(counts.read_text().split()[0])
        equal((count > 100, len(run.acknowledged)), (True, 9), f"a small run: {count}")
    ends = {}
    for at in sorted({1 + n * count // INDICES for n in range(INDICES)} if INDICES < count else range(1, count + 1)):
        with rig(None) as hob:
            run = Run(hob.dir, FAULT_MALLOC=at)
            if run.port is not None:
                run.work()
            code, log = run.end()
            check(is_a_clear_end(code, log), f"allocation {at}: exit {code}: {log[-1500:]}")
            ends[code] = ends.get(code, 0) + 1
            all_is_there(hob, run)
    print(f"{count} allocations; ends by exit code: {ends}")


def test_a_sync_that_fails_ends_the_server_and_loses_nothing():
    with rig(None) as hob:
        run = Run(hob.dir, FAULT_SYNC=20)
        run.work(50)
        eventually(lambda: run.server.poll() is not None, "the server to end by itself", 10)
        code, log = run.end()
        equal(code, 74, f"exit code; {log}")
        within(log, "cannot sync")
        check(3 < len(run.acknowledged) < 150, f"it went on: {len(run.acknowledged)}")
        all_is_there(hob, run)


def test_descriptors_that_run_out_refuse_connections_and_nothing_else():
    with rig(None) as hob:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        run = Run(hob.dir)
        resource.prlimit(run.server.pid, resource.RLIMIT_NOFILE, (40, 40))
        client = Resp(run.port)
        others = []
        try:
            for _ in range(60):
                others.append(Resp(run.port))
                others[-1].socket.settimeout(0.3)
        except OSError:
            pass
        for n in range(20):
            payload = b"p%d" % n
            run.acknowledged[client.call("PUSH", "q", "k", payload)] = payload
        for other in others:
            other.close()
        eventually(lambda: Resp(run.port).call("PING") == b"PONG", "connections to be taken again")
        equal(resource.getrlimit(resource.RLIMIT_NOFILE), limits)
        code, log = run.end()
        equal(code, 0, f"exit code; {log}")
        all_is_there(hob, run)
