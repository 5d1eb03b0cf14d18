#!/bin/sh
#
# check-lists.sh - the lists in the Makefiles miss no file: what is there is
# built, and what is built is run.

cd "${top_srcdir:-.}" || exit 99
status=0

missing() {
	echo "check-lists: $*"
	status=1
}

# listed FOLDER PATTERN...: FOLDER/Makefile.am names each such file, or the
# program that is made of it.
listed() {
	folder=$1
	shift
	words=$(sed 's/#.*//' "$folder/Makefile.am" | tr -s '\t\\=' '   ' |
		tr -s ' ' '\n')
	for file in $(cd "$folder" && ls $* 2>/dev/null); do
		echo "$words" | grep -qxF -e "$file" -e "${file%.c}" ||
			missing "$folder/Makefile.am lacks $file"
	done
}

listed include '*.h' 'soon/*.h'
listed src '*.[ch]' '*.map'
listed tests '*.c' '*.cc' '*.sh' 'support/*.[ch]' \
	'abi/*' 'consumer/*' 'fuzz/*.[ch]'
listed examples '*.[ch]' '*.sh'
listed bench '*.[ch]' '*.py' '*.sh' 'peers/*.c' 'peers/*.cc' 'peers/*.py'
listed doc '*.md' '*.py' 'man/*.[37]' 'man/*.css' 'pictures/*'

# A test of the interface gets the library as users have it, not the core.
for file in $(cd tests && ls api_*.c 2>/dev/null); do
	line="${file%.c}_LDADD = \$(API_LDADD)"
	grep -qxF "$line" tests/Makefile.am ||
		missing "tests/Makefile.am must say $line"
done

# Make runs the scripts as programs.
for file in bootstrap .ci/run */*.sh; do
	test ! -f "$file" || test -x "$file" ||
		missing "$file is not executable"
done

test $status -ne 0 || echo "check-lists: nothing is missing"
exit $status
