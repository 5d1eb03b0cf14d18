/*
 * api_then_queue.c - continuations in their executor's queue, and waits for them.
 */
#include "support/support.h"

#include <errno.h>
#include <string.h>

static soon_executor *pool; /* of one */
static struct gate gate;
static struct tally ran;
static soon_future *promise;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&ran);
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
}

static soon_future *then(soon_future *f, soon_then_fn *fn, void *ctx)
{
	soon_future *g = soon_then(f, pool, fn, ctx);

	ck_assert_ptr_nonnull(g);
	return g;
}

/* The result and the code of one that gets done, whose reference this takes. */
static int outcome(soon_future *f, void **result)
{
	int rc = soon_future_result(f, SOON_FOREVER, result);

	soon_future_unref(f);
	return rc;
}

static void *count_run(soon_future *done, void *ctx)
{
	(void)done;
	tally_add(ctx, 1);
	return NULL;
}

static void *one_more(soon_future *done, void *ctx)
{
	void *result = NULL;

	if (soon_future_result(done, 0, &result) != 0)
		return soon_fail(EPROTO, "no result");
	return box(unbox(result) + unbox(ctx));
}

START_TEST(cancelled_in_the_queue_it_never_runs)
{
	soon_future *f = then(promise, count_run, &ran);

	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	gate_open(&gate);
	ck_assert_int_eq(outcome(f, NULL), ECANCELED);
	soon_executor_shutdown(pool, 0, SOON_FOREVER);
	ck_assert_uint_eq(tally_get(&ran), 0);
}
END_TEST

START_TEST(a_shutdown_that_cancels_takes_it_from_the_queue)
{
	soon_future *f = then(promise, count_run, &ran);

	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	soon_future_unref(f);
}
END_TEST

START_TEST(it_is_queued_though_the_pool_is_full)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	soon_future *f, *g;

	o.workers = 1;
	o.max_workers = 1;
	o.max_pending = 1;
	o.when_full = SOON_REJECT;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	pool_hold(e, &gate, 1);
	f = submit(e, return_arg, NULL);
	ck_assert_ptr_null(soon_submit(e, return_arg, NULL));
	g = soon_then(promise, e, count_run, &ran);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	gate_open(&gate);
	ck_assert_int_eq(outcome(g, NULL), 0);
	ck_assert_int_eq(outcome(f, NULL), 0);
	soon_executor_free(e);
}
END_TEST

/* A job of the only worker waits for a continuation of a job behind it. */
static void *wait_for_chain(void *unused)
{
	soon_future *job = soon_submit(pool, return_arg, box(1));
	soon_future *f = soon_then(job, pool, one_more, box(1));
	soon_future *g = soon_then(f, pool, one_more, box(1));
	void *result = unused;
	int rc = soon_future_result(g, SOON_FOREVER, &result);

	soon_future_unref(job);
	soon_future_unref(f);
	soon_future_unref(g);
	return rc == 0 ? result : box(-rc);
}

START_TEST(a_job_of_the_only_worker_may_wait_for_it)
{
	void *result = NULL;

	ck_assert_int_eq(outcome(submit(pool, wait_for_chain, NULL), &result),
			 0);
	ck_assert_int_eq(unbox(result), 3);
}
END_TEST

static void wait_in_callback(soon_future *done, void *continuation)
{
	(void)done;
	tally_add(&ran, soon_future_wait(continuation, SOON_FOREVER) == 0);
}

/* Whatever was registered first. */
START_TEST(a_callback_may_wait_for_it)
{
	soon_future *f = NULL, *g;

	if (_i == 0)
		f = then(promise, one_more, box(1));
	g = soon_shield(promise);
	ck_assert_int_eq(soon_future_on_done(promise, wait_in_callback, g), 0);
	if (_i != 0)
		f = then(promise, one_more, box(1));
	ck_assert_int_eq(soon_future_on_done(g, wait_in_callback, f), 0);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_uint_eq(tally_get(&ran), 2);
	soon_future_unref(f);
	soon_future_unref(g);
}
END_TEST

START_TEST(figures_count_it_from_when_it_is_queued)
{
	soon_stats s = SOON_STATS_INIT;
	soon_future *f = then(promise, one_more, box(1));
	soon_future *g = then(promise, one_more, box(1));

	ck_assert_int_eq(soon_executor_stats(pool, &s), 0);
	ck_assert_uint_eq(s.submitted, 0);
	ck_assert_int_eq(soon_future_cancel(g), 0);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_executor_stats(pool, &s), 0);
	ck_assert_uint_eq(s.submitted, 1);
	ck_assert_uint_eq(s.succeeded, 1);
	ck_assert_uint_eq(s.cancelled, 0);
	ck_assert_uint_eq(s.pending, 0);
	soon_future_unref(f);
	soon_future_unref(g);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_then_queue");
	TCase *t = tcase_create("queue");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, cancelled_in_the_queue_it_never_runs);
	tcase_add_test(t, a_shutdown_that_cancels_takes_it_from_the_queue);
	tcase_add_test(t, it_is_queued_though_the_pool_is_full);
	tcase_add_test(t, a_job_of_the_only_worker_may_wait_for_it);
	tcase_add_loop_test(t, a_callback_may_wait_for_it, 0, 2);
	tcase_add_test(t, figures_count_it_from_when_it_is_queued);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
