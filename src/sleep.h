/*
 * sleep.h - the one way to sleep: on a word, until some of its bits change.
 *
 * Bit 0 of every such word is SOONI_SLEEPERS.  It may be set with nobody
 * asleep, which costs one needless wake-up; it is never clear with somebody
 * asleep.  Therefore each change that sleepers await is a read-modify-write,
 * and whoever makes it passes the value it replaced to sooni_wake().
 */
#ifndef SOONI_SLEEP_H
#define SOONI_SLEEP_H

#include "compiler.h"
#include "os.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SOONI_SLEEPERS UINT32_C(1)

/*
 * Return 0 once (*word & mask) != was, or ETIMEDOUT at the deadline.  What
 * was written before the change (a release, at least) is then visible.
 * Sleeps; sooni_spin() first where the change may be near.
 */
int sooni_sleep(_Atomic uint32_t *word, uint32_t mask, uint32_t was,
		int64_t deadline);

/*
 * How long to look before sleeping.  A hand-over between two threads that look
 * takes well under a microsecond, one with a sleep 5 to 50: so a look of about
 * the price of a sleep never costs more than twice the best choice (Karlin et
 * al., "Empirical Studies of Competitive Spinning", SOSP 1991).  An idle worker,
 * for which nothing may come at all, looks for less.
 */
#define SOONI_SPIN_WAITING INT64_C(20000)
#define SOONI_SPIN_IDLE INT64_C(10000)

/*
 * Look at the word for so long, giving the CPU to whoever waits for it; whether
 * (*word & mask) != was, in which case it is as if sooni_sleep() had returned 0.
 * Where all CPUs have something better to do it looks but for a moment: whoever
 * would change the word needs the CPU.
 */
bool sooni_spin_for(_Atomic uint32_t *word, uint32_t mask, uint32_t was,
		    int64_t nsec);

static inline bool sooni_spin(_Atomic uint32_t *word, uint32_t mask,
			      uint32_t was)
{
	return sooni_spin_for(word, mask, was, SOONI_SPIN_WAITING);
}

/* How many more (or fewer) threads of the library have something to do. */
void sooni_busy(int change);

/* Whether these need all CPUs, so that there is none for one that but looks. */
bool sooni_is_crowded(void);

/* In a child of fork: none has. */
void sooni_sleep_after_fork(void);

/* After a change of the word that replaced `old`. */
static inline void sooni_wake(_Atomic uint32_t *word, uint32_t old)
{
	if (sooni_unlikely(old & SOONI_SLEEPERS))
		sooni_futex_wake(word);
}

#endif
