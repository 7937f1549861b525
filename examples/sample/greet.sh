#!/bin/sh
# Greet: the payload is the text on stdin, the result is what is printed.
read -r payload || true
echo "job $HOB_JOB_ID greets, attempt $HOB_ATTEMPT" >&2
echo "hello, ${payload:-nobody}"
