# check.sh - what the checks of the examples share; each reads it first.
#
# The example's path is in $example; the folder that the check is in is its own, and
# goes at the end.

example=${0##*/check_}
example=$PWD/${example%.sh}
test -x "$example" || exit 77
LC_ALL=C
export LC_ALL
limit=600 # seconds, against hangs only
status=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 99

fail() {
	echo "check_${example##*/}: $*"
	status=1
}

# limited COMMAND...: against hangs.
limited() {
	timeout -k 5 $limit "$@"
}

# until_true COMMAND...: or until that takes too long.
until_true() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		test $tries -lt $((limit * 10)) || {
			fail "waited for $* in vain"
			exit 1
		}
		sleep 0.1
	done
}

# refused RC ARGUMENT...: the example says why in one line, and does nothing else.
refused() {
	want=$1
	shift
	limited "$example" "$@" >said 2>why
	rc=$?
	test $rc -eq "$want" || fail "$*: exit status $rc, not $want"
	test "$(wc -l <why)" -eq 1 || fail "$*: not one line of error"
	test ! -s said || fail "$*: wrote to standard output"
}
