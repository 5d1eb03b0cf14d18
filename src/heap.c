/*
 * heap.c - see heap.h.
 */
#include "heap.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_ROOM = 16 };

/* A timer of a parent process may say that it is started: here it is not. */
bool sooni_heap_has(const struct sooni_heap *h, const struct sooni_timer *t)
{
	return t->place != 0 && t->place <= h->count &&
	       h->entries[t->place].timer == t;
}

static bool is_before(const struct sooni_entry *a, const struct sooni_entry *b)
{
	return a->when < b->when || (a->when == b->when && a->turn < b->turn);
}

static void put_at(struct sooni_heap *h, size_t i, struct sooni_entry x)
{
	h->entries[i] = x;
	x.timer->place = i;
}

/* Put x where there is a gap at i, or further up or down. */
static void put_near(struct sooni_heap *h, size_t i, struct sooni_entry x)
{
	const struct sooni_entry *e = h->entries;
	size_t child;

	for (; i > 1 && is_before(&x, &e[i / 2]); i /= 2)
		put_at(h, i, e[i / 2]);
	for (; (child = 2 * i) <= h->count; i = child) {
		if (child < h->count && is_before(&e[child + 1], &e[child]))
			child++;
		if (!is_before(&e[child], &x))
			break;
		put_at(h, i, e[child]);
	}
	put_at(h, i, x);
}

int sooni_heap_reserve(struct sooni_heap *h)
{
	size_t more = h->room > 0 ? 2 * h->room : FIRST_ROOM;
	struct sooni_entry *bigger;

	if (h->count < h->room)
		return 0;
	/* So many timers are not to be had in any memory. */
	if (more > SIZE_MAX / sizeof(*bigger) - 2) /* LCOV_EXCL_BR_LINE */
		return ENOMEM;			   /* LCOV_EXCL_LINE */
	bigger = realloc(h->entries, (more + 2) * sizeof(*bigger));
	if (bigger == NULL)
		return ENOMEM;
	h->entries = bigger;
	h->room = more;
	return 0;
}

bool sooni_heap_add(struct sooni_heap *h, struct sooni_timer *t)
{
	struct sooni_entry x = { t->when, h->turns++, t };

	put_near(h, ++h->count, x);
	return t->place == 1;
}

void sooni_heap_remove(struct sooni_heap *h, struct sooni_timer *t)
{
	size_t i = t->place;
	struct sooni_entry last = h->entries[h->count--];

	t->place = 0;
	if (last.timer != t)
		put_near(h, i, last);
}

bool sooni_heap_hasten(struct sooni_heap *h, struct sooni_timer *t,
		       int64_t when)
{
	struct sooni_entry x = h->entries[t->place];

	if (when >= x.when)
		return false;
	x.when = when;
	put_near(h, t->place, x);
	return t->place == 1;
}

void sooni_heap_free(struct sooni_heap *h)
{
	free(h->entries);
	h->entries = NULL;
	h->room = 0;
}
