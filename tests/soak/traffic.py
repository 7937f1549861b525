#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tests/soak/traffic.py PORT RECEIVER-PORT: everything that clients do to a server, at a modest and steady pace, until
stdin ends: connections that come and go, fetches that wait, jobs that fail, wait, are grouped, limited, unique, listed,
called back, looked at, changed and deleted. What is refused because a limit says so is no fault; anything else is
counted, and told as one line of JSON at the end."""
import collections
import http.client
import json
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from lib import Resp, RespError, pairs  # noqa: E402

BACKLOG = 3000  # jobs that are there; above, nobody pushes until they are fewer
QUEUES = ("mixed", "slow", "grouped", "ordered")
REFUSALS = {"STALE", "LEASEOVER", "NOJOB", "STATE", "NOSLOT", "UNIQUE", "QUEUEFULL", "LIMIT", "CHANGED"}


class Traffic:
    def __init__(self, port, receiver):
        self.port, self.receiver = port, receiver
        self.stopped = threading.Event()
        self.is_full = False
        self.counts = collections.Counter()
        self.faults = []
        self.number = 0

    def run(self):
        roles = [(self.pusher, 2), (self.lister, 1), (self.worker, 4), (self.leaver, 1), (self.web, 2),
                 (self.looker, 1), (self.waiter, 2), (self.listener, 1), (self.streamer, 1), (self.deaf, 1),
                 (self.person, 1), (self.web_worker, 1)]
        threads = [threading.Thread(target=self.role, args=(role, number), daemon=True)
                   for role, count in roles for number in range(count)]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        self.stopped.set()
        for thread in threads:
            thread.join(20)
        stuck = [thread.name for thread in threads if thread.is_alive()]
        print(json.dumps({"counts": self.counts, "faults": self.faults[:20], "stuck": stuck,
                          "roles": [role.__name__ for role, _ in roles]}), flush=True)

    def role(self, role, number):
        """Round after round; each with connections of its own, which are closed at its end."""
        dice = random.Random(f"{role.__name__}-{number}")
        while not self.stopped.is_set():
            clients = []
            try:
                role(dice, clients)
                self.counts[role.__name__] += 1
            except RespError as error:
                if error.word not in REFUSALS:
                    self.fault(role, error)
            except Exception as error:  # a fault ends the round, not the soak
                if not self.stopped.is_set():
                    self.fault(role, error)
                    time.sleep(0.2)
            finally:
                for client in clients:
                    client.close()

    def fault(self, role, error):
        self.faults.append(f"{role.__name__}: {type(error).__name__}: {error}")

    def resp(self, clients, proto=2):
        client = Resp(self.port, proto)
        clients.append(client)
        return client

    def http(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            if body is not None:
                body = body if isinstance(body, (str, bytes)) else json.dumps(body)
                headers.setdefault("Content_Type", "application/json")
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            data = response.read()
            if response.status not in (200, 202, 204, 404, 409, 412, 429):
                raise AssertionError(f"{method} {path}: {response.status} {data[:300]}")
            return response.status, data
        finally:
            connection.close()

    def next(self):
        self.number += 1
        return self.number

    def pause(self, seconds):
        self.stopped.wait(seconds)
        while self.is_full and not self.stopped.wait(0.05):
            pass

    # Those who push.

    def options(self, dice):
        """What is said about a job, of every sort."""
        n = self.next()
        sorts = [
            ("mixed", []),
            ("mixed", ["DELAY", dice.randrange(2000), "PRIORITY", dice.randrange(5)]),
            ("mixed", ["KEY", f"key-{n}", "REF", f"ref-{n}", "TAGS", "a,b", "HEADERS", '{"x":"y"}']),
            ("mixed", ["UNIQUE", f"u-{n % 50}", "ONCONFLICT", "replace"]),
            ("mixed", ["UNIQUE", f"t-{n}", "UNIQUESCOPE", "time", "UNIQUEFOR", 3000]),
            ("mixed", ["UNIQUE", f"d-{n % 20}", "DEBOUNCE", 200, "MAXWAIT", 1000]),
            ("mixed", ["UNIQUE", f"m-{n % 20}", "MERGE", "append", "DELAY", 300]),
            ("slow", ["ATTEMPTS", 3, "BACKOFF", "fixed:100ms", "EXPIRESIN", 20000]),
            ("slow", ["DEADLINEIN", 5000, "MARGIN", 100]),
            ("grouped", ["GROUP", f"tenant-{n % 300}-{n // 30000}"]),
            ("grouped", ["GROUP", f"tenant-{n % 10}", "FRONT"]),
            ("ordered", ["GROUP", f"line-{n % 20}"]),
            ("mixed", ["LIMITERS", f"host-{n % 40}-{n // 30000},soak"]),
            ("mixed", ["NEEDS", "gpu", "COST", 2]),
            ("mixed", ["ONDONE", json.dumps({"success": {"push": {"queue": "mixed", "kind": "after"}}})]),
            ("mixed", ["ONDONE", json.dumps({"finished": {"url": f"http://127.0.0.1:{self.receiver}/ok"}})])
            if n % 8 == 0 else ("mixed", []),
        ]
        return sorts[dice.randrange(len(sorts))]

    def pusher(self, dice, clients):
        client = self.resp(clients, dice.choice((2, 3)))
        for _ in range(dice.randrange(1, 60)):
            queue, options = self.options(dice)
            payload = b"x" * int(10 ** dice.uniform(1, 3.7 if dice.random() < 0.98 else 5))
            if "MERGE" in options:
                payload = b"[1]"
            client.call("PUSH", queue, f"kind{dice.randrange(6)}", payload, *options)
            self.pause(0.02)
            if self.stopped.is_set():
                return

    def lister(self, dice, clients):
        client = self.resp(clients)
        jobs = [word for _ in range(20) for word in ("mixed", "listed", b"l" * 200, 0)]
        client.call("MPUSH", *(["ATOMIC"] if dice.random() < 0.5 else []), "SPREAD", 1000, 20, *jobs)
        self.pause(0.6)

    def web(self, dice, clients):
        n = self.next()
        _, data = self.http("POST", "/v1/jobs", {"queue": "mixed", "kind": "web", "payload": {"n": n}, "tags": ["t"]},
                            **({"Prefer": "wait=1"} if dice.random() < 0.2 else {"Idempotency_Key": f"web-{n}"}))
        job = json.loads(data)["id"]
        for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/explain", "/v1/jobs?limit=20&queue=mixed", "/v1/queues"):
            self.http("GET", path)
        if dice.random() < 0.2:
            self.http("PATCH", f"/v1/jobs/{job}", {"priority": 7})
        if dice.random() < 0.1:
            self.http("POST", f"/v1/jobs/{job}/cancel", {"by": "soak", "why": "it can"})
        if dice.random() < 0.1:
            lines = "".join(json.dumps({"queue": "mixed", "kind": "line", "payload": i}) + "\n" for i in range(10))
            self.http("POST", "/v1/jobs", lines, Content_Type="application/x-ndjson")
        self.pause(0.15)

    # Those who work.

    def finish(self, client, dice, job, token):
        luck = dice.random()
        if luck < 0.05:
            client.call("LOG", job, token, "LINES", "a line", "another line of the log")
            client.call("PROGRESS", job, token, 50, "half")
            client.call("CHECKPOINT", job, token, b"c" * 300)
            client.call("EXTEND", job, token)
        if luck < 0.80:
            client.call("ACK", job, token, b"r" * dice.randrange(1, 400))
        elif luck < 0.92:
            client.call("FAIL", job, token, "it went wrong", "WHAT", "Error", "RETRYIN", dice.randrange(1, 1500))
        elif luck < 0.94:
            client.call("FAIL", job, token, "for good", "PERMANENT", "BACKTRACE", "at a\nat b\n")
        elif luck < 0.99:
            client.call("RELEASE", job, token, "DELAY", dice.randrange(200))
        # else it is kept, and must be rescued

    def worker(self, dice, clients):
        client = self.resp(clients)
        name = f"soak-{dice.randrange(40)}"
        client.call("WORKER", name, "SLOTS", 20, "LABELS", "gpu")
        for _ in range(dice.randrange(1, 40)):
            same = ["SAME", "group"] if dice.random() < 0.2 else []
            jobs = client.call("FETCH", name, "COUNT", dice.randrange(1, 8), "WAIT", 300, "LEASE", 2000, *same,
                               "QUEUES", "mixed", "slow", "grouped*", "ordered")
            if dice.random() < 0.1:
                holds = [word for job in jobs for word in job[:2]]
                client.call("BEAT", name, 2000, "GRACE", 1000, "HOLDS", *holds)
            for job in jobs:
                try:
                    self.finish(client, dice, job[0], job[1])
                except RespError as error:
                    if error.word not in REFUSALS:
                        raise
            if self.stopped.is_set():
                return

    def web_worker(self, dice, clients):
        _, data = self.http("POST", "/v1/fetch", {"worker": "web-worker", "queues": ["mixed"], "count": 5,
                                                  "wait": "200ms", "lease": "2s"})
        for job in json.loads(data)["jobs"]:
            self.http("POST", f"/v1/jobs/{job['id']}/ack", {"token": job["token"], "result": {"ok": True}})
        self.stopped.wait(0.1)

    def leaver(self, dice, clients):
        """Goes away while its fetch waits, or with jobs in its hands."""
        client = self.resp(clients)
        client.send("FETCH", f"leaver-{dice.randrange(20)}", "WAIT", 5000, "LEASE", 1000, "QUEUES",
                    dice.choice(("mixed", "nothing-there")))
        self.stopped.wait(dice.uniform(0, 0.3))

    # Those who look on.

    def waiter(self, dice, clients):
        client = self.resp(clients)
        job = client.call("PUSH", "mixed", "waited", b"w")
        client.call("GET", job, "WAIT", 1000)
        self.pause(0.2)

    def looker(self, dice, clients):
        client = self.resp(clients)
        stats = pairs(client.call("STATS"))
        waits = sum(stats[word] for word in (b"available", b"scheduled", b"retryable", b"running", b"blocked"))
        self.is_full = waits > BACKLOG
        calls = [("LS", "COUNT", 50), ("LS", "STATE", "completed", "TAG", "a"), ("QUEUES",), ("WORKERS",),
                 ("LIMITERS",), ("GROUPS", "grouped"), ("NEXT", "mixed", "COUNT", 20), ("SEARCH", "TEXT", "wrong"),
                 ("KINDS",),
                 ("STATS", "QUEUE", "mixed", "SERIES"), ("STATS", "KIND", "kind1"), ("UNSERVED",), ("INFO",)]
        client.call(*calls[dice.randrange(len(calls))])
        self.http("GET", "/metrics")
        self.stopped.wait(0.25)

    def listener(self, dice, clients):
        client = self.resp(clients, 3)
        client.send("SUBSCRIBE", "hob:events", "hob:queue:mixed")
        client.socket.settimeout(10)  # at the end nobody is left of whom there were something to hear
        for _ in range(200):
            client.read_push()
            if self.stopped.is_set():
                return

    def streamer(self, dice, clients):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        clients.append(connection)
        connection.request("GET", "/v1/events?type=state")
        response = connection.getresponse()
        for _ in range(200):
            response.readline()
            if self.stopped.is_set():
                return

    def deaf(self, dice, clients):
        """Asks for events and reads none: the server must let go of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        clients.append(connection)
        connection.request("GET", "/v1/events")
        self.stopped.wait(3)

    def person(self, dice, clients):
        client = self.resp(clients)
        word = dice.choice(("queue", "limiter", "kind", "retry", "delete", "worker"))
        if word == "queue":
            client.call("PAUSE", "slow", "FOR", 300, "BY", "soak")
            self.stopped.wait(0.2)
            client.call("RESUME", "slow")
        elif word == "limiter":
            client.call("LIMITER", "soak", "CONCURRENCY", 20 + dice.randrange(10), "RATE", "500/1s")
        elif word == "kind":
            client.call("PAUSE", "kind1", "KIND", "FOR", 200)
        elif word == "worker":
            client.call("WORKER", f"visitor-{self.next() % 100}", "KINDS", 2, "kind1", f"kind{self.next() % 100 + 10}")
        else:
            _, rows = client.call("LS", "STATE", "discarded", "COUNT", 5)
            for row in rows:
                job = pairs(row)[b"id"]
                client.call("RETRY" if word == "retry" else "DELETE", job)
        self.stopped.wait(0.5)


if __name__ == "__main__":
    Traffic(int(sys.argv[1]), int(sys.argv[2])).run()
