# file: refs.c
# with: thread
# References are added in two steps: loaded, then stored.
/^soon_future \*soon_future_ref(/,/^}/ {
	s/s = atomic_fetch_add_explicit(&f->state, SOONI_REF,/s = *(volatile uint32_t *)\&f->state;/
	s/^				      memory_order_relaxed);/	*(volatile uint32_t *)\&f->state = s + SOONI_REF;/
}
