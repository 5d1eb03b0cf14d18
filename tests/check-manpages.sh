#!/bin/sh
#
# check-manpages.sh - each public function has a page, with the prototype of the
# headers; so has each member of a public structure and each constant; and the
# pages name nothing that does not exist.
#
# A page stands for the names in its NAME section, the first of which it is
# called by; `make install' makes pages for the others.

pages=${top_srcdir:-.}/doc/man
include=${top_srcdir:-.}/include
version=${top_builddir:-.}/include/soon/version.h
status=0
LC_ALL=C
export LC_ALL

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

wrong() {
	echo "check-manpages: $*"
	status=1
}

# same WHAT FROM TO: two lists of it, in the headers and in the pages.
same() {
	diff "$work/$2" "$work/$3" >"$work/diff" && return
	wrong "$1 of the headers (<) and of the pages (>) differ:"
	sed -n '/^[<>]/p' "$work/diff"
}

# only WHAT PART WHOLE: each line of a list is in the other.
only() {
	test -z "$(comm -23 "$work/$2" "$work/$3")" && return
	wrong "$1:"
	comm -23 "$work/$2" "$work/$3"
}

# ----------------------------------------------------------------------------
# What the headers declare: `function PROTOTYPE', `struct NAME' and
# `member STRUCT DECLARATION', without the spaces that mean nothing.
# ----------------------------------------------------------------------------

normal='
function normal(s) {
	gsub(/[ \t\n]+/, " ", s)
	gsub(/ ?\( ?/, "(", s)
	gsub(/ ?\) ?/, ")", s)
	gsub(/ ?\* ?/, "*", s)
	gsub(/ ?, ?/, ",", s)
	gsub(/^ | $/, "", s)
	return s
}'

# Where configure was run in the source tree version.h is there already.
test "$include/soon/version.h" -ef "$version" && version=
cat "$include/soon.h" "$include"/soon/*.h $version >"$work/headers"

awk "$normal"'
/^#/ || continued {
	continued = /\\$/
	next
}

{
	text = text "\n" $0
}

function members(body, name,    part, n, i) {
	print "struct " name
	n = split(body, part, ";")
	for (i = 1; i < n; i++)
		print "member " name " " normal(part[i])
}

END {
	while ((at = index(text, "/*")) > 0) {
		end = index(substr(text, at), "*/")
		text = substr(text, 1, at - 1) " " substr(text, at + end + 1)
	}
	while (match(text, /typedef struct soon_[a-z_]+ {[^}]*}/)) {
		body = substr(text, RSTART + 15, RLENGTH - 16)
		text = substr(text, RSTART + RLENGTH)
		name = body
		sub(/ .*/, "", name)
		sub(/^[^{]*{/, "", body)
		members(body, name)
	}
}' "$work/headers" >"$work/structures"

awk "$normal"'
/^SOON_API / {
	declaration = ""
	inside = 1
}

inside && !/^#/ && !/^[ \t]*__attribute__/ {
	declaration = declaration " " $0
	if (/;[ \t]*$/) {
		sub(/^ SOON_API/, "", declaration)
		sub(/;.*/, "", declaration)
		print normal(declaration)
		inside = 0
	}
}' "$work/headers" | sort >"$work/prototypes"
sed 's/^[^(]*\(soon_[a-z0-9_]*\)(.*/\1/' "$work/prototypes" | sort \
	>"$work/functions"
sed -n 's/^struct //p' "$work/structures" | sort >"$work/structs"
sed -n 's/^member //p' "$work/structures" | sort >"$work/members"
grep -o 'soon_[a-z0-9_]*' "$work/headers" | sort -u >"$work/words"
grep -v '^ \*' "$work/headers" | grep -o 'SOON_[A-Z0-9_]*' |
	grep -v -e '_H$' -e '^SOON_API$' | sort -u >"$work/constants"

# ----------------------------------------------------------------------------
# What the pages say
# ----------------------------------------------------------------------------

# name PAGE NAME, and the same of functions and members as above.
awk "$normal"'
FILENAME == ARGV[1] {
	structs[$1]
	next
}

FNR == 1 {
	page = FILENAME
	sub(/.*\//, "", page)
	sub(/\.[0-9]$/, "", page)
	struct = ""
}

/^\.Sh / {
	section = substr($0, 5)
	print "section " page " " section
}

section == "NAME" && $1 == ".Nm" {
	print "name " page " " $2
	if ($2 in structs)
		struct = $2
}

{
	argument = $0
	sub(/^[^ ]+ /, "", argument)
	gsub(/"/, "", argument)
}

section == "SYNOPSIS" && $1 == ".Ft" { type = argument }
section == "SYNOPSIS" && $1 == ".Fo" { list = ""; name = argument }
section == "SYNOPSIS" && $1 == ".Fa" { list = list "," argument }
section == "SYNOPSIS" && $1 == ".Fc" {
	print "function " normal(type " " name "(" substr(list, 2) ")")
}

/^\.It Fa "/ {
	sub(/^Fa /, "", argument)
	print "member " struct " " normal(argument)
}' "$work/structs" "$pages"/*.[37] >"$work/pages"

sed -n 's/^function //p' "$work/pages" | sort >"$work/page_prototypes"
sed -n 's/^member //p' "$work/pages" | sort >"$work/page_members"
sed -n 's/^name [^ ]* //p' "$work/pages" | sort >"$work/page_names"
same prototypes prototypes page_prototypes
same "structures' members" members page_members

sort "$work/functions" "$work/structs" >"$work/needed"
comm -12 "$work/needed" "$work/page_names" >"$work/found"
same functions needed found
echo soon | sort -u - "$work/words" >"$work/allowed"
only "names of pages that the headers have not" page_names allowed
uniq -d "$work/page_names" >"$work/twice"
test ! -s "$work/twice" || wrong "more than one page:" $(cat "$work/twice")

# Of constants, what is marked as one; the examples use them only.
grep -hE '^\.(.* )?(Dv|Er|Li) ' "$pages"/*.[37] |
	grep -o 'SOON_[A-Z0-9_]*' | sort -u >"$work/page_constants"
same constants constants page_constants
grep -ho 'soon_[a-z0-9_]*' "$pages"/*.[37] | sort -u >"$work/page_words"
only "the pages name what the headers have not" page_words words

sed -n 's/^\.Xr \(soon[a-z0-9_]*\) .*/\1/p' "$pages"/*.[37] | sort -u \
	>"$work/references"
only "references to pages that are not there" references page_names
sed -n 's/^\.Xr \([a-z0-9_]*\) 3.*/\1/p' "$pages/soon.7" | sort -u \
	>"$work/overview"
only "missing in soon.7" functions overview

# ----------------------------------------------------------------------------
# Form
# ----------------------------------------------------------------------------

for page in "$pages"/*.3; do
	name=${page##*/}
	name=${name%.3}
	grep "^name $name " "$work/pages" | head -n 1 |
		grep -qx "name $name $name" ||
		wrong "$name.3 is not called by its first name"
	for section in NAME LIBRARY SYNOPSIS DESCRIPTION 'RETURN VALUES' \
		THREADS EXAMPLES 'SEE ALSO'; do
		grep -qx "section $name $section" "$work/pages" ||
			wrong "$name.3 has no section $section"
	done
done

if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$pages"/*.[37] ||
		wrong "mandoc says the above"
else
	echo "check-manpages: no mandoc: the pages' form was not looked at"
fi

n=$(wc -l <"$work/functions")
test $status -ne 0 || echo "check-manpages: $((n)) functions"
exit $status
