# file: cancel.c
# The job looks whether it was asked before others can see its hooks.
/^static struct sooni_cancel \*make_cancel/,/^}/ s/atomic_store_explicit(&side->cancel, c, memory_order_release);//
/^static void push/,/^}/ s/h->older = c->newest;/atomic_store_explicit(\&sooni_side(f)->cancel, c, memory_order_release); h->older = c->newest;/
