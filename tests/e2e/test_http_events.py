# SPDX-License-Identifier: Apache-2.0
"""Server-sent events over a real connection: live, resumed, ended, dropped."""
import http.client
import json
import socket

from lib import PATIENCE, check, equal, eventually, rig


class Stream:
    """A reader of server-sent events as the HTML standard describes it."""

    def __init__(self, hob, path, last=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", hob.port, timeout=PATIENCE)
        self.connection.request("GET", path, headers={"Last-Event-ID": last} if last else {})
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.last = last
        hob.clients.append(self)

    def next(self):
        """(event, data) of the next event; None at the end."""
        event, data = None, None
        while True:
            line = self.response.readline().decode().rstrip("\n")
            if line == "":
                if event is not None:
                    return event, json.loads(data)
                if self.response.isclosed() or not self.response.fp:
                    return None
                continue
            name, _, value = line.partition(": ")
            if name == "id":
                self.last = value
            elif name == "event":
                event = value
            elif name == "data":
                data = value

    def until(self, event):
        seen = []
        while True:
            got = self.next()
            check(got is not None, f"the stream ended before {event}: {seen}")
            seen.append(got)
            if got[0] == event:
                return seen

    def close(self):
        self.connection.close()


def push(hob, **fields):
    return hob.http("POST", "/v1/jobs", {"queue": "work", "kind": "k", **fields})[2]["id"]


def test_a_running_job_is_followed_line_by_line_until_it_ends():
    with rig() as hob:
        gate = hob.dir / "gate"
        script = hob.script("k", f"#!/bin/sh\necho first >&2\nwhile [ ! -e {gate} ]; do sleep 0.05; done\n"
                                 "echo second >&2\necho done\n")
        job = push(hob)
        stream = Stream(hob, f"/v1/jobs/{job}/events")
        equal((stream.status, stream.response.getheader("Content-Type")), (200, "text/event-stream"))
        equal(stream.next()[0], "job")
        hob.work({"k": [script]})
        seen = stream.until("log")
        equal(seen[0][1]["state"], "running")
        equal([line["text"] for line in seen[-1][1]["lines"]], ["first"], "a line while the job still runs")
        gate.write_text("")
        rest = stream.until("end")
        equal([line["text"] for word, data in rest if word == "log" for line in data["lines"]], ["second"])
        state = [data for word, data in rest if word == "state"][-1]
        equal((state["state"], state["from"], rest[-1][1]["state"]), ("completed", "running", "completed"))
        check(state["ran_ms"] > 0, "it ran for some time")
        # A browser that comes back is told not to.
        equal(Stream(hob, f"/v1/jobs/{job}/events", stream.last).status, 204)


def test_a_reader_resumes_after_a_broken_connection_and_is_told_of_a_gap_after_a_restart():
    with rig() as hob:
        stream = Stream(hob, "/v1/events?queue=work")
        first = push(hob)
        equal(stream.next()[1]["id"], first)
        stream.close()
        missed = [push(hob), push(hob)]
        push(hob, queue="other")
        again = Stream(hob, "/v1/events?queue=work", stream.last)
        equal([again.next()[1]["id"] for _ in missed], missed, "what happened meanwhile")
        equal(hob.stop(), 0)
        seen = again.until("end")
        equal(seen[-1][1], {"reason": "the server stops"})
        hob.start()
        late = Stream(hob, "/v1/events", again.last)
        equal(late.next()[0], "gap")
        job = push(hob)
        word, data = late.next()
        equal((word, data["id"], data.get("from")), ("state", job, None))


def test_a_reader_that_takes_nothing_is_dropped_and_costs_little():
    with rig() as hob:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
        slow.connect(("127.0.0.1", hob.port))
        slow.sendall(b"GET /v1/events?type=log HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        hob.clients.append(slow)
        check(slow.recv(12).startswith(b"HTTP/1.1 200"), "the stream begins")
        job = push(hob)
        token = hob.http("POST", "/v1/fetch", {"worker": "w", "queues": ["work"]})[2]["jobs"][0]["token"]
        line = "x" * 60000

        for _ in range(200):
            hob.http("POST", f"/v1/jobs/{job}/log", {"token": token, "lines": [line]})
        slow.setblocking(True)
        slow.settimeout(PATIENCE)
        got = b""
        while True:
            more = slow.recv(1 << 20)
            if not more:
                break
            got += more
        check(b"event: dropped" in got, "a last event says why")
        check(len(got) < 200 * 60000, "what it did not take was not kept")
        eventually(lambda: hob.http("GET", "/v1/stats")[2]["connections"] == 1, "the connection to be gone")
