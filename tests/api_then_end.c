/*
 * api_then_end.c - continuations whose executor has ended, is broken, or has no
 * threads; errors of theirs that nobody reads.
 */
#include "support/support.h"

#include <errno.h>
#include <string.h>

static soon_executor *pool;
static struct gate gate;
static struct tally ran;
static struct tally unread;
static soon_future *promise;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&ran);
	tally_init(&unread);
	promise = soon_future_new(NULL);
	ck_assert_ptr_nonnull(promise);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_future_unref(promise);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&ran);
	tally_fini(&unread);
}

static void *count(soon_future *done, void *ctx)
{
	tally_add(&ran, soon_future_done(done));
	return ctx;
}

static void expect_failed(soon_future *f, int code)
{
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert_int_eq(soon_future_error(f), code);
	ck_assert_str_eq(soon_future_message(f), soon_strerror(code));
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&ran), 0);
}

static void count_done(soon_future *f, void *tally)
{
	tally_add(tally, soon_future_done(f));
}

START_TEST(after_the_shutdown_it_has_failed)
{
	soon_future *f;

	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	if (_i != 0)
		ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	f = soon_then(promise, pool, count, NULL);
	ck_assert_ptr_nonnull(f);
	ck_assert(soon_future_done(f));
	expect_failed(f, ESHUTDOWN);
}
END_TEST

/* Loop 0: shut down when the input is done; 1: freed. */
START_TEST(one_that_waits_for_its_input_fails_with_it)
{
	struct tally called;
	soon_future *f = soon_then(promise, pool, count, NULL);

	tally_init(&called);
	ck_assert_int_eq(soon_future_on_done(f, count_done, &called), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING,
						SOON_FOREVER),
			 0);
	if (_i != 0) {
		soon_executor_free(pool);
		pool = NULL;
	}
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_int_eq(soon_future_wait(f, SOON_MSEC), ETIMEDOUT);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert(soon_future_done(f));
	ck_assert_uint_eq(tally_get(&called), 1);
	expect_failed(f, ESHUTDOWN);
	tally_fini(&called);
}
END_TEST

START_TEST(it_can_be_cancelled_and_dropped_after_the_end)
{
	soon_future *f = soon_then(promise, pool, count, NULL);
	soon_future *g = soon_then(f, pool, count, NULL);

	soon_executor_free(pool);
	pool = NULL;
	if (_i != 0) {
		ck_assert_int_eq(soon_future_cancel(f), 0);
		ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
		ck_assert_int_eq(soon_future_error(g), ESHUTDOWN);
	}
	soon_future_unref(f);
	soon_future_unref(g);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_uint_eq(tally_get(&ran), 0);
}
END_TEST

START_TEST(what_is_queued_still_runs)
{
	soon_future *f = soon_then(promise, pool, count, NULL);

	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert_uint_eq(tally_get(&ran), 1);
	soon_future_unref(f);
}
END_TEST

static int fail_init(void *unused)
{
	(void)unused;
	return 1;
}

START_TEST(with_a_broken_executor_it_fails)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	soon_future *f, *g, *job;

	o.worker_init = fail_init;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	f = soon_then(promise, e, count, NULL);
	job = submit(e, return_null, NULL);
	g = soon_then(job, e, count, NULL);
	expect_failed(g, SOON_EBROKEN);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	expect_failed(f, SOON_EBROKEN);
	expect_failed(soon_then(promise, e, count, NULL), SOON_EBROKEN);
	soon_future_unref(job);
	soon_executor_free(e);
}
END_TEST

/* INLINE */

static void *log_thread(soon_future *done, void *ctx)
{
	(void)done;
	tally_add(&ran, pthread_equal(*(pthread_t *)ctx, pthread_self()) != 0);
	return soon_self();
}

START_TEST(without_threads_it_runs_where_the_input_is_completed)
{
	soon_executor *e = inline_pool();
	pthread_t main_thread = pthread_self();
	soon_future *f, *g;
	soon_stats s = SOON_STATS_INIT;
	void *result = NULL;

	if (_i != 0)
		ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	f = soon_then(promise, e, log_thread, &main_thread);
	g = soon_then(f, e, log_thread, &main_thread);
	if (_i == 0) {
		ck_assert_uint_eq(tally_get(&ran), 0);
		ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	}
	ck_assert_uint_eq(tally_get(&ran), 2);
	ck_assert_int_eq(soon_future_result(g, 0, &result), 0);
	ck_assert_ptr_eq(result, g);
	ck_assert_int_eq(soon_executor_stats(e, &s), 0);
	ck_assert_uint_eq(s.submitted, 2);
	ck_assert_uint_eq(s.succeeded, 2);
	ck_assert_uint_eq(s.pending, 0);
	soon_future_unref(f);
	soon_future_unref(g);
	soon_executor_free(e);
}
END_TEST

static struct logbook order;

static void *log_run(soon_future *done, void *ctx)
{
	(void)done;
	logbook_add(&order, (int)unbox(ctx));
	return NULL;
}

static void log_call(soon_future *done, void *ctx)
{
	(void)done;
	logbook_add(&order, (int)unbox(ctx));
}

START_TEST(without_threads_it_has_its_turn_among_the_callbacks)
{
	soon_executor *e = inline_pool();
	soon_future *f;

	logbook_init(&order, 4);
	soon_future_on_done(promise, log_call, box(1));
	f = soon_then(promise, e, log_run, box(2));
	soon_future_on_done(promise, log_call, box(3));
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_uint_eq(logbook_size(&order), 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(logbook_at(&order, i), (int)i + 1);
	soon_future_unref(f);
	soon_executor_free(e);
	logbook_fini(&order);
}
END_TEST

/* Errors that nobody reads */

static void count_unread(soon_future *f, void *tally)
{
	(void)f;
	tally_add(tally, 1);
}

static soon_executor *reporting_pool(unsigned flags)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = 1;
	o.max_workers = 1;
	o.flags = flags;
	o.unread_error = count_unread;
	o.unread_ctx = &unread;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void *fail_job(void *unused)
{
	(void)unused;
	return soon_fail(EIO, NULL);
}

static void *fail_then(soon_future *done, void *read)
{
	if (read != NULL)
		soon_future_error(done);
	return soon_fail(ERANGE, "again");
}

/* Loop: whether it reads the input's, and who runs it. */
START_TEST(its_own_error_is_reported_if_nobody_reads_it)
{
	soon_executor *e = reporting_pool(_i >= 2 ? SOON_INLINE : 0);
	soon_future *job = submit(e, fail_job, NULL);
	soon_future *f = soon_then(job, e, fail_then, _i % 2 ? &ran : NULL);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(job);
	soon_future_unref(f);
	soon_executor_free(e);
	ck_assert_uint_eq(tally_get(&unread), _i % 2 ? 1 : 2);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_then_end");
	TCase *t = tcase_create("end");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, after_the_shutdown_it_has_failed, 0, 2);
	tcase_add_loop_test(t, one_that_waits_for_its_input_fails_with_it, 0,
			    2);
	tcase_add_loop_test(t, it_can_be_cancelled_and_dropped_after_the_end, 0,
			    2);
	tcase_add_test(t, what_is_queued_still_runs);
	tcase_add_test(t, with_a_broken_executor_it_fails);
	tcase_add_loop_test(
		t, without_threads_it_runs_where_the_input_is_completed, 0, 2);
	tcase_add_test(t, without_threads_it_has_its_turn_among_the_callbacks);
	tcase_add_loop_test(t, its_own_error_is_reported_if_nobody_reads_it, 0,
			    4);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
