#!/bin/sh
#
# check_03_resolve.sh - 03_resolve prints addresses and errors in the order of its
# input, each as soon as it may; a resolver that hangs holds up neither the names
# after it nor the end, and what it brings late is freed.
#
# 03_resolve_check is 03_resolve with the resolver of resolver.c.

. "${0%/*}/check.sh"
check=${example}_check
test -x "$check" || exit 77
late="$(printf '\t')Connection timed out"

# run RC PROGRAM ARGUMENT...: from in to out.
run() {
	want=$1
	shift
	limited "$@" <in >out 2>err
	rc=$?
	test $rc -eq $want || fail "$*: exit status $rc, not $want"
}

# same NAME: out is what was wanted, and there were no errors.
same() {
	diff want out || fail "$1: other lines"
	test -s err || return
	fail "$1: wrote to standard error"
	cat err
}

# line NAME-N: what is printed for it.
line() {
	printf '%s\t192.0.2.%d 2001:db8::%x\n' "$1" "${1##*-}" "${1##*-}"
}

# until_in FILE TEXT [COMMAND]: wait until that is in there, with the command in
# between; against hangs, no longer than the program may take.
until_in() {
	left=1200
	until grep -q "$2" "$1" || test $((left -= 1)) -eq 0; do
		${3:-:} && sleep 0.1
	done
}

# Numeric addresses are resolved everywhere, localhost nearly.
echo 127.0.0.1 >in
printf '127.0.0.1\t127.0.0.1\n' >want
run 0 "$example"
same "127.0.0.1"
for name in ::1 localhost; do
	echo $name >in
	printf '%s\t' $name >want
	getent ahosts $name >ahosts || continue
	awk '!seen[$1]++ { printf("%s%s", n++ ? " " : "", $1) }
		END { print "" }' ahosts >>want
	run 0 "$example"
	grep -q "^$name	.*::1" out || grep -q "^$name	127\." out ||
		fail "$name: $(cat out)"
done

# The input's order, whatever the order of the answers, and each address once.
seq 8 -1 1 | sed 's/^/turn-/' >in
while read -r name; do line "$name"; done <in >want
run 0 "$check" -j 8 -t 100
same "in turn"
run 0 "$check" -t 100
same "in turn, by default"
seq 300 | sed 's/^/name-/; s/[0-9]*$/7/' >in
while read -r name; do line "$name"; done <in >want
for jobs in 1 2 7; do
	run 0 "$check" -j $jobs -t 100
	same "-j $jobs"
done

: >in
: >want
run 0 "$check"
same "no input"
printf '\n \t \r\n \ta-1 \t\r\n\nb-2' >in
{ line a-1 && line b-2; } >want
run 0 "$check" -t 100
same "blanks"

# What is no name, or has no address, is said on its line.
printf 'a-1\nfails.test\nsystem.test\nb\0c\nb c\n\0\nd-2\n' >in
run 1 "$check" -t 100
{
	line a-1
	for name in fails.test 'b?c' 'b c' '?'; do
		printf '%s\tName or service not known\n' "$name"
	done
	line d-2
} >want
grep -q '^system.test	[A-Z]' out || fail "system.test: $(cat out)"
grep -v '^system.test' out >others
mv others out
same "errors"
printf 'a-1\n' >in
run 0 "$check" -t 100
long=$(head -c 100000 /dev/zero | tr '\0' x)
printf '%s\n127.0.0.1\n' "$long" >in
run 1 "$example" -t 100
test "$(wc -l <out)" -eq 2 || fail "a long name: not two lines"
grep -q '^127.0.0.1	127.0.0.1$' out || fail "after a long name"

# With one thread, each that hangs is replaced.
for n in 1 2 3 4 5; do echo hangs-$n; done >in
sed "s/\$/$late/" in >want
run 1 "$check" -j 1 -t 0.3
same "all hang"

# Those after them are resolved, and what is known is written while the input
# is open.  The deadline may be missed on a busy machine, but not every time.
# The answer that comes after it is freed.
{
	for n in 1 2 3; do echo hangs-$n; done
	until_in out '^hangs-3	'
	until_in out '^a-1	192' 'echo a-1'
	echo slow-2
	until_in err freed
	until_in out '^slow-2	'
} | limited "$check" -j 1 -t 0.3 >out 2>err
rc=$?
test $rc -eq 1 || fail "an open input: exit status $rc"
sed "/^hangs-[123]$late\$/d; /^slow-2$late\$/d; /^a-1$late\$/d" out |
	grep -vxF "$(line a-1)" && fail "an open input: other lines"
sed 4q out | grep -c '^hangs-[123]	' | grep -qx 3 ||
	fail "an open input: another order"
test "$(cat err)" = freed || fail "a late answer: $(cat err)"

echo 127.0.0.1 >in
for bad in -j -jx -j-1 -j2x -j65535 -j99999999999999999999 -t -tx -t-1 -t0 \
	-t1s -tnan -tinf -t1e-10 -t1e10 -x --nonsense name "-jx -j1" "-tx -t1"; do
	refused 2 $bad
done
refused 2 -t ''
run 0 "$example" --help
grep -q '^usage: 03_resolve' out || fail "--help: no usage"
limited "$example" </ >out 2>err
test $? -eq 1 || fail "a directory: not exit status 1"
grep -q 'standard input: ' err || fail "an input that cannot be read: $(cat err)"

# Also while the input is open.
if test -w /dev/full; then
	mkfifo fifo
	exec 3<>fifo
	echo 127.0.0.1 >&3
	limited "$example" <fifo >/dev/full 2>err
	rc=$?
	exec 3>&-
	test $rc -eq 1 || fail "output that cannot be written: exit status $rc"
	grep -q 'standard output: ' err || fail "/dev/full: $(cat err)"
fi
exit $status
