#!/bin/sh
#
# check-manexamples.sh - the examples of the manual pages compile, and those that
# are whole programs run.

pages=$(cd "${top_srcdir:-.}/doc/man" && pwd) || exit 99
include=$(cd "${top_srcdir:-.}/include" && pwd) || exit 99
build=$(cd "${top_builddir:-.}" && pwd) || exit 99
test -x "$build/libtool" || exit 77
status=0
n=0
LC_ALL=C
export LC_ALL

wrong() {
	echo "check-manexamples: $*"
	status=1
}

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99

# Each literal display below EXAMPLES becomes a file PAGE-NUMBER.c.
awk '
FNR == 1 {
	page = FILENAME
	sub(/.*\//, "", page)
	sub(/\.[0-9]$/, "", page)
	number = inside = 0
}

/^\.Sh / { examples = /EXAMPLES/ }
/^\.Ed/ { inside = 0 }

inside {
	sub(/^\\&/, "")
	gsub(/\\\(aq/, "\047")
	gsub(/\\\(dq/, "\"")
	gsub(/\\-/, "-")
	gsub(/\\e/, "\\")
	print >file
}

/^\.Bd -literal/ && examples {
	if (file)
		close(file)
	file = page "-" ++number ".c"
	inside = 1
}' "$pages"/*.[37]

flags="-Wall -Wextra -Werror -I$build/include -I$include"
for file in *.c; do
	n=$((n + 1))
	if grep -q '^int main(' "$file"; then
		"$build/libtool" --quiet --tag=CC --mode=link ${CC:-cc} \
			$flags $EXAMPLE_FLAGS -o "${file%.c}" "$file" \
			"$build/src/libsoon.la" ||
			wrong "the program above, $file, does not compile"
		test -x "${file%.c}" || continue
		"./${file%.c}" >out 2>err || {
			wrong "$file fails with $?:"
			cat out err
		}
	else
		${CC:-cc} $flags $EXAMPLE_FLAGS -c "$file" ||
			wrong "the code above, $file, does not compile"
	fi
done

# A page whose example is laid out in another way would not be tested.
for page in "$pages"/*.[37]; do
	name=${page##*/}
	test -f "${name%.*}-1.c" || wrong "$name has no example"
done

test $status -ne 0 || echo "check-manexamples: $n examples"
exit $status
