# file: park.c
# A worker that goes idle cuts off those who are idle already.
/^static void push/,/^}/ s/atomic_store_explicit(&k->below, top(w), .*;/;/
