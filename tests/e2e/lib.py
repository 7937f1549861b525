# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on: the real binary, its server and workers in a directory of
their own, and clients that know nothing of Hob's own code: a RESP client of forty lines, urllib, redis-cli, curl."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOB = os.environ.get("HOB_BINARY", str(ROOT / "build/hob"))
PATIENCE = 60.0  # seconds until a test gives up waiting for an event; never a pause


class Failure(Exception):
    """A check that did not hold, or an answer that was an error."""


def check(fact, text):
    if not fact:
        raise Failure(text)


def equal(got, wanted, what=""):
    check(got == wanted, f"{what or 'value'}: got {got!r}, wanted {wanted!r}")


def within(text, wanted, what="text"):
    check(wanted in text, f"{what}: {wanted!r} is not in {text!r}")


def eventually(question, what, patience=PATIENCE):
    """The first true answer to `question`, asked until patience ends."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.01)
    raise Failure(f"gave up waiting for {what}")


class RespError(Exception):
    """An error reply; .word is its first word."""

    def __init__(self, text):
        super().__init__(text)
        self.word = text.split(" ", 1)[0]


class Resp:
    """A RESP2/RESP3 client: call("PUSH", …) answers bytes, int, list, dict or None."""

    def __init__(self, port, proto=2):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.file = self.socket.makefile("rb")
        self.pushes = []
        if proto == 3:
            self.call("HELLO", 3)

    def send(self, *words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        data = b"*%d\r\n" % len(parts)
        data += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self.socket.sendall(data)

    def call(self, *words):
        self.send(*words)
        return self.reply()

    def error(self, *words):
        """The error that this request must get."""
        try:
            got = self.call(*words)
        except RespError as error:
            return error
        raise Failure(f"{words!r} was answered with {got!r}, not with an error")

    def reply(self):
        while True:
            value = self.read()
            if not (isinstance(value, tuple) and value[0] == "push"):
                if isinstance(value, RespError):
                    raise value
                return value
            self.pushes.append(value[1])

    def read_push(self):
        while not self.pushes:
            value = self.read()
            check(isinstance(value, tuple), f"a push was expected, got {value!r}")
            self.pushes.append(value[1])
        return self.pushes.pop(0)

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind in b"+":
            return rest
        if kind == b"-":
            return RespError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind in (b"$", b"="):
            size = int(rest)
            if size < 0:
                return None
            data = self.file.read(size + 2)
            if len(data) != size + 2:
                raise ConnectionError("the server closed the connection")
            return data[:-2]
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        if kind in (b"*", b"~", b">"):
            if int(rest) < 0:
                return None
            items = [self.read() for _ in range(int(rest))]
            return ("push", items) if kind == b">" else items
        if kind == b"%":
            return {self.read(): self.read() for _ in range(int(rest))}
        raise Failure(f"a reply that is not RESP: {line!r}")

    def close(self):
        self.file.close()
        self.socket.close()


def pairs(flat):
    """A map as RESP2 tells it: a flat array."""
    return flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2]))


class Rig:
    """One server with its directory, workers and clients; everything ends with it."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hob-e2e-"))
        self.data = self.dir / "data"
        self.processes = []
        self.clients = []
        self.server = None
        self.port = None

    def start(self, *options, prefix=()):
        """Start the server and wait until it is ready."""
        log = open(self.dir / "server.log", "ab")
        port = self.port or 0
        self.server = subprocess.Popen(
            [*prefix, HOB, "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{port}", *options],
            stdout=subprocess.PIPE, stderr=log)
        self.processes.append(self.server)
        line = self.server.stdout.readline().decode()
        check(line.startswith("ready "), f"the server said {line!r}; {self.server_log()}")
        self.port = int(line.split("listen=")[1].split()[0].rsplit(":", 1)[1])
        return self

    def server_log(self):
        return (self.dir / "server.log").read_text(errors="replace")[-3000:]

    def kill(self):
        """kill -9: what is not on the disk is gone."""
        self.server.kill()
        self.server.wait()

    def stop(self):
        """A graceful stop; its exit code."""
        self.server.send_signal(signal.SIGTERM)
        return self.server.wait(PATIENCE)

    def resp(self, proto=2):
        client = Resp(self.port, proto)
        self.clients.append(client)
        return client

    def http(self, method, path, body=None, headers=None):
        """(status, headers, body as JSON if it is JSON, else bytes)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        if "json" in (response.getheader("Content-Type") or "") and data.count(b"\n") <= 1:
            data = json.loads(data)
        return response.status, response.headers, data

    def hob(self, *words, stdin=None, code=0, timeout=PATIENCE):
        """Run the CLI against this server; its stdout. The exit code must be `code`."""
        done = self.hob_done(*words, stdin=stdin, timeout=timeout)
        check(done.returncode == code,
              f"hob {' '.join(words)}: exit {done.returncode}, wanted {code}: {done.stderr}{done.stdout[:500]}")
        return done.stdout if code == 0 else done.stderr

    def hob_done(self, *words, stdin=None, timeout=PATIENCE):
        environment = {**os.environ, "HOB_SERVER": f"127.0.0.1:{self.port}"}
        return subprocess.run([HOB, *words], input=stdin, capture_output=True, text=True,
                              timeout=timeout, env=environment, check=False)

    def script(self, name, text):
        """An executable script in the rig's directory."""
        path = self.dir / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def work(self, kinds, queues=("work",), slots=8, wait=True, environment=None, secrets=None, **fields):
        """Start a worker; `kinds` maps a kind to an argv, or to a whole entry of the configuration."""
        config = {
            "worker": {"server": f"127.0.0.1:{self.port}", "queues": list(queues), "slots": slots, **fields},
            "kinds": {kind: entry if isinstance(entry, dict) else {"run": entry} for kind, entry in kinds.items()},
            **({"secrets": secrets} if secrets else {}),
        }
        path = self.dir / f"worker{len(self.processes)}.yaml"
        path.write_text(json.dumps(config, indent=1))  # JSON is YAML
        log = open(self.dir / "worker.log", "ab")
        worker = subprocess.Popen([HOB, "work", "--config", str(path)], stdout=log, stderr=log,
                                  env={**os.environ, **(environment or {})})
        self.processes.append(worker)
        if wait:
            client = self.resp()
            eventually(lambda: worker.poll() is not None or client.call("WORKERS"), "the worker to register")
            check(worker.poll() is None, f"the worker ended: {self.worker_log()}")
        return worker

    def worker_log(self):
        return (self.dir / "worker.log").read_text(errors="replace")[-3000:]

    def job(self, job):
        """A job as a map of text, whatever its id was."""
        got = self.resp().call("GET", job)
        check(got is not None, f"there is no job {job}")
        return {key.decode(): value for key, value in pairs(got).items()}

    def state(self, job):
        return self.job(job)["state"].decode()

    def until(self, job, state):
        eventually(lambda: self.state(job) == state, f"job {job} to be {state}; it is {self.state(job)}")

    def close(self):
        for client in self.clients:
            client.close()
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
        logs = "".join(path.read_text(errors="replace") for path in self.dir.glob("*.log"))
        shutil.rmtree(self.dir, ignore_errors=True)
        for word in ("Sanitizer", "runtime error:", "hob: panic"):
            check(word not in logs, f"a process of this test ended badly: {logs[logs.find(word) - 200:][:3000]}")


@contextlib.contextmanager
def rig(*options):
    """A running server, or with options=None just its directory."""
    one = Rig()
    try:
        if options != (None,):
            one.start(*options)
        yield one
    except Exception:
        for log in ("server.log", "worker.log"):
            if (one.dir / log).exists():
                print(f"--- {log}\n{(one.dir / log).read_text(errors='replace')[-2000:]}")
        raise
    finally:
        one.close()


class Skip(Exception):
    """This machine cannot run the test; the text says why."""


_node_lock = threading.Lock()
_node_ready = False


def node_ready():
    """What tests/node/package-lock.json names is installed; a Failure says why it cannot be."""
    global _node_ready
    with _node_lock:
        if _node_ready:
            return
        try:
            done = subprocess.run([str(ROOT / "tests/node/install")], capture_output=True, text=True, timeout=600,
                                  check=False)
            problem = done.stderr if done.returncode != 0 else None
        except subprocess.TimeoutExpired:
            problem = "tests/node/install did not end in ten minutes"
        if problem is not None:
            raise (Skip if os.environ.get("HOB_SETUP") == "skip" else Failure)(problem)
        _node_ready = True


def node(script, *words, code=0, stdin=None, **environment):
    """Run a script of tests/node with the packages that are there; its stdout. The exit code must be `code`."""
    node_ready()
    done = subprocess.run(["node", str(ROOT / "tests/node" / script), *map(str, words)], input=stdin,
                          capture_output=True, text=True, timeout=PATIENCE, check=False,
                          env={**os.environ, **{name: str(value) for name, value in environment.items()}})
    check(done.returncode == code, f"node {script}: exit {done.returncode}, wanted {code}: {done.stderr}{done.stdout}")
    return done.stdout


def need(program):
    path = shutil.which(program)
    if path is None:
        raise Skip(f"{program} is not installed")
    return path
