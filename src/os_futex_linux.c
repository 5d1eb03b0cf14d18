/*
 * os_futex_linux.c - sleeping on a word with futex(2).
 */
#include "os.h"

#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Time as the kernel reads it.  The call's first name takes longs, also where
 * those have 32 bits and the C library's time has 64.  Newer systems of 32 bits
 * have only the second.
 */
#ifdef SYS_futex
struct kernel_time {
	__kernel_long_t sec;
	__kernel_long_t nsec;
};
#else
#define SYS_futex SYS_futex_time64
struct kernel_time {
	int64_t sec;
	int64_t nsec;
};
#endif

int sooni_futex_wait(_Atomic uint32_t *word, uint32_t expected,
		     int64_t deadline)
{
	struct kernel_time at;
	struct kernel_time *until = NULL;

	if (deadline < SOONI_NEVER) {
		at.sec = (int32_t)(deadline / 1000000000);
		at.nsec = (int32_t)(deadline % 1000000000);
		until = &at;
	}
	/* WAIT_BITSET takes an absolute time on the monotonic clock. */
	if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
		    expected, until, NULL, FUTEX_BITSET_MATCH_ANY) == 0)
		return 0;
	return errno == ETIMEDOUT ? ETIMEDOUT : 0;
}

void sooni_futex_wake(_Atomic uint32_t *word)
{
	/* An address that is gone is EFAULT: there was nobody to wake. */
	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, NULL,
		NULL, 0);
}

void sooni_futex_after_fork(void)
{
	/* The kernel's sleepers are threads of the parent. */
}
