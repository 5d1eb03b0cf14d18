/*
 * await.c - waiting for one future; and sleeping, which is waiting for the
 * request to stop.
 */
#include "job.h"
#include "run.h"
#include "thread.h"

#include <errno.h>

static bool may_help(const struct soon_future *f)
{
	return sooni_is_marked(f, SOONI_HELPED) && sooni_may_nest();
}

bool sooni_run_awaited(struct soon_future *f)
{
	uint32_t claimable = SOONI_QUEUED | SOONI_RUNNING | SOONI_DONE;

	/* Also false of what is composed, and waits for something else. */
	if (f->fn == NULL || (sooni_state(f) & claimable) != SOONI_QUEUED ||
	    sooni_is_marked(f, SOONI_EARLY))
		return false;
	/* What may be written off has a stack of its own. */
	if (sooni_me.limit != NULL || sooni_is_marked(f, SOONI_LIMITED))
		return false;
	if (sooni_me.worker != NULL) {
		if (!sooni_me.hooks->claim(sooni_me.worker, f))
			return false;
		sooni_job_run(f);
		return true;
	}
	if (!may_help(f) || !sooni_future_claim(f, false, true))
		return false;
	sooni_count(&f->home->counts, SOONI_CLAIMED);
	sooni_count(&f->home->counts, SOONI_STALE);
	sooni_guest_run(f);
	return true;
}

static sooni_noinline int sleep_until_done(struct soon_future *f,
					   struct sooni_awaited *a,
					   int64_t deadline)
{
	struct sooni_awaited one = { .need = SOONI_NEED_ALL,
				     .timed = deadline != SOON_FOREVER,
				     .futures = &f,
				     .n = 1 };

	if (sooni_spin(&f->state, SOONI_DONE, 0))
		return 0;
	return sooni_wait_for(a != NULL ? a : &one, &f->state, SOONI_DONE, 0,
			      deadline);
}

int sooni_await_refuse(struct soon_future *f)
{
	struct sooni_awaited a = { .need = SOONI_NEED_ALL,
				   .futures = &f,
				   .n = 1 };
	int rc = sooni_await_begin(&a);

	/* It always refuses: what the caller runs waits for the caller. */
	if (rc == 0)		   /* LCOV_EXCL_BR_LINE */
		sooni_await_end(); /* LCOV_EXCL_LINE */
	return EDEADLK;
}

int sooni_await_one_of(struct sooni_awaited *a, struct soon_future *f,
		       int64_t deadline)
{
	uint32_t s = sooni_state(f);

	if (s & SOONI_DONE)
		return 0;
	if (deadline == 0)
		return ETIMEDOUT;
	if (deadline == SOON_FOREVER) {
		if (s & SOONI_RUNNING && sooni_runs_here(f))
			return sooni_await_refuse(f);
		if (sooni_run_awaited(f))
			return 0;
	}
	return sleep_until_done(f, a, deadline);
}

int sooni_await(struct soon_future *f, int64_t deadline)
{
	return sooni_await_one_of(NULL, f, deadline);
}

/* The moment at which a wait ends; most never do. */
static int64_t deadline_of(soon_nsec timeout)
{
	return timeout == SOON_FOREVER ? SOON_FOREVER : sooni_deadline(timeout);
}

int soon_future_wait(soon_future *f, soon_nsec timeout)
{
	if (f == NULL)
		return EINVAL;
	return sooni_state(f) & SOONI_DONE
		       ? 0
		       : sooni_await(f, deadline_of(timeout));
}

int soon_future_result(soon_future *f, soon_nsec timeout, void **result)
{
	int rc;

	if (result != NULL)
		*result = NULL;
	rc = soon_future_wait(f, timeout);
	if (rc == 0)
		rc = sooni_error(f);
	if (rc == 0 && result != NULL)
		*result = f->result;
	return rc;
}

int soon_sleep(soon_nsec duration)
{
	static _Atomic uint32_t nobody; /* asks a thread without a job */
	struct sooni_awaited a = { .need = SOONI_NEED_TIME, .timed = true };
	int64_t deadline = sooni_deadline(duration);
	struct soon_future *job = soon_self();
	int rc;

	if (job != NULL) {
		sooni_context_show();
		if (sooni_is_asked(job))
			return ECANCELED;
	}
	if (deadline == 0)
		return 0;
	rc = sooni_wait_for(&a, job != NULL ? &job->state : &nobody,
			    SOONI_ASKED, 0, deadline);
	return rc == 0 ? ECANCELED : 0;
}
