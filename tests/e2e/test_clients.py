# SPDX-License-Identifier: Apache-2.0
"""The Redis clients that people have, each against a real server: what they send on connect, and what they are for."""
import json
import os
import re
import subprocess
import threading

from lib import PATIENCE, ROOT, Skip, check, equal, eventually, need, node, node_ready, rig, within


def test_ioredis_connects_and_pushes():
    """npm ioredis comes up with its ready check and its name, pushes a job and reads it."""
    with rig() as one:
        node("ioredis.js", one.port, "connect")


def test_ioredis_pipelines():
    """npm ioredis gets the answers of a pipeline in order, an error among them in its place; MULTI and EXEC too."""
    with rig() as one:
        node("ioredis.js", one.port, "pipeline")
    with rig() as one:
        node("ioredis.js", one.port, "multi")


def test_ioredis_autopipelines_and_pools():
    """npm ioredis gathers calls by itself, and several connections fetch no job twice."""
    with rig() as one:
        node("ioredis.js", one.port, "autopipelining")
    with rig() as one:
        node("ioredis.js", one.port, "pool")


def test_ioredis_subscribes():
    """npm ioredis hears of finished jobs by channel and by pattern, and follows one job with its progress."""
    with rig() as one:
        node("ioredis.js", one.port, "subscribe")


def test_ioredis_reconnects():
    """After kill -9 and a new start npm ioredis is back with its subscription."""
    node_ready()
    with rig() as one:
        client = subprocess.Popen(["node", str(ROOT / "tests/node/ioredis.js"), str(one.port), "reconnect"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        one.processes.append(client)
        equal(client.stdout.readline(), "connected\n", "the client's first word")
        one.kill()
        one.start()
        _, problems = client.communicate("back\n", timeout=PATIENCE)
        equal(client.returncode, 0, problems)


def test_node_redis():
    """npm redis (node-redis) connects in RESP2 and RESP3, sends a block, and subscribes."""
    for version in (2, 3):
        with rig() as one:
            node("redis.js", one.port, version)


def python_redis():
    try:
        import redis  # pylint: disable=import-outside-toplevel
    except ImportError:
        raise Skip("python3-redis is not installed") from None
    return redis


def test_python_redis_works_through_a_pool():
    """redis-py: the health check, a pool, commands of Hob with bytes and ints, errors as ResponseError."""
    redis = python_redis()
    with rig() as one:
        pool = redis.ConnectionPool(host="127.0.0.1", port=one.port, max_connections=8, client_name="py",
                                    health_check_interval=1)
        app = redis.Redis(connection_pool=pool)
        check(app.ping(), "PING")
        equal(app.info("server")["redis_mode"], "standalone", "INFO")
        equal(app.client_getname(), "py", "CLIENT GETNAME")
        check(app.time()[0] > 1.7e9, "TIME")
        check("push" in app.command(), "COMMAND is parsed")
        equal(app.config_get("databases"), {"databases": "1"}, "CONFIG GET")
        equal(app.client_list()[0]["name"], "py", "CLIENT LIST")
        ids = []
        threads = [threading.Thread(target=lambda i=i: ids.append(
            app.execute_command("PUSH", "work", "greet", b"\x00\xff" * i))) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(len(set(ids)), 8, "ids")
        try:
            app.execute_command("PUSH", "work")
            check(False, "an error was expected")
        except redis.ResponseError as error:
            within(str(error), "wrong number of arguments")
        pool.disconnect()


def test_python_redis_pipelines():
    """redis-py's pipeline, with the MULTI and EXEC that it sends by default, and without."""
    redis = python_redis()
    with rig() as one:
        app = redis.Redis(port=one.port)
        for transaction in (True, False):
            pipe = app.pipeline(transaction=transaction)
            for i in range(300):
                pipe.execute_command("PUSH", "work", "greet", str(i))
            answers = pipe.execute()
            equal(len(set(answers)), 300, f"ids with transaction={transaction}")
        pipe = app.pipeline()
        pipe.execute_command("PUSH", "work", "greet", "x")
        pipe.execute_command("PUSH", "work", "bad kind", "x")
        answers = pipe.execute(raise_on_error=False)
        equal(answers[0], 601, "the first")
        check(isinstance(answers[1], redis.ResponseError), "the second is an error")


def test_python_redis_subscribes():
    """redis-py's pubsub hears of a finished job, and its thread of a second one."""
    redis = python_redis()
    with rig() as one:
        app = redis.Redis(port=one.port, decode_responses=True)
        ear = app.pubsub(ignore_subscribe_messages=True)
        ear.subscribe("hob:finished")
        eventually(lambda: ear.subscribed and ear.get_message(timeout=0.2) is None, "the subscription")
        job = app.execute_command("PUSH", "work", "greet", "1")
        app.execute_command("CANCEL", job)
        message = eventually(lambda: ear.get_message(timeout=1), "a message")
        equal((message["channel"], json.loads(message["data"])["state"]), ("hob:finished", "cancelled"), "message")
        heard = []
        ear = app.pubsub()
        ear.subscribe(**{"hob:kind:greet": lambda message: heard.append(json.loads(message["data"]))})
        thread = ear.run_in_thread(sleep_time=0.01)
        job = app.execute_command("PUSH", "work", "greet", "2")
        app.execute_command("CANCEL", job)
        eventually(lambda: heard, "the thread's message")
        equal(heard[0]["id"], str(job), "its id")
        thread.stop()
        thread.join(PATIENCE)


def test_python_redis_on_resp3():
    """redis-py 5 and later with protocol=3: maps come as dicts."""
    redis = python_redis()
    if int(redis.__version__.split(".")[0]) < 5:
        raise Skip(f"redis-py {redis.__version__} speaks RESP2 only")
    with rig() as one:
        app = redis.Redis(port=one.port, protocol=3, decode_responses=True)
        job = app.execute_command("PUSH", "work", "greet", "1")
        equal(app.execute_command("GET", job)["state"], "available", "state")


def redis_cli(one, *words, stdin=None):
    done = subprocess.run([need("redis-cli"), "-p", str(one.port), *words], input=stdin, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    return done.stdout + done.stderr


def test_redis_cli_helps_pipes_and_speaks_resp3():
    """redis-cli shows Hob's commands as its help, sends a mass of commands with --pipe, and speaks RESP3 with -3."""
    with rig() as one:
        within(redis_cli(one, stdin="help push\n"), "add a job to a queue")
        within(redis_cli(one, stdin="help @hob\n"), "lease the next jobs")
        words = [b"PUSH", b"work", b"greet", b"1"]
        push = b"*4\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        piped = redis_cli(one, "--pipe", stdin=(push * 1000).decode())
        within(piped, "errors: 0, replies: 1000")
        within(redis_cli(one, "-3", "--no-raw", "GET", "1000"), '1# "id" => "1000"')
        within(redis_cli(one, "SET", "a", "b"), "Hob holds jobs, not keys")


def test_redis_cli_subscribes():
    """redis-cli subscribe prints what becomes of jobs."""
    with rig() as one:
        ear = subprocess.Popen([need("redis-cli"), "-p", str(one.port), "--csv", "subscribe", "hob:finished"],
                               stdout=subprocess.PIPE, text=True)
        one.processes.append(ear)
        lines = iter(ear.stdout.readline, "")
        check(any('"subscribe","hob:finished",1' in line for line in lines), "the confirmation")
        one.hob("cancel", one.hob("push", "work", "greet", "1").strip())
        within(next(lines), 'cancelled')


def test_redis_benchmark():
    """redis-benchmark drives a command of Hob, with pipelining."""
    with rig() as one:
        done = subprocess.run([need("redis-benchmark"), "-p", str(one.port), "-n", "2000", "-c", "10", "-P", "8", "-q",
                               "PUSH", "work", "greet", "x"], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        within(done.stdout, "requests per second", done.stderr)
        check("ERR" not in done.stdout + done.stderr, done.stdout + done.stderr)
        equal(int(re.search(r"available:(\d+)", redis_cli(one, "INFO", "jobs"))[1]), 2000, "jobs pushed")


def guide_code(language):
    """The blocks of the guide's page on Redis clients in a language."""
    page = (ROOT / "doc/guide/redis-clients.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)


def test_the_programs_of_the_guide_run():
    """The guide's producer and worker in Python and its producer in Node do what the page says."""
    python_redis()
    node_ready()
    with rig() as one:
        one.work({"count-words": [str(ROOT / "examples/sample/count_words.py")]}, queues=("default",))
        environment = {**os.environ, "HOB_SERVER": f"127.0.0.1:{one.port}",
                       "NODE_PATH": str(ROOT / "tests/node/node_modules")}
        push, work = guide_code("python")
        (script,) = guide_code("js")

        def run(argv):
            return subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, env=environment, check=False)

        done = run(["/usr/bin/python3", "-c", push])
        within(done.stdout, "completed ", done.stderr)
        within(done.stdout, '"words": 4')
        worker = subprocess.Popen(["/usr/bin/python3", "-c", work, "1"], env=environment)
        one.processes.append(worker)
        equal(one.hob("push", "default", "shout", "quiet", "--wait").strip(), "QUIET", "the worker's result")
        equal(worker.wait(PATIENCE), 0, "the worker's exit code")
        done = run(["node", "-e", script])
        within(done.stdout, "completed ", done.stderr)
        within(done.stdout, '"words": 3')


# A call of each command that must not end in "no such command" or "wrong number of arguments": by redis-py, which knows
# nothing of Hob. {id} and {token} are those of a running job.
CALLS = {
    "PUSH": "work greet 1", "MPUSH": "2 work greet 1 0 work greet 2 0", "FETCH": "w2 QUEUES none",
    "LOG": "{id} {token} LINES hello", "PROGRESS": "{id} {token} 10", "CHECKPOINT": "{id} {token} half",
    "EXTEND": "{id} {token} 30000", "BEAT": "w", "GET": "{id}", "WAIT": "{id} 1", "FIND": "no", "RESULT": "{id}",
    "PAYLOAD": "{id}", "LOGS": "{id}", "SEARCH": "TEXT x", "UPDATE": "1000 PRIORITY 5", "TOKEN": "LIST", "AUDIT": "",
    "LS": "", "WORKER": "w3", "CANCEL": "1000", "DISCARD": "1000", "RETRY": "1000", "DELETE": "1000", "PAUSE": "idle",
    "RESUME": "idle", "QUEUE": "work", "QUEUES": "", "WORKERS": "", "STATS": "ALL SERIES", "UNSERVED": "", "HELP": "",
    "PING": "", "ECHO": "x", "NEXT": "work", "EXPLAIN": "{id}",
    "KIND": "greet", "KINDS": "", "LIMITER": "api CONCURRENCY 2", "LIMITERS": "STOPPED", "GROUP": "work a WEIGHT 2",
    "GROUPS": "work", "SKIP": "work a",
    "HELLO": "2", "AUTH": "x", "SELECT": "0", "CLIENT": "ID", "COMMAND": "COUNT", "INFO": "", "CONFIG": "GET save",
    "TIME": "", "MULTI": "", "EXEC": "", "RELEASE": "{id} {token}", "ACK": "{id} {token}", "MACK": "{id} {token}",
    "FAIL": "{id} {token} no", "MFAIL": "no {id} {token}", "SUBSCRIBE": "hob:events", "UNSUBSCRIBE": "",
    "PSUBSCRIBE": "hob:*", "PUNSUBSCRIBE": "", "RESET": "", "QUIT": "",
}


def test_every_command_is_called_by_a_foreign_client():
    """Each row of the table of commands is called by redis-py at least once, and answers something sensible."""
    redis = python_redis()
    with rig() as one:
        app = redis.Redis(port=one.port, single_connection_client=True)
        app.connection.send_command("COMMAND", "LIST")
        rows = {name.decode().upper() for name in app.connection.read_response()}
        equal(rows - set(CALLS), set(), "commands that this test does not call")
        equal(set(CALLS) - rows, set(), "calls of commands that are not there")
        app.execute_command("PUSH", "work", "greet", "1")
        job = app.execute_command("FETCH", "w", "QUEUES", "work")[0]
        numbers = {"id": job[0].decode(), "token": job[1].decode()}
        for name, words in CALLS.items():
            connection = app.connection
            connection.send_command(name, *[word.format(**numbers) for word in words.split()])
            try:
                connection.read_response()
            except redis.ResponseError as error:
                check(re.match(r"NOJOB|STALE|WRONGPASS|ERR EXEC", str(error)), f"{name} {words}: {error}")
                if name == "AUTH":  # a wrong token ends the connection; redis-py makes a new one
                    connection.disconnect()
