#!/bin/sh
#
# check-style.sh - C is laid out as .clang-format says, and no line ends in
# white space.

cd "${top_srcdir:-.}" || exit 99
format=${CLANG_FORMAT:-clang-format}
status=0

files=$(find include src tests examples bench verify -type f \
	\( -name '*.[ch]' -o -name '*.cc' \) | sort)

if grep -n '[	 ]$' $files; then
	echo "check-style: the lines above end in white space"
	status=1
fi

if command -v "$format" >/dev/null; then
	for file in $files; do
		"$format" "$file" | diff -u "$file" - || status=1
	done
	test $status -eq 0 || echo "check-style: $format -i would mend that"
elif test $status -eq 0; then
	echo "check-style: no $format"
	status=77
fi
exit $status
