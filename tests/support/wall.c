/*
 * wall.c - see wall.h.
 */
#include "wall.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/time.h>

#ifdef __linux__
#include <linux/futex.h>
#endif

static _Atomic int64_t offset;
static atomic_uint asked, steady_asked, slept;

void wall_jump(int64_t seconds)
{
	atomic_store(&offset, seconds);
}

unsigned wall_asked(void)
{
	return atomic_load(&asked);
}

unsigned wall_steady_asked(void)
{
	return atomic_load(&steady_asked);
}

unsigned wall_slept(void)
{
	return atomic_load(&slept);
}

static bool is_set_by_people(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
#ifdef __linux__
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
#endif
		return true;
	default:
		return false;
	}
}

int wall_read(clockid_t clock, struct timespec *t)
{
	int rc = clock_gettime(clock, t);

	if (is_set_by_people(clock)) {
		atomic_fetch_add(&asked, 1);
		t->tv_sec += (time_t)atomic_load(&offset);
	} else {
		atomic_fetch_add(&steady_asked, 1);
	}
	return rc;
}

void wall_see_sleep(int op)
{
	atomic_fetch_add(&slept, 1);
#ifdef __linux__
	if (op & FUTEX_CLOCK_REALTIME)
		atomic_fetch_add(&asked, 1);
#else
	(void)op;
#endif
}

/* By the name that it has in systems of 32 bits whose time has 64. */
int fault_clock_gettime(clockid_t clock, struct timespec *t);
int fault_clock_gettime64(clockid_t clock, struct timespec *t);

int fault_clock_gettime64(clockid_t clock, struct timespec *t)
{
	return fault_clock_gettime(clock, t);
}

/* The other ways to it, should the library ever take one. */
time_t fault_time(time_t *t);
int fault_gettimeofday(struct timeval *t, void *zone);
int fault_timespec_get(struct timespec *t, int base);

time_t fault_time(time_t *t)
{
	struct timespec now;

	wall_read(CLOCK_REALTIME, &now);
	if (t != NULL)
		*t = now.tv_sec;
	return now.tv_sec;
}

int fault_gettimeofday(struct timeval *t, void *zone)
{
	struct timespec now;

	(void)zone;
	wall_read(CLOCK_REALTIME, &now);
	t->tv_sec = now.tv_sec;
	t->tv_usec = now.tv_nsec / 1000;
	return 0;
}

int fault_timespec_get(struct timespec *t, int base)
{
	wall_read(CLOCK_REALTIME, t);
	return base;
}
