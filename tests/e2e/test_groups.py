# SPDX-License-Identifier: Apache-2.0
"""Turns between the groups of a queue, and jobs at the front."""
from lib import equal, rig


def payloads(jobs):
    return [job[5].decode() for job in jobs]


def test_groups_take_turns_over_every_way_in_and_after_a_restart():
    with rig() as hob:
        app = hob.resp()
        for n in (1, 2, 3):
            app.call("PUSH", "imports", "row", f"a{n}", "GROUP", "a")
        hob.http("POST", "/v1/jobs", {"queue": "imports", "kind": "row", "payload_text": "b1", "group": "b"})
        hob.hob("push", "imports", "row", "b9", "--group", "b", "--front")
        hob.hob("push", "-", stdin='{"queue":"imports","kind":"row","payload_text":"c1","group":"c","front":true}\n')
        hob.kill()
        hob.start()
        app = hob.resp()
        got = app.call("FETCH", "w", "COUNT", 6, "QUEUES", "imports")
        equal(payloads(got), ["c1", "b9", "a1", "a2", "b1", "a3"])


def test_a_group_is_shown_and_changed():
    with rig() as hob:
        status, _, job = hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "group": "a", "front": True})
        equal(status, 202)
        _, _, shown = hob.http("GET", f"/v1/jobs/{job['id']}")
        equal((shown["group"], shown["front"]), ("a", True))
        _, _, shown = hob.http("PATCH", f"/v1/jobs/{job['id']}", {"group": "b", "front": False})
        equal((shown["group"], shown.get("front")), ("b", None))
        hob.hob("update", job["id"], "--group", "", "--front")
        _, _, shown = hob.http("GET", f"/v1/jobs/{job['id']}")
        equal((shown.get("group"), shown["front"]), (None, True))
        hob.hob("update", job["id"], "--no-front")
        equal(hob.http("GET", f"/v1/jobs/{job['id']}")[2].get("front"), None)
        client = hob.resp()
        equal(client.error("UPDATE", job["id"], "FRONT", "NOFRONT").word, "BADARG")
        equal(client.error("UPDATE", job["id"], "NOFRONT", "NOFRONT").word, "BADARG")
        equal(client.error("UPDATE", job["id"], "PRIORITY").word, "BADARG")
        equal(hob.http("POST", "/v1/jobs", {"queue": "q", "kind": "k", "group": "a b"})[0], 400)
