# file: deque.c
# A ring is freed when it is replaced, under the hands of thieves.
/^static struct sooni_deque_ring \*grow/,/^}/ {
	s/ring_new(capacity, old)/ring_new(capacity, old->older)/
	s/^	return r;/	free(old);\
	return r;/
}
