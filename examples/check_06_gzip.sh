#!/bin/sh
#
# check_06_gzip.sh - what 06_gzip writes is one gzip file that gunzip restores bit
# for bit, about as small as gzip's; a long pipe takes no more memory than a short
# one; and what goes wrong is said.

command -v gzip >/dev/null || exit 77
. "${0%/*}/check.sh"

# same NAME ARGUMENT...: compress `in', and get it back.
same() {
	name=$1
	shift
	"$example" "$@" <in >out 2>err || fail "$name: exit status $?"
	test -s err && fail "$name: wrote to standard error"
	gzip -t <out || fail "$name: gzip -t does not accept it"
	gzip -dc <out | cmp - in || fail "$name: not restored"
}

# text BYTES: lines that compress well, and do not repeat soon.
text() {
	awk 'BEGIN {
		srand(1)
		for (;;)
			printf("line %d of %d words\n", NR++, rand() * 99999)
	}' 2>/dev/null | head -c "$1" >in
}

# Sizes about a block's, which is 131072 bytes, and a dictionary's.
for n in 0 1 2 32767 32768 131071 131072 131073 163840 262144 262145 3000000; do
	text $n
	test "$(wc -c <in)" -eq $n || exit 99
	same "$n bytes of text"
	head -c $n /dev/urandom >in
	same "$n random bytes"
	head -c $n /dev/zero >in
	same "$n zeros"
done

# One file, not several behind each other, and its sizes are true.
text 3000000
same "one file"
cp out one.gz
gzip -l one.gz | grep -q ' 3000000 ' || fail "gzip -l: another size"
for n in 1 2 7 100; do
	mv out before
	same "-p $n" -p $n
	cmp out before || fail "-p $n: other bytes"
done

# About as small as gzip's, and smaller the higher the level.
last=
for level in 1 2 3 4 5 6 7 8 9; do
	same "-$level" -$level
	size=$(wc -c <out)
	theirs=$(gzip -$level <in | wc -c)
	test $((size * 100)) -le $((theirs * 103)) ||
		fail "-$level: $size bytes, gzip takes $theirs"
	last="$last $size"
done
set -- $last
test $1 -gt $6 || fail "-1 compresses no less than -6:$last"
test $6 -ge $9 || fail "-6 compresses better than -9:$last"
head -c 1000000 /dev/urandom >in
same "random"
test "$(wc -c <out)" -le 1002000 || fail "random bytes grow to $(wc -c <out)"

# Input that comes in small pieces, with pauses.
text 200000
for n in 1 2 3; do
	cat in
	head -c 1000 in
done >all
for n in 1 2 3; do
	cat in
	head -c 1000 in | dd bs=7 2>/dev/null
done | "$example" >out || fail "in pieces: exit status $?"
gzip -dc <out | cmp - all || fail "in pieces: not restored"

# Half a gigabyte with less address space than that; a sanitizer needs more.
if (ulimit -v 300000 && "$example" --help; exit $?) >/dev/null 2>&1; then
	(
		ulimit -v 300000
		head -c 500000000 /dev/zero | "$example" -1 -p 2
	) >out || fail "a long pipe: exit status $?"
	test "$(gzip -dc <out | wc -c)" -eq 500000000 ||
		fail "a long pipe: not restored"
else
	echo "check_06_gzip: memory is not limited here"
fi

for bad in -p -px -p-1 -p2x -0 -x --nonsense file; do
	refused 2 $bad
done
"$example" --help >out 2>err || fail "--help: exit status $?"
grep -q '^usage: 06_gzip' out || fail "--help: no usage"

# Not a whole file, and said so: input that fails, output that is full or gone.
"$example" <. >out 2>err
rc=$?
test $rc -eq 1 || fail "a folder as input: exit status $rc"
grep -q '^06_gzip: input: ' err || fail "a folder as input: $(cat err)"
gzip -t <out 2>/dev/null && fail "a folder as input: a whole file"
for n in 1000 3000000; do
	text $n
	if test -w /dev/full; then
		"$example" <in >/dev/full 2>err
		rc=$?
		test $rc -eq 1 || fail "a full disk: exit status $rc"
		grep -q '^06_gzip: output: ' err ||
			fail "a full disk: $(cat err)"
	fi
done
# What is neither is not called so: here no thread can be had, for its stack.
text 1000
if (ulimit -s 400000 && ulimit -v 300000 && "$example" --help) >/dev/null 2>&1
then
	(
		ulimit -s 400000
		ulimit -v 300000
		"$example" <in >out 2>err
	)
	rc=$?
	test $rc -eq 1 || fail "no thread: exit status $rc"
	grep -q '^06_gzip: [^:]*$' err || fail "no thread: $(cat err)"
fi
head -c 9000000 /dev/urandom >in
(
	trap '' PIPE
	"$example" <in 2>err
	echo $? >rc
) | head -c 1 >/dev/null
test "$(cat rc)" -eq 1 || fail "nobody reads: exit status $(cat rc)"
grep -q '^06_gzip: output: ' err || fail "nobody reads: $(cat err)"
exit $status
