# file: deque.c
# A thief takes the item at top whether or not another was first.
/^static void \*take_at/,/^}/ s/return SOONI_DEQUE_RETRY;/atomic_store_explicit(\&d->top, t + 1, memory_order_seq_cst);/
