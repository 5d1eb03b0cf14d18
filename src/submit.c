/*
 * submit.c - handing jobs to a pool.
 */
#include "pool.h"
#include "sized.h"
#include "thread.h"

#include <soon/executor.h>

#include <errno.h>
#include <stdlib.h>

/* The pool meant by e. */
static struct soon_executor *resolve(soon_executor *e)
{
	return e != NULL ? e : soon_default_executor();
}

sooni_inline struct soon_future *new_job(struct soon_executor *e, soon_fn *fn,
					 void *arg, uint32_t refs)
{
	unsigned flags = e->options.flags;
	uint32_t queued = flags & SOON_INLINE ? 0 : SOONI_QUEUED;
	struct soon_future *f = sooni_future_new(
		queued | refs, flags & SOON_HELP ? SOONI_HELPED : 0);

	if (f == NULL)
		return NULL;
	f->fn = fn;
	f->arg = arg;
	f->home = &e->home;
	return f;
}

/* Rare attributes; 0 or ENOMEM. */
static int dress(struct soon_future *f, const soon_job *job)
{
	struct sooni_side *side;

	if (job->name == NULL && job->free_arg == NULL &&
	    job->free_result == NULL)
		return 0;
	side = sooni_future_side(f);
	if (side == NULL)
		return ENOMEM;
	side->name = job->name;
	side->free_arg = job->free_arg;
	atomic_init(&side->free_result, job->free_result);
	return 0;
}

static int read_job(soon_job *job, const soon_job *given)
{
	int rc;

	if (given == NULL)
		return EINVAL;
	rc = sooni_read_struct(job, sizeof(*job), given, given->size);
	if (rc != 0)
		return rc;
	if (job->fn == NULL || job->priority < SOON_LOW ||
	    job->priority > SOON_HIGH || job->delay < 0 ||
	    job->start_within < 0 || job->run_within < 0 ||
	    (job->start_within > 0 && job->start_within <= job->delay))
		return EINVAL;
	if (job->priority != SOON_NORMAL || job->delay > 0 ||
	    job->start_within > 0 || job->run_within > 0)
		return ENOTSUP;
	return 0;
}

/* A pool without threads: run them one after the other. */
static int run_inline(struct soon_executor *e, struct soon_future *const *jobs,
		      size_t n)
{
	unsigned generation = sooni_generation;
	struct sooni_telling telling;
	size_t i;
	int rc = sooni_pool_enter(e);

	if (rc != 0)
		return rc;
	sooni_telling_push(&telling, &e->home);
	/* In a child that a callback forked the rest are the parent's. */
	for (i = 0; i < n && generation == sooni_generation; i++) {
		struct soon_future *f = jobs[i];

		if (sooni_future_claim(f, false, false))
			sooni_guest_run(f);
	}
	sooni_telling_pop(&telling);
	if (generation == sooni_generation)
		sooni_home_leave(&e->home);
	return 0;
}

sooni_inline int put(struct soon_executor *e, struct soon_future *const *jobs,
		     size_t n)
{
	return e->options.flags & SOON_INLINE ? run_inline(e, jobs, n)
					      : sooni_pool_put(e, jobs, n);
}

/* One job: with a future for the caller, or none; 0 or a code. */
sooni_inline int submit(soon_executor *executor, soon_fn *fn, void *arg,
			const soon_job *attributes, soon_future **future)
{
	struct soon_executor *e;
	struct soon_future *f;
	int rc = 0;

	if (fn == NULL)
		return EINVAL;
	e = resolve(executor);
	if (e == NULL)
		return ENOMEM;
	f = new_job(e, fn, arg, future != NULL ? SOONI_REF : 0);
	if (f == NULL)
		return ENOMEM;
	if (attributes != NULL)
		rc = dress(f, attributes);
	if (rc == 0)
		rc = put(e, &f, 1);
	if (rc != 0)
		sooni_future_discard(f);
	else if (future != NULL)
		*future = f;
	return rc;
}

soon_future *soon_submit(soon_executor *e, soon_fn *fn, void *arg)
{
	soon_future *f = NULL;
	int rc = submit(e, fn, arg, NULL, &f);

	if (sooni_unlikely(rc != 0))
		errno = rc;
	return f;
}

int soon_execute(soon_executor *e, soon_fn *fn, void *arg)
{
	return submit(e, fn, arg, NULL, NULL);
}

soon_future *soon_submit_job(soon_executor *e, const soon_job *given)
{
	soon_future *f = NULL;
	soon_job job;
	int rc = read_job(&job, given);

	if (rc == 0)
		rc = submit(e, job.fn, job.arg, &job, &f);
	if (rc != 0)
		errno = rc;
	return f;
}

/* n undressed jobs in futures[], or none. */
static int make_jobs(struct soon_executor *e, const soon_job *each,
		     void *const *args, size_t n, uint32_t refs,
		     soon_future **futures)
{
	size_t i;

	for (i = 0; i < n; i++) {
		void *arg = args != NULL ? args[i] : each->arg;

		futures[i] = new_job(e, each->fn, arg, refs);
		if (futures[i] == NULL)
			goto undo;
		if (dress(futures[i], each) != 0) {
			sooni_future_discard(futures[i]);
			goto undo;
		}
	}
	return 0;
undo:
	while (i-- > 0)
		sooni_future_discard(futures[i]);
	return ENOMEM;
}

static int submit_many(struct soon_executor *e, const soon_job *each,
		       void *const *args, size_t n, uint32_t refs,
		       soon_future **futures)
{
	size_t i;
	int rc = make_jobs(e, each, args, n, refs, futures);

	if (rc != 0)
		return rc;
	rc = put(e, futures, n);
	for (i = 0; rc != 0 && i < n; i++)
		sooni_future_discard(futures[i]);
	return rc;
}

int soon_submit_many(soon_executor *executor, const soon_job *given,
		     void *const *args, size_t n, soon_future **futures)
{
	struct soon_executor *e;
	soon_future **jobs = futures;
	soon_job each;
	size_t i;
	int rc;

	for (i = 0; futures != NULL && i < n; i++)
		futures[i] = NULL;
	rc = read_job(&each, given);
	if (rc != 0 || n == 0)
		return rc;
	e = resolve(executor);
	if (e == NULL || n > SIZE_MAX / sizeof(*jobs))
		return ENOMEM;
	if (jobs == NULL)
		jobs = malloc(n * sizeof(*jobs));
	if (jobs == NULL)
		return ENOMEM;
	rc = submit_many(e, &each, args, n, futures != NULL ? SOONI_REF : 0,
			 jobs);
	for (i = 0; rc != 0 && futures != NULL && i < n; i++)
		futures[i] = NULL;
	if (jobs != futures)
		free(jobs);
	return rc;
}
