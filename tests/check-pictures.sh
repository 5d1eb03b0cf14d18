#!/bin/sh
#
# check-pictures.sh - doc/draw-trace.py draws every job of a trace, and the pictures
# of doc/ are whole and small.

python=${PYTHON3:-python3}
tool=${top_srcdir:-.}/doc/draw-trace.py
example=${top_builddir:-.}/examples/01_gather
"$python" -c '' 2>/dev/null && test -x "$example" || exit 77
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
status=0

wrong() {
	echo "check-pictures: $*"
	status=1
}

# drawn JOBS FILE [OPTION...]: a picture with so many bars, failed ones included.
drawn() {
	jobs=$1
	file=$2
	shift 2
	"$python" -B "$tool" "$@" "$work/$file" >"$work/$file.svg" ||
		wrong "$file: draw-trace.py fails"
	"$python" -B - "$work/$file.svg" "$jobs" <<-'END' || wrong "$file: see above"
		import sys
		import xml.etree.ElementTree as xml
		bars = [g for g in xml.parse(sys.argv[1]).iter()
		        if g.get("class", "").startswith("job")]
		for bar in bars:
		    rect = bar.find("{http://www.w3.org/2000/svg}rect")
		    if float(rect.get("width")) <= 0:
		        sys.exit("a bar without width")
		if len(bars) != int(sys.argv[2]):
		    sys.exit(f"{len(bars)} bars for {sys.argv[2]} jobs")
	END
}

# has FILE WORD: the picture says so.
has() {
	grep -qF -e "$2" "$work/$1.svg" || wrong "$1: nothing of $2"
}

# A real one: from workers, and from a caller that runs the jobs.
for option in --scale=0.01 --sync; do
	"$example" --scale=0.01 $option --trace="$work/real" >/dev/null ||
		wrong "01_gather $option: no trace"
	drawn 3 real --title='5 < 9'
	has real 'call 1: 5'
	has real '5 &lt; 9'
done

test "$("$python" -B "$tool" --text "$work/real" | grep -c call)" -ge 1 ||
	wrong "no text"

# What else may be in one: a job on top of another, a failed one, names that XML
# cannot hold, lost events; and an end that was never written, or half.
{
	echo '['
	echo '{"name":"thread_name","ph":"M","pid":1,"tid":2,"args":{"name":"a&b"}}'
	job() {
		printf ',\n{"name":"%s","cat":"job","ph":"X","ts":%s,"dur":%s,' \
			"$1" "$2" "$3"
		printf '"pid":1,"tid":%s,"args":{"outcome":%s}}' "$4" "$5"
	}
	job waits 1000.500 900.250 2 '"succeeded"'
	job 'below' 1100.000 300.000 2 '"failed","error":5,"message":"no <x>"'
	job '\u0001\ud800"' 1500.000 0.000 3 '"succeeded"' | sed 's/""/\\""/'
	printf ',\n{"name":"lost events","ph":"i","s":"g","ts":2,"pid":1,'
	printf '"tid":1,"args":{"count":17}}'
} >"$work/other"
drawn 3 other
has other 'a&amp;b'
has other 'job failed'
has other 'no &lt;x&gt;'
has other '17 events were lost'
"$python" -B "$tool" --text "$work/other" >"$work/text" || wrong "no text"
grep -qF '[ below: 300 us xxx' "$work/text" || wrong "text: $(cat "$work/text")"
drawn 1 other --from 0.0006 --to 0.001 --width 300
printf ',\n{"name":"torn","cat":"j' >>"$work/other"
drawn 3 other

for file in "$work/other.svg" "$work/none"; do
	"$python" -B "$tool" "$file" >"$work/out" 2>"$work/err" &&
		wrong "draw-trace.py takes ${file##*/}"
	test "$(wc -l <"$work/err")" -eq 1 || wrong "not one line: $(cat "$work/err")"
done

for file in "${top_srcdir:-.}"/doc/pictures/*.svg; do
	"$python" -B -c 'import sys, xml.dom.minidom as xml
xml.parse(sys.argv[1])' "$file" || wrong "$file is no XML"
	test "$(wc -c <"$file")" -lt 61440 || wrong "$file is 60 KB or more"
done
exit $status
