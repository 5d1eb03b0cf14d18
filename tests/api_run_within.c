/*
 * api_run_within.c - jobs that may run only so long, and what becomes of those
 * that do not return in time.
 */
#include "support/limited.h"

#include <errno.h>
#include <string.h>

static soon_future *promise;
static struct tally args, results;
static unsigned jobs, freed; /* how often args and results are freed */

static void setup(void)
{
	limited_setup();
	promise = soon_future_new(NULL);
	ck_assert_ptr_nonnull(promise);
	tally_init(&args);
	tally_init(&results);
	jobs = 0;
	freed = 0;
}

/* Let the stuck jobs go. */
static void release(void)
{
	gate_open(&gate);
	soon_future_set_result(promise, NULL);
	tally_await(&args, jobs);
	tally_await(&results, freed);
	ck_assert_uint_eq(tally_get(&args), jobs);
	ck_assert_uint_eq(tally_get(&results), freed);
}

static void teardown(void)
{
	release();
	limited_teardown();
	soon_future_unref(promise);
	tally_fini(&results);
	tally_fini(&args);
}

static void count_arg(void *arg)
{
	(void)arg;
	tally_add(&args, 1);
}

static void count_result(void *result)
{
	(void)result;
	tally_add(&results, 1);
}

static soon_job limited(soon_fn *fn, soon_nsec within)
{
	soon_job job = SOON_JOB_INIT;

	job.fn = fn;
	job.arg = &gate;
	job.run_within = within;
	job.free_arg = count_arg;
	job.free_result = count_result;
	jobs++;
	return job;
}

/* A job that will not return before release(), and then with a result. */
static soon_future *submit_stuck(soon_fn *fn)
{
	soon_job job = limited(fn, SHORT);

	freed++;
	return submit_job(pool, &job);
}

static void expect_expired(soon_future *f)
{
	void *result = &gate;

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_result(f, 0, &result), ETIMEDOUT);
	ck_assert_ptr_null(result);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert(soon_future_cancel_requested(f));
	ck_assert_int_eq(soon_future_cancel(f), EALREADY);
	ck_assert_ptr_null(soon_future_take(f));
	ck_assert_uint_gt(strlen(soon_future_message(f)), 0);
}

/* The pool runs as many jobs as it has workers, though some are stuck. */
static void expect_works(unsigned n)
{
	struct gate here;

	gate_init(&here);
	pool_hold(pool, &here, n);
	gate_open(&here);
	for (int i = 0; i < 100; i++) {
		soon_future *f = submit(pool, return_arg, box(i));
		void *result = NULL;

		ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result),
				 0);
		ck_assert_int_eq(unbox(result), i);
		soon_future_unref(f);
	}
	/* The gate lies on this stack: nobody may be at it any more. */
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	gate_fini(&here);
}

/* In time */

START_TEST(a_job_that_returns_in_time_is_like_any_other)
{
	soon_job job = limited(return_arg, _i == 0 ? LONG : SOON_FOREVER);
	soon_future *f = submit_job(pool, &job);
	void *result = NULL;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &gate);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert(!soon_future_cancel_requested(f));
	ck_assert_uint_eq(tally_get(&args), 1);
	ck_assert_uint_eq(tally_get(&results), 0);
	soon_future_unref(f);
	soon_executor_free(pool);
	pool = NULL;
	freed++;
}
END_TEST

START_TEST(a_result_that_came_in_time_may_be_taken)
{
	soon_job job = limited(return_arg, LONG);
	soon_future *f = submit_job(pool, &job);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_ptr_eq(soon_future_take(f), &gate);
	soon_future_unref(f);
}
END_TEST

static void *fail_with_message(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "on purpose");
}

START_TEST(a_job_that_fails_in_time_keeps_its_own_code)
{
	soon_job job = limited(fail_with_message, LONG);
	soon_future *f = submit_job(pool, &job);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), EIO);
	ck_assert_str_eq(soon_future_message(f), "on purpose");
	ck_assert_uint_eq(tally_get(&args), 1);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_job_that_waits_to_start_has_all_its_time_left)
{
	soon_job job = limited(return_arg, LONG);
	soon_future *cancelled, *f;

	pool_hold(pool, &gate, 1);
	cancelled = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_cancel(cancelled), 0);
	ck_assert_int_eq(soon_future_state(cancelled), SOON_CANCELLED);
	ck_assert_uint_eq(tally_get(&args), 1);
	job.run_within = 1;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_wait(f, SHORT), ETIMEDOUT);
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	soon_future_unref(f);
	soon_future_unref(cancelled);
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
	jobs = 2;
	ck_assert_uint_eq(tally_get(&args), jobs);
}
END_TEST

/* Stuck */

/* Each returns after release(), with a result. */

static void *pass_gate(void *g)
{
	gate_pass(g);
	fixture_expect(soon_cancel_requested());
	return g;
}

static void *sleep_then_pass(void *g)
{
	fixture_expect(soon_sleep(SOON_FOREVER) == ECANCELED);
	return pass_gate(g);
}

static void *pass_as_blocking(void *g)
{
	soon_blocking_begin();
	gate_pass(g);
	soon_blocking_end();
	soon_blocking_begin();
	fixture_expect(soon_sleep(SOON_FOREVER) == ECANCELED);
	return g;
}

static void *wait_for_promise(void *g)
{
	fixture_expect(soon_future_wait(promise, SOON_FOREVER) == 0);
	return pass_gate(g);
}

static void *wait_as_blocking(void *g)
{
	soon_blocking_begin();
	return wait_for_promise(g);
}

static void *wait_for_one_of_two(void *g)
{
	soon_future *two[] = { soon_self(), promise };
	size_t index = 0;

	fixture_expect(soon_wait_any(two, 2, LONG, &index) == 0);
	return pass_gate(g);
}

static soon_fn *const ways[] = { pass_gate,	   sleep_then_pass,
				 pass_as_blocking, wait_for_promise,
				 wait_as_blocking, wait_for_one_of_two };

START_TEST(whatever_a_job_hangs_in_it_fails_and_the_pool_goes_on)
{
	soon_future *f = submit_stuck(ways[_i]);

	expect_expired(f);
	ck_assert_uint_eq(tally_get(&args), 0);
	expect_works(1);
	ck_assert_uint_eq(tally_get(&args), 0);
	release();
	soon_future_unref(f);
}
END_TEST

START_TEST(a_pool_survives_any_number_of_stuck_jobs)
{
	soon_future *f[3 * COUNT_OF(ways)];
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = o.max_workers = 2;
	fixture_use(&o);
	for (size_t i = 0; i < COUNT_OF(f); i++)
		f[i] = submit_stuck(ways[i % COUNT_OF(ways)]);
	for (size_t i = 0; i < COUNT_OF(f); i++) {
		expect_expired(f[i]);
		soon_future_unref(f[i]);
	}
	expect_works(2);
}
END_TEST

static void *submit_then_pass(void *g)
{
	for (int i = 0; i < 50; i++)
		fixture_expect(soon_execute(pool, tally_job, &limited_told) ==
			       0);
	return pass_gate(g);
}

START_TEST(what_is_queued_behind_a_stuck_job_runs)
{
	soon_future *f = submit_stuck(submit_then_pass);

	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(soon_execute(pool, tally_job, &limited_told),
				 0);
	tally_await(&limited_told, 100);
	expect_expired(f);
	soon_future_unref(f);
}
END_TEST

START_TEST(fire_and_forget_has_limits_too)
{
	soon_job job = limited(pass_gate, SHORT);

	jobs = freed = 3;
	ck_assert_int_eq(soon_submit_many(pool, &job, NULL, 3, NULL), 0);
	gate_await(&gate, 3);
	expect_works(1);
}
END_TEST

static void *pass_then_fail(void *g)
{
	gate_pass(g);
	return soon_fail(EIO, "too late");
}

START_TEST(a_late_failure_changes_nothing)
{
	soon_job job = limited(pass_then_fail, SHORT);
	soon_future *f = submit_job(pool, &job);

	expect_expired(f);
	gate_open(&gate);
	tally_await(&args, 1);
	soon_executor_free(pool);
	pool = NULL;
	expect_expired(f);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&results), 0);
}
END_TEST

static TCase *in_time(void)
{
	TCase *t = tcase_create("in_time");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_job_that_returns_in_time_is_like_any_other, 0,
			    2);
	tcase_add_test(t, a_result_that_came_in_time_may_be_taken);
	tcase_add_test(t, a_job_that_fails_in_time_keeps_its_own_code);
	tcase_add_test(t, a_job_that_waits_to_start_has_all_its_time_left);
	return t;
}

static TCase *too_late(void)
{
	TCase *t = tcase_create("too_late");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(
		t, whatever_a_job_hangs_in_it_fails_and_the_pool_goes_on, 0,
		COUNT_OF(ways));
	tcase_add_test(t, a_pool_survives_any_number_of_stuck_jobs);
	tcase_add_test(t, what_is_queued_behind_a_stuck_job_runs);
	tcase_add_test(t, fire_and_forget_has_limits_too);
	tcase_add_test(t, a_late_failure_changes_nothing);
	return t;
}

static Suite *suite(void)
{
	Suite *s = suite_create("run_within");

	suite_add_tcase(s, in_time());
	suite_add_tcase(s, too_late());
	return s;
}

int main(void)
{
	return test_run(suite());
}
