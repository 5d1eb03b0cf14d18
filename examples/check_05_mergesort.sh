#!/bin/sh
#
# check_05_mergesort.sh - 05_mergesort prints what sort prints, for few lines and
# many, with one thread and several; and says what is wrong with its input.

. "${0%/*}/check.sh"

# same NAME ARGUMENT...: sort in by the example and by sort.
same() {
	name=$1
	shift
	"$example" "$@" <in >out 2>err || fail "$name: exit status $?"
	sort in | cmp - out || fail "$name: differs from sort"
	test -s err && fail "$name: wrote to standard error"
}

# lines N: so many, of few and many different ones, some of them empty.
lines() {
	awk -v n="$1" 'BEGIN {
		srand(n)
		for (i = 0; i < n; i++) {
			if (i % 11 == 0)
				print ""
			else if (i % 7 == 0)
				print int(rand() * 10)
			else
				printf("%d\001\377 %g\n", rand() * n, rand())
		}
	}' >in
}

for n in 0 1 2 4095 4096 4097 8193 200000; do
	lines $n
	same "$n lines"
done
for jobs in 1 2 7; do
	same "-j $jobs" -j $jobs
done
same "-q" -q
seq 50000 >in
same "sorted by number"
sort -r in >reversed
mv reversed in
same "reversed"
yes same | head -n 50000 >in
same "equal lines"
printf 'b\na' >in
same "no newline at the end"

for bad in -j -jx -j-1 -j2x -x --nonsense file; do
	refused 2 $bad
done
printf 'a\nb\000c\n' >in
refused 1 <in
grep -q 'line 2: ' why || fail "a NUL byte: its line is not named"

"$example" --help >out 2>err || fail "--help: exit status $?"
grep -q '^usage: 05_mergesort' out || fail "--help: no usage"
if test -w /dev/full; then
	lines 10
	"$example" <in >/dev/full 2>err
	rc=$?
	test $rc -eq 1 || fail "output that cannot be written: exit status $rc"
fi
exit $status
