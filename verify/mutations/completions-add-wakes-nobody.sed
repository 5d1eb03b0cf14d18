# file: set.c
# One that is done when it is added wakes nobody.
/^int soon_completions_add(/,/^}/ s/if (set->first != NULL)/if (0)/
