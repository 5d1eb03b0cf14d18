/*
 * api_shutdown.c - every way to end a pool.
 */
#include "support/support.h"

#include <errno.h>

static soon_executor *pool;
static struct gate gate;
static struct tally ran;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&ran);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&ran);
}

static void expect_closed(soon_executor *e)
{
	errno = 0;
	ck_assert_ptr_null(soon_submit(e, return_null, NULL));
	ck_assert_int_eq(errno, ESHUTDOWN);
}

static void expect_open(soon_executor *e)
{
	soon_future *f = submit(e, return_null, NULL);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

START_TEST(an_empty_pool_ends_at_once_and_stays_ended)
{
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER),
				 0);
		ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_SEC), 0);
		ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), 0);
		ck_assert_int_eq(soon_executor_shutdown(pool, 3, -1), 0);
		expect_closed(pool);
	}
}
END_TEST

START_TEST(unknown_flags_are_errors_and_leave_the_pool_open)
{
	for (unsigned flag = 4; flag != 0; flag <<= 1) {
		ck_assert_int_eq(soon_executor_shutdown(pool, flag, 0), EINVAL);
		ck_assert_int_eq(soon_executor_shutdown(pool, flag | 3,
							SOON_FOREVER),
				 EINVAL);
	}
	expect_open(pool);
}
END_TEST

START_TEST(what_is_queued_still_runs)
{
	pool_hold(pool, &gate, 1);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&ran), 1000);
}
END_TEST

START_TEST(freeing_finishes_what_is_queued)
{
	pool_hold(pool, &gate, 1);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&ran), 1000);
}
END_TEST

START_TEST(a_shutdown_may_time_out_and_be_called_again)
{
	soon_nsec start;

	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	for (int i = 0; i < 3; i++) {
		start = now();
		ck_assert_int_eq(soon_executor_shutdown(pool, 0, 3 * SOON_MSEC),
				 ETIMEDOUT);
		ck_assert_int_ge(now() - start, 3 * SOON_MSEC);
		expect_closed(pool);
	}
	ck_assert_uint_eq(tally_get(&ran), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 3600 * SOON_SEC), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
}
END_TEST

START_TEST(a_poll_only_begins_it)
{
	static const soon_nsec poll[] = { 0, -1, INT64_MIN };

	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	for (size_t i = 0; i < COUNT_OF(poll); i++) {
		ck_assert_int_eq(soon_executor_shutdown(pool, 0, poll[i]),
				 EINPROGRESS);
		expect_closed(pool);
	}
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_MSEC), ETIMEDOUT);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
}
END_TEST

static void *wait_for(void *f)
{
	return box(soon_future_wait(f, SOON_FOREVER));
}

static void count_cancelled(soon_future *f, void *tally)
{
	tally_add(tally, soon_future_state(f) == SOON_CANCELLED ? 1 : 1000);
}

/* The only worker is stuck all the while; what is counted in `ran` are the
 * arguments freed. */
START_TEST(cancelling_what_is_pending_tells_everybody_at_once)
{
	enum { N = 100 };
	soon_future *running = submit(pool, gate_job, &gate), *f[N];
	struct tally called;
	struct actor waiter;

	tally_init(&called);
	gate_await(&gate, 1);
	for (int i = 0; i < N; i++) {
		f[i] = submit_job(pool, SOON_JOB(.fn = tally_job, .arg = &ran,
						 .free_arg = tally_free));
		ck_assert_int_eq(
			soon_future_on_done(f[i], count_cancelled, &called), 0);
	}
	actor_start(&waiter, wait_for, f[N - 1]);
	actor_await_asleep(&waiter);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	ck_assert_int_eq(unbox(actor_join(&waiter)), 0);
	ck_assert_uint_eq(tally_get(&ran), N);
	ck_assert_uint_eq(tally_get(&called), N);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(soon_future_result(f[i], 0, NULL), ECANCELED);
		soon_future_unref(f[i]);
	}
	ck_assert_int_eq(soon_future_state(running), SOON_RUNNING);
	ck_assert(!soon_future_cancel_requested(running));
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(running), SOON_SUCCEEDED);
	ck_assert_uint_eq(tally_get(&ran), N);
	soon_future_unref(running);
	tally_fini(&called);
}
END_TEST

/* Runs until it is asked to stop. */
static void *run_until_asked(void *started)
{
	tally_add(started, 1);
	return box(soon_sleep(SOON_FOREVER));
}

START_TEST(cancelling_what_runs_leaves_the_queue_alone)
{
	soon_future *running, *pending;
	struct tally started;
	void *rc = NULL;

	tally_init(&started);
	running = submit(pool, run_until_asked, &started);
	tally_await(&started, 1);
	pending = submit(pool, tally_job, &ran);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	ck_assert(soon_future_cancel_requested(running));
	ck_assert_int_eq(soon_future_result(running, 0, &rc), 0);
	ck_assert_int_eq(unbox(rc), ECANCELED);
	ck_assert_int_eq(soon_future_state(pending), SOON_SUCCEEDED);
	ck_assert_uint_eq(tally_get(&ran), 1);
	soon_future_unref(running);
	soon_future_unref(pending);
	tally_fini(&started);
}
END_TEST

START_TEST(a_shutdown_may_be_repeated_with_more_flags)
{
	soon_future *running, *pending;
	struct tally started;
	void *rc = NULL;

	tally_init(&started);
	running = submit(pool, run_until_asked, &started);
	tally_await(&started, 1);
	pool_hold(pool, &gate, 1);
	pending = submit(pool, tally_job, &ran);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	ck_assert_int_eq(soon_future_state(pending), SOON_PENDING);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	ck_assert_int_eq(soon_future_state(pending), SOON_CANCELLED);
	ck_assert(!soon_future_cancel_requested(running));
	ck_assert_int_eq(soon_executor_shutdown(
				 pool,
				 SOON_CANCEL_PENDING | SOON_CANCEL_RUNNING, 0),
			 EINPROGRESS);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_result(running, 0, &rc), 0);
	ck_assert_int_eq(unbox(rc), ECANCELED);
	ck_assert_uint_eq(tally_get(&ran), 0);
	soon_future_unref(running);
	soon_future_unref(pending);
	tally_fini(&started);
}
END_TEST

static void *pass_and_look(void *unused)
{
	(void)unused;
	gate_pass(&gate);
	return box(soon_cancel_requested());
}

/* It was pending when what ran was asked, and ran when what was pending was
 * cancelled. */
START_TEST(a_job_that_starts_between_two_shutdowns_is_left_alone)
{
	soon_future *first, *second;
	struct gate door;
	void *asked = NULL;

	gate_init(&door);
	/* Not by soon_sleep(), which would let the second start. */
	first = submit(pool, gate_job, &door);
	gate_await(&door, 1);
	second = submit(pool, pass_and_look, NULL);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_RUNNING, 0),
			 EINPROGRESS);
	gate_open(&door);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(second, SOON_FOREVER, &asked), 0);
	ck_assert_int_eq(unbox(asked), false);
	ck_assert(soon_future_cancel_requested(first));
	ck_assert(!soon_future_cancel_requested(second));
	soon_future_unref(first);
	soon_future_unref(second);
	gate_fini(&door);
}
END_TEST

/* Also a job that is on its way from pending to running meanwhile. */
START_TEST(both_flags_end_a_pool_that_would_never_end)
{
	soon_future *f[8];
	struct tally started;

	tally_init(&started);
	for (int i = 0; i < 8; i++)
		f[i] = submit(pool, run_until_asked, &started);
	tally_await(&started, 1);
	ck_assert_int_eq(soon_executor_shutdown(pool,
						SOON_CANCEL_PENDING |
							SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	for (int i = 0; i < 8; i++) {
		ck_assert(soon_future_done(f[i]));
		ck_assert(soon_future_cancel_requested(f[i]));
		soon_future_unref(f[i]);
	}
	tally_fini(&started);
}
END_TEST

static void *shut_down(void *e)
{
	return box(soon_executor_shutdown(e, 0, SOON_FOREVER));
}

START_TEST(several_threads_may_shut_down_at_once)
{
	struct actor actors[6];

	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	for (size_t i = 0; i < COUNT_OF(actors); i++)
		actor_start(&actors[i], shut_down, pool);
	for (size_t i = 0; i < COUNT_OF(actors); i++)
		actor_await_asleep(&actors[i]);
	gate_open(&gate);
	for (size_t i = 0; i < COUNT_OF(actors); i++)
		ck_assert_int_eq(unbox(actor_join(&actors[i])), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
}
END_TEST

/* Of three jobs it runs the second itself, whose entry stays in the queue. */
static void *wait_for_second(void *started)
{
	soon_fn *const fn[] = { return_null, run_until_asked, return_null };
	soon_future *f[3];

	for (size_t i = 0; i < COUNT_OF(f); i++)
		f[i] = soon_submit(pool, fn[i], started);
	soon_future_wait(f[1], SOON_FOREVER);
	for (size_t i = 0; i < COUNT_OF(f); i++)
		soon_future_unref(f[i]);
	return NULL;
}

START_TEST(a_job_that_its_waiter_claimed_is_asked_to_stop)
{
	struct tally started;
	soon_future *f;

	tally_init(&started);
	f = submit(pool, wait_for_second, &started);
	tally_await(&started, 1);
	ck_assert_int_eq(soon_executor_shutdown(pool,
						SOON_CANCEL_PENDING |
							SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	ck_assert_int_eq(soon_future_result(f, 0, NULL), 0);
	soon_future_unref(f);
	tally_fini(&started);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("shutdown");
	TCase *t = tcase_create("modes");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, an_empty_pool_ends_at_once_and_stays_ended);
	tcase_add_test(t, unknown_flags_are_errors_and_leave_the_pool_open);
	tcase_add_test(t, what_is_queued_still_runs);
	tcase_add_test(t, freeing_finishes_what_is_queued);
	tcase_add_test(t, a_shutdown_may_time_out_and_be_called_again);
	tcase_add_test(t, a_poll_only_begins_it);
	tcase_add_test(t, cancelling_what_is_pending_tells_everybody_at_once);
	tcase_add_test(t, cancelling_what_runs_leaves_the_queue_alone);
	tcase_add_test(t, a_shutdown_may_be_repeated_with_more_flags);
	tcase_add_test(t,
		       a_job_that_starts_between_two_shutdowns_is_left_alone);
	tcase_add_loop_test(t, both_flags_end_a_pool_that_would_never_end, 0,
			    (int)test_scale(40));
	tcase_add_test(t, several_threads_may_shut_down_at_once);
	tcase_add_test(t, a_job_that_its_waiter_claimed_is_asked_to_stop);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
