/*
 * delay.h - jobs that start no earlier, or no later, than that.
 */
#ifndef SOONI_DELAY_H
#define SOONI_DELAY_H

#include "pool.h"

/* Give f its timing, if it needs any; before it is queued.  0 or ENOMEM. */
int sooni_delay_dress(struct soon_future *f, const soon_job *job);

/* As sooni_pool_put(), for jobs that are not due yet. */
int sooni_delay_put(struct soon_executor *e, struct soon_future *const *jobs,
		    size_t n);

/* Around putting jobs that are due but expire: 0, ENOMEM, EAGAIN.  While they are
 * put they do not expire.  exited, with a struct sooni_delayed: one that was run
 * meanwhile has ended the thread, and all are done. */
struct sooni_delayed {
	struct soon_future *const *jobs;
	size_t n;
};

int sooni_delay_begin_put(const struct sooni_delayed *d);
void sooni_delay_end_put(const struct sooni_delayed *d, bool queued);
void sooni_delay_exited_put(void *delayed);

/* Take a job that is not due yet, with its entry and the guest that it counts
 * as, which the caller gives up; NULL: there is none. */
struct soon_future *sooni_delay_take(struct soon_executor *e);

#endif
