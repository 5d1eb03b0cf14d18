#!/bin/sh
#
# check-exports.sh - what the headers declare as SOON_API, what libsoon.map
# names and what the shared library exports are the same.

include=${top_srcdir:-.}/include
map=${top_srcdir:-.}/src/libsoon.map
version=${top_builddir:-.}/include/soon/version.h
library=${top_builddir:-.}/src/.libs/libsoon.so
status=0
LC_ALL=C
export LC_ALL

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# version.h is made by configure; where that was in the source tree, it is
# among the others already.
cat "$include/soon.h" "$include/soon/"*.h >"$work/text"
test "$include/soon/version.h" -ef "$version" || cat "$version" >>"$work/text"

sed -n 's/^SOON_API [^(]*\(soon_[a-z0-9_]*\)(.*/\1/p' "$work/text" |
	sort -u >"$work/headers"
n=$(grep -c '^SOON_API ' "$work/text")
if test "$n" -ne "$(wc -l <"$work/headers")"; then
	echo "check-exports: of the lines that begin with SOON_API, not each" \
		"goes on to the name of one function and a parenthesis"
	status=1
fi

# same LIST FILE: whether LIST, taken from FILE, equals that of the headers.
same() {
	diff "$work/headers" "$work/$1" >"$work/diff" && return
	echo "check-exports: the public headers (<) and $2 (>) differ:"
	sed -n '/^[<>]/p' "$work/diff"
	status=1
}

sed -n 's/^[	 ]*\(soon_[a-z0-9_]*\);.*/\1/p' "$map" | sort >"$work/map"
same map "$map"

if test -f "$library"; then
	# The version node itself is a symbol too, of type A.
	${NM:-nm} -D --defined-only "$library" >"$work/nm" || exit 77
	awk '$(NF - 1) != "A" { sub(/@.*/, "", $NF); print $NF }' "$work/nm" |
		sort >"$work/library"
	same library "$library"
	# Each has the version under which the map names it.
	awk '/^SOON_/ { node = $1 }
		sub(/;.*/, "") && /soon_/ { print $1 "@@" node }' "$map" |
		sort >"$work/versions"
	awk '$NF ~ /@@/ && $(NF - 1) != "A" { print $NF }' "$work/nm" |
		sort >"$work/versioned"
	if test -s "$work/versioned" &&
		! cmp -s "$work/versions" "$work/versioned"; then
		echo "check-exports: $map (<) and $library (>) differ:"
		diff "$work/versions" "$work/versioned" | sed -n '/^[<>]/p'
		status=1
	fi
else
	echo "check-exports: no $library: only the map was compared"
fi

test $status -ne 0 || echo "check-exports: $n functions"
exit $status
