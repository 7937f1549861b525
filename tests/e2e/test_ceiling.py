# SPDX-License-Identifier: Apache-2.0
"""At the ceiling of memory pushes are refused with a time to come back; every other verb works, by RESP and HTTP."""
import contextlib

from lib import RespError, check, equal, eventually, pairs, rig, within

JOIN = ("PUSH", "later", "k", "[1]", "UNIQUE", "u", "UNIQUESCOPE", "waiting", "MERGE", "append")


def fill(client):
    """Push until it is refused; how many were taken."""
    pushed = 0
    while pushed < 200000:
        words = [word for n in range(500) for word in ("bulk", "k", "x" * 200, 0)]
        answers = client.call("MPUSH", 500, *words)
        refused = [answer for answer in answers if isinstance(answer, RespError)]
        pushed += len(answers) - len(refused)
        if refused:
            equal(refused[0].word, "MEMORY")
            return pushed
    raise AssertionError(f"{pushed} jobs of 200 bytes fit into 8 MiB")


@contextlib.contextmanager
def full():
    """A server with a few of everything, at its ceiling."""
    with rig(None) as hob:
        hob.start("--memory", "8MiB")
        client = hob.resp()
        client.call("WORKER", "w", "SLOTS", 100)
        client.call("WORKER", "one", "SLOTS", 1)
        for _ in range(40):
            client.call("PUSH", "work", "k", "1", "ONDONE", '{"finished":{"push":{"queue":"after","kind":"next"}}}')
        for _ in range(20):
            client.call("PUSH", "work", "k", "1", "GROUP", "a", "LIMITERS", "api")
        client.call(*JOIN, "DELAY", "1h")
        client.call("PUSH", "later", "k", "1", "KEY", "known")
        fill(client)
        yield hob, client


def fetch(client):
    got = client.call("FETCH", "w", "QUEUES", "work")[0]
    return got[0].decode(), got[1].decode()


def test_pushes_are_refused_with_a_time_and_come_back_by_themselves():
    with full() as (hob, client):
        within(hob.server_log(), 'msg="pushes are refused: memory is nearly used up" count=1 queue=bulk')
        equal(hob.http("GET", "/readyz")[0], 503)
        status, headers, problem = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "payload": 1})
        equal((status, problem["code"], headers["Retry-After"]), (503, "MEMORY", "1"))
        job, _ = fetch(client)
        equal(client.error("PUSH", "work", "k", "child", "PARENT", job).word, "MEMORY")
        equal(client.error(*JOIN).word, "MEMORY")
        equal(client.error("UPDATE", 30, "PAYLOAD", "x").word, "MEMORY")
        equal(client.call("PUSH", "later", "k", "1", "KEY", "known"), 62, "what is known is answered")
        for _ in range(2):
            for got in client.call("FETCH", "big", "COUNT", 1000, "QUEUES", "bulk"):
                client.call("ACK", got[0], got[1])
                client.call("DELETE", got[0])
        client.call("PUSH", "q", "k", "there is room again")
        equal(hob.http("GET", "/readyz")[0], 200)
        check(fill(client) > 500, "it can be filled again")


def test_every_other_verb_works_by_resp():
    with full() as (hob, client):
        job, token = fetch(client)
        for words in (("EXTEND", job, token, 30000), ("CHECKPOINT", job, token, "c" * 100000),
                      ("LOG", job, token, "LINES", "x" * 1000), ("PROGRESS", job, token, 40, "two of five"),
                      ("BEAT", "w"), ("ACK", job, token, "r" * 100000)):
            check(not isinstance(client.call(*words), RespError), words[0])
        equal(client.call("RESULT", job), b"r" * 100000)
        eventually(lambda: client.call("FETCH", "one", "QUEUES", "after"), "the callback of a job that ended")
        job, token = fetch(client)
        client.call("FAIL", job, token, "no", "BACKTRACE", "b" * 1000)
        client.call("RETRY", job)
        job, token = fetch(client)
        client.call("RELEASE", job, token)
        job, token = fetch(client)
        client.call("CANCEL", job)
        client.call("RETRY", job)
        client.call("DISCARD", job)
        client.call("WAIT", job, 100)
        client.call("DELETE", job)
        job, token = fetch(client)
        client.call("MACK", job, token)
        job, token = fetch(client)
        client.call("MFAIL", "no", job, token)
        waiting = client.call("LS", "QUEUE", "work", "STATE", "available")
        check(waiting, "LS")
        calls = """PAUSE work|RESUME work|QUEUE work WEIGHT 7|QUEUE fresh WEIGHT 7|PAUSE k KIND|RESUME k KIND
            PAUSE a GROUPOF work|RESUME a GROUPOF work|LIMITER api CONCURRENCY 3|LIMITER fresh CONCURRENCY 3
            PAUSE api LIMITER|RESUME api LIMITER|SKIP work a|WORKER another SLOTS 3|STATS ALL|QUEUES|KINDS|LIMITERS
            GROUPS work|WORKERS|NEXT work|EXPLAIN {job}|GET {job}|LOGS {job}|SEARCH TEXT x|UNSERVED|AUDIT|TOKEN LIST"""
        for line in calls.format(job=job).replace("\n", "|").split("|"):
            words = line.split()
            check(not isinstance(client.call(*words), RespError), f"{words}")
        some = client.call("FETCH", "w", "COUNT", 2, "QUEUES", "work")
        client.call("RELEASE", some[0][0], some[0][1])
        client.call("UPDATE", some[0][0], "PRIORITY", 5)
        equal(int(pairs(client.call("STATS"))[b"memory_max_bytes"]), 8 * 1024 * 1024)
        equal(client.error("PUSH", "q", "k", "1").word, "MEMORY", "it is still at its ceiling")


def test_every_other_verb_works_by_http():
    with full() as (hob, _):
        def does(method, path, body=None):
            status, _, data = hob.http(method, path, body)
            check(status in (200, 201, 204), f"{method} {path}: {status} {data}")
            return data

        def leased():
            job = does("POST", "/v1/fetch", {"worker": "w", "queues": ["work"]})["jobs"][0]
            return "/v1/jobs/" + job["id"], job["token"]

        job, token = leased()
        does("POST", job + "/extend", {"token": token, "lease": "30s"})
        does("POST", job + "/checkpoint", {"token": token, "checkpoint_text": "c" * 100000})
        does("POST", job + "/progress", {"token": token, "percent": 40, "text": "two of five"})
        does("POST", job + "/log", {"token": token, "lines": ["x" * 1000]})
        does("POST", job + "/ack", {"token": token, "result_text": "r" * 100000})
        does("GET", job + "/result")
        job, token = leased()
        does("POST", job + "/fail", {"token": token, "message": "no"})
        does("POST", job + "/retry", {})
        job, token = leased()
        does("POST", job + "/release", {"token": token})
        does("PATCH", job, {"priority": 9})
        for verb in ("cancel", "retry", "discard"):
            does("POST", f"{job}/{verb}", {"by": "ann", "why": "a test"})
        does("GET", job + "?wait=10ms")
        does("DELETE", job)
        does("PATCH", "/v1/queues/work", {"weight": 3})
        does("PATCH", "/v1/limiters/api", {"concurrency": 2})
        does("PATCH", "/v1/queues/work/groups/a", {"weight": 2})
        for place in ("queues/work", "limiters/api", "queues/work/groups/a", "kinds/k"):
            does("POST", f"/v1/{place}/pause", {"why": "a test"})
            does("POST", f"/v1/{place}/resume", {})
        does("POST", "/v1/queues/work/groups/a/skip", {})
        does("PUT", "/v1/workers/another", {"slots": 2})
        does("POST", "/v1/workers/another/beat", {})
        for path in ("jobs?queue=work", "queues", "limiters", "kinds", "workers", "stats", "stats/all",
                     "queues/work/next", "logs?search=x", "audit"):
            does("GET", "/v1/" + path)
        does("POST", "/v1/tokens", {"name": "root", "scopes": ["admin"]})
