/*
 * end.c - the ends of a pool's threads and of the pool, and what a submit finds
 * then: idle.c, crew.c, pool.c, executor.c and all below them.
 */
#include "pools.h"

#include <soon/wait.h>

static unsigned inits;	     /* of workers */
static unsigned called_back; /* for futures that were cancelled */

/* Idle threads end, at a bad moment. */
static void retiring(void)
{
	options.idle_timeout = 1;
	open_pool(2, 2);
	warm();
	both(meet, meet);
	await_all_ran();
}

static void not_starting(void)
{
	open_pool(2, 2);
	both(quick, quick);
	await_all_ran();
}

static count released; /* a job that waits for this */

static void *quick_when_released(void *arg)
{
	count_await(&released, 1);
	return quick(arg);
}

/* Beside a worker that is just going idle. */
static void one_not_starting(void)
{
	atomic_init(&released, 0);
	open_pool(2, 2);
	execute(quick_when_released);
	count_up(&released);
	both(quick, quick);
	await_all_ran();
}

static void retiring_and_not_starting(void)
{
	options.idle_timeout = 1;
	open_pool(2, 2);
	warm();
	both(quick, quick);
	await_all_ran();
}

static void *execute_quick(void *unused)
{
	execute(quick);
	return unused;
}

/* A submit is refused, or accepted and its job run before the end. */
static void closing(void)
{
	unsigned ran_by_then;
	unsigned a;

	open_pool(1, 1);
	a = sched_spawn("A", execute_quick, NULL);
	soon_executor_shutdown(pool, 0, SOON_FOREVER);
	ran_by_then = ran;
	sched_join(a);
	sched_check(accepted == ran_by_then);
	end_all_ran();
}

/* The same with an idle worker, which may just be leaving. */
static void closing_idle(void)
{
	unsigned a;

	options.idle_timeout = 1;
	open_pool(1, 1);
	warm();
	a = sched_spawn("A", execute_quick, NULL);
	soon_executor_shutdown(pool, 0, SOON_FOREVER);
	sched_join(a);
	end_all_ran();
}

/* Submits a job, which may be refused, and waits as one that runs it not. */
static void *submit_and_wait(void *arg)
{
	soon_future *f = submit(quick);
	size_t i;

	if (f != NULL) {
		sched_check(soon_wait_any(&f, 1, SOON_FOREVER, &i) == 0);
		accepted -= soon_future_error(f) != 0;
	}
	soon_future_unref(f);
	return quick(arg);
}

/* While more threads are there than may be. */
static void closing_nested(void)
{
	open_pool(1, 1);
	execute(submit_and_wait);
	end_all_ran();
}

/* The second is still queued when the first is done. */
static void *submit_two_and_wait_for_one(void *arg)
{
	soon_future *f = submit(quick);
	size_t i;

	execute(quick);
	count_up(&begun);
	sched_check(soon_wait_any(&f, 1, SOON_FOREVER, &i) == 0);
	soon_future_unref(f);
	return quick(arg);
}

static void closing_with_surplus(void)
{
	open_pool(1, 1);
	execute(submit_two_and_wait_for_one);
	count_await(&begun, 1);
	end_all_ran();
}

/* As the monitor does. */
static void *call_if_work(void *unused)
{
	if (sooni_pool_has_work(pool))
		sooni_pool_call(pool, SOONI_ANYBODY);
	return unused;
}

/* When shutdown has returned no thread starts any more. */
static void closing_under_watch(void)
{
	unsigned a;

	open_pool(2, 2);
	execute(quick);
	a = sched_spawn("A", call_if_work, NULL);
	sched_check(soon_executor_shutdown(pool, 0, SOON_FOREVER) == 0);
	sched_join(a);
	sched_check(!pool->has_last_ended && pool->threads < 2);
	end_all_ran();
}

static void *shut_down(void *unused)
{
	sched_check(soon_executor_shutdown(pool, 0, SOON_FOREVER) == 0);
	return unused;
}

static void closing_twice(void)
{
	unsigned a;

	open_pool(1, 1);
	execute(quick);
	a = sched_spawn("A", shut_down, NULL);
	shut_down(NULL);
	sched_check(ran == 1);
	sched_join(a);
	end_all_ran();
}

static void *wait_and_unref(void *future)
{
	sched_check(soon_future_wait(future, SOON_FOREVER) == 0);
	accepted -= soon_future_error(future) == ECANCELED;
	soon_future_unref(future);
	return NULL;
}

/* Its job is run by a worker or by the waiting thread, or cancelled. */
static void cancelling(void)
{
	soon_future *f;
	unsigned a;

	options.flags = SOON_HELP;
	open_pool(1, 1);
	f = submit(quick);
	a = sched_spawn("A", wait_and_unref, f);
	soon_executor_shutdown(pool, SOON_CANCEL_PENDING, SOON_FOREVER);
	end_pool();
	sched_join(a);
	sched_check(ran == accepted);
}

static void call_back(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	/* The pool does not end before. */
	sched_check(pool->options.size > 0);
	called_back++;
}

static void *cancel(void *future)
{
	int rc = soon_future_cancel(future);

	sched_check(rc == 0 || rc == EBUSY || rc == EALREADY);
	accepted -= rc == 0;
	soon_future_unref(future);
	return NULL;
}

/* The pool's end waits for callbacks on the thread that cancelled. */
static void cancelling_from_outside(void)
{
	soon_future *f;
	unsigned a;

	called_back = 0;
	open_pool(1, 1);
	f = submit(quick);
	sched_check(soon_future_on_done(f, call_back, NULL) == 0);
	a = sched_spawn("A", cancel, f);
	end_pool();
	sched_check(called_back == 1);
	sched_join(a);
	sched_check(ran == accepted);
}

static void *shut_down_and_cancel(void *unused)
{
	sched_check(soon_executor_shutdown(pool, SOON_CANCEL_PENDING,
					   SOON_FOREVER) == 0);
	return unused;
}

/* ... also if that is another shutdown. */
static void cancelling_beside(void)
{
	soon_future *f;
	unsigned a;

	called_back = 0;
	open_pool(1, 1);
	f = submit(quick);
	sched_check(soon_future_on_done(f, call_back, NULL) == 0);
	a = sched_spawn("A", shut_down_and_cancel, NULL);
	shut_down(NULL);
	sched_check(called_back == 1);
	accepted -= soon_future_error(f) == ECANCELED;
	soon_future_unref(f);
	sched_join(a);
	end_all_ran();
}

/* Ends only when it is asked to. */
static void *sleep_for_ever(void *arg)
{
	sched_check(soon_sleep(SOON_FOREVER) == ECANCELED);
	return quick(arg);
}

static void stopping(void)
{
	unsigned both_flags = SOON_CANCEL_PENDING | SOON_CANCEL_RUNNING;

	open_pool(1, 1);
	execute(sleep_for_ever);
	sched_check(soon_executor_shutdown(pool, both_flags, SOON_FOREVER) ==
		    0);
	sched_check(ran <= 1);
	end_pool();
}

static int second_init_fails(void *unused)
{
	(void)unused;
	return ++inits == 2;
}

/* Jobs that were accepted run or fail; nobody waits for ever. */
static void breaking(void)
{
	unsigned a;

	inits = 0;
	options.worker_init = second_init_fails;
	open_pool(2, 2);
	a = sched_spawn("A", execute_quick, NULL);
	execute(submit_and_wait);
	sched_join(a);
	end_pool();
	sched_check(ran <= accepted);
}

static int first_init_fails(void *unused)
{
	(void)unused;
	return 1;
}

static void *submit_and_fail(void *unused)
{
	soon_future *f = submit(quick);

	if (f != NULL) {
		sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
		sched_check(soon_future_error(f) == SOON_EBROKEN);
	}
	soon_future_unref(f);
	return unused;
}

static void broken(void)
{
	unsigned a;

	options.worker_init = first_init_fails;
	open_pool(2, 2);
	a = sched_spawn("A", submit_and_fail, NULL);
	submit_and_fail(NULL);
	sched_join(a);
	sched_check(ran == 0);
	end_pool();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "end: retiring", retiring, 1, 2, 0, false },
		{ "end: not starting", not_starting, 1, 0, 2, false },
		{ "end: one not starting", one_not_starting, 2, 0, 1, false },
		{ "end: retiring and not starting", retiring_and_not_starting,
		  1, 2, 1, false },
		{ "end: closing", closing, 2, 0, 0, false },
		{ "end: closing an idle one", closing_idle, 1, 1, 0, false },
		{ "end: closing a nested one", closing_nested, 2, 0, 0, false },
		{ "end: closing with a surplus", closing_with_surplus, 2, 0, 0,
		  false },
		{ "end: closing under watch", closing_under_watch, 2, 0, 0,
		  false },
		{ "end: closing twice", closing_twice, 1, 0, 0, false },
		{ "end: cancelling", cancelling, 1, 0, 0, false },
		{ "end: cancelling from outside", cancelling_from_outside, 2, 0,
		  0, false },
		{ "end: cancelling beside", cancelling_beside, 2, 0, 0, false },
		{ "end: stopping", stopping, 2, 0, 0, false },
		{ "end: breaking", breaking, 1, 0, 0, false },
		{ "end: broken", broken, 1, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
