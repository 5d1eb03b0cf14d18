# file: stats.c
# What is taken off the sum is read before the sum.
/^static uint64_t sum_submitted(/,/^}/ {
	s/uint64_t n = 0;/uint64_t due = atomic_load_explicit(\&e->came_due, memory_order_relaxed); &/
	s/^		     atomic_load_explicit(&e->came_due, memory_order_relaxed)/		     due/
}
