# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of the work: what was acknowledged is there, and nothing acknowledged is undone."""
import random
import threading

from lib import Resp, RespError, check, equal, pairs, rig

JOBS = 10000
CLIENTS = 8


class Pusher(threading.Thread):
    """Pushes its share; remembers what the server acknowledged."""

    def __init__(self, port, number, share):
        super().__init__()
        self.port, self.number, self.share = port, number, share
        self.acknowledged = {}  # id -> (queue, payload, delayed)

    def run(self):
        try:
            client = Resp(self.port)
            for n in range(self.share):
                payload = f"{self.number}-{n}".encode() + b"x" * (400 if n % 10 == 0 else 0)
                queue = f"q{n % 3}"
                delayed = n % 7 == 0
                option = ("DELAY", 3600_000) if delayed else ()
                job = client.call("PUSH", queue, "k", payload, *option)
                self.acknowledged[job] = (queue, payload, delayed)
        except (OSError, ConnectionError):
            pass  # the server was killed: what follows is not acknowledged


class Acker(threading.Thread):
    """Fetches, and acks, fails or keeps; remembers what the server acknowledged."""

    def __init__(self, port, number):
        super().__init__()
        self.port, self.number = port, number
        self.acked, self.failed, self.held = set(), set(), {}

    def run(self):
        chance = random.Random(self.number)
        try:
            client = Resp(self.port)
            while True:
                jobs = client.call("FETCH", f"w{self.number}", "COUNT", 4, "WAIT", 2000, "QUEUES", "q0", "q1", "q2")
                for job in jobs:
                    number, token = int(job[0]), job[1]
                    self.held[number] = token
                    draw = chance.random()
                    if draw < 0.7:
                        client.call("ACK", number, token, b"r%d" % number)
                        self.acked.add(number)
                        del self.held[number]
                    elif draw < 0.9:
                        client.call("FAIL", number, token, "on purpose", "RETRYIN", 3600_000)
                        self.failed.add(number)
                        del self.held[number]
        except (OSError, ConnectionError):
            pass


def inspect(hob, pushers, ackers, client):
    """Everything acknowledged is as it was acknowledged."""
    count = {"pushed": 0, "acked": 0, "failed": 0}
    pushed = {job: what for pusher in pushers for job, what in pusher.acknowledged.items()}
    acked = set().union(*[acker.acked for acker in ackers])
    failed = set().union(*[acker.failed for acker in ackers])
    for job, (queue, payload, delayed) in pushed.items():
        got = client.call("GET", job)
        check(got is not None, f"job {job} was acknowledged and is lost")
        view = {key.decode(): value for key, value in pairs(got).items()}
        equal((view["queue"].decode(), view["payload"]), (queue, payload), f"job {job}")
        state = view["state"].decode()
        if job in acked:
            equal((state, view["result"]), ("completed", b"r%d" % job), f"acked job {job}")
            count["acked"] += 1
        elif job in failed:
            equal((state, int(view["attempt"])), ("retryable", 1), f"failed job {job}")
            check(int(view["run_at"]) > int(view["created_at"]), f"job {job} lost its time")
            count["failed"] += 1
        elif delayed:
            equal(state, "scheduled", f"delayed job {job}")
            check(int(view["run_at"]) - int(view["created_at"]) == 3600_000, f"job {job} lost its delay")
        else:
            check(state in ("available", "running", "completed", "retryable"), f"job {job} is {state}")
        count["pushed"] += 1
    return count


def test_kill_9_in_the_middle_of_10000_pushes_and_acks_loses_nothing():
    with rig() as hob:
        pushers = [Pusher(hob.port, n, JOBS // CLIENTS) for n in range(CLIENTS)]
        ackers = [Acker(hob.port, n) for n in range(4)]
        for thread in pushers + ackers:
            thread.start()
        while sum(len(pusher.acknowledged) for pusher in pushers) < JOBS // 2:
            pushers[0].join(0.005)
        hob.kill()
        for thread in pushers + ackers:
            thread.join()
        hob.start()
        client = hob.resp()
        count = inspect(hob, pushers, ackers, client)
        check(JOBS // 2 <= count["pushed"] < JOBS, f"the kill was not in the middle: {count}")
        check(count["acked"] > 100 and count["failed"] > 20, f"too little was acknowledged: {count}")
        for acker in ackers:  # a lease outlives the crash: its token is still good
            for job, token in list(acker.held.items())[:1]:
                try:
                    client.call("ACK", job, token, b"late")
                except RespError as error:
                    equal(error.word, "STALE", "the answer to an ack whose lease was not acknowledged")
        print(count)


def test_ten_kills_in_a_row_and_ids_and_tokens_are_never_used_again():
    with rig() as hob:
        seen, tokens = set(), set()
        for _ in range(10):
            client = hob.resp()
            for n in range(50):
                job = client.call("PUSH", "q", "k", n)
                check(job not in seen, f"id {job} was given twice")
                seen.add(job)
            for got in client.call("FETCH", "w", "COUNT", 20, "QUEUES", "q"):
                check(got[1] not in tokens, f"token {got[1]} was given twice")
                tokens.add(got[1])
                client.call("ACK", got[0], got[1])
            hob.kill()
            hob.start()
        stats = pairs(hob.resp().call("STATS"))
        equal((int(stats[b"completed"]), int(stats[b"available"])), (200, 300))


def test_a_graceful_stop_answers_waits_and_a_restart_goes_on():
    with rig() as hob:
        client = hob.resp()
        client.send("FETCH", "w", "WAIT", 60000, "QUEUES", "q")
        other = hob.resp()
        job = other.call("PUSH", "later", "k", "p", "DELAY", 500)
        equal(hob.stop(), 0, "exit code")
        try:
            equal(client.reply(), [], "the answer to a wait that the stop ended")
        except ConnectionError:
            raise AssertionError("a waiting fetch was cut off instead of answered") from None
        hob.start()
        got = hob.resp().call("FETCH", "w", "WAIT", 10000, "QUEUES", "later")
        equal(int(got[0][0]), job)
