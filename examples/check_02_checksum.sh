#!/bin/sh
#
# check_02_checksum.sh - 02_checksum prints what sha256sum prints, for odd names
# and odd files too; reports what it cannot read; and ends on SIGINT.

command -v sha256sum >/dev/null || exit 77
. "${0%/*}/check.sh"
trap 'chmod -R u+rwx "$tmp"; rm -rf "$tmp"' EXIT

# run RC LINES ARGUMENT...: the exit status, and how many lines of error.
run() {
	want_rc=$1
	want_lines=$2
	shift 2
	"$example" "$@" >out 2>err
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

# Names that must be escaped and names that must not; sizes about a block's.
nl='
'
cr=$(printf '\r')
mkdir -p tree/sub/"a b" tree/empty "tree/back\\slash"
echo plain >tree/plain
echo space >"tree/sub/a b/ two  spaces "
echo newline >"tree/new${nl}line"
echo dash >tree/-dash
echo star >'tree/*'
echo quote >"tree/\"'\$(quote)"
echo deep >"tree/back\\slash/n\\n"
echo bytes >"tree/$(printf '\001\377')" || :
: >tree/nothing
for size in 32767 32768 32769 1048577; do
	dd if=/dev/urandom of=tree/$size bs=$size count=1 2>/dev/null
done
# Older ones do not escape a carriage return.
echo return >"return${cr}"
case $(sha256sum "return${cr}") in
\\*) mv "return${cr}" tree/sub ;;
esac
# None of these is a regular file; a FIFO that were opened would block.
ln -s ../plain tree/sub/link
ln -s nowhere tree/dangling
ln -s sub tree/folder
mkfifo tree/fifo

run 0 0 tree
sort out >out.sorted
find tree -type f -exec sha256sum {} + | sort >sum.sorted
same sum.sorted out.sorted "differs from sha256sum"
sha256sum -c out >/dev/null || fail "sha256sum -c does not accept it"

# The order in which the files were found does not depend on the threads.
mv out default
for jobs in 1 2 7; do
	run 0 0 -j $jobs tree
	same default out "-j $jobs: another order"
done

# What is named is read, and in the order of naming, through a link as well.
run 0 0 tree/plain tree/-dash tree/sub/link /dev/null tree/nothing ./tree/32769
sha256sum tree/plain tree/-dash tree/sub/link /dev/null tree/nothing \
	./tree/32769 >sum
same sum out "named files: differs from sha256sum"
for folder in tree/folder tree/folder/; do
	run 0 0 $folder
	sort out >out.sorted
	find -H $folder -type f -exec sha256sum {} + | sort >sum.sorted
	same sum.sorted out.sorted "$folder: a named link to a directory"
done
run 0 0 tree/empty
test -s out && fail "an empty directory: wrote something"

# What cannot be read is named on one line, and the rest is done.
run 1 3 tree/plain missing tree/dangling "no${nl}name" tree/nothing
sha256sum tree/plain tree/nothing >sum
same sum out "after a missing file: the others"
grep -q '^02_checksum: missing: ' err || fail "a missing file is not named"
grep -qF 'no\nname: ' err || fail "a missing file's name is not escaped"

# This one opens, and then reading fails.
if test -r /proc/self/mem; then
	run 1 1 tree/plain /proc/self/mem tree/nothing
	same sum out "after a file that fails: the others"
fi

mkdir locked locked/out locked/in
echo seen >locked/in/seen
echo hidden >locked/in/hidden
chmod 0 locked/in/hidden locked/out
if test -r locked/in/hidden; then
	echo "check_02_checksum: this user may read everything"
else
	run 1 2 locked
	sha256sum locked/in/seen >sum
	same sum out "beside an unreadable file: the others"
	grep -q 'locked/in/hidden: ' err || fail "an unreadable file"
	grep -q 'locked/out: ' err || fail "an unreadable directory"
fi

run 2 1
run 2 1 -
run 2 1 tree -
run 2 1 -j
run 2 1 -j x tree
run 2 1 -j -1 tree
run 2 1 -j 2x tree
run 2 1 -x tree
run 2 1 --nonsense tree
test -s out && fail "a bad option: wrote to standard output"
run 0 0 --help
grep -q '^usage: 02_checksum' out || fail "--help: no usage"
if test -w /dev/full; then
	"$example" tree/plain >/dev/full 2>err
	rc=$?
	test $rc -eq 1 || fail "output that cannot be written: exit status $rc"
fi

# interrupt FEED: SIGINT while a job reads a FIFO, which opening it for writing
# waits for, and others are queued.  FEED keeps the FIFO full, or does not.
# Should the program have gone without, the loop at its end releases the latter.
interrupt() {
	rm -f fifo opened
	mkfifo fifo
	{
		sh -c 'echo $$ >pid; exec "$@"' sh "$example" -j 1 fifo tree \
			>out 2>err
		echo $? >rc
		until test -e opened; do : <>fifo; done
	} &
	exec 3>fifo
	: >opened
	dd if=/dev/zero bs=65536 count=16 2>/dev/null >&3
	kill -INT "$(cat pid)"
	$1
	wait
	exec 3>&-
	test "$(cat rc)" -eq 130 ||
		fail "interrupted with $1: exit status $(cat rc)"
	test -s out && fail "interrupted with $1: wrote $(cat out)"
}

feed() {
	yes >&3 2>/dev/null
}

interrupt feed
interrupt :

# A terminal gets a progress bar, which leaves nothing behind.
if test "$(script -qec 'echo yes' /dev/null 2>/dev/null | tr -d '\r')" = yes
then
	example="$example" script -qec '"$example" tree >out' /dev/null >bar
	grep -q '#] 0 left' bar || fail "no progress bar on a terminal"
	same default out "with a progress bar: other lines"
fi
exit $status
