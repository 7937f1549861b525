#!/bin/sh
# Take three seconds, and say how far it is on file descriptor 3.
for percent in 0 33 66; do
    echo "::progress $percent rendering" >&3
    echo "rendered $percent %" >&2
    sleep 1
done
echo "report.pdf"
