/*
 * bounded.c - what the tests of pools with max_pending share.
 */
#include "bounded.h"

#include <errno.h>

soon_executor *bounded_pool(size_t max_pending, enum soon_overflow when_full,
			    unsigned flags)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = o.max_workers = 1;
	o.idle_timeout = SOON_FOREVER;
	o.max_pending = max_pending;
	o.when_full = when_full;
	o.flags = flags;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

int submit_tally(soon_executor *e, int how, struct tally *t)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f = NULL;
	int rc = 0;

	job.fn = tally_job;
	job.arg = t;
	errno = 0;
	if (how == 0)
		f = soon_submit(e, tally_job, t);
	else if (how == 1)
		f = soon_submit_job(e, &job);
	else if (how == 2)
		rc = soon_execute(e, tally_job, t);
	else
		rc = soon_submit_many(e, &job, NULL, 1, NULL);
	if (how < 2 && f == NULL)
		rc = errno;
	soon_future_unref(f);
	return rc;
}

static void *submit_on_thread(void *arg)
{
	struct submitter *s = arg;
	int rc = submit_tally(s->pool, s->how, s->tally);

	atomic_store(&s->returned, true);
	return box(rc);
}

void submitter_start(struct submitter *s, soon_executor *e, int how,
		     struct tally *t)
{
	s->pool = e;
	s->how = how;
	s->tally = t;
	atomic_store(&s->returned, false);
	actor_start(&s->actor, submit_on_thread, s);
	actor_await_asleep(&s->actor);
}

long submitter_join(struct submitter *s)
{
	return unbox(actor_join(&s->actor));
}
