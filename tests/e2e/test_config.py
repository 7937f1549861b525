# SPDX-License-Identifier: Apache-2.0
"""The configuration: which source wins, what is told of a wrong file, what SIGHUP takes over and what it refuses."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading

from lib import HOB, PATIENCE, ROOT, Skip, check, equal, eventually, need, pairs, rig, within


def write(hob, text, name="hob.yaml"):
    path = hob.dir / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def run(*words, environment=None, folder=None):
    own = {key: value for key, value in os.environ.items() if not key.startswith("HOB_") or key == "HOB_BINARY"}
    return subprocess.run([HOB, *words], capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=folder,
                          env={**own, **(environment or {})})


def log_lines(hob, name="server.log"):
    return (hob.dir / name).read_text(errors="replace")


def hangup(hob, process, *wanted, log="server.log"):
    """SIGHUP, and wait until the log holds all of `wanted` behind what it held before."""
    before = len(log_lines(hob, log))
    process.send_signal(signal.SIGHUP)
    eventually(lambda: all(word in log_lines(hob, log)[before:] for word in wanted),
               f"{wanted!r} in {log}; it says: {log_lines(hob, log)[before:]}")
    return log_lines(hob, log)[before:]


def test_flag_before_environment_before_file_before_default():
    with rig(None) as hob:
        path = write(hob, "server: {data: jobs, memory: 1GiB, connections: 7, durability: interval}\n")
        shown = run("config", "show", "--origin", "--config", str(path), "--connections", "9",
                    environment={"HOB_CONNECTIONS": "8", "HOB_MEMORY": "2048MiB"}).stdout
        origins = dict(re.findall(r"^  (\w+: .*?) +# (.*)$", shown, re.MULTILINE))
        equal(origins["connections: 9"], "--connections")
        equal(origins["memory: 2GiB"], "HOB_MEMORY")
        equal(origins["durability: interval"], f"{path}:1:64")
        equal(origins[f"data: {hob.dir}/jobs"], f"{path}:1:16")
        equal(origins["segment: 64MiB"], "default")
        found = run("config", "show", environment={"HOB_CONFIG": str(path)}).stdout
        within(found, "durability: interval", "the file that HOB_CONFIG names")


def test_all_that_is_wrong_is_told_with_its_place_and_78():
    with rig(None) as hob:
        path = write(hob, "server:\n  lisen: 127.0.0.1:1\n  memory: lots\nkinds:\n  a: {run: x, timeout: 5}\n"
                          "secrets: {b: env:NOT_SET_ANYWHERE}\n")
        done = run("config", "check", str(path))
        equal(done.returncode, 78)
        equal(done.stdout, "")
        places = [line.split(": ")[0].removeprefix(f"{path}:") for line in done.stderr.splitlines()]
        equal(sorted(places), ["2:3", "3:11", "5:12", "5:24", "6:14"])
        within(done.stderr, "did you mean `listen`?")
        for command in ("serve", "work"):
            done = run(command, "--config", str(path))
            equal(done.returncode, 78, command)
            within(done.stderr, ":2:3: unknown key `lisen`", command)
        good = run("config", "check", str(ROOT / "examples/hob.yaml"))
        equal((good.returncode, good.stderr), (0, ""), "the example")


def test_a_secret_that_is_not_there_is_an_error_and_a_missing_program_a_warning():
    with rig(None) as hob:
        path = write(hob, "kinds:\n  a: {http: {url: 'https://h/', secret: shp}}\n  b: {run: [./b.sh]}\n"
                          "secrets: {shop: x}\n")
        done = run("config", "check", str(path))
        equal(done.returncode, 78)
        within(done.stderr, f"{path}:2:41: there is no secret `shp` below `secrets`; did you mean `shop`?")
        path.write_text(path.read_text().replace("shp", "shop"))
        done = run("config", "check", str(path))
        equal(done.returncode, 0)
        equal(done.stderr, f"{path}:3:12: warning: cannot start {hob.dir}/./b.sh: No such file or directory\n")
        hob.script("b.sh", "#!/bin/sh\n")
        equal(run("config", "check", str(path)).stderr, "")
        path.write_text(path.read_text().replace("shop: x", "shop: file:/nonexistent"))
        checked = run("config", "check", str(path))
        equal(checked.returncode, 0, "another process may be able to read it")
        within(checked.stderr, "warning: cannot read /nonexistent")
        done = run("work", "--config", str(path))
        equal(done.returncode, 78, "the worker needs it")
        within(done.stderr, f"{path}:2:41: the secret `shop` cannot be read here")


def test_wrong_flags_are_wrong_usage_and_wrong_variables_a_wrong_configuration():
    equal(run("serve", "--memory", "lots").returncode, 2)
    equal(run("serve", "--data", "/nonexistent/x", environment={"HOB_MEMORY": "lots"}).returncode, 78)
    done = run("serve")
    equal(done.returncode, 2)
    within(done.stderr, "server.data")
    with rig(None) as hob:
        equal(run("serve", "--config", str(write(hob, "# nothing\n"))).returncode, 78, "a file without it")


def test_a_secret_is_named_and_never_shown():
    with rig(None) as hob:
        key = write(hob, "swordfish\n", "key")
        path = write(hob, "secrets: {a: file:key, b: env:WORD, c: swordfish}\n"
                          "kinds: {x: {run: [true], env: {API_TOKEN: swordfish}}}\n")
        environment = {"WORD": "swordfish"}
        done = run("config", "show", "--config", str(path), environment=environment)
        equal((done.returncode, done.stderr), (0, ""))
        check("swordfish" not in done.stdout, done.stdout)
        within(done.stdout, 'a: "file:key"')
        key.chmod(0o644)
        done = run("config", "check", str(path), environment=environment)
        equal(done.returncode, 0, "a warning")
        within(done.stderr, f"{path}:1:14: warning: others can read {hob.dir}/key")
        shown = run("config", "show", "--config", str(path), environment=environment).stdout
        again = run("config", "check", str(write(hob, shown, "shown.yaml")), environment=environment)
        equal(again.returncode, 78, "what was left out has to be filled in")
        within(again.stderr, "left the secret out")
        credential = run("config", "check", str(write(hob, "secrets: {a: credential:key}\n")),
                         environment={"CREDENTIALS_DIRECTORY": str(hob.dir)})
        equal(credential.returncode, 0, credential.stderr)


def serve_with(hob, text):
    path = write(hob, text)
    hob.start("--config", str(path))
    return path


def queue(client, name):
    return pairs(client.call("QUEUE", name))


def test_a_reload_takes_over_what_it_can_and_says_what_needs_a_restart():
    with rig(None) as hob:
        path = serve_with(hob, "queues: {mail: {order: lifo, tier: 0, weight: 6, concurrency: 5, length: 9,\n"
                               "  on_full: drop_oldest, keep: 1h:10}}\n")
        client = hob.resp()
        equal(queue(client, "mail")[b"order"], b"lifo", "at the start")
        equal([queue(client, "mail")[name] for name in (b"tier", b"weight", b"concurrency", b"length", b"on_full")],
              [0, 6, 5, 9, b"drop_oldest"], "at the start")
        path.write_text("server: {memory: 1GiB}\n"
                        "queues: {mail: {order: fifo, tier: 7, concurrency: 0, length: 0, on_full: reject,\n"
                        "  paused: true}, new: {order: lifo}}\n")
        said = hangup(hob, hob.server, "reloaded")
        within(said, "setting=order old=lifo new=fifo")
        within(said, "setting=tier old=0 new=7")
        within(said, "setting=concurrency old=5 new=0")
        within(said, "setting=length old=9 new=0")
        within(said, "setting=on_full old=drop_oldest new=reject")
        equal([queue(client, "mail")[name] for name in (b"tier", b"weight")], [7, 6], "after the reload")
        within(said, 'level=warn msg="setting changed in the file only: it needs a restart" setting=server.memory')
        mail = queue(client, "mail")
        equal(mail[b"order"], b"fifo")
        check(mail[b"paused"], "mail is paused")
        equal(queue(client, "new")[b"order"], b"lifo")
        # What a person changes holds until the file is read again; then the file wins for what it names.
        client.call("RESUME", "mail")
        client.call("QUEUE", "new", "KEEP", "2h", 20)
        path.write_text("log: {level: warn}\nqueues: {mail: {paused: true}, new: {order: lifo}}\n")
        hangup(hob, hob.server, "setting=paused")
        check(queue(client, "mail")[b"paused"], "mail is paused again")
        before = len(log_lines(hob))
        hob.server.send_signal(signal.SIGHUP)
        eventually(lambda: client.call("PING"), "the server")
        equal(log_lines(hob)[before:], "", "nothing is left to change, and info is not written any more")


def test_rates_groups_and_limiters_are_set_at_the_start_and_by_a_reload():
    with rig(None) as hob:
        path = serve_with(hob, "queues: {mail: {rate: 100/1m, burst: 10, aging: 5m, group_concurrency: 2,\n"
                               "  group_rate: 7/1h, group_order: skip}}\n"
                               "limiters: {stripe: {concurrency: 20, rate: 3/1h}, 'customer-*': {concurrency: 1}}\n")
        client = hob.resp()

        def mail():
            names = (b"rate", b"burst", b"aging_ms", b"group_concurrency", b"group_rate", b"group_order")
            got = queue(client, "mail")
            return [got.get(name) for name in names]

        def limiters():
            rows = map(pairs, client.call("LIMITERS"))
            return [(row[b"name"], row[b"concurrency"], row.get(b"rate")) for row in rows]

        equal(mail(), [b"100/1m", 10, 300000, 2, b"7/1h", b"skip"], "at the start")
        equal(limiters(), [(b"customer-*", 1, None), (b"stripe", 20, b"3/1h")], "at the start")
        client.call("LIMITER", "by-hand", "CONCURRENCY", 5)
        path.write_text("queues: {mail: {rate: none, aging: 0s, group_concurrency: 3, group_rate: 8/1h,\n"
                        "  group_burst: 2, group_order: block}}\n"
                        "limiters: {stripe: {rate: 4/1h, burst: 2}, customer-9: {concurrency: 1}}\n")
        said = hangup(hob, hob.server, "reloaded")
        for words in ('setting=rate old="100/1m burst 10" new=none', "setting=aging old=5m new=0s",
                      "setting=group_concurrency old=2 new=3", 'setting=group_rate old=7/1h new="8/1h burst 2"',
                      "setting=group_order old=skip new=block",
                      'limiter=stripe setting=rate old=3/1h new="4/1h burst 2"'):
            within(said, words)
        equal(mail(), [None, None, None, 3, b"8/1h", b"block"], "after the reload")
        wanted = [(b"by-hand", 5, None), (b"customer-*", 1, None), (b"customer-9", 1, None), (b"stripe", 20, b"4/1h")]
        equal(limiters(), wanted, "what the file does not name stays")
        before = len(log_lines(hob))
        hangup(hob, hob.server, "reloaded")
        check("setting=" not in log_lines(hob)[before:], "nothing is left to change")
        hob.kill()
        hob.start("--config", str(path))
        client = hob.resp()
        equal(limiters(), wanted, "after a kill")


def test_names_and_limits_change_while_the_server_runs():
    with rig(None) as hob:
        path = serve_with(hob, "server: {hosts: [old.example]}\n")

        def status(name):
            return hob.http("GET", "/v1/queues", headers={"Host": name})[0]

        equal((status("old.example"), status("new.example")), (200, 421))
        path.write_text("server: {hosts: new.example, connections: 2, tls_key: key}\n")
        within(hangup(hob, hob.server, "reload refused"), "`server.tls_key` needs `server.tls_cert` beside it")
        equal(status("old.example"), 200, "all of it was refused")
        path.write_text("server: {hosts: new.example, connections: 2}\n")
        within(hangup(hob, hob.server, "reloaded"), "setting=server.connections old=10000 new=2")
        equal((status("old.example"), status("new.example")), (421, 200))

        def let_in():
            try:
                client = hob.resp()
                client.call("PING")
                return client
            except OSError:
                return None

        for _ in range(2):  # requests that were just answered may be counted for a moment
            eventually(let_in, "a connection to be let in")
        check(let_in() is None, "a third connection was let in")


def make_certificate(hob, name):
    """A key and a certificate for 127.0.0.1 in tls.key and tls.pem, as DER."""
    subprocess.run([need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", str(hob.dir / "tls.key"), "-out", str(hob.dir / "tls.pem")],
                   check=True, capture_output=True)
    return ssl.PEM_cert_to_DER_cert((hob.dir / "tls.pem").read_text())


def test_a_new_certificate_is_taken_over_and_a_broken_one_is_refused_with_all_else():
    with rig(None) as hob:
        first = make_certificate(hob, "first")
        path = serve_with(hob, "server: {tls_cert: tls.pem, tls_key: tls.key}\n")

        def shown():
            return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", hob.port), timeout=PATIENCE))

        equal(shown(), first)
        second = make_certificate(hob, "second")
        hangup(hob, hob.server, "reloaded")
        equal(shown(), second)
        (hob.dir / "tls.pem").write_text("no certificate\n")
        path.write_text(path.read_text() + "queues: {mail: {order: lifo}}\n")
        before = len(log_lines(hob))
        hangup(hob, hob.server, "certificate stays")
        equal(shown(), second)
        said = log_lines(hob)[before:]
        check("reloaded" not in said and "setting=order" not in said, f"it was refused as a whole: {said}")


def test_a_wrong_file_changes_nothing():
    with rig(None) as hob:
        path = serve_with(hob, "queues: {mail: {order: lifo}}\n")
        path.write_text("queues: {mail: {order: fifo}}\nserver: {memori: 1GiB}\nlog: {level: loud}\n")
        said = hangup(hob, hob.server, "reload refused")
        within(said, f"{path}:2:10")
        within(said, f"{path}:3:14")
        within(said, "errors=2")
        equal(queue(hob.resp(), "mail")[b"order"], b"lifo")
        path.unlink()
        hangup(hob, hob.server, "cannot be read", "reload refused")
        equal(hob.stop(), 0)


def test_a_worker_reloads_while_its_jobs_run_and_none_is_lost():
    with rig() as hob:
        client = hob.resp()
        first = hob.script("first.sh", "#!/bin/sh\nread x; while [ ! -e go ]; do sleep 0.05; done; echo old\n")
        worker = hob.work({"slow": {"run": [first], "cwd": str(hob.dir)}, "gone": ["true"]}, slots=2)
        path = next(hob.dir.glob("worker*.yaml"))
        job = client.call("PUSH", "work", "slow", "1\n")
        hob.until(job, "running")
        config = json.loads(path.read_text())
        config["kinds"] = {"slow": {"run": ["echo", "new"]}, "more": {"run": ["echo", "more"]}}
        config["worker"]["slots"] = 5
        config["worker"]["queues"] = ["work", "other"]
        path.write_text(json.dumps(config))
        said = hangup(hob, worker, "reloaded", log="worker.log")
        within(said, "setting=worker.slots old=2 new=5")
        within(said, "setting=worker.queues old=work new=work,other")
        later = client.call("PUSH", "other", "more", "1")
        equal(pairs(client.call("WAIT", later, 20000))[b"result"], b"more\n")
        (hob.dir / "go").touch()
        equal(pairs(client.call("WAIT", job, 20000))[b"result"], b"old\n", "the job that ran")
        again = client.call("PUSH", "work", "slow", "1")
        equal(pairs(client.call("WAIT", again, 20000))[b"result"], b"new\n", "the next one")
        path.write_text("kinds: {slow: {run: }}\n")
        hangup(hob, worker, "reload refused", log="worker.log")
        again = client.call("PUSH", "work", "slow", "1")
        equal(pairs(client.call("WAIT", again, 20000))[b"result"], b"new\n", "what was in force")


def test_reloads_under_load_lose_nothing():
    with rig(None) as hob:
        path = serve_with(hob, "queues: {work: {order: fifo}}\n")
        worker = hob.work({"k": ["cat"]}, slots=4)
        ids, stop = [], threading.Event()

        def push():
            client = hob.resp()
            while not stop.wait(0.01):
                ids.append(client.call("PUSH", "work", "k", str(len(ids))))

        pusher = threading.Thread(target=push)
        pusher.start()
        for turn in range(10):
            path.write_text("queues: {work: {order: %s}}\n" % ("lifo", "fifo")[turn % 2])
            hangup(hob, hob.server, "reloaded")
            hangup(hob, worker, "reloaded", log="worker.log")
        stop.set()
        pusher.join()
        client = hob.resp()
        check(len(ids) > 10, "jobs were pushed meanwhile")
        for number in ids:
            state = pairs(client.call("WAIT", number, 30000))[b"state"]
            equal(state, b"completed", f"job {number}")
        equal(len(set(ids)), len(ids), "ids")


def test_the_service_manager_is_told():
    with rig(None) as hob:
        path = hob.dir / "notify"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(path))
        listener.settimeout(PATIENCE)
        hob.start(prefix=("env", f"NOTIFY_SOCKET={path}"))
        within(listener.recv(1000).decode(), "READY=1\n")
        hob.server.send_signal(signal.SIGHUP)
        within(listener.recv(1000).decode(), "RELOADING=1\nMONOTONIC_USEC=")
        within(listener.recv(1000).decode(), "READY=1\n")
        equal(hob.stop(), 0)
        equal(listener.recv(1000), b"STOPPING=1")
        listener.close()


def test_the_reference_and_the_schema_are_current():
    guide = (ROOT / "doc/guide/configuration.md").read_text()
    reference = guide.split("<!-- hob config reference -->\n")[1]
    equal(reference, run("config", "reference").stdout, "doc/guide/configuration.md (hob config reference)")
    schema = json.loads(run("config", "schema").stdout)
    equal(schema["properties"]["server"]["properties"]["durability"]["enum"], ["always", "interval", "none"])


def test_the_units_for_systemd_are_right():
    if shutil.which("systemd-analyze") is None:
        raise Skip("systemd-analyze is not installed")
    with rig(None) as hob:
        for unit in (ROOT / "examples/systemd").glob("*.service"):
            copy = hob.dir / unit.name
            copy.write_text(unit.read_text().replace("/usr/bin/hob", str(pathlib.Path(HOB).resolve())))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
            own = [line for line in done.stderr.splitlines() if unit.name in line]
            equal((done.returncode, own), (0, []), unit.name)
