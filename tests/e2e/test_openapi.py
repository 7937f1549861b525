# SPDX-License-Identifier: Apache-2.0
"""/openapi.json is the contract: linted, the same as the tables of the source both ways, and kept by live answers."""
import json
import re

from lib import ROOT, check, equal, node, rig, within

METHODS = ("get", "post", "put", "patch", "delete")


def document(hob):
    status, headers, body = hob.http("GET", "/openapi.json")
    equal((status, headers["Content-Type"]), (200, "application/json"))
    return body


def pointer(*parts):
    return "".join("/" + part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
                   for part in parts)


def test_the_document_passes_a_linter_of_others():
    with rig() as hob:
        path = hob.dir / "openapi.json"
        path.write_text(json.dumps(document(hob)))
        # The ids of the native path are not ambiguous: a path without a parameter goes first.
        equal(node("openapi_lint.js", path, "no-ambiguous-paths").strip(), "")


def test_paths_and_tables_are_the_same_both_ways():
    with rig() as hob:
        paths = document(hob)["paths"]
        source = (ROOT / "src/dialect/http/routes.h").read_text()
        table = {(method.lower(), re.sub(r"\*", "{}", path))
                 for method, path in re.findall(r'X\((\w+),\s+"([^"]+)"', source)}
        check(len(table) > 30, "the table was found")
        said = {(method, re.sub(r"\{\w+\}", "{}", path)) for path, item in paths.items() for method in item}
        equal(said, table)
        # Each path is there, with its methods and no others.
        for path, item in paths.items():
            real = path.replace("{id}", "1").replace("{name}", "n").replace("{code}", "NOJOB")
            allow = {word.strip().lower() for word in hob.http("OPTIONS", real)[1]["Allow"].split(",")}
            equal(allow - {"head", "options"}, set(item), path)


def test_parameters_and_members_are_those_that_the_server_takes():
    with rig() as hob:
        paths = document(hob)["paths"]
        for path, item in paths.items():
            real = path.replace("{id}", "1").replace("{name}", "n").replace("{code}", "NOJOB")
            for method, operation in item.items():
                what = f"{method} {path}"
                status, _, problem = hob.http(method.upper(), f"{real}?no_such_thing=1", **body_for(operation, "{}"))
                equal((status, problem["code"]), (400, "BADARG"), f"{what}: an unknown parameter")
                names = {p["name"] for p in operation["parameters"] if p.get("in") == "query"}
                if names:
                    listed = problem["detail"].split("there are ")[-1].split()
                    equal(set(listed), names, f"{what}: the parameters that the server lists")
                content = operation.get("requestBody", {}).get("content", {})
                if "application/json" not in content:
                    continue
                equal(content["application/json"]["schema"]["additionalProperties"], False, what)
                members = set(content["application/json"]["schema"]["properties"])
                status, _, problem = hob.http(method.upper(), real, **body_for(operation, '{"no_such_thing":1}'))
                check(status in (400, 404), f"{what}: an unknown member was taken: {status}")
                for name in members:
                    _, _, problem = hob.http(method.upper(), real, **body_for(operation, json.dumps({name: {}})))
                    if isinstance(problem, dict):
                        check("there is no member" not in problem.get("detail", ""), f"{what}: {name} is not taken")


def body_for(operation, body):
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return {}
    return {"body": body, "headers": {"Content-Type": next(iter(content))}}


def test_live_answers_keep_to_their_schemas():
    with rig() as hob:
        spec = document(hob)
        cases = []

        def call(method, path, body=None, template=None, **headers):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            status, answer, data = hob.http(method, path, body, headers)
            operation = spec["paths"][template or path.split("?")[0]][method.lower()]
            key = str(status) if str(status) in operation["responses"] else f"{str(status)[0]}XX"
            within(operation["responses"], key, f"{method} {path}: a status that is documented")
            if status in (204, 304):
                return data
            kind = answer["Content-Type"].split(";")[0]
            if key.endswith("XX"):
                equal(kind, "application/problem+json")
                schema = pointer("components", "schemas", "Problem")
            else:
                where = "*/*" if "*/*" in operation["responses"][key]["content"] else kind
                schema = pointer("paths", template or path.split("?")[0], method.lower(), "responses", key, "content",
                                 where, "schema")
            if kind == "application/x-ndjson":
                raw = data.decode() if isinstance(data, bytes) else json.dumps(data)
                values = [json.loads(line) for line in raw.splitlines()]
            elif "json" in kind:
                values = [data if not isinstance(data, bytes) else json.loads(data)]
            else:
                return data
            cases.extend({"what": f"{method} {path} {kind}", "schema": schema, "value": value} for value in values)
            return data

        whole = {"queue": "q", "kind": "k", "payload": {"a": 1}, "key": "k1", "ref": "r", "tags": ["t"], "keep": "1h",
                 "headers": {"x": "y"}, "content_type": "application/json", "delay": "0s", "backoff": "fixed:1s"}
        job = call("POST", "/v1/jobs", whole)["id"]
        call("POST", "/v1/jobs", whole)
        call("POST", "/v1/jobs", {"queue": "q"})
        call("POST", "/v1/jobs", {"queue": "q", "kind": "k", "payload_text": "é"}, Prefer="return=representation")
        call("POST", "/v1/jobs", '{"queue":"q","kind":"k"}\n{"queue":"q"}\n', Content_Type="application/x-ndjson")
        leased = call("POST", "/v1/fetch", {"worker": "w", "queues": ["q"], "count": 2, "mode": "listed"})["jobs"]
        token = {one["id"]: one["token"] for one in leased}
        one = "/v1/jobs/{id}"
        call("POST", f"/v1/jobs/{job}/log", {"token": token[job], "lines": ["x", {"text": "y", "level": "warn"}]},
             one + "/log")
        call("POST", f"/v1/jobs/{job}/progress", {"token": token[job], "percent": 3, "text": "z"}, one + "/progress")
        call("POST", f"/v1/jobs/{job}/checkpoint", {"token": token[job], "checkpoint": [1]}, one + "/checkpoint")
        call("POST", f"/v1/jobs/{job}/extend", {"token": token[job], "lease": "30s"}, one + "/extend")
        call("GET", f"/v1/jobs/{job}", None, one)
        call("POST", f"/v1/jobs/{job}/fail", {"token": token[job], "message": "m", "what": "W", "backtrace": "b",
                                              "code": -1, "retry_in": "1h"}, one + "/fail")
        other = leased[1]["id"]
        call("POST", f"/v1/jobs/{other}/ack", {"token": token[other], "result_base64": "/wA="}, one + "/ack")
        call("POST", f"/v1/jobs/{other}/ack", {"token": token[other]}, one + "/ack")
        for path in (f"/v1/jobs/{job}", f"/v1/jobs/{other}", "/v1/jobs/999"):
            call("GET", path, None, one)
        call("GET", f"/v1/jobs/{job}/logs", None, one + "/logs")
        call("GET", f"/v1/jobs/{job}/logs", None, one + "/logs", Accept="application/x-ndjson")
        call("POST", f"/v1/jobs/{job}/cancel", {"by": "me", "why": "so"}, one + "/cancel")
        call("GET", f"/v1/jobs/{job}", None, one)
        call("POST", f"/v1/jobs/{job}/retry", {}, one + "/retry")
        call("GET", "/v1/jobs?limit=2")
        call("GET", "/v1/jobs?limit=2", Accept="application/x-ndjson")
        call("POST", "/v1/jobs/discard", {"ids": [job, "999"], "dry_run": True})
        call("POST", "/v1/jobs/cancel", {"filter": {"queue": "q"}, "limit": 1})
        call("POST", "/v1/jobs/ack", '{"id":"1","token":"77"}\n{}\n', Content_Type="application/x-ndjson")
        call("PUT", "/v1/workers/w", {"slots": 3, "kinds": ["k"]}, "/v1/workers/{name}")
        call("POST", "/v1/workers/w/beat", {"alive": 20000}, "/v1/workers/{name}/beat")
        call("POST", "/v1/queues/q/pause", {"for": "1h", "by": "me", "why": "so"}, "/v1/queues/{name}/pause")
        call("GET", "/v1/queues/q", None, "/v1/queues/{name}")
        for path in ("/v1/queues", "/v1/workers", "/v1/stats", "/version", "/problems", "/livez", "/readyz"):
            call("GET", path)
        call("GET", "/problems/NOJOB", None, "/problems/{code}")
        root = call("POST", "/v1/tokens", {"name": "root", "scopes": ["admin"], "by": "me"})
        bearer = {"Authorization": f"Bearer {root['token']}"}
        made = call("POST", "/v1/tokens", {"name": "a/b", "scopes": ["push", "read"], "queues": ["m.*", "x"],
                                           "expires_in": "90d"}, **bearer)
        call("GET", "/v1/tokens", **bearer)
        call("GET", "/v1/tokens/a%2Fb", None, "/v1/tokens/{name}", **bearer)
        call("DELETE", "/v1/tokens/a%2Fb", None, "/v1/tokens/{name}", **bearer)
        call("DELETE", "/v1/tokens/a%2Fb", None, "/v1/tokens/{name}", **bearer)
        call("GET", "/v1/audit?since=1h&limit=50", **bearer)
        trail = call("GET", "/v1/audit", Accept="application/x-ndjson", **bearer)
        call("DELETE", "/v1/tokens/root?force=true", None, "/v1/tokens/{name}", **bearer)
        path = hob.dir / "openapi.json"
        path.write_text(json.dumps(spec))
        check(len(cases) > 40, "answers were gathered")
        equal(node("openapi_validate.js", path, stdin=json.dumps(cases)), "")
        # And nothing is answered that is not described.
        schemas = spec["components"]["schemas"]
        for line in trail.splitlines():
            unknown = set(json.loads(line)) - set(schemas["AuditLine"]["properties"])
            equal(unknown, set(), "undescribed members of a line of the trail")
        for name, value in (("LeasedJob", leased[0]), ("NewToken", made),
                            ("Job", hob.http("GET", f"/v1/jobs/{job}")[2]),
                            ("Job", hob.http("GET", f"/v1/jobs/{other}")[2]),
                            ("JobRow", hob.http("GET", "/v1/jobs")[2]["jobs"][0]),
                            ("Queue", hob.http("GET", "/v1/queues/q")[2]), ("Stats", hob.http("GET", "/v1/stats")[2])):
            equal(set(value) - set(schemas[name]["properties"]), set(), f"undescribed members of {name}")
