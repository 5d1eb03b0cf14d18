/*
 * headers_1_0.h - the structs and numbers of libsoon 1.0 once more, as programs
 * were compiled with them.
 *
 * They stay as they are: what does not compile here any more breaks programs.
 */
#ifndef SOON_TEST_HEADERS_1_0_H
#define SOON_TEST_HEADERS_1_0_H

#include <soon.h>
#include <stddef.h>
#include <stdint.h>

struct options_1_0 {
	size_t size;
	const char *name;
	unsigned workers;
	unsigned max_workers;
	int64_t idle_timeout;
	size_t max_pending;
	int when_full;
	size_t stack_size;
	int (*worker_init)(void *);
	void (*worker_fini)(void *);
	void *worker_ctx;
	void (*unread_error)(soon_future *, void *);
	void *unread_ctx;
	unsigned flags;
};

struct job_1_0 {
	size_t size;
	void *(*fn)(void *);
	void *arg;
	const char *name;
	int priority;
	int64_t delay;
	int64_t start_within;
	int64_t run_within;
	void (*free_arg)(void *);
	void (*free_result)(void *);
};

struct stats_1_0 {
	size_t size;
	uint64_t submitted;
	uint64_t succeeded;
	uint64_t failed;
	uint64_t cancelled;
	uint64_t expired;
	uint64_t rejected;
	uint64_t claimed_by_waiters;
	uint64_t stolen;
	uint64_t wakeups;
	uint64_t threads_started;
	size_t pending;
	size_t delayed;
	unsigned threads;
	unsigned running;
	unsigned blocked;
	unsigned idle;
	unsigned written_off;
	int64_t oldest_pending;
};

/* Where pointers have 64 bits: the structs above were not touched. */
#define STANDS(struct_1_0, lp64_size)                                    \
	_Static_assert(sizeof(void *) != 8 || sizeof(long) != 8 ||       \
			       sizeof(struct struct_1_0) == (lp64_size), \
		       #struct_1_0)

STANDS(options_1_0, 104);
STANDS(job_1_0, 80);
STANDS(stats_1_0, 136);

#define MEMBER_SIZE(type, member) sizeof(((type *)NULL)->member)
#define SAME(now, then, member)                                           \
	_Static_assert(offsetof(now, member) == offsetof(then, member) && \
			       MEMBER_SIZE(now, member) ==                \
				       MEMBER_SIZE(then, member) &&       \
			       sizeof(now) >= sizeof(then),               \
		       #now "." #member)
#define SAME_OPTION(member) \
	SAME(soon_executor_options, struct options_1_0, member)
#define SAME_JOB(member) SAME(soon_job, struct job_1_0, member)
#define SAME_STAT(member) SAME(soon_stats, struct stats_1_0, member)

SAME_OPTION(size);
SAME_OPTION(name);
SAME_OPTION(workers);
SAME_OPTION(max_workers);
SAME_OPTION(idle_timeout);
SAME_OPTION(max_pending);
SAME_OPTION(when_full);
SAME_OPTION(stack_size);
SAME_OPTION(worker_init);
SAME_OPTION(worker_fini);
SAME_OPTION(worker_ctx);
SAME_OPTION(unread_error);
SAME_OPTION(unread_ctx);
SAME_OPTION(flags);

SAME_JOB(size);
SAME_JOB(fn);
SAME_JOB(arg);
SAME_JOB(name);
SAME_JOB(priority);
SAME_JOB(delay);
SAME_JOB(start_within);
SAME_JOB(run_within);
SAME_JOB(free_arg);
SAME_JOB(free_result);

SAME_STAT(size);
SAME_STAT(submitted);
SAME_STAT(succeeded);
SAME_STAT(failed);
SAME_STAT(cancelled);
SAME_STAT(expired);
SAME_STAT(rejected);
SAME_STAT(claimed_by_waiters);
SAME_STAT(stolen);
SAME_STAT(wakeups);
SAME_STAT(threads_started);
SAME_STAT(pending);
SAME_STAT(delayed);
SAME_STAT(threads);
SAME_STAT(running);
SAME_STAT(blocked);
SAME_STAT(idle);
SAME_STAT(written_off);
SAME_STAT(oldest_pending);

/* Numbers are compiled into programs. */
_Static_assert(SOON_BLOCK == 0 && SOON_REJECT == 1 && SOON_CALLER_RUNS == 2,
	       "enum soon_overflow");
_Static_assert(SOON_HELP == 1 && SOON_INLINE == 2, "flags of an executor");
_Static_assert(SOON_CANCEL_PENDING == 1 && SOON_CANCEL_RUNNING == 2,
	       "flags of a shutdown");
_Static_assert(SOON_LOW == -1 && SOON_NORMAL == 0 && SOON_HIGH == 1,
	       "enum soon_priority");
_Static_assert(SOON_PENDING == 0 && SOON_RUNNING == 1 && SOON_SUCCEEDED == 2 &&
		       SOON_FAILED == 3 && SOON_CANCELLED == 4,
	       "enum soon_state");
_Static_assert(SOON_ALL_COMPLETED == 0 && SOON_FIRST_COMPLETED == 1 &&
		       SOON_FIRST_ERROR == 2,
	       "enum soon_when");
_Static_assert(SOON_EBROKEN == 0x50001 && SOON_EFORKED == 0x50002 &&
		       SOON_EEXITED == 0x50003 && SOON_EDROPPED == 0x50004,
	       "codes");
_Static_assert(sizeof(soon_nsec) == 8 && SOON_FOREVER == INT64_MAX &&
		       SOON_USEC == 1000 && SOON_MSEC == 1000000 &&
		       SOON_SEC == 1000000000,
	       "soon_nsec");

#endif
