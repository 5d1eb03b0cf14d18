# common.sh - what the scripts here begin with.

# Make gives these; by hand they may be left out.
: "${srcdir:=.}" "${top_srcdir:=..}" "${top_builddir:=..}"
: "${CC:=cc}" "${BOUND:=small}" "${SEED:=1}"
: "${JOBS:=`getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1`}"
SHELL=${CONFIG_SHELL:-/bin/sh}
work=${work:-work}
