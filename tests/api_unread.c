/*
 * api_unread.c - failures that nobody has looked at are reported.
 */
#include "support/unread.h"

#include <errno.h>

static void *fail_behind_gate(void *arg)
{
	gate_pass(arg);
	return soon_fail(ENOENT, NULL);
}

START_TEST(a_failure_that_nobody_read_is_reported_with_all_that_it_says)
{
	soon_future *f = unread_failed();

	unread_expect(0);
	soon_future_unref(soon_future_ref(f));
	unread_expect(0);
	soon_future_unref(f);
	unread_expect(1);
	ck_assert_ptr_eq(unread_reports[0].arg, &unread_reported);
	ck_assert_int_eq(unread_reports[0].code, EIO);
	ck_assert_str_eq(unread_reports[0].message, "read disk");
	ck_assert_int_eq(unread_reports[0].state, SOON_FAILED);
	ck_assert_ptr_eq(unread_reports[0].ctx, &unread_reports);
	ck_assert(pthread_equal(unread_reports[0].thread, pthread_self()));
	fixture_end_pool();
	unread_expect(1);
}
END_TEST

static void read_result(soon_future *f)
{
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), EIO);
}

static void read_error(soon_future *f)
{
	ck_assert_int_eq(soon_future_error(f), EIO);
}

static void read_message(soon_future *f)
{
	ck_assert_str_eq(soon_future_message(f), "read disk");
}

static void read_gather(soon_future *f)
{
	ck_assert_int_eq(soon_gather(&f, 1, SOON_FOREVER, NULL, NULL), EIO);
}

static void read_gather_errors(soon_future *f)
{
	int error = 0;

	ck_assert_int_eq(soon_gather(&f, 1, SOON_FOREVER, NULL, &error), 0);
	ck_assert_int_eq(error, EIO);
}

static void (*const reads[])(soon_future *f) = { read_result, read_error,
						 read_message, read_gather,
						 read_gather_errors };

START_TEST(a_failure_that_was_read_is_not_reported)
{
	soon_future *f = unread_failed();

	reads[_i](f);
	soon_future_unref(f);
	unread_expect(0);
}
END_TEST

START_TEST(looking_at_the_state_or_waiting_is_no_read)
{
	soon_future *f = unread_failed();
	soon_completions *set = soon_as_completed(&f, 1);
	soon_future *next = NULL;
	size_t index = 1;

	ck_assert(soon_future_done(f));
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_wait_all(&f, 1, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_wait_any(&f, 1, SOON_FOREVER, &index), 0);
	ck_assert_ptr_null(soon_future_take(f));
	ck_assert_int_eq(soon_completions_next(set, 0, &next), 0);
	soon_completions_free(set);
	soon_future_unref(f);
	unread_expect(1);
}
END_TEST

START_TEST(asking_before_it_failed_is_no_read)
{
	soon_future *f = submit(pool, fail_behind_gate, &gate);
	int error = 0;

	ck_assert_int_eq(soon_future_error(f), EBUSY);
	ck_assert_str_eq(soon_future_message(f), "");
	ck_assert_int_eq(soon_future_result(f, 0, NULL), ETIMEDOUT);
	ck_assert_int_eq(soon_gather(&f, 1, 0, NULL, NULL), ETIMEDOUT);
	ck_assert_int_eq(soon_gather(&f, 1, 0, NULL, &error), ETIMEDOUT);
	ck_assert_int_eq(error, EBUSY);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	unread_pass_worker();
	soon_future_unref(f);
	unread_expect(1);
	ck_assert_int_eq(unread_reports[0].code, ENOENT);
}
END_TEST

START_TEST(a_gather_that_fails_has_read_all_that_had_failed)
{
	soon_future *f[3] = { unread_failed(), submit(pool, return_null, NULL),
			      unread_failed() };

	ck_assert_int_eq(soon_future_wait(f[1], SOON_FOREVER), 0);
	ck_assert_int_eq(soon_gather(f, 3, SOON_FOREVER, NULL, NULL), EIO);
	for (int i = 0; i < 3; i++)
		soon_future_unref(f[i]);
	unread_expect(0);
}
END_TEST

START_TEST(what_fails_after_a_gather_has_returned_is_reported)
{
	soon_future *f[2];

	f[0] = unread_failed();
	f[1] = submit(pool, fail_behind_gate, &gate);
	ck_assert_int_eq(soon_gather(f, 2, SOON_FOREVER, NULL, NULL), EIO);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(f[1], SOON_FOREVER), 0);
	unread_pass_worker();
	soon_future_unref(f[0]);
	unread_expect(0);
	soon_future_unref(f[1]);
	unread_expect(1);
}
END_TEST

START_TEST(a_map_has_read_all_its_jobs_also_those_that_fail_later)
{
	void *args[3] = { &gate, &gate, &gate };
	int errors[3];

	ck_assert_int_eq(soon_map(pool, SOON_JOB(.fn = fail_behind_gate), args,
				  3, 1, NULL, NULL),
			 ETIMEDOUT);
	gate_open(&gate);
	ck_assert_int_eq(soon_map(pool, SOON_JOB(.fn = unread_fail), args, 3,
				  SOON_FOREVER, NULL, NULL),
			 EIO);
	ck_assert_int_eq(soon_map(pool, SOON_JOB(.fn = unread_fail), args, 3,
				  SOON_FOREVER, NULL, errors),
			 0);
	ck_assert_int_eq(errors[2], EIO);
	fixture_end_pool();
	unread_expect(0);
}
END_TEST

START_TEST(fire_and_forget_is_reported_on_the_worker_before_the_pool_ends)
{
	ck_assert_int_eq(soon_execute(pool, unread_fail, &gate), 0);
	ck_assert_int_eq(soon_submit_many(pool, SOON_JOB(.fn = unread_fail),
					  NULL, 3, NULL),
			 0);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	fixture_end_pool();
	unread_expect(4);
	ck_assert_ptr_eq(unread_reports[0].arg, &gate);
	ck_assert_ptr_null(unread_reports[3].arg);
	for (int i = 0; i < 4; i++)
		ck_assert(!pthread_equal(unread_reports[i].thread,
					 pthread_self()));
}
END_TEST

START_TEST(what_was_dropped_before_it_failed_is_reported_on_the_worker)
{
	soon_future_unref(submit(pool, fail_behind_gate, &gate));
	gate_open(&gate);
	tally_await(&unread_reported, 1);
	ck_assert(!pthread_equal(unread_reports[0].thread, pthread_self()));
}
END_TEST

static void read_in_callback(soon_future *f, void *ctx)
{
	(void)ctx;
	(void)soon_future_error(f);
}

START_TEST(a_callback_can_read_it_for_nobody)
{
	soon_future *f = submit(pool, fail_behind_gate, &gate);

	ck_assert_int_eq(soon_future_on_done(f, read_in_callback, NULL), 0);
	soon_future_unref(f);
	fixture_end_pool();
	unread_expect(0);
}
END_TEST

START_TEST(success_and_cancellation_are_no_errors)
{
	soon_future *ok = submit(pool, return_null, NULL);
	soon_future *f;

	pool_hold(pool, &gate, 1);
	f = submit(pool, unread_fail, NULL);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	soon_future_unref(f);
	soon_future_unref(ok);
	f = submit(pool, unread_fail, NULL);
	soon_future_unref(f);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	fixture_end_pool();
	unread_expect(0);
}
END_TEST

START_TEST(a_promise_is_nobodys)
{
	soon_future *f = soon_future_new(NULL);

	ck_assert_int_eq(soon_future_set_error(f, EIO, NULL), 0);
	soon_future_unref(f);
	soon_future_unref(soon_future_new(NULL));
	unread_expect(0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_unread");
	TCase *t = tcase_create("unread");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, unread_setup, unread_teardown);
	tcase_add_test(
		t,
		a_failure_that_nobody_read_is_reported_with_all_that_it_says);
	tcase_add_loop_test(t, a_failure_that_was_read_is_not_reported, 0,
			    COUNT_OF(reads));
	tcase_add_test(t, looking_at_the_state_or_waiting_is_no_read);
	tcase_add_test(t, asking_before_it_failed_is_no_read);
	tcase_add_test(t, a_gather_that_fails_has_read_all_that_had_failed);
	tcase_add_test(t, what_fails_after_a_gather_has_returned_is_reported);
	tcase_add_test(t,
		       a_map_has_read_all_its_jobs_also_those_that_fail_later);
	tcase_add_test(
		t,
		fire_and_forget_is_reported_on_the_worker_before_the_pool_ends);
	tcase_add_test(
		t, what_was_dropped_before_it_failed_is_reported_on_the_worker);
	tcase_add_test(t, a_callback_can_read_it_for_nobody);
	tcase_add_test(t, success_and_cancellation_are_no_errors);
	tcase_add_test(t, a_promise_is_nobodys);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
