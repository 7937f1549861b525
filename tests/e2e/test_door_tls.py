# SPDX-License-Identifier: Apache-2.0
"""The door's lock: TLS as openssl, curl, redis-cli and python see it, and which doors open at all."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess

from lib import HOB, PATIENCE, Skip, check, equal, eventually, rig, within
from test_door import owner, raw, serve_fails, token


def openssl(*words, **options):
    return subprocess.run(["openssl", *words], capture_output=True, timeout=PATIENCE, check=False, **options)


def certificates(folder):
    """An authority, and what it has signed: server, expired, client; and a stranger's client."""
    if not shutil.which("openssl"):
        raise Skip("there is no openssl")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

    def authority(name):
        openssl("req", "-x509", *curve, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30", "-subj",
                f"/CN={name}", cwd=folder)

    def signed(name, by, extension, days="30"):
        openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", cwd=folder)
        (folder / f"{name}.ext").write_text(extension)
        done = openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
                       "-CAcreateserial", "-out", f"{name}.pem", "-days", days, "-extfile", f"{name}.ext", cwd=folder)
        check((folder / f"{name}.pem").exists(), done.stderr.decode())

    here = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    authority("ca")
    authority("other")
    signed("server", "ca", here)
    signed("fresh", "ca", here)
    signed("expired", "ca", here, days="-1")
    signed("elsewhere", "ca", "subjectAltName=DNS:elsewhere.example")
    signed("client", "ca", "extendedKeyUsage=clientAuth")
    signed("stranger", "other", "extendedKeyUsage=clientAuth")


@contextlib.contextmanager
def secure(*options, server="server"):
    with rig(None) as hob:
        certificates(hob.dir)
        hob.start("--tls-cert", f"{hob.dir}/{server}.pem", "--tls-key", f"{hob.dir}/{server}.key", *options)
        hob.at = f"hobs://127.0.0.1:{hob.port}"
        yield hob


def cli(hob, *words, code=0, **environment):
    done = subprocess.run([HOB, *words], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          env={**os.environ, "HOB_SERVER": hob.at, "HOB_CA": f"{hob.dir}/ca.pem", **environment})
    equal(done.returncode, code, f"hob {words}: {done.stderr}")
    return done.stdout if code == 0 else done.stderr


def wrapped(hob, ca="ca", **options):
    context = ssl.create_default_context(cafile=f"{hob.dir}/{ca}.pem")
    for name, value in options.items():
        setattr(context, name, value)
    connection = socket.create_connection(("127.0.0.1", hob.port), timeout=PATIENCE)
    return context.wrap_socket(connection, server_hostname="localhost")


def test_foreign_clients_over_tls():
    """curl, redis-cli, python and openssl are the judges; payloads of many records come through whole."""
    with secure() as hob:
        big = os.urandom(3_000_000).hex()
        job = cli(hob, "push", "q", "k", "-f", str(write(hob.dir / "big", big))).strip()
        done = subprocess.run(["curl", "-s", "--cacert", f"{hob.dir}/ca.pem",
                               f"https://localhost:{hob.port}/v1/jobs/{job}/payload"],
                              capture_output=True, text=True, timeout=PATIENCE, check=True)
        equal(done.stdout == big, True, "the payload by curl")
        done = subprocess.run(["redis-cli", "--tls", "--cacert", f"{hob.dir}/ca.pem", "-h", "127.0.0.1", "-p",
                               str(hob.port), "PUSH", "q", "k", "p"], capture_output=True, text=True, timeout=PATIENCE,
                              check=True)
        equal(done.stdout, "2\n")
        with wrapped(hob) as connection:
            check(connection.version() in ("TLSv1.2", "TLSv1.3"), connection.version())
            for byte in b"*1\r\n$4\r\nPING\r\n":
                connection.sendall(bytes([byte]))  # a record each
            equal(connection.recv(100), b"+PONG\r\n")
        with wrapped(hob, maximum_version=ssl.TLSVersion.TLSv1_2) as connection:
            equal(connection.version(), "TLSv1.2")
            within(connection.cipher()[0], "GCM" if "GCM" in connection.cipher()[0] else "CHACHA20")
            within(connection.cipher()[0], "ECDHE")
        said = openssl("s_client", "-connect", f"127.0.0.1:{hob.port}", "-CAfile", f"{hob.dir}/ca.pem", "-alpn",
                       "h2,http/1.1", stdin=subprocess.DEVNULL).stdout.decode()
        within(said, "ALPN protocol: http/1.1")
        within(said, "Verification: OK")


def write(path, text):
    path.write_text(text)
    return path


def test_tls_that_is_refused():
    with secure() as hob:
        port = str(hob.port)
        for words in (("-tls1",), ("-tls1_1",), ("-tls1_2", "-cipher", "AES128-SHA"),
                      ("-tls1_2", "-cipher", "AES128-GCM-SHA256"), ("-tls1_2", "-cipher", "NULL:@SECLEVEL=0"),
                      ("-alpn", "h2")):
            done = openssl("s_client", "-connect", f"127.0.0.1:{port}", *words, stdin=subprocess.DEVNULL)
            check(done.returncode != 0, f"openssl s_client {words} was let in")
        said = openssl("s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", input=b"R\n")
        check(b"no renegotiation" in said.stderr or said.returncode != 0, "renegotiation")
        within(raw(hob.port, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").decode(), "this port speaks TLS")
        within(raw(hob.port, b"*1\r\n$4\r\nPING\r\n").decode(), "-ERR this port speaks TLS")
        raw(hob.port, b"\x16\x03\x01" + os.urandom(500))
        equal(cli(hob, "ls"), "", "a client that behaves")
        within(cli(hob, "ls", code=4, HOB_CA=f"{hob.dir}/other.pem"), "not to be trusted")
        within(cli(hob, "ls", code=4, HOB_CA=""), "not to be trusted")
        within(cli(hob, "ls", code=4, HOB_SERVER=f"127.0.0.1:{port}"), "TLS")
        within(cli(hob, "ls", code=78, HOB_CA="/nowhere"), "/nowhere")
    for server, why in (("expired", "expired"), ("elsewhere", "mismatch")):
        with secure(server=server) as hob:
            within(cli(hob, "ls", code=4), why, f"the certificate {server}")


def test_handshakes_that_stop_are_ended():
    with rig(None) as hob:
        certificates(hob.dir)
        config = write(hob.dir / "hob.yaml", "server: {request_timeout: 1s}\n")
        hob.start("--config", str(config), "--tls-cert", f"{hob.dir}/server.pem", "--tls-key", f"{hob.dir}/server.key")
        with socket.create_connection(("127.0.0.1", hob.port), timeout=PATIENCE) as slow:
            slow.sendall(b"\x16\x03\x01\x02\x00\x01")
            equal(slow.recv(100), b"", "the server ends it")
        eventually(lambda: 'why="not done in time"' in hob.server_log(), "a line of the log")


def test_failed_handshakes_are_logged_with_address_and_reason_and_counted():
    with secure() as hob:
        for _ in range(30):
            raw(hob.port, b"\x16\x03\x01" + b"\xff" * 500)
        lines = [line for line in hob.server_log().splitlines() if "a TLS handshake has failed" in line]
        check(10 <= len(lines) <= 20, f"{len(lines)} lines for 30 handshakes")
        check(all(re.search(r"level=warn .* peer=127\.0\.0\.1:\d+ why=\S", line) for line in lines), lines[0])
        with wrapped(hob) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        within(text, "hob_tls_handshakes_failed_total 30\n")


def test_clients_show_certificates():
    with mutual() as hob:
        within(cli(hob, "ls", code=4), "no TLS")
        own = {"HOB_CLIENT_CERT": f"{hob.dir}/client.pem", "HOB_CLIENT_KEY": f"{hob.dir}/client.key"}
        equal(cli(hob, "ls", **own), "")
        strange = {"HOB_CLIENT_CERT": f"{hob.dir}/stranger.pem", "HOB_CLIENT_KEY": f"{hob.dir}/stranger.key"}
        cli(hob, "ls", code=4, **strange)
        context = ssl.create_default_context(cafile=f"{hob.dir}/ca.pem")
        context.load_cert_chain(f"{hob.dir}/client.pem", f"{hob.dir}/client.key")
        for _ in range(2):  # and again, with a ticket
            plain = socket.create_connection(("127.0.0.1", hob.port))
            with context.wrap_socket(plain, server_hostname="localhost") as c:
                c.sendall(b"*1\r\n$4\r\nPING\r\n")
                equal(c.recv(100), b"+PONG\r\n")


@contextlib.contextmanager
def mutual():
    with rig(None) as hob:
        certificates(hob.dir)
        hob.start("--tls-cert", f"{hob.dir}/server.pem", "--tls-key", f"{hob.dir}/server.key", "--tls-client-ca",
                  f"{hob.dir}/ca.pem")
        hob.at = f"hobs://127.0.0.1:{hob.port}"
        yield hob


def test_a_new_certificate_is_read_on_sighup():
    with rig(None) as hob:
        certificates(hob.dir)
        for kind in ("pem", "key"):
            shutil.copy(hob.dir / f"server.{kind}", hob.dir / f"live.{kind}")
        hob.start("--tls-cert", f"{hob.dir}/live.pem", "--tls-key", f"{hob.dir}/live.key")

        def serial():
            with wrapped(hob) as connection:
                return connection.getpeercert()["serialNumber"]
        old = serial()
        with wrapped(hob) as held:
            held.sendall(b"*1\r\n$4\r\nPING\r\n")
            equal(held.recv(100), b"+PONG\r\n")
            (hob.dir / "live.pem").write_text("no certificate")
            hob.server.send_signal(signal.SIGHUP)
            eventually(lambda: "stays as it is" in hob.server_log(), "the bad certificate to be refused")
            equal(serial(), old)
            for kind in ("pem", "key"):
                shutil.copy(hob.dir / f"fresh.{kind}", hob.dir / f"live.{kind}")
            hob.server.send_signal(signal.SIGHUP)
            eventually(lambda: serial() != old, "the new certificate")
            held.sendall(b"*1\r\n$4\r\nPING\r\n")
            equal(held.recv(100), b"+PONG\r\n", "a connection from before")


def test_a_worker_over_tls_with_a_token():
    with rig(None) as hob:
        certificates(hob.dir)
        hob.start("--listen", f"127.0.0.1:0,unix:{hob.dir}/s", "--tls-cert", f"{hob.dir}/server.pem", "--tls-key",
                  f"{hob.dir}/server.key")
        owner(hob, "token", "create", "root", "--scope", "admin")
        secret = write(hob.dir / "secret", owner(hob, "token", "create", "w", "--scope", "work"))
        job = owner(hob, "push", "work", "echo", "hello")
        config = {"worker": {"server": f"hobs://127.0.0.1:{hob.port}", "queues": ["work"], "token_file": str(secret),
                             "ca": f"{hob.dir}/ca.pem"}, "kinds": {"echo": {"run": ["/bin/cat"]}}}
        path = write(hob.dir / "w.yaml", json.dumps(config))
        log = open(hob.dir / "worker.log", "ab")
        hob.processes.append(subprocess.Popen([HOB, "work", "--config", str(path)], stdout=log, stderr=log))
        eventually(lambda: "completed" in owner(hob, "ls"), f"job {job} to be done; {hob.worker_log()}")


# --- which doors open at all ---


def test_off_loopback_only_behind_tokens_and_tls():
    with rig(None) as hob:
        certificates(hob.dir)
        data = ("--data", str(hob.data))
        tls = ("--tls-cert", f"{hob.dir}/server.pem", "--tls-key", f"{hob.dir}/server.key")
        within(serve_fails(*data, "--listen", "0.0.0.0:0"), "token")
        within(serve_fails(*data, "--listen", "0.0.0.0:0", *tls), "token")
        within(serve_fails(*data, "--listen", "127.0.0.1:0,[::]:0", *tls), "token")
        within(serve_fails(*data, "--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"), "/nowhere.pem")
        within(serve_fails(*data, *tls[:2], code=2), "tls_key")
        within(serve_fails(*data, *tls[:3], f"{hob.dir}/client.key"), "key values mismatch")
        within(serve_fails(*data, "--tls-client-ca", f"{hob.dir}/ca.pem", code=2), "tls_cert")
        hob.start()
        token(hob, "root", "--scope", "admin")
        equal(hob.stop(), 0)
        within(serve_fails(*data, "--listen", "0.0.0.0:0"), "--tls-cert")
        for options in (("--listen", "0.0.0.0:0", *tls), ("--listen", "0.0.0.0:0", "--insecure")):
            hob.port = None
            hob.start(*options)
            equal(hob.stop(), 0)
        within(hob.server_log(), "INSECURE")
