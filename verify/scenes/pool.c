/*
 * pool.c - a whole pool, from submit to free, and how jobs find workers there:
 * pool.c, crew.c, worker.c, idle.c, executor.c, submit.c and all below them.
 */
#include "pools.h"

#include <soon/wait.h>

/* Submitting */

static void submitting(void)
{
	open_pool(1, 1);
	both(quick, quick);
	await_all_ran();
}

static void *submit_and_get(void *unused)
{
	soon_future *f = submit(begin);
	void *result = &result;

	(void)unused;
	sched_check(soon_future_result(f, SOON_FOREVER, &result) == 0);
	sched_check(result == NULL);
	soon_future_unref(f);
	return NULL;
}

static void getting(void)
{
	unsigned a;

	open_pool(2, 2);
	a = sched_spawn("A", submit_and_get, NULL);
	submit_and_get(NULL);
	sched_join(a);
	sched_check(ran == 2);
	await_all_ran();
}

/* Both must have a thread although neither job says that it blocks. */
static void meeting(void)
{
	open_pool(2, 2);
	both(meet, meet);
	await_all_ran();
}

static void meeting_again(void)
{
	open_pool(2, 2);
	warm();
	both(meet, meet);
	await_all_ran();
}

/* The first job is another job's: its worker pushes both, and runs one. */
static void *meet_at_home(void *arg)
{
	execute(meet);
	execute(meet);
	return quick(arg);
}

static void meeting_at_home(void)
{
	open_pool(2, 2);
	execute(meet_at_home);
	count_await(&begun, 2);
	await_all_ran();
}

/* One after the other, by a program that waits for each: one thread is enough
 * whatever else there could be. */
static void reusing(void)
{
	open_pool(2, 2);
	warm();
	warm();
	warm();
	sched_check(sooni_park_count(&pool->park) == 1);
	await_all_ran();
}

/* The same by one who is told, and does not sleep on the future itself. */
static void warm_by_watch(void)
{
	soon_future *f = submit(quick);
	size_t i;

	sched_check(soon_wait_any(&f, 1, SOON_FOREVER, &i) == 0);
	soon_future_unref(f);
}

static void reusing_when_told(void)
{
	open_pool(2, 2);
	warm_by_watch();
	warm_by_watch();
	sched_check(sooni_park_count(&pool->park) == 1);
	await_all_ran();
}

/* The user's code beside jobs */

static count released; /* a job that waits for this */

static void *quick_when_released(void *arg)
{
	count_await(&released, 1);
	return quick(arg);
}

static void await_begun(void *unused)
{
	(void)unused;
	count_await(&begun, 1);
}

static void call_back(soon_future *f, void *ctx)
{
	(void)f;
	await_begun(ctx);
}

/* What follows on a result does not wait for a callback. */
static void calling_back(void)
{
	soon_future *f;

	atomic_init(&released, 0);
	open_pool(2, 2);
	f = submit(quick_when_released);
	sched_check(soon_future_on_done(f, call_back, NULL) == 0);
	count_up(&released);
	sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
	execute(begin);
	soon_future_unref(f);
	await_all_ran();
}

/* ... nor for a destructor. */
static void destroying(void)
{
	soon_job job = { .size = sizeof(job),
			 .fn = quick_when_released,
			 .arg = &ran,
			 .free_result = await_begun };

	atomic_init(&released, 0);
	open_pool(2, 2);
	use_shard();
	soon_future_unref(soon_submit_job(pool, &job));
	accepted++;
	count_up(&released);
	execute(begin);
	await_all_ran();
}

/* Both first workers must get that far at the same time. */
static int meet_other(void *unused)
{
	(void)unused;
	count_up(&begun);
	count_await(&begun, 2);
	return 0;
}

static void starting(void)
{
	options.worker_init = meet_other;
	open_pool(2, 2);
	both(quick, quick);
	await_all_ran();
}

/* Jobs that block */

/* Until another job has begun. */
static void *block(void *arg)
{
	soon_blocking_begin();
	count_await(&begun, 1);
	soon_blocking_end();
	return quick(arg);
}

static void blocking(void)
{
	open_pool(1, 2);
	both(block, begin);
	await_all_ran();
}

/* A job that does not say that it no longer blocks. */
static void *block_for_ever(void *arg)
{
	soon_blocking_begin();
	soon_blocking_begin();
	count_await(&begun, 1);
	return quick(arg);
}

static void blocking_for_ever(void)
{
	open_pool(1, 2);
	both(block_for_ever, begin);
	warm();
	await_all_ran();
}

/* Of a job's; says that it was accepted. */
static soon_future *submit_child(void)
{
	soon_future *f = submit(quick);

	sched_check(f != NULL);
	count_up(&begun);
	return f;
}

/* Waits for a job in a way that does not run it here. */
static void *submit_and_wait(void *arg)
{
	soon_future *f = submit_child();
	size_t i;

	sched_check(soon_wait_any(&f, 1, SOON_FOREVER, &i) == 0);
	soon_future_unref(f);
	return quick(arg);
}

/* Runs it here if nobody else does. */
static void *submit_and_run(void *arg)
{
	soon_future *f = submit_child();

	sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
	soon_future_unref(f);
	return quick(arg);
}

/* Waits inside a block, and so no longer counts against max_workers. */
static void *block_and_wait(void *arg)
{
	soon_future *f = submit_child();
	size_t i;

	soon_blocking_begin();
	sched_check(soon_wait_any(&f, 1, SOON_FOREVER, &i) == 0);
	soon_blocking_end();
	soon_future_unref(f);
	return quick(arg);
}

/* In a pool of so many; the end does not come before the children are there. */
static void nest(unsigned workers, soon_fn *one, soon_fn *other,
		 unsigned children)
{
	open_pool(workers, workers);
	both(one, other);
	count_await(&begun, children);
	await_all_ran();
}

static void nesting(void)
{
	nest(1, submit_and_wait, quick, 1);
}

/* More threads than max_workers, for a while. */
static void nesting_twice(void)
{
	nest(1, submit_and_wait, submit_and_wait, 2);
}

/* Twice, so that a thread that is one too many leaves in between. */
static void *submit_and_wait_twice(void *arg)
{
	submit_and_wait(NULL);
	count_await(&released, 1);
	submit_and_wait(NULL);
	accepted++; /* it counts twice itself */
	return arg;
}

static void nesting_again(void)
{
	atomic_init(&released, 0);
	open_pool(1, 1);
	execute(submit_and_wait_twice);
	count_await(&begun, 1);
	count_up(&released);
	count_await(&begun, 2);
	await_all_ran();
}

static void running_awaited(void)
{
	nest(2, submit_and_run, submit_and_run, 2);
}

/* Another thread cancels the job that this one waits for. */
static soon_future *_Atomic child;

static void *submit_and_wait_shared(void *arg)
{
	soon_future *f = submit(quick);

	sched_check(f != NULL);
	atomic_store_explicit(&child, soon_future_ref(f), memory_order_release);
	count_up(&begun);
	sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
	soon_future_unref(f);
	return quick(arg);
}

static void cancelling_the_awaited(void)
{
	soon_future *f;

	open_pool(1, 1);
	execute(submit_and_wait_shared);
	count_await(&begun, 1);
	f = atomic_load_explicit(&child, memory_order_acquire);
	accepted -= soon_future_cancel(f) == 0;
	soon_future_unref(f);
	await_all_ran();
}

static void blocking_and_waiting(void)
{
	nest(1, block_and_wait, quick, 1);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "pool: submitting", submitting, 2, 0, 0, false },
		{ "pool: getting", getting, 1, 0, 0, false },
		{ "pool: meeting", meeting, 1, 0, 0, false },
		{ "pool: meeting again", meeting_again, 1, 0, 0, false },
		{ "pool: meeting at home", meeting_at_home, 2, 0, 0, false },
		{ "pool: reusing", reusing, 2, 0, 0, false },
		{ "pool: reusing when told", reusing_when_told, 2, 0, 0,
		  false },
		{ "pool: calling back", calling_back, 1, 0, 0, false },
		{ "pool: destroying", destroying, 1, 0, 0, false },
		{ "pool: starting", starting, 1, 0, 0, false },
		{ "pool: blocking", blocking, 1, 0, 0, false },
		{ "pool: blocking for ever", blocking_for_ever, 1, 0, 0,
		  false },
		{ "pool: nesting", nesting, 1, 0, 0, false },
		{ "pool: nesting twice", nesting_twice, 1, 0, 0, false },
		{ "pool: nesting again", nesting_again, 2, 0, 0, false },
		{ "pool: running the awaited", running_awaited, 1, 0, 0,
		  false },
		{ "pool: cancelling the awaited", cancelling_the_awaited, 2, 0,
		  0, false },
		{ "pool: blocking and waiting", blocking_and_waiting, 1, 0, 0,
		  false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
