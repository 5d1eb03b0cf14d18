#!/bin/sh
#
# lint.sh - what cppcheck, clang-tidy and gcc's analyzer say of the library's
# sources; those of them that are there.  Run by `make lint'.
#
# What they say is mended, or suppressed where it stands (NOLINT, cppcheck-suppress)
# with the reason.  For clang-tidy .clang-tidy has the choice of checks; gcc's is
# the one line below.

top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
status=0
ran=0
src=$top_srcdir/src
flags="-std=c11 -D_GNU_SOURCE -I$top_builddir -I$top_builddir/include
	-I$top_srcdir/include"

# It takes hooks in a list for leaks; the address sanitizer sees leaks that are.
gcc_checks="-fanalyzer -Wno-analyzer-malloc-leak"

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# tool NAME COMMAND...: it is to say nothing.
tool() {
	name=$1
	shift
	ran=$((ran + 1))
	"$@" >"$work/said" 2>&1
	if test $? -ne 0 || grep -qE '(warning|error):' "$work/said"; then
		grep -vE '^[0-9]+ warnings? ' "$work/said"
		echo "lint: $name: see above"
		status=1
	else
		echo "lint: $name: nothing"
	fi
}

# each COMMAND...: with every source file.
each() {
	bad=0
	for file in "$src"/*.c; do
		"$@" "$file" || bad=1
	done
	return $bad
}

by_tidy() {
	clang-tidy --quiet "$1" -- $flags
}

by_gcc() {
	gcc $flags -O2 -fexceptions $gcc_checks -S -o "$work/out.s" "$1"
}

have() {
	command -v "$1" >/dev/null 2>&1 || {
		echo "lint: no $1"
		return 1
	}
}

! have cppcheck || tool cppcheck cppcheck -q --std=c11 --error-exitcode=1 \
	--enable=warning,performance,portability --inline-suppr -D__linux__ \
	-D_GNU_SOURCE -I "$top_builddir" -I "$top_builddir/include" \
	-I "$top_srcdir/include" "$src"
! have clang-tidy || tool clang-tidy each by_tidy
if gcc -fanalyzer -S -o "$work/out.s" -x c /dev/null 2>/dev/null; then
	tool "gcc -fanalyzer" each by_gcc
else
	echo "lint: no gcc with -fanalyzer"
fi
test $ran -gt 0 || exit 77
exit $status
