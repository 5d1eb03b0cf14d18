#!/bin/sh
#
# check-soak.sh - a short soak prints its figures each SOON_SOAK_INTERVAL, and in
# the end what there was of each kind of job.

test -x ./stress_soak || { echo 'check-soak: Check is missing'; exit 77; }

# A round that is still going on when its time comes prints them at its end.
said=$(SOON_SOAK_SECONDS=1 SOON_SOAK_INTERVAL=1 SOON_SOAK_ROUND='' \
	./stress_soak 2>&1)
status=$?

# expect PATTERN
expect() {
	echo "$said" | grep -Eq "$1" && return
	echo "check-soak: no line is like: $1"
	status=1
}

expect '^soak: +[0-9]+ s, [1-9][0-9]* rounds, [1-9][0-9]* jobs; [1-9][0-9]* threads, [0-9]+ at most; [0-9]+ KiB; [0-9]+ descriptors; oldest pending [0-9]+ us$'
expect '^stress_soak: [1-9][0-9]* rounds$'
expect '^jobs: [1-9][0-9]* succeeded, '
test $status -eq 0 || echo "$said"
exit $status
