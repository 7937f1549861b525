#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A job in Python: JSON in, JSON out, with a log and progress."""
import json
import os
import sys
import time

EX_DATAERR = 65  # can never succeed: no further attempt

try:
    days = int(json.load(sys.stdin)["days"])
except (ValueError, KeyError, TypeError) as error:
    print(f"the payload must be like {{\"days\": 3}}: {error!r}", file=sys.stderr)
    sys.exit(EX_DATAERR)

with os.fdopen(int(os.environ["HOB_PROGRESS_FD"]), "w", buffering=1) as progress:
    for day in range(1, days + 1):
        print(f"day {day}: counting", file=sys.stderr, flush=True)
        time.sleep(0.2)
        print(f"::progress {100 * day // days} day {day} of {days}", file=progress)

print(json.dumps({"job": os.environ["HOB_JOB_ID"], "days": days}))
