#!/bin/sh
#
# check_07_epoll.sh - the server of 07_epoll answers each client in the order in
# which its jobs end, and while others block; bears clients that go away, that send
# too much or read too little; and ends when all that it read is answered.
#
# The others are checked by this, too, under their own names.  A job that reads a
# FIFO is held until the other end of that is closed.

# With bash for its /dev/tcp, and for so long, should a FIFO wait in vain.
command -v bash >/dev/null || exit 77
test -n "$limited" || exec env limited=yes timeout 1200 bash "$0" "$@"
. "${0%/*}/check.sh"
trap 'exec 2>/dev/null; kill -9 $(cat "$tmp/pid"); rm -rf "$tmp"' EXIT

serve() {
	rm -f pid out err rc
	{
		timeout -k 5 $limit sh -c 'echo $$ >pid; exec "$0" "$@"' \
			"$example" 0 >out 2>err
		echo $? >rc
	} &
	until_true test -s out -o -s rc
	port=$(sed 's/.*://' out)
	test -n "$port" || fail "did not start: $(cat err)"
}

# ended RC: by a signal.
ended() {
	until_true test -s rc
	test "$(cat rc)" = "$1" || fail "exit status $(cat rc), not $1: $(cat err)"
	test ! -s err || fail "$(cat err)"
	rm -f pid
}

# connect FD
connect() {
	eval "exec $1<>/dev/tcp/127.0.0.1/$port"
}

# refuses: nobody listens any more.
refuses() {
	! (connect 4) 2>/dev/null
}

# hears FD LINE: the next that the client receives; nothing: the end.
hears() {
	line=
	read -r -t $limit line <&"$1" 2>/dev/null # reset, if more was sent
	test "$line" = "$2" || fail "received $line, not $2"
}

serve
connect 5
connect 6

# A client's lines, one by one; what is no request is told so.
seq 1000 >thousand
: >empty
while read -r answer; do
	echo "${answer%%: *}" >&5
	hears 5 "$answer"
done <<'END'
lines thousand: 1000
lines empty: 0
lines none: No such file or directory
lines .: Is a directory
resolve 127.0.0.1: 127.0.0.1
resolve ::1: ::1
linesx thousand: lines FILE, or resolve NAME
lines: lines FILE, or resolve NAME
: lines FILE, or resolve NAME
END

# The order is that of ending, whoever asked.
mkfifo a b c d
printf 'lines a\nlines b\nli' >&5
printf 'lines c\n' >&6
printf 'nes d\n' >&5
echo 1 >d
hears 5 'lines d: 1'
printf '1\n2\n' >c
hears 6 'lines c: 2'
echo 1 >b
hears 5 'lines b: 1'
: >a
hears 5 'lines a: 0'

# As many of a client's jobs as may be are under way; the rest are not lost.
for n in $(seq 40); do
	mkfifo fifo.$n
	echo "lines fifo.$n" >&5
done
for n in $(seq 40); do
	seq "$n" >fifo.$n
	hears 5 "lines fifo.$n: $n"
done

# Many clients with many requests each.
for n in $(seq 100); do
	seq "$n" >file.$n
	echo "lines file.$n: $n"
done | sort >want
clients=
for n in $(seq 20); do
	{
		connect 7
		seq 100 | sed 's/^/lines file./' >&7
		head -n 100 <&7 | sort >got.$n
	} &
	clients="$clients $!"
done
wait $clients
for n in $(seq 20); do
	cmp want got.$n || fail "client $n: other answers"
done

# One that has gone when its answer comes; one in the middle of a line.
connect 7
echo 'lines a' >&7
exec 8>a # when the job has opened it
exec 7>&-
connect 7
printf 'lines thous' >&7
exec 7>&-
exec 8>&-
echo 'lines thousand' >&6
hears 6 'lines thousand: 1000'

# The longest line, and one that is longer: no more is read from who sends it.
long=$(head -c 249 /dev/zero | tr '\0' x)
connect 7
echo "lines $long" >&7
hears 7 "lines $long: No such file or directory"
echo "lines x$long" >&7
hears 7 ''
exec 7>&-

# Who asks for ever and reads nothing is cut off.
connect 7
(timeout $limit yes "lines $long" >&7) 2>/dev/null
test $? -ne 124 || fail "one that does not read is not cut off"
exec 7>&-

# There are not more clients than there may be; then there may be others.
seq 600 >numbers
test "$(ulimit -n)" -lt 800 || (
	while read -r n; do
		eval "exec $((n + 100))<>/dev/tcp/127.0.0.1/$port" || exit 1
	done <numbers
	echo 'lines thousand' >&101
	read -r -t $limit line <&101
	test "$line" = 'lines thousand: 1000'
) 2>/dev/null || fail "600 clients: the first is not answered"
echo 'lines thousand' >&6
hears 6 'lines thousand: 1000'

# What was read before a signal is answered, also if more was sent.
echo 'lines a' >&5
connect 7
seq 16 | sed 's/^/lines fifo./' >&7
yes 'lines thousand' | head -n 2000 >&7
exec 8>fifo.16 9>a
kill -TERM "$(cat pid)"
until_true refuses
hears 6 ''
for n in $(seq 15); do
	: >fifo.$n
done
echo 1 >&9
exec 8>&- 9>&-
hears 5 'lines a: 1'
hears 5 ''
timeout $limit cat <&7 >answers || fail "answers are taken back"
test "$(grep -c fifo answers)" -eq 16 || fail "of 16: $(grep fifo answers)"
ended 0

# A second signal does not wait.
serve
connect 5
echo 'lines a' >&5
exec 8>a
kill -INT "$(cat pid)"
until_true refuses
kill -INT "$(cat pid)"
ended 130
exec 8>&-

# An idle one ends at once, and another may have its port.
serve
connect 5
kill -INT "$(cat pid)"
hears 5 ''
ended 0

refused 2
refused 2 ''
refused 2 x
refused 2 -1
refused 2 65536
refused 2 0 0
serve
refused 1 "$port"
kill -TERM "$(cat pid)"
ended 0
exit $status
