#!/bin/sh
#
# model.sh - the models, explored by Spin.
#
#	model.sh list			what there is to explore, a line for each
#	model.sh scene MODEL SCENE	a scene named in the model's header, in
#					which nothing may go wrong
#	model.sh mutation MODEL MUTATION SCENE
#					a mutation named there; something must
#
# BOUND=large explores the large scenes as well.

. "${srcdir:-.}/common.sh"

# Compiling what Spin makes of a model takes longer than running it, the more so
# the better the code.
case $BOUND in
large)	optimize=-O2 seconds=7200 megabytes=16000 ;;
*)	optimize=-O0 seconds=300 megabytes=2000 ;;
esac

list() {
	for text in "$srcdir"/models/*.pml; do
		model=${text##*/}
		model=${model%.pml}
		kinds=scene
		[ "$BOUND" = large ] && kinds='scene\|large'
		sed -n "s/^ \* \($kinds\) \([A-Z_]*\):.*/scene $model \2/p
s/^ \* mutation \([A-Z_]*\) in \([A-Z_]*\):.*/mutation $model \1 \2/p" "$text"
	done
}

# explore FOLDER MODEL DEFINE...: 0 if nothing is wrong, 1 if something is, 2 if
# that could not be found out.
explore() {
	folder=$1
	text=$srcdir/models/$2.pml
	shift 2
	rm -rf "$folder"
	mkdir -p "$folder" || return 2
	cp "$text" "$folder/model.pml" || return 2
	(
		cd "$folder" || exit 2
		spin "$@" -a model.pml >spin.log 2>&1 &&
			$CC -w $optimize -DSAFETY -DVECTORSZ=2048 -DCOLLAPSE \
				-DMEMLIM=$megabytes -o pan pan.c \
				>>spin.log 2>&1 || exit 2
		timeout $seconds ./pan -m1000000 -w20 >pan.log 2>&1
		grep -q 'search depth too small\|Search not completed' pan.log &&
			! grep -q 'errors: [1-9]' pan.log && exit 2
		grep -q 'errors: [1-9]' pan.log && exit 1
		grep -q 'errors: 0' pan.log || exit 2
	)
}

states() {
	sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1 states/p' "$1/pan.log" |
		head -n 1
}

# What Spin says went wrong, in a few words.
what() {
	sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' "$1/pan.log" | head -n 1
}

scene() {
	folder=$work/$1-$2
	explore "$folder" "$1" "-D$2"
	case $? in
	0)	echo "ok      model $1 $2: $(states "$folder")" ;;
	1)	echo "FAILED  model $1 $2: $(what "$folder"): see $folder"
		return 1 ;;
	*)	echo "FAILED  model $1 $2 cannot be explored: see $folder"
		return 1 ;;
	esac
}

mutation() {
	folder=$work/$1-$2
	explore "$folder" "$1" "-D$3" "-D$2"
	case $? in
	1)	echo "caught  model $1 $2: $(what "$folder")" ;;
	0)	echo "FAILED  model $1 $2 is not found out: see $folder"
		return 1 ;;
	*)	echo "FAILED  model $1 $2 cannot be explored: see $folder"
		return 1 ;;
	esac
}

"$@"
