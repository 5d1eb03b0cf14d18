#!/bin/sh
#
# coverage.sh LINES BRANCHES - run all tests with gcov, and report which lines
# and branches of src/ they ran; see coverage.py.
#
# The sources are in coverage.source.  The library is static there, since forked
# children can write down what they ran only then; has no assertions, half of
# whose branches never run; and inlines nothing, so that each branch is there
# once.

rm -rf coverage.build
mkdir coverage.build || exit
(
	cd coverage.build &&
		../coverage.source/configure -q --enable-coverage \
			--disable-shared CC="$CC" CFLAGS='-O0 -g' \
			CPPFLAGS=-Dalways_inline=unused &&
		"$MAKE" -s && "$MAKE" -s -C tests check
) >coverage.log 2>&1 || { echo 'coverage: see coverage.log'; exit 1; }

"${PYTHON3:-python3}" coverage.source/tests/coverage.py coverage.build/src \
	coverage.source/src "$1" "$2"
