# file: compose.c
# Who decides looks for the first before it counts, so all may be done without one.
/^static void decide(/,/^}/ {
	/^	size_t seen = /d
	s/atomic_load_explicit(&c->first, memory_order_acquire);/&\
	size_t seen = atomic_load_explicit(\&c->seen, memory_order_acquire);/
}
