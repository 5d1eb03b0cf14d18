/*
 * api_fork_broken.c - destructors of a broken pool's jobs fork, whoever calls them.
 */
#include "support/forker.h"

#include <errno.h>
#include <pthread.h>

/* A pool of two: the second thread's worker_init fails at this gate. */
static struct gate at_init, in_callback;
static atomic_uint inits;
static soon_executor *broken;

static int fail_second(void *unused)
{
	(void)unused;
	if (atomic_fetch_add(&inits, 1) == 0)
		return 0;
	gate_pass(&at_init);
	return 1;
}

static void stand_in_callback(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	gate_pass(&in_callback);
}

static void setup(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	forker_setup();
	gate_init(&at_init);
	gate_init(&in_callback);
	atomic_store(&inits, 0);
	o.workers = 2;
	o.max_workers = 2;
	o.worker_init = fail_second;
	broken = soon_executor_open(&o);
	ck_assert_ptr_nonnull(broken);
}

static void teardown(void)
{
	gate_fini(&at_init);
	gate_fini(&in_callback);
	forker_teardown();
}

/* A pool that is full; another of its own, whose job stands at the gate. */
static soon_executor *full;
static struct gate in_full;

static void fill(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	gate_init(&in_full);
	o.workers = 1;
	o.max_workers = 1;
	o.max_pending = 1;
	full = soon_executor_open(&o);
	ck_assert_ptr_nonnull(full);
	pool_hold(full, &in_full, 1);
	ck_assert_int_eq(soon_execute(full, return_null, NULL), 0);
}

static void *wait_for_room(void *unused)
{
	gate_pass(&gate);
	soon_execute(full, return_null, unused);
	return NULL;
}

static void *leave(void *unused)
{
	gate_pass(&gate);
	pthread_exit(unused);
}

static void *block(void *unused)
{
	gate_pass(&gate);
	soon_blocking_begin();
	soon_blocking_end();
	return unused;
}

/* Who breaks the pool stands in a callback; the job before that meets the one with
 * the destructor as it waits in a full pool, blocks, or leaves. */
START_TEST(a_job_that_meets_one_that_failed_may_fork_by_its_destructor)
{
	static soon_fn *const ways[] = { wait_for_room, block, leave };
	soon_job job = SOON_JOB_INIT, next = SOON_JOB_INIT;
	soon_future *running, *first, *second;

	fill();
	choose(_i % 2);
	job.fn = ways[_i / 4];
	job.run_within = _i / 2 % 2 == 0 ? 0 : 3600 * SOON_SEC;
	running = submit_job(broken, &job);
	gate_await(&gate, 1);
	first = submit(broken, return_null, NULL);
	next.fn = return_null;
	next.free_arg = fork_destructor;
	second = submit_job(broken, &next);
	ck_assert_int_eq(soon_future_on_done(first, stand_in_callback, NULL),
			 0);
	gate_open(&at_init);
	gate_await(&in_callback, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(second, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	child_ended_with_its_thread();
	gate_open(&in_callback);
	gate_open(&in_full);
	ck_assert_int_eq(soon_future_result(running, SOON_FOREVER, NULL),
			 _i / 4 == 2 ? SOON_EEXITED : 0);
	soon_executor_free(broken);
	soon_executor_free(full);
	soon_future_unref(running);
	soon_future_unref(first);
	soon_future_unref(second);
	gate_fini(&in_full);
}
END_TEST

/* The delayed are the first to fail. */
START_TEST(the_end_of_a_delayed_job_may_fork)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	choose(_i);
	job.fn = return_null;
	job.delay = 3600 * SOON_SEC;
	job.free_arg = fork_destructor;
	f = submit_job(broken, &job);
	pool_hold(broken, &gate, 1);
	ck_assert_int_eq(soon_execute(broken, return_null, NULL), 0);
	gate_open(&at_init);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	child_ended_with_its_thread();
	gate_open(&gate);
	soon_future_unref(f);
	soon_executor_free(broken);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork_broken");
	TCase *tc = tcase_create("fork_broken");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(
		tc, a_job_that_meets_one_that_failed_may_fork_by_its_destructor,
		0, 12);
	tcase_add_loop_test(tc, the_end_of_a_delayed_job_may_fork, 0, 2);
	suite_add_tcase(suite, tc);
	return test_run(suite);
}
