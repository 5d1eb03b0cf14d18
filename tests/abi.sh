#!/bin/sh
#
# abi.sh - the binary interface of the shared library, as abidw sees it: `dump'
# keeps it as that of a release, `check' compares it with what was kept.
#
# Run by `make abi-dump' and `make abi-check'.  The dumps are in abi/, one for each
# kind of machine, called as abidw calls it.

top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
library=$top_builddir/src/.libs/libsoon.so
kept=$top_srcdir/tests/abi
LC_ALL=C
export LC_ALL

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

give_up() {
	echo "abi: $*"
	exit 1
}

not_run() {
	echo "abi: not run: $*"
	exit 0
}

# Types that no public header defines are left out.  abidw knows headers by their
# file names: one that src/ has as well is kept from it, and may name none.
public_headers() {
	mkdir "$work/headers"
	for header in "$top_srcdir"/include/soon.h \
		"$top_srcdir"/include/soon/*.h \
		"$top_builddir"/include/soon/version.h; do
		if ! test -f "$top_srcdir/src/${header##*/}"; then
			cp "$header" "$work/headers/"
		elif grep -qE '^(typedef )?(struct|union|enum) [a-z_]+ \{' "$header"; then
			give_up "src/ has a header with the name of $header"
		fi
	done
}

# Nothing of it depends on the compiler, on folders or on lines.
dump() {
	public_headers
	abidw --headers-dir "$work/headers" --drop-private-types \
		--exported-interfaces-only --no-elf-needed --no-corpus-path \
		--no-comp-dir-path --no-show-locs --no-parameter-names \
		--no-write-default-sizes --type-id-style hash \
		"$library" >"$work/raw" || give_up "abidw fails"
	sed "s,^\(  <abi-instr .*path='\)[^']*/\(src/[^']*'\),\1\2," \
		"$work/raw" >"$work/abi"
	grep -q '<function-decl ' "$work/abi" ||
		give_up "$library was built without -g"
	! grep -q sooni_ "$work/abi" || give_up "the dump has private types"
	machine=$(sed -n "1s/.* architecture='\([^']*\)'.*/\1/p" "$work/abi")
}

# members STRUCT FILE: their offsets, types and names, then the struct's size.
members() {
	awk -F"'" -v struct="$1" '
		/<class-decl/ { inside = $2 == struct && / size-in-bits=/ }
		inside && /<class-decl/ { size = $4 }
		inside && /<data-member/ { offset = $4 }
		inside && /<var-decl/ { print offset, $4, $2 }
		inside && /<\/class-decl>/ { print size; exit }' "$2"
}

# grew STRUCT: at its end alone, and not into what was padding: a program does not
# clear that.
grew() {
	members "$1" "$old" >"$work/old"
	members "$1" "$work/abi" >"$work/new"
	awk 'NR == FNR { line[n = NR] = $0; next }
		FNR < n && $0 != line[FNR] { exit 1 }
		FNR == n { exit NF == 1 || $1 < line[n] + 0 }' \
		"$work/old" "$work/new"
}

# What abidiff need not tell: of the C library's types, and of structs that begin
# with their size.
allow() {
	printf '[suppress_type]\nname_regexp = ^_IO_\n' >"$work/always"
	cp "$work/always" "$work/grown"
	for struct in soon_executor_options soon_job soon_stats; do
		! grew $struct ||
			printf '[suppress_type]\nname = %s\n' $struct
	done >>"$work/grown"
}

# differs ALLOWED OPTION...: between the release and now; says how.
differs() {
	allowed=$1
	shift
	abidiff --no-show-locs --suppressions "$work/$allowed" "$@" \
		"$old" "$work/abi" >"$work/said" 2>&1
	said=$?
	# 1 and 2 are bits of abidiff's own failures.
	test $((said & 3)) -eq 0 || {
		cat "$work/said"
		give_up "abidiff fails"
	}
	test $said -ne 0
}

check() {
	old=$kept/$machine.abi
	test -f "$old" || not_run "nothing was kept for $machine"
	allow
	if differs grown --no-added-syms; then
		cat "$work/said"
		give_up "not what programs were linked with: see above"
	fi
	if differs always; then
		cat "$work/said"
		echo "abi: more than the release had.  New calls belong in a" \
			"node of their own in src/libsoon.map, and" \
			"SOON_LT_VERSION becomes c+1:0:a+1"
		return
	fi
	echo "abi: as in the release"
}

for tool in abidw abidiff; do
	command -v $tool >/dev/null || not_run "no $tool (Debian: abigail-tools)"
done
test -f "$library" || not_run "no $library"
dump
case ${1-} in
dump)
	cp "$work/abi" "$kept/$machine.abi" || exit
	echo "abi: kept as $kept/$machine.abi"
	;;
check)
	check
	;;
*)
	give_up "dump or check?"
	;;
esac
