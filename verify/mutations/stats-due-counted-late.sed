# file: put.c
# A delayed job is taken off the sum when it can be in it twice already.
/^static int push_due(/,/^}/ {
	s/^	atomic_fetch_add_explicit(&e->came_due, .*;/	;/
	s/^		note_push(.*;/		atomic_fetch_add_explicit(\&e->came_due, 1, memory_order_relaxed);/
}
