# file: set.c
# Who did not push the first node touches the set after the push.
/^static void fire(/,/^}/ s/if (top != NULL)/if (top != NULL \&\& set->events != UINT32_MAX)/
