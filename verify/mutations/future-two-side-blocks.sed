# file: refs.c
# Of two threads that make a side block each believes its own.
/sooni_future_side(struct soon_future/,/^}/ s/if (atomic_compare_exchange_strong_explicit(&f->side, &side, made,/atomic_store_explicit(\&f->side, made, memory_order_release);\
	if (true || atomic_compare_exchange_strong_explicit(\&f->side, \&side, made,/
