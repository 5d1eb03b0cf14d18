/*
 * submit.h - handing jobs to a pool, for those who do something in between.
 */
#ifndef SOONI_SUBMIT_H
#define SOONI_SUBMIT_H

#include "job.h"

#include <soon/executor.h>

/* A submit that nobody else knows of yet. */
struct sooni_submission {
	struct soon_executor *executor;
	struct soon_future *future; /* with a reference, the caller's */
	const soon_job *job;	    /* its attributes, or NULL */
	soon_job copy;
};

/*
 * Make a job of *given, or of fn and arg if that is NULL; 0 or a code.  Then it
 * is discarded, or handed over by the other call: 0, and it is the pool's; else
 * nothing was, and the job is still to be discarded.
 */
int sooni_submit_begin(struct sooni_submission *s, soon_executor *executor,
		       soon_fn *fn, void *arg, const soon_job *given);
int sooni_submit_end(struct sooni_submission *s);

/*
 * here.c: run jobs one after the other, on the caller.  given: the caller's, if
 * it is to get one back, which it does not if its thread is ended.  0 or a code.
 */
int sooni_run_here(struct soon_executor *e, struct soon_future *const *jobs,
		   size_t n, int64_t delay, struct soon_future *given);

#endif
