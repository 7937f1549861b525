# SPDX-License-Identifier: Apache-2.0
"""What the state was stands in the journal and is compared when it is read: by a start, by check, by the copies."""
import json
import pathlib
import subprocess

from lib import HOB, check, equal, eventually, rig, within

FIRST = "00000000000000000001.seg"


def checked(hob, path):
    return json.loads(hob.hob("journal", "check", str(path), "--json"))


def records(hob, kind):
    lines = [json.loads(line) for line in hob.hob("journal", "dump", str(hob.data)).splitlines()]
    return [line for line in lines if line["record"] == kind]


def work(hob, count):
    client = hob.resp()
    for number in range(count):
        client.call("PUSH", "work", "k", b"%d" % number)
        job = client.call("FETCH", "w", "QUEUES", "work")[0]
        client.call("ACK" if number % 3 else "FAIL", job[0], job[1], "said")


def test_each_start_compares_the_state_of_the_last_end():
    with rig() as hob:
        for life in range(3):
            work(hob, 20)
            equal(hob.stop(), 0)
            report = checked(hob, hob.data)
            equal((report["digests"], report["digests_compared"]), (life + 1, life + 1))
            equal(report["digest"], records(hob, "digest")[-1]["digest"])
            hob.start()
            within(hob.server_log(), f"digests_compared={life + 1}")


def test_a_digest_comes_without_an_end_and_outlives_a_kill():
    with rig() as hob:
        work(hob, 5)
        eventually(lambda: records(hob, "digest"), "the digest, ten seconds behind the change")
        hob.kill()
        hob.start()
        within(hob.server_log(), "digests_compared=1")


def test_another_state_is_refused_and_salvage_starts():
    plant = pathlib.Path(HOB).parent / "tests/plants/wrong_digest"
    with rig() as hob:
        work(hob, 20)
        equal(hob.stop(), 0)
        backup = hob.dir / "backup"
        within(hob.hob("backup", str(hob.data), str(backup)), "1 of 1 digests on the way compared")
        subprocess.run([plant, str(hob.data)], check=True)
        before = {path.name: path.read_bytes() for path in hob.data.iterdir() if path.suffix == ".seg"}
        refused = hob.hob("serve", "--data", str(hob.data), "--listen", "127.0.0.1:0", code=65)
        for words in (FIRST + ", byte ", "another state than the server's", "20 jobs, not 1", "hob journal check",
                      "hob journal salvage"):
            within(refused, words)
        for words in (("journal", "check", str(hob.data)), ("backup", str(hob.data), str(hob.dir / "no"))):
            within(hob.hob(*words, code=65), "another state than the server's")
        check(not (hob.dir / "no").exists() or not list((hob.dir / "no").iterdir()), "no half copy is left")
        equal({path.name: path.read_bytes() for path in hob.data.iterdir() if path.suffix == ".seg"}, before,
              "nothing was changed")
        salvaged = hob.dir / "salvaged"
        done = hob.hob_done("journal", "salvage", str(hob.data), str(salvaged))
        equal(done.returncode, 0)
        within(done.stderr, "another state than the server's")
        within(done.stderr, "kept as it is read")
        hob.data = salvaged
        hob.start()
        within(hob.server_log(), "digests_compared=1")
        equal(hob.resp().call("GET", 1)[1], b"1")


def test_a_restored_backup_holds_its_own_digest():
    with rig() as hob:
        work(hob, 20)
        backup, restored = hob.dir / "backup", hob.dir / "restored"
        hob.hob("backup", str(hob.data), str(backup))
        hob.hob("restore", str(backup), str(restored))
        for path in (backup, restored):
            report = checked(hob, path)
            equal((report["digests"], report["digests_compared"]), (1, 1))
        equal(hob.stop(), 0)
        hob.data = restored
        hob.start()
        within(hob.server_log(), "digests_compared=1")
