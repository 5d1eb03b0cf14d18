#!/bin/sh
#
# check-headers.sh - each public header compiles alone, before any other, in C
# and, with a C++ compiler, in C++; there so does the program that uses them.

top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
status=0
n=0

warnings='-pedantic -Wall -Wextra -Wconversion -Wshadow -Wundef -Werror'

# compiles COMPILER STANDARD FILE
compiles() {
	for header in soon.h soon/version.h \
		$(cd "$top_srcdir/include" && ls soon/*.h); do
		n=$((n + 1))
		$1 -std=$2 $warnings -I"$top_builddir/include" \
			-I"$top_srcdir/include" -DHEADER="<$header>" \
			-fsyntax-only "$top_srcdir/tests/$3" && continue
		echo "check-headers: <$header> does not compile alone as $2"
		status=1
	done
}

compiles "${CC:-cc}" c11 headers_c.c
if test -n "$CXX"; then
	compiles "$CXX" c++11 headers_cxx.cc
	compiles "$CXX" c++17 headers_cxx.cc
	n=$((n + 1))
	$CXX -std=c++17 $warnings -I"$top_builddir/include" \
		-I"$top_srcdir/include" -fsyntax-only \
		"$top_srcdir/tests/cxx_use.cc" || status=1
fi
test $status -ne 0 || echo "check-headers: $n compilations"
exit $status
