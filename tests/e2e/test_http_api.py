# SPDX-License-Identifier: Apache-2.0
"""The HTTP interface as a program in any language meets it: by urllib and curl."""
import json
import re
import socket
import subprocess
import threading

from lib import ROOT, check, equal, need, rig, within


def lines(body):
    return [json.loads(line) for line in body.decode().splitlines()]


def push(hob, count=1, **fields):
    body = "\n".join(json.dumps({"queue": "q", "kind": "k", **fields}) for _ in range(count))
    status, _, data = hob.http("POST", "/v1/jobs", body, {"Content-Type": "application/x-ndjson"})
    equal(status, 200)
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return [line["id"] for line in lines(data)]


def test_a_worker_can_be_written_with_curl():
    with rig() as hob:
        base = f"http://127.0.0.1:{hob.port}"

        def curl(*words):
            out = subprocess.run([need("curl"), "-sS", "--fail-with-body", *words], capture_output=True,
                                 text=True, check=True).stdout
            return json.loads(out)

        as_json = ["-H", "Content-Type: application/json"]
        curl("-X", "PUT", f"{base}/v1/workers/sh-1", *as_json, "-d", '{"slots":2,"kinds":["k"]}')
        job = curl(f"{base}/v1/jobs", *as_json, "-d", '{"queue":"q","kind":"k","payload":{"n":1}}')
        fetched = curl(f"{base}/v1/fetch", *as_json, "-d", '{"worker":"sh-1","queues":["q"],"wait":"5s"}')["jobs"][0]
        equal((fetched["id"], fetched["payload"]), (job["id"], {"n": 1}))
        beat = curl("-X", "POST", f"{base}/v1/workers/sh-1/beat", *as_json, "-d", '{"alive":"60s"}')
        equal((beat["running"], beat["slots"]), (1, 2))
        done = curl(f"{base}/v1/jobs/{job['id']}/ack", *as_json, "-d",
                    json.dumps({"token": fetched["token"], "result": [1, 2]}))
        equal(done["state"], "completed")


def test_a_push_that_waits_is_answered_with_the_result():
    with rig() as hob:
        echo = hob.script("echo", "#!/bin/sh\ncat\n")
        hob.work({"echo": [echo]})
        status, headers, job = hob.http("POST", "/v1/jobs", {"queue": "work", "kind": "echo", "payload": [7]},
                                        {"Prefer": "wait=30"})
        equal((status, job["state"], job["result"]), (200, "completed", [7]))
        equal(headers["Preference-Applied"], "wait=30")
        equal(headers["Location"], f"/v1/jobs/{job['id']}")
        status, headers, body = hob.http("POST", "/v1/jobs", {"queue": "none", "kind": "k"},
                                         {"Prefer": "return=minimal"})
        equal((status, body), (202, b""))
        check(int(headers["Retry-After"]) >= 1, "Retry-After is a number of seconds")


def test_a_thousand_jobs_are_pushed_finished_and_removed_in_a_few_requests():
    with rig() as hob:
        ids = push(hob, 1000)
        equal(len(set(ids)), 1000)
        fetched = hob.http("POST", "/v1/fetch", {"worker": "w", "queues": ["q"], "count": 1000})[2]["jobs"]
        equal(len(fetched), 1000)
        acks = [{"id": job["id"], "token": job["token"], "result": {"n": n}} for n, job in enumerate(fetched)]
        acks[500]["token"] = "999999"
        status, headers, data = hob.http("POST", "/v1/jobs/ack", "\n".join(map(json.dumps, acks)),
                                         {"Content-Type": "application/x-ndjson"})
        equal((status, headers["Content-Type"]), (200, "application/x-ndjson"))
        answers = lines(data)
        equal([answer["id"] for answer in answers], [ack["id"] for ack in acks], "an answer for each, in order")
        equal([n for n, answer in enumerate(answers) if "code" in answer], [500])
        equal(answers[500]["code"], "STALE")
        wanted, done = {"filter": {"queue": "q", "state": "completed"}, "limit": 400}, 0
        while True:
            answer = hob.http("POST", "/v1/jobs/delete", wanted)[2]
            done += answer["done"]
            if answer["next"] is None:
                break
            wanted["cursor"] = answer["next"]
        equal(done, 999)
        left = hob.http("GET", "/v1/jobs?queue=q")[2]["jobs"]
        equal([(job["id"], job["state"]) for job in left], [(acks[500]["id"], "running")])


def test_pages_are_followed_by_link_to_the_end():
    with rig() as hob:
        ids = push(hob, 25)
        path, seen, pages = "/v1/jobs?limit=10&queue=q", [], 0
        while path:
            status, headers, data = hob.http("GET", path, headers={"Accept": "application/x-ndjson"})
            equal(status, 200)
            seen += [json.loads(line)["id"] for line in
                     (data.decode().splitlines() if isinstance(data, bytes) else [json.dumps(data)])]
            link = headers.get("Link")
            path = link[1:link.index(">")] if link else None
            pages += 1
        equal((seen, pages), (list(reversed(ids)), 3))


def test_a_job_is_not_sent_twice_to_who_has_it():
    with rig() as hob:
        [job] = push(hob)
        tag = hob.http("GET", f"/v1/jobs/{job}")[1]["ETag"]
        status, headers, data = hob.http("GET", f"/v1/jobs/{job}", headers={"If-None-Match": tag})
        equal((status, headers["ETag"], data), (304, tag, b""))
        hob.http("POST", f"/v1/jobs/{job}/cancel", {})
        equal(hob.http("GET", f"/v1/jobs/{job}", headers={"If-None-Match": tag})[0], 200)


def test_every_refusal_is_a_problem_whose_page_is_there():
    with rig() as hob:
        as_json = {"Content-Type": "application/json"}
        cases = [
            ("GET", "/nowhere", None, {}, 404, "NOROUTE"),
            ("PUT", "/v1/jobs", None, {}, 405, "METHOD"),
            ("GET", "/v1/jobs", None, {"Accept": "image/png"}, 406, "ACCEPT"),
            ("POST", "/v1/jobs", "queue=q", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "TYPE"),
            ("POST", "/v1/jobs", "{", as_json, 400, "BADARG"),
            ("POST", "/v1/jobs", '{"queue":"q","kind":"k","priorty":1}', as_json, 400, "BADARG"),
            ("POST", "/v1/jobs", "{}", {**as_json, "Origin": "http://evil.example"}, 403, "ORIGIN"),
            ("GET", "/v1/jobs/99", None, {}, 404, "NOJOB"),
            ("GET", "/v1/queues/none", None, {}, 404, "NOQUEUE"),
            ("GET", "/v1/workers/none", None, {}, 404, "NOWORKER"),
            ("POST", "/v1/jobs/99/ack", '{"token":"1"}', as_json, 404, "NOJOB"),
        ]
        for method, path, body, headers, status, code in cases:
            what = f"{method} {path} {headers}"
            got, answer, problem = hob.http(method, path, body, {**headers, "X-Request-Id": "r-1"})
            equal((got, problem.get("code"), problem.get("status")), (status, code, status), what)
            equal(answer["Content-Type"], "application/problem+json", what)
            equal((answer["X-Request-Id"], problem["request_id"]), ("r-1", "r-1"), what)
            page = hob.http("GET", problem["type"])
            equal((page[0], page[2]["code"]), (200, code), what)
        within(hob.http("PUT", "/v1/jobs", None)[1]["Allow"], "GET, HEAD, POST")


def test_each_problem_of_the_source_has_a_page():
    source = "".join(path.read_text() for path in sorted((ROOT / "src/dialect/http").glob("*.c")))
    codes = set(re.findall(r'http_problem(?:_begin)?\(\s*\w+,\s*\w+,\s*"([A-Z]+)"', source))
    check(len(codes) >= 8, f"codes were found: {codes}")
    with rig() as hob:
        pages = {page["code"] for page in hob.http("GET", "/problems")[2]["problems"]}
        equal(codes - pages, set(), "codes without a page")


def test_a_get_that_prefers_to_wait_hears_of_the_end():
    with rig() as hob:
        [job] = push(hob)
        got = []
        waiter = threading.Thread(target=lambda: got.append(
            hob.http("GET", f"/v1/jobs/{job}", headers={"Prefer": "respond-async, wait=30"})))
        waiter.start()
        hob.http("POST", f"/v1/jobs/{job}/cancel", {"by": "a test"})
        waiter.join(30)
        equal((got[0][0], got[0][2]["state"], got[0][2]["by"]), (200, "cancelled", "a test"))


def test_a_connection_that_is_to_close_closes_after_a_late_answer():
    with rig() as hob:
        [job] = push(hob)
        client = socket.create_connection(("127.0.0.1", hob.port), timeout=20)
        head = f"GET /v1/jobs/{job}?wait=100ms HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode())
        got = b""
        while True:
            more = client.recv(65536)
            if not more:
                break
            got += more
        client.close()
        within(got.decode(), '"state":"available"')


def test_a_trace_goes_from_the_request_to_the_program():
    parent, state = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=a1,other@x=b"
    with rig() as hob:
        show = hob.script("show", '#!/bin/sh\nprintf \'%s %s\' "$TRACEPARENT" "$TRACESTATE"\n')
        status, _, job = hob.http("POST", "/v1/jobs", {"queue": "work", "kind": "show"},
                                  {"traceparent": parent, "tracestate": state})
        equal(status, 202)
        seen = hob.http("GET", f"/v1/jobs/{job['id']}")[2]
        equal(seen["headers"], {"traceparent": parent, "tracestate": state})
        hob.work({"show": [show]})
        equal(hob.http("GET", f"/v1/jobs/{job['id']}?wait=30s")[2]["result"], f"{parent} {state}")
        leased = hob.http("POST", "/v1/jobs", {"queue": "other", "kind": "k"}, {"traceparent": parent})[2]["id"]
        fetched = hob.http("POST", "/v1/fetch", {"worker": "w", "queues": ["other"]})[2]["jobs"][0]
        equal((fetched["id"], fetched["headers"]), (leased, {"traceparent": parent}))
