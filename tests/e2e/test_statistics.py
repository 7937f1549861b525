# SPDX-License-Identifier: Apache-2.0
"""Statistics of queues and kinds: exact numbers of real jobs, by every door."""
import json

from lib import check, equal, eventually, pairs, rig, within


def ran(hob):
    """Five jobs that work, two that end with 3, one that is cancelled; three of another queue wait."""
    good = hob.script("good", "#!/bin/sh\nsleep 0.05\n")
    bad = hob.script("bad", "#!/bin/sh\nexit 3\n")
    gone = hob.hob("push", "work", "good", "{}", "--delay", "1h").strip()
    hob.hob("cancel", gone)
    jobs = [hob.hob("push", "work", "good", "{}").strip() for _ in range(5)]
    twice = ("--attempts", "2", "--backoff", "fixed:10ms")
    jobs += [hob.hob("push", "work", "bad", "{}", *twice).strip() for _ in range(2)]
    for _ in range(3):
        hob.hob("push", "later", "good", "{}")
    hob.work({"good": [good], "bad": [bad]})
    for job in jobs[:5]:
        hob.until(job, "completed")
    for job in jobs[5:]:
        hob.until(job, "discarded")


WANTED = {"pushed": 8, "started": 9, "ended": 9, "completed": 5, "retried": 2, "discarded": 2, "cancelled": 1,
          "failed_exit": 4, "failed_timeout": 0, "wait_count": 9, "run_count": 9}


def picked(stats):
    return {key: stats[key] for key in WANTED}


def test_statistics_are_exact_by_every_door():
    with rig() as hob:
        ran(hob)
        stats = json.loads(hob.hob("stats", "--queue", "work", "--json"))
        equal(picked(stats), WANTED)
        equal((stats["available"], stats["running"], stats["oldest_age_ms"], stats["queue"]), (0, 0, 0, "work"))
        equal(picked(hob.http("GET", "/v1/queues/work/stats")[2]), WANTED)
        told = {key.decode(): value for key, value in pairs(hob.resp().call("STATS", "QUEUE", "work")).items()}
        equal(picked(told), WANTED)
        check(50000 * 0.95 <= stats["run_p90_us"] <= stats["run_max_us"], str(stats))
        check(stats["run_p50_us"] <= stats["run_p90_us"] <= stats["run_p999_us"], str(stats))
        check(stats["pushed_minute"] <= 8, str(stats))
        equal((stats["pushed_hour"], stats["completed_hour"]), (8, 5))
        later = hob.http("GET", "/v1/queues/later/stats")[2]
        equal((later["pushed"], later["available"], later["started"], "wait_p50_us" in later), (3, 3, 0, False))
        eventually(lambda: hob.http("GET", "/v1/queues/later/stats")[2]["oldest_age_ms"] > 0, "the oldest to age")
        check(hob.http("GET", "/v1/kinds/good/stats")[2]["oldest_age_ms"] > 0, "the oldest of a kind ages, too")
        good = hob.http("GET", "/v1/kinds/good/stats?series=true&since=1h")[2]
        equal((good["kind"], good["pushed"], good["completed"], good["failed"]), ("good", 9, 5, 0))
        equal(sum(minute["pushed"] for minute in good["series"]), 9)
        equal([minute["at"] for minute in good["series"]], sorted(minute["at"] for minute in good["series"]))
        equal(hob.http("GET", "/v1/stats/all")[2]["pushed"], 11)
        equal(hob.http("GET", "/v1/kinds/none/stats")[2]["pushed"], 0)
        rows = hob.hob("stats", "--all", "--series").splitlines()
        equal(sum(int(row.split("\t")[1]) for row in rows if row[0] == "2"), 11)


def test_wrong_questions_are_told():
    with rig() as hob:
        equal(hob.http("GET", "/v1/queues/none/stats")[0], 404)
        equal(hob.http("GET", "/v1/queues/none/stats?since=x")[0], 400)
        client = hob.resp()
        equal(client.error("STATS", "QUEUE", "none").word, "NOQUEUE")
        equal(client.error("STATS", "SERIES").word, "BADARG")
        equal(client.error("STATS", "QUEUE", "a", "KIND", "b").word, "BADARG")
        within(hob.hob("stats", "--series", code=2), "one of --queue, --kind and --all is wanted")


def counted(hob):
    stats = json.loads(hob.hob("stats", "--queue", "work", "--json"))
    return {key: stats.get(key) for key in ("pushed", "completed", "failed", "failed_exit", "run_count", "run_max_us")}


def test_statistics_outlive_a_restart():
    with rig() as hob:
        ran(hob)
        before = counted(hob)
        hob.stop()
        hob.start()
        equal(counted(hob), before)
        hob.hob("push", "work", "nobody", "{}")
        equal(counted(hob)["pushed"], before["pushed"] + 1)
        hob.kill()  # what was counted since it was written last is lost, and nothing else
        hob.start()
        equal(counted(hob), before)
        hob.stop()
        file = hob.dir / "data" / "statistics"
        good = file.read_bytes()
        for bad in (good[:-1], good[:40] + b"\xff" + good[41:], b"", None):
            file.unlink(missing_ok=True)
            if bad is not None:
                file.write_bytes(bad)
            hob.start()
            equal(counted(hob)["pushed"], 0)
            within(hob.server_log(), "statistics begin anew")
            hob.hob("push", "work", "nobody", "{}")
            equal(counted(hob)["pushed"], 1)
            hob.stop()
        hob.start()
        equal(counted(hob)["pushed"], 1)
