#!/bin/sh
#
# check_01_gather.sh - 01_gather starts 1 2 3, ends 3 2 1, gathers 1 2 3 in less
# than the sum; and says what is wrong with its command line.

. "${0%/*}/check.sh"

# expect LINES OPTION...: the lines printed, all but the last, which varies.
expect() {
	printf '%s\n' $1 | tr _ ' ' >lines
	shift
	"$example" "$@" >out 2>err || fail "$*: exit status $?"
	sed '$d' out | diff lines - || fail "$*: other lines"
	test -s err && fail "$*: wrote to standard error"
}

# took LEAST MOST SUM: the last line printed, seconds between the two.
took() {
	tail -n 1 out | awk -v least="$1" -v most="$2" -v sum="$3" '
		{ line = $0; $1 = "" }
		$0 != " seconds, the sum is " sum { exit 1 }
		line + 0 < least || line + 0 > most { exit 1 }
	' || fail "not $1 to $2 of $3 seconds: $(tail -n 1 out)"
}

results="result_1 result_2 result_3"
expect "start_1 start_2 start_3 end_3 end_2 end_1 $results" --scale=0.2
took 1.00 1.79 1.80

expect "start_1 end_1 start_2 end_2 start_3 end_3 $results" --sync --scale=0.02
took 0.18 60 0.18

for bad in --nonsense -s --sync=1 --scale --scale= --scale=x --scale=1s \
	--scale=0 --scale=-1 --scale=nan argument; do
	refused 2 $bad
done

refused 1 --scale=0.001 --trace=none/trace

"$example" --help >out 2>err || fail "--help: exit status $?"
grep -q '^usage: 01_gather' out || fail "--help: no usage"
test -s err && fail "--help: wrote to standard error"

if test -w /dev/full; then
	"$example" --scale=0.001 >/dev/full 2>err
	rc=$?
	test $rc -eq 1 || fail "output that cannot be written: exit status $rc"
fi
exit $status
