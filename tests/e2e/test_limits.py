# SPDX-License-Identifier: Apache-2.0
"""What stops jobs that wait: rates, limits and pauses of queues, groups, limiters and kinds, over RESP and the CLI, and
after a kill."""
import json

from lib import check, equal, eventually, pairs, rig, within


def fetch(client, queue="mail", count=10):
    """Lease what may start now: payloads by their order, and the leases (id, token)."""
    jobs = client.call("FETCH", "w", "COUNT", count, "QUEUES", queue)
    return [job[5].decode() for job in jobs], [(job[0], job[1]) for job in jobs]


def payloads(client, queue="mail", count=10):
    return fetch(client, queue, count)[0]


def push(client, payload, *options, queue="mail", kind="send"):
    return client.call("PUSH", queue, kind, payload, *options)


def shown(client, *words):
    return {key.decode(): value for key, value in pairs(client.call(*words)).items()}


def rows(hob, *words):
    return [json.loads(line) for line in hob.hob(*words, "--json").splitlines()]


def again(hob):
    hob.kill()
    hob.start()
    return hob.resp()


def test_a_rate_of_a_queue_gives_no_second_burst_after_a_kill():
    with rig() as hob:
        client = hob.resp()
        for n in range(6):
            push(client, n)
        hob.hob("queues", "set", "mail", "--rate", "2/1h", "--burst", "3")
        equal(payloads(client), ["0", "1", "2"])
        client = again(hob)
        equal(payloads(client), [], "after the kill")
        queue = rows(hob, "queues")[0]
        equal((queue["rate"], queue["burst"]), ("2/1h", 3))
        within(queue["opens_at"], "T", "when it opens")
        equal(client.call("QUEUE", "mail", "RATE", "none"), b"OK")
        equal(payloads(client), ["3", "4", "5"])
        equal(client.error("QUEUE", "mail", "RATE", "1/0s").word, "BADARG")
        equal(client.error("QUEUE", "mail", "BURST", "2").word, "BADARG")
        within(hob.hob("queues", "set", "mail", "--rate", "soon", code=2), "100/1m")


def test_a_limiter_counts_units_of_jobs_of_all_queues_and_over_a_kill():
    with rig() as hob:
        client = hob.resp()
        push(client, "a", "LIMITERS", "disk=2")
        hob.hob("push", "mail", "send", "b", "--limiters", "disk=2")
        hob.hob("push", "-", stdin='{"queue":"other","kind":"send","payload_text":"c","limiters":["disk","api"]}\n')
        push(client, "d")
        hob.hob("limiters", "set", "disk", "--concurrency", "3")
        got, leases = fetch(client)
        equal(got, ["a", "d"], "two units run, and two more are too many")
        equal(payloads(client, "other"), ["c"], "one more is not")
        client = again(hob)
        equal(payloads(client), [])
        limiter = rows(hob, "limiters")[1]
        equal([limiter[key] for key in ("name", "concurrency", "running", "waiting", "own")],
              ["disk", 3, 3, 1, ["concurrency"]])
        client.call("ACK", *leases[0])
        equal(payloads(client), ["b"])
        equal(shown(client, "GET", 2)["limiters"], [b"disk=2"])
        hob.hob("limiters", "set", "disk", "--reset")
        equal(shown(client, "LIMITER", "disk")["concurrency"], 0)
        equal(client.error("PUSH", "q", "k", "1", "LIMITERS", "a,b,c,d,e").word, "BADARG")
        equal(client.error("PUSH", "q", "k", "1", "LIMITERS", "a,a").word, "BADARG")
        equal(client.error("LIMITER", "nobody").word, "UNKNOWN")


def test_the_rate_of_a_limiter_outlives_a_kill():
    with rig() as hob:
        client = hob.resp()
        for n in range(4):
            push(client, n, "LIMITERS", "api")
        equal(client.call("LIMITER", "api", "RATE", "1/1h", "BURST", 2), b"OK")
        equal(payloads(client), ["0", "1"])
        client = again(hob)
        equal(payloads(client), [])
        hob.hob("limiters", "set", "api", "--rate", "none")
        equal(payloads(client), ["2", "3"])


def test_a_rule_holds_for_each_limiter_that_it_fits():
    with rig() as hob:
        client = hob.resp()
        hob.hob("limiters", "set", "customer-*", "--concurrency", "1")
        hob.hob("limiters", "set", "customer-9", "--concurrency", "2")
        for n in (7, 7, 8, 9, 9, 9):
            push(client, n, "LIMITERS", f"customer-{n}")
        client = again(hob)
        equal(payloads(client), ["7", "8", "9", "9"])
        equal([row["name"] for row in rows(hob, "limiters")],
              ["customer-*", "customer-7", "customer-8", "customer-9"])
        equal(client.call("LIMITER", "customer-*", "RESET"), b"OK")
        equal(payloads(client), ["7"])
        equal(client.error("PAUSE", "customer-*", "LIMITER").word, "BADARG")


def test_jobs_change_their_limiters_while_they_wait():
    with rig() as hob:
        client = hob.resp()
        job = push(client, "a", "LIMITERS", "closed")
        hob.hob("pause", "closed", "--limiter")
        equal(payloads(client), [])
        hob.hob("update", str(job), "--limiters", "open,disk=2")
        equal(shown(client, "GET", job)["limiters"], [b"open", b"disk=2"])
        client.call("UPDATE", job, "LIMITERS", "closed")
        equal(payloads(client), [])
        client.call("UPDATE", job, "LIMITERS", "")
        equal(payloads(client), ["a"])


def test_kinds_limiters_and_groups_are_paused_and_resumed():
    with rig() as hob:
        client = hob.resp()
        push(client, "group", "GROUP", "acme")
        push(client, "limiter", "LIMITERS", "stripe")
        push(client, "kind", kind="bill")
        push(client, "plain")
        within(hob.hob_done("pause", "acme", "--group-of", "mail", "--by", "ada", "--why", "not paid").stderr,
               "group acme of queue mail: paused")
        hob.hob("pause", "stripe", "--limiter", "--for", "1h", "--why", "429")
        hob.hob("pause", "bill", "--kind")
        equal(payloads(client), ["plain"])
        client = again(hob)
        equal(payloads(client), [], "after the kill")
        group = rows(hob, "groups", "mail", "--stopped")[0]
        equal([group[key] for key in ("name", "paused", "paused_by", "paused_why")], ["acme", True, "ada", "not paid"])
        limiter = rows(hob, "limiters", "--stopped")[0]
        equal([limiter["name"], limiter["paused_why"], "paused_until" in limiter], ["stripe", "429", True])
        equal([row["name"] for row in rows(hob, "kinds")], ["bill"])
        within(hob.hob_done("resume", "bill", "--kind").stderr, "kind bill: resumed")
        equal(client.call("RESUME", "stripe", "LIMITER"), b"OK")
        equal(client.call("RESUME", "acme", "GROUPOF", "mail"), b"OK")
        equal(payloads(client), ["group", "limiter", "kind"])
        equal([rows(hob, *words, "--stopped") for words in (["limiters"], ["groups", "mail"])], [[], []])
        hob.hob("resume", "nobody", "--limiter", code=3)
        equal(client.error("PAUSE", "a", "KIND", "LIMITER").word, "BADARG")


def test_a_pause_with_an_end_ends_by_itself():
    with rig() as hob:
        client = hob.resp()
        push(client, "a", "LIMITERS", "api")
        client.call("PAUSE", "api", "LIMITER", "FOR", 200)
        equal(payloads(client), [])
        got = client.call("FETCH", "w", "WAIT", 20000, "QUEUES", "mail")
        equal(got[0][5], b"a")
        check(not shown(client, "LIMITER", "api")["paused"], "it is over")


def test_groups_have_limits_and_one_of_its_own_goes_before():
    with rig() as hob:
        client = hob.resp()
        hob.hob("queues", "set", "mail", "--group-concurrency", "1", "--group-rate", "2/1h", "--group-burst", "2")
        hob.hob("groups", "set", "mail", "big", "--concurrency", "3", "--rate", "none")
        for n in range(3):
            push(client, f"a{n}", "GROUP", "a")
            push(client, f"big{n}", "GROUP", "big")
        client = again(hob)
        got, leases = fetch(client)
        equal(sorted(got), ["a0", "big0", "big1", "big2"])
        client.call("ACK", *leases[got.index("a0")])
        got, leases = fetch(client)
        equal(got, ["a1"], "one at a time")
        client.call("ACK", *leases[0])
        equal(payloads(client), [], "two in an hour")
        groups = {row["name"]: row for row in rows(hob, "groups", "mail")}
        equal([groups["a"][key] for key in ("concurrency", "rate", "waiting")], [1, "2/1h", 1])
        equal([groups["big"][key] for key in ("concurrency", "running")], [3, 3])
        client = again(hob)
        equal(payloads(client), [], "after the kill")
        equal(client.call("QUEUE", "mail", "GROUPRATE", "none"), b"OK")
        equal(payloads(client), ["a2"])


def test_weights_of_groups_share_the_turns():
    with rig() as hob:
        client = hob.resp()
        hob.hob("groups", "set", "mail", "b", "--weight", "3")
        for n in range(6):
            push(client, "a", "GROUP", "a")
            push(client, "b", "GROUP", "b")
        client = again(hob)
        got = payloads(client, count=8)
        equal((got.count("a"), got.count("b")), (2, 6))
        equal(client.call("GROUP", "mail", "b", "RESET"), b"OK")
        equal(shown(client, "GROUP", "mail", "b")["weight"], 1)


def test_a_failure_blocks_a_strict_group_until_it_is_skipped_or_retried():
    with rig() as hob:
        client = hob.resp()
        hob.hob("queues", "set", "mail", "--group-order", "block")
        for n in range(3):
            push(client, f"a{n}", "GROUP", "a", "ATTEMPTS", 1)
        push(client, "b0", "GROUP", "b")
        got, leases = fetch(client)
        equal(sorted(got), ["a0", "b0"], "one of a group")
        client.call("FAIL", *leases[got.index("a0")], "no")
        client = again(hob)
        equal(payloads(client), [])
        equal(rows(hob, "groups", "mail", "--stopped")[0]["blocked_by"], "1")
        equal(hob.hob("groups", "skip", "mail", "a"), "1\n")
        got, leases = fetch(client)
        equal(got, ["a1"])
        client.call("FAIL", *leases[0], "no")
        equal(payloads(client), [])
        client.call("RETRY", 2)
        got, leases = fetch(client)
        equal(got, ["a1"], "the job that blocked goes first")
        client.call("ACK", *leases[0])
        got, leases = fetch(client)
        equal(got, ["a2"])
        client.call("FAIL", *leases[0], "no")
        equal(client.call("SKIP", "mail", "a"), 3)
        equal(client.call("SKIP", "mail", "a"), 0)
        equal(hob.hob("groups", "skip", "mail", "a"), "")


def test_skip_goes_on_after_a_failure_and_park_while_a_job_is_retried():
    with rig() as hob:
        client = hob.resp()
        for order, after_failure in (("skip", []), ("park", ["1"])):
            hob.hob("queues", "set", order, "--group-order", order)
            for n in range(3):
                push(client, n, "GROUP", "a", "ATTEMPTS", 2, "BACKOFF", "fixed:1h", queue=order)
            got, leases = fetch(client, order)
            equal(got, ["0"])
            equal(client.call("FAIL", *leases[0], "no"), b"retryable")
            client = again(hob)
            got, leases = fetch(client, order)
            equal(got, after_failure, order)
            if not got:
                client.call("DISCARD", 1)
                equal(payloads(client, order), ["1"], order)


def test_aging_lets_old_jobs_before_new_ones_of_a_better_priority():
    with rig() as hob:
        client = hob.resp()
        push(client, "old", "PRIORITY", 5)
        before = shown(client, "STATS")["now"]
        eventually(lambda: shown(client, "STATS")["now"] >= before + 20, "20 ms to go by")
        push(client, "new", "PRIORITY", 4)
        push(client, "urgent", "PRIORITY", 1, "FRONT")
        equal(client.call("QUEUE", "mail", "AGING", 86400000), b"OK")
        equal([job[b"priority"] for job in map(pairs, client.call("NEXT", "mail"))], [1, 4, 5], "a day a step")
        hob.hob("queues", "set", "mail", "--aging", "1ms")
        client = again(hob)
        equal(payloads(client), ["urgent", "old", "new"], "a millisecond a step")
        equal(shown(client, "QUEUE", "mail")["aging_ms"], 1)


def test_groups_of_a_queue_that_is_not_there_are_not_found():
    with rig() as hob:
        client = hob.resp()
        equal(client.error("GROUPS", "nowhere").word, "NOQUEUE")
        equal(hob.http("GET", "/v1/queues/nowhere/groups")[0], 404)
        within(hob.hob("groups", "nowhere", code=3), "NOQUEUE")
        client.call("PUSH", "plain", "k", "")
        equal(hob.hob("groups", "plain", "--json"), "")
        equal(client.call("GROUPS", "plain", "AFTER", "z"), [])
        client.call("PAUSE", "ann", "GROUPOF", "later")
        equal(len(client.call("GROUPS", "later")), 1, "what is set about it is told")
