# SPDX-License-Identifier: Apache-2.0
"""A worker says which jobs it holds: what it does not know, since the reply that told of it was lost or it began anew,
is run again at once."""
import socket
import threading
import time

from lib import check, equal, eventually, pairs, rig, within


def push(hob, count, queue="work"):
    client = hob.resp()
    return [client.call("PUSH", queue, "k", f"p{n}") for n in range(count)]


def last_error(hob, job):
    return pairs(hob.job(job)["errors"][-1])


def test_what_a_beat_does_not_name_is_run_again_at_once():
    with rig() as hob:
        lost, held = push(hob, 2)
        app = hob.resp()
        app.call("WORKER", "w")
        jobs = app.call("FETCH", "w", "COUNT", 2, "QUEUES", "work")
        equal(app.call("BEAT", "w", "HOLDS", jobs[1][0], jobs[1][1]), b"OK")
        equal((hob.state(lost), hob.state(held)), ("running", "running"), "young leases are spared")
        equal(app.call("BEAT", "w", 60000, "GRACE", 0, "HOLDS", jobs[1][0], jobs[1][1]), b"OK")
        equal((hob.state(lost), hob.state(held)), ("available", "running"))
        error = last_error(hob, lost)
        equal((error[b"cause"], error[b"text"]), (b"lost", b"its worker says that it does not hold this job"))
        equal(app.error("ACK", jobs[0][0], jobs[0][1]).word, "STALE")
        again = app.call("FETCH", "w", "QUEUES", "work")
        equal((int(again[0][0]), int(again[0][4])), (lost, 2), "it says that it comes again")
        equal(app.call("ACK", jobs[1][0], jobs[1][1]), b"OK")
        equal(app.call("BEAT", "w", "GRACE", 0, "HOLDS"), b"OK")
        equal(hob.state(lost), "available")
        for words in (("HOLDS", 1), ("GRACE", 5), ("HOLDS", "x", "y"), ("GRACE", "x", "HOLDS"), (5, 6), ("HOLD", 1, 2)):
            equal(app.error("BEAT", "w", *words).word, "BADARG", words)


def test_a_beat_over_http_names_them_too():
    with rig() as hob:
        lost, held = push(hob, 2)
        jobs = hob.http("POST", "/v1/fetch", {"worker": "w", "queues": ["work"], "count": 2})[2]["jobs"]
        holds = [{"id": jobs[1]["id"], "token": jobs[1]["token"]}]
        equal(hob.http("POST", "/v1/workers/w/beat", {"holds": holds})[2]["running"], 2)
        equal(hob.http("POST", "/v1/workers/w/beat", {"holds": holds, "grace": "0s"})[0], 200)
        equal((hob.state(lost), hob.state(held)), ("available", "running"))
        for wrong in ({"holds": 1}, {"holds": [1]}, {"holds": [{"id": 1}]}, {"holds": [{"id": 1, "token": 2, "x": 3}]},
                      {"grace": "-1s"}, {"hold": []}):
            equal(hob.http("POST", "/v1/workers/w/beat", wrong)[0], 400, wrong)


def test_a_token_ends_only_leases_of_its_own_queues():
    with rig() as hob:
        mine, foreign = push(hob, 1, "mail")[0], push(hob, 1, "bank")[0]
        equal(len(hob.resp().call("FETCH", "w", "COUNT", 2, "QUEUES", "mail", "bank")), 2)
        root = hob.hob("token", "create", "root", "--scope", "admin").strip()
        app = hob.resp()
        app.call("AUTH", root)
        token = app.call("TOKEN", "CREATE", "mailer", "SCOPE", "work", "QUEUE", "mail")
        worker = hob.resp()
        worker.call("AUTH", token)
        equal(worker.call("BEAT", "w", "GRACE", 0, "HOLDS"), b"OK")
        states = {job: pairs(app.call("GET", job))[b"state"] for job in (mine, foreign)}
        equal(states, {mine: b"available", foreign: b"running"})


def test_a_name_is_fresh_when_nobody_who_lives_has_it():
    with rig() as hob:
        app = hob.resp()
        equal(app.call("WORKER", "w", "FRESH", "SLOTS", 2), b"OK")
        equal(app.error("WORKER", "w", "FRESH").word, "EXISTS")
        equal(app.call("WORKER", "w", "SLOTS", 3), b"OK")
        equal(hob.http("PUT", "/v1/workers/w", {"fresh": True})[0], 409)
        equal(hob.http("PUT", "/v1/workers/v", {"fresh": True, "slots": 1})[0], 200)
        first = hob.work({"k": ["/bin/true"]}, name="steady")
        eventually(lambda: "worker=steady " in hob.worker_log(), "the first worker")
        first.kill()
        first.wait()
        hob.work({"k": ["/bin/true"]}, name="steady", wait=False)
        eventually(lambda: "worker=steady.2 " in hob.worker_log(), "the second life of it")


class Swallower:
    """Stands before a server. The first reply that holds `word` is lost, and its connection with it."""

    def __init__(self, port, word):
        self.port, self.word, self.swallowed = port, word, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                inner = self.listener.accept()[0]
                outer = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            for one, other, is_reply in ((inner, outer, False), (outer, inner, True)):
                threading.Thread(target=self.copy, args=(one, other, is_reply), daemon=True).start()

    def copy(self, one, other, is_reply):
        try:
            while data := one.recv(65536):
                if is_reply and self.word in data and not self.swallowed.is_set():
                    self.swallowed.set()
                    break
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_hob_work_runs_a_job_again_whose_reply_was_lost():
    with rig() as hob:
        proxy = Swallower(hob.port, b"the-lost-one")
        program = hob.script("k", "#!/bin/sh\nexec cat\n")
        gate = hob.dir / "gate"
        slow = hob.script("slow", f"#!/bin/sh\nwhile [ ! -e {gate} ]; do sleep 0.05; done\n")
        hob.work({"k": [program], "slow": [slow]}, server=f"127.0.0.1:{proxy.listener.getsockname()[1]}")
        client = hob.resp()
        keeps = client.call("PUSH", "work", "slow", "{}")
        hob.until(keeps, "running")
        job = client.call("PUSH", "work", "k", "the-lost-one")
        began = time.monotonic()
        check(proxy.swallowed.wait(20), "a reply was lost")
        hob.until(job, "completed")
        took = time.monotonic() - began
        check(took < 5, f"it waited for the end of its lease: {took:.1f} s")
        view = hob.job(job)
        equal((view["attempt"], pairs(view["errors"][0])[b"cause"]), (2, b"lost"))
        equal(hob.state(keeps), "running", "the job that it held is left alone")
        within(pairs(view["errors"][0])[b"text"].decode(), "does not hold this job")
        gate.touch()
        hob.until(keeps, "completed")
        proxy.listener.close()
