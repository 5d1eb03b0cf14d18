#!/bin/sh
#
# stress.sh SECONDS PROGRAM... - run those of the programs that are stress tests
# over and over for so long, each round with another seed.  A failure prints the
# command that repeats it.

seconds=$1
shift
programs=
for program; do
	case $program in
	stress_*) programs="$programs $program" ;;
	esac
done
[ -n "$programs" ] || { echo 'stress: no programs: Check is missing'; exit 1; }

# Under the sanitizers a test may take long; a limit there is only for hangs.
CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-4}
export CK_TIMEOUT_MULTIPLIER

start=$(date +%s)
seed=${SOON_TEST_SEED:-$start}
rounds=0
while [ $(($(date +%s) - start)) -lt "$seconds" ]; do
	for program in $programs; do
		if ! SOON_TEST_SEED=$seed ./"$program" >stress.out 2>&1; then
			cat stress.out
			echo "stress: SOON_TEST_SEED=$seed ./$program fails"
			exit 1
		fi
	done
	rounds=$((rounds + 1))
	seed=$((seed + 1))
done
rm -f stress.out
echo "stress: $rounds rounds, no failure:$programs"
