# file: deque.c
# The owner looks at top without having lowered bottom.
/^bool sooni_deque_pop_if/,/^}/ s/atomic_store_explicit(&d->bottom, b, .*;/;/
