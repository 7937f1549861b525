# SPDX-License-Identifier: Apache-2.0
"""Changing a waiting job, and callbacks that survive a kill."""
import json

from lib import equal, rig, within


def test_an_update_survives_a_kill_and_a_stale_one_is_a_conflict():
    with rig() as hob:
        job = hob.hob("push", "mail", "send", "1", "--delay", "1h").strip()
        equal(hob.hob("update", job, "--priority", "3", "--queue", "fast").strip(), "2")
        hob.kill()
        hob.start()
        body = hob.http("GET", f"/v1/jobs/{job}")[2]
        equal((body["priority"], body["queue"], body["version"], body["state"]), (3, "fast", 2, "scheduled"))
        within(hob.hob("update", job, "--priority", "1", "--if-version", "1", code=7), "CHANGED")
        equal(hob.hob("update", job, "--delay", "0", "--if-version", "2").strip(), "3")
        equal(hob.state(job), "available")


def test_an_end_that_is_acknowledged_has_its_callbacks_after_a_kill():
    with rig() as hob:
        follow = {"success": {"push": {"queue": "next", "kind": "k"}}, "finished": {"url": "https://example.org/"}}
        job = hob.hob("push", "work", "k", "1", "--on-done", json.dumps(follow)).strip()
        client = hob.resp()
        leased = client.call("FETCH", "w", "QUEUES", "work")[0]
        equal(client.call("ACK", leased[0], leased[1], '{"pages": 3}'), b"OK")
        hob.kill()
        hob.start()
        made = [hob.http("GET", f"/v1/jobs/{int(job) + n}")[2] for n in (1, 2)]
        equal([one["queue"] for one in made], ["next", "hob.callbacks"])
        equal([one["parent"] for one in made], [job, job])
        event = made[0]["payload"]
        equal((event["type"], event["subject"], event["data"]["result"]),
              ("io.hob.job.completed", job, {"pages": 3}))
        request = made[1]["payload"]
        equal((request["url"], request["body"]["id"]), ("https://example.org/", event["id"]))
