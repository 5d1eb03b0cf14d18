/*
 * api_deadline.c - jobs that fail unless they start in time.
 */
#include "support/deadline.h"

#include <errno.h>

START_TEST(one_that_starts_in_time_is_like_any_other)
{
	soon_future *f = deadline_submit(_i == 0 ? LONG : SOON_FOREVER);
	void *result = NULL;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &deadline_freed);
	ck_assert_uint_eq(tally_get(&deadline_freed), 1);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_future_unref(f);
}
END_TEST

START_TEST(one_that_has_started_is_not_failed)
{
	soon_future *f = submit_job(pool, SOON_JOB(.fn = gate_job, .arg = &gate,
						   .start_within = LONG));
	soon_future *g;

	gate_await(&gate, 1);
	pool_hold(pool, &gate, 1);
	g = deadline_submit(SHORT); /* of two, the other expires */
	deadline_expect_expired(g);
	ck_assert_int_eq(soon_future_state(f), SOON_RUNNING);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
	soon_future_unref(g);
}
END_TEST

START_TEST(with_all_workers_stuck_it_fails_in_time_and_never_runs)
{
	soon_completions *set;
	soon_future *f, *next = NULL;
	size_t index = 1;

	pool_hold(pool, &gate, 2);
	f = deadline_submit(SHORT);
	set = soon_as_completed(&f, 1);
	soon_future_on_done(f, deadline_count_call, &deadline_called);
	ck_assert_int_eq(soon_wait_any(&f, 1, SOON_FOREVER, &index), 0);
	ck_assert_uint_eq(index, 0);
	deadline_expect_expired(f);
	ck_assert_int_eq(soon_completions_next(set, SOON_FOREVER, &next), 0);
	ck_assert_ptr_eq(next, f);
	soon_completions_free(set);
	tally_await(&deadline_freed, 1);
	tally_await(&deadline_called, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&deadline_ran), 0);
	ck_assert_uint_eq(tally_get(&deadline_freed), 1);
	ck_assert_uint_eq(tally_get(&deadline_called), 1);
	deadline_expect_expired(f);
	soon_future_unref(f);
}
END_TEST

START_TEST(it_is_pending_until_then)
{
	soon_future *f;

	pool_hold(pool, &gate, 2);
	f = deadline_submit(LONG);
	ck_assert_int_eq(soon_future_wait(f, SHORT), ETIMEDOUT);
	ck_assert(!soon_future_done(f));
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	ck_assert_uint_eq(tally_get(&deadline_freed), 1);
	soon_future_unref(f);
}
END_TEST

START_TEST(it_fails_no_earlier_than_it_says)
{
	soon_nsec within = _i * SOON_MSEC;
	soon_nsec before;
	soon_future *f;

	pool_hold(pool, &gate, 2);
	before = now();
	f = deadline_submit(within);
	deadline_expect_expired(f);
	ck_assert_int_ge(now() - before, within);
	soon_future_unref(f);
}
END_TEST

START_TEST(of_many_that_nobody_holds_each_is_accounted_for)
{
	enum { N = 100 };
	void *args[N];

	for (int i = 0; i < N; i++)
		args[i] = &deadline_freed;
	pool_hold(pool, &gate, 2);
	ck_assert_int_eq(soon_submit_many(pool,
					  SOON_JOB(.fn = deadline_run,
						   .start_within = SHORT,
						   .free_arg = tally_free),
					  args, N, NULL),
			 0);
	tally_await(&deadline_freed, N);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&deadline_freed), N);
	ck_assert_uint_eq(tally_get(&deadline_ran), 0);
}
END_TEST

static void *wait_for_inner(void *unused)
{
	soon_future *f = deadline_submit(LONG);
	int rc = soon_future_wait(f, SOON_FOREVER);

	(void)unused;
	soon_future_unref(f);
	return rc == 0 ? &deadline_ran : NULL;
}

START_TEST(a_job_that_waits_for_it_starts_it_in_time)
{
	soon_future *f[8];
	void *result;

	for (size_t i = 0; i < COUNT_OF(f); i++)
		f[i] = submit(pool, wait_for_inner, NULL);
	for (size_t i = 0; i < COUNT_OF(f); i++) {
		ck_assert_int_eq(
			soon_future_result(f[i], SOON_FOREVER, &result), 0);
		ck_assert_ptr_eq(result, &deadline_ran);
		soon_future_unref(f[i]);
	}
	ck_assert_uint_eq(tally_get(&deadline_ran), COUNT_OF(f));
	ck_assert_uint_eq(tally_get(&deadline_freed), COUNT_OF(f));
}
END_TEST

START_TEST(a_delay_comes_first)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	job.fn = deadline_run;
	job.arg = &deadline_freed;
	job.free_arg = tally_free;
	job.delay = SHORT;
	for (job.start_within = SHORT - 1; job.start_within <= SHORT;
	     job.start_within++) {
		ck_assert_ptr_null(soon_submit_job(pool, &job));
		ck_assert_int_eq(errno, EINVAL);
	}
	ck_assert_uint_eq(tally_get(&deadline_freed), 0);
	job.start_within = LONG;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
	pool_hold(pool, &gate, 2);
	job.start_within = 2 * SHORT;
	f = submit_job(pool, &job);
	deadline_expect_expired(f);
	soon_future_unref(f);
	tally_await(&deadline_freed, 2);
	ck_assert_uint_eq(tally_get(&deadline_ran), 1);
	/* Cancelled while delayed, and once due. */
	job.start_within = LONG;
	job.delay = LONG - 1;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	soon_future_unref(f);
	job.delay = 1;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&deadline_freed), 4);
}
END_TEST

START_TEST(a_shutdown_that_cancels_leaves_nothing_to_expire)
{
	soon_future *f;

	pool_hold(pool, &gate, 2);
	f = deadline_submit(LONG);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	ck_assert_uint_eq(tally_get(&deadline_freed), 1);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_closed_pool_refuses_it_and_frees_nothing)
{
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	for (soon_nsec within = 1; within < LONG; within *= 1000) {
		ck_assert_ptr_null(soon_submit_job(
			pool,
			SOON_JOB(.fn = deadline_run, .arg = &deadline_freed,
				 .start_within = within,
				 .free_arg = tally_free)));
		ck_assert_int_eq(errno, ESHUTDOWN);
	}
	ck_assert_uint_eq(tally_get(&deadline_freed), 0);
}
END_TEST

START_TEST(an_inline_pool_always_starts_in_time)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	soon_future *f;

	o.flags = SOON_INLINE;
	e = soon_executor_open(&o);
	f = submit_job(e, SOON_JOB(.fn = deadline_run, .delay = 1,
				   .start_within = 2));
	ck_assert_int_eq(soon_future_result(f, 0, NULL), 0);
	soon_future_unref(f);
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("deadline");
	TCase *t = tcase_create("deadline");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, deadline_setup, deadline_teardown);
	tcase_add_loop_test(t, one_that_starts_in_time_is_like_any_other, 0, 2);
	tcase_add_test(t, one_that_has_started_is_not_failed);
	tcase_add_test(t,
		       with_all_workers_stuck_it_fails_in_time_and_never_runs);
	tcase_add_test(t, it_is_pending_until_then);
	tcase_add_loop_test(t, it_fails_no_earlier_than_it_says, 1, 4);
	tcase_add_test(t, of_many_that_nobody_holds_each_is_accounted_for);
	tcase_add_test(t, a_job_that_waits_for_it_starts_it_in_time);
	tcase_add_test(t, a_delay_comes_first);
	tcase_add_test(t, a_shutdown_that_cancels_leaves_nothing_to_expire);
	tcase_add_test(t, a_closed_pool_refuses_it_and_frees_nothing);
	tcase_add_test(t, an_inline_pool_always_starts_in_time);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
