/*
 * limit.h - jobs that may run only so long.
 *
 * When the time is up and the job has not returned, the clock settles it: it
 * fails with ETIMEDOUT.  Nobody can make its thread leave the job, so the
 * worker goes on with another thread, and this one is written off: it belongs
 * to no pool any more, and ends when the job returns.
 *
 * Where the caller runs the job its thread cannot be replaced, and it is only
 * asked to stop.
 *
 * While a worker runs such a job, its thread calls itself none: sooni_me.worker
 * is NULL, sooni_me.limit set.  So it submits as other threads do, claims no
 * other job, and touches worker and pool by the functions here alone.
 */
#ifndef SOONI_LIMIT_H
#define SOONI_LIMIT_H

#include "job.h"
#include "list.h"
#include "run.h"
#include "thread.h"
#include "timer.h"
#include "waiter.h"

#include <pthread.h>

struct sooni_limit {
	struct sooni_timer timer; /* from the submit to the settling */
	struct soon_future *job;  /* r/o, as is the next */
	int64_t within;

	pthread_mutex_t lock;
	/* Under lock while the timer can fire. */
	struct sooni_worker *worker; /* who runs it; NULL: written off */
	unsigned waits;		     /* in which its thread is */

	const struct sooni_hooks *hooks; /* the worker's */
	struct sooni_me *thread;	 /* that runs the job */

	/* The clock's, when the time is up. */
	struct sooni_waiter asker;
	struct sooni_cancel *asked; /* whose hooks are to run */

	/* Under the lock of the lost; see lost.c. */
	struct sooni_home *home; /* in whose list of lost threads this is */
	struct sooni_link link;
};

/*
 * Limit a new job, whose side block there is; 0, ENOMEM, EAGAIN.  All that the
 * limit needs is had then, so that it cannot fail later.
 */
int sooni_limit_new(struct soon_future *f, int64_t within);

/* How a job with a limit ended. */
enum sooni_limit_end {
	SOONI_IN_TIME,	  /* the caller settles it */
	SOONI_LATE,	  /* it was settled, and its late result freed */
	SOONI_WRITTEN_OFF /* the same, and the thread has lost its worker */
};

/*
 * Run the job that the worker claimed.  Unless it was written off, the worker
 * then settles it if it was in time, and ends with sooni_limit_leave().
 */
enum sooni_limit_end sooni_limit_call(struct soon_future *f,
				      struct sooni_outcome *outcome);
void sooni_limit_leave(struct soon_future *f, enum sooni_limit_end end);

/* lost.c */

/* The thread was written off: the pool, which is still there, knows of it. */
void sooni_lost_add(struct sooni_limit *l);
/* It is back, whether the pool is there or not. */
void sooni_lost_remove(struct sooni_limit *l);

/* Whether the calling thread was written off while it ran this job. */
bool sooni_limit_has_lost(const struct soon_future *job);

/* Whether the calling thread counts among the threads of the pool that home
 * belongs to, because it runs a job with a limit. */
bool sooni_limit_holds(const struct sooni_home *home);

/* The pool is about to go: threads that come back find none. */
void sooni_limit_forget(struct sooni_home *home);

/* In a child of fork: nobody is about to be lost. */
void sooni_limit_after_fork(void);

#endif
