/*
 * pools.h - what scenes with a whole pool have in common: its beginning, its end,
 * and jobs that count themselves.
 */
#ifndef SCENES_POOLS_H
#define SCENES_POOLS_H

#include "count.h"
#include "pool.h"
#include "scene.h"
#include "thread.h"

#include <errno.h>
#include <soon/error.h>

static soon_executor *pool;
static soon_executor_options options; /* of the next pool */
static count begun;		      /* jobs that others wait for */
static unsigned ran;
static count finished;	  /* the same, to be waited for */
static unsigned accepted; /* submits that succeeded */

static inline void *quick(void *arg)
{
	ran++;
	count_up(&finished);
	return arg;
}

/* Says that it has begun. */
static inline void *begin(void *arg)
{
	count_up(&begun);
	return quick(arg);
}

/* Blocks without a word until another such job has begun. */
static inline void *meet(void *arg)
{
	count_up(&begun);
	count_await(&begun, 2);
	return quick(arg);
}

static inline void open_pool(unsigned workers, unsigned max_workers)
{
	soon_executor_options o = options;

	o.size = sizeof(o);
	o.workers = workers;
	o.max_workers = max_workers;
	if (o.idle_timeout == 0)
		o.idle_timeout = SOON_FOREVER;
	ran = 0;
	accepted = 0;
	atomic_init(&begun, 0);
	atomic_init(&finished, 0);
	pool = soon_executor_open(&o);
	options = (soon_executor_options){ .size = 0 };
	sched_check(pool != NULL);
}

/* When the last thread has gone nobody counts as anything. */
static inline void end_pool(void)
{
	sched_check(soon_executor_shutdown(pool, 0, SOON_FOREVER) == 0);
	sched_check((pool->park.word & UINT32_MAX) == 0);
	sched_check(pool->park.blocked == 0);
	sched_check(pool->alive == 0 && pool->waiting == 0);
	sched_check(pool->starting == 0 && pool->spinning == 0);
	soon_executor_free(pool);
}

/* Threads get shards in turn, which would differ from run to run. */
static inline void use_shard(void)
{
	sched_me()->shard = 1 + sched_self();
}

static inline void execute(soon_fn *fn)
{
	int rc;

	use_shard();
	rc = soon_execute(pool, fn, NULL);
	accepted += rc == 0;
	sched_check(rc == 0 || rc == EAGAIN || rc == ESHUTDOWN ||
		    rc == SOON_EBROKEN);
}

static inline soon_future *submit(soon_fn *fn)
{
	soon_future *f;

	use_shard();
	f = soon_submit(pool, fn, NULL);
	sched_check(f != NULL || errno == EAGAIN || errno == ESHUTDOWN ||
		    errno == SOON_EBROKEN);
	accepted += f != NULL;
	return f;
}

/* Submit and wait, so that a worker is idle now, or just before that. */
static inline void warm(void)
{
	soon_future *f = submit(quick);

	if (f != NULL)
		sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
	soon_future_unref(f);
}

/* The main of another thread that submits one job. */
static inline void *execute_job(void *job)
{
	execute(*(soon_fn **)job);
	return NULL;
}

/* Main and another thread submit one job each. */
static inline void both(soon_fn *one, soon_fn *other)
{
	unsigned a = sched_spawn("A", execute_job, &other);

	execute(one);
	sched_join(a);
}

/* All that was accepted runs before the end. */
static inline void end_all_ran(void)
{
	end_pool();
	sched_check(ran == accepted);
}

/* ... and does not need the end, which calls everybody. */
static inline void await_all_ran(void)
{
	count_await(&finished, accepted);
	end_all_ran();
}

#endif
