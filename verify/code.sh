#!/bin/sh
#
# code.sh - the library's own code under the scheduler.
#
#	code.sh build		compile it, and the scenes
#	code.sh list		what there is to explore then, a line for each
#	code.sh scenes PROGRAM	run a program of scenes; it must find nothing
#	code.sh mutation NAME	break the code, and run the scenes of that
#				name's first word, which must find that, and
#				again when its schedule is repeated
#	code.sh kept LINE	repeat a schedule of the table `kept'
#	code.sh keep NAME	print the line for it of a mutation that was
#				found out just now
#
# It works on copies of src/, in which thread-local variables are the
# scheduler's, a few sizes are small enough for scenes to get beyond them, and no
# wait begins with a nap, which would need a timeout.

. "${srcdir:-.}/common.sh"
tree=$work/tree
objects=$work/objects

case $BOUND in
large)	explore="-b 1 -m 1000000 -r 50000 -s $SEED" ;;
*)	explore="-m 5000 -r 8000 -s $SEED" ;;
esac
# What is enough to find most mutations, in whichever scene does.
glance="-m 500 -r 500 -s $SEED"

copy='
/^extern sooni_tls struct sooni_me sooni_me;$/ d
/^sooni_tls struct sooni_me sooni_me;$/ d
/^extern sooni_tls void (\*sooni_user_hook)(void);$/ d
/^sooni_tls void (\*sooni_user_hook)(void);$/ d
s/sooni_user_hook/(*sched_user_hook())/g
s/^static sooni_tls struct keeper \*me;$/#define me (*(struct keeper **)sched_keeper())/
s/struct sooni_me/struct SOONI_ME/g
s/sooni_me\([^a-z_]\)/(*sched_me())\1/g
s/struct SOONI_ME/struct sooni_me/g
s/FIRST_CAPACITY = [0-9]*/FIRST_CAPACITY = 2/
s/LINGER = [0-9]*/LINGER = 1/
s/MANY_SHORT_WAITS = [0-9]*/MANY_SHORT_WAITS = 1000/
s/LOOKS_PER_TIME_CHECK = [0-9]*/LOOKS_PER_TIME_CHECK = 1/
s/SWEPT = [0-9]*/SWEPT = 1/
s/MOST_SPARES = [0-9]*/MOST_SPARES = 1/'

# compile INCLUDE-FOLDER ARGUMENT...
compile() {
	folder=$1
	shift
	$CC -std=gnu11 -D_GNU_SOURCE $CPPFLAGS -I"$srcdir/sched" \
		-include "$srcdir/sched/first.h" -I"$folder" \
		-I"$top_builddir" -I"$top_builddir/include" \
		-I"$top_srcdir/include" $CFLAGS -O1 -fexceptions \
		-U_FORTIFY_SOURCE -fno-lto -fno-data-sections "$@"
}

# What the scheduler is in the place of, or does without.
is_left_out() {
	case ${1##*/} in
	os_*.c | slab.c | default.c | version.c) true ;;
	*) false ;;
	esac
}

# What only those scenes have that say "with:"; absent.c is in its place.
is_apart() {
	case ${1##*/} in
	fork.c | forked.c | monitor.c) true ;;
	*) false ;;
	esac
}

# library FOLDER: compile the sources there, into an archive.
library() {
	rm -f "$1/libcode.a"
	for source in "$1"/*.c; do
		is_left_out "$source" || echo "$source $source.o"
	done | each_compiled "$1" || return
	for source in "$1"/*.c; do
		is_left_out "$source" || is_apart "$source" || echo "$source.o"
	done | xargs ${AR:-ar} rcs "$1/libcode.a"
}

# each_compiled INCLUDE-FOLDER: side by side, what comes in lines "SOURCE OBJECT".
each_compiled() {
	xargs -P "$JOBS" -L 1 "$SHELL" "$srcdir/code.sh" object "$1"
}

# The library's static variables get sections of their own: see statics.c.  Its
# copies may be below srcdir too.
object() {
	compile "$1" -c "$2" -o "$3" || return
	case $2 in
	"$srcdir"/sched/* | "$srcdir"/scenes/*) return ;;
	esac
	${OBJCOPY:-objcopy} --rename-section .data=sched_data \
		--rename-section .data.rel=sched_data \
		--rename-section .data.rel.local=sched_data \
		--rename-section .bss=sched_bss "$3"
}

# program NAME FOLDER OBJECT: link the scenes with the library there.
program() {
	with=
	for file in $(sed -n 's/^ \* with: //p' "$srcdir/scenes/$1.c"); do
		with="$with $2/$file.o"
	done
	$CC $CFLAGS "$3" $with "$objects"/sched.*.o "$2/libcode.a" -o "$2/$1"
}

names() {
	for file in "$srcdir/$1"/*."$2"; do
		file=${file##*/}
		echo "${file%.$2}"
	done
}

build() {
	rm -rf "$tree" "$objects"
	mkdir -p "$tree" "$objects" || return
	for source in "$top_srcdir"/src/*.[ch]; do
		sed "$copy" "$source" >"$tree/${source##*/}" || return
	done
	library "$tree" || return
	for name in $(names sched c); do
		echo "$srcdir/sched/$name.c $objects/sched.$name.o"
	done | each_compiled "$tree" || return
	for name in $(names scenes c); do
		echo "$srcdir/scenes/$name.c $objects/scene.$name.o"
	done | each_compiled "$tree" || return
	for name in $(names scenes c); do
		program "$name" "$tree" "$objects/scene.$name.o" || return
	done
}

# Of a log, what says how to have the failure again.
failed_schedule() {
	sed -n "s/^again: -k '\([^']*\)' '.*'\$/\1/p" "$1"
}
failed_scene() {
	sed -n "s/^again: -k '[^']*' '\(.*\)'\$/\1/p" "$1"
}

# repeat PROGRAM SCHEDULE SCENE
repeat() {
	"$1" -k "$2" "$3" 2>&1
}

# What once failed fails no more.
kept() {
	entry=$(sed -n "$1p" "$srcdir/kept")
	scene=${entry%% |*}
	schedule=${entry##* | }
	if repeat "$tree/${scene%%:*}" "$schedule" "$scene" \
		>"$work/kept.$1.log"; then
		what=${entry#* | }
		echo "ok      kept $scene: no more: ${what% | *}"
		return 0
	fi
	sed -n 's/^FAILED/FAILED  kept/p' "$work/kept.$1.log"
	echo "        see $work/kept.$1.log"
	return 1
}

keep() {
	log=$work/$1.log
	what=$(sed -n 's/^FAILED [^:]*: [^:]*: //p' "$log" |
		sed 's|/[^ ]*/||')
	echo "$(failed_scene "$log") | $1: $what | $(failed_schedule "$log")"
}

list() {
	names scenes c | sed 's/^/scenes /'
	sed -n '/^[^#]/=' "$srcdir/kept" | sed 's/^/kept /'
	names mutations sed | sed 's/^/mutation /'
}

scenes() {
	log=$work/$1.log
	"$tree/$1" $explore >"$log" 2>&1
	status=$?
	if test $status -eq 0; then
		sed 's/^/ok      code /' "$log"
		return 0
	fi
	grep -v '^ ' "$log" | sed 's/^FAILED/FAILED  code/;/^schedule/d;/^again/d'
	echo "        see $log"
	return 1
}

mutation() {
	change=$srcdir/mutations/$1.sed
	file=$(sed -n 's/^# file: //p' "$change")
	program=${1%%-*}
	scene=$objects/scene.$program.o
	mutant=$work/$1
	log=$work/$1.log

	rm -rf "$mutant"
	mkdir -p "$mutant" || return
	cp "$tree"/*.h "$mutant"
	sed -f "$change" "$tree/$file" >"$mutant/$file"
	if cmp -s "$tree/$file" "$mutant/$file"; then
		echo "FAILED  mutation $1 changes nothing in $file"
		return 1
	fi
	case $file in
	*.h)	cp -n "$tree"/*.c "$mutant" && library "$mutant" &&
		object "$mutant" "$srcdir/scenes/$program.c" \
			"$mutant/scene.o" && scene=$mutant/scene.o ;;
	*)	cp "$tree/libcode.a" "$tree"/fork*.c.o "$tree/monitor.c.o" \
			"$mutant" &&
		object "$mutant" "$mutant/$file" "$mutant/$file.o" &&
		{ is_apart "$file" ||
			${AR:-ar} rs "$mutant/libcode.a" "$mutant/$file.o"; } ;;
	esac >"$log" 2>&1 && program "$program" "$mutant" "$scene" >>"$log" 2>&1
	if test $? -ne 0; then
		echo "FAILED  mutation $1 does not compile: see $log"
		return 1
	fi
	"$mutant/$program" $glance >"$log" 2>&1 &&
		"$mutant/$program" $explore >"$log" 2>&1
	what=$(sed -n 's/^FAILED //p' "$log")
	again=$(repeat "$mutant/$program" "$(failed_schedule "$log")" \
		"$(failed_scene "$log")" | sed -n 's/^FAILED //p')
	rm -rf "$mutant"
	if test -z "$what"; then
		echo "FAILED  mutation $1 is not found out: see $log"
		return 1
	fi
	if test "$what" != "$again"; then
		echo "FAILED  mutation $1 is not repeated: see $log"
		return 1
	fi
	after=$(sed -n 's/^schedule \([0-9]*\).*/\1/p' "$log")
	echo "caught  mutation $1 at schedule $after: $what"
}

"$@"
