#!/bin/sh
#
# check_04_parallel.sh - 04_parallel prints what xargs -P prints and, with -k, what
# sh prints; runs no more at once than it may, and as many; repeats what failed;
# kills what runs for too long; and leaves no process behind after a signal.

. "${0%/*}/check.sh"

# run RC LINES ARGUMENT...: what is in `in'; its exit status and lines of error.
run() {
	want_rc=$1
	want_lines=$2
	shift 2
	limited "$example" "$@" <in >out 2>err
	rc=$?
	test $rc -eq $want_rc || fail "$*: exit status $rc, not $want_rc"
	test "$(wc -l <err)" -eq $want_lines || {
		fail "$*: not $want_lines lines of error:"
		cat err
	}
}

same() {
	cmp "$1" "$2" || fail "$3"
}

# Gone, or dead and not waited for by who adopted it.
gone() {
	kill -0 "$1" 2>/dev/null || return 0
	case $(cat "/proc/$1/stat" 2>/dev/null) in
	*') Z '*) return 0 ;;
	esac
	return 1
}

all_gone() {
	for pid in $(cat "$@"); do
		gone "$pid" || return 1
	done
}

# Two kinds of output, none, of several lines, of what reads standard input, and
# lines that are odd.
seq 200 | sed 's/.*/echo out & two; echo err & >\&2/' >in
cat >>in <<'END'
:

# nothing but this
echo 'a  "quoted"	line' | tr a-z A-Z
cat; echo read
for i in 1 2 3; do echo "$i"; done
END
printf 'echo last line, without a newline' >>in
while read -r line; do
	sh -c "$line" </dev/null
done <in >sh.out 2>&1
echo last line, without a newline >>sh.out
sort sh.out >sh.sorted
xargs -d '\n' -P 4 -n 1 sh -c <in 2>&1 | sort >xargs.sorted
for jobs in 1 2 7 64; do
	run 0 0 -j $jobs
	sort out >out.sorted
	same sh.sorted out.sorted "-j $jobs: differs from sh"
	test $jobs -gt 1 || same sh.out out "-j 1: not in order"
	run 0 0 -k -j $jobs
	same sh.out out "-k -j $jobs: differs from sh"
done
seq 2000 | sed 's/.*/echo &/' >in
run 0 0 -j 4
sort out >out.sorted
xargs -d '\n' -P 4 -n 1 sh -c <in | sort >xargs.sorted
same xargs.sorted out.sorted "2000 commands: differs from xargs"
run 0 0 -k -j 4 --timeout 250
seq 2000 | cmp - out || fail "2000 commands with -k: other lines"
seq 50 | sed 's/^/printf /' >in
run 0 0 -k -j 4
sh in | cmp - out || fail "-k: outputs without a newline"
: >in
run 0 0
test -s out && fail "no commands: wrote something"

# Without -k the order is that of ending: the first waits for what the second has
# brought to be printed.
cat >in <<'END'
until grep -q second out; do sleep 0.01; done; echo first
echo second
END
run 0 0 -j 2
test "$(head -n 1 out)" = second || fail "not in the order of ending"
cat >in <<'END'
until test -e second; do sleep 0.01; done; echo first
echo second; : >second
END
run 0 0 -j 2 -k
test "$(head -n 1 out)" = first || fail "-k: not in the order of the input"
rm second

# A command takes one of three places; all three are taken at the same time.
cat >place <<'END'
for i in 1 2 3; do
	if mkdir place.$i 2>/dev/null; then
		: >seen.$1
		until test $1 -gt 3 || test -e seen.1 -a -e seen.2 -a -e seen.3
		do sleep 0.01; done
		rmdir place.$i
		exit
	fi
done
exit 1
END
seq 60 | sed 's/^/sh place /' >in
run 0 0 -j 3
rm -f seen.*

# 1 MB each, and no two of them mixed.
seq 8 | sed 's/.*/yes & | head -c 1000000/' >in
run 0 0 -j 4
test "$(uniq -c out | sort -k 2 | awk '{ print $1 }' | uniq -c |
	awk '{ print $1, $2 }')" = "8 500000" || fail "big outputs: mixed"

# What failed is named and counted.
cat >in <<'END'
true
exit 255
echo before; kill -TERM $$
no-such-command-here 2>/dev/null
END
run 1 4 -k
test "$(cat out)" = before || fail "failures: wrote $(cat out)"
grep -q 'exit status 255: exit 255$' err || fail "255 is not named"
grep -q 'killed: echo before' err || fail "a signal is not named"
grep -q '^04_parallel: 3 failed$' err || fail "failures are not counted"

# It fails twice and then does not.
echo 'echo x >>count; test $(wc -l <count) -eq 3' >in
for retries in 0 1 2 3; do
	rm -f count
	case $retries in
	0 | 1) run 1 2 --retries $retries ;;
	*) run 0 0 --retries=$retries ;;
	esac
	want=$((retries < 2 ? retries + 1 : 3))
	test "$(wc -l <count)" -eq $want || fail "--retries $retries: not $want"
done

# The whole group is killed, for each try, and what it wrote before is there.
cat >in <<'END'
echo begun; echo $$ >>pids; sleep 1000 & echo $! >>pids; wait
echo other
END
# A busy machine may need longer than it is given to get so far.
printf 'begun\nbegun\nother\n' >want
for seconds in 0.5 2 8 32; do
	: >pids
	limited "$example" -k --timeout $seconds --retries 1 \
		<in >out 2>err
	rc=$?
	until_true all_gone pids
	test "$(wc -l <pids)" -eq 4 && cmp -s want out && break
done
test $rc -eq 1 || fail "--timeout: exit status $rc, not 1"
same want out "--timeout: other output"
grep -q 'timed out: echo begun' err || fail "--timeout: not named"
test "$(wc -l <pids)" -eq 4 || fail "--timeout: not two tries"
echo 'echo in time' >in
run 0 0 --timeout 250

# A program can inherit that its children are forgotten as they end.
echo 'exit 3' | limited sh -c 'trap "" CHLD; exec "$0"' "$example" 2>err
grep -q 'exit status 3' err || fail "with SIGCHLD ignored: no exit status"

# signalled SIGNAL RC: while commands run, others wait, and the input is open.
signalled() {
	rm -f fifo pids.*
	mkfifo fifo
	{
		limited sh -c 'echo $$ >pid; exec "$0" "$@"' \
			"$example" -j 2 <fifo >out 2>err
		echo $? >rc
	} &
	exec 3>fifo
	for i in 1 2; do
		echo "trap '' INT TERM; sleep 1000 & echo \$\$ \$! >t.$i" \
			"&& mv t.$i pids.$i; wait; sleep 1000"
	done >&3
	echo ': >started' >&3
	until_true test -e pids.1 -a -e pids.2
	kill -"$1" "$(cat pid)"
	wait
	exec 3>&-
	test "$(cat rc)" -eq "$2" || fail "SIG$1: exit status $(cat rc)"
	until_true all_gone pids.1 pids.2
	test -e started && fail "SIG$1: another command was started"
	test -s out && fail "SIG$1: wrote $(cat out)"
}

signalled INT 130
signalled TERM 143

# What has ended is printed while the input is open.
mkfifo open
limited "$example" -k <open >out 2>err &
exec 3>open
echo 'echo early' >&3
until_true test -s out
exec 3>&-
wait $! || fail "an input that is open for long: exit status"

# The progress bar ends with all done, on a line of its own.
seq 20 | sed 's/.*/test & -ne 7/' >in
run 1 3 --progress
tr '\r' '\n' <err | grep -q '^\[####################\] 20/20, 1 failed$' ||
	fail "--progress: not 20/20"
run 1 3 -p

for bad in -j -jx -j-1 -j0 -j2x --timeout --timeout=x --timeout=-1 \
	--timeout=nan --retries=-1 --retries=1x -x --nonsense command; do
	refused 2 $bad
done
run 0 0 --help
grep -q '^usage: 04_parallel' out || fail "--help: no usage"
limited "$example" <. >out 2>err
rc=$?
test $rc -eq 1 || fail "input that cannot be read: exit status $rc"
if test -w /dev/full; then
	echo 'echo x' | limited "$example" >/dev/full 2>err
	rc=$?
	test $rc -eq 1 || fail "output that cannot be written: exit status $rc"
fi
exit $status
