# file: hooks.c
# The block of a job that was written off is the worker's for ever.
/^static bool replace(/,/^}/ s/if (w->blocking)/if (0)/
