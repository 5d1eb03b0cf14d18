#!/bin/sh
#
# check-manexamples.sh - the examples of the manual pages and of doc/*.md compile,
# those that are whole programs run, and those of doc/*.md print what the text says.

pages=$(cd "${top_srcdir:-.}/doc/man" && pwd) || exit 99
doc=$(cd "${top_srcdir:-.}/doc" && pwd) || exit 99
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

# same PROGRAM: it printed what the text says, where that says so.
same() {
	if test -f "$1.any"; then
		sort out | diff - "$1.any" || wrong "$1.c prints the above"
	elif test -f "$1.out"; then
		diff out "$1.out" || wrong "$1.c prints the above"
	fi
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

# Each block of C in doc/*.md becomes the file that its first line names, and the
# block after it what this prints: file.out, or file.any if in any order.
awk '
/^```/ {
	inside = 0
	if ($0 == "```c")
		inside = naming = 1
	else if ($0 ~ /^```text/ && name != "") {
		inside = 1
		file = name ($0 ~ /in any order$/ ? ".any" : ".out")
	}
	next
}

inside && naming {
	naming = 0
	file = $2
	name = file
	sub(/\.[ch]$/, "", name)
	if ($1 != "/*" || name == file) {
		print "check-manexamples: " FILENAME ":" FNR ": no name"
		file = name = "nameless"
	}
}

inside { print >file }' "$doc"/*.md
test ! -e nameless || status=1

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
		same "${file%.c}"
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

# Calls are called as in the headers, also where no example has them.
for file in "$doc"/*.md "$doc/../README"; do
	for name in $(tr -cs 'A-Za-z_' '\n' <"$file" |
		grep -E '^(soon|SOON)_[A-Za-z]' | sort -u); do
		grep -qw -e "$name" "$include"/soon/*.h "$include"/soon/*.in ||
			wrong "$file speaks of $name, which there is not"
	done
done

test $status -ne 0 || echo "check-manexamples: $n examples"
exit $status
