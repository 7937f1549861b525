#!/usr/bin/env python3
"""Count words: the payload is JSON on stdin, the result is JSON on stdout, what it says on stderr is the job's log."""
import collections
import json
import sys

job = json.load(sys.stdin)
words = job["text"].lower().split()
print(f"counting {len(words)} words", file=sys.stderr)
print(json.dumps({"words": len(words), "most common": collections.Counter(words).most_common(1)[0][0]}))
