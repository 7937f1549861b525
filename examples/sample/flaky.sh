#!/bin/sh
# Fail twice, then succeed: an exit code that is neither 0, 65 nor 75 means "try again later".
if [ "$HOB_ATTEMPT" -lt 3 ]; then
    echo "attempt $HOB_ATTEMPT: the third party answers 503" >&2
    exit 1
fi
echo "attempt $HOB_ATTEMPT: it works now" >&2
echo '{"stored":true}'
