/*
 * sleep.c - see sleep.h.
 */
#include "sleep.h"

#include <errno.h>

/*
 * How long to look before sleeping.  A hand-over between two threads that look
 * takes well under a microsecond, one with a sleep 5 to 50: so a look of about
 * the price of a sleep never costs more than twice the best choice (Karlin et
 * al., "Empirical Studies of Competitive Spinning", SOSP 1991).
 */
enum { SPIN_NSEC = 20000, LOOKS_PER_TIME_CHECK = 16 };

/* 0 until known; the number of CPUs decides whether looking can help. */
static _Atomic unsigned cpus;

static unsigned cpu_count(void)
{
	/* relaxed: whoever asks first, the answer is the same. */
	unsigned n = atomic_load_explicit(&cpus, memory_order_relaxed);

	if (n == 0) {
		n = sooni_cpus();
		atomic_store_explicit(&cpus, n, memory_order_relaxed);
	}
	return n;
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

bool sooni_spin(_Atomic uint32_t *word, uint32_t mask, uint32_t was)
{
	int64_t end = 0;
	unsigned looks;

	for (looks = 0;; looks++) {
		/* acquire: as in sooni_sleep(). */
		if ((atomic_load_explicit(word, memory_order_acquire) & mask) !=
		    was)
			return true;
		if (looks % LOOKS_PER_TIME_CHECK == 0) {
			int64_t now;

			if (cpu_count() == 1)
				return false;
			now = sooni_now();
			if (end == 0)
				end = now + SPIN_NSEC;
			else if (now >= end)
				return false;
		}
		sooni_relax();
	}
}
