#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over every C file that is built, in parallel, remembering what it said.

analysis.py BUILD          BUILD holds compile_commands.json of clang; one line a finding
analysis.py BUILD --deep   follow calls and branches as far as clang's analyzer can, which takes
                           thirty times as long, and tell how each finding comes about

What was said of a file is kept under a name: the hash of .clang-tidy, of its compile command, of
itself and of every header of ours that it reaches. The same name needs no second look.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(rb'^\s*#\s*include "([^"]+)"', re.M)
FOLDERS = [ROOT / "src", ROOT / "include", ROOT]
SHALLOW = ["--extra-arg=" + word
           for word in ("-Xclang", "-analyzer-config", "-Xclang", "mode=shallow")]
contents = {}
NOISE = re.compile(r"^(\d+ warnings? generated|Suppressed \d+|Use -header-filter|\s*$)")


def content(path):
    if path not in contents:
        contents[path] = path.read_bytes() if path.is_file() else None
    return contents[path]


def reached(path):
    """@path and every file of the tree that it includes, by itself or through others."""
    found, queue = [], [path]
    while queue:
        one = queue.pop()
        if one in found or content(one) is None:
            continue
        found.append(one)
        for name in INCLUDE.findall(content(one)):
            queue += [folder / os.fsdecode(name) for folder in [one.parent] + FOLDERS]
    return sorted(found)


def name_of(entry, path, depth):
    digest = hashlib.sha256(content(ROOT / ".clang-tidy") + str(depth).encode())
    digest.update(entry["command"].encode())
    for one in reached(path):
        digest.update(str(one.relative_to(ROOT)).encode() + b"\0" + content(one))
    return digest.hexdigest()


def analyse(build, path, kept, depth):
    """The lines that clang-tidy has to say of @path, which also go to the file @kept."""
    done = subprocess.run(["clang-tidy-14", "--quiet", "-p", build, *depth, str(path)],
                          capture_output=True, text=True, check=False)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if not NOISE.match(line)]
    if done.returncode == 0:
        lines = []
    elif not lines:
        lines = [f"{path}: error: clang-tidy ended with {done.returncode}"]
    if done.returncode >= 0:  # not when somebody stopped it
        kept.write_text("\n".join(lines).replace(f"{ROOT}/", "").replace(f"{build.name}/../", ""))


def main(arguments):
    build = ROOT / arguments[0]
    deep = "--deep" in arguments
    depth = [] if deep else SHALLOW
    cache = build / "analysed"
    cache.mkdir(exist_ok=True)
    entries = json.loads((build / "compile_commands.json").read_text())
    waiting, files = [], {}
    for entry in entries:
        path = pathlib.Path(os.path.normpath(os.path.join(entry["directory"], entry["file"])))
        if not path.is_relative_to(ROOT) or path.is_relative_to(build) or not path.exists():
            continue  # somebody else's source
        files[path] = cache / name_of(entry, path, depth)
        if not files[path].exists():
            waiting.append((build, path, files[path], depth))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda each: analyse(*each), waiting))
    bad, shown = 0, set()  # what is wrong in a header comes up with each file that includes it
    for path, kept in sorted(files.items()):
        lines = kept.read_text().splitlines() if kept.exists() else [f"{path}: error: not analysed"]
        bad += bool(lines)
        for line in lines:
            line = re.sub(r"^(\.\./)+", "", line).replace(",-warnings-as-errors]", "]")
            if deep or ("error:" in line and line not in shown):
                print(line)
            shown.add(line)
    print(f"analysis: {len(files)} files, {len(waiting)} looked at, {bad} bad")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
