# file: deque.c
# A thief takes the item at top whether or not another was first.
/^static void \*take_at/,/^}/ s/if (!atomic_compare_exchange_strong_explicit(.*/&d->top;\
	atomic_store_explicit(\&d->top, t + 1, memory_order_seq_cst);\
	if (0 \&\& !atomic_compare_exchange_strong_explicit(\&d->top, \&t, t + 1,/
