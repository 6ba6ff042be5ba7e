#!/usr/bin/env bash
#
# guard.sh - The sender's counts on some paths in virtual time are those that were recorded.
#
# After a change that is meant: bench/goodput --record, and say in the commit what became better.
set -u
source_folder=${SANWO_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
output=$("${SANWO:?set it to the sanwo command}" bench goodput \
    --guard "$source_folder/tests/goodput/counts.tsv" 2>&1)
status=$?
printf '1..1\n'
sed 's/^/# /' <<<"$output"
if [ $status -eq 0 ]; then
    echo "ok 1 - goodput is what was recorded"
else
    echo "not ok 1 - goodput is what was recorded"
fi
exit $status
