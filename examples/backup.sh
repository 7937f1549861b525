#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A job in sh: the payload is the path of a file, the result is the path of its copy.
set -eu
keep=$2
path=$(cat)
target=/tmp/hob-example-backup
if [ ! -r "$path" ]; then
    echo "cannot read $path now; perhaps later" >&2
    exit 75
fi
mkdir -p "$target"
echo "::progress 50 copying $path" >&3
cp "$path" "$target/$(basename "$path").$HOB_JOB_ID"
echo "attempt $HOB_ATTEMPT of at most $HOB_ATTEMPT_MAX; keeping $keep copies" >&2
find "$target" -name "$(basename "$path").*" | sort -t . -k 2 -n -r | tail -n +"$((keep + 1))" |
    xargs -r rm --
echo "$target/$(basename "$path").$HOB_JOB_ID"
