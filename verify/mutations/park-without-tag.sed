# file: park.c
# The word of the idle stack has no tag: a stalled popper is fooled.
/^static uint64_t popped/,/^}/ s/ + TAG//
