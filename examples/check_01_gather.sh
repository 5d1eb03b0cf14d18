#!/bin/sh
#
# check_01_gather.sh - 01_gather starts 1 2 3, ends 3 2 1, gathers 1 2 3 in less
# than the sum; and says what is wrong with its command line.

example=./01_gather
test -x $example || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
status=0

fail() {
	echo "check_01_gather: $*"
	status=1
}

# expect LINES OPTION...: the lines printed, all but the last, which varies.
expect() {
	printf '%s\n' $1 | tr _ ' ' >"$tmp/lines"
	shift
	$example "$@" >"$tmp/out" 2>"$tmp/err" || fail "$*: exit status $?"
	sed '$d' "$tmp/out" | diff "$tmp/lines" - || fail "$*: other lines"
	test -s "$tmp/err" && fail "$*: wrote to standard error"
}

# took LEAST MOST SUM: the last line printed, seconds between the two.
took() {
	tail -n 1 "$tmp/out" | awk -v least="$1" -v most="$2" -v sum="$3" '
		{ line = $0; $1 = "" }
		$0 != " seconds, the sum is " sum { exit 1 }
		line + 0 < least || line + 0 > most { exit 1 }
	' || fail "not $1 to $2 of $3 seconds: $(tail -n 1 "$tmp/out")"
}

results="result_1 result_2 result_3"
expect "start_1 start_2 start_3 end_3 end_2 end_1 $results" --scale=0.2
took 1.00 1.79 1.80

expect "start_1 end_1 start_2 end_2 start_3 end_3 $results" --sync --scale=0.02
took 0.18 60 0.18

for bad in --nonsense -s --sync=1 --scale --scale= --scale=x --scale=1s \
	--scale=0 --scale=-1 --scale=nan argument; do
	$example $bad >"$tmp/out" 2>"$tmp/err"
	rc=$?
	test $rc -eq 2 || fail "$bad: exit status $rc"
	test "$(wc -l <"$tmp/err")" -eq 1 || fail "$bad: not one line of error"
	test -s "$tmp/out" && fail "$bad: wrote to standard output"
done

$example --scale=0.001 --trace="$tmp/none/trace" >"$tmp/out" 2>"$tmp/err" &&
	fail "a trace that cannot be written: exit status 0"
test "$(wc -l <"$tmp/err")" -eq 1 || fail "--trace: not one line of error"

$example --help >"$tmp/out" 2>"$tmp/err" || fail "--help: exit status $?"
grep -q '^usage: 01_gather' "$tmp/out" || fail "--help: no usage"
test -s "$tmp/err" && fail "--help: wrote to standard error"

if test -w /dev/full; then
	$example --scale=0.001 >/dev/full 2>"$tmp/err"
	rc=$?
	test $rc -eq 1 || fail "output that cannot be written: exit status $rc"
fi
exit $status
