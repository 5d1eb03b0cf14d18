#!/bin/sh
#
# check_10_rest.sh - 10_rest answers with the right status, in the order in which
# jobs end; holds 1000 slow requests on few threads; refuses what is too much, and
# only that; and answers all that it has accepted before a signal ends it.
#
# A second one is the upstream.  While that is stopped, requests that need it are
# held, so what is seen then does not depend on time.

curl --help all 2>/dev/null | grep -q -e --parallel-immediate || exit 77
. "${0%/*}/check.sh"
trap 'exec 2>/dev/null; kill -9 $(cat "$tmp"/*.pid); rm -rf "$tmp"' EXIT
NO_PROXY='*'
export NO_PROXY
jobs=16
curl="curl -sS --no-progress-meter -m $limit"

# serve NAME OPTION...: its address in $url, its port in $port, its id in NAME.pid.
serve() {
	name=$1
	shift
	rm -f "$name".*
	{
		timeout -k 5 $limit sh -c 'echo $$ >"$0.pid"; exec "$@"' "$name" \
			"$example" -p 0 "$@" items.db >"$name.out" 2>"$name.err"
		echo $? >"$name.rc"
	} &
	until_true grep -q . "$name.out" "$name.rc" 2>/dev/null
	url=$(cat "$name.out")
	port=${url##*:}
	test -n "$url" || fail "$name: did not start: $(cat "$name.err")"
}

# signal NAME SIGNAL
signal() {
	kill -"$2" "$(cat "$1.pid")"
}

# ended NAME: by a signal, after all was answered.
ended() {
	until_true test -s "$1.rc"
	test "$(cat "$1.rc")" = 0 || fail "$1: exit status $(cat "$1.rc")"
	test ! -s "$1.err" || fail "$1: $(cat "$1.err")"
	rm -f "$1.pid"
}

# expect STATUS BODY PATH OPTION...: what is asked for is answered so.
expect() {
	want=$1
	text=$2
	path=$3
	shift 3
	code=$($curl -o body -w '%{http_code}' "$@" "$url$path")
	test "$code" = "$want" || fail "$path $*: status $code, not $want"
	case $(cat body) in
	$text) ;;
	*) fail "$path $*: $(cat body)" ;;
	esac
}

# holds WHAT N [OPERATOR]: so many of them there are, according to the server.
holds() {
	test "$($curl "$url/stats" | sed "s/.*\"$1\":\([0-9]*\).*/\1/")" \
		"${3--eq}" "$2"
}

# load N PATH: N requests of it at once, in the background; their statuses are in
# load.* then.
load() {
	rm -f load.*
	first=1
	clients=
	while test $first -le "$1"; do
		last=$((first + 99 < $1 ? first + 99 : $1))
		$curl -Z --parallel-immediate --parallel-max 100 -o /dev/null \
			-w '%{http_code}\n' "$url$2&n=[$first-$last]" \
			>load.$first 2>>load.err &
		clients="$clients $!"
		first=$((last + 1))
	done
}

# answered "COUNT STATUS...": that is what the load has got.
answered() {
	wait $clients
	sort load.[0-9]* | uniq -c | awk '{ print $1, $2 }' >counts
	test "$(cat counts)" = "$1" || fail "load: $(cat counts load.err)"
}

# refuses: nobody listens at the address any more.
refuses() {
	$curl -o /dev/null "$url/stats" 2>/dev/null
	test $? -eq 7
}

serve upstream
upstream=$port
serve rest --upstream "$upstream" -j $jobs

error='{"error":"?*"}'
expect 200 '[]' /items
expect 201 '{"name":"nail","price":0.02,"id":1}' /items -d '{"name":"nail","price":0.02}'
expect 201 '{"name":"é","id":2}' /items -d '{ "name": "é" }'
expect 201 '{"id":3}' /items -d '{"id":77}'
expect 200 '{"name":"nail","price":0.02,"id":1}' /items/1
expect 200 '\[{"name":"nail","price":0.02,"id":1},{"name":"é","id":2},{"id":3}]' /items
expect 200 '\[{"id":3}]' /items?after=2
expect 200 '[]' /items?after=3
expect 200 '{"slept_ms":0}' /fetch?ms=0
expect 200 '\[{"slept_ms":2},{"slept_ms":1},{"slept_ms":0}]' /gather?ms=2,1,0
expect 200 'HTTP/1.1 200 OK*' /items/1 -I
for bad in '' '{' '{"a":}' '[1]' '"a"' 7 null '{"a":1} x' "$(printf '{"a":"\377"}')"; do
	expect 400 "$error" /items -d "$bad"
done
printf '{}\0' | expect 400 "$error" /items --data-binary @-
for bad in /items/ /items/x /items/1x /items/-1 /items/1/2 /items?after=x /fetch \
	/fetch?ms= /fetch?ms=-1 /fetch?ms=1,2 /fetch?ms=1000000 /gather /gather?ms=1,,2 \
	/gather?ms=1, /gather?ms=1,x /sleep?ms=x /sleep?ms=9999999999999999999999 \
	/gather?ms=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1; do
	expect 400 "$error" $bad
done
for unknown in / /item /itemsx /items/4 /items/999999999999999999 /stats/ /..; do
	expect 404 "$error" $unknown
done
expect 405 "$error" /items -X DELETE
expect 405 "$error" /items/1 -d '{}'
expect 405 "$error" /stats -X PUT
$curl -I -X DELETE "$url/items" >head
grep -q '^Allow: GET, HEAD, POST' head || fail "405: no Allow"
{
	printf '{"a":"'
	head -c 65528 /dev/zero | tr '\0' x
	printf '"}'
} >most
expect 201 '{"a":"x*x","id":4}' /items -d @most
echo ' ' >>most
expect 413 "$error" /items --data-binary @most
head -c 10000000 /dev/zero >much
expect 413 "$error" /items --data-binary @much
expect 413 "$error" /items --data-binary @much -H 'Transfer-Encoding: chunked'
expect 404 "$error" /items/5

# Those asked for in the order 500 300 100 are answered in the order 100 300 500:
# all are on their way when the upstream goes on.
printf '100\n300\n500\n' >want
for scale in 1 4 16; do
	rm -f order
	signal upstream STOP
	clients=
	for ms in 500 300 100; do
		{
			$curl -o /dev/null "$url/fetch?ms=$((ms * scale))"
			echo $ms >>order
		} &
		clients="$clients $!"
	done
	until_true holds requests 4
	signal upstream CONT
	wait $clients
	cmp -s want order && break # a busy machine may mix them up
done
cmp want order || fail "not answered in the order of ending: $(cat order)"

# The calls of one that gathers are under way together, too.  It makes one of them
# itself, or waits beside all three.
signal upstream STOP
$curl "$url/gather?ms=30,20,10" >gathered &
until_true holds blocked 3 -ge
signal upstream CONT
wait $!
test "$(cat gathered)" = '[{"slept_ms":30},{"slept_ms":20},{"slept_ms":10}]' ||
	fail "/gather: $(cat gathered)"

# Every insertion is there, once.
clients=
for n in 1 2 3 4 5 6 7 8; do
	$curl -Z -o /dev/null -d '{"many":true}' "$url/items?n=[1-25]" &
	clients="$clients $!"
done
wait $clients
$curl "$url/items?after=4" | tr '}' '\n' | grep -c '"many":true,"id":' >count
test "$(cat count)" -eq 200 || fail "of 200 items $(cat count) are there"

# Who goes away, while the job runs or in the middle of a body, is forgotten.
signal upstream STOP
$curl "$url/fetch?ms=1" >gone 2>&1 &
client=$!
mkfifo body.fifo
exec 3<>body.fifo
$curl -X POST -T body.fifo "$url/items" >gone 2>&1 3>&- &
printf '{"half":' >&3
until_true holds requests 3
kill -9 $client $!
wait $client $! 2>/dev/null
until_true holds requests 2
exec 3>&-
signal upstream CONT
until_true holds requests 1
expect 200 '{"slept_ms":1}' '/fetch?ms=1'

# A thousand at once are held by as many threads as before, and all are answered.
load=1000
files=$(ulimit -H -n)
test "$files" = unlimited || test "$files" -gt 1500 || load=$((files / 2))
signal upstream STOP
load $load '/fetch?ms=1'
until_true holds requests $((load + 1))
until_true holds blocked $jobs
until_true holds pending $((load - jobs))
if test -d /proc/self/task; then
	# main(), the HTTP server's, the library's own and a sanitizer's
	threads=$(ls "/proc/$(cat rest.pid)/task" | wc -l)
	test "$threads" -le $((jobs + 5)) || fail "$load requests: $threads threads"
fi
signal upstream CONT
answered "$load 200"

# A signal ends it when what it has accepted is answered; more is refused.
signal upstream STOP
load $load '/fetch?ms=1'
exec 3<>body.fifo
$curl -o late -w '%{http_code}\n' -X POST -T body.fifo "$url/items" >late.code 3>&- &
client=$!
printf '{"late":' >&3
until_true holds requests $((load + 2))
signal rest TERM
until_true refuses
echo 'true}' >&3
exec 3>&-
signal upstream CONT
answered "$load 200"
wait $client
test "$(cat late.code)" = 201 || fail "a body that ends late: $(cat late.code)"
ended rest

# Too much is refused, and what is not refused is answered.
serve rest --upstream "$upstream" -j 2 --max-pending 3
expect 200 '\[{"slept_ms":3},{"slept_ms":2},{"slept_ms":1}]' '/gather?ms=3,2,1'
expect 503 "$error" '/gather?ms=4,3,2,1'
signal upstream STOP
clients=
for n in 1 2 3 4 5; do
	$curl -o /dev/null -w '%{http_code}\n' "$url/fetch?ms=$n" >held.$n &
	clients="$clients $!"
	test $n -gt 2 && continue
	until_true holds blocked $n
done
until_true holds pending 3
held=$clients
load 20 '/fetch?ms=1'
answered "20 503"
$curl -I "$url/items" >head
grep -q '^Retry-After: 1' head || fail "503: no Retry-After"
expect 503 "$error" /items -d '{}'
signal upstream CONT
wait $held
test "$(cat held.* | sort | uniq -c | awk '{ print $1, $2 }')" = "5 200" ||
	fail "overload: of five $(cat held.*)"
signal rest INT
ended rest

# An upstream that is slow, that refuses, that is not there; one thread for all.
serve rest --upstream "$upstream" -j 1 --timeout 1
expect 200 '\[{"slept_ms":3},{"slept_ms":2},{"slept_ms":1}]' '/gather?ms=3,2,1'
signal upstream STOP
expect 504 "$error" '/fetch?ms=1'
expect 504 "$error" '/gather?ms=1,2'
signal upstream CONT
signal upstream TERM
ended upstream
expect 502 "$error" '/fetch?ms=1'
expect 502 "$error" '/gather?ms=1,2'

# A second signal does not wait for the answers.
exec 3<>body.fifo
$curl -o gone -X POST -T body.fifo "$url/items" >gone 2>&1 3>&- &
printf '{' >&3
until_true holds requests 2
signal rest TERM
until_true refuses
signal rest TERM
until_true test -s rest.rc
test "$(cat rest.rc)" = 143 || fail "a second signal: exit status $(cat rest.rc)"
exec 3>&-
wait

for bad in -p -px -p-1 -p65535 -j0 --max-pending=0 --upstream=x --timeout=0 -x \
	--nonsense; do
	refused 2 $bad items.db
done
refused 2
refused 2 a.db b.db
serve rest
refused 1 -p "$port" items.db
signal rest TERM
ended rest
echo 'no database' >not.db
for bad in . not.db; do
	limited "$example" -p 0 $bad >said 2>why
	rc=$?
	test $rc -eq 1 || fail "$bad: exit status $rc, not 1"
	grep -q "^10_rest: $bad: " why || fail "$bad: does not say why"
	test ! -s said || fail "$bad: wrote to standard output"
done
limited "$example" --help >out 2>err
test $? -eq 0 || fail "--help: exit status"
grep -q '^usage: 10_rest' out || fail "--help: no usage"
exit $status
