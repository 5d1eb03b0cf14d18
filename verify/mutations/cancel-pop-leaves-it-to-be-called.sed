# file: cancel.c
# A hook that was taken off is called later.
/^static void pop/,/^}/ s/if (c->unasked == h)/if (0)/
