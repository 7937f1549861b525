# SPDX-License-Identifier: Apache-2.0
"""What `hob serve` delivers itself: webhooks from the queue hob.callbacks, by a child process that it looks after."""
import contextlib
import json
import os
import pathlib
import signal
import time

from lib import Rig, check, equal, eventually, node, within
from receiver import Receiver


@contextlib.contextmanager
def delivering(callbacks=None, secrets=None):
    """A server that may deliver to 127.0.0.1, and a receiver."""
    hob, there = Rig(), Receiver()
    try:
        config = {"callbacks": {"allow": ["127.0.0.1/32"], **(callbacks or {})}}
        if secrets:
            config["secrets"] = secrets
        (hob.dir / "hob.yaml").write_text(json.dumps(config))
        hob.options = ("--config", str(hob.dir / "hob.yaml"))
        hob.start(*hob.options)
        yield hob, there
    except Exception:
        print(f"--- server.log\n{hob.server_log()}")
        raise
    finally:
        hob.close()
        there.close()


def push(hob, request, backoff="fixed:20ms"):
    return hob.resp().call("PUSH", "hob.callbacks", "hob.webhook", json.dumps(request), "BACKOFF", backoff)


def children(hob):
    """The pids of the children of the server."""
    path = pathlib.Path(f"/proc/{hob.server.pid}/task/{hob.server.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def gone(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    return True


def verdicts(secret, requests):
    """What the npm package says of each request."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    lines = [json.dumps({"secret": secret, "headers": {name: request.headers[name] for name in names},
                         "body": request.body.decode()}) for request in requests]
    return node("webhook_verify.js", stdin="\n".join(lines)).split("\n")[:-1]


def test_a_webhook_is_delivered_signed_with_the_secret_of_this_server():
    with delivering() as (hob, there):
        equal(children(hob), [], "children before the first callback")
        job = push(hob, {"url": there.url("/flaky/a/2"), "body": {"event": "ü"}})
        hob.until(job, "completed")
        equal(len(there.requests), 3)
        path = hob.data / "webhook-secret"
        equal(path.stat().st_mode & 0o777, 0o600, "mode of the secret")
        secret = path.read_text().strip()
        equal(verdicts(secret, there.requests), ["ok"] * 3)
        equal(len({request.headers["webhook-id"] for request in there.requests}), 1, "ids of one webhook")
        forged = there.requests[0]._replace(body=b'{"event": "u"}')
        within(verdicts(secret, [forged])[0], "No matching signature")
        check(secret not in hob.server_log(), "the secret is in the log")
        within(hob.server_log(), f"job={job}", "log of the child")


def test_named_secrets_and_rotation():
    old, new = "whsec_" + "A" * 32, "whsec_" + "B" * 32
    secrets = {"old": old, "new": new, "token": "for something else", "mine": "whsec_" + "C" * 32}
    with delivering({"secrets": ["old", "new", "token"]}, secrets) as (hob, there):
        job = push(hob, {"url": there.url("/ok"), "body": {}, "secret": ["new", "old"]})
        hob.until(job, "completed")
        equal(verdicts(old, there.requests) + verdicts(new, there.requests), ["ok", "ok"])
        for name in ("other", "token", "mine"):
            job = push(hob, {"url": there.url("/ok"), "body": {}, "secret": name})
            hob.until(job, "discarded")
            within(hob.hob("logs", str(job)), f"no job may sign with a secret `{name}` here")
        equal(len(there.requests), 1)


def test_inside_addresses_are_refused_unless_they_are_allowed():
    with delivering(callbacks={"allow": ["10.0.0.0/8"]}) as (hob, there):
        job = push(hob, {"url": there.url("/ok"), "body": {}})
        hob.until(job, "discarded")
        equal(there.open_max, 0)
        within(hob.server_log(), f'msg="callback given up" job={job} queue=hob.callbacks')
        within(hob.hob("logs", str(job)), "`callbacks.allow` of the server could permit it")


def test_a_runner_that_dies_is_started_again():
    with delivering() as (hob, there):
        hob.until(push(hob, {"url": there.url("/ok"), "body": {}}), "completed")
        slow = push(hob, {"url": there.url("/slow/60000"), "body": {}})
        eventually(lambda: there.open_now > 0 and hob.state(slow) == "running", "the slow one to run")
        first = children(hob)
        equal(len(first), 1)
        os.kill(first[0], signal.SIGKILL)
        eventually(lambda: children(hob) not in ([], first), "another child")
        hob.until(push(hob, {"url": there.url("/ok"), "body": {}}), "completed")
        within(hob.server_log(), "it is started again")
        hob.hob("cancel", str(slow))


def test_a_runner_that_rests_is_not_started_again_when_it_is_switched_off():
    with delivering() as (hob, there):
        hob.until(push(hob, {"url": there.url("/ok"), "body": {}}), "completed")
        for _ in range(4):  # each rest is twice as long: the last is 800 ms
            eventually(lambda: children(hob), "a child")
            os.kill(children(hob)[0], signal.SIGKILL)
            eventually(lambda: not children(hob), "its end")
        (hob.dir / "hob.yaml").write_text(json.dumps({"callbacks": {"run": "off"}}))
        os.kill(hob.server.pid, signal.SIGHUP)
        job = push(hob, {"url": there.url("/ok"), "body": {}})
        time.sleep(1.5)  # nothing happens
        equal((hob.state(job), children(hob)), ("available", []))
        config = {"callbacks": {"run": "on", "allow": ["127.0.0.1/32"]}}
        (hob.dir / "hob.yaml").write_text(json.dumps(config))
        os.kill(hob.server.pid, signal.SIGHUP)
        hob.until(job, "completed")


def test_the_runner_never_outlives_its_server():
    with delivering() as (hob, there):
        hob.until(push(hob, {"url": there.url("/ok"), "body": {}}), "completed")
        child = children(hob)[0]
        hob.kill()
        eventually(lambda: gone(child), "the child to be gone")
        hob.start(*hob.options)
        waits = push(hob, {"url": there.url("/slow/60000"), "body": {}})
        eventually(lambda: hob.state(waits) == "running" and there.open_now > 0, "the next child")
        child = children(hob)[0]
        started = time.monotonic()
        equal(hob.stop(), 0)
        check(time.monotonic() - started < 8, "the stop took its time")
        check(gone(child), "the child is still there")
        hob.start(*hob.options)
        job = hob.job(waits)
        equal(job["attempt"] - (job["state"] == "running"), 0, "attempts that the stop has cost")
        hob.hob("cancel", str(waits))


def test_what_was_waiting_when_the_server_died_is_delivered_by_the_next():
    with delivering() as (hob, there):
        hob.resp().call("PAUSE", "hob.callbacks")
        jobs = [push(hob, {"url": there.url("/ok"), "body": {}}) for _ in range(5)]
        hob.kill()
        hob.start(*hob.options)
        hob.resp().call("RESUME", "hob.callbacks")
        for job in jobs:
            hob.until(job, "completed")
        equal(len(there.requests), 5)


def test_it_can_be_switched_off_and_its_secret_must_be_one():
    with delivering() as (hob, there):
        equal(hob.stop(), 0)
        hob.start(*hob.options, "--callbacks", "off")
        job = push(hob, {"url": there.url("/ok"), "body": {}})
        time.sleep(0.3)  # nothing happens
        equal((hob.state(job), children(hob)), ("available", []))
        equal(hob.stop(), 0)
        (hob.data / "webhook-secret").write_text("whsec_short\n")
        done = hob.hob_done("serve", "--data", str(hob.data), "--listen", "127.0.0.1:0")
        equal(done.returncode, 78)
        within(done.stderr, "webhook-secret is no secret")


# Callbacks of jobs, from the push to the receiver.


def push_with(hob, there, script, when, **more):
    on_done = {word: {"url": there.url(path), **more} for word, path in when.items()}
    status, _, answer = hob.http("POST", "/v1/jobs", {
        "queue": "work", "kind": script, "payload": {"n": 1}, "on_done": on_done,
        "headers": {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}})
    equal(status, 202)
    return answer["id"]


def worker_of(hob):
    hob.work({"good": [hob.script("good", '#!/bin/sh\necho one line >&2\necho \'{"pages": 3}\'\n')],
              "bad": [hob.script("bad", "#!/bin/sh\necho it does not work >&2\nexit 65\n")]})


def test_the_end_of_a_job_is_told_by_url_with_result_or_error_and_signed():
    with delivering() as (hob, there):
        worker_of(hob)
        good = push_with(hob, there, "good", {"success": "/ok", "failure": "/status/500", "finished": "/echo"})
        hob.until(good, "completed")
        bad = push_with(hob, there, "bad", {"success": "/status/500", "failure": "/ok"})
        hob.until(bad, "discarded")
        eventually(lambda: len(there.requests) == 3, "three callbacks")
        equal(verdicts((hob.data / "webhook-secret").read_text().strip(), there.requests), ["ok"] * 3)
        events = {(request.path, (event := json.loads(request.body))["subject"]): event for request in there.requests}
        equal(sorted(events), sorted([("/ok", good), ("/echo", good), ("/ok", bad)]))
        event = events["/ok", good]
        equal((event["type"], event["data"]["result"]), ("io.hob.job.completed", {"pages": 3}))
        event = events["/ok", bad]
        equal((event["type"], event["data"]["error"]["code"]), ("io.hob.job.discarded", 65))
        within(event["data"]["error"]["text"], "it does not work")
        for request in there.requests:
            equal(request.headers["content-type"], "application/cloudevents+json")
            within(request.headers["traceparent"], "4bf92f3577b34da6a3ce929d0e0e4736")


def test_a_callback_survives_a_kill_between_the_end_of_its_job_and_its_delivery():
    with delivering() as (hob, there):
        worker_of(hob)
        hob.resp().call("PAUSE", "hob.callbacks")
        job = push_with(hob, there, "good", {"success": "/ok"})
        hob.until(job, "completed")
        hob.kill()
        equal(there.requests, [], "requests before the kill")
        hob.start(*hob.options)
        hob.resp().call("RESUME", "hob.callbacks")
        eventually(lambda: there.requests, "the callback")
        equal(json.loads(there.requests[0].body)["subject"], job)
        callback = hob.resp().call("LS", "QUEUE", "hob.callbacks")[1]
        equal(len(callback), 1, "callbacks of one job")


def test_a_callback_that_was_under_way_at_a_kill_is_delivered_again_with_the_same_id():
    with delivering() as (hob, there):
        worker_of(hob)
        job = push_with(hob, there, "good", {"success": "/slow/3000"})
        eventually(lambda: there.requests, "the callback to be under way")
        hob.kill()
        hob.start(*hob.options)
        eventually(lambda: len(there.requests) == 2, "the second delivery")
        first, second = there.requests
        equal(first.headers["webhook-id"], second.headers["webhook-id"])
        equal(json.loads(second.body)["subject"], job)


def test_a_callback_names_its_secret():
    shop = "whsec_" + "D" * 32
    with delivering({"secrets": ["shop"]}, {"shop": shop}) as (hob, there):
        worker_of(hob)
        push_with(hob, there, "good", {"success": "/ok"}, secret="shop", headers={"x-tenant": "42"})
        eventually(lambda: there.requests, "the callback")
        equal(verdicts(shop, there.requests), ["ok"])
        equal(there.requests[0].headers["x-tenant"], "42")
