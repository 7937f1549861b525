# SPDX-License-Identifier: Apache-2.0
"""hob work: programs as jobs, with live logs, exit causes, timeouts, cancels and a graceful stop."""
import json
import os
import signal
import time

from lib import check, equal, eventually, pairs, rig, within

FAMILY = """#!/bin/sh
# A job with a grandchild that would outlive it.
sleep 600 &
echo $! > "{dir}/grandchild.$HOB_JOB_ID"
echo $$ > "{dir}/child.$HOB_JOB_ID"
echo started >&2
wait
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def family(hob, job):
    """Pids of a FAMILY job, once both are written."""
    def pids():
        try:
            return [int((hob.dir / f"{name}.{job}").read_text()) for name in ("child", "grandchild")]
        except (FileNotFoundError, ValueError):
            return None
    return eventually(pids, "the job's processes to start")


def gone(pids):
    eventually(lambda: not any(alive(pid) for pid in pids), f"processes {pids} to be gone")


def test_a_cancel_kills_the_whole_process_group_at_once():
    with rig() as hob:
        hob.work({"family": hob_family(hob)})
        job = hob.hob("push", "work", "family", "{}").strip()
        pids = family(hob, job)
        started = time.monotonic()
        hob.hob("cancel", job)
        gone(pids)
        check(time.monotonic() - started < 8, "the cancel took its time")
        equal(hob.state(job), "cancelled")


def hob_family(hob):
    return [hob.script("family", FAMILY.format(dir=hob.dir))]


def test_a_timeout_kills_the_whole_process_group_and_says_so():
    with rig() as hob:
        hob.work({"family": {"run": hob_family(hob), "timeout": "500ms"}})
        job = hob.hob("push", "work", "family", "{}", "--attempts", "1").strip()
        pids = family(hob, job)
        gone(pids)
        hob.until(job, "discarded")
        seen = json.loads(hob.hob("get", job, "--json"))
        equal(seen["errors"][0]["cause"], "timeout")
        within(hob.hob("logs", job), "started")


def test_exit_codes_decide_what_becomes_of_a_job():
    with rig() as hob:
        later = hob.script("later", f"""#!/bin/sh
if [ -e "{hob.dir}/second" ]; then echo ok; exit 0; fi
touch "{hob.dir}/second"; exit 75
""")
        hob.work({
            "later": later.split(), "bad": ["/bin/sh", "-c", "exit 65"], "killed": ["/bin/sh", "-c", "kill -SEGV $$"],
            "missing": ["/no/such/program"],
        })
        bad, killed, missing = (hob.hob("push", "work", kind, "{}", "--attempts", "1").strip()
                                for kind in ("bad", "killed", "missing"))
        for job in (bad, killed, missing):
            hob.until(job, "discarded")
        causes = {job: json.loads(hob.hob("get", job, "--json"))["errors"][0] for job in (bad, killed, missing)}
        equal((causes[bad]["cause"], causes[bad]["code"]), ("exit", 65))
        equal((causes[killed]["cause"], causes[killed]["code"]), ("signal", int(signal.SIGSEGV)))
        equal(causes[missing]["cause"], "start")
        within(causes[missing]["text"], "/no/such/program")
        job = hob.hob("push", "work", "later", "{}").strip()
        hob.until(job, "completed")
        seen = json.loads(hob.hob("get", job, "--json"))
        equal((seen["attempt"], seen["releases"]), (1, 1), "attempt and releases after exit 75")


def test_log_lines_are_there_while_the_job_runs():
    with rig() as hob:
        script = hob.script("talk", f"""#!/bin/sh
echo "first line" >&2
while [ ! -e "{hob.dir}/go" ]; do sleep 0.05; done
echo "last line" >&2
""")
        hob.work({"talk": [script]})
        job = hob.hob("push", "work", "talk", "{}").strip()
        eventually(lambda: "first line" in hob.hob("logs", job), "the first line, live")
        equal(hob.state(job), "running")
        (hob.dir / "go").touch()
        hob.until(job, "completed")
        eventually(lambda: "last line" in hob.hob("logs", job), "the last line")


def test_progress_is_told_while_the_job_runs():
    with rig() as hob:
        script = hob.script("steps", f"""#!/bin/sh
echo "::progress 40 almost half" >&3
while [ ! -e "{hob.dir}/go" ]; do sleep 0.05; done
""")
        hob.work({"steps": [script]})
        job = hob.hob("push", "work", "steps", "{}").strip()
        eventually(lambda: int(hob.job(job).get("progress", 0)) == 40, "the progress")
        equal(hob.job(job)["progress_text"], b"almost half")
        (hob.dir / "go").touch()
        hob.until(job, "completed")


def test_a_hundred_jobs_run_many_at_once():
    with rig() as hob:
        script = hob.script("nap", "#!/bin/sh\nsleep 0.3\ncat\n")
        hob.work({"nap": [script]}, slots=25)
        lines = "".join(json.dumps({"queue": "work", "kind": "nap", "payload": n}) + "\n" for n in range(100))
        started = time.monotonic()
        ids = hob.hob("push", "-", stdin=lines).split()
        for n, job in enumerate(ids):
            hob.until(job, "completed")
        check(time.monotonic() - started < 20, "a hundred naps of 0.3 s on 25 slots took 20 s")
        for n in (0, 50, 99):
            equal(hob.hob("get", ids[n], "--result"), str(n))


def test_a_stop_releases_what_it_interrupts_and_counts_no_attempt():
    with rig() as hob:
        worker = hob.work({"family": hob_family(hob)})
        job = hob.hob("push", "work", "family", "{}").strip()
        pids = family(hob, job)
        worker.send_signal(signal.SIGTERM)
        eventually(lambda: "stop" in hob.worker_log(), "the worker to begin its stop")
        check(all(alive(pid) for pid in pids), "a graceful stop did not wait for what runs")
        worker.send_signal(signal.SIGTERM)  # the second one does not wait
        equal(worker.wait(30), 0, "exit code of the worker")
        gone(pids)
        equal(hob.state(job), "available")
        equal(int(hob.job(job)["attempt"]), 0)


def test_a_dead_worker_loses_its_jobs_to_another():
    with rig() as hob:
        client = hob.resp()
        job = client.call("PUSH", "q", "k", "p", "ATTEMPTS", 2)
        first = client.call("FETCH", "w1", "LEASE", 1000, "QUEUES", "q")[0]
        other = hob.resp()
        got = other.call("FETCH", "w2", "WAIT", 20000, "QUEUES", "q")
        equal((int(got[0][0]), got[0][4]), (job, 2))
        equal(client.error("ACK", job, first[1]).word, "STALE")
        errors = hob.job(job)["errors"]
        equal(pairs(errors[0])[b"cause"], b"lost")


def test_a_resp3_worker_is_told_that_its_job_was_cancelled():
    with rig() as hob:
        worker = hob.resp(proto=3)
        worker.call("WORKER", "w3", "SLOTS", 2)
        job = worker.call("PUSH", "q", "k", "p")
        got = worker.call("FETCH", "w3", "QUEUES", "q")[0]
        hob.hob("cancel", str(job))
        push = worker.read_push()
        equal([push[0], int(push[1]), push[2], push[3]], [b"lost", job, got[1], b"person"])


def test_a_worker_survives_a_restart_of_the_server():
    with rig() as hob:
        script = hob.script("wait", f"""#!/bin/sh
touch "{hob.dir}/started"
while [ ! -e "{hob.dir}/go" ]; do sleep 0.05; done
echo survived
""")
        hob.work({"wait": [script]})
        job = hob.hob("push", "work", "wait", "{}").strip()
        eventually((hob.dir / "started").exists, "the job to start")
        hob.kill()
        hob.start()
        (hob.dir / "go").touch()
        hob.until(job, "completed")
        equal(hob.hob("get", job, "--result"), "survived\n")
        equal(int(hob.job(job)["attempt"]), 1)
