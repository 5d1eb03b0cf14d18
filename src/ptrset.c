/*
 * ptrset.c - see ptrset.h.
 */
#include "ptrset.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum { LEAST_SLOTS = 16 };

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): the high
 * bits of the product depend on all bits of the pointer. */
static size_t home_of(const struct sooni_ptrset *s, const void *p)
{
	return (size_t)(((uint64_t)(uintptr_t)p *
			 UINT64_C(0x9e3779b97f4a7c15)) >>
			32) &
	       s->mask;
}

int sooni_ptrset_init(struct sooni_ptrset *s, size_t n)
{
	size_t slots = LEAST_SLOTS;

	while (slots / 2 < n) {
		if (slots > SIZE_MAX / 2 / sizeof(*s->slots))
			return ENOMEM;
		slots *= 2;
	}
	s->slots = calloc(slots, sizeof(*s->slots));
	if (s->slots == NULL)
		return ENOMEM;
	s->mask = slots - 1;
	s->count = 0;
	return 0;
}

void sooni_ptrset_fini(struct sooni_ptrset *s)
{
	free(s->slots);
}

int sooni_ptrset_reserve(struct sooni_ptrset *s)
{
	struct sooni_ptrset larger;
	size_t i;

	if (s->count < (s->mask + 1) / 2)
		return 0;
	if (sooni_ptrset_init(&larger, s->mask + 1) != 0)
		return ENOMEM;
	for (i = 0; i <= s->mask; i++)
		if (s->slots[i] != NULL)
			sooni_ptrset_add(&larger, s->slots[i]);
	free(s->slots);
	*s = larger;
	return 0;
}

bool sooni_ptrset_add(struct sooni_ptrset *s, const void *p)
{
	size_t i = home_of(s, p);

	for (; s->slots[i] != NULL; i = (i + 1) & s->mask)
		if (s->slots[i] == p)
			return false;
	s->slots[i] = p;
	s->count++;
	return true;
}

void sooni_ptrset_remove(struct sooni_ptrset *s, const void *p)
{
	size_t hole = home_of(s, p);
	size_t i;

	while (s->slots[hole] != p) {
		if (s->slots[hole] == NULL)
			return;
		hole = (hole + 1) & s->mask;
	}
	/* Close the gap: move back whatever may be reached only across it. */
	for (i = (hole + 1) & s->mask; s->slots[i] != NULL;
	     i = (i + 1) & s->mask) {
		size_t home = home_of(s, s->slots[i]);

		if (((i - home) & s->mask) >= ((i - hole) & s->mask)) {
			s->slots[hole] = s->slots[i];
			hole = i;
		}
	}
	s->slots[hole] = NULL;
	s->count--;
}
