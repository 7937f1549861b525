# SPDX-License-Identifier: Apache-2.0
"""Jobs that must be done by a time."""
import time

from lib import equal, rig
from test_http import receiver


def last_cause(hob, job):
    return hob.http("GET", f"/v1/jobs/{job}")[2]["errors"][-1]["cause"]


def test_a_waiting_job_is_discarded_a_margin_before_its_deadline_also_after_a_kill():
    with rig() as hob:
        job = hob.hob("push", "mail", "k", "1", "--deadline", "1h", "--margin", "5m").strip()
        other = hob.http("POST", "/v1/jobs", {"queue": "mail", "kind": "k", "payload": 1,
                                              "deadline": "2100-01-01T00:00:00Z"})[2]["id"]
        hob.kill()
        hob.start()
        view = hob.http("GET", f"/v1/jobs/{job}")[2]
        equal(view["margin_ms"], 300000)
        equal(hob.http("GET", f"/v1/jobs/{other}")[2]["deadline"], "2100-01-01T00:00:00Z")
        hob.resp().call("UPDATE", job, "DEADLINEIN", "300200")
        hob.hob("wait", job, "--timeout", "20s", code=1)
        equal(last_cause(hob, job), "deadline")
        hob.http("PATCH", f"/v1/jobs/{other}", {"deadline_in": "0s"})
        assert "deadline" not in hob.http("GET", f"/v1/jobs/{other}")[2]


def test_a_retry_that_comes_too_late_is_not_waited_for():
    with rig() as hob:
        app = hob.resp()
        job = str(app.call("PUSH", "q", "k", "1", "DEADLINEIN", 60000))
        token = app.call("FETCH", "w", "QUEUES", "q")[0][1].decode()
        equal(app.call("FAIL", job, token, "no", "RETRYIN", 90000), b"discarded")
        equal(last_cause(hob, job), "deadline")


def test_children_have_the_deadline_of_the_job_that_pushes_them():
    with rig() as hob:
        app = hob.resp()
        job = str(app.call("PUSH", "q", "k", "1", "DEADLINE", 4102444800000))
        push = ("PUSH", "parts", "k", "1", "PARENT", job)
        equal(app.error(*push).word, "STATE")
        app.call("FETCH", "w", "QUEUES", "q")
        child = hob.http("GET", f"/v1/jobs/{app.call(*push)}")[2]
        equal((child["deadline"], child["parent"]), ("2100-01-01T00:00:00Z", job))
        listed = hob.http("GET", f"/v1/jobs?parent={job}")[2]["jobs"]
        equal([one["id"] for one in listed], [child["id"]])
        follow = {"success": {"push": {"queue": "q", "kind": "k", "parent": job}}}
        status, _, problem = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "on_done": follow})
        equal(status, 400)
        assert "parent" in problem["detail"], problem


def test_a_program_is_stopped_at_the_deadline_and_told_of_it():
    with rig() as hob:
        hob.work({"slow": ["sh", "-c", "echo $HOB_DEADLINE >&2; exec sleep 60"]})
        job = hob.hob("push", "work", "slow", "1", "--deadline", "2s", "--timeout", "1h").strip()
        until = time.time() + 2
        hob.hob("wait", job, "--timeout", "30s", code=1)
        view = hob.http("GET", f"/v1/jobs/{job}")[2]
        equal([error["cause"] for error in view["errors"]], ["timeout", "deadline"])
        told = int(hob.http("GET", f"/v1/jobs/{job}/logs")[2]["lines"][0]["text"])
        assert until - 3 <= told <= until + 3, (told, until)


def test_a_request_carries_the_deadline():
    with receiver() as there, rig() as hob:
        hob.work({"hook": {"http": {"allow": ["127.0.0.1/32"]}}})
        body = f'{{"url": "http://127.0.0.1:{there.port}/ok"}}'
        hob.hob("push", "work", "hook", body, "--deadline-at", "2100-01-01T00:00:00Z", "--wait", "--timeout", "20s")
        hob.hob("push", "work", "hook", body, "--wait", "--timeout", "20s")
        equal([request.headers.get("hob-deadline") for request in there.requests], ["4102444800", None])
