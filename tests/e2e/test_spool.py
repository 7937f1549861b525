# SPDX-License-Identifier: Apache-2.0
"""Pushes while the server is away: spooled or tried again, and there exactly once afterwards."""
import json
import socket
import threading

from lib import check, equal, pairs, rig, within


def jobs(hob):
    """The payloads of all jobs, oldest first."""
    client = hob.resp()
    _, listed = client.call("LS", "COUNT", 1000)
    ids = sorted(int(pairs(job)[b"id"]) for job in listed)
    return [pairs(client.call("GET", job))[b"payload"] for job in ids]


def test_pushes_while_the_server_is_away_arrive_once_and_in_order():
    with rig() as hob:
        spool = str(hob.dir / "spool")
        equal(hob.hob("push", "q", "k", "0", "--spool", spool).strip(), "1", "a push with a server")
        hob.stop()
        for n in range(1, 6):
            done = hob.hob_done("push", "q", "k", str(n), "--spool", spool)
            equal((done.returncode, done.stdout), (0, ""), done.stderr)
            within(done.stderr, "the server is away")
        equal(hob.hob_done("spool", spool).returncode, 4, "exit code of a spool without a server")
        hob.start()
        equal(hob.hob("push", "q", "k", "6", "--spool", spool).strip(), "7", "the id behind the spooled ones")
        equal(jobs(hob), [b"0", b"1", b"2", b"3", b"4", b"5", b"6"])
        equal(hob.hob("spool", spool).strip(), "0 sent")


def test_spooled_times_are_those_of_the_push_and_refused_ones_are_put_aside():
    with rig() as hob:
        spool = str(hob.dir / "spool")
        hob.stop()
        hob.hob("push", "q", "k", "late", "--spool", spool, "--delay", "1h")
        hob.hob("push", "q", "k", "bad", "--spool", spool, "--attempts", "0")
        hob.hob("push", "q", "k", "good", "--spool", spool)
        hob.start()
        said = hob.hob("spool", spool, code=1)
        within(said, "BADARG")
        equal(len(list((hob.dir / "spool").glob("*.refused"))), 1, "files put aside")
        equal(jobs(hob), [b"late", b"good"])
        late = hob.job(1)
        waits = int(late["run_at"]) - int(late["created_at"])
        check(0 < waits < 3600_000, f"the hour began when it arrived, not when it was pushed: {waits}")
        equal(json.loads(hob.hob("spool", spool, "--json")), {"sent": 0, "refused": 0, "waiting": 0})


class Cutter(threading.Thread):
    """Between a client and a server: what the client says goes through; the first answers do not, and it hangs up."""

    def __init__(self, port, cuts):
        super().__init__(daemon=True)
        self.to, self.cuts, self.pushes = port, cuts, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.answers, args=(server, client), daemon=True).start()
            self.requests(client, server)

    def requests(self, client, server):
        try:
            while data := client.recv(65536):
                self.pushes += b"PUSH" in data
                server.sendall(data)
        except OSError:
            pass
        server.close()

    def answers(self, server, client):
        try:
            while data := server.recv(65536):
                if self.pushes > 0 and self.cuts > 0:
                    self.cuts -= 1
                    break
                client.sendall(data)
        except OSError:
            pass
        for end in (server, client):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_a_push_whose_answers_are_lost_is_sent_again_and_is_one_job():
    with rig() as hob:
        cutter = Cutter(hob.port, 3)
        cutter.start()
        out = hob.hob("push", "q", "k", "once", "--retry", "30s", "--server", f"127.0.0.1:{cutter.port}")
        cutter.listener.close()
        equal((out.strip(), cutter.cuts), ("1", 0), "the id, and cuts left")
        check(cutter.pushes >= 2, f"it was sent {cutter.pushes} times")
        equal(jobs(hob), [b"once"])


def test_a_spooled_push_whose_answer_was_lost_is_one_job():
    with rig() as hob:
        spool = str(hob.dir / "spool")
        cutter = Cutter(hob.port, 1)
        cutter.start()
        done = hob.hob_done("push", "q", "k", "once", "--spool", spool, "--server", f"127.0.0.1:{cutter.port}")
        equal((done.returncode, done.stdout), (0, ""), done.stderr)
        equal(jobs(hob), [b"once"], "the answer alone was lost")
        equal(hob.hob("spool", spool).strip(), "1 sent")
        equal(jobs(hob), [b"once"])
        cutter.listener.close()


def lines(first, last, **fields):
    return "".join(json.dumps({"queue": "q", "kind": "k", "payload": n, **fields}) + "\n" for n in range(first, last))


def test_many_lines_while_the_server_is_away_arrive_once_and_in_order():
    with rig() as hob:
        spool = str(hob.dir / "spool")
        ids = hob.hob("push", "-", "--spool", spool, stdin=lines(0, 300)).split()
        equal(ids, [str(n) for n in range(1, 301)], "ids with a server")
        hob.stop()
        done = hob.hob_done("push", "-", "--spool", spool, stdin=lines(300, 600) + "no json\n")
        equal((done.returncode, done.stdout), (1, ""), done.stderr)
        within(done.stderr, "line 301: ")
        within(done.stderr, f"300 pushes wait in {spool}: the server is away")
        hob.start()
        out = hob.hob("push", "-", "--spool", spool, stdin=lines(600, 610)).split()
        equal(out, [str(n) for n in range(601, 611)], "the ids behind the spooled ones")
        equal(jobs(hob), [str(n).encode() for n in range(610)])
        within(hob.hob("push", "-", "--atomic", "--spool", spool, stdin=lines(0, 1), code=2), "--atomic")


def test_lines_whose_answers_are_lost_are_sent_again_and_are_one_job_each():
    with rig() as hob:
        cutter = Cutter(hob.port, 3)
        cutter.start()
        out = hob.hob("push", "-", "--retry", "30s", "--server", f"127.0.0.1:{cutter.port}", stdin=lines(0, 400))
        cutter.listener.close()
        equal((len(out.split()), cutter.cuts), (400, 0), "ids, and cuts left")
        equal(jobs(hob), [str(n).encode() for n in range(400)])


def test_lines_wait_for_a_server_that_comes_back():
    with rig() as hob:
        hob.stop()
        back = threading.Timer(0.5, hob.start)
        back.start()
        out = hob.hob("push", "-", "--retry", "30s", stdin=lines(0, 20, delay="1h", key=None))
        back.join()
        equal(out.split(), [str(n) for n in range(1, 21)])
        waits = int(hob.job(1)["run_at"]) - int(hob.job(1)["created_at"])
        check(0 < waits <= 3600_000, f"the hour began when it was pushed: {waits}")
        said = hob.hob("push", "-", "--retry", "1s", "--server", "127.0.0.1:1", stdin=lines(0, 2), code=4)
        within(said, "lines 1 to 2 may or may not have been pushed")


def test_lines_that_a_full_queue_refuses_wait_in_the_spool():
    with rig() as hob:
        spool = str(hob.dir / "spool")
        hob.resp().call("QUEUE", "q", "LENGTH", 3)
        done = hob.hob_done("push", "-", "--spool", spool, stdin=lines(0, 5))
        equal((done.returncode, done.stdout.split()), (0, ["1", "2", "3"]), done.stderr)
        within(done.stderr, f"2 pushes wait in {spool}: queue q is full")
        hob.resp().call("QUEUE", "q", "LENGTH", 0)
        equal(hob.hob("spool", spool).strip(), "2 sent")
        equal(jobs(hob), [b"0", b"1", b"2", b"3", b"4"])


def test_a_full_queue_holds_up_no_other_one():
    with rig() as hob:
        spool = str(hob.dir / "spool")
        client = hob.resp()
        client.call("QUEUE", "mail", "LENGTH", 1)
        equal(hob.hob("push", "mail", "k", "0", "--spool", spool).strip(), "1")
        for n in (1, 2):
            done = hob.hob_done("push", "mail", "k", str(n), "--spool", spool)
            equal((done.returncode, done.stdout), (0, ""), done.stderr)
            within(done.stderr, f"queue mail is full: the push waits in {spool}")
        equal(hob.hob("push", "w", "k", "3", "--spool", spool).strip(), "2", "a push of another queue")
        hob.stop()
        hob.hob("push", "w", "k", "4", "--spool", spool)
        hob.start()
        done = hob.hob_done("spool", spool)
        equal((done.returncode, done.stdout), (75, "1 sent, 2 waiting\n"), done.stderr)
        within(done.stderr, "queue mail is full")
        mixed = "".join(lines(n, n + 1, queue=queue) for n, queue in ((5, "w"), (6, "mail"), (7, "w")))
        done = hob.hob_done("push", "-", "--spool", spool, stdin=mixed)
        equal((done.returncode, len(done.stdout.split())), (0, 2), done.stderr)
        within(done.stderr, "1 push waits")
        hob.resp().call("QUEUE", "mail", "LENGTH", 0)
        equal(hob.hob("spool", spool).strip(), "3 sent")
        listed = hob.resp().call("LS", "QUEUE", "mail", "COUNT", 10)[1]
        ids = sorted(int(pairs(job)[b"id"]) for job in listed)
        got = [pairs(hob.resp().call("GET", job))[b"payload"] for job in ids]
        equal(got, [b"0", b"1", b"2", b"6"], "in their order")


def test_what_is_no_name_does_not_go_into_a_spool_and_a_spool_is_not_made_to_be_sent():
    with rig() as hob:
        spool = str(hob.dir / "spool")
        said = hob.hob("push", "bad queue", "k", "--spool", spool, code=2)
        within(said, "`bad queue`: the name of a queue")
        within(hob.hob("push", "q", "-", "--spool", spool, code=2), "kind")
        said = hob.hob("push", "-", "--spool", spool, stdin='{"queue":"bad queue","kind":"k"}\n', code=1)
        within(said, "line 1: `bad queue`")
        equal(list((hob.dir / "spool").glob("*.push")), [], "what waits")
        within(hob.hob("spool", str(hob.dir / "nosuchdir"), code=3), "there is no spool")
        check(not (hob.dir / "nosuchdir").exists(), "it was made")


def test_a_lost_answer_of_a_push_is_told_as_that():
    with rig() as hob:
        for more, wanted in (((), "look with `hob ls`"), (("--key", "mine"), "with --key mine, and it is one job")):
            cutter = Cutter(hob.port, 1)
            cutter.start()
            said = hob.hob("push", "q", "k", "1", *more, "--server", f"127.0.0.1:{cutter.port}", code=4)
            cutter.listener.close()
            within(said, "it is not known whether it was done")
            within(said, "it may have been pushed: ")
            within(said, wanted)
        said = hob.hob("push", "q", "k", "3", "--server", "127.0.0.1:1", code=4)
        check("may have been" not in said, said)
