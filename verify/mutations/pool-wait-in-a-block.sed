# file: hooks.c
# A wait inside a block gives the place away once more.
/^static void begin_wait(/,/^}/ s/if (w->blocking)/if (0)/
