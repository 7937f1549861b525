# SPDX-License-Identifier: Apache-2.0
"""`hob torture`: nothing acknowledged is lost by kill -9 and SIGSTOP; and what loses something is found out."""
import json
import os
import re
import subprocess

from lib import HOB, PATIENCE, check, equal, rig, within

# Of kills; more of them: HOB_TORTURE_SECONDS=600 tests/e2e/run torture/ power/
SECONDS = int(os.environ.get("HOB_TORTURE_SECONDS", "8"))


def torture(hob, seconds, *options, code=0):
    """The figures of a torture in the rig's directory; its history stays there."""
    done = subprocess.run([HOB, "torture", str(hob.dir / "torture"), "--time", f"{seconds}s", "--json", *options],
                          capture_output=True, text=True, timeout=3 * PATIENCE + SECONDS, check=False)
    equal(done.returncode, code, f"exit code; {done.stderr}{done.stdout}")
    return json.loads(done.stdout), done.stderr


def test_kills_and_freezes_lose_nothing_and_the_history_proves_it_again():
    with rig(None) as hob:
        figures, _ = torture(hob, SECONDS)
        check(figures["kills"] >= 5 and figures["acknowledged"] > 1000 and figures["acks"] > 1000, f"little: {figures}")
        equal((figures["lost"], figures["duplicated"], figures["out_of_order"]), (0, 0, 0))
        equal(figures["found"], figures["acknowledged"])
        log = (hob.dir / "torture/server.log").read_text(errors="replace")
        compared = sum(map(int, re.findall(r"digests_compared=(\d+)", log)))
        check(compared >= figures["kills"], f"starts compared only {compared} digests")
        again = json.loads(subprocess.run([HOB, "torture", "check", str(hob.dir / "torture/history"), "--json"],
                                          capture_output=True, text=True, timeout=PATIENCE, check=True).stdout)
        equal(again["acknowledged"], figures["acknowledged"])
        print(figures)


def test_a_server_that_forgets_is_found_out():
    with rig(None) as hob:
        forgets = hob.script("forgets", f'#!/bin/sh\nrm -rf "$3"; exec {HOB} "$@"\n')
        figures, told = torture(hob, 3, "--program", forgets, code=1)
        check(figures["lost"] > 0, f"nothing was missed: {figures}")
        within(told, "lost: push ")


def test_a_server_that_ends_by_itself_ends_the_torture():
    with rig(None) as hob:
        ends = hob.script("ends", f'#!/bin/sh\n(sleep 1; kill -TERM $$) &\nexec {HOB} "$@"\n')
        done = subprocess.run([HOB, "torture", str(hob.dir / "t"), "--program", ends, "--seed", "5"],
                              capture_output=True, text=True, timeout=3 * PATIENCE + SECONDS, check=False)
        equal(done.returncode, 1, "exit code")
        within(done.stderr, "ended by itself")
        again = subprocess.run([HOB, "torture", str(hob.dir / "t")], capture_output=True, text=True, check=False)
        equal(again.returncode, 2, "exit code of a torture in a used directory")
