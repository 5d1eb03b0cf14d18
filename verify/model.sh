#!/bin/sh
#
# model.sh - the models, explored by Spin.
#
#	model.sh scenes MODEL		every scene named in MODEL's header; none may fail
#	model.sh mutations MODEL	every mutation named there; each must fail
#
# BOUND=large explores the large scenes as well.

. "${srcdir:-.}/common.sh"
model=$2
text=$srcdir/models/$model.pml

# explore FOLDER DEFINE...: 0 if nothing is wrong, 1 if something is, 2 if that
# could not be found out.
explore() {
	folder=$1
	shift
	rm -rf "$folder"
	mkdir -p "$folder" || return 2
	cp "$text" "$folder/model.pml" || return 2
	(
		cd "$folder" || exit 2
		spin "$@" -a model.pml >spin.log 2>&1 &&
			$CC -w -O2 -DSAFETY -DVECTORSZ=2048 -DCOLLAPSE \
				-o pan pan.c >>spin.log 2>&1 || exit 2
		timeout 100 ./pan -m1000000 >pan.log 2>&1
		grep -q 'errors: 0' pan.log || exit 1
		grep -q 'max search depth too small' pan.log && exit 2
		exit 0
	)
}

states() {
	sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1 states/p' "$1/pan.log" |
		head -n 1
}

scenes() {
	kinds='scene'
	[ "$BOUND" = large ] && kinds='scene\|large'
	failed=0
	for scene in $(sed -n "s/^ \* \($kinds\) \([A-Z_]*\):.*/\2/p" "$text"); do
		folder=$work/$model-$scene
		explore "$folder" "-D$scene"
		case $? in
		0)	echo "ok      model $model $scene: $(states "$folder")" ;;
		1)	echo "FAILED  model $model $scene: see $folder"
			failed=1 ;;
		*)	echo "FAILED  model $model $scene cannot be explored"
			failed=1 ;;
		esac
	done
	return $failed
}

mutations() {
	failed=0
	sed -n 's/^ \* mutation \([A-Z_]*\) in \([A-Z_]*\):.*/\1 \2/p' "$text" >"$work/$model.list"
	while read -r mutation scene; do
		folder=$work/$model-$mutation
		explore "$folder" "-D$scene" "-D$mutation"
		case $? in
		1)	echo "caught  model $model $mutation" ;;
		0)	echo "FAILED  model $model $mutation: not caught"
			failed=1 ;;
		*)	echo "FAILED  model $model $mutation cannot be explored"
			failed=1 ;;
		esac
	done <"$work/$model.list"
	return $failed
}

mkdir -p "$work"
command -v spin >/dev/null || { echo "SKIP    models: spin is missing"; exit 77; }
$1
