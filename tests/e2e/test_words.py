# SPDX-License-Identifier: Apache-2.0
"""What somebody reads who is woken at night: warnings, refusals, and what they say to do."""
import pathlib
import socket
import subprocess

from lib import HOB, check, equal, eventually, rig, within


def serve(folder, *words):
    """`hob serve` that ends by itself."""
    return subprocess.run([HOB, "serve", *words], cwd=folder, capture_output=True, text=True, timeout=20)


def test_a_new_data_directory_is_told_and_one_that_is_there_is_not():
    with rig(None) as hob:
        hob.start()
        within(hob.server_log(), 'level=warn msg="there was no data directory: a new one is made')
        hob.kill()  # before statistics were ever written
        before = len(hob.server_log())
        hob.start()
        said = hob.server_log()[before:]
        check("level=warn" not in said, said)
        hob.hob("push", "q", "k")
        hob.kill()
        before = len(hob.server_log())
        hob.start()
        said = hob.server_log()[before:]
        within(said, "jobs are not touched")
        check("level=warn" not in said, said)


def test_what_serve_refuses_config_check_refuses_and_no_directory_is_made():
    with rig(None) as hob:
        hob.port = 1  # HOB_SERVER must be one
        file = pathlib.Path(hob.dir) / "hob.yaml"
        for config in ("server: {data: ld, listen: '0.0.0.0:0'}\n", "server: {data: ld, listen: 'nowhere'}\n"):
            file.write_text(config)
            done = serve(hob.dir, "--config", str(file))
            equal(done.returncode, 78, done.stderr)
            check(not (pathlib.Path(hob.dir) / "ld").exists(), "the directory was made")
            equal(hob.hob_done("config", "check", str(file)).returncode, 78, config)
        file.write_text("server: {data: ld, listen: '0.0.0.0:0'}\n")
        within(hob.hob("config", "check", str(file), code=78), "other machines could reach it")
        file.write_text("server: {data: ld, listen: '0.0.0.0:0', insecure: true}\n")
        hob.hob("config", "check", str(file))
        file.write_text("server:\n\tdata: ld\n")
        within(hob.hob("config", "check", str(file), code=78), "a tab; indent with spaces")
        file.write_text("worker: {labels: []}\n")
        hob.hob("config", "check", str(file))
        file.write_text("queues: {mail: {order: up}}\n")
        within(hob.hob("config", "check", str(file), code=78), "`up` is not it; wanted: fifo or lifo")


def test_too_few_descriptors_are_told_and_so_are_connections_that_were_refused():
    with rig(None) as hob:
        hob.start(prefix=("sh", "-c", 'ulimit -n 48; exec "$@"', "sh"))
        within(hob.server_log(), "the limit of open files allows fewer connections than configured")
        clients = [socket.create_connection(("127.0.0.1", hob.port)) for _ in range(60)]
        eventually(lambda: "connections were refused: more than the limit" in hob.server_log(), "the line", 15)
        for client in clients:
            client.close()
        eventually(lambda: hob.hob_done("push", "q", "k").returncode == 0, "a place")


def test_a_name_with_a_typo_is_told():
    with rig() as hob:
        within(hob.hob_done("pause", "typo").stderr, "paused; there was no such queue: it is made")
        check("made" not in hob.hob_done("pause", "typo").stderr, "it is there now")
        hob.hob("push", "q", "k")
        for words in (("ls",), ("export",), ("retry", "--yes")):
            done = hob.hob_done(words[0], "--queue", "tyops", *words[1:])
            equal((done.returncode, done.stdout), (0, ""), done.stderr)
            within(done.stderr, "there is no queue `tyops`")
        check("no queue" not in hob.hob_done("ls", "--queue", "typo").stderr, "it is there, and empty")
        said = hob.hob_done("delete", "--queue", "q", "--dry-run").stderr
        within(said, "without --state only these are looked at: completed,discarded,cancelled")
        for word, wanted in (("top", "hob queues -w"), ("drain", "hob pause QUEUE")):
            within(hob.hob(word, code=2), wanted)


def test_explain_names_what_opens_each_gate():
    with rig() as hob:
        app = hob.resp()
        app.call("LIMITER", "api", "CONCURRENCY", 1)
        job = str(app.call("PUSH", "c", "k", "1", "GROUP", "g", "LIMITERS", "api"))
        for words in (("c",), ("k", "--kind"), ("api", "--limiter"), ("g", "--group-of", "c")):
            hob.hob("pause", *words)
        told = hob.hob("explain", job, "-o", "table")
        for wanted in ("hob resume c", "hob resume k --kind", "hob resume api --limiter", "hob resume g --group-of c",
                       "kind:  hob workers"):
            within(told, f"{wanted}\n")
        done = hob.hob_done("explain", job)
        within(done.stderr, "available, queue c, kind k: the queue c is paused")
        within(done.stderr, "pause:  hob resume c\n")
        check("hob resume" not in done.stdout, "stdout is rows alone")


def test_each_line_on_stderr_is_one_write():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        words = [HOB, "get", "1", "--server", "127.0.0.1:1"]
        subprocess.run(words, stderr=theirs, stdout=subprocess.DEVNULL, check=False)
        theirs.close()
        ours.settimeout(5)
        said = ours.recv(65536).decode()
        check(said.startswith("hob: ") and said.endswith("\n"), said)


def test_a_worker_that_is_gone_says_so():
    with rig() as hob:
        hob.resp().call("FETCH", "w1", "QUEUES", "q")
        rows = hob.hob("workers", "-o", "table")
        within(rows, "w1")
        check("gone" not in rows, rows)


def test_a_backup_is_not_served_and_a_second_import_says_what_it_knows():
    with rig() as hob:
        for n in range(3):
            hob.hob("push", "q", "k", str(n))
        backup, copy = hob.dir / "backup", hob.dir / "copy"
        hob.hob("backup", str(hob.data), str(backup))
        done = serve(hob.dir, "--data", str(backup), "--listen", "127.0.0.1:0")
        equal(done.returncode, 78, done.stderr)
        within(done.stderr, f"{backup} is a backup: `hob restore {backup} NEW`")
        hob.hob("restore", str(backup), str(copy))
        check(not (copy / "BACKUP").exists(), "what is restored is no backup")
        jobs = hob.hob("export")
        hob.stop()
        hob.data = copy
        hob.start()
        first = hob.hob_done("import", stdin=jobs)
        again = hob.hob_done("import", stdin=jobs)
        equal(again.stdout, first.stdout, "ids")
        within(again.stderr, "hob: 3 of 3 were known already")
        check("known" not in first.stderr, first.stderr)


def test_a_list_of_queues_tells_what_else_holds_their_jobs():
    with rig() as hob:
        app = hob.resp()
        app.call("LIMITER", "api", "CONCURRENCY", 1)
        app.call("PUSH", "c", "k", "1", "GROUP", "g", "LIMITERS", "api")
        equal(hob.hob_done("queues").stderr, "", "nothing is stopped")
        for words in (("k", "--kind"), ("api", "--limiter"), ("g", "--group-of", "c")):
            hob.hob("pause", *words)
        said = hob.hob_done("queues").stderr
        within(said, "hob: kinds that are stopped: k (hob kinds)\n")
        within(said, "hob: limiters that are stopped: api (hob limiters --stopped)\n")
        within(said, "hob: groups that are stopped, of queue c: g (hob groups --stopped c)\n")
        for words in (("kinds",), ("limiters", "--stopped"), ("groups", "--stopped", "c")):
            equal(len(hob.hob(*words, "-q").splitlines()), 1, words)
        equal(hob.hob_done("queues", "--json").stderr, "")
