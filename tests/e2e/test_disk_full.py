# SPDX-License-Identifier: Apache-2.0
"""A full disk, a real one: a small file system of its own. Pushes are refused with a time to come back, everything else
works, and when there is space again pushes are taken again by themselves."""
import contextlib
import os
import subprocess
import threading
import time

from lib import RespError, Skip, check, equal, eventually, pairs, rig, within

SIZE_MIB = 48
BALLAST_MIB = 24
PAYLOAD = os.urandom(30000)


@contextlib.contextmanager
def small_disk(hob):
    """hob.data on a file system of SIZE_MIB."""
    hob.data.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "none", str(hob.data)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        for process in hob.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        subprocess.run(["umount", "-l", str(hob.data)], check=False)


def ballast_put(hob):
    """Only the file system is the server's: its log lies elsewhere."""
    ballast = hob.data / "lost+found" / "ballast"
    ballast.parent.mkdir()
    ballast.write_bytes(bytes(BALLAST_MIB << 20))
    return ballast


def fill(client, most=5000):
    """Push until the disk is really full: the ids that were acknowledged, and the last refusal. One refusal may be
    followed by room that was still being made."""
    jobs, refused, times = [], None, 0
    while len(jobs) < most and times < 5:
        try:
            jobs.append(client.call("PUSH", "q", "k", PAYLOAD))
            times = 0
        except RespError as error:
            refused, times = error, times + 1
            time.sleep(0.3)  # the server's own time to try again
    return jobs, refused


def test_a_full_disk_refuses_pushes_alone_and_recovers_by_itself():
    with rig(None) as hob, small_disk(hob):
        ballast = ballast_put(hob)
        hob.start("--segment", "4MiB")
        client = hob.resp()
        jobs, refused = fill(client)
        check(refused is not None, "the disk became full")
        equal(refused.word, "FULL", str(refused))
        check(len(jobs) > 100, f"{len(jobs)} jobs had room")
        status, headers, problem = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "payload": "x" * 30000})
        equal(status, 507, str(problem))
        check(int(headers["Retry-After"]) >= 1, "it says when to come back")
        equal(hob.http("GET", "/readyz")[0], 503)
        equal(hob.http("GET", "/livez")[0], 200)

        # Everything else works, with results and logs, and stays.
        done = []
        for n in range(60):
            job = client.call("FETCH", "w", "QUEUES", "q")[0]
            number, token = int(job[0]), job[1]
            if n % 3 == 0:
                client.call("ACK", number, token, b"result %d" % number)
            elif n % 3 == 1:
                client.call("FAIL", number, token, "on purpose", "RETRYIN", 3600_000)
            else:
                client.call("RELEASE", number, token)
                client.call("DELETE", number)
            done.append(number)
        hob.hob("pause", "q", "--why", "the disk is full")
        hob.hob("resume", "q")

        # A kill and a start on the full disk lose nothing and need nothing.
        hob.kill()
        hob.start("--segment", "4MiB")
        client = hob.resp()
        states = {number: client.call("GET", number) for number in done}
        for n, number in enumerate(done):
            if n % 3 == 2:
                equal(states[number], None, f"job {number} is deleted")
            else:
                wanted = b"completed" if n % 3 == 0 else b"retryable"
                equal(pairs(states[number])[b"state"], wanted, f"job {number}")
        for number in set(jobs) - set(done):
            check(client.call("GET", number) is not None, f"job {number} is there")

        # Space comes back: nothing is to be done.
        ballast.unlink()

        def pushes():
            try:
                return client.call("PUSH", "q", "k", PAYLOAD)
            except RespError as error:
                equal(error.word, "FULL", str(error))
                return None

        eventually(pushes, "pushes to be taken again")
        eventually(lambda: hob.http("GET", "/readyz")[0] == 200, "the server to be ready again")
        for _ in range(20):
            client.call("PUSH", "q", "k", PAYLOAD)
        equal(hob.stop(), 0)
        within(hob.hob("journal", "check", str(hob.data)), "good: ")


def test_a_disk_that_fills_under_a_pipeline_answers_each_push_and_all_others():
    """What was applied before the disk was known to be full still fits on it; nothing waits for space."""
    with rig(None) as hob, small_disk(hob):
        ballast = ballast_put(hob)
        hob.start("--segment", "4MiB")
        client = hob.resp()
        payload, count = os.urandom(100000), 300
        sender = threading.Thread(target=lambda: [client.send("PUSH", "q", "k", payload) for _ in range(count)])
        sender.start()
        jobs, refused = [], 0
        for _ in range(count):
            try:
                jobs.append(client.reply())
            except RespError as error:
                equal(error.word, "FULL", str(error))
                refused += 1
        sender.join()
        check(len(jobs) > 20, f"{len(jobs)} jobs had room")
        check(refused > 20, f"{refused} were refused")
        equal(hob.http("GET", "/livez")[0], 200)
        equal(client.call("PING"), b"PONG")
        for job in jobs[:20]:
            client.call("DELETE", job)
        ballast.unlink()
        eventually(lambda: hob.http("GET", "/readyz")[0] == 200, "the server to be ready again")
        client.call("PUSH", "q", "k", payload)
        for job in jobs[20:]:
            check(client.call("GET", job) is not None, f"job {job} is there")
        equal(hob.stop(), 0)
