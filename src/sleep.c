/*
 * sleep.c - see sleep.h.
 */
#include "sleep.h"

#include <errno.h>

enum { LOOKS_PER_TIME_CHECK = 16 };

/* 0 until known. */
static _Atomic int cpus;

/* Workers that run, in all pools. */
static alignas(SOONI_APART) _Atomic int busy;

void sooni_busy(int change)
{
	/* relaxed, here and below: a hint. */
	atomic_fetch_add_explicit(&busy, change, memory_order_relaxed);
}

void sooni_sleep_after_fork(void)
{
	atomic_store_explicit(&busy, 0, memory_order_relaxed);
}

bool sooni_is_crowded(void)
{
	int n = atomic_load_explicit(&cpus, memory_order_relaxed);

	if (n == 0) {
		n = (int)sooni_cpus();
		atomic_store_explicit(&cpus, n, memory_order_relaxed);
	}
	return atomic_load_explicit(&busy, memory_order_relaxed) >= n || n < 2;
}

int sooni_sleep(_Atomic uint32_t *word, uint32_t mask, uint32_t was,
		int64_t deadline)
{
	/* acquire, here and below: pairs with the release of the change. */
	uint32_t now = atomic_load_explicit(word, memory_order_acquire);

	while ((now & mask) == was) {
		/* acquire on success publishes nothing; it is there because a
		 * failure loads a value that may be the awaited one. */
		if (!(now & SOONI_SLEEPERS) &&
		    !atomic_compare_exchange_weak_explicit(
			    word, &now, now | SOONI_SLEEPERS,
			    memory_order_acquire, memory_order_acquire))
			continue;
		if (sooni_futex_wait(word, now | SOONI_SLEEPERS, deadline) ==
		    ETIMEDOUT) {
			now = atomic_load_explicit(word, memory_order_acquire);
			return (now & mask) == was ? ETIMEDOUT : 0;
		}
		now = atomic_load_explicit(word, memory_order_acquire);
	}
	return 0;
}

bool sooni_spin_for(_Atomic uint32_t *word, uint32_t mask, uint32_t was,
		    int64_t nsec)
{
	int64_t end = 0;
	unsigned looks;

	for (looks = 1;; looks++) {
		/* acquire: as in sooni_sleep(). */
		if ((atomic_load_explicit(word, memory_order_acquire) & mask) !=
		    was)
			return true;
		sooni_relax();
		if (looks % LOOKS_PER_TIME_CHECK == 0) {
			int64_t now;

			if (sooni_is_crowded())
				return false;
			now = sooni_now();
			if (end == 0)
				end = now + nsec;
			else if (now >= end)
				return false;
			/* A thread that was just woken mostly waits for the CPU
			 * of its waker, this one. */
			sooni_yield();
		}
	}
}
