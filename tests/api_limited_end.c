/*
 * api_limited_end.c - jobs with a limit that have hooks, and that end their
 * thread.
 */
#include "support/limited.h"

#include <errno.h>
#include <poll.h>

static struct tally freed, hooked;

static void setup(void)
{
	limited_setup();
	tally_init(&freed);
	tally_init(&hooked);
}

static void teardown(void)
{
	limited_teardown();
	tally_fini(&hooked);
	tally_fini(&freed);
}

/* Its end is known by its argument's, which is `freed`. */
static soon_future *submit_limited(soon_fn *fn, soon_nsec within)
{
	return submit_job(pool, SOON_JOB(.fn = fn, .arg = &freed,
					 .run_within = within,
					 .free_arg = tally_free));
}

static void expect_works(void)
{
	soon_future *f = submit(pool, return_arg, box(7));
	void *result = NULL;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_int_eq((int)unbox(result), 7);
	soon_future_unref(f);
}

/* Ending the thread */

static void *leave(void *unused)
{
	(void)unused;
	pthread_exit(NULL);
}

START_TEST(a_job_that_exits_in_time_fails_with_that)
{
	soon_future *f = submit_limited(leave, LONG);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 SOON_EEXITED);
	ck_assert_uint_eq(tally_get(&freed), 1);
	expect_works();
	soon_future_unref(f);
}
END_TEST

static void *leave_late(void *unused)
{
	gate_pass(&gate);
	return leave(unused);
}

START_TEST(a_job_that_exits_late_has_failed_for_time)
{
	soon_future *f = submit_limited(leave_late, SHORT);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	expect_works();
	if (_i > 0) {
		soon_executor_free(pool);
		pool = NULL;
	}
	ck_assert_uint_eq(tally_get(&freed), 0);
	gate_open(&gate);
	tally_await(&freed, 1);
	ck_assert_int_eq(soon_future_error(f), ETIMEDOUT);
	soon_future_unref(f);
}
END_TEST

/* The job may be in time or late, and its thread still the worker's. */
static void *leave_now_or_then(void *unused)
{
	soon_sleep((soon_nsec)(now() % 3) * SOON_USEC * 20);
	return leave(unused);
}

START_TEST(jobs_that_exit_about_then_fail_for_one_or_the_other)
{
	for (int i = 0; i < 100; i++) {
		soon_future *f =
			submit_limited(leave_now_or_then, 20 * SOON_USEC);
		int rc = soon_future_result(f, SOON_FOREVER, NULL);

		ck_assert(rc == ETIMEDOUT || rc == SOON_EEXITED);
		soon_future_unref(f);
	}
	expect_works();
	tally_await(&freed, 100);
}
END_TEST

static void *submit_leaving(void *e)
{
	soon_submit_job(e,
			SOON_JOB(.fn = leave, .arg = &freed, .run_within = LONG,
				 .free_arg = tally_free));
	return box(1);
}

START_TEST(a_submit_that_runs_one_that_exits_does_not_return)
{
	soon_executor *e = inline_pool();
	struct actor a;

	actor_start(&a, submit_leaving, e);
	ck_assert_ptr_null(actor_join(&a));
	ck_assert_uint_eq(tally_get(&freed), 1);
	soon_executor_free(e);
}
END_TEST

/* Hooks */

static void open_gate(void *g)
{
	tally_add(&hooked, 1);
	gate_open(g);
}

static void *wait_for_hook(void *unused)
{
	(void)unused;
	fixture_expect(soon_on_cancel(open_gate, &gate) == 0);
	gate_pass(&gate);
	return NULL;
}

START_TEST(a_hook_brings_a_job_back_that_was_written_off)
{
	soon_future *f = submit_limited(wait_for_hook, SHORT);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	tally_await(&freed, 1);
	ck_assert_uint_eq(tally_get(&hooked), 1);
	expect_works();
	soon_future_unref(f);
}
END_TEST

static void hold_up(void *unused)
{
	(void)unused;
	tally_add(&hooked, 1);
	gate_pass(&limited_start);
}

static void *wait_with_hook(void *unused)
{
	(void)unused;
	fixture_expect(soon_on_cancel(hold_up, NULL) == 0);
	gate_pass(&gate);
	return NULL;
}

START_TEST(a_hook_holds_up_nobody_but_its_job_and_the_end_of_the_pool)
{
	soon_future *f = submit_limited(wait_with_hook, SHORT);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	gate_await(&limited_start, 1);
	expect_works();
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SHORT), ETIMEDOUT);
	ck_assert_uint_eq(tally_get(&freed), 0);
	gate_open(&limited_start);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	tally_await(&freed, 1);
	ck_assert_uint_eq(tally_get(&hooked), 1);
	soon_future_unref(f);
}
END_TEST

static void *push_late(void *unused)
{
	gate_pass(&gate);
	fixture_expect(soon_cancel_requested());
	fixture_expect(soon_on_cancel(open_gate, &limited_start) == 0);
	fixture_expect(tally_get(&hooked) == 1);
	return unused;
}

START_TEST(a_hook_of_a_late_job_runs_at_once)
{
	soon_future *f = submit_limited(push_late, SHORT);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	soon_executor_free(pool);
	pool = NULL;
	gate_open(&gate);
	tally_await(&freed, 1);
	ck_assert_uint_eq(tally_get(&hooked), 1);
	soon_future_unref(f);
}
END_TEST

static void *poll_until_asked(void *unused)
{
	struct pollfd p = { .fd = soon_cancel_fd(), .events = POLLIN };

	(void)unused;
	fixture_expect(poll(&p, 1, -1) == 1);
	return NULL;
}

START_TEST(a_poll_ends_at_the_limit)
{
	soon_future *f = submit_limited(poll_until_asked, SHORT);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	tally_await(&freed, 1);
	expect_works();
	soon_future_unref(f);
}
END_TEST

static void await_end(soon_future *f, void *hooks)
{
	fixture_expect(soon_future_error(f) == ETIMEDOUT);
	tally_await(&freed, 1);
	fixture_expect(tally_get(&hooked) == (unsigned)unbox(hooks));
}

START_TEST(a_callback_may_wait_for_a_job_that_hears_by_a_hook)
{
	soon_future *f;

	pool_hold(pool, &limited_start, 1);
	f = submit_limited(_i == 0 ? poll_until_asked : wait_for_hook, SHORT);
	ck_assert_int_eq(soon_future_on_done(f, await_end, box(_i)), 0);
	gate_open(&limited_start);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&freed), 1);
	soon_future_unref(f);
}
END_TEST

START_TEST(where_the_caller_runs_the_job_its_hook_runs_and_it_succeeds)
{
	soon_executor *e = inline_pool();
	soon_future *f = submit_job(e, SOON_JOB(.fn = wait_for_hook,
						.run_within = SHORT));

	ck_assert_int_eq(soon_future_result(f, 0, NULL), 0);
	ck_assert_uint_eq(tally_get(&hooked), 1);
	soon_future_unref(f);
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("limited_end");
	TCase *t = tcase_create("limited_end");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_job_that_exits_in_time_fails_with_that);
	tcase_add_loop_test(t, a_job_that_exits_late_has_failed_for_time, 0, 2);
	tcase_add_test(t, jobs_that_exit_about_then_fail_for_one_or_the_other);
	tcase_add_test(t, a_submit_that_runs_one_that_exits_does_not_return);
	tcase_add_test(t, a_hook_brings_a_job_back_that_was_written_off);
	tcase_add_test(
		t, a_hook_holds_up_nobody_but_its_job_and_the_end_of_the_pool);
	tcase_add_test(t, a_hook_of_a_late_job_runs_at_once);
	tcase_add_test(t, a_poll_ends_at_the_limit);
	tcase_add_loop_test(
		t, a_callback_may_wait_for_a_job_that_hears_by_a_hook, 0, 2);
	tcase_add_test(
		t, where_the_caller_runs_the_job_its_hook_runs_and_it_succeeds);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
