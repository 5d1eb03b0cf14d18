/*
 * count.h - a number that threads of a scene wait for.
 */
#ifndef SCENES_COUNT_H
#define SCENES_COUNT_H

#include "sleep.h"

/* By 2: bit 0 is SOONI_SLEEPERS. */
typedef _Atomic uint32_t count;

static inline void count_up(count *c)
{
	sooni_wake(c, atomic_fetch_add_explicit(c, 2, memory_order_acq_rel));
}

static inline void count_await(count *c, uint32_t n)
{
	uint32_t by_two = ~SOONI_SLEEPERS;
	uint32_t now;

	while ((now = atomic_load_explicit(c, memory_order_acquire) & by_two) <
	       2 * n)
		sooni_sleep(c, by_two, now, INT64_MAX);
}

/* Without a point, for checks. */
static inline uint32_t count_now(const count *c)
{
	return *c / 2;
}

#endif
