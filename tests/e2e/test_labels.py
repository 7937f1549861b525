# SPDX-License-Identifier: Apache-2.0
"""What a job carries for others: tags, headers, the type of its payload."""
import json

from lib import equal, rig, within

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_labels_survive_a_kill_and_are_shown_by_cli_and_http():
    with rig() as hob:
        headers = json.dumps({"traceparent": TRACE, "tenant": "42"})
        job = hob.hob("push", "mail", "send", "Hello", "--tag", "urgent,eu", "--headers", headers,
                      "--type", "text/plain").strip()
        hob.kill()
        hob.start()
        seen = json.loads(hob.hob("get", job, "--json"))
        equal((seen["tags"], seen["content_type"]), (["urgent", "eu"], "text/plain"))
        equal(seen["headers"], {"traceparent": TRACE, "tenant": "42"})
        body = hob.http("GET", f"/v1/jobs/{job}")[2]
        equal((body["tags"], body["headers"]["tenant"], body["version"]), (["urgent", "eu"], "42", 1))
        within(hob.hob("get", job), "urgent,eu")
        within(hob.hob("push", "mail", "send", "x", "--headers", "[]", code=2), "headers")


def test_lines_may_carry_labels():
    with rig() as hob:
        line = json.dumps({"queue": "q", "kind": "k", "payload": 1, "tags": ["a", "b"], "headers": {"x": "y"}})
        job = hob.hob("push", "-", stdin=line + "\n").strip()
        body = hob.http("GET", f"/v1/jobs/{job}")[2]
        equal((body["tags"], body["headers"]), (["a", "b"], {"x": "y"}))
