# SPDX-License-Identifier: Apache-2.0
"""10,000 webhooks at once, against hosts that answer, wait, refuse, break, redirect inside or are inside: each is
delivered exactly as the rules say."""
import collections
import contextlib
import json
import time

from lib import check, equal, eventually, pairs, rig
from receiver import Receiver

# what, how many jobs, to which host, path, attempts at most, timeout -> state, attempts, requests that arrive
Kind = collections.namedtuple("Kind", "count host path attempts timeout state tried sent")
KINDS = {
    "answers 200": Kind(5500, "good", "/ok", 5, None, "completed", 1, 1),
    "503 once, then 200": Kind(1300, "good", "/flaky/{n}/1", 5, None, "completed", 2, 2),
    "503 three times, then 200": Kind(400, "good", "/flaky/{n}/3", 5, None, "completed", 4, 4),
    "always 500": Kind(400, "good", "/status/500", 3, None, "discarded", 3, 3),
    "410": Kind(500, "good", "/status/410", 5, None, "discarded", 1, 1),
    "answers after 200 ms": Kind(400, "good", "/slow/200", 5, None, "completed", 1, 1),
    "endless body": Kind(100, "good", "/body", 5, None, "completed", 1, 1),
    "redirects to a private address": Kind(200, "good", "/redirect?to={inside}", 5, None, "discarded", 1, 1),
    "429 with Retry-After, for a while": Kind(300, "busy", "/busy", 50, None, "completed", None, None),
    "resets the connection": Kind(200, "broken", "/reset", 2, None, "discarded", 2, 2),
    "closes without a word": Kind(200, "broken", "/close", 2, None, "discarded", 2, 2),
    "closes in the middle": Kind(100, "broken", "/early", 2, None, "discarded", 2, 2),
    "never answers": Kind(50, "broken", "/slow/600000", 1, "1s", "discarded", 1, 1),
    "sends less than it says": Kind(50, "broken", "/lie", 1, "1s", "discarded", 1, 1),
    "endless headers": Kind(100, "broken", "/head", 1, None, "discarded", 1, 1),
    "a private address": Kind(200, "inside", "/ok", 5, None, "discarded", 1, 0),
}


BUSY = 60  # requests that the busy host sends away before it has time


class Busy(Receiver):
    """Sends the first requests away, whosever they are."""

    async def do_busy(self, words, query, body, writer):
        self.seen["busy"] += 1
        if self.seen["busy"] <= BUSY:
            await self.answer(writer, 429, Retry_After=1)
        else:
            await self.answer(writer, 200)


def ask_all(client, requests):
    """The answers to many requests, pipelined."""
    answers = []
    for start in range(0, len(requests), 500):
        for words in requests[start:start + 500]:
            client.send(*words)
        answers += [client.reply() for _ in requests[start:start + 500]]
    return answers


def push_all(client, hosts):
    """Push all, kinds mixed; a map from id to kind."""
    todo = [(place / kind.count, name, place) for name, kind in KINDS.items() for place in range(kind.count)]
    requests = []
    for _, name, place in sorted(todo):
        kind = KINDS[name]
        path = kind.path.format(n=f"{kind.tried}-{place}", inside=hosts["inside"].url("/ok"))
        request = {"url": hosts[kind.host].url(path), "body": {"n": place}, "secret": "shared"}
        if kind.timeout:
            request["timeout"] = kind.timeout
        requests.append(("PUSH", "work", "hook", json.dumps(request), "ATTEMPTS", kind.attempts,
                         "BACKOFF", "fixed:100ms"))
    return dict(zip(ask_all(client, requests), (name for _, name, _ in sorted(todo))))


def test_ten_thousand_webhooks_are_delivered_as_the_rules_say():
    count = sum(kind.count for kind in KINDS.values())
    equal(count, 10000)
    with contextlib.ExitStack() as stack:
        hosts = {"good": Receiver(keep=False), "busy": Busy(keep=False), "broken": Receiver(keep=False),
                 "inside": Receiver("127.0.0.2", keep=False)}
        for host in hosts.values():
            stack.callback(host.close)
        hob = stack.enter_context(rig())
        client = hob.resp()
        client.call("PAUSE", "work")
        kinds = push_all(client, hosts)
        equal(len(kinds), count)
        http = {"allow": ["127.0.0.1/32"], "host_max": 300, "secrets": ["shared"]}
        hob.work({"hook": {"http": http}}, slots=1000, secrets={"shared": "whsec_" + "C" * 32})
        started = time.monotonic()
        client.call("RESUME", "work")

        def over():
            stats = pairs(client.call("STATS"))
            return stats[b"completed"] + stats[b"discarded"] == count
        eventually(over, "all jobs to be over", patience=180)
        took = time.monotonic() - started
        table(hosts, kinds, client)
        requests = sum(sum(host.by_key.values()) for host in hosts.values())
        print(f"{count} webhooks, {requests} requests in {took:.1f} s: {count / took:.0f} webhooks/s")
        equal(hosts["inside"].open_max, 0, "connections to the private address")
        check("was refused" not in (hob.dir / "worker.log").read_text(), "an end was told twice")


def table(hosts, kinds, client):
    """What became of each kind; a Failure at the first job that is not as it should be."""
    sent = collections.Counter()
    for host in hosts.values():
        for key, times in host.by_key.items():
            sent[int(key.split("_")[1])] += times
    seen = collections.defaultdict(collections.Counter)
    for job, got in zip(kinds, ask_all(client, [("GET", job) for job in kinds])):
        got = pairs(got)
        seen[kinds[job]][(got[b"state"].decode(), got[b"attempt"], sent[job])] += 1
    print(f"{'what the host does':33} {'jobs':>5}  state      attempts requests")
    wrong = []
    for name, kind in KINDS.items():
        for (state, tried, arrived), times in sorted(seen[name].items()):
            print(f"{name:33} {times:5}  {state:10} {tried:8} {arrived:8}")
        if kind.tried is None:
            right = all(state == kind.state and tried == arrived for state, tried, arrived in seen[name])
            more = sum((arrived - 1) * times for (_, _, arrived), times in seen[name].items())
            if not right or more != BUSY:
                wrong.append(f"{name}: {dict(seen[name])}, wanted {BUSY} requests more than jobs")
        elif seen[name] != {(kind.state, kind.tried, kind.sent): kind.count}:
            wrong.append(f"{name}: {dict(seen[name])}, wanted {(kind.state, kind.tried, kind.sent)}")
    check(not wrong, "; ".join(wrong))
