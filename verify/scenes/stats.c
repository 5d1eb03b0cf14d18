/*
 * stats.c - figures that are read while what they count goes on: stats.c, count.h,
 * and a whole pool.
 */
#include "pools.h"

#include <soon/stats.h>

enum { LOOKS = 3 };

/* Looks now and then: no more is told than was submitted, and never less than
 * before, nor less than what has ended. */
static void *look(void *jobs)
{
	uint64_t most = (size_t)jobs;
	uint64_t told = 0;
	unsigned i;

	for (i = 0; i < LOOKS; i++) {
		soon_stats s = SOON_STATS_INIT;

		sched_check(soon_executor_stats(pool, &s) == 0);
		sched_check(told <= s.submitted && s.submitted <= most);
		sched_check(s.succeeded + s.failed + s.cancelled <=
			    s.submitted);
		sched_check(s.pending <= most && s.delayed <= most);
		told = s.submitted;
	}
	return NULL;
}

/* When all is done all of it is counted. */
static void end(unsigned jobs)
{
	soon_stats s = SOON_STATS_INIT;

	count_await(&finished, jobs);
	sched_check(soon_executor_shutdown(pool, 0, SOON_FOREVER) == 0);
	sched_check(soon_executor_stats(pool, &s) == 0);
	sched_check(s.submitted == jobs && s.succeeded == jobs);
	sched_check(s.pending == 0 && s.delayed == 0 && s.threads == 0);
	end_pool();
}

static void submit_delayed(void)
{
	soon_job job = { .size = sizeof(job), .fn = quick, .delay = 1 };

	use_shard();
	soon_future_unref(soon_submit_job(pool, &job));
}

static void becoming_due(void)
{
	open_pool(1, 1);
	submit_delayed();
	look((void *)1);
	end(1);
}

static void becoming_due_beside(void)
{
	unsigned a;

	open_pool(1, 1);
	submit_delayed();
	execute(quick);
	a = sched_spawn("A", look, (void *)2);
	look((void *)2);
	sched_join(a);
	end(2);
}

/* Who runs them may count them before who has submitted them does. */
static void *submit_two(void *arg)
{
	soon_job job = { .size = sizeof(job), .fn = quick };

	sched_check(soon_submit_many(pool, &job, NULL, 2, NULL) == 0);
	return quick(arg);
}

static void submitting_at_home(void)
{
	open_pool(2, 2);
	both(submit_two, quick);
	look((void *)4);
	end(4);
}

/* Its entry may be queued still, but leads to no job. */
static void *cancel(void *future)
{
	int rc = soon_future_cancel(future);
	soon_stats s = SOON_STATS_INIT;

	sched_check(rc == 0 || rc == EBUSY || rc == EALREADY);
	if (rc == 0) {
		sched_check(soon_executor_stats(pool, &s) == 0);
		sched_check(s.cancelled == 1 && s.pending == 0);
		count_up(&finished);
	}
	soon_future_unref(future);
	return NULL;
}

/* It is counted as the one or the other. */
static void cancelling(void)
{
	soon_stats s = SOON_STATS_INIT;
	unsigned a;

	open_pool(1, 1);
	a = sched_spawn("A", cancel, submit(quick));
	look((void *)1);
	sched_join(a);
	count_await(&finished, 1);
	sched_check(soon_executor_shutdown(pool, 0, SOON_FOREVER) == 0);
	sched_check(soon_executor_stats(pool, &s) == 0);
	sched_check(s.submitted == 1 && s.succeeded + s.cancelled == 1);
	sched_check(s.succeeded == ran && s.pending == 0);
	end_pool();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "stats: becoming due", becoming_due, 2, 1, 0, false },
		{ "stats: becoming due beside", becoming_due_beside, 2, 1, 0,
		  false },
		{ "stats: submitting at home", submitting_at_home, 2, 0, 0,
		  false },
		{ "stats: cancelling", cancelling, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
