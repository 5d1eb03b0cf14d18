#!/bin/sh
#
# verify.sh - everything here, a line for each thing explored: `make verify'.
#
# BOUND=large looks further.  Without Spin the models are skipped, and said so.

srcdir=${srcdir:-.}
status=0

run() {
	"${SHELL:-sh}" "$srcdir/$1" "$2" "$3" || test $? -eq 77 || status=1
}

for model in waiter thread completions future park; do
	run model.sh scenes $model
	run model.sh mutations $model
done
run code.sh build
for scene in "$srcdir"/scenes/*.c; do
	name=${scene##*/}
	run code.sh scenes "${name%.c}"
done
for change in "$srcdir"/mutations/*.sed; do
	name=${change##*/}
	run code.sh mutation "${name%.sed}"
done
test $status -ne 0 || echo 'verify: all is well, and every mutation was caught'
exit $status
