# SPDX-License-Identifier: Apache-2.0
"""Labels that jobs need, and slots that they take."""
import urllib.request

from lib import equal, eventually, rig, within


def fetched(app, worker, queue="q"):
    return [str(int(job[0])) for job in app.call("FETCH", worker, "COUNT", 9, "QUEUES", queue)]


def test_labels_decide_which_worker_gets_a_job_also_after_a_kill():
    with rig() as hob:
        app = hob.resp()
        both = hob.hob("push", "q", "k", "1", "--needs", "gpu,eu").strip()
        one = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "payload": 1, "needs": ["gpu"]})[2]["id"]
        plain = str(app.call("PUSH", "q", "k", "1"))
        hob.kill()
        hob.start()
        app = hob.resp()
        equal(hob.http("GET", f"/v1/jobs/{both}")[2]["needs"], ["gpu", "eu"])
        app.call("WORKER", "w1", "SLOTS", 9)
        equal(fetched(app, "w1"), [plain])
        within(hob.hob("explain", one), "no live worker of its kind has the labels gpu")
        unserved = hob.http("GET", "/v1/stats")[2]["unserved"]
        equal(sorted((row["needs"], row["available"]) for row in unserved), [(["gpu"], 1), (["gpu", "eu"], 1)])
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{hob.port}/metrics", timeout=10).read().decode()
        within(metrics, 'hob_unserved_jobs{queue="q",kind="k",needs="gpu,eu",slots="1"} 1')
        hob.http("PUT", "/v1/workers/w2", {"labels": ["gpu", "ssd"]})
        equal(hob.http("GET", "/v1/workers/w2")[2]["labels"], ["gpu", "ssd"])
        equal(fetched(app, "w2"), [one])
        hob.hob("update", both, "--needs", "ssd")
        equal(fetched(app, "w2"), [both])


def test_a_big_job_is_not_overtaken():
    with rig() as hob:
        app = hob.resp()
        app.call("WORKER", "w", "SLOTS", 4)
        first = str(app.call("PUSH", "q", "k", "1", "COST", 2))
        token = app.call("FETCH", "w", "QUEUES", "q")[0][1].decode()
        big = hob.hob("push", "q", "k", "1", "--cost", "3").strip()
        small = str(app.call("PUSH", "q", "k", "1"))
        equal(fetched(app, "w"), [])
        equal(hob.http("GET", "/v1/workers/w")[2]["running"], 2)
        within(hob.hob("explain", big), "use all: 2 of 4 slots")
        app.call("ACK", first, token)
        equal(fetched(app, "w"), [big, small])
        equal(hob.http("GET", f"/v1/jobs/{big}")[2]["cost"], 3)


def test_a_cost_or_label_that_nobody_can_have_is_refused():
    with rig() as hob:
        app = hob.resp()
        within(str(app.error("PUSH", "q", "k", "1", "COST", 100001)), "COST")
        within(str(app.error("PUSH", "q", "k", "1", "NEEDS", "a b")), "NEEDS")
        within(str(app.error("WORKER", "w", "LABELS", "a b")), "labels")
        status, _, problem = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "cost": 0})
        equal(status, 400)
        within(problem["detail"], "cost")


def test_hob_work_has_labels_and_runs_what_fits_its_slots():
    with rig() as hob:
        gate = hob.dir / "gate"
        hob.work({"big": ["sh", "-c", f"until [ -e {gate} ]; do sleep 0.05; done"], "small": ["true"]}, slots=2,
                 labels=["gpu"])
        other = hob.hob("push", "work", "small", "1", "--needs", "tpu").strip()
        big = hob.hob("push", "work", "big", "1", "--cost", "2", "--needs", "gpu").strip()
        hob.until(big, "running")
        small = hob.hob("push", "work", "small", "1").strip()
        equal(hob.state(small), "available")
        worker = hob.http("GET", "/v1/workers")[2]["workers"][0]
        equal((worker["running"], worker["slots"], worker["labels"]), (2, 2, ["gpu"]))
        gate.touch()
        hob.hob("wait", small, "--timeout", "20s")
        eventually(lambda: hob.state(big) == "completed", "the big job to be done")
        equal(hob.state(other), "available")
