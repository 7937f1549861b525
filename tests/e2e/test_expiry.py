# SPDX-License-Identifier: Apache-2.0
"""Jobs that must start in time."""
from lib import equal, rig, within


def test_a_job_expires_in_a_paused_queue_and_its_callback_is_made():
    with rig() as hob:
        hob.hob("pause", "mail")
        follow = {"failure": {"push": {"queue": "after", "kind": "k"}}}
        job = hob.http("POST", "/v1/jobs", {"queue": "mail", "kind": "otp", "payload": 1, "expires_in": "200ms",
                                            "on_done": follow})[2]["id"]
        got = hob.http("GET", f"/v1/jobs/{job}?wait=20s")[2]
        equal((got["state"], got["errors"][0]["cause"], got["errors"][0]["attempt"]), ("discarded", "expired", 0))
        equal(hob.http("GET", "/v1/queues/mail")[2]["discarded_total"], 1)
        after = hob.http("GET", f"/v1/jobs/{int(job) + 1}")[2]
        equal((after["queue"], after["payload"]["data"]["error"]["cause"]), ("after", "expired"))
        within(hob.hob("logs", job), "expired")


def test_the_time_survives_a_kill_and_can_be_changed():
    with rig() as hob:
        job = hob.hob("push", "mail", "otp", "1", "--expires", "1h").strip()
        other = hob.hob("push", "mail", "otp", "1", "--expires-at", "2100-01-01T00:00:00Z").strip()
        hob.kill()
        hob.start()
        equal(hob.http("GET", f"/v1/jobs/{other}")[2]["expires_at"], "2100-01-01T00:00:00Z")
        client = hob.resp()
        client.call("UPDATE", job, "EXPIRESIN", "100")
        client.call("UPDATE", other, "EXPIRES", "0")
        hob.hob("wait", job, "--timeout", "20s", code=1)
        assert "expires_at" not in hob.http("GET", f"/v1/jobs/{other}")[2]
        equal(client.call("FETCH", "w", "QUEUES", "mail")[0][0], other.encode())
