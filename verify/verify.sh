#!/bin/sh
#
# verify.sh - everything here, a line for each thing explored: `make verify'.
#
# BOUND=large looks further; JOBS: how many to explore side by side.  Without
# Spin the models are skipped, and said so.

. "${srcdir:-.}/common.sh"

list() {
	if command -v spin >/dev/null; then
		"$SHELL" "$srcdir/model.sh" list | sed 's/^/model.sh /'
	else
		echo 'SKIP    models: spin is missing' >&2
	fi
	"$SHELL" "$srcdir/code.sh" list | sed 's/^/code.sh /'
}

mkdir -p "$work" || exit
"$SHELL" "$srcdir/code.sh" build || exit
list | sed "s|^|$srcdir/|" | xargs -P "$JOBS" -L 1 "$SHELL" || exit 1
echo 'verify: all is well, and every mutation was caught'
