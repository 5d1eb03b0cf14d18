# file: deque.c
# The owner leaves bottom lowered after the race for the last item.
/^bool sooni_deque_pop_if/,/^}/ s/atomic_store_explicit(&d->bottom, b + 1, .*;/;/
