/*
 * moments.c - see moments.h.
 */
#include "moments.h"

void sooni_moments_init(struct sooni_moments *m)
{
	unsigned i;

	m->stride = SOONI_MOMENT_PUSHES;
	m->next = m->stride;
	m->used = 0;
	for (i = 0; i < SOONI_MOMENTS; i++) {
		atomic_init(&m->place[i], 0);
		atomic_init(&m->when[i], 0);
	}
}

/* relaxed: only the owner writes it. */
static int64_t place_of(const struct sooni_moments *m, unsigned i)
{
	return atomic_load_explicit(&m->place[i], memory_order_relaxed);
}

static void set(struct sooni_moments *m, unsigned i, int64_t place, int64_t now)
{
	/* relaxed: the next store publishes it. */
	atomic_store_explicit(&m->place[i], place, memory_order_relaxed);
	/* release: the place.  Pairs with sooni_moments_before(). */
	atomic_store_explicit(&m->when[i], now, memory_order_release);
}

/* Keep those at first, first + step, ... */
static void keep(struct sooni_moments *m, unsigned first, unsigned step)
{
	unsigned n = 0;
	unsigned i;

	for (i = first; i < m->used; i += step) {
		int64_t now =
			atomic_load_explicit(&m->when[i], memory_order_relaxed);

		set(m, n++, place_of(m, i), now);
	}
	m->used = n;
}

/* Make room.  Of those before top only the last is of any use. */
static void thin(struct sooni_moments *m, int64_t top)
{
	unsigned past = 0;

	while (past + 1 < m->used && place_of(m, past + 1) <= top)
		past++;
	if (past >= SOONI_MOMENTS / 2) {
		keep(m, past, 1);
		m->stride = SOONI_MOMENT_PUSHES;
	} else {
		keep(m, 0, 2);
		m->stride *= 2;
	}
}

void sooni_moments_note(struct sooni_moments *m, int64_t place, int64_t top,
			int64_t now)
{
	if (place < m->next)
		return;
	if (m->used == SOONI_MOMENTS)
		thin(m, top);
	set(m, m->used++, place, now);
	m->next = place + m->stride;
}

int64_t sooni_moments_before(const struct sooni_moments *m, int64_t place)
{
	int64_t latest = 0;
	unsigned i;

	for (i = 0; i < SOONI_MOMENTS; i++) {
		/* acquire: pairs with set(). */
		int64_t when =
			atomic_load_explicit(&m->when[i], memory_order_acquire);

		if (when > latest && place_of(m, i) <= place)
			latest = when;
	}
	return latest;
}
