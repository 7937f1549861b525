#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sum up a run of `meson test`: show what failed, then "N passed, N failed, N skipped".

tally.py RESULTS LOG STATUS   RESULTS: one JSON object a line, as meson writes them; LOG: what
                              meson printed; STATUS: the code it ended with

Counts single tests where the output tells them (cmocka, TAP), programs where it does not.
"""
import json
import pathlib
import re
import sys


def count(test):
    """(passed, failed, skipped) of one program."""
    output = test.get("stdout", "") + test.get("stderr", "")
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    if test["result"] == "SKIP":
        return 0, 0, 1
    sums = [sum(int(n) for n in re.findall(rf"\[  {word} +\] (\d+) test", output))
            for word in ("PASSED", "FAILED", "SKIPPED")]
    if not any(sums):
        skipped = len(re.findall(r"^ok \d+.*# SKIP", output, re.M))
        sums = [len(re.findall(r"^ok \d+", output, re.M)) - skipped,
                len(re.findall(r"^not ok \d+", output, re.M)), skipped]
    if not any(sums):
        sums = [int(good), 0, 0]
    if not good and sums[1] == 0:
        sums[1] = 1  # crashed, leaked or timed out
    return tuple(sums)


def main(results, log, status):
    passed = failed = skipped = 0
    path = pathlib.Path(results)
    lines = path.read_text().splitlines() if path.is_file() else []
    for test in map(json.loads, lines):
        sums = count(test)
        passed, failed, skipped = (a + b for a, b in zip((passed, failed, skipped), sums))
        if sums[1]:
            print(f"--- {test['name']}: {test['result']}")
            output = (test.get("stdout", "") + test.get("stderr", "")).splitlines()
            shown = [line for line in output if not re.match(r"\[ (RUN|      OK)", line)]
            print("\n".join("    " + line for line in shown[-60:]))
    if not lines or (int(status) != 0 and failed == 0):
        failed += 1
        print("".join("    " + line + "\n" for line in
                      pathlib.Path(log).read_text().splitlines()[-40:]), end="")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
