#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check what no compiler checks: layers, sizes, banned calls, vocabulary, documented headers.

tidy.py                  check the tree this file lies in; 1 when something is wrong
tidy.py --list PATTERN…  print its files whose path matches (as fnmatch), one a line

A file belongs to the tree when git tracks it or would (.gitignore); without git, when it is not in
a build directory. `./dev selfcheck` plants a violation of each rule and expects it to be caught.
"""
import fnmatch
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS_FILE = "tools/layers.txt"
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
SCRIPT_COLUMNS_MAX = 120  # Python's and the shell's lines carry more on one line
SPDX = "SPDX-License-" + "Identifier: Apache-2.0"

BANNED = {
    "strcpy": "buf_put_str, or memcpy with a size", "strcat": "buf_put_str",
    "sprintf": "buf_printf or snprintf", "vsprintf": "vsnprintf",
    "strtok": "a loop over a slice", "gets": "a bounded read into a buf",
    "atoi": "a parser that reports errors", "atol": "a parser that reports errors",
    "rand": "a seed that is passed in, or os/entropy.h", "srand": "a seed that is passed in",
    "gmtime": "gmtime_r", "localtime": "localtime_r", "ctime": "strftime", "asctime": "strftime",
    "alloca": "a bounded array or base/mem.h", "system": "a process started with an argv",
    "popen": "a process started with an argv", "signal": "sigaction or a uv_signal_t",
    "usleep": "a wait for the event, with a deadline",
}
HEAP_CALLS = ("malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf "
              "aligned_alloc posix_memalign").split()
HEAP_FILES = {"src/base/mem.c", "src/base/buf.c"}  # what base/ itself stands on
SYSTEM_CALLS = (
    "time clock_gettime gettimeofday nanosleep clock_nanosleep sleep getrandom getentropy open "
    "openat creat fopen fdopen read pread readv write pwrite writev pwritev fsync fdatasync "
    "ftruncate fallocate posix_fallocate rename renameat unlink unlinkat mkdir mkdirat rmdir "
    "opendir flock fork vfork execv execve execvp execvpe posix_spawn posix_spawnp waitpid kill "
    "mkdtemp mkstemp").split()
PURE_HEADERS = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h"}
# Headers that need a right of their own; every other <header> needs the right "libc".
RIGHT_OF_HEADER = {"uv.h": "uv", "llhttp.h": "llhttp", "yaml.h": "yaml"}
# The words of beanstalkd and of others, which dialects translate at their edge.
FOREIGN_WORDS = {"tube": "queue", "tubes": "queues", "task": "job", "tasks": "jobs"}
FOREIGN_WORDS_BANNED_IN = ("src/engine/", "src/journal/")
LATER_WORDS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
# A path of one machine means nothing on another.
MACHINE_PATHS = re.compile("|".join((r"(?<![\w.-])/wor" + "k/", "/tmp/bash" + "_jobs",
                                     r"\.\./shar" + "ed")))

# Comments and literals, so that rules on code do not read them.
NOT_CODE = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def tree_files():
    """The paths of the tree, relative to its root."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z"],
                            capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        names = set(listed.stdout.split("\0")) - {""}
    else:
        names = set()
        for folder, folders, files in os.walk(ROOT):
            folders[:] = [f for f in folders if f not in (".git", "build", "__pycache__", "node_modules")
                          and not f.startswith("build-")]
            names |= {os.path.relpath(os.path.join(folder, f), ROOT) for f in files}
    return sorted(name for name in names if (ROOT / name).is_file())


class File:
    """A text file and its views; @code is the text with comments and literals blanked."""

    def __init__(self, name, text):
        self.name = name
        self.text = text
        self.lines = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
        self.is_c = name.endswith((".c", ".h"))
        self.is_header = name.endswith(".h")
        self.is_test = name.endswith("_test.c") or name == "src/base/test.h"
        # A rig is what unit tests stand on; it may do what its layer may not.
        self.is_rig = self.is_test or re.search(r"/rig(_\w+)?\.[ch]$", name) is not None
        self.is_script = text.startswith("#!") or name.endswith(".py")
        self.code = NOT_CODE.sub(blank, text) if self.is_c else text
        self.code_lines = self.code.split("\n")
        parts = name.split("/")
        self.layer = parts[1] if parts[0] == "src" and len(parts) > 2 else None
        self.includes = [(number, match[1], match[2]) for number, line in enumerate(self.lines, 1)
                         if (match := re.match(r'#\s*include ([<"])([^>"]+)', line))]


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def read_layers():
    """{layer: (what it may include, its rights)} from LAYERS_FILE."""
    layers = {}
    for line in (ROOT / LAYERS_FILE).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            layer, _, rest = line.partition(":")
            below, _, rights = rest.partition("|")
            layers[layer.strip()] = (below.split(), set(rights.split()))
    return layers


def check_size(file):
    if not (file.is_c or file.is_script):
        return
    if len(file.lines) > FILE_LINES_MAX:
        yield FILE_LINES_MAX + 1, f"file has {len(file.lines)} lines, the limit is {FILE_LINES_MAX}"
    for number, line in enumerate(file.lines, 1):
        columns_max = COLUMNS_MAX if file.is_c else SCRIPT_COLUMNS_MAX
        if len(line) > columns_max:
            yield number, f"line is {len(line)} columns, the limit is {columns_max}"


def check_function_length(file):
    """Relies on the format: a function ends with the first brace in the first column."""
    start = 0
    for number, line in enumerate(file.code_lines, 1) if file.is_c else ():
        if re.match(r"[^\s#/].*\)[^=;]*\{\s*$", line):
            start = number
        elif line.startswith("}") and start:
            if number - start > FUNCTION_LINES_MAX:
                yield start, (f"function is {number - start} lines, "
                              f"the limit is {FUNCTION_LINES_MAX}")
            start = 0


def check_licence(file):
    if file.is_c and file.lines[:1] != [f"/* {SPDX} */"]:
        yield 1, f"the first line is not /* {SPDX} */"
    if file.name.startswith("examples/"):
        return  # to be copied
    if file.is_script and not any(SPDX in line for line in file.lines[:2]):
        yield 1, f"no line '# {SPDX}' at the top"


def check_opening_comment(file):
    if file.name.endswith(".c") and not file.is_test:
        if not "".join(file.lines[1:2]).startswith("/*"):
            yield 2, "no opening comment: what is this file for, and what does it not do?"


def calls(file, names):
    """(line, name) of each call of one of @names; a field or a method of that name is not one."""
    pattern = re.compile(r"(?<![\w.])(?<!->)(" + "|".join(names) + r")\s*\(")
    for number, line in enumerate(file.code_lines, 1):
        for match in pattern.finditer(line):
            yield number, match[1]


def check_calls(file, layers):
    if not file.is_c:
        return
    for number, name in calls(file, BANNED):
        yield number, f"{name}() is banned; use {BANNED[name]}"
    if file.layer is None or file.is_rig:
        return
    rights = layers.get(file.layer, ([], set()))[1]
    if "heap" not in rights and file.name not in HEAP_FILES:
        for number, name in calls(file, HEAP_CALLS):
            yield number, f"{file.layer} may not call {name}(); use base/mem.h"
    if "system" not in rights:
        for number, name in calls(file, SYSTEM_CALLS):
            yield number, f"{file.layer} may not call {name}(); time and I/O come from src/os"


def check_layers(file, layers):
    if not file.is_c or file.layer is None:
        return
    if file.layer not in layers:
        yield 1, f"{LAYERS_FILE} does not know the layer {file.layer}"
        return
    below, rights = layers[file.layer]
    for number, kind, header in file.includes:
        top = header.partition("/")[0]
        if kind == '"':
            fits = top == file.layer or any(allowed in (top, header) for allowed in below)
            if not fits and (file.is_test or not file.is_rig):
                yield number, f"{file.layer} may not include {header} ({LAYERS_FILE})"
        elif not file.is_rig and header not in PURE_HEADERS:
            right = RIGHT_OF_HEADER.get(header, "libc")
            if right not in rights:
                yield number, f"{file.layer} may not include <{header}> ({LAYERS_FILE}: {right})"


def check_own_header_first(file, names):
    if not file.name.startswith("src/") or not file.name.endswith(".c") or not file.includes:
        return
    own = re.sub(r"(_test)?\.c$", ".h", file.name)
    number, _, first = file.includes[0]
    if own in names and "src/" + first != own:
        yield number, f"the first include is not {own[len('src/'):]}"


def check_guard(file):
    if not file.is_header:
        return
    name = re.sub(r"^(src|include/hob)/", "", file.name)
    name = re.sub(r"^tests/", "test/", name)
    guard = "HOB_" + re.sub(r"\W", "_", name).upper()
    directives = [line for line in file.lines if line.startswith("#")]
    if directives[:2] != [f"#ifndef {guard}", f"#define {guard}"]:
        yield 1, f"the header guard is not {guard}"


def statements(file):
    """(first line, last line, text) of what stands outside braces, preprocessor left out."""
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, file.code, flags=re.M)
    depth, start = 0, 0
    for at, char in enumerate(text):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth == 0 and char in ";}":
            part = text[start:at + 1]
            first = start + len(part) - len(part.lstrip())
            yield text.count("\n", 0, first) + 1, text.count("\n", 0, at) + 1, part.strip()
            start = at + 1


def check_documented(file):
    """Each function of a header has a comment above; prototypes that touch share one."""
    if not file.is_header:
        return
    last_documented = 0
    for first, last, text in statements(file):
        prototype = re.match(r"(?!static\b|typedef\b|_Static_assert\b)[^={]*?(\w+)\s*\([^={]*;$",
                             text, re.S)
        if not prototype:
            continue
        if prototype[1].isupper():  # a table (X macro), not a function
            continue
        above = [line.rstrip() for line in file.lines[max(first - 3, 0):first - 1]]
        # The heading of a group may stand a blank line above it.
        commented = above[-1].endswith("*/") or (above[-1] == "" and above[0].endswith("*/"))
        if commented or last_documented == first - 1:
            last_documented = last
        else:
            yield first, f"{prototype[1]}() has no comment above it"


def check_vocabulary(file):
    if not file.is_c or not file.name.startswith(FOREIGN_WORDS_BANNED_IN):
        return
    for number, line in enumerate(file.code_lines, 1):
        for word in re.findall(r"[A-Za-z][a-z]*|[A-Z]+", line):
            if word.lower() in FOREIGN_WORDS:
                yield number, f"the word here is {FOREIGN_WORDS[word.lower()]}, not {word}"


def check_text(file):
    if re.match("tests?/fuzz/corpus/", file.name):
        return
    for number, line in enumerate(file.lines, 1):
        if match := LATER_WORDS.search(line):
            yield number, f"{match[1]}: open an issue instead"
        if match := MACHINE_PATHS.search(line):
            yield number, f"{match[0]} is a path of one machine"


def check_registered(file, names):
    """A unit test that no meson.build beside it or above it names would never run."""
    if file.layer is None or not file.name.endswith("_test.c"):
        return
    folder, _, name = file.name.rpartition("/")
    stem = re.escape(name[:-len("_test.c")])
    above = folder
    while above:
        build = f"{above}/meson.build"
        if build in names and re.search(rf"['/]{stem}(_test|_test\.c)?'", (ROOT / build).read_text()):
            return
        above = above.rpartition("/")[0]
    yield 1, f"{folder}/meson.build does not name this test"


def main(arguments):
    names = tree_files()
    if arguments[:1] == ["--list"]:
        listed = [n for n in names if any(fnmatch.fnmatch(n, p) for p in arguments[1:])]
        print("\n".join(listed))
        return 0 if listed else 1
    layers = read_layers()
    problems = []
    c_count = 0
    for name in names:
        raw = (ROOT / name).read_bytes()
        if b"\0" in raw:
            continue
        file = File(name, raw.decode("utf-8", "replace"))
        c_count += file.is_c
        for found in (check_size(file), check_function_length(file), check_licence(file),
                      check_opening_comment(file), check_calls(file, layers),
                      check_layers(file, layers), check_own_header_first(file, names),
                      check_guard(file), check_documented(file), check_vocabulary(file),
                      check_text(file), check_registered(file, names)):
            problems += [f"{name}:{number}: {message}" for number, message in found]
    if c_count == 0:
        problems.append(f"{ROOT}: no C file found: there must be some")
    print("\n".join(problems) or f"tidy: {len(names)} files are clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
