# file: cancel.c
# A hook that is being called stays one to be called.
/^static void deliver/,/^}/ s/c->unasked = h->older;//
