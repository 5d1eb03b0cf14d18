# file: park.c
# A worker forgets that it was called, for it clears its word too late.
/^void sooni_park_announce/,/^}/ {
	/atomic_store_explicit(&k->word, 0, .*;/ d
	s/^	push(.*;/&\
	atomic_store_explicit(\&k->word, 0, memory_order_relaxed);/
}
