/*
 * run.h - running jobs, and settling them.
 */
#ifndef SOONI_RUN_H
#define SOONI_RUN_H

#include "job.h"

/* What a job's function came to. */
struct sooni_outcome {
	int code;      /* 0: success, with the result in the future; or
			  SOONI_FORKED */
	char *message; /* of a failure; may be NULL */
};

/* The job forked, and this is the child: nothing more is to be done with it, and
 * the thread ends. */
enum { SOONI_FORKED = -1 };

/* Run the job that the caller claimed, on the caller's stack. */
struct sooni_outcome sooni_job_call(struct soon_future *f);

/* The same with a job that may run only so long; the result of a success goes to
 * *result. */
struct sooni_outcome sooni_job_call_limited(struct soon_future *f,
					    struct sooni_limit *limit,
					    void **result);

/* Then settle it. */
void sooni_job_settle(struct soon_future *f, struct sooni_outcome outcome);

/* Both. */
void sooni_job_run(struct soon_future *f);

/* Both, on a thread that need not be a worker. */
void sooni_guest_run(struct soon_future *f);

/* Fail the job that the caller claimed, without running it. */
void sooni_job_fail(struct soon_future *f, int code);

#endif
