/*
 * os_futex_linux.c - sleeping on a word with futex(2).
 */
#include "os.h"

#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* 32-bit systems with 64-bit time have the call under another name. */
#if !defined(SYS_futex) && defined(SYS_futex_time64)
#define SYS_futex SYS_futex_time64
#endif

int sooni_futex_wait(_Atomic uint32_t *word, uint32_t expected,
		     int64_t deadline)
{
	struct timespec at;
	struct timespec *until = NULL;

	if (deadline != INT64_MAX) {
		at.tv_sec = (time_t)(deadline / 1000000000);
		at.tv_nsec = (long)(deadline % 1000000000);
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
