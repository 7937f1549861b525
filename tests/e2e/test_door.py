# SPDX-License-Identifier: Apache-2.0
"""The door: tokens, TLS, names, limits, and what strangers try. A row of a table is one attack and what must happen."""
import contextlib
import json
import os
import pathlib
import re
import resource
import select
import socket
import subprocess
import time

from lib import HOB, PATIENCE, ROOT, Failure, Resp, RespError, Skip, check, equal, eventually, rig, within

SANITIZED = "asan" in HOB
SCOPES = ("push", "work", "read", "manage", "admin")


def token(hob, name, *words, **options):
    """A new token, made by the CLI."""
    return hob.hob("token", "create", name, *words, **options).strip()


def owner(hob, *words):
    """The CLI through the unix socket, which needs no token."""
    done = subprocess.run([HOB, *words, "--server", f"unix:{hob.dir}/s"], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    equal(done.returncode, 0, f"hob {words}: {done.stderr}")
    return done.stdout.strip()


@contextlib.contextmanager
def closed(*options):
    """A server with a root token, and a unix socket for its owner."""
    with rig(None) as hob:
        hob.start("--listen", f"127.0.0.1:0,unix:{hob.dir}/s", *options)
        hob.root = owner(hob, "token", "create", "root", "--scope", "admin")
        hob.make = lambda name, *words: owner(hob, "token", "create", name, *words)
        hob.enter = lambda secret, proto=2: entered(hob, secret, proto)
        hob.bearer = lambda secret: {"Authorization": f"Bearer {secret}"}
        yield hob


def entered(hob, secret, proto):
    client = hob.resp(proto=2)
    equal(client.call("AUTH", secret), b"OK")
    if proto == 3:
        client.call("HELLO", 3)
    return client


def raw(port, data, shut=True, patience=PATIENCE):
    """Send bytes, read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        answer = b""
        try:
            connection.sendall(data)
            with contextlib.suppress(OSError):  # the server may be gone already
                if shut:
                    connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answer


def serve_fails(*options, code=78):
    done = subprocess.run([HOB, "serve", *options], capture_output=True, text=True, timeout=PATIENCE, check=False)
    equal(done.returncode, code, f"exit code of {options}; {done.stderr}")
    return done.stderr


# --- tokens ---


def test_the_first_token_closes_the_door():
    """Open on loopback until there is a token; then nothing but health and greetings for strangers."""
    with closed() as hob:
        stranger = hob.resp()
        equal(stranger.call("PING"), b"PONG")
        for words in (("PUSH", "q", "k", "p"), ("GET", "1"), ("STATS",), ("HELP",), ("COMMAND",), ("NOSUCH",),
                      ("CLIENT", "SETNAME", "x"), ("SELECT", "0"), ("HELLO", "3"), ("TOKEN", "LIST")):
            equal(stranger.error(*words).word, "NOAUTH", str(words))
        equal(hob.http("GET", "/livez")[0], 200)
        equal(hob.http("GET", "/readyz")[0], 200)
        for method, path in (("GET", "/v1/jobs"), ("POST", "/v1/jobs"), ("GET", "/v1/stats"), ("GET", "/metrics")):
            status, headers, _ = hob.http(method, path, {} if method == "POST" else None)
            check(status in (401, 404), f"{method} {path}: {status}")
            if status == 401:
                equal(headers["WWW-Authenticate"], "Bearer")
        equal(hob.enter(hob.root).call("PUSH", "q", "k", "p"), 1)
        equal(hob.http("GET", "/v1/jobs/1", headers=hob.bearer(hob.root))[0], 200)
        equal(hob.http("GET", "/v1/jobs/1")[0], 401, "the token was shown for one request only")
        equal(hob.http("GET", f"/v1/jobs/1?token={hob.root}")[0], 401, "a token in a URL")
        within(owner(hob, "ls"), "q")


def test_a_token_is_shown_in_every_way_there_is():
    with closed() as hob:
        secret = hob.make("ops", "--scope", "read")
        check(re.fullmatch(r"hob_[A-Za-z0-9_-]{43}", secret), secret)
        for words in (("AUTH", secret), ("AUTH", "ops", secret), ("AUTH", "default", secret)):
            client = hob.resp()
            equal(client.call(*words), b"OK")
            equal(client.call("LS")[1], [])
        client = hob.resp()
        equal(client.call("HELLO", 3, "AUTH", "ops", secret, "SETNAME", "me")[b"server"], b"hob")
        equal(client.call("LS")[1], [])
        for words in (("AUTH", "root", secret), ("AUTH", secret[:-1]), ("AUTH", secret + "A"), ("AUTH", ""),
                      ("AUTH", "x" * 5000), ("HELLO", "3", "AUTH", "ops", "x")):
            check(hob.resp().error(*words).word in ("WRONGPASS", "ERR"), str(words))
        path = hob.dir / "token"
        path.write_text(secret + "\n")
        equal(hob.hob("ls", "--token-file", str(path)), "")
        environment = {**os.environ, "HOB_SERVER": f"127.0.0.1:{hob.port}"}
        for extra, code in (({"HOB_TOKEN": secret}, 0), ({"HOB_TOKEN_FILE": str(path)}, 0), ({}, 5),
                            ({"HOB_TOKEN": "hob_no"}, 5), ({"HOB_TOKEN_FILE": "/nowhere"}, 78)):
            done = subprocess.run([HOB, "ls"], env={**environment, **extra}, capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
            equal(done.returncode, code, f"{extra}: {done.stderr}")


def rows_of(path, pattern):
    rows = re.findall(pattern, (ROOT / path).read_text())
    check(len(rows) > 15, f"{path}: only {len(rows)} rows were understood")
    return rows


def allows(scope, wanted):
    return (wanted in ("NONE", "ANY") or scope == "admin" or scope == wanted.lower()
            or (scope == "read" and wanted == "READ_ALL"))


def test_each_scope_times_each_command():
    """From the table of commands: a token is refused by every command that takes another scope."""
    rows = rows_of("src/dialect/resp/commands.h", r'X\("(\w+)",\s+\w+,\s+(\w+),\s+(\d+)')
    with closed() as hob:
        for scope in SCOPES:
            secret = hob.make(scope, "--scope", scope)
            for name, wanted, least in rows:
                client = Resp(hob.port)
                client.call("AUTH", secret)
                try:
                    client.call(name, *["1"] * int(least))
                    refused = False
                except RespError as error:
                    refused = error.word == "NOPERM"
                except ConnectionError:
                    refused = False
                equal(refused, not allows(scope, wanted), f"{name} with scope {scope}")
                client.close()


def test_each_scope_times_each_route():
    """From the table of routes; a scope narrowed to some queues sees nothing of all queues at once."""
    rows = rows_of("src/dialect/http/routes.h", r'X\((\w+),\s+"([^"]+)",\s+\w+,\s+(\w+),\s+(\w+)')
    with closed() as hob:
        for scope in (*SCOPES, "narrow"):
            words = ("--scope", "read", "--queue", "1,2") if scope == "narrow" else ("--scope", scope)
            secret = hob.make(scope, *words)
            for method, path, wanted, body in rows:
                if "events" in path:
                    continue  # answers and goes on
                status, _, _ = hob.http(method, path.replace("*", "1"), None if body == "BODY_NONE" else {},
                                        hob.bearer(secret))
                held = wanted != "READ_ALL" and allows("read", wanted) if scope == "narrow" else allows(scope, wanted)
                equal(status == 403, not held, f"{method} {path} with scope {scope}: {status}")


def test_a_parent_of_another_queue_is_refused_as_one_that_is_not_there():
    with closed() as hob:
        root = hob.enter(hob.root)
        foreign, waiting = root.call("PUSH", "bank", "k", ""), root.call("PUSH", "mail", "k", "")
        equal(len(root.call("FETCH", "w", "QUEUES", "bank")), 1)
        app = hob.enter(hob.make("app", "--scope", "push", "--queue", "mail"))
        push = ("PUSH", "mail", "k", "x", "PARENT")
        there, none = str(app.error(*push, foreign)), str(app.error(*push, 999))
        equal((there, none.split()[0]), (none, "NOJOB"))
        lists = [str(app.error("MPUSH", "ATOMIC", 2, "mail", "k", "1", 0, "mail", "k", "2", 2, "PARENT", parent))
                 for parent in (foreign, 999)]
        equal(lists[0], lists[1])
        within(lists[0], "job 2 of the list")
        equal(app.error(*push, waiting).word, "STATE")
        lease = root.call("FETCH", "w", "QUEUES", "mail")[0]
        child = app.call(*push, lease[0])
        equal(int(dict(zip(*[iter(root.call("GET", child))] * 2))[b"parent"]), waiting)


def test_a_token_reaches_its_queues_only():
    with closed() as hob:
        root = hob.enter(hob.root)
        root.call("PUSH", "mail.out", "k", "mine")
        root.call("PUSH", "bank", "k", "theirs")
        shop = hob.enter(hob.make("shop", "--scope", "push,read,work,manage", "--queue", "mail.*,sms-?"))
        equal(shop.call("PUSH", "sms-7", "k", "p"), 3)
        for words in (("PUSH", "bank", "k", "p"), ("PUSH", "sms-77", "k", "p"), ("PAUSE", "bank"), ("QUEUE", "bank"),
                      ("FETCH", "w", "QUEUES", "mail.out", "bank"), ("STATS",), ("STATS", "QUEUE", "bank"),
                      ("STATS", "KIND", "k"), ("STATS", "ALL"), ("WORKERS",)):
            equal(shop.error(*words).word, "NOPERM", str(words))
        equal(shop.call("STATS", "QUEUE", "mail.out")[1], b"mail.out")
        equal(shop.call("GET", 2), None, "a foreign job")
        equal(shop.call("GET", 99), None, "no job")
        for verb in ("CANCEL", "DELETE", "RETRY", "DISCARD"):
            equal(str(shop.error(verb, 2)), str(shop.error(verb, 99)), f"{verb} of a foreign job, and of none")
        listed = str(shop.call("LS")) + str(shop.call("QUEUES"))
        within(listed, "mail.out")
        check("bank" not in listed, listed)
        equal(root.call("GET", 2) is not None, True)


def test_revoking_ends_what_the_token_let_in():
    """At once, on open connections too, also while they wait; and it stays so after kill -9."""
    with closed() as hob:
        secret = hob.make("worker", "--scope", "work")
        waiting, idle = hob.enter(secret), hob.enter(secret, proto=3)
        waiting.send("FETCH", "w", "WAIT", 60000, "QUEUES", "q")
        eventually(lambda: hob.enter(hob.root).call("INFO").count(b"blocked_clients:1"), "the fetch to wait")
        owner(hob, "token", "revoke", "worker")
        with contextlib.suppress(RespError):
            equal(waiting.reply() or [], [], "the waiting fetch")
        for client in (waiting, idle):
            try:
                got = client.call("FETCH", "w", "QUEUES", "q")
            except (RespError, ConnectionError, OSError) as error:
                got = error
            check(isinstance(got, (ConnectionError, OSError)) or getattr(got, "word", "") == "NOAUTH", f"{got!r}")
        equal(hob.http("POST", "/v1/fetch", {"worker": "w", "queues": ["q"]}, hob.bearer(secret))[0], 401)
        hob.kill()
        hob.start("--listen", f"127.0.0.1:{hob.port},unix:{hob.dir}/s2")
        equal(hob.resp().error("AUTH", secret).word, "WRONGPASS", "revoked before the crash")
        equal(hob.enter(hob.root).call("LS")[1], [], "a token from before the crash")


def test_a_token_ends_with_its_time():
    with closed() as hob:
        secret = hob.make("brief", "--scope", "read", "--expires", "2s")
        client = hob.enter(secret)
        equal(client.call("LS")[1], [])
        eventually(lambda: hob.http("GET", "/v1/jobs", headers=hob.bearer(secret))[0] == 401, "the token to end")

        def is_out():
            try:
                client.call("LS")
                return False
            except (RespError, ConnectionError, OSError):
                return True
        eventually(is_out, "the connection that showed it to end")


def test_the_last_key_is_not_thrown_away():
    with rig() as hob:
        within(hob.hob("token", "create", "app", "--scope", "push", code=7), "first token")
        within(hob.hob("token", "create", "app", "--scope", "admin", "--expires", "1h", code=7), "first token")
        hob.hob("token", "create", "app", code=2)
        os.environ.pop("HOB_TOKEN", None)
        root = token(hob, "root", "--scope", "admin")
        path = hob.dir / "root"
        path.write_text(root)
        login = ("--token-file", str(path))
        within(hob.hob("token", "create", "root", "--scope", "push", *login, code=7), "EXISTS")
        within(hob.hob("token", "create", "x", "--scope", "admin", "--queue", "a*", *login, code=2), "every queue")
        within(hob.hob("token", "create", "x", "--scope", "fly", *login, code=2), "fly")
        within(hob.hob("token", "create", "x", "--scope", "push", "--queue", "a[b]", *login, code=2), "glob")
        within(hob.hob("token", "revoke", "root", *login, code=7), "last")
        within(hob.hob("token", "revoke", "nobody", *login, code=3), "NOTOKEN")
        within(hob.hob("token", "ls", *login), "root")
        hob.hob("token", "revoke", "root", "--force", *login)
        equal(hob.resp().call("PUSH", "q", "k", "p"), 1, "a push without any token")


def test_a_token_is_kept_as_its_hash_only():
    with closed() as hob:
        hob.enter(hob.root).call("PUSH", "q", "k", "p")
        hob.http("GET", "/v1/jobs", headers=hob.bearer(hob.root))
        hob.hob("ls", code=5)
        equal(hob.stop(), 0)
        secret = hob.root.encode()
        for path in hob.dir.rglob("*"):
            if path.is_file():
                check(secret not in path.read_bytes(), f"{path} holds the token")
        equal((hob.data / "audit.log").stat().st_mode & 0o777, 0o600)


def test_guessing_costs_a_connection_and_a_second_each_and_little_log():
    """Past the burst the refusal comes late, on its own connection only: who has the right token does not wait."""
    with closed() as hob:
        began = time.monotonic()
        guesses = [Resp(hob.port) for _ in range(60)]
        for number, client in enumerate(guesses):
            client.send("AUTH", f"hob_{number}")
        time_before = time.monotonic()
        equal(hob.enter(hob.root).call("LS")[1], [], "the right token from the same address")
        check(time.monotonic() - time_before < 0.9, "the right token had to wait")
        late = []
        for client in guesses:
            try:
                client.reply()
                raise Failure("a wrong token was taken")
            except RespError as error:
                late.append("too many" in str(error))
                took = time.monotonic() - began
            check(not late[-1] or took > 0.99, f"a refusal past the burst came after {took:.2f} s")
            try:
                client.call("PING")
                raise Failure("the connection went on after a wrong token")
            except (ConnectionError, OSError):
                client.close()
        check(30 <= sum(late) <= 50, f"{sum(late)} of 60 guesses were throttled")
        status, headers, _ = hob.http("GET", "/v1/jobs", headers=hob.bearer("hob_no"))
        check(status in (401, 429), str(status))
        if status == 429:
            check(int(headers["Retry-After"]) >= 1, "Retry-After")
        figures = hob.http("GET", "/metrics", headers=hob.bearer(hob.root))[2].decode()
        within(figures, 'hob_logins_total{result="refused"} 61\n')
        lines = hob.server_log().count("a token that is not known")
        check(1 <= lines <= 30, f"{lines} lines of log for 60 guesses")


def test_a_worker_needs_the_scope_work():
    with closed() as hob:
        secret = hob.make("worker", "--scope", "work", "--queue", "work")
        root = hob.enter(hob.root)
        job = root.call("PUSH", "work", "echo", "hello")
        worker = hob.work({"echo": ["/bin/cat"]}, wait=False, environment={"HOB_TOKEN": secret})
        eventually(lambda: root.call("RESULT", job) == b"hello", "the job to be done")
        check(worker.poll() is None, hob.worker_log())


def test_tokens_are_made_shown_and_revoked_over_http():
    """The same as by RESP: the token is told once, and the trail tells of it without the token."""
    with closed() as hob:
        root = hob.bearer(hob.root)
        status, headers, made = hob.http("POST", "/v1/tokens", {"name": "shop/1", "scopes": ["push", "read"],
                                         "queues": ["mail.*", "sms-?"], "expires_in": "90d", "by": "ann"}, root)
        equal((status, headers["Location"], headers["Cache-Control"]), (201, "/v1/tokens/shop%2F1", "no-store"))
        check(re.fullmatch(r"hob_[A-Za-z0-9_-]{43}", made["token"]), made)
        shop = hob.bearer(made.pop("token"))
        equal((made["scopes"], made["queues"], made["by"]), (["push", "read"], ["mail.*", "sms-?"], "ann"))
        equal(hob.http("POST", "/v1/jobs", {"queue": "mail.out", "kind": "k"}, shop)[0], 202)
        equal(hob.http("POST", "/v1/jobs", {"queue": "bank", "kind": "k"}, shop)[0], 403)
        shown = hob.http("GET", headers["Location"], headers=root)[2]
        check(shown.pop("used_at"), shown)
        equal(shown, made)
        listed = hob.http("GET", "/v1/tokens", headers=root)[2]
        equal([(one["name"], one["queues"]) for one in listed["tokens"]], [("root", []), ("shop/1", made["queues"])])
        check("hob_" not in json.dumps(listed), "what was told once is not told again")
        table = {"{}": 400, '{"name":"x"}': 400, '{"scopes":["push"]}': 400, '{"name":"x","scopes":[]}': 400,
                 '{"name":"x","scopes":"push"}': 400, '{"name":"x","scopes":["root"]}': 400,
                 '{"name":"x","scopes":[["push"]]}': 400, '{"name":"x y","scopes":["push"]}': 400,
                 '{"name":"x","scopes":["push"],"queues":["a b"]}': 400,
                 '{"name":"x","scopes":["push"],"queues":[""]}': 400,
                 '{"name":"x","scopes":["push"],"queues":"a"}': 400, '{"name":"x","scopes":["push"],"queues":[1]}': 400,
                 '{"name":"x","scopes":["push"],"queues":["%s"]}' % ("a" * 3000): 400,
                 '{"name":"x","scopes":["push"],"expires_in":"0s"}': 400,
                 '{"name":"x","scopes":["push"],"expires_at":"2020-01-01T00:00:00Z"}': 400,
                 '{"name":"x","scopes":["push"],"expires_in":"1h","expires_at":"2100-01-01T00:00:00Z"}': 400,
                 '{"name":"x","scopes":["push"],"queue":["a"]}': 400, '{"name":"root","scopes":["push"]}': 409}
        for body, wanted in table.items():
            got = hob.http("POST", "/v1/tokens", body, {**root, "Content-Type": "application/json"})
            equal(got[0], wanted, f"{body}: {got[2]}")
        equal(hob.http("DELETE", "/v1/tokens/root", headers=root)[2]["code"], "CONFLICT", "the last that makes others")
        equal(hob.http("DELETE", "/v1/tokens/shop%2F1?force=false", headers=root)[0], 204)
        equal(hob.http("DELETE", "/v1/tokens/shop%2F1", headers=root)[2]["code"], "NOTOKEN")
        equal(hob.http("GET", "/v1/tokens/shop%2F1", headers=root)[0], 404)
        equal(hob.http("POST", "/v1/jobs", {"queue": "mail.out", "kind": "k"}, shop)[0], 401)
        lines = hob.http("GET", "/v1/audit?limit=1000", headers=root)[2]["lines"]
        equal([(line["who"], line["what"], line.get("token"), line["result"]) for line in lines if "token" in line],
              [("owner", "token create", "root", "OK"), ("root", "token create", "shop/1", "OK"),
               ("root", "token create", "x", "BADARG"), ("root", "token create", "root", "EXISTS"),
               ("root", "token revoke", "root", "CONFLICT"), ("root", "token revoke", "shop/1", "OK"),
               ("root", "token revoke", "shop/1", "NOTOKEN")])
        equal(hob.http("GET", "/v1/audit?limit=2", headers=root)[2]["lines"], lines[-2:])
        text = hob.http("GET", "/v1/audit?limit=2", headers={**root, "Accept": "application/x-ndjson"})[2].decode()
        equal([json.loads(line) for line in text.splitlines()], lines[-2:])
        equal(hob.http("GET", "/v1/audit?since=2100-01-01T00:00:00Z", headers=root)[2]["lines"], [])
        check("hob_" not in json.dumps(lines), "the trail holds no token")
        for query in ("limit=0", "limit=10001", "since=yesterday", "count=1"):
            equal(hob.http("GET", f"/v1/audit?{query}", headers=root)[0], 400, query)


# --- the audit trail ---


def test_the_trail_tells_who_did_what():
    with closed() as hob:
        ops = hob.enter(hob.make("ops", "--scope", "manage,push,read"))
        job = ops.call("PUSH", "q", "k", "p")
        ops.call("PAUSE", "q", "BY", "ann", "WHY", 'a "reason"\nwith a line')
        ops.call("CANCEL", job, "BY", "bob")
        ops.call("DELETE", job)
        ops.error("CANCEL", job)
        later = ops.call("PUSH", "q", "k", "secret", "DELAY", 60000)
        ops.call("UPDATE", later, "PRIORITY", 1, "QUEUE", "r", "PAYLOAD", "secret")
        ops.call("RESUME", "q")
        owner(hob, "token", "revoke", "ops")
        with contextlib.suppress(RespError, ConnectionError):
            hob.resp().call("AUTH", "hob_wrong")
        hob.kill()
        hob.port = None
        hob.start("--listen", f"127.0.0.1:0,unix:{hob.dir}/s3")
        done = subprocess.run([HOB, "audit", "--json", "--server", f"unix:{hob.dir}/s3"], capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        told = [(line["who"], line["what"], line.get("job") or line.get("queue") or line.get("token"), line["result"])
                for line in lines]
        equal(told, [
            ("owner", "token create", "root", "OK"), ("owner", "token create", "ops", "OK"),
            ("ops", "pause", "q", "OK"), ("ops", "cancel", str(job), "OK"), ("ops", "delete", str(job), "OK"),
            ("ops", "cancel", str(job), "NOJOB"), ("ops", "update", str(later), "OK"), ("ops", "resume", "q", "OK"),
            ("owner", "token revoke", "ops", "OK"), ("stranger", "login", None, "NOAUTH")])
        equal(lines[2]["why"], 'a "reason"\nwith a line')
        within(lines[2]["from"], "127.0.0.1:")
        equal((lines[6]["fields"], lines[6]["queue"]), ("queue,payload,priority", "r"))
        check("secret" not in done.stdout, "what is in a job is not told")
        equal(hob.enter(hob.root).call("AUDIT", "COUNT", 1), [done.stdout.splitlines()[-1].encode()])


# --- names, methods, first lines ---


def test_names_that_this_server_does_not_answer_to():
    """DNS rebinding: a page's own name points here, and its scripts call us by it."""
    with rig("--host", "jobs.example") as hob:
        table = {"127.0.0.1": 200, f"127.0.0.1:{hob.port}": 200, "localhost": 200, "LOCALHOST:1": 200, "[::1]:80": 200,
                 "a.localhost": 200, "jobs.example": 200, "jobs.example.:443": 200, "10.1.2.3": 200,
                 "evil.example": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example": 421,
                 "evillocalhost": 421,
                 "jobs.example.evil": 421, "localhost:x": 421, "localhost:99999": 421, "2130706433": 421, "0x7f.1": 421}
        for name, wanted in table.items():
            for path in ("/livez", "/v1/jobs"):
                answer = raw(hob.port, f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
                equal(int(answer.split()[1]), wanted, f"{path} with Host: {name}")


SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
JOB = b'{"queue":"q","kind":"k"}'

ATTACKS = {
    "TE and CL": (HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "CL and TE": (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "two lengths": (HEAD + b"Content-Length: 24\r\nContent-Length: 0\r\n\r\n" + JOB + SMUGGLED, 400),
    "two equal lengths": (HEAD + b"Content-Length: 24\r\nContent-Length: 24\r\n\r\n" + JOB, 400),
    "a list of lengths": (HEAD + b"Content-Length: 24, 24\r\n\r\n" + JOB, 400),
    "a signed length": (HEAD + b"Content-Length: +24\r\n\r\n" + JOB, 400),
    "a hex length": (HEAD + b"Content-Length: 0x18\r\n\r\n" + JOB, 400),
    "a negative length": (HEAD + b"Content-Length: -1\r\n\r\n" + JOB, 400),
    "a huge length": (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
    "a large length": (HEAD + b"Content-Length: 999999999\r\n\r\n", 413),
    "a length with space inside": (HEAD + b"Content-Length: 2 4\r\n\r\n" + JOB, 400),
    "space before the colon": (HEAD + b"Content-Length : 24\r\n\r\n" + JOB, 400),
    "a folded header": (HEAD + b"X-A: b\r\n Content-Length: 24\r\n\r\n" + JOB, 400),
    "a folded length": (HEAD + b"Content-Length:\r\n 24\r\n\r\n" + JOB, 400),
    "a bare LF": (b"GET /livez HTTP/1.1\nHost: localhost\n\n", 400),
    "a bare CR": (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\rContent-Length: 24\r\n\r\n", 400),
    "a NUL in a header": (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 400),
    "a NUL in the path": (b"GET /livez\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "an escaped NUL": (b"GET /v1/queues/a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "escaped line ends": (b"GET /v1/queues/a%0d%0aX:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a way up": (b"GET /v1/../livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "an escaped way up": (b"GET /v1/%2e%2e/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "another coding": (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "two codings": (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunked twice": (HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a coding with a tab": (HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "a coding in 1.0": (HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a chunk size with a sign": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n+18\r\n" + JOB + b"\r\n0\r\n\r\n", 400),
    "a chunk size with 0x": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x18\r\n" + JOB + b"\r\n0\r\n\r\n", 400),
    "a huge chunk size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
    "a chunk that ends wrongly": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n18\r\n" + JOB + b"XX0\r\n\r\n", 400),
    "a long chunk extension": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n18;a=" + b"b" * 20000 + b"\r\n", 400),
    "no Host": (b"GET /livez HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
    "absolute form": (b"GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "authority form": (b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
    "version 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "version 1.2": (b"GET /livez HTTP/1.2\r\nHost: localhost\r\n\r\n", 505),
    "version 0.9": (b"GET /livez\r\n", 400),
    "version 09": (b"GET /livez HTTP/01.1\r\nHost: localhost\r\n\r\n", 505),
    "a lower-case version": (b"GET /livez http/1.1\r\nHost: localhost\r\n\r\n", 400),
    "space in the target": (b"GET /livez x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "two spaces": (b"GET  /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a tab for a space": (b"GET\t/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a header without a name": (b"GET /livez HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n", 400),
    "a header without a colon": (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nhello\r\n\r\n", 400),
    "an overlong target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "an overlong header": (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
    "many headers": (b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
    "an expectation": (HEAD + b"Expect: 200-magic\r\nContent-Length: 24\r\n\r\n" + JOB, 417),
    "a form from a page": (b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                           b"application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\n" + JOB, 415),
    "plain text from a page": (b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                               b"Content-Length: 24\r\n\r\n" + JOB, 415),
    "a page of another site": (HEAD + b"Origin: https://evil.example\r\nContent-Length: 24\r\n\r\n" + JOB, 403),
    "a sandboxed page": (HEAD + b"Origin: null\r\nContent-Length: 24\r\n\r\n" + JOB, 403),
    "a cross-site fetch": (HEAD + b"Sec-Fetch-Site: cross-site\r\nContent-Length: 24\r\n\r\n" + JOB, 403),
    "a cross-site delete": (b"DELETE /v1/jobs/1 HTTP/1.1\r\nHost: localhost\r\n"
                            b"Sec-Fetch-Site: cross-site\r\n\r\n", 403),
    "two Authorizations": (b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a\r\n"
                           b"Authorization: Bearer b\r\n\r\n", 401),
    "Basic": (b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic YTpi\r\n\r\n", 401),
    "an empty Bearer": (b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \r\n\r\n", 401),
}


def test_smuggled_and_malformed_requests():
    """Each is refused with one response, pushes nothing, and what follows it is not served."""
    with rig() as hob:
        wrong = []
        for name, (data, wanted) in ATTACKS.items():
            answer = raw(hob.port, data)
            statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", answer)]
            if statuses != [wanted] or b"smuggled" in answer:
                wrong.append(f"{name}: {statuses}, wanted [{wanted}]")
        equal(wrong, [], "attacks that were answered otherwise")
        equal(hob.resp().call("LS")[1], [], "jobs after all that")


FIRST_LINES = {
    "an inline command": b"PUSH q k p\r\n",
    "another inline command": b"PING\r\nPUSH q k p\r\n",
    "redis over http": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\n\r\n"
                       b"*4\r\n$4\r\nPUSH\r\n$1\r\nq\r\n$1\r\nk\r\n$1\r\np\r\n",
    "redis in the path": b"GET /*4%0d%0a$4%0d%0aPUSH HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "redis in a header": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: *4\r\n$4\r\nPUSH\r\n\r\n",
    "http in redis": b"*1\r\n$4\r\nPING\r\nPOST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "Host: in redis": b"*1\r\n$4\r\nPING\r\nHost: localhost\r\n",
    "memcached": b"set q 0 0 1\r\nx\r\n",
    "beanstalkd": b"put 0 0 60 1\r\nx\r\n",
    "faktory": b'HELLO {"v":2}\r\n',
    "smtp": b"EHLO evil.example\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "tls": b"\x16\x03\x01\x00\x05hello",
    "a proxy's greeting": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /livez HTTP/1.1\r\n",
    "nothing but line ends": b"\r\n" * 1000,
    "nulls": b"\0" * 1000,
    "a huge array": b"*999999999\r\n",
    "a negative array": b"*-5\r\n",
    "a huge bulk": b"*1\r\n$999999999999\r\n",
    "a bulk that lies": b"*1\r\n$4\r\nPINGXX",
    "nested arrays": b"*1\r\n" * 10000,
    "a long line": b"*" + b"1" * 100000,
}


def test_other_protocols_and_first_lines():
    """Whoever speaks something else is refused soon, is not asked for more, and has done nothing."""
    with rig() as hob:
        for name, data in FIRST_LINES.items():
            started = time.monotonic()
            raw(hob.port, data)
            check(time.monotonic() - started < 20, f"{name}: the connection stayed open")
        equal(hob.resp().call("LS")[1], [], "jobs after all that")
        equal(raw(hob.port, FIRST_LINES["tls"])[:1], b"\x15", "an alert for who speaks TLS")


def test_every_response_keeps_browsers_out():
    with rig() as hob:
        for method, path in (("GET", "/v1/jobs"), ("GET", "/livez"), ("GET", "/nowhere"), ("PUT", "/v1/jobs"),
                             ("GET", "/v1/jobs/1/result"), ("OPTIONS", "/v1/jobs")):
            _, headers, _ = hob.http(method, path)
            equal(headers["X-Content-Type-Options"], "nosniff", f"{method} {path}")
            within(headers["Content-Security-Policy"] or "", "default-src 'none'")
            equal(headers["Access-Control-Allow-Origin"], None)


# --- limits ---


def test_slow_requests_end():
    """A request that dribbles in is refused and closed, in both dialects; who is idle between requests is not."""
    with rig(None) as hob:
        config = hob.dir / "hob.yaml"
        config.write_text("server: {request_timeout: 1s}\n")
        hob.start("--config", str(config))
        idle = hob.resp()
        for head, wanted in ((b"GET /livez HTTP/1.1\r\nHo", b"HTTP/1.1 408 "), (b"*2\r\n$4\r\nEC", b"-ERR ")):
            with socket.create_connection(("127.0.0.1", hob.port), timeout=PATIENCE) as slow:
                slow.sendall(head)
                answer, end = b"", time.monotonic() + 20
                while time.monotonic() < end:
                    if select.select([slow], [], [], 0.2)[0]:
                        try:
                            chunk = slow.recv(65536)
                        except ConnectionResetError:
                            break
                        if not chunk:
                            break
                        answer += chunk
                    else:
                        with contextlib.suppress(OSError):
                            slow.sendall(b"x")
                check(answer.startswith(wanted), f"{head}: {answer!r}")
        equal(idle.call("PING"), b"PONG")


def test_readers_that_do_not_read_hold_up_nobody():
    with rig() as hob:
        app = hob.resp()
        job = app.call("PUSH", "q", "k", b"x" * 4_000_000)
        stuck = []
        for _ in range(8):
            client = Resp(hob.port)
            client.socket.settimeout(5)
            with contextlib.suppress(OSError):
                for _ in range(200):
                    client.send("PAYLOAD", job)
            stuck.append(client)
        worst = 0
        for _ in range(50):
            started = time.monotonic()
            app.call("PUSH", "q", "k", "p")
            worst = max(worst, time.monotonic() - started)
        check(worst < 5, f"a push took {worst:.2f} s beside readers that do not read")
        for client in stuck:
            client.close()


def test_more_connections_than_allowed_are_turned_away():
    with rig("--connections", "20") as hob:
        held = [hob.resp() for _ in range(20)]
        for client in held:
            equal(client.call("PING"), b"PONG")
        equal(raw(hob.port, b"*1\r\n$4\r\nPING\r\n"), b"", "the 21st")
        held[0].close()
        hob.clients.remove(held[0])
        eventually(lambda: raw(hob.port, b"*1\r\n$4\r\nPING\r\n") == b"+PONG\r\n", "room for another")


def memory_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024


def test_many_idle_connections():
    """10,000 connections that have spoken once and say nothing more: memory for each, and a push beside them."""
    count = 2000 if SANITIZED else 10000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 500:
        raise Skip(f"only {hard} open files are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    idle = []
    with rig("--connections", str(count + 100)) as hob:
        app = hob.resp()
        app.call("PUSH", "q", "k", "p")
        before = memory_bytes(hob.server.pid)
        try:
            for _ in range(count):
                connection = socket.create_connection(("127.0.0.1", hob.port), timeout=PATIENCE)
                connection.sendall(b"*1\r\n$4\r\nPING\r\n")
                idle.append(connection)
            for connection in idle:
                equal(connection.recv(100), b"+PONG\r\n")
            each = (memory_bytes(hob.server.pid) - before) / count
            spans = []
            for _ in range(300):
                started = time.monotonic()
                app.call("PUSH", "q", "k", "p")
                spans.append(time.monotonic() - started)
            spans.sort()
            print(f"{count} idle connections: {each:.0f} bytes each; a push beside them: "
                  f"p50 {spans[150] * 1000:.2f} ms, p99 {spans[297] * 1000:.2f} ms")
            check(each < (20000 if SANITIZED else 3000), f"{each:.0f} bytes for an idle connection")
            check(spans[150] < 1, f"a push takes {spans[150]:.3f} s")
        finally:
            for connection in idle:
                connection.close()
