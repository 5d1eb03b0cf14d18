#!/bin/sh
#
# release.sh - what has to hold before a release: runs what can be run, up to the
# first failure, and says what is left to a person.
#
#	build-aux/release.sh --list	only say it
#	build-aux/release.sh		in a clone without changes; takes its time
#
# All is done in a clone of its own, in the folder release, which is emptied first.

top=$(cd "${0%/*}/.." && pwd) || exit 99
cd "$top" || exit 99
jobs=$(getconf _NPROCESSORS_ONLN || echo 1)
work=$top/release
build=$work/build
only_list=
n=0

case ${1-} in
'') rm -rf "$work" && mkdir "$work" || exit ;;
--list) only_list=yes ;;
*)
	echo "usage: $0 [--list]" >&2
	exit 2
	;;
esac

# step WORDS COMMAND...
step() {
	n=$((n + 1))
	echo "$n. $1"
	test -z "$only_list" || return 0
	shift
	# Not as a condition, which would switch the inner set -e off.
	(
		set -e
		"$@"
	) >"$work/log" 2>&1 </dev/null
	status=$?
	test $status -eq 0 && return
	tail -n 40 "$work/log"
	echo "release: step $n failed; all it said is in $work/log"
	exit 1
}

by_hand() {
	echo "-  by hand: $*"
}

wrong() {
	echo "release: $*"
	exit 1
}

clean_tree() {
	changes=$(git status --porcelain)
	test -z "$changes" || wrong "not committed: $changes"
}

# configure.ac alone knows it.
version() {
	sed -n 's/^m4_define(\[soon_[a-z]*\], \[\([0-9]*\)\])/\1/p' \
		"$top/configure.ac" | paste -s -d . -
}

same_version() {
	v=$(version)
	first=$(sed -n 1p ChangeLog)
	echo "$first" | grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}  libsoon ' ||
		wrong "ChangeLog's first line lacks a date: $first"
	test "${first##* }" = "$v" || wrong "ChangeLog begins with $first"
	first=$(sed -n 1p debian/changelog)
	case $first in
	"libsoon ($v-"*) ;;
	*) wrong "debian/changelog begins with $first" ;;
	esac
	! git rev-parse -q --verify "refs/tags/v$v" ||
		wrong "there is a tag v$v already"
}

built() {
	git clone -q "$top" "$work/clone"
	cd "$work/clone"
	autoreconf -fi
	mkdir "$build"
	cd "$build"
	../clone/configure --prefix="$work/usr" --enable-werror
	make -s -j"$jobs"
}

in_build() {
	cd "$build"
	"$@"
}

# A skipped comparison is none.
abi_check() {
	in_build make -s abi-check >"$work/abi"
	cat "$work/abi"
	! grep -q 'not run' "$work/abi"
}

# The second is packed from the first one's sources, by somebody with another mask.
same_tarball() {
	mkdir "$work/source" "$work/again"
	tar -xf "$build/libsoon-$(version).tar.gz" -C "$work/source" \
		--strip-components=1
	cd "$work/again"
	umask 027
	../source/configure -q
	make -s dist
	cmp "$build"/libsoon-*.tar.gz libsoon-*.tar.gz
}

installed() {
	cd "$build"
	make -s install
	make -s installcheck
	make -s uninstall
	left=$(find "$work/usr" ! -type d)
	test -z "$left" || wrong "make uninstall leaves $left"
}

debian_packages() {
	v=$(version)
	mkdir -p "$work/debian/source"
	cd "$work/debian"
	cp "$build/libsoon-$v.tar.gz" "libsoon_$v.orig.tar.gz"
	tar -xf "libsoon_$v.orig.tar.gz" -C source --strip-components=1
	cp -R "$top/debian" source/
	cd source
	DEB_BUILD_OPTIONS="nocheck parallel=$jobs" dpkg-buildpackage -us -uc
	lintian --fail-on error,warning ../*.changes
}

by_hand "read ChangeLog and README as one who has never seen the library"
by_hand "raise the version and SOON_LT_VERSION in configure.ac; new calls have" \
	"a node of their own in src/libsoon.map and debian/libsoon1.symbols"
by_hand ".ci/run; make machines, lint and coverage; make soak SOAK_SECONDS=86400"
by_hand "make bench, beside the figures of the last release in bench/NOTES"
step "the tree is clean" clean_tree
step "ChangeLog and debian/changelog have the version; it has no tag yet" \
	same_version
step "it builds without a warning" built
step "make abi-check: nothing that programs use has gone or changed" abi_check
step "make distcheck" in_build make -s -j"$jobs" distcheck
step "make dist gives the same bytes again" same_tarball
step "make install, installcheck, uninstall" installed
step "Debian packages, and what lintian says of them" debian_packages
by_hand "make abi-dump, if a new minor version adds to the interface; commit it"
by_hand "git tag -s v$(version)"
by_hand "publish release/build/libsoon-$(version).tar.gz with its sha256sum"
test -n "$only_list" || echo "release: $n steps passed"
