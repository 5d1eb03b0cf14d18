/*
 * api_fork_pools.c - how pools go on in a child of fork, and end there.
 */
#include "support/child.h"

#include <errno.h>
#include <stdlib.h>

static soon_executor *pool;
static struct gate gate;
static struct shared *shared;

static void setup(void)
{
	shared = shared_new();
	gate_init(&gate);
	pool = pool_of(2);
	pool_hold(pool, &gate, 2);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	shared_free(shared);
}

static void *count_c(void *arg)
{
	atomic_fetch_add(&shared->c, 1);
	return arg;
}

static const char *end_pool(void *unused)
{
	soon_future *f;

	(void)unused;
	CLAIM(pool_works(pool) == NULL);
	CLAIM(soon_executor_shutdown(pool, 0, 60 * SOON_SEC) == 0);
	f = soon_submit(pool, return_arg, NULL);
	CLAIM(f == NULL && errno == ESHUTDOWN);
	soon_executor_free(pool);
	return NULL;
}

static const char *free_unused_pool(void *unused)
{
	(void)unused;
	soon_executor_free(pool);
	return NULL;
}

START_TEST(pools_are_shut_down_and_freed_in_the_child)
{
	in_child(end_pool, NULL);
	in_child(free_unused_pool, NULL);
}
END_TEST

static const char *is_closed(void *f)
{
	CLAIM(soon_submit(pool, return_arg, NULL) == NULL);
	CLAIM(errno == ESHUTDOWN);
	CLAIM(soon_executor_shutdown(pool, 0, SOON_FOREVER) == 0);
	CLAIM(soon_future_error(f) == SOON_EFORKED);
	return NULL;
}

START_TEST(a_pool_that_is_shutting_down_is_closed_in_the_child)
{
	soon_future *f = submit(pool, return_arg, NULL);

	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	in_child(is_closed, f);
	soon_future_unref(f);
}
END_TEST

/* All so many threads that the pool may have stand at one gate. */
static const char *pool_grows(void *e)
{
	enum { MOST = 4 };
	struct gate inner;

	gate_init(&inner);
	pool_hold(e, &inner, MOST);
	gate_open(&inner);
	soon_executor_free(e);
	return NULL;
}

START_TEST(a_pool_grows_in_the_child_as_in_the_parent)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	/* The blocked jobs are found by the monitor, here and there. */
	o.workers = 1;
	o.max_workers = 4;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	pool_hold(e, &gate, 4);
	in_child(pool_grows, e);
	gate_open(&gate);
	soon_executor_free(e);
}
END_TEST

START_TEST(a_child_that_exits_does_not_wait_for_the_parents_jobs)
{
	soon_future *f = submit(NULL, gate_job, &gate);
	pid_t pid;

	gate_await(&gate, 3);
	pid = fork_child();
	if (pid == 0) {
		if (_i == 1 && pool_works(NULL) != NULL)
			_exit(1);
		if (_i == 2) /* what it queues is waited for */
			for (int i = 0; i < 100; i++)
				soon_execute(NULL, count_c, NULL);
		exit(ENDED_WELL);
	}
	ck_assert(child_ended(pid, ENDED_WELL));
	ck_assert_uint_eq(shared->c, _i == 2 ? 100 * CHILDREN_LIVE : 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork_pools");
	TCase *tc = tcase_create("fork_pools");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, pools_are_shut_down_and_freed_in_the_child);
	tcase_add_test(tc, a_pool_that_is_shutting_down_is_closed_in_the_child);
	tcase_add_test(tc, a_pool_grows_in_the_child_as_in_the_parent);
	tcase_add_loop_test(
		tc, a_child_that_exits_does_not_wait_for_the_parents_jobs, 0,
		3);
	suite_add_tcase(suite, tc);
	return test_run(suite);
}
