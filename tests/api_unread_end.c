/*
 * api_unread_end.c - unread failures at the ends of things: of the executor, of
 * its threads, of the future itself.
 */
#include "support/unread.h"

#include <errno.h>

static soon_future *kept;

static void keep(soon_future *f, void *ctx)
{
	unread_note(f, ctx);
	kept = soon_future_ref(f);
}

static void hold(soon_future *f, void *ctx)
{
	gate_pass(&gate);
	unread_note(f, ctx);
}

START_TEST(the_executor_may_be_gone)
{
	soon_future *f[2] = { unread_failed(), unread_failed() };

	fixture_end_pool();
	unread_expect(0);
	soon_future_unref(f[1]);
	unread_expect(1);
	(void)soon_future_error(f[0]);
	soon_future_unref(f[0]);
	unread_expect(1);
}
END_TEST

START_TEST(a_reference_that_the_hook_keeps_is_good_and_the_last)
{
	soon_future *f;

	fixture_end_pool();
	pool = unread_pool(keep, 1, 0);
	f = unread_failed();
	fixture_end_pool();
	soon_future_unref(f);
	unread_expect(1);
	ck_assert_ptr_eq(kept, f);
	ck_assert_int_eq(soon_future_wait(kept, SOON_FOREVER), 0);
	ck_assert_str_eq(soon_future_message(kept), "read disk");
	soon_future_unref(soon_future_ref(kept));
	soon_future_unref(kept);
	unread_expect(1);
}
END_TEST

/* Nothing of the future was read, and the last reference was the worker's. */
static void keep_unread(soon_future *f, void *ctx)
{
	(void)ctx;
	kept = soon_future_ref(f);
	tally_add(&unread_reported, 1);
}

START_TEST(it_is_reported_once_even_if_the_hook_reads_nothing)
{
	fixture_end_pool();
	pool = unread_pool(keep_unread, 1, 0);
	ck_assert_int_eq(soon_execute(pool, unread_fail, NULL), 0);
	fixture_end_pool();
	unread_expect(1);
	soon_future_unref(kept);
	unread_expect(1);
}
END_TEST

START_TEST(a_shutdown_waits_for_the_hook_on_a_worker)
{
	fixture_end_pool();
	gate_shut(&gate);
	pool = unread_pool(hold, 1, 0);
	ck_assert_int_eq(soon_execute(pool, unread_fail, NULL), 0);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_MSEC), ETIMEDOUT);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	unread_expect(1);
}
END_TEST

static void submit_more(soon_future *f, void *ctx)
{
	unread_note(f, ctx);
	if (tally_get(&unread_reported) < 3) {
		soon_future *more = soon_submit(pool, unread_fail, NULL);

		if (more != NULL)
			(void)soon_future_wait(more, SOON_FOREVER);
		soon_future_unref(more);
	}
}

START_TEST(the_hook_may_submit_and_wait_and_be_called_again)
{
	fixture_end_pool();
	pool = unread_pool(submit_more, 1, 0);
	ck_assert_int_eq(soon_execute(pool, unread_fail, NULL), 0);
	tally_await(&unread_reported, 3);
}
END_TEST

START_TEST(a_pool_without_threads_reports_in_the_submit)
{
	fixture_end_pool();
	pool = unread_pool(unread_note, 0, SOON_INLINE);
	ck_assert_int_eq(soon_execute(pool, unread_fail, NULL), 0);
	unread_expect(1);
	ck_assert(pthread_equal(unread_reports[0].thread, pthread_self()));
	soon_future_unref(submit(pool, unread_fail, NULL));
	unread_expect(2);
}
END_TEST

START_TEST(a_helping_thread_may_be_the_one)
{
	soon_future *f;

	fixture_end_pool();
	gate_shut(&gate);
	pool = unread_pool(unread_note, 1, SOON_HELP);
	pool_hold(pool, &gate, 1);
	f = unread_failed(); /* run here: the worker is held */
	soon_future_unref(f);
	unread_expect(0); /* the queue still leads to it */
	fixture_end_pool();
	unread_expect(1);
}
END_TEST

static int refuse(void *ctx)
{
	gate_pass(ctx);
	return 1;
}

START_TEST(what_a_broken_pool_fails_is_reported)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.worker_init = refuse;
	o.worker_ctx = &gate;
	o.unread_error = unread_note;
	e = soon_executor_open(&o);
	ck_assert_int_eq(soon_execute(e, return_null, &gate), 0);
	gate_open(&gate);
	soon_executor_free(e);
	unread_expect(1);
	ck_assert(!pthread_equal(unread_reports[0].thread, pthread_self()));
}
END_TEST

static void *unref_job(void *f)
{
	soon_future_unref(f);
	return NULL;
}

START_TEST(many_threads_that_drop_it_report_it_once)
{
	soon_executor *droppers = pool_of(2);

	for (unsigned i = 0; i < test_scale(2000); i++) {
		soon_future *f = submit(pool, unread_fail, NULL);

		soon_future_ref(f);
		ck_assert_int_eq(soon_execute(droppers, unref_job, f), 0);
		soon_future_unref(f);
	}
	soon_executor_free(droppers);
	fixture_end_pool();
	unread_expect(test_scale(2000));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_unread_end");
	TCase *t = tcase_create("unread");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, unread_setup, unread_teardown);
	tcase_add_test(t, the_executor_may_be_gone);
	tcase_add_test(t, a_reference_that_the_hook_keeps_is_good_and_the_last);
	tcase_add_test(t, it_is_reported_once_even_if_the_hook_reads_nothing);
	tcase_add_test(t, a_shutdown_waits_for_the_hook_on_a_worker);
	tcase_add_test(t, the_hook_may_submit_and_wait_and_be_called_again);
	tcase_add_test(t, a_pool_without_threads_reports_in_the_submit);
	tcase_add_test(t, a_helping_thread_may_be_the_one);
	tcase_add_test(t, what_a_broken_pool_fails_is_reported);
	tcase_add_test(t, many_threads_that_drop_it_report_it_once);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
