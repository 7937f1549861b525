# SPDX-License-Identifier: Apache-2.0
"""The data on the disk without its server, and beside it: check, dump, salvage, backup and restore."""
import json
import pathlib
import threading

from lib import Resp, check, equal, pairs, rig, within

FIRST = "00000000000000000001.seg"


def push(hob, count, size=300):
    client = hob.resp()
    texts = [b"%d-" % n + b"x" * (size if n % 2 else 5) for n in range(count)]
    return [client.call("PUSH", f"q{n % 3}", "k", text) for n, text in enumerate(texts)]


def payload(hob, job):
    return pairs(hob.resp().call("GET", job))[b"payload"]


def finish(hob, count):
    client = hob.resp()
    for _ in range(count):
        job = client.call("FETCH", "w", "QUEUES", "q0")[0]
        client.call("ACK", job[0], job[1], b"done " + b"r" * 500)


def damage(hob, at, new=b"\xff" * 16):
    path = hob.data / FIRST
    data = bytearray(path.read_bytes())
    check(data[at:at + len(new)] != new, "the damage changes something")
    data[at:at + len(new)] = new
    path.write_bytes(data)


def test_a_check_tells_of_the_damage_that_a_start_refuses():
    with rig() as hob:
        push(hob, 200)
        within(hob.hob("journal", "check", str(hob.data)), "good: 200 jobs")  # the server is running
        hob.stop()
        before = json.loads(hob.hob("journal", "check", str(hob.data), "--json"))
        equal((before["jobs"], before["damages"], before["torn_bytes"]), (200, 0, 0))
        damage(hob, 9000)
        files = {path.name: path.read_bytes() for path in hob.data.iterdir()}
        told = hob.hob("journal", "check", str(hob.data), code=65)
        within(told, FIRST + ", byte ")
        within(told, "batches lost: 1")
        within(told, "hob journal salvage")
        refused = hob.hob("serve", "--data", str(hob.data), "--listen", "127.0.0.1:0", code=65)
        within(refused, FIRST + ", byte ")
        within(refused, "hob journal check")
        equal({path.name: path.read_bytes() for path in hob.data.iterdir()}.items() >=
              {name: data for name, data in files.items() if name != "LOCK"}.items(), True, "nothing was changed")
        hob.hob("journal", "check", str(hob.dir / "none"), code=3)


def test_a_torn_end_is_told_apart_from_damage():
    with rig() as hob:
        push(hob, 50)
        hob.stop()
        path = hob.data / FIRST
        data = bytearray(path.read_bytes())
        end = data.rindex(b"HOBJ") + 64  # the seal is the last frame
        data[end:end + 400] = b"HOBJ" + b"\x5a" * 396
        path.write_bytes(data)
        done = hob.hob_done("journal", "check", str(hob.data))
        equal(done.returncode, 0, done.stderr)
        within(done.stdout, "good: 50 jobs")
        within(done.stderr, f"byte {end}, 400 bytes, torn end")
        hob.start()
        within(hob.server_log(), "never acknowledged: cut")
        within(hob.server_log(), "bytes=400")
        equal(hob.hob_done("journal", "check", str(hob.data)).stderr, "")


def test_what_is_missing_at_the_end_of_a_closed_journal_is_no_torn_end():
    with rig("--segment", "1MiB") as hob:
        for _ in range(60):
            hob.resp().call("PUSH", "q", "k", b"x" * 50000)
        equal(hob.stop(), 0)
        newest = sorted(hob.data.glob("*.seg"))[-1]
        whole = newest.read_bytes()

        def refused(words):
            served = hob.hob_done("serve", "--data", str(hob.data), "--listen", "127.0.0.1:0")
            equal(served.returncode, 65, served.stderr)
            for word in words:
                within(served.stderr, word)
            checked = hob.hob_done("journal", "check", str(hob.data))
            equal(checked.returncode, 65, checked.stderr)

        newest.write_bytes(whole[:60000])
        refused([newest.name, "MARK", "batches more were synced", "hob journal salvage", str(hob.data)])
        newest.write_bytes(b"")
        refused([newest.name])
        newest.unlink()
        refused([newest.name, "missing"])
        salvaged = hob.hob_done("journal", "salvage", str(hob.data), str(hob.dir / "rest"))
        equal(salvaged.returncode, 0, salvaged.stderr)
        within(salvaged.stdout, "lost: ")
        newest.write_bytes(whole)
        within(hob.hob("journal", "check", str(hob.data)), "good: 60 jobs")
        hob.start("--segment", "1MiB")


def test_a_dump_tells_each_record():
    with rig() as hob:
        jobs = push(hob, 20)
        finish(hob, 3)
        hob.resp().call("PAUSE", "q1", "WHY", "for a test")
        rows = [json.loads(line) for line in hob.hob("journal", "dump", str(hob.data)).splitlines()]
        equal([row["pos"] for row in rows], list(range(1, len(rows) + 1)))
        equal([int(row["id"]) for row in rows if row["record"] == "job_put"], jobs)
        equal(sum(row["record"] == "job_done" for row in rows), 3)
        equal([row["paused_why"] for row in rows if row["record"] == "queue_put" and row["paused"]], ["for a test"])
        check(all("bytes" not in row for row in rows), "bodies are left out")
        client = hob.resp()
        client.call("LIMITER", "api", "CONCURRENCY", 5, "RATE", "3/1m", "BURST", 2)
        client.call("GROUP", "q1", "ann", "WEIGHT", 4)
        client.call("PAUSE", "mail", "KIND", "BY", "me")
        client.call("PUSH", "calls", "k", "x", "LIMITERS", "api")
        client.call("FETCH", "w", "QUEUES", "calls")
        rows = [json.loads(line) for line in hob.hob("journal", "dump", str(hob.data)).splitlines()]
        valves = [{key: value for key, value in row.items() if key not in ("pos", "segment", "offset", "seq")}
                  for row in rows if row["record"].startswith("valve")]
        api, ann, mail = valves[:3]
        equal((api["limiter"], api["concurrency"], api["rate"], api["burst"]), ("api", 5, "3/1m", 2))
        equal((ann["queue"], ann["group"], ann["weight"]), ("q1", "ann", 4))
        equal((mail["kind"], mail["paused"], mail["paused_by"]), ("mail", True, "me"))
        taken = [row for row in valves if row["record"] == "valve_taken"]
        equal(taken[-1]["limiter"], "api")
        check(taken[-1]["paid_back_at"] > "2026", taken)
        bodies = [row for row in map(json.loads, hob.hob("journal", "dump", "--bodies", str(hob.data)).splitlines())
                  if row["record"] == "body"]
        check(any(row["bytes"].startswith("1-xxx") for row in bodies), "bodies are there when asked for")


def test_a_salvage_saves_what_was_not_hit():
    with rig() as hob:
        jobs = push(hob, 300)
        finish(hob, 20)
        hob.stop()
        for at in (9000, 30000):
            damage(hob, at)
        before = (hob.data / FIRST).read_bytes()
        out = hob.dir / "salvaged"
        done = hob.hob_done("journal", "salvage", str(hob.data), str(out), "--json")
        equal(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        equal(report["damages"], 2)
        equal((hob.data / FIRST).read_bytes() == before, True, "the original is as it was")
        check(report["jobs"] >= 296, str(report))
        equal(done.stderr.count("damaged:"), 2, done.stderr)
        hob.data = out
        hob.start()
        there = {int(row["id"]) for row in map(json.loads, hob.hob("ls", "--json", "--limit", "1000").splitlines())}
        equal(len(there), report["jobs"])
        check(there <= set(jobs), "no job that was never pushed")
        for job in sorted(there):
            check(payload(hob, job).startswith(b"%d-" % (job - 1)), f"the payload of job {job}")


def test_a_backup_of_a_server_at_work_holds_what_was_acknowledged_before_it():
    with rig() as hob:
        push(hob, 500)
        finish(hob, 30)
        stop = threading.Event()
        pushed = []

        def load():
            client = Resp(hob.port)
            while not stop.is_set():
                pushed.append(client.call("PUSH", "load", "k", b"x" * 400))
            client.close()

        thread = threading.Thread(target=load)
        thread.start()
        try:
            while len(pushed) < 200:
                pass
            known = list(pushed)
            backup = hob.dir / "backup"
            report = json.loads(hob.hob("backup", str(hob.data), str(backup), "--json"))
        finally:
            stop.set()
            thread.join()
        check(report["jobs"] >= 500 + len(known), str(report))
        equal(json.loads(hob.hob("journal", "check", str(backup), "--json"))["digest"], report["digest"])
        hob.hob("backup", str(hob.data), str(backup), code=7)  # never over something
        hob.kill()
        (hob.data / "beside").write_text("not the journal's")
        hob.hob("backup", str(hob.data), str(hob.dir / "backup2"))
        equal((hob.dir / "backup2" / "beside").read_text(), "not the journal's")
        restored = hob.dir / "restored"
        hob.hob("restore", str(backup), str(restored))
        hob.data = restored
        hob.start()
        client = hob.resp()
        for job in known:
            equal(pairs(client.call("GET", job))[b"state"], b"available")
        equal(pairs(client.call("GET", 1))[b"state"], b"completed")
        within(hob.hob("get", "1", "--result"), "done rrr")
        # An id of the copy is never one that the original may still have given out.
        check(client.call("PUSH", "q0", "k", b"new") > max(pushed) + 1000000, "ids leap")


def test_a_backup_of_damaged_data_is_refused():
    with rig() as hob:
        push(hob, 100)
        hob.stop()
        damage(hob, 9000)
        out = hob.dir / "backup"
        within(hob.hob("backup", str(hob.data), str(out), code=65), "byte")
        check(not out.exists() or not list(pathlib.Path(out).iterdir()), "nothing is left of it")
        hob.hob("restore", str(hob.data), str(out), code=65)
        hob.hob("journal", "salvage", str(hob.data), str(out))


def test_exported_jobs_are_imported_once_in_order_with_all_they_say():
    with rig() as hob, rig() as other:
        payloads = ['{"n":1}', "plain text", "x" * 400, '"é"']
        for n, text in enumerate(payloads):
            hob.hob("push", "mail", "send", text, "--priority", "7", "--tag", f"t{n}", "--timeout", "9s",
                    "--keep", "2h", "--backoff", "list:1s,5s", "--ref", f"r{n}", "--headers", '{"a":"b"}',
                    "--attempts", "3")
        client = hob.resp()
        client.call("PUSH", "mail", "send", b"\xff\xfe\x00binary", "PRIORITY", 7)
        client.call("PUSH", "mail", "send", b"later", "DELAY", 3600_000, "KEY", "mine")
        client.call("PUSH", "done", "send", b"over")
        job = client.call("FETCH", "w", "QUEUES", "done")[0]
        child = client.call("PUSH", "mail", "send", b"child", "PARENT", job[0], "DEADLINEIN", 7200_000, "MARGIN", 5000)
        equal(child, 8)
        client.call("RELEASE", job[0], job[1])
        job = client.call("FETCH", "w", "QUEUES", "done")[0]
        client.call("ACK", job[0], job[1])
        exported = hob.hob("export")
        rows = [json.loads(line) for line in exported.splitlines()]
        equal([row["id"] for row in rows], [str(n) for n in range(1, 9)])
        done = other.hob_done("import", stdin=exported)
        equal(done.returncode, 0, done.stderr)
        within(done.stderr, "1 jobs that were over are left out")
        equal(done.stdout.splitlines(), [str(n) for n in range(1, 8)])
        other.hob("import", stdin=exported)  # again: the same jobs
        again = [json.loads(line) for line in other.hob("export").splitlines()]
        equal(len(again), 7)
        del rows[6]  # what was over
        kept = ("queue", "kind", "payload", "payload_encoding", "priority", "tags", "timeout_ms", "keep_ms", "backoff",
                "ref", "headers", "attempt_max", "run_at", "state", "deadline", "margin_ms")
        for row, copy in zip(rows, again):
            equal({name: copy.get(name) for name in kept}, {name: row.get(name) for name in kept}, row["id"])
        equal(again[5]["key"], "mine")
        check(again[0]["key"].startswith("import/2"), again[0]["key"])
        equal(other.resp().call("PAYLOAD", 5), b"\xff\xfe\x00binary")
        within(other.hob("import", stdin='{"queue":"a"}\n', code=1), "kind is missing")
