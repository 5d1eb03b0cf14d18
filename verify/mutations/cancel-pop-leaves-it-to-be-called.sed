# file: cancel.c
# A hook that was taken off is called later.
/^static void pop/,/^}/ s/c->unasked == h/c->unasked == NULL/
