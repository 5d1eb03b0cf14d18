/*
 * delay.c - jobs that become due or expire while they are claimed or cancelled,
 * or their pool ends: delay.c, timer.c and a whole pool.
 */
#include "pools.h"

static unsigned timed; /* jobs that were accepted */
static unsigned freed_args;
static unsigned failed; /* jobs that have not run */

static void free_arg(void *arg)
{
	sched_check(arg == &freed_args);
	/* Their pool is there. */
	sched_check(pool->options.size > 0);
	freed_args++;
}

static soon_future *submit_timed(soon_nsec delay, soon_nsec start_within)
{
	soon_job job = { .size = sizeof(job),
			 .fn = quick,
			 .arg = &freed_args,
			 .free_arg = free_arg,
			 .delay = delay,
			 .start_within = start_within };
	soon_future *f;

	use_shard();
	f = soon_submit_job(pool, &job);
	sched_check(f != NULL || errno == ESHUTDOWN);
	accepted += f != NULL;
	timed += f != NULL;
	return f;
}

static void open_clock(void)
{
	timed = 0;
	freed_args = 0;
	failed = 0;
	open_pool(1, 1);
}

static void see(soon_future *f)
{
	int code = soon_future_error(f);

	sched_check(code == 0 || code == ECANCELED || code == ETIMEDOUT);
	failed += code != 0;
	soon_future_unref(f);
}

/* Each job has run or not, and its argument is freed once. */
static void end(void)
{
	end_pool();
	sched_check(freed_args == timed);
	sched_check(ran + failed == accepted);
}

static void *cancel_and_see(void *future)
{
	int rc = soon_future_cancel(future);

	sched_check(rc == 0 || rc == EBUSY || rc == EALREADY);
	sched_check(soon_future_wait(future, SOON_FOREVER) == 0);
	see(future);
	return NULL;
}

static void *wait_and_see(void *future)
{
	sched_check(soon_future_wait(future, SOON_FOREVER) == 0);
	see(future);
	return NULL;
}

/* A worker that is idle, or about to be, hears of it. */
static void becoming_due(void)
{
	open_clock();
	warm();
	wait_and_see(submit_timed(1, 0));
	sched_check(ran == 2);
	end();
}

static void cancelling(void)
{
	open_clock();
	cancel_and_see(submit_timed(1, 0));
	end();
}

/* While the pool waits for it. */
static void cancelling_beside(void)
{
	unsigned a;

	open_clock();
	a = sched_spawn("A", cancel_and_see, submit_timed(1, 0));
	soon_executor_shutdown(pool, 0, SOON_FOREVER);
	sched_join(a);
	end();
}

static void expiring(void)
{
	open_clock();
	wait_and_see(submit_timed(0, 1));
	end();
}

static void expiring_or_cancelled(void)
{
	open_clock();
	cancel_and_see(submit_timed(0, 1));
	end();
}

/* Shutting down takes it from the clock. */
static void shutting_down(void)
{
	soon_future *f;

	open_clock();
	f = submit_timed(1, 0);
	soon_executor_shutdown(pool, SOON_CANCEL_PENDING, SOON_FOREVER);
	see(f);
	end();
}

static void *submit_and_see(void *unused)
{
	soon_future *f = submit_timed(1, 0);

	if (f != NULL)
		wait_and_see(f);
	return unused;
}

/* A submit is refused, or the end waits for its job. */
static void closing(void)
{
	unsigned ran_by_then;
	unsigned a;

	open_clock();
	a = sched_spawn("A", submit_and_see, NULL);
	soon_executor_shutdown(pool, 0, SOON_FOREVER);
	ran_by_then = ran;
	sched_join(a);
	sched_check(accepted == ran_by_then);
	end();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "delay: becoming due", becoming_due, 1, 1, 0, false },
		{ "delay: cancelling", cancelling, 2, 1, 0, false },
		{ "delay: cancelling beside", cancelling_beside, 1, 1, 0,
		  false },
		{ "delay: expiring", expiring, 2, 1, 0, false },
		{ "delay: expiring or cancelled", expiring_or_cancelled, 2, 1,
		  0, false },
		{ "delay: shutting down", shutting_down, 1, 1, 0, false },
		{ "delay: closing", closing, 1, 1, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
