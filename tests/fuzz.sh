#!/bin/sh
#
# fuzz.sh SECONDS - run tests/fuzz/ with libFuzzer for so long, from the kept
# inputs on; what it finds on the way goes to fuzz.work.
#
# The sources are in fuzz.source.  The library is static there, so that libFuzzer
# sees which of its lines an input reaches.

fail() {
	echo "fuzz: $*"
	exit 1
}

clang=${CLANG:-clang}
command -v "$clang" >/dev/null || fail "$clang is missing"
rm -rf fuzz.build
mkdir -p fuzz.build fuzz.work
(
	cd fuzz.build &&
		../fuzz.source/configure -q --enable-debug --disable-shared \
			--enable-sanitizer=address,undefined,fuzzer-no-link \
			CC="$clang" CFLAGS='-O1 -g' &&
		"$MAKE" -s -C include && "$MAKE" -s -C src &&
		"$MAKE" -s -C tests fuzz_replay fuzz_target
) >fuzz.log 2>&1 || fail "see fuzz.log"
fuzz.build/tests/fuzz_replay --unpack fuzz.source/tests/fuzz/corpus fuzz.work ||
	fail "no inputs"

# What was freed is watched for a while, not until it fills the memory of an hour.
ASAN_OPTIONS="quarantine_size_mb=16:$ASAN_OPTIONS" \
	fuzz.build/tests/fuzz_target -max_len=200 -timeout=300 -max_total_time="$1" \
	-artifact_prefix=fuzz.work.failed- -print_final_stats=1 \
	-rss_limit_mb=8192 -verbosity=1 fuzz.work && exit
echo 'fuzz: a failure; to have it again:'
for failed in fuzz.work.failed-*; do
	echo "	fuzz.build/tests/fuzz_target $failed"
done
exit 1
