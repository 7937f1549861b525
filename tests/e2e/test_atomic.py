# SPDX-License-Identifier: Apache-2.0
"""Lists that are pushed all or none, and lists whose times are spread: by every way in."""
import json

from lib import check, equal, rig, within

LINES = "application/x-ndjson"


def lines(*jobs):
    return "".join(json.dumps(dict({"queue": "mail", "kind": "send"}, **job)) + "\n" for job in jobs)


def post(hob, query, body):
    """Status, headers, and the lines or the problem of the answer."""
    status, headers, got = hob.http("POST", f"/v1/jobs{query}", body, {"Content-Type": LINES})
    if status != 200:
        return status, headers, got
    return status, headers, [json.loads(line) for line in got.splitlines()] if isinstance(got, bytes) else [got]


def jobs(hob):
    return hob.http("GET", "/v1/stats")[2]["jobs"]


def mpush(*items):
    words = ["MPUSH", "ATOMIC", len(items)]
    for payload, *options in items:
        words += ["mail", "send", payload, len(options), *options]
    return words


def test_all_are_pushed_or_none_by_resp():
    with rig() as hob:
        client = hob.resp()
        error = client.error(*mpush(["1"], ["2", "PRIORITY", "high"], ["3"]))
        equal(error.word, "BADARG")
        within(str(error), "nothing was pushed: job 2 of the list: PRIORITY")
        client.call("PUSH", "mail", "send", "0", "UNIQUE", "u")
        error = client.error(*mpush(["1"], ["2"], ["3", "UNIQUE", "u", "ONCONFLICT", "reject"]))
        within(str(error), "UNIQUE nothing was pushed: job 3 of the list: another job holds this unique key: job 1")
        equal(jobs(hob), 1)
        equal(client.call(*mpush(["1"], ["2"], ["3", "UNIQUE", "u"])), [2, 3, 1])
        got = client.call(*mpush(["1", "KEY", "k"], ["2", "KEY", "k", "VERBOSE"]))
        equal([item[1] for item in got], [b"4", b"4"])
        error = client.error("MPUSH", "ATOMIC", 10001, *(["mail", "send", "1", 0] * 10001))
        within(str(error), "1 to 10000 jobs")
        equal(len(client.call("MPUSH", "ATOMIC", 10000, *(["mail", "send", "1", 0] * 10000))), 10000)
        equal(client.error("MPUSH", "ATOMIC", 2, "mail", "send", "1", 0).word, "ERR")
        hob.kill()
        hob.start()
        equal(jobs(hob), 10004)


def test_all_are_pushed_or_none_by_http():
    with rig() as hob:
        hob.hob("queues", "set", "mail", "--length", "2")
        status, headers, problem = post(hob, "?atomic=true", lines({"payload": 1}, {"payload": 2}, {"payload": 3}))
        equal((status, problem["code"], problem["item"], headers["Retry-After"]), (429, "QUEUEFULL", 3, "1"))
        status, _, problem = post(hob, "?atomic=true", lines({"payload": 1}) + "\n{broken\n")
        equal((status, problem["code"], problem["item"]), (400, "BADARG", 2))
        within(problem["detail"], "nothing was pushed: job 2 of the list: the line is no JSON object")
        equal(post(hob, "?atomic=true", "")[0], 400)
        equal(jobs(hob), 0)
        texts = [{"payload": "x" * 3000, "on_done": {"success": {"push": {"queue": "a", "kind": kind}}}}
                 for kind in "kl"]
        status, _, got = post(hob, "?atomic=true", lines(*texts))
        equal((status, [job["id"] for job in got]), (200, ["1", "2"]))
        for job, kind in zip(got, "kl"):
            equal(hob.http("GET", f"/v1/jobs/{job['id']}")[2]["on_done"]["success"][0]["push"]["kind"], kind)
        # Without it each line is for itself.
        got = post(hob, "", lines({"queue": "b"}, {}, {"queue": "b"}))[2]
        equal(["code" in line for line in got], [False, True, False])
        equal(hob.http("POST", "/v1/jobs?atomic=true", {"queue": "mail", "kind": "send"})[0], 400)


def test_all_are_pushed_or_none_by_the_command_line():
    with rig() as hob:
        within(hob.hob("push", "-", "--atomic", stdin=lines({}, {"unknown": 1}), code=2), "nothing was pushed: line 2")
        within(hob.hob("push", "-", "--atomic", stdin=lines({}, {"group": "no name"}), code=2), "job 2 of the list")
        equal(jobs(hob), 0)
        equal(hob.hob("push", "-", "--atomic", stdin=lines({"payload": "a"}, {"delay": "1h"})).split(), ["1", "2"])
        equal(hob.state("2"), "scheduled")
        equal(json.loads(hob.hob("push", "-", "--atomic", "--json", stdin=lines({})))["id"], "3")
        equal(hob.hob("push", "-", "--atomic", stdin=""), "")
        hob.hob("push", "mail", "send", "1", "--atomic", code=2)


def delays(hob, ids):
    found = [hob.http("GET", f"/v1/jobs/{job}")[2] for job in ids]
    equal([job["state"] for job in found], ["available"] + ["scheduled"] * (len(found) - 1))
    return [job.get("run_at") for job in found]


def test_times_are_spread_by_every_way_in():
    with rig() as hob:
        client = hob.resp()
        words = ["mail", "send", "1", 0]
        each = client.call("MPUSH", "SPREAD", 3600000, 3, *(words * 3))
        together = client.call("MPUSH", "SPREAD", 3600000, "ATOMIC", 3, *(words * 3))
        lined = hob.hob("push", "-", "--spread", "1h", stdin=lines({}, {}, {})).split()
        atomic = hob.hob("push", "-", "--spread", "1h", "--atomic", stdin=lines({}, {}, {})).split()
        posted = [job["id"] for job in post(hob, "?spread=1h", lines({}, {}, {}))[2]]
        for ids in (each, together, lined, atomic, posted):
            first, second, third = delays(hob, ids)
            check(first is None, "the first is due at once")
            # RFC 3339 in UTC: minutes and hours can be told apart as texts are.
            check(second < third, (second, third))
        own = {"delay": "1h"}
        status, _, got = post(hob, "?spread=1h", lines({}, own))
        equal((status, ["code" in line for line in got]), (200, [False, True]))
        equal(post(hob, "?spread=1h&atomic=true", lines({}, own))[0], 400)
        within(hob.hob("push", "-", "--spread", "1h", stdin=lines({}, own), code=1), "line 2: it has a time of its own")
        within(str(client.error("MPUSH", "ATOMIC", "SPREAD", 9, 1, "mail", "send", "1", 2, "DELAY", 5)), "spread")


def test_a_token_pushes_a_list_to_its_queues_only():
    with rig() as hob:
        admin = hob.hob("token", "create", "admin", "--scope", "admin").strip()
        client = hob.resp()
        client.call("AUTH", admin)
        token = client.call("TOKEN", "CREATE", "app", "SCOPE", "push", "QUEUE", "mail")
        client = hob.resp()
        client.call("AUTH", token)
        error = client.error("MPUSH", "ATOMIC", 2, "mail", "send", "1", 0, "other", "send", "1", 0)
        equal(error.word, "NOPERM")
        within(str(error), "job 2 of the list")
        equal(len(client.call("MPUSH", "ATOMIC", 2, *(["mail", "send", "1", 0] * 2))), 2)
