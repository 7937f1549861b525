# SPDX-License-Identifier: Apache-2.0
"""The main job: push, run, fetch the result later, read the log."""
import json
import subprocess
import time

from lib import HOB, check, equal, need, pairs, rig, within


def test_a_push_returns_at_once_and_the_result_is_fetched_later_by_everybody():
    with rig() as hob:
        slow = hob.script("slow", "#!/bin/sh\nread line\nsleep 2\necho \"done with $line\"\n")
        hob.work({"slow": [slow]})
        started = time.monotonic()
        job = hob.hob("push", "work", "slow", '{"n":1}').strip()
        pushed = time.monotonic() - started
        check(pushed < 1.0, f"the push took {pushed:.2f} s while the job takes 2 s")
        result = 'done with {"n":1}\n'
        equal(hob.hob("wait", job) and hob.hob("get", job, "--result"), result, "by the CLI")
        status, _, body = hob.http("GET", f"/v1/jobs/{job}?wait=30s")
        equal((status, body["state"], body["result"]), (200, "completed", result), "by HTTP")
        out = subprocess.run([need("redis-cli"), "-p", str(hob.port), "RESULT", job],
                             capture_output=True, text=True, check=True).stdout
        within(out, 'done with {"n":1}', "by redis-cli")
        out = subprocess.run([need("curl"), "-sS", f"http://127.0.0.1:{hob.port}/v1/jobs/{job}/result"],
                             capture_output=True, text=True, check=True).stdout
        equal(out, result, "by curl")


def test_the_log_of_a_failed_job_shows_stderr_exit_and_earlier_attempts():
    with rig() as hob:
        script = hob.script("bad", "#!/bin/sh\necho \"attempt $HOB_ATTEMPT: no such customer\" >&2\nexit 3\n")
        hob.work({"bad": [script]})
        job = hob.hob("push", "work", "bad", "{}", "--attempts", "2", "--backoff", "fixed:100ms").strip()
        hob.until(job, "discarded")
        log = hob.hob("logs", job)
        within(log, "attempt 1: no such customer")
        within(log, "attempt 2: no such customer")
        within(log, "exit 3")
        seen = json.loads(hob.hob("get", job, "--json"))
        equal(seen["attempt"], 2)
        equal([error["code"] for error in seen["errors"]], [3, 3])
        equal([error["cause"] for error in seen["errors"]], ["exit", "exit"])
        lines = hob.http("GET", f"/v1/jobs/{job}/logs")[2]["lines"]
        equal([line["attempt"] for line in lines if line["stream"] == "err"], [1, 2])


def test_push_wait_prints_the_result_and_tells_a_failure_by_its_exit_code():
    with rig() as hob:
        good = hob.script("good", "#!/bin/sh\ncat\n")
        bad = hob.script("bad", "#!/bin/sh\necho oh no >&2\nexit 65\n")
        hob.work({"good": [good], "bad": [bad]})
        equal(hob.hob("push", "work", "good", '{"a":[1,2]}', "--wait"), '{"a":[1,2]}')
        error = hob.hob("push", "work", "bad", "{}", "--wait", code=1)
        within(error, "oh no", "the error")
        hob.hob("push", "elsewhere", "nobody", "{}", "--wait=200ms", code=6)


def test_many_jobs_come_in_as_ndjson_and_a_bad_line_is_named():
    with rig() as hob:
        lines = [json.dumps({"queue": "bulk", "kind": "k", "payload": {"n": n}}) for n in range(5000)]
        out = hob.hob("push", "-", stdin="\n".join(lines) + "\n")
        equal(len(out.split()), 5000, "ids printed")
        done = hob.hob_done("push", "-", stdin=lines[0] + "\n{\"queue\":\"bulk\"\n" + lines[1] + "\n")
        equal(done.returncode, 1)
        within(done.stderr, "line 2")
        equal(len(done.stdout.split()), 2, "ids of the good lines")
        equal(hob.http("GET", "/v1/queues/bulk")[2]["available"], 5002)


def test_delay_retry_stack_and_priority_are_kept_in_order():
    with rig() as hob:
        client = hob.resp()
        late = client.call("PUSH", "q", "k", "late", "DELAY", 300)
        equal(hob.state(late), "scheduled")
        client.call("WORKER", "w", "SLOTS", 10)
        equal(client.call("FETCH", "w", "QUEUES", "q"), [])
        got = client.call("FETCH", "w", "WAIT", 5000, "QUEUES", "q")
        equal(got[0][0], str(late).encode())
        equal(got[0][2:], [b"q", b"k", 1, b"late"])
        client.call("QUEUE", "stack", "ORDER", "lifo")
        ids = [client.call("PUSH", "stack", "k", n) for n in range(3)]
        urgent = client.call("PUSH", "stack", "k", "urgent", "PRIORITY", 1)
        got = client.call("FETCH", "w", "COUNT", 4, "QUEUES", "stack")
        equal([int(job[0]) for job in got], [urgent, ids[2], ids[1], ids[0]])
        state = client.call("FAIL", got[0][0], got[0][1], "again please", "RETRYIN", 50)
        equal(state, b"retryable")
        again = client.call("FETCH", "w", "WAIT", 5000, "QUEUES", "stack")
        equal((int(again[0][0]), again[0][4]), (urgent, 2))
        equal(client.call("ACK", again[0][0], again[0][1], "fine"), b"OK")
        equal(client.call("RESULT", urgent), b"fine")


def test_a_key_makes_a_push_safe_to_repeat_and_a_ref_finds_it():
    with rig() as hob:
        client = hob.resp()
        first = client.call("PUSH", "q", "k", "p", "KEY", "order-1", "REF", "jid-1")
        equal(client.call("PUSH", "q", "k", "p", "KEY", "order-1"), first)
        status, _, body = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "payload": 1, "key": "order-1"})
        equal((status, body["id"], body["duplicate"]), (200, str(first), True))
        equal(client.call("FIND", "jid-1"), first)
        hob.kill()
        hob.start()
        equal(hob.resp().call("PUSH", "q", "k", "p", "KEY", "order-1"), first)


def test_http_does_the_whole_round():
    with rig() as hob:
        status, headers, body = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "payload": {"x": 1.50}})
        equal(status, 202)
        job = body["id"]
        equal(headers["Location"], f"/v1/jobs/{job}")
        status, _, body = hob.http("POST", "/v1/fetch", {"worker": "w", "queues": ["q"], "wait": "1s"})
        equal((status, len(body["jobs"])), (200, 1))
        got = body["jobs"][0]
        equal((got["id"], got["payload"]), (job, {"x": 1.5}))
        lines = {"token": got["token"], "lines": ["first", "second"]}
        equal(hob.http("POST", f"/v1/jobs/{job}/log", lines)[0], 200)
        ack = {"token": got["token"], "result": {"ok": True}}
        equal(hob.http("POST", f"/v1/jobs/{job}/ack", ack)[0], 200)
        body = hob.http("GET", f"/v1/jobs/{job}")[2]
        equal((body["state"], body["result"]), ("completed", {"ok": True}))
        equal([line["text"] for line in hob.http("GET", f"/v1/jobs/{job}/logs")[2]["lines"]], ["first", "second"])
        queues = hob.http("GET", "/v1/queues")[2]["queues"]
        equal([(queue["name"], queue["completed"]) for queue in queues], [("q", 1)])
        equal(hob.http("GET", "/livez")[0], 200)
        equal(hob.http("GET", "/readyz")[0], 200)


def test_a_large_payload_and_result_come_back_byte_for_byte():
    with rig() as hob:
        client = hob.resp()
        payload = bytes(range(256)) * 16384
        job = client.call("PUSH", "q", "k", payload)
        got = client.call("FETCH", "w", "QUEUES", "q")[0]
        check(got[5] == payload, "the payload changed on its way")
        client.call("ACK", job, got[1], payload[:1000000])
        hob.kill()
        hob.start()
        check(hob.resp().call("RESULT", job) == payload[:1000000], "the result changed over a restart")
        check(hob.resp().call("PAYLOAD", job) == payload, "the payload changed over a restart")


def test_control_pause_resume_cancel_discard_retry_delete():
    with rig() as hob:
        client = hob.resp()
        job = client.call("PUSH", "q", "k", "p")
        hob.hob("pause", "q", "--why", "provider is down")
        equal(client.call("FETCH", "w", "QUEUES", "q"), [])
        queue = {key.decode(): value for key, value in pairs(client.call("QUEUE", "q")).items()}
        equal(queue["paused_why"], b"provider is down")
        hob.hob("resume", "q")
        hob.hob("cancel", str(job))
        equal(hob.state(job), "cancelled")
        hob.hob("retry", str(job))
        equal(hob.state(job), "available")
        hob.hob("discard", str(job))
        equal(hob.state(job), "discarded")
        within(hob.hob("cancel", str(job), code=7), "discarded")
        hob.hob("delete", str(job))
        hob.hob("get", str(job), code=3)


def test_ls_queues_and_stats_tell_what_is_there():
    with rig() as hob:
        client = hob.resp()
        for n in range(30):
            client.call("PUSH", "mail" if n % 2 else "news", "k", n)
        rows = [line.split("\t") for line in hob.hob("ls", "--queue", "mail", "--limit", "10").splitlines()]
        equal(len(rows), 10)
        within(hob.hob("queues"), "mail")
        stats = json.loads(hob.hob("stats", "--json"))
        equal(stats["available"], 30)


def test_a_unix_socket_and_relaxed_durability_serve_as_well():
    with rig(None) as hob:
        for mode in ("interval", "none"):
            path = hob.dir / f"{mode}.sock"
            server = subprocess.Popen([HOB, "serve", "--data", str(hob.dir / mode), "--listen", f"unix:{path}",
                                       "--durability", mode], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            hob.processes.append(server)
            within(server.stdout.readline().decode(), "ready ")
            out = subprocess.run([need("redis-cli"), "-s", str(path), "PUSH", "q", "k", "p"],
                                 capture_output=True, text=True, check=True).stdout
            equal(out.strip(), "1")
            server.terminate()
            equal(server.wait(30), 0)
