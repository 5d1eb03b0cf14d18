/*
 * api_deadline.c - jobs that fail unless they start in time.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#define LONG (1000 * SOON_SEC)
#define SHORT (2 * SOON_MSEC)

static soon_executor *pool;
static struct gate gate, at_user;
static struct tally ran, freed, called;

static pthread_t main_thread;

static void setup(void)
{
	main_thread = pthread_self();
	pool = pool_of(2);
	gate_init(&gate);
	gate_init(&at_user);
	tally_init(&ran);
	tally_init(&freed);
	tally_init(&called);
}

static void teardown(void)
{
	gate_open(&gate);
	gate_open(&at_user);
	soon_executor_free(pool);
	gate_fini(&gate);
	gate_fini(&at_user);
	tally_fini(&ran);
	tally_fini(&freed);
	tally_fini(&called);
}

static void *run(void *arg)
{
	tally_add(&ran, 1);
	return arg;
}

static soon_future *submit_within(soon_nsec start_within)
{
	return submit_job(pool, SOON_JOB(.fn = run, .arg = &freed,
					 .start_within = start_within,
					 .free_arg = tally_free));
}

static void count_call(soon_future *f, void *ctx)
{
	if (soon_future_error(f) == ETIMEDOUT)
		tally_add(ctx, 1);
}

static void expect_expired(soon_future *f)
{
	void *result = &ran;

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert_int_eq(soon_future_error(f), ETIMEDOUT);
	ck_assert_str_eq(soon_future_message(f), soon_strerror(ETIMEDOUT));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result),
			 ETIMEDOUT);
	ck_assert_ptr_null(result);
	ck_assert_ptr_null(soon_future_take(f));
	ck_assert(!soon_future_cancel_requested(f));
	ck_assert_int_eq(soon_future_cancel(f), EALREADY);
}

START_TEST(one_that_starts_in_time_is_like_any_other)
{
	soon_future *f = submit_within(_i == 0 ? LONG : SOON_FOREVER);
	void *result = NULL;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &freed);
	ck_assert_uint_eq(tally_get(&freed), 1);
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
	g = submit_within(SHORT); /* of two, the other expires */
	expect_expired(g);
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
	f = submit_within(SHORT);
	set = soon_as_completed(&f, 1);
	soon_future_on_done(f, count_call, &called);
	ck_assert_int_eq(soon_wait_any(&f, 1, SOON_FOREVER, &index), 0);
	ck_assert_uint_eq(index, 0);
	expect_expired(f);
	ck_assert_int_eq(soon_completions_next(set, SOON_FOREVER, &next), 0);
	ck_assert_ptr_eq(next, f);
	soon_completions_free(set);
	tally_await(&freed, 1);
	tally_await(&called, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&ran), 0);
	ck_assert_uint_eq(tally_get(&freed), 1);
	ck_assert_uint_eq(tally_get(&called), 1);
	expect_expired(f);
	soon_future_unref(f);
}
END_TEST

START_TEST(it_is_pending_until_then)
{
	soon_future *f;

	pool_hold(pool, &gate, 2);
	f = submit_within(LONG);
	ck_assert_int_eq(soon_future_wait(f, SHORT), ETIMEDOUT);
	ck_assert(!soon_future_done(f));
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	ck_assert_uint_eq(tally_get(&freed), 1);
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
	f = submit_within(within);
	expect_expired(f);
	ck_assert_int_ge(now() - before, within);
	soon_future_unref(f);
}
END_TEST

START_TEST(of_many_that_nobody_holds_each_is_accounted_for)
{
	enum { N = 100 };
	void *args[N];

	for (int i = 0; i < N; i++)
		args[i] = &freed;
	pool_hold(pool, &gate, 2);
	ck_assert_int_eq(soon_submit_many(pool,
					  SOON_JOB(.fn = run,
						   .start_within = SHORT,
						   .free_arg = tally_free),
					  args, N, NULL),
			 0);
	tally_await(&freed, N);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&freed), N);
	ck_assert_uint_eq(tally_get(&ran), 0);
}
END_TEST

static void *wait_for_inner(void *unused)
{
	soon_future *f = submit_within(LONG);
	int rc = soon_future_wait(f, SOON_FOREVER);

	(void)unused;
	soon_future_unref(f);
	return rc == 0 ? &ran : NULL;
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
		ck_assert_ptr_eq(result, &ran);
		soon_future_unref(f[i]);
	}
	ck_assert_uint_eq(tally_get(&ran), COUNT_OF(f));
	ck_assert_uint_eq(tally_get(&freed), COUNT_OF(f));
}
END_TEST

START_TEST(a_delay_comes_first)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	job.fn = run;
	job.arg = &freed;
	job.free_arg = tally_free;
	job.delay = SHORT;
	for (job.start_within = SHORT - 1; job.start_within <= SHORT;
	     job.start_within++) {
		ck_assert_ptr_null(soon_submit_job(pool, &job));
		ck_assert_int_eq(errno, EINVAL);
	}
	ck_assert_uint_eq(tally_get(&freed), 0);
	job.start_within = LONG;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
	pool_hold(pool, &gate, 2);
	job.start_within = 2 * SHORT;
	f = submit_job(pool, &job);
	expect_expired(f);
	soon_future_unref(f);
	tally_await(&freed, 2);
	ck_assert_uint_eq(tally_get(&ran), 1);
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
	ck_assert_uint_eq(tally_get(&freed), 4);
}
END_TEST

/* Users' code at the gate. */

static void *at_gate(void *arg)
{
	gate_pass(&at_user);
	return arg;
}

static void free_at_gate(void *arg)
{
	at_gate(arg);
}

/* A callback that comes so late that it runs on the main thread is no good. */
static bool too_late; /* the main thread's */

static bool is_too_late(void)
{
	if (!pthread_equal(pthread_self(), main_thread))
		return false;
	too_late = true;
	return true;
}

/* A job that expires after it was given the callback. */
static soon_future *submit_called(void (*callback)(soon_future *, void *),
				  void *ctx)
{
	for (soon_nsec within = SHORT;; within *= 2) {
		soon_future *f = submit_within(within);

		too_late = false;
		ck_assert_int_eq(soon_future_on_done(f, callback, ctx), 0);
		if (!too_late)
			return f;
		soon_future_unref(f);
	}
}

static void call_at_gate(soon_future *f, void *ctx)
{
	(void)f;
	if (!is_too_late())
		at_gate(ctx);
}

START_TEST(neither_callbacks_nor_destructors_hold_up_others)
{
	soon_future *f[6], *late;

	pool_hold(pool, &gate, 2);
	for (size_t i = 0; i < COUNT_OF(f); i += 2) {
		f[i] = submit_called(call_at_gate, NULL);
		f[i + 1] = submit_job(pool,
				      SOON_JOB(.fn = run, .start_within = SHORT,
					       .free_arg = free_at_gate));
	}
	gate_await(&at_user, COUNT_OF(f));
	for (size_t i = 0; i < COUNT_OF(f); i++)
		expect_expired(f[i]);
	/* And now that all of them stand there. */
	late = submit_within(SHORT);
	expect_expired(late);
	soon_future_unref(late);
	gate_open(&gate);
	late = submit_job(pool, SOON_JOB(.fn = run, .delay = SHORT));
	ck_assert_int_eq(soon_future_result(late, SOON_FOREVER, NULL), 0);
	soon_future_unref(late);
	for (size_t i = 0; i < COUNT_OF(f); i++)
		soon_future_unref(f[i]);
}
END_TEST

START_TEST(the_pool_does_not_end_before_the_callback)
{
	soon_future *f;

	pool_hold(pool, &gate, 2);
	f = submit_called(call_at_gate, NULL);
	gate_await(&at_user, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_MSEC), ETIMEDOUT);
	gate_open(&at_user);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_future_unref(f);
}
END_TEST

static void shut_down(soon_future *f, void *ctx)
{
	soon_executor *e;
	soon_future *g;
	bool good;

	if (is_too_late())
		return;
	good = soon_self() == NULL &&
	       soon_executor_shutdown(pool, 0, SOON_FOREVER) == EDEADLK &&
	       soon_executor_shutdown(pool, 0, 0) == EINPROGRESS;
	e = soon_executor_new(1);
	g = soon_submit_job(e, SOON_JOB(.fn = run, .delay = 1,
					.start_within = LONG));
	good = good && soon_future_result(g, SOON_FOREVER, NULL) == 0;
	soon_future_unref(g);
	soon_executor_free(e);
	if (good)
		count_call(f, ctx);
}

START_TEST(a_callback_may_use_the_library)
{
	soon_future *f;

	pool_hold(pool, &gate, 2);
	f = submit_called(shut_down, &called);
	tally_await(&called, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_shutdown_that_cancels_leaves_nothing_to_expire)
{
	soon_future *f;

	pool_hold(pool, &gate, 2);
	f = submit_within(LONG);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	ck_assert_uint_eq(tally_get(&freed), 1);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_closed_pool_refuses_it_and_frees_nothing)
{
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	for (soon_nsec within = 1; within < LONG; within *= 1000) {
		ck_assert_ptr_null(soon_submit_job(
			pool, SOON_JOB(.fn = run, .arg = &freed,
				       .start_within = within,
				       .free_arg = tally_free)));
		ck_assert_int_eq(errno, ESHUTDOWN);
	}
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

START_TEST(an_inline_pool_always_starts_in_time)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	soon_future *f;

	o.flags = SOON_INLINE;
	e = soon_executor_open(&o);
	f = submit_job(e, SOON_JOB(.fn = run, .delay = 1, .start_within = 2));
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
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, one_that_starts_in_time_is_like_any_other, 0, 2);
	tcase_add_test(t, one_that_has_started_is_not_failed);
	tcase_add_test(t,
		       with_all_workers_stuck_it_fails_in_time_and_never_runs);
	tcase_add_test(t, it_is_pending_until_then);
	tcase_add_loop_test(t, it_fails_no_earlier_than_it_says, 1, 4);
	tcase_add_test(t, of_many_that_nobody_holds_each_is_accounted_for);
	tcase_add_test(t, a_job_that_waits_for_it_starts_it_in_time);
	tcase_add_test(t, a_delay_comes_first);
	tcase_add_test(t, neither_callbacks_nor_destructors_hold_up_others);
	tcase_add_test(t, the_pool_does_not_end_before_the_callback);
	tcase_add_test(t, a_callback_may_use_the_library);
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
