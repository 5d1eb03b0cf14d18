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
 * Look at the word for a few microseconds; whether (*word & mask) != was, in
 * which case it is as if sooni_sleep() had returned 0.  Where all CPUs have
 * something better to do it looks but for a moment: whoever would change the
 * word needs the CPU.
 */
bool sooni_spin(_Atomic uint32_t *word, uint32_t mask, uint32_t was);

/* How many more (or fewer) threads of the library have something to do. */
void sooni_busy(int change);

/* In a child of fork: none has. */
void sooni_sleep_after_fork(void);

/* After a change of the word that replaced `old`. */
static inline void sooni_wake(_Atomic uint32_t *word, uint32_t old)
{
	if (sooni_unlikely(old & SOONI_SLEEPERS))
		sooni_futex_wake(word);
}

#endif
