# SPDX-License-Identifier: Apache-2.0
"""Bad input gets an error that says what, where and what to do, and changes nothing."""
import os
import pathlib
import signal
import socket
import subprocess
import tempfile

from lib import HOB, PATIENCE, RespError, Skip, check, equal, eventually, pairs, rig, within


def serve(*options, code):
    done = subprocess.run([HOB, "serve", *options], capture_output=True, text=True, timeout=PATIENCE, check=False)
    equal(done.returncode, code, f"exit code; {done.stderr}")
    return done.stderr


def jobs(client):
    return int(pairs(client.call("STATS"))[b"jobs"])


def test_resp_errors_name_what_is_wrong():
    with rig() as hob:
        client = hob.resp()
        within(str(client.error("PUHS", "q", "k", "p")), "PUSH", "an unknown command suggests the nearest")
        equal(client.error("PUSH", "q").word, "ERR")
        within(str(client.error("PUSH", "-q", "k", "p")), "queue")
        within(str(client.error("PUSH", "q", "k", "p", "DELAY", "soon")), "soon")
        within(str(client.error("PUSH", "q", "k", "p", "COLOUR", "red")), "COLOUR")
        equal(client.error("PUSH", "q", "k", b"x" * (8 * 1024 * 1024 + 1)).word, "TOOLARGE")
        equal(client.error("ACK", 99, 1).word, "NOJOB")
        equal(client.error("ACK", "ninety", 1).word, "BADARG")
        equal(client.error("CANCEL", 99).word, "NOJOB")
        equal(client.error("RESUME", "nowhere").word, "NOQUEUE")
        equal(client.call("GET", 99), None)
        equal(jobs(client), 0, "jobs after all that")
        job = client.call("PUSH", "q", "k", "p")
        got = client.call("FETCH", "w", "QUEUES", "q")[0]
        equal(client.error("ACK", job, int(got[1]) + 1).word, "STALE")
        equal(hob.state(job), "running")
        equal(client.call("ACK", job, got[1]), b"OK")
        equal(client.error("ACK", job, got[1]).word, "STALE")


def raw(port, data, shut=True):
    """Send bytes, read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            if shut:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
        return answer


def test_malformed_requests_get_an_error_and_the_connection_closes():
    with rig() as hob:
        for data in (b"*2\r\n:1\r\n", b"*-5\r\n", b"*99999999999\r\n", b"*1\r\n$99999999999\r\n",
                     b"*1\r\n$3\r\nabcX\r\n"):
            answer = raw(hob.port, data, shut=False)
            check(answer.startswith(b"-ERR"), f"{data!r} was answered with {answer!r}")
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     b"POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"):
            answer = raw(hob.port, data, shut=False)
            check(answer.startswith(b"HTTP/1.1 400"), f"{data!r} was answered with {answer!r}")
        equal(jobs(hob.resp()), 0)


def test_http_problems_say_what_and_where():
    with rig() as hob:
        status, headers, body = hob.http("GET", "/v1/jobs/99")
        equal((status, body["code"], headers["Content-Type"]), (404, "NOJOB", "application/problem+json"))
        equal(hob.http("GET", "/v2/nothing")[0], 404)
        status, headers, _ = hob.http("PUT", "/v1/jobs")
        equal(status, 405)
        within(headers["Allow"], "POST")
        status, _, body = hob.http("POST", "/v1/jobs", '{"queue":"q","kind":', {"Content-Type": "application/json"})
        equal(status, 400)
        status, _, body = hob.http("POST", "/v1/jobs", {"queue": "q", "payload": 1})
        within(body["detail"], "kind")
        status, _, body = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "colour": "red"})
        within(body["detail"], "colour")
        status, _, body = hob.http("POST", "/v1/jobs", "queue=q", {"Content-Type": "application/x-www-form-urlencoded"})
        equal(status, 415)
        status, _, body = hob.http("POST", "/v1/jobs", b" " * (18 * 1024 * 1024), {"Content-Type": "application/json"})
        equal(status, 413)
        equal(jobs(hob.resp()), 0)


def test_a_second_server_on_one_directory_is_refused_and_the_first_goes_on():
    with rig() as hob:
        text = serve("--data", str(hob.data), "--listen", "127.0.0.1:0", code=1)
        within(text, str(hob.server.pid), "the pid of the holder")
        within(text, str(hob.data))
        hob.resp().call("PING")


def test_a_busy_port_is_named():
    with rig() as hob:
        text = serve("--data", str(hob.dir / "other"), "--listen", f"127.0.0.1:{hob.port}", code=1)
        within(text, f"127.0.0.1:{hob.port}")


def test_a_foreign_directory_is_left_alone():
    with rig(None) as hob:
        hob.data.mkdir()
        (hob.data / "holiday.jpg").write_text("not ours")
        text = serve("--data", str(hob.data), "--listen", "127.0.0.1:0", code=78)
        within(text, "holiday.jpg")
        equal(sorted(os.listdir(hob.data)), ["holiday.jpg"])


def test_an_address_off_loopback_is_refused():
    with rig(None) as hob:
        text = serve("--data", str(hob.data), "--listen", "0.0.0.0:0", code=78)
        within(text, "--insecure")


def segment(hob):
    return sorted(path for path in pathlib.Path(hob.data).rglob("*.seg"))[0]


def test_damage_before_the_tail_is_refused_with_file_and_offset():
    with rig() as hob:
        client = hob.resp()
        for n in range(20):
            client.call("PUSH", "q", "k", f"payload-number-{n}")
        equal(hob.stop(), 0)
        path = segment(hob)
        data = path.read_bytes()
        at = data.index(b"payload-number-3")
        path.write_bytes(data[:at] + b"X" + data[at + 1:])
        text = serve("--data", str(hob.data), "--listen", "127.0.0.1:0", code=65)
        within(text, path.name)
        check(path.read_bytes()[at:at + 1] == b"X", "a refused journal was changed")


def test_a_torn_tail_is_cut_and_told():
    with rig() as hob:
        client = hob.resp()
        for n in range(20):
            client.call("PUSH", "q", "k", f"payload-number-{n}")
        hob.kill()
        path = segment(hob)
        data = path.read_bytes()
        at = data.index(b"payload-number-19")
        # An idle server has sealed its tail; then the damage must be refused, as tested above.
        if b"HOBJ" in data[at:]:
            raise Skip("the tail was sealed before the kill")
        path.write_bytes(data[:at] + b"X" + data[at + 1:])
        hob.start()
        equal(int(pairs(hob.resp().call("STATS"))[b"available"]), 19)
        within(hob.server_log(), path.name)


def test_a_full_disk_refuses_pushes_lets_acks_through_and_recovers():
    if os.geteuid() != 0:
        raise Skip("needs root to mount a small tmpfs")
    with rig(None) as hob:
        hob.data.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(hob.data)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            raise Skip("cannot mount a tmpfs here")
        try:
            hob.start()
            client = hob.resp()
            pushed = []
            error = None
            for _ in range(200):
                try:
                    pushed.append(client.call("PUSH", "q", "k", os.urandom(256 * 1024)))
                except RespError as full:
                    error = full
                    break
            check(error is not None, "a disk of 24 MB took 50 MB")
            equal(error.word, "FULL")
            within(hob.server_log(), 'msg="pushes are refused: the disk is full" count=1 queue=q')
            check(len(pushed) > 10, f"only {len(pushed)} pushes fit")
            for got in client.call("FETCH", "w", "COUNT", len(pushed), "QUEUES", "q"):
                equal(client.call("ACK", got[0], got[1], "done while full"), b"OK")
            equal(hob.http("GET", "/livez")[0], 200)
            for job in pushed:
                client.call("DELETE", job)
            remount = ["mount", "-o", "remount,size=200m", str(hob.data)]
            subprocess.run(remount, capture_output=True, check=True)

            def push_works():
                try:
                    return client.call("PUSH", "q", "k", "again")
                except RespError:
                    return None
            eventually(push_works, "pushes to be taken again when there is space")
            hob.kill()
            hob.start()
            equal(int(pairs(hob.resp().call("STATS"))[b"available"]), 1)
        finally:
            hob.kill()
            subprocess.run(["umount", "-l", str(hob.data)], check=False)


def test_cli_errors_have_their_exit_codes():
    with rig() as hob:
        within(hob.hob("pusg", code=2), "push")
        within(hob.hob("push", "q", code=2), "kind")
        hob.hob("get", "99", code=3)
        hob.hob("get", "abc", code=2)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            within(hob.hob("stats", "--server", f"127.0.0.1:{port}", code=4), f"127.0.0.1:{port}")


def test_a_bad_worker_configuration_is_named_with_its_line():
    with rig() as hob, tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write("worker: {queues: [q]}\nkinds:\n  resize:\n    rum: [true]\n")
        config.flush()
        text = hob.hob("work", "--config", config.name, code=78)
        within(text, ":4:")
        within(text, "run", "the suggestion")


def test_a_slow_client_does_no_harm_and_signals_are_handled():
    with rig() as hob:
        slow = socket.create_connection(("127.0.0.1", hob.port))
        slow.sendall(b"*3\r\n$4\r\nPUSH\r\n$1\r\n")
        client = hob.resp()
        for n in range(100):
            client.call("PUSH", "q", "k", n)
        slow.close()
        equal(jobs(client), 100)
        hob.server.send_signal(signal.SIGPIPE)
        client.call("PING")
