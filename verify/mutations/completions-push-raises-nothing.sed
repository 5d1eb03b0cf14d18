# file: set.c
# Whoever pushes the first node raises no event.
/^static void fire(/,/^}/ s/if (top != NULL)/if (1)/
