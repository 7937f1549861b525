#!/bin/sh
# Fail for good: exit code 65 says that no further attempt can help.
echo "customer 4711 does not exist" >&2
exit 65
