/*
 * scenario_inside.c - jobs that wait, sleep, block and leave.
 */
#include "scenario.h"

#include <stdio.h>

static soon_executor *pool;
static soon_future *promise, *pair[2];
static struct gate ready;

static void *keep_promise(void *unused)
{
	soon_future_set_result(promise, unused);
	return NULL;
}

/* In every way that gives its place to another worker, which may not come. */
static void *give_way(void *unused)
{
	int rc = soon_execute(pool, keep_promise, unused);

	soon_blocking_begin();
	soon_blocking_end();
	if (rc != 0 && !refused(rc))
		return soon_fail(rc, NULL);
	rc = soon_sleep(10 * SOON_USEC);
	if (rc != 0)
		return soon_fail(rc, NULL);
	rc = soon_future_wait(promise, 2 * SOON_MSEC);
	return rc == 0 || rc == ETIMEDOUT ? NULL : soon_fail(rc, NULL);
}

const char *scenario_give_way(void)
{
	soon_future *f = NULL;

	pool = soon_executor_new(1);
	NEED_POOL(pool);
	promise = soon_future_new(NULL);
	if (promise != NULL)
		f = soon_submit(pool, give_way, NULL);
	if (f == NULL)
		EXPECT(refused(errno));
	else
		EXPECT(soon_future_result(f, SOON_FOREVER, NULL) == 0);
	soon_executor_free(pool);
	soon_future_unref(f);
	soon_future_unref(promise);
	return NULL;
}

static void *leave(void *unused)
{
	(void)unused;
	pthread_exit(NULL);
}

static void drop(void *future)
{
	soon_future_unref(future);
}

/* With what lies below it on the stack. */
static void *wait_for_leaver(void *unused)
{
	soon_future *f = soon_submit(pool, leave, unused);
	int rc;

	if (f == NULL)
		return refused(errno) ? NULL : soon_fail(errno, NULL);
	pthread_cleanup_push(drop, f);
	rc = soon_future_result(f, SOON_FOREVER, NULL);
	pthread_cleanup_pop(1);
	return rc == SOON_EEXITED ? NULL : soon_fail(EINVAL, NULL);
}

/* Nothing is left in the pool that would need another thread. */
const char *scenario_leave(void)
{
	soon_future *f;
	int rc;

	pool = soon_executor_new(1);
	NEED_POOL(pool);
	f = soon_submit(pool, wait_for_leaver, NULL);
	EXPECT(f != NULL || refused(errno));
	rc = f == NULL ? 0 : soon_future_result(f, SOON_FOREVER, NULL);
	EXPECT(rc == 0 || rc == SOON_EEXITED);
	soon_future_unref(f);
	soon_executor_free(pool);
	return NULL;
}

static void *wait_for_other(void *index)
{
	gate_pass(&ready);
	return box(soon_future_wait(pair[unbox(index)], SOON_FOREVER));
}

/* Two that wait for each other: one is told, whoever runs them. */
const char *scenario_cycle(void)
{
	void *result[2] = { NULL, NULL };

	gate_init(&ready);
	pool = soon_executor_new(2);
	NEED_POOL(pool);
	for (int i = 0; i < 2; i++) {
		pair[i] = soon_submit(pool, wait_for_other, box(1 - i));
		EXPECT(pair[i] != NULL || refused(errno));
	}
	gate_open(&ready);
	for (int i = 0; i < 2; i++)
		EXPECT(pair[i] == NULL ||
		       soon_future_result(pair[i], SOON_FOREVER, &result[i]) ==
			       0);
	if (pair[0] != NULL && pair[1] != NULL)
		EXPECT((unbox(result[0]) == EDEADLK) !=
		       (unbox(result[1]) == EDEADLK));
	unref_n(pair, 2);
	soon_executor_free(pool);
	gate_fini(&ready);
	return NULL;
}

/* The file is opened once, and kept. */
const char *scenario_dump(void)
{
	static FILE *out;
	soon_stats s = SOON_STATS_INIT;
	int rc, running;

	if (out == NULL)
		out = fopen("/dev/null", "w");
	EXPECT(out != NULL);
	gate_init(&ready);
	pool = soon_executor_new(2);
	NEED_POOL(pool);
	running = soon_execute(pool, gate_job, &ready);
	EXPECT(running == 0 || refused(running));
	if (running == 0)
		gate_await(&ready, 1);
	for (int i = 0; i < 3; i++) {
		rc = soon_executor_dump(pool, out);
		EXPECT(rc == 0 || refused(rc));
	}
	EXPECT(soon_executor_stats(pool, &s) == 0);
	EXPECT(s.running + s.blocked == (running == 0));
	gate_open(&ready);
	soon_executor_free(pool);
	gate_fini(&ready);
	return NULL;
}
