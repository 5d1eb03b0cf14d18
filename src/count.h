/*
 * count.h - what an executor counts, for soon_executor_stats().
 *
 * A worker counts on a line of its own, by plain loads and stores; all others
 * add to the executor's.  The sum of all is what has happened.
 */
#ifndef SOONI_COUNT_H
#define SOONI_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

enum sooni_counter {
	SOONI_SUBMITTED,
	SOONI_SUCCEEDED,
	SOONI_HAVE_FAILED,
	SOONI_EXPIRED, /* of these */
	SOONI_WERE_CANCELLED,
	SOONI_REJECTED,
	SOONI_CLAIMED, /* by those who wait for them */
	SOONI_STOLEN,
	SOONI_WAKEUPS,
	SOONI_STALE,   /* queue entries whose job was claimed or cancelled */
	SOONI_DROPPED, /* of these, those that were taken */
	SOONI_COUNTERS
};

struct sooni_counts {
	_Atomic uint64_t n[SOONI_COUNTERS];
};

static inline void sooni_counts_init(struct sooni_counts *c)
{
	unsigned i;

	for (i = 0; i < SOONI_COUNTERS; i++)
		atomic_init(&c->n[i], 0);
}

/* relaxed, in all of these: a count orders nothing. */
static inline uint64_t sooni_counts_get(const struct sooni_counts *c,
					enum sooni_counter which)
{
	return atomic_load_explicit(&c->n[which], memory_order_relaxed);
}

/* Of counts that only the calling thread changes. */
static inline void sooni_counts_bump(struct sooni_counts *c,
				     enum sooni_counter which, uint64_t by)
{
	atomic_store_explicit(&c->n[which], sooni_counts_get(c, which) + by,
			      memory_order_relaxed);
}

/* Of those that all threads change. */
static inline void sooni_counts_add(struct sooni_counts *c,
				    enum sooni_counter which, uint64_t by)
{
	atomic_fetch_add_explicit(&c->n[which], by, memory_order_relaxed);
}

#endif
