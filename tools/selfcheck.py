#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Can each gate fail? Plant one violation at a time in a copy of the tree and expect to be caught.

selfcheck.py [WORD]   only the rows with WORD in them

A row is caught when the gate ends with a failure and names the planted thing (`expect`), so a tree
that is red for another reason proves nothing. Rows of one lane run one after the other in a copy
of their own; lanes run side by side.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPDX = "/* SPDX-License-" + "Identifier: Apache-2.0 */\n"
C_HEAD = SPDX + "/* Planted. */\n"
BUF_TEST = "src/base/buf_test.c"
FIRST_TEST = "TEST(a_buffer_grows_to_its_maximum_and_no_further) {\n"


def c_file(body, name="src/base/planted.c", head=C_HEAD):
    return {name: head + body}


def header(body, name="src/base/planted.h", guard="HOB_BASE_PLANTED_H"):
    return {name: f"{C_HEAD}#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"}


def in_test(statement):
    """A planted first statement of an existing unit test."""
    return {BUF_TEST: lambda text: text.replace(FIRST_TEST, FIRST_TEST + statement + "\n")}


def in_test_with_heap(statement):
    return {BUF_TEST: lambda text: text.replace(
        FIRST_TEST, STRAY + FIRST_TEST + "    " + statement + "\n")}


def in_list(statement):
    """A planted first statement where a job leaves a line."""
    head = "void job_list_remove(struct engine *engine, struct job_list *list, uint32_t handle) {\n"
    return {"src/engine/joblist.c": lambda text: text.replace(head, head + statement + "\n")}


def at_end(name, body):
    return {name: lambda text: text + body}


LONG_FUNCTION = "void planted(void) {\n" + "    ;\n" * 71 + "}\n"
STRAY = ("#include <stdlib.h>\n"
         "static volatile int planted_index __attribute__((unused)) = 8;\n")
GUIDE = ["tests/guide/run", "planted.md"]
CHECK, UNIT, GRIND = ["./dev", "check"], ["./dev", "unit", "base/buf"], [
    "./dev", "valgrind", "base/buf"]
BUILD_OF = {"static": "build-asan", "gcc": "build", "clang": "build-asan"}
LIBRARY = "src/base/libhob_base.a"
ENVIRONMENT = os.environ | {"CHECK_LINES": "100000", "HOB_SETUP": "skip", "HOB_BINARY": os.environ.get(
    "HOB_BINARY", str(ROOT / "build/hob"))}

# lane, command, what is planted, files (text, or a change of the text), what the gate must say
ROWS = [
    ("static", CHECK + ["format"], "a bad indent, in a file git does not track yet",
     c_file("int  planted;\n"), r"planted\.c:.*clang-formatted"),
    ("static", ["tools/tidy.py", "--list", "*.nothing"], "an empty list of files", {}, r"^$"),
    ("static", CHECK + ["tidy"], "an include upwards",
     c_file('#include "engine/engine.h"\n'), r"planted\.c:3: base may not include engine"),
    ("static", CHECK + ["tidy"], "an include of a header that is not open to the layer",
     c_file('#include "engine/engine.h"\n', "src/dialect/planted.c"), r"planted\.c:3: dialect may"),
    ("static", CHECK + ["tidy"], "stdio in the engine",
     c_file("#include <stdio.h>\n", "src/engine/planted.c"), r"planted\.c:3: engine may not"),
    ("static", CHECK + ["tidy"], "a folder that is no layer",
     c_file("", "src/planted/planted.c"), r"does not know the layer planted"),
    ("static", CHECK + ["tidy"], "a file of 801 lines", c_file("\n" * 799), r"planted\.c:801: file"),
    ("static", CHECK + ["tidy"], "a function of 72 lines",
     c_file(LONG_FUNCTION), r"planted\.c:3: function is 72 lines"),
    ("static", CHECK + ["tidy"], "a line of 101 columns",
     c_file("/* " + "x" * 95 + " */\n"), r"planted\.c:3: line is 101"),
    ("static", CHECK + ["tidy"], "a banned call",
     c_file("void planted(char *a) {\n    strcpy(a, a);\n}\n"), r"planted\.c:4: strcpy\(\) is ba"),
    ("static", CHECK + ["tidy"], "malloc in the engine",
     c_file("void *planted = malloc(1);\n", "src/engine/planted.c"), r"planted\.c:3: engine .*malloc"),
    ("static", CHECK + ["tidy"], "a clock read in the engine",
     c_file("long planted = time(0);\n", "src/engine/planted.c"), r"planted\.c:3: engine .*time"),
    ("static", CHECK + ["tidy"], "a foreign word in the engine",
     c_file("int tube_count;\n", "src/engine/planted.c"), r"planted\.c:3: the word here is queue"),
    ("static", CHECK + ["tidy"], "work put off in a comment",
     c_file("/* TO" + "DO */\n"), r"planted\.c:3: TO.O"),
    ("static", CHECK + ["tidy"], "a path of one machine",
     {"planted.md": "see /wor" + "k/planted\n"}, r"planted\.md:1: .* path of one machine"),
    ("static", CHECK + ["tidy"], "no SPDX line",
     c_file("/* Planted. */\n", head=""), r"planted\.c:1: the first line is not"),
    ("static", CHECK + ["tidy"], "no opening comment",
     c_file("int planted;\n", head=SPDX), r"planted\.c:2: no opening comment"),
    ("static", CHECK + ["tidy"], "a wrong header guard",
     header("", guard="PLANTED_H"), r"planted\.h:1: the header guard is not HOB_BASE_PLANTED_H"),
    ("static", CHECK + ["tidy"], "a function without a comment in a header",
     header("int planted(void);\n"), r"planted\.h:6: planted\(\) has no comment"),
    ("static", CHECK + ["tidy"], "the own header not first",
     header("") | c_file('#include "base/buf.h"\n#include "base/planted.h"\n'),
     r"planted\.c:3: the first include is not base/planted\.h"),
    ("static", CHECK + ["tidy"], "a unit test that is not registered",
     c_file("", "src/base/planted_test.c"), r"planted_test\.c:1: .* does not name this test"),
    ("static", CHECK + ["headers"], "a header that needs another one before it",
     header("extern size_t planted;\n"), r"planted\.h does not compile alone"),
    ("static", CHECK + ["headers"], "a header that cannot be included twice",
     {"src/base/planted.h": C_HEAD + "struct planted {\n    int a;\n};\n"}, r"planted\.h does not"),
    ("static", CHECK + ["shell"], "a shell script with an unquoted word",
     {"planted": "#!/bin/sh\nrm $1\n"}, r"In planted line 2"),
    ("static", CHECK + ["spelling"], "a misspelt word",
     {"planted.md": "We reci" + "eve it.\n"}, r"planted\.md:1"),
    ("static", GUIDE, "a command in the guide that fails",
     {"planted.md": "```sh\nhob get 99\n```\n"}, r"not ok 1 - planted\.md:1"),
    ("static", GUIDE, "an output in the guide that is another one",
     {"planted.md": "```sh\necho a b\n```\n\n```text\na … c\n```\n"}, r"not ok 1 - planted\.md:1"),
    ("static", GUIDE, "an exit code in the guide that is another one",
     {"planted.md": "```sh\nhob version   # exit 3\n```\n"}, r"not ok 1 - planted\.md:1"),
    ("static", CHECK + ["analysis"], "recursion",
     at_end("src/base/assert.c", "static int planted(int n) {\n    return planted(n - 1);\n}\n"),
     r"'planted' is within a recursive call chain"),
    ("static", CHECK + ["analysis"], "a name in camel case",
     at_end("src/base/assert.c", "static int plantedName;\n"), r"'plantedName'"),
    ("static", CHECK + ["analysis"], "an assertion with a side effect",
     at_end("src/base/assert.c",
            "static void planted(int n) {\n    hob_assert(n++ > 0);\n}\n"),
     r"side effect in hob_assert"),
    ("gcc", ["./dev", "build", "build", LIBRARY], "a compiler warning (gcc)",
     at_end("src/base/assert.c", "char planted(int n);\nchar planted(int n) {\n    return n;\n}\n"),
     r"assert\.c.*error.*onversion"),
    ("gcc", GRIND, "use of memory that was never set",
     in_test("    int planted[1];\n    __asm__(\"\" : : \"r\"(planted) : \"memory\");\n"
             "    if (planted[0] == 5) buf_put(NULL, NULL, 0);\n    (void)planted;"),
     r"Conditional jump"),
    ("gcc", ["./dev", "cost", "--flat"], "an engine that looks at every job of a line",
     in_list("    uint32_t walk = list->first;\n"
             "    while (walk != 0) walk = job_at(engine, walk)->next;"),
     r"^not ok - fetch of 100000 jobs: .* it grows with what waits"),
    ("clang", ["./dev", "build", "build-asan", LIBRARY], "a compiler warning (clang)",
     at_end("src/base/assert.c", "char planted(int n);\nchar planted(int n) {\n    return n;\n}\n"),
     r"assert\.c.*error.*onversion"),
    ("clang", UNIT, "a failing check", in_test("    CHECK(2 + 2 == 5);"), r"2 \+ 2 == 5"),
    ("clang", UNIT, "a test that crashes", in_test("    __builtin_trap();"), r"[1-9]\d* failed"),
    ("clang", UNIT, "a write past the end (ASan)",
     in_test_with_heap("char *volatile p = malloc(8); p[planted_index] = 1; free(p);"),
     r"heap-buffer-overflow"),
    ("clang", UNIT, "a leak (LSan)",
     in_test_with_heap("char *volatile p = malloc(8); p[0] = 1; p = NULL;"), r"LeakSanitizer"),
    ("clang", UNIT, "an integer overflow (UBSan)",
     in_test_with_heap("CHECK(planted_index + INT32_MAX != 3);"), r"signed integer overflow"),
]


def copy_tree(to):
    files = subprocess.run([ROOT / "tools/tidy.py", "--list", "*"], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    for name in files:
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    analysed = ROOT / "build-asan/analysed"  # what clang-tidy has seen already
    if analysed.is_dir():
        shutil.copytree(analysed, to / "build-asan/analysed")
    for command in (["git", "init", "-q"], ["git", "add", "-A"]):
        subprocess.run(command, cwd=to, check=True, capture_output=True)


def plant(copy, files):
    """Make the changes; gives back what undoes them."""
    before = {}
    for name, change in files.items():
        path = copy / name
        before[path] = path.read_text() if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        after = change(before[path]) if callable(change) else change
        if after == before[path]:
            raise SystemExit(f"selfcheck: nothing changed in {name}: mend the row")
        path.write_text(after)
    return before


def uproot(copy, before):
    for path, text in before.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    planted = copy / "src/planted"
    if planted.is_dir():
        planted.rmdir()


def run_lane(lane, rows, folder):
    copy = folder / lane
    copy_tree(copy)
    # What cannot be configured as it is proves nothing: say so once.
    ready = subprocess.run(["./dev", "build", BUILD_OF[lane], "build.ninja"], cwd=copy, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if ready.returncode != 0:
        raise SystemExit(f"{ready.stdout}selfcheck: the tree itself cannot be configured")
    results = []
    for _, command, what, files, expect in rows:
        began = time.monotonic()
        before = plant(copy, files)
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False,
                              env=ENVIRONMENT)
        uproot(copy, before)
        said = done.stdout + done.stderr
        caught = done.returncode != 0 and re.search(expect, said, re.M)
        gate = " ".join(command[:3]) if command[1] != "build" else "./dev build"
        results.append((gate, what, bool(caught), said, time.monotonic() - began))
    return results


def main(arguments):
    rows = [row for row in ROWS if all(word in f"{row[1]} {row[2]}" for word in arguments)]
    lanes = {}
    for row in rows:
        lanes.setdefault(row[0], []).append(row)
    with tempfile.TemporaryDirectory(prefix="hob-selfcheck-") as name:
        with concurrent.futures.ThreadPoolExecutor(len(lanes) or 1) as pool:
            running = [pool.submit(run_lane, lane, rows, pathlib.Path(name))
                       for lane, rows in lanes.items()]
            results = [result for lane in running for result in lane.result()]
    for gate, what, caught, said, seconds in results:
        print(f"{'caught' if caught else 'MISSED':7} {gate:22} {what:52} {seconds:4.1f} s")
        if not caught:
            print("\n".join("    " + line for line in said.splitlines()[-30:]))
    missed = sum(not caught for _, _, caught, _, _ in results)
    print(f"{len(results) - missed} passed, {missed} failed, 0 skipped")
    return 1 if missed or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
