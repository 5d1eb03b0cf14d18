#!/bin/sh
#
# check-hardening.sh - the shared library bears what distributions build with: all
# of it position independent, no writable code, no executable stack.
#
# --cflags and --ldflags print those of a distribution's flags that $CC knows.
# With SOON_HARDENED=1 the library was built with them, and shows it.

library=${top_builddir:-.}/src/.libs/libsoon.so
status=0
LC_ALL=C
export LC_ALL

# known FLAG...: those that the compiler takes, also for linking.
known() {
	work=$(mktemp -d) || exit 99
	echo 'int main(void) { return 0; }' >"$work/main.c"
	for flag; do
		! ${CC:-cc} -Werror -O2 "$flag" -o "$work/main" \
			"$work/main.c" 2>/dev/null || printf '%s ' "$flag"
	done
	rm -rf "$work"
}

case ${1-} in
--cflags)
	# Undefined first: some compilers define it.
	known -U_FORTIFY_SOURCE
	known -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
		-fstack-clash-protection -fcf-protection=full
	exit
	;;
--ldflags)
	known -Wl,-z,relro -Wl,-z,now
	exit
	;;
esac

wrong() {
	echo "check-hardening: $*"
	status=1
}

if ! command -v readelf >/dev/null || ! test -f "$library"; then
	echo "check-hardening: not run: no readelf, or no shared library"
	exit 77
fi
segments=$(readelf -lW "$library") || exit 77
dynamic=$(readelf -dW "$library")

# has TEXT PATTERN
has() {
	printf '%s\n' "$1" | grep -qE "$2"
}

! has "$segments" 'GNU_STACK.* RWE ' || wrong "the stack would be executable"
! has "$segments" 'LOAD.* RWE ' || wrong "a segment is writable and executable"
! has "$dynamic" 'TEXTREL' || wrong "code is changed when it is loaded"
! has "$dynamic" '\((RPATH|RUNPATH)\)' || wrong "it names a folder to load from"

if test -n "${SOON_HARDENED-}"; then
	has "$segments" 'GNU_RELRO' || wrong "no RELRO"
	has "$dynamic" 'BIND_NOW|NOW' || wrong "symbols are bound late"
	readelf -sW "$library" | grep -q '__stack_chk_fail' ||
		wrong "no stack is protected"
	readelf -sW "$library" | grep -qE '__[a-z]+_chk' ||
		wrong "no call is fortified"
	# The library's own mark needs the C library's start files to have it.
	case $(readelf -hW "$library") in
	*X86-64*)
		for object in "${library%/*}"/*.o; do
			readelf -nW "$object" | grep -q 'IBT, SHSTK' ||
				wrong "$object: no mark of IBT and SHSTK"
		done
		;;
	esac
fi

test $status -ne 0 || echo "check-hardening: $library"
exit $status
