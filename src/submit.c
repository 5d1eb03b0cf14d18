/*
 * submit.c - handing jobs to a pool.
 */
#include "submit.h"

#include "delay.h"
#include "limit.h"
#include "pool.h"
#include "sized.h"

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
	struct soon_future *f = sooni_future_new(
		e->born | refs, flags & SOON_HELP ? SOONI_HELPED : 0);

	if (f == NULL)
		return NULL;
	f->fn = fn;
	f->arg = arg;
	f->home = &e->home;
	return f;
}

static bool is_timed(const soon_job *job)
{
	return job->delay > 0 || job->start_within > 0;
}

/* Rare attributes; 0 or a code. */
static int dress(struct soon_future *f, const soon_job *job)
{
	struct sooni_side *side;
	int rc = 0;

	if (job->name == NULL && job->free_arg == NULL &&
	    job->free_result == NULL && job->run_within == 0 && !is_timed(job))
		return 0;
	side = sooni_future_side(f);
	if (side == NULL)
		return ENOMEM;
	side->name = job->name;
	side->free_arg = job->free_arg;
	atomic_init(&side->free_result, job->free_result);
	if (is_timed(job))
		rc = sooni_delay_dress(f, job);
	if (rc == 0 && job->run_within > 0)
		rc = sooni_limit_new(f, job->run_within);
	return rc;
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
	if (job->run_within == SOON_FOREVER)
		job->run_within = 0;
	return 0;
}

static void unplace(struct soon_future *const *jobs, size_t n)
{
	while (n-- > 0)
		sooni_future_unplace(jobs[n]);
}

/* In a pool without threads, or one that takes so many jobs and no more. */
static sooni_noinline int put_unless_run(struct soon_executor *e,
					 const soon_job *job,
					 struct soon_future *const *jobs,
					 size_t n, struct soon_future *given)
{
	int rc = SOONI_RUN_HERE;

	if (!(e->options.flags & SOON_INLINE))
		rc = sooni_pool_admit(e, job != NULL ? job->priority : 0, jobs,
				      n);
	if (rc != SOONI_RUN_HERE)
		return rc;
	unplace(jobs, n);
	return sooni_run_here(e, jobs, n, job != NULL ? job->delay : 0, given);
}

sooni_inline int put_now(struct soon_executor *e, const soon_job *job,
			 struct soon_future *const *jobs, size_t n,
			 struct soon_future *given)
{
	if (sooni_unlikely(e->born != SOONI_QUEUED))
		return put_unless_run(e, job, jobs, n, given);
	return job == NULL || job->priority == SOON_NORMAL
		       ? sooni_pool_put(e, jobs, n)
		       : sooni_pool_put_ranked(e, job->priority, jobs, n);
}

static int put_timed(struct soon_executor *e, const soon_job *job,
		     struct soon_future *const *jobs, size_t n,
		     struct soon_future *given)
{
	struct sooni_delayed delayed = { jobs, n };
	int rc;

	if (e->options.flags & SOON_INLINE) /* begins in time by itself */
		return put_now(e, job, jobs, n, given);
	if (job->delay > 0) {
		if (e->born != SOONI_QUEUED)
			unplace(jobs, n);
		return sooni_delay_put(e, jobs, n);
	}
	rc = sooni_delay_begin_put(&delayed);
	if (rc != 0)
		return rc;
	pthread_cleanup_push(sooni_delay_exited_put, &delayed);
	rc = put_now(e, job, jobs, n, given);
	pthread_cleanup_pop(0);
	sooni_delay_end_put(&delayed, rc == 0);
	return rc;
}

/* job: their attributes, or NULL.  given: the caller's, if it gets one back. */
sooni_inline int put(struct soon_executor *e, const soon_job *job,
		     struct soon_future *const *jobs, size_t n,
		     struct soon_future *given)
{
	return sooni_unlikely(job != NULL && is_timed(job))
		       ? put_timed(e, job, jobs, n, given)
		       : put_now(e, job, jobs, n, given);
}

/* n jobs were not accepted. */
static void count_refusal(struct soon_executor *e, size_t n, int rc)
{
	if (rc == EAGAIN)
		sooni_counts_add(&e->home.counts, SOONI_REJECTED, n);
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
		rc = put(e, attributes, &f, 1, future != NULL ? f : NULL);
	if (sooni_unlikely(rc != 0)) {
		count_refusal(e, 1, rc);
		sooni_future_discard(f);
	} else if (future != NULL) {
		*future = f;
	}
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

int sooni_submit_begin(struct sooni_submission *s, soon_executor *executor,
		       soon_fn *fn, void *arg, const soon_job *given)
{
	int rc = 0;

	s->job = NULL;
	if (given != NULL) {
		s->job = &s->copy;
		rc = read_job(&s->copy, given);
		fn = s->copy.fn;
		arg = s->copy.arg;
	}
	if (rc == 0 && fn == NULL)
		rc = EINVAL;
	if (rc != 0)
		return rc;
	s->executor = resolve(executor);
	s->future = s->executor != NULL
			    ? new_job(s->executor, fn, arg, SOONI_REF)
			    : NULL;
	if (s->future == NULL)
		return ENOMEM;
	if (s->job != NULL)
		rc = dress(s->future, s->job);
	if (rc != 0)
		sooni_future_discard(s->future);
	return rc;
}

int sooni_submit_end(struct sooni_submission *s)
{
	int rc = put(s->executor, s->job, &s->future, 1, NULL);

	if (sooni_unlikely(rc != 0))
		count_refusal(s->executor, 1, rc);
	return rc;
}

/* n undressed jobs in futures[], or none. */
static int make_jobs(struct soon_executor *e, const soon_job *each,
		     void *const *args, size_t n, uint32_t refs,
		     soon_future **futures)
{
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		void *arg = args != NULL ? args[i] : each->arg;

		futures[i] = new_job(e, each->fn, arg, refs);
		rc = ENOMEM;
		if (futures[i] == NULL)
			goto undo;
		rc = dress(futures[i], each);
		if (rc != 0) {
			sooni_future_discard(futures[i]);
			goto undo;
		}
	}
	return 0;
undo:
	while (i-- > 0)
		sooni_future_discard(futures[i]);
	return rc;
}

static int submit_many(struct soon_executor *e, const soon_job *each,
		       void *const *args, size_t n, uint32_t refs,
		       soon_future **futures)
{
	size_t i;
	int rc = make_jobs(e, each, args, n, refs, futures);

	if (rc != 0)
		return rc;
	rc = put(e, each, futures, n, NULL);
	count_refusal(e, n, rc);
	for (i = 0; rc != 0 && i < n; i++)
		sooni_future_discard(futures[i]);
	return rc;
}

/* A job run by the submit has ended the thread: the caller gets nothing. */
struct many {
	soon_future **jobs;
	size_t n;
	bool given; /* the array is the caller's */
};

static void exited_many(void *many)
{
	struct many *m = many;
	size_t i;

	for (i = 0; m->given && i < m->n; i++) {
		soon_future_unref(m->jobs[i]);
		m->jobs[i] = NULL;
	}
	if (!m->given)
		free(m->jobs);
}

int soon_submit_many(soon_executor *executor, const soon_job *given,
		     void *const *args, size_t n, soon_future **futures)
{
	struct soon_executor *e;
	struct many m = { futures, n, futures != NULL };
	soon_job each;
	size_t i;
	int rc;

	if (n > SIZE_MAX / sizeof(*m.jobs))
		return ENOMEM;
	for (i = 0; futures != NULL && i < n; i++)
		futures[i] = NULL;
	rc = read_job(&each, given);
	if (rc != 0 || n == 0)
		return rc;
	e = resolve(executor);
	if (e == NULL)
		return ENOMEM;
	if (!m.given)
		m.jobs = malloc(n * sizeof(*m.jobs));
	if (m.jobs == NULL)
		return ENOMEM;
	pthread_cleanup_push(exited_many, &m);
	rc = submit_many(e, &each, args, n, m.given ? SOONI_REF : 0, m.jobs);
	pthread_cleanup_pop(0);
	for (i = 0; rc != 0 && m.given && i < n; i++)
		futures[i] = NULL;
	if (!m.given)
		free(m.jobs);
	return rc;
}
