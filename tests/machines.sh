#!/bin/sh
#
# machines.sh SOURCE [MACHINE...] - builds and tests the library as other machines
# have it.  SOURCE is an unpacked release; everything else is made in the working
# folder.  `make machines MACHINES="i686 musl"' calls it; without names, all:
#
#   i686 aarch64 armhf riscv64
#             Debian's cross compilers (gcc-i686-linux-gnu, ...) and qemu-user;
#             what the kernel runs itself is not emulated
#   musl      musl-gcc, of musl-tools, with the kernel's headers
#   condvar   --disable-futex
#   one-cpu   all on one CPU, by taskset
#   crowd     eight tests at a time for each CPU
#   limits    as few threads and little memory as the system gives (api_limits),
#             and a closed set of system calls (api_sandbox)
#   time64    32-bit x86 with the C library's time of 64 bits
#   hardened  a distribution's flags; then check-hardening.sh
#
# What a machine needs and is not there skips it, with a message.  The tests need
# Check, which is built for each machine from its source package, by apt-get, or
# from CHECK_SOURCE=, an unpacked release of it.
#
# MACHINE_TESTS="test_park api_wait" chooses tests, and `all' is all.

set -u
source=$1
shift
test -f "$source/configure" || { echo "machines: no $source/configure"; exit 1; }
source=$(cd "$source" && pwd)
here=$PWD
cpus=$(getconf _NPROCESSORS_ONLN || echo 1)
every="i686 time64 aarch64 armhf riscv64 musl condvar one-cpu crowd limits \
hardened"

# What sees alignments, sizes, orders of memory, futexes and stacks.
chosen=${MACHINE_TESTS:-"test_deque test_json test_list test_moments
	test_park test_park_race test_ptrset test_room test_sized test_slab
	test_sleep test_timer test_waiter api_cancel api_completions api_compose
	api_compose_deep api_compose_within api_future api_gather api_group
	api_group_wait api_imap api_imap_pool api_limits api_nested
	api_nested_depth api_run_within api_sandbox api_shutdown api_submit
	api_then api_wait stress_compose stress_group stress_imap
	stress_submit"}
: "${SOON_TEST_SCALE:=0.1}" "${CK_TIMEOUT_MULTIPLIER:=10}"
export SOON_TEST_SCALE CK_TIMEOUT_MULTIPLIER
flags="-g -O2" # and what a machine adds
passed=
failed=
skipped=

have() {
	command -v "$1" >/dev/null 2>&1
}

# A machine ends with 77 if something is missing.
lacks() {
	echo "machines: $*"
	exit 77
}

# The source of Check, in $check; once.
check_source() {
	check=${CHECK_SOURCE:-$here/check}
	test ! -f "$check/configure" || return 0
	have apt-get || lacks "no CHECK_SOURCE, and no apt-get to have it from"
	apt=$here/apt
	mkdir -p "$apt/lists/partial"
	# The same servers as for programs, but for sources.
	apt-get indextargets --format \
		'deb-src $(REPO_URI) $(CODENAME) $(COMPONENT)' \
		'Created-By: Packages' | sort -u >"$apt/sources.list"
	(cd "$apt" && rm -rf check-*/ &&
		set -- -qq -o Dir::Etc::sourcelist="$apt/sources.list" \
			-o Dir::Etc::sourceparts=- \
			-o Dir::State::lists="$apt/lists" &&
		apt-get "$@" update && apt-get "$@" --download-only source check &&
		tar -xf check_*.orig.tar.* && mv check-*/ "$check") \
		>"$apt/log" 2>&1 ||
		lacks "no sources of Check; see $apt/log"
}

# Check for a compiler: check_for CONFIGURE-ARGUMENT...
check_for() {
	check_source
	test ! -f check/libcheck.a || return 0
	rm -rf check
	mkdir check
	(cd check && "$check/configure" -q --disable-shared --disable-subunit \
		CFLAGS="-O1 -w" "$@" &&
		make -s -C lib && make -s -C src libcheck.la &&
		cp src/.libs/libcheck.a src/check.h .) >check.log 2>&1 ||
		lacks "Check cannot be built; see $PWD/check.log"
}

# configured ARGUMENT...
configured() {
	test -f Makefile || "$source/configure" -q --enable-debug \
		--enable-werror CFLAGS="$flags" "$@" >configure.log 2>&1 ||
		{ tail configure.log; return 1; }
	make -s -j"$cpus" -C src >make.log 2>&1 || { tail make.log; return 1; }
}

# tested [MAKE-ARGUMENT...]: the tests, run by make.
tested() {
	test "$chosen" != all || chosen=$(sed -n \
		'/^[a-z]*_tests =/,/[^\\]$/s/^	\([a-z_]*\).*/\1/p' \
		"$source/tests/Makefile.am")
	# Words, without ends of lines.
	chosen=$(echo $chosen)
	make -s -j"$cpus" -C tests $chosen >>make.log 2>&1 ||
		{ grep -iE 'error|warning' make.log || tail make.log; return 1; }
	make -s -C tests check-TESTS check_PROGRAMS= check_LTLIBRARIES= \
		VERBOSE=1 TESTS="$chosen" "$@" \
		>tests.log 2>&1
	status=$?
	grep -E '^(FAIL|ERROR|SKIP):' tests.log
	test $status -eq 0 || grep -E ':[EF]:' tests.log
	echo "machines: $(grep -c '^PASS:' tests.log) programs passed"
	return $status
}

# cross TRIPLET PROCESSOR [C-FLAGS [PACKAGE]]: with Debian's cross compiler.
cross() {
	root=/usr/$1
	have "$1-gcc" || lacks "no $1-gcc (Debian: gcc-$1, libc6-dev-*-cross)"
	run=qemu-$2
	flags="$flags ${3-}"
	set -- --host="$1" CC="$1-gcc"
	if test "$run" = qemu-i386 && "$root/lib/ld-linux.so.2" --version \
		>/dev/null 2>&1; then
		run=
		ldflags="-Wl,--dynamic-linker=$root/lib/ld-linux.so.2"
		ldflags="$ldflags -Wl,-rpath,$root/lib"
	else
		have "$run" || lacks "no $run (Debian: qemu-user)"
		run="$run -L $root"
		ldflags=
	fi
	check_for "$@" &&
		configured "$@" PKG_CONFIG=false CXX=false LDFLAGS="$ldflags" \
			CHECK_CFLAGS="-I$PWD/check" \
			CHECK_LIBS="$PWD/check/libcheck.a -lrt -lm" &&
		no_more_is_needed &&
		tested LOG_COMPILER="${run:+../libtool --mode=execute $run}"
}

# The library needs the C library's, and the compiler's for unwinding.
no_more_is_needed() {
	! LC_ALL=C readelf -dW src/.libs/libsoon.so | grep '(NEEDED)' |
		grep -vE '\[(libc\.|libgcc_s|libpthread|ld-)'
}

on_musl() {
	have musl-gcc || lacks "no musl-gcc (Debian: musl-tools)"
	# Its wrapper hides the kernel's headers with the C library's.
	mkdir -p kernel
	for folder in linux asm-generic "$(gcc -print-multiarch)/asm"; do
		test -d "/usr/include/$folder" || lacks "no kernel headers"
		ln -sfn "/usr/include/$folder" "kernel/${folder##*/}"
	done
	check_for CC=musl-gcc &&
		configured CC=musl-gcc CXX=false CPPFLAGS="-I$PWD/kernel" \
			PKG_CONFIG=false CHECK_CFLAGS="-I$PWD/check" \
			CHECK_LIBS="$PWD/check/libcheck.a" &&
		no_more_is_needed && tested
}

on_one_cpu() {
	have taskset || lacks "no taskset (Debian: util-linux)"
	configured && taskset -c 0 make -s -C tests -j1 libsupport.la \
		>/dev/null && tested LOG_COMPILER="taskset -c 0"
}

hardened() {
	flags="$flags $(sh "$source/tests/check-hardening.sh" --cflags)"
	configured LDFLAGS="$(sh "$source/tests/check-hardening.sh" --ldflags)" &&
		top_builddir=. SOON_HARDENED=1 \
			sh "$source/tests/check-hardening.sh" && tested
}

# The name's own function; in a process of its own.
machine() {
	mkdir -p "$1" && cd "$1" || return 1
	case $1 in
	i686) cross i686-linux-gnu i386 ;;
	time64) cross i686-linux-gnu i386 \
		"-D_TIME_BITS=64 -D_FILE_OFFSET_BITS=64" ;;
	aarch64) cross aarch64-linux-gnu aarch64 ;;
	armhf) cross arm-linux-gnueabihf arm ;;
	riscv64) cross riscv64-linux-gnu riscv64 ;;
	musl) on_musl ;;
	condvar) configured --disable-futex && tested ;;
	one-cpu) on_one_cpu ;;
	crowd) configured && tested -j$((8 * cpus)) ;;
	limits)
		chosen="api_limits api_sandbox"
		configured && tested
		;;
	hardened) hardened ;;
	*)
		echo "machines: $1 is none of: $every"
		return 1
		;;
	esac
}

test $# -gt 0 || set -- $every
for name; do
	echo "machines: $name"
	(machine "$name")
	case $? in
	0) passed="$passed $name" ;;
	77) skipped="$skipped $name" ;;
	*) failed="$failed $name" ;;
	esac
done
echo "machines: passed:${passed:- none}; skipped:${skipped:- none};" \
	"failed:${failed:- none}"
test -z "$failed"
