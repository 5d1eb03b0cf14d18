# common.sh - what the scripts here begin with.

# Make gives these; by hand they may be left out.
: "${srcdir:=.}" "${top_srcdir:=..}" "${top_builddir:=..}"
: "${CC:=cc}" "${BOUND:=small}" "${SEED:=1}"
work=${work:-work}
