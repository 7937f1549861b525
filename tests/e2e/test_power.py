# SPDX-License-Identifier: Apache-2.0
"""Power cuts: a torture whose every kill also takes what no sync had covered, whole or in part, in any order."""
import json
import pathlib
import subprocess

from lib import HOB, PATIENCE, ROOT, Skip, check, equal, rig
from test_torture import SECONDS, torture


def interposed():
    """The library and the program of tests/interpose, and a server without sanitizers, which would be in their way."""
    built = ROOT / "build/tests/interpose"
    if not (built / "power_loss.so").exists():
        raise Skip("build/tests/interpose is not built")
    return built, pathlib.Path(ROOT / "build/hob" if "asan" in HOB else HOB)


def cutting(hob, mode, lies=False):
    """A program that first lets the power go, then becomes a server whose disk can lose things."""
    built, binary = interposed()
    log = hob.dir / "power"
    log.mkdir()
    return hob.script("cutting", f"""#!/bin/sh
# A kill of this shell leaves the cut to its end; the next one waits for it.
flock "{hob.dir}/cutting.lock" "{built}/power_cut" "{hob.dir}/torture/data" "{log}" $$ {mode} >> "{hob.dir}/cuts.txt" ||
    exit 99
export POWER_DIR="{hob.dir}/torture/data" POWER_LOG="{log}" {"POWER_LIES=1" if lies else ""}
LD_PRELOAD="{built}/power_loss.so" exec "{binary}" "$@"
""")


def undone(hob):
    """How many cuts took something away."""
    return sum(1 for line in (hob.dir / "cuts.txt").read_text().splitlines() if "undone: 0 bytes, 0 names" not in line)


def test_power_cuts_that_take_all_that_was_not_synced():
    with rig(None) as hob:
        figures, _ = torture(hob, SECONDS, "--program", cutting(hob, "all"))
        check(figures["kills"] >= 5 and figures["acks"] > 500 and undone(hob) > 3, f"little: {figures} {undone(hob)}")
        equal((figures["lost"], figures["duplicated"]), (0, 0))
        print(figures, undone(hob))


def test_power_cuts_that_take_any_part_of_it():
    with rig(None) as hob:
        figures, _ = torture(hob, SECONDS, "--program", cutting(hob, "some"))
        check(figures["kills"] >= 5 and figures["acks"] > 500 and undone(hob) > 3, f"little: {figures} {undone(hob)}")
        equal((figures["lost"], figures["duplicated"]), (0, 0))
        print(figures, undone(hob))


def test_a_disk_that_lies_about_its_syncs_is_found_out():
    with rig(None) as hob:
        program = cutting(hob, "all", lies=True)
        words = [HOB, "torture", str(hob.dir / "torture"), "--time", "3s", "--json", "--program", program]
        done = subprocess.run(words, capture_output=True, text=True, timeout=3 * PATIENCE, check=False)
        equal(done.returncode, 1, f"exit code; {done.stderr}{done.stdout}")
        # It is seen by the server, which refuses what is left, or by the checker.
        refused = "ended by itself: exit 65" in done.stderr
        check(refused or json.loads(done.stdout)["lost"] > 0, f"nothing was missed: {done.stderr}{done.stdout}")


def test_the_library_knows_all_calls_that_the_binary_makes():
    changing = set("write writev pwritev2 fallocate fallocate64 posix_fallocate64 link linkat rename renameat2 unlink "
                   "symlink sendfile64 copy_file_range msync sync_file_range creat64".split())
    binary = pathlib.Path(ROOT / "build/hob")
    if not binary.exists():
        raise Skip("build/hob is not built")
    listed = subprocess.run(["nm", "-D", "--undefined-only", binary], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in listed.splitlines()}
    equal(sorted(names & changing), [], "calls that change files and tests/interpose/loss.c does not know")
