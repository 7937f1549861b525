# SPDX-License-Identifier: Apache-2.0
"""Jobs that are HTTP requests, against a receiver that behaves well and badly: what is sent, what becomes of the job,
what is never sent."""
import collections
import contextlib
import json
import os
import socket
import ssl
import subprocess
import threading
import time

from lib import check, equal, eventually, node, pairs, rig, within
from receiver import Receiver


@contextlib.contextmanager
def receiver(*args, **options):
    one = Receiver(*args, **options)
    try:
        yield one
    finally:
        one.close()


@contextlib.contextmanager
def sender(**http):
    """A server, a receiver, and a worker whose kind `hook` may reach 127.0.0.1."""
    with receiver() as there, rig() as hob:
        hob.work({"hook": {"http": {"allow": ["127.0.0.1/32"], **http}}}, slots=50)
        yield hob, there


def push(hob, request, backoff="fixed:20ms"):
    return hob.resp().call("PUSH", "work", "hook", json.dumps(request), "BACKOFF", backoff)


def result(hob, job):
    return json.loads(hob.job(job)["result"])


def error(hob, job):
    """The last error of a job as a map of text."""
    last = pairs(hob.job(job)["errors"][-1])
    return {key.decode(): value.decode() if isinstance(value, bytes) else value for key, value in last.items()}


def log(hob, job):
    return hob.hob("logs", str(job))


def test_a_request_is_sent_and_its_response_is_the_result():
    with sender() as (hob, there):
        job = push(hob, {"url": there.url("/echo?token=s3cret"), "headers": {"X-Shop": "ü"}, "body": {"n": 1}})
        hob.until(job, "completed")
        got = result(hob, job)
        equal(got["status"], 200)
        equal(got["body"], {"n": 1})
        equal(got["headers"]["content-type"], "application/json")
        sent = there.requests[0]
        equal((sent.method, sent.path, sent.body), ("POST", "/echo", b'{"n": 1}'))
        equal(sent.headers["x-shop"], "ü".encode().decode("latin-1"))
        within(sent.headers["user-agent"], "hob/")
        check("authorization" not in sent.headers, "nothing is made up")
        lines = log(hob, job)
        within(lines, "POST http://127.0.0.1:")
        within(lines, "200 Test, 8 bytes")
        within(lines, "first byte")
        check("s3cret" not in lines + hob.worker_log(), "the query is in the log")


def test_a_kind_with_templates_escapes_what_comes_from_the_job():
    with receiver() as there, rig() as hob:
        hob.work({"charge": {"http": {
            "url": there.url("/echo/{{customer.id}}?q={{customer.id}}"),
            "headers": {"x-job": "{{job.id}}/{{job.attempt}}", "x-name": "{{name}}"},
            "body": '{"to": "{{name}}", "list": {{list}}}', "allow": "127.0.0.1"}}})
        push_charge = lambda payload: hob.resp().call("PUSH", "work", "charge", json.dumps(payload))
        job = push_charge({"customer": {"id": "a/b?&#"}, "name": 'q"\\', "list": [1, {"x": None}]})
        hob.until(job, "completed")
        equal(result(hob, job)["body"], {"to": 'q"\\', "list": [1, {"x": None}]})
        equal(there.requests[0].query, {"q": "a/b?&#"})
        equal(there.requests[0].path, "/echo/a%2Fb%3F%26%23")
        equal(there.requests[0].headers["x-job"], f"{job}/1")
        for payload, why in (
                ({"customer": {}, "name": "", "list": []}, "no field `customer.id`"),
                ({"customer": {"id": ".."}, "name": "", "list": []}, "has . or .. in its path"),
                ({"customer": {"id": 1}, "name": "a\r\nEvil: 1", "list": []}, "control character")):
            job = push_charge(payload)
            hob.until(job, "discarded")
            equal(error(hob, job)["what"], "http.request")
            within(error(hob, job)["text"], why)
        equal(len(there.requests), 1, "requests that were sent")


def test_statuses_mean_what_the_rules_say():
    with sender() as (hob, there):
        wanted = {200: "completed", 204: "completed", 301: "discarded", 400: "discarded", 401: "discarded",
                  404: "discarded", 410: "discarded", 422: "discarded",
                  408: "retryable", 425: "retryable", 429: "retryable", 500: "retryable", 503: "retryable"}
        jobs = {status: push(hob, {"url": there.url(f"/status/{status}"), "body": ""}, "fixed:1h")
                for status in wanted}
        for status, job in jobs.items():
            hob.until(job, wanted[status])
            if status >= 300:
                equal((error(hob, job)["what"], error(hob, job)["code"]), ("http.status", status))
        within(log(hob, jobs[410]), 'body: {"status": 410}')
        equal(len(there.requests), len(wanted))


def test_a_job_is_tried_again_with_the_same_key_until_it_succeeds():
    with sender() as (hob, there):
        job = push(hob, {"url": there.url("/flaky/a/3"), "body": {}})
        hob.until(job, "completed")
        equal(hob.job(job)["attempt"], 4)
        keys = {request.headers["idempotency-key"] for request in there.requests}
        equal((len(there.requests), len(keys)), (4, 1))


def test_the_rules_of_a_kind_go_before_the_defaults():
    with sender(success=["200-299", "404"], retry=["418"], response_max="10B") as (hob, there):
        jobs = {status: push(hob, {"url": there.url(f"/status/{status}"), "body": ""}, "fixed:1h")
                for status in (404, 418, 500)}
        for status, state in ((404, "completed"), (418, "retryable"), (500, "discarded")):
            hob.until(jobs[status], state)
        got = result(hob, jobs[404])
        equal((got["body"], got["body_encoding"], got["body_cut"]), ('{"status":', "text", True))


def test_bad_responses_fail_in_time_and_are_tried_again():
    with sender(timeout="1s") as (hob, there):
        wanted = {
            "/reset": ("failed", "http.response", ""), "/close": ("failed", "http.response", "mpty reply"),
            "/early": ("failed", "http.response", "broke off (200"),
            "/lie": ("timeout", "http.timeout", "response begun"),
            "/head": ("failed", "http.response", "more headers than"),
            "/drip": ("timeout", "http.timeout", "response begun"),
            "/slow/5000": ("timeout", "http.timeout", "no response came"),
        }
        started = time.monotonic()
        jobs = {path: push(hob, {"url": there.url(path), "body": {}}, "fixed:1h") for path in wanted}
        for path, (cause, what, text) in wanted.items():
            hob.until(jobs[path], "retryable")
            equal((error(hob, jobs[path])["cause"], error(hob, jobs[path])["what"]), (cause, what), path)
            within(error(hob, jobs[path])["text"], text, path)
        check(time.monotonic() - started < 10, "the timeouts took their time")


def test_an_endless_body_is_cut_and_its_status_counts():
    with sender() as (hob, there):
        job = push(hob, {"url": there.url("/body"), "body": {}})
        hob.until(job, "completed")
        got = result(hob, job)
        equal((len(got["body"]), got["body_cut"]), (65536, True))
        within(log(hob, job), "65536 bytes and more")


def test_nobody_there_is_tried_again():
    with sender() as (hob, there):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            job = push(hob, {"url": f"http://127.0.0.1:{free.getsockname()[1]}/", "body": {}}, "fixed:1h")
            hob.until(job, "retryable")
        equal(error(hob, job)["what"], "http.connect")
        job = push(hob, {"url": "https://no-such-host.invalid/", "body": {}}, "fixed:1h")
        hob.until(job, "retryable")
        equal(error(hob, job)["what"], "http.lookup")


def test_what_must_not_be_reached_is_refused_for_good_and_nothing_is_sent():
    with receiver() as there, receiver("::1") as six, rig() as hob:
        hob.work({"hook": {"http": {}}}, slots=50)
        port = there.port
        urls = [f"http://127.0.0.1:{port}/ok", f"https://127.0.0.1:{port}/ok", f"http://localhost:{port}/ok",
                f"http://127.1:{port}/ok", f"http://2130706433:{port}/ok", f"http://0x7f000001:{port}/ok",
                f"http://0177.0.0.1:{port}/ok", f"http://[::ffff:127.0.0.1]:{port}/ok", f"http://0:{port}/ok",
                f"http://%31%32%37.0.0.1:{port}/ok", f"http://[::1]:{six.port}/ok", f"http://[::]:{six.port}/ok",
                "http://169.254.169.254/latest/meta-data/", "https://10.0.0.1/",
                "https://[fd00::1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/"]
        never = [f"http://user:pw@127.0.0.1:{port}/ok", f"http://[fe80::1%25lo]:{port}/ok", "gopher://127.0.0.1/x",
                 f"http://127.0.0.1:{port}/ok\r\nX: y", f"http://a@127.0.0.1:{port}\\@b/ok", "file:///etc/passwd", ""]
        jobs = {url: push(hob, {"url": url, "body": {}}) for url in urls + never}
        dotted = push(hob, {"url": f"http://localhost.:{port}/ok", "body": {}})  # has it addresses at all?
        for url, job in jobs.items():
            hob.until(job, "discarded")
            equal(error(hob, job)["what"], "http.refused" if url in urls else "http.request", url)
            if url in urls:
                within(error(hob, job)["text"], "`allow` of the kind could permit it")
        eventually(lambda: hob.state(dotted) in ("discarded", "retryable"), "the name with a dot at its end")
        equal((there.requests, there.open_max, six.open_max), ([], 0, 0), "what came through")


def test_a_redirect_is_a_failure_and_is_not_followed():
    with receiver() as inside, sender() as (hob, there):
        job = push(hob, {"url": there.url(f"/redirect?to={inside.url('/ok')}"), "body": {}})
        hob.until(job, "discarded")
        equal((error(hob, job)["code"], inside.open_max, len(there.requests)), (302, 0, 1))


def test_proxies_of_the_environment_are_not_used():
    with receiver() as proxy:
        os.environ["http_proxy"] = os.environ["ALL_PROXY"] = proxy.url("")
        try:
            with sender() as (hob, there):
                job = push(hob, {"url": there.url("/ok"), "body": {}})
                hob.until(job, "completed")
        finally:
            del os.environ["http_proxy"], os.environ["ALL_PROXY"]
        equal(proxy.open_max, 0)


def test_a_kept_connection_of_one_kind_is_no_way_for_another():
    """`open` may go to this address, `shut` may not, and the connection of `open` is still there."""
    with receiver() as there, rig() as hob:
        hob.work({"open": {"http": {"allow": "127.0.0.1"}}, "shut": {"http": {}}})
        for kind, state in (("open", "completed"), ("shut", "discarded"), ("open", "completed")):
            job = hob.resp().call("PUSH", "work", kind, json.dumps({"url": there.url("/ok"), "body": {}}))
            hob.until(job, state)
        equal(len(there.requests), 2)
        equal(there.open_max, 1, "the connection was kept")


def certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / "key.pem",
                    "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


def test_tls_is_verified_by_name_and_by_who_signed():
    with rig() as hob:
        tls, ca_file = certificate(hob.dir, "localhost")
        with receiver(tls=tls) as there:
            allow = ["localhost", "127.0.0.1"]
            hob.work({"hook": {"http": {"allow": allow}}, "trusted": {"http": {"allow": allow, "ca_file": ca_file}}})
            cases = (("trusted", "localhost", "completed"), ("trusted", "127.0.0.1", "retryable"),
                     ("hook", "localhost", "retryable"))
            for kind, host, state in cases:
                job = hob.resp().call("PUSH", "work", kind, json.dumps(
                    {"url": f"https://{host}:{there.port}/ok", "body": {}}), "BACKOFF", "fixed:1h")
                hob.until(job, state)
                if state == "retryable":
                    equal(error(hob, job)["what"], "http.connect", host)
            equal(len(there.requests), 1)


def test_retry_after_is_obeyed_and_holds_for_the_whole_host():
    with sender() as (hob, there):
        first = push(hob, {"url": there.url("/status/429?after=1"), "body": {}}, "fixed:1h")
        hob.until(first, "retryable")
        told = time.monotonic()
        run_at = hob.job(first)["run_at"] - hob.job(first)["state_at"]
        check(900 <= run_at <= 1100, f"it is tried again in {run_at} ms, wanted 1000")
        hob.hob("cancel", str(first))
        other = push(hob, {"url": there.url("/ok"), "body": {}})
        hob.until(other, "completed")
        check(time.monotonic() - told > 0.8, "the host was not left alone")
        equal(hob.job(other)["attempt"], 1, "the attempt that had to wait does not count")
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
        job = push(hob, {"url": there.url("/status/500?after=" + date.replace(" ", "%20")), "body": {}})
        hob.until(job, "retryable")
        run_at = hob.job(job)["run_at"] - hob.job(job)["state_at"]
        check(97000 <= run_at <= 101000, f"it is tried again in {run_at} ms, wanted 100 s")


def test_retry_after_pauses_the_limiter_of_the_job_for_all_workers():
    with sender() as (hob, there):
        request = {"url": there.url("/status/503?after=30"), "body": {}}
        client = hob.resp()
        job = client.call("PUSH", "work", "hook", json.dumps(request), "BACKOFF", "fixed:1h", "LIMITERS", "api,other")
        hob.until(job, "retryable")
        shown = pairs(client.call("LIMITER", "api"))
        equal((shown[b"paused"], shown[b"paused_why"]), (1, b"a job was told to come again later"))
        until = int(shown[b"paused_until"]) - int(hob.job(job)["state_at"])
        check(29_000 <= until <= 31_000, f"it is paused for {until} ms, wanted 30 s")
        equal(pairs(client.call("LIMITER", "other"))[b"paused"], 0)
        waits = client.call("PUSH", "elsewhere", "k", "", "LIMITERS", "api=1")
        equal(client.call("FETCH", "another", "QUEUES", "elsewhere"), [])
        client.call("RESUME", "api", "LIMITER")
        equal(int(client.call("FETCH", "another", "QUEUES", "elsewhere")[0][0]), waits)


def test_a_host_gets_no_more_at_once_than_its_limit():
    with sender(host_max=3) as (hob, there):
        jobs = [push(hob, {"url": there.url("/slow/50"), "body": {}}) for _ in range(30)]
        for job in jobs:
            hob.until(job, "completed")
            equal(hob.job(job)["attempt"], 1)
        check(there.open_max <= 3, f"{there.open_max} at once")


def test_the_breaker_leaves_a_failing_host_alone():
    with sender(breaker={"failures": 3, "pause": "1s"}) as (hob, there):
        for _ in range(3):
            hob.until(push(hob, {"url": there.url("/reset"), "body": {}}, "fixed:1h"), "retryable")
        started = time.monotonic()
        job = push(hob, {"url": there.url("/ok"), "body": {}})
        hob.until(job, "completed")
        check(time.monotonic() - started > 0.7, "the breaker was not open")
        equal((hob.job(job)["attempt"], there.paths().count("/ok")), (1, 1))


def test_a_cancel_and_a_stop_end_the_transfer_at_once():
    with sender() as (hob, there):
        job = push(hob, {"url": there.url("/slow/60000"), "body": {}})
        eventually(lambda: there.open_now == 1, "the request")
        hob.hob("cancel", str(job))
        eventually(lambda: there.open_now == 0, "the transfer to end")
        job = push(hob, {"url": there.url("/slow/60000"), "body": {}})
        eventually(lambda: there.open_now == 1, "the request")
        worker = hob.processes[-1]
        worker.terminate()
        eventually(lambda: 'msg="stopping"' in hob.worker_log(), "the worker to stop")
        worker.terminate()
        equal(worker.wait(20), 0)
        equal(hob.state(job), "available")
        equal(hob.job(job)["attempt"], 0, "attempts that count")
