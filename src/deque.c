/*
 * deque.c - see deque.h; doc/protocols.md has the proof.
 */
#include "deque.h"

#include "os.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* By four: the old rings that are kept add a third to the last. */
enum { FIRST_CAPACITY = 64, GROWTH = 4 };

static struct sooni_deque_ring *ring_new(int64_t capacity,
					 struct sooni_deque_ring *older)
{
	struct sooni_deque_ring *r = sooni_alloc(
		sizeof(*r) + (size_t)capacity * sizeof(r->slots[0]));

	if (r != NULL) {
		r->mask = capacity - 1;
		r->older = older;
	}
	return r;
}

/* relaxed: a slot's contents are published by bottom, and judged by top. */
static void *ring_get(struct sooni_deque_ring *r, int64_t i)
{
	return atomic_load_explicit(&r->slots[i & r->mask],
				    memory_order_relaxed);
}

static void ring_set(struct sooni_deque_ring *r, int64_t i, void *item)
{
	atomic_store_explicit(&r->slots[i & r->mask], item,
			      memory_order_relaxed);
}

int sooni_deque_init(struct sooni_deque *d)
{
	struct sooni_deque_ring *r = ring_new(FIRST_CAPACITY, NULL);

	if (r == NULL)
		return ENOMEM;
	atomic_init(&d->top, 0);
	atomic_init(&d->bottom, 0);
	atomic_init(&d->ring, r);
	d->top_seen = 0;
	return 0;
}

void sooni_deque_fini(struct sooni_deque *d)
{
	/* relaxed: nobody else is left. */
	struct sooni_deque_ring *r =
		atomic_load_explicit(&d->ring, memory_order_relaxed);

	while (r != NULL) {
		struct sooni_deque_ring *older = r->older;

		free(r);
		r = older;
	}
}

void sooni_deque_reset(struct sooni_deque *d)
{
	/* relaxed: nobody else is left.  Any ring that was published will do. */
	atomic_store_explicit(&d->top, 0, memory_order_relaxed);
	atomic_store_explicit(&d->bottom, 0, memory_order_relaxed);
	d->top_seen = 0;
}

/* The owner's: a larger ring, with what lies in [top, bottom) and n more. */
static struct sooni_deque_ring *grow(struct sooni_deque *d,
				     struct sooni_deque_ring *old,
				     int64_t bottom, int64_t n)
{
	int64_t top = d->top_seen;
	int64_t capacity = GROWTH * (old->mask + 1);
	struct sooni_deque_ring *r;
	int64_t i;

	while (capacity < bottom - top + n)
		capacity *= GROWTH;
	r = ring_new(capacity, old);
	if (r == NULL)
		return NULL;
	for (i = top; i < bottom; i++)
		ring_set(r, i, ring_get(old, i));
	/* release: the copies come first.  Pairs with the acquire load in
	 * take_at(). */
	atomic_store_explicit(&d->ring, r, memory_order_release);
	return r;
}

int sooni_deque_push(struct sooni_deque *d, const void *items, size_t n)
{
	/* relaxed: only the owner writes bottom and ring. */
	int64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed);
	struct sooni_deque_ring *r =
		atomic_load_explicit(&d->ring, memory_order_relaxed);
	int64_t end = b + (int64_t)n;
	void *item;
	size_t i;

	if (end - d->top_seen > r->mask + 1) {
		/* acquire: slots below top were read before they are written
		 * again.  Pairs with the compare-and-swap of a take. */
		d->top_seen =
			atomic_load_explicit(&d->top, memory_order_acquire);
		if (end - d->top_seen > r->mask + 1)
			r = grow(d, r, b, (int64_t)n);
		if (r == NULL)
			return ENOMEM;
	}
	for (i = 0; i < n; i++) {
		memcpy(&item, (const char *)items + i * sizeof(item),
		       sizeof(item));
		ring_set(r, b + (int64_t)i, item);
	}
	/* seq_cst: publishes the items (pairs with the load of bottom in a
	 * take) before the pusher looks for a worker to wake: see park.h. */
	atomic_store_explicit(&d->bottom, end, memory_order_seq_cst);
	return 0;
}

bool sooni_deque_pop_if(struct sooni_deque *d, void *item)
{
	/* relaxed: only this thread writes bottom and ring.  top is a hint
	 * here, and keeps an empty deque from going below it. */
	int64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed) - 1;
	int64_t t = atomic_load_explicit(&d->top, memory_order_relaxed);
	struct sooni_deque_ring *r =
		atomic_load_explicit(&d->ring, memory_order_relaxed);
	bool won;

	if (b < t || ring_get(r, b) != item)
		return false;
	/* seq_cst: thieves learn that b is ours before top is looked at.  Pairs
	 * with the loads of top and then bottom in a take: of a thief that
	 * wants b and this thread, one sees the other. */
	atomic_store_explicit(&d->bottom, b, memory_order_seq_cst);
	t = atomic_load_explicit(&d->top, memory_order_seq_cst);
	if (t < b)
		return true;
	won = t == b;
	if (won) /* the last item: race the thieves for it; seq_cst as theirs */
		won = atomic_compare_exchange_strong_explicit(
			&d->top, &t, t + 1, memory_order_seq_cst,
			memory_order_relaxed);
	/* release: a thief that sees this bottom sees the items below it. */
	atomic_store_explicit(&d->bottom, b + 1, memory_order_release);
	return won;
}

/* The item at top, if that is still t when this returns. */
static void *take_at(struct sooni_deque *d, int64_t t)
{
	/* acquire: pairs with the release in grow(). */
	void *item = ring_get(
		atomic_load_explicit(&d->ring, memory_order_acquire), t);

	/* seq_cst: the item is ours if nobody took it since; this is where it
	 * leaves the deque.  Pairs with itself and with pop_if. */
	if (!atomic_compare_exchange_strong_explicit(&d->top, &t, t + 1,
						     memory_order_seq_cst,
						     memory_order_relaxed))
		return SOONI_DEQUE_RETRY;
	return item;
}

void *sooni_deque_take(struct sooni_deque *d)
{
	/* seq_cst, top before bottom: pairs with sooni_deque_pop_if(), and with
	 * park.h when a worker looks for work before it sleeps. */
	int64_t t = atomic_load_explicit(&d->top, memory_order_seq_cst);
	int64_t b = atomic_load_explicit(&d->bottom, memory_order_seq_cst);

	return t < b ? take_at(d, t) : NULL;
}

void *sooni_deque_take_pushed(struct sooni_deque *d, int64_t *seen)
{
	/* seq_cst: as in sooni_deque_take(). */
	int64_t t = atomic_load_explicit(&d->top, memory_order_seq_cst);

	if (t >= *seen)
		*seen = atomic_load_explicit(&d->bottom, memory_order_seq_cst);
	return t < *seen ? take_at(d, t) : NULL;
}

bool sooni_deque_take_if(struct sooni_deque *d, void *item)
{
	/* As in sooni_deque_take(). */
	int64_t t = atomic_load_explicit(&d->top, memory_order_seq_cst);
	int64_t b = atomic_load_explicit(&d->bottom, memory_order_seq_cst);

	if (t >= b ||
	    ring_get(atomic_load_explicit(&d->ring, memory_order_acquire), t) !=
		    item)
		return false;
	return atomic_compare_exchange_strong_explicit(
		&d->top, &t, t + 1, memory_order_seq_cst, memory_order_relaxed);
}

bool sooni_deque_is_empty(struct sooni_deque *d)
{
	/* seq_cst: as in sooni_deque_take(). */
	int64_t t = atomic_load_explicit(&d->top, memory_order_seq_cst);

	return t >= atomic_load_explicit(&d->bottom, memory_order_seq_cst);
}

size_t sooni_deque_count(struct sooni_deque *d)
{
	/* relaxed: a guess. */
	int64_t t = atomic_load_explicit(&d->top, memory_order_relaxed);
	int64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed);

	return b > t ? (size_t)(b - t) : 0;
}
