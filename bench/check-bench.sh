#!/bin/sh
#
# check-bench.sh - every workload runs, small, and gives as many figures as it
# should; run.py makes tables and a CSV file of them.

set -u
failed=0
limit=
if command -v timeout >/dev/null; then
	limit="timeout 60"
fi

complain() {
	echo "$*"
	failed=1
}

# runs PEER FIGURES WORKLOAD N WORKERS [THREADS]
runs() {
	program=./bench-$1
	figures=$2
	shift 2
	output=$($limit $program "$@") || complain "$program $*: status $?"
	number='-?[0-9.]+(e[-+][0-9]+)?'
	echo "$output" |
		grep -Eqx -e "$number( $number){$((figures - 1))}" ||
		complain "$program $* printed: $output"
}

for peer in soon naive; do
	runs $peer 1 submit 1000 2
	runs $peer 1 producers 1000 2 3
	runs $peer 1 roundtrip 100 2
	runs $peer 2 warm 100 2
	runs $peer 2 cold 10 2
	runs $peer 1 fanout 1000 2
	runs $peer 1 blocking 20 10
	runs $peer 1 ascompleted 1000 2
	runs $peer 1 memory 1000 2
	runs $peer 1 trickle 5 2
	runs $peer 1 lifecycle 5 2
	runs $peer 1 work 20 2
	runs $peer 1 gather 20 2
	runs $peer 1 map 1000 2
done
runs soon 1 help 100 2
runs soon 1 forkjoin 12 2
runs soon 2 idle 1000 2

test "$(./bench-naive help 1 1)" = n/a || complain "help has no n/a"

if test -n "${PYTHON3:-}"; then
	csv=check-bench.csv
	svg=check-bench.svg
	"$PYTHON3" -B "$srcdir/run.py" --csv $csv --reps 2 --scale 0.01 \
		--gnuplot "${GNUPLOT:-}" --svg $svg \
		--peers soon,naive submit warm >check-bench.out 2>&1 ||
		complain "run.py fails: $(cat check-bench.out)"
	grep -q '^| libsoon | [0-9]' check-bench.out ||
		complain "run.py prints no table: $(cat check-bench.out)"
	test "$(grep -c '^submit,,naive,' $csv)" -eq 2 ||
		complain "the CSV file lacks lines: $(cat $csv)"
	if test -n "${GNUPLOT:-}"; then
		"$PYTHON3" -B "$srcdir/run.py" --from $csv --svg again-$svg \
			--gnuplot "$GNUPLOT" >/dev/null
		cmp $svg again-$svg ||
			complain "the CSV file gives another picture"
	fi
	rm -f $csv $svg again-$svg check-bench.out
fi
exit $failed
