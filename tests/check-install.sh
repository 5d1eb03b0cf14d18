#!/bin/sh
#
# check-install.sh - programs outside the tree build against the installed
# library, by pkg-config, by CMake, statically and from C++; also where it was
# installed elsewhere by DESTDIR, and moved; and `make uninstall' leaves nothing.
#
# `make installcheck' runs it, after `make install', with prefix and libdir.

consumer=$(cd "${top_srcdir:-.}/tests/consumer" && pwd) || exit 99
builddir=$(cd "${top_builddir:-.}" && pwd) || exit 99
make=${MAKE:-make}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
status=0
n=0

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

wrong() {
	echo "check-install: $*"
	status=1
}

# runs PROGRAM LIBDIR WHAT: it prints what it should.
runs() {
	n=$((n + 1))
	out=$(LD_LIBRARY_PATH=$2 DYLD_LIBRARY_PATH=$2 "$1") ||
		wrong "$3: fails"
	test "$out" = "2 3 4" || wrong "$3: prints '$out'"
}

# by_pkg_config PREFIX LIBDIR OPTION...: build and run with makefile and
# pkg-config.
by_pkg_config() {
	in=$1 lib=$2
	shift 2
	command -v "$PKG_CONFIG" >/dev/null || {
		echo "check-install: no $PKG_CONFIG"
		return
	}
	folder=$work/make$n
	cp -R "$consumer" "$folder" && chmod -R u+w "$folder"
	targets=consumer
	test -z "$CXX" || targets="$targets consumer_cxx"
	# Some systems have no static C library, nor have sanitizers.
	echo 'int main(void) { return 0; }' >"$work/static.c"
	if test -f "$lib/libsoon.a" && ${CC:-cc} $CFLAGS -static \
		-o "$work/static" "$work/static.c" 2>/dev/null; then
		targets="$targets consumer_static"
	fi
	for target in $targets; do
		what="$target by pkg-config in $in"
		PKG_CONFIG_PATH=$lib/pkgconfig MAKEFLAGS= "$make" -s \
			-C "$folder" "$target" CC="${CC:-cc}" CXX="$CXX" \
			CFLAGS="$CFLAGS" PKG_CONFIG="$PKG_CONFIG $*" ||
			wrong "$what: does not build"
		runs "$folder/$target" "$lib" "$what"
	done
}

# configured_by_cmake LIBDIR FOLDER OPTION
configured_by_cmake() {
	CC=${CC:-cc} CFLAGS=$CFLAGS CXXFLAGS=$CFLAGS cmake -S "$consumer" \
		-B "$work/$2" -Dsoon_DIR="$1/cmake/soon" "$3" \
		>"$work/cmake" 2>&1
}

# by_cmake PREFIX LIBDIR
by_cmake() {
	if ! command -v cmake >/dev/null || test -z "$CXX"; then
		echo "check-install: no CMake, or no C++"
		return
	fi
	folder=cmake$n
	version=$(sed -n 's/^Version: //p' "$2/pkgconfig/soon.pc")
	configured_by_cmake "$2" $folder -DSOON_VERSION="$version" &&
		MAKEFLAGS= cmake --build "$work/$folder" >"$work/cmake" 2>&1 || {
		cat "$work/cmake"
		wrong "by CMake in $1: does not build"
		return
	}
	for target in consumer consumer_cxx consumer_static; do
		test $target != consumer_static ||
			test -f "$2/libsoon.a" || continue
		runs "$work/$folder/$target" "" "$target by CMake in $1"
	done
	! configured_by_cmake "$2" no -DSOON_VERSION=999 ||
		wrong "by CMake in $1: is found as version 999"
}

# staged TARGET: make it, into the folder stage.
staged() {
	"$make" -s -C "$builddir" "$1" DESTDIR="$work/stage" \
		>"$work/out" 2>&1 && return
	cat "$work/out"
	wrong "make $1 DESTDIR=... fails"
}

if ! test -f "$libdir/pkgconfig/soon.pc"; then
	echo "check-install: no $libdir/pkgconfig/soon.pc: make install first"
	exit 1
fi
by_pkg_config "$prefix" "$libdir"
by_cmake "$prefix" "$libdir"

staged install
cp -R "$work/stage$prefix" "$work/moved"
case $libdir in
"$prefix"/*)
	lib=$work/moved${libdir#"$prefix"}
	by_pkg_config "$work/moved" "$lib" \
		--define-variable=prefix="$work/moved"
	by_cmake "$work/moved" "$lib"
	;;
esac

staged uninstall
left=$(find "$work/stage" ! -type d -o -name soon -o -name libsoon)
test -z "$left" || wrong "make uninstall leaves" $left

test $status -ne 0 || echo "check-install: $n programs"
exit $status
