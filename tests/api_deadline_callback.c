/*
 * api_deadline_callback.c - the callbacks and destructors of jobs that have not
 * started in time: whom they hold up, and what they may do.
 */
#include "support/deadline.h"

#include <errno.h>

static struct gate at_user;
static pthread_t main_thread;

static void setup(void)
{
	main_thread = pthread_self();
	deadline_setup();
	gate_init(&at_user);
}

static void teardown(void)
{
	gate_open(&at_user);
	deadline_teardown();
	gate_fini(&at_user);
}

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
		soon_future *f = deadline_submit(within);

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
		f[i + 1] = submit_job(pool, SOON_JOB(.fn = deadline_run,
						     .start_within = SHORT,
						     .free_arg = free_at_gate));
	}
	gate_await(&at_user, COUNT_OF(f));
	for (size_t i = 0; i < COUNT_OF(f); i++)
		deadline_expect_expired(f[i]);
	/* And now that all of them stand there. */
	late = deadline_submit(SHORT);
	deadline_expect_expired(late);
	soon_future_unref(late);
	gate_open(&gate);
	late = submit_job(pool, SOON_JOB(.fn = deadline_run, .delay = SHORT));
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
	g = soon_submit_job(e, SOON_JOB(.fn = deadline_run, .delay = 1,
					.start_within = LONG));
	good = good && soon_future_result(g, SOON_FOREVER, NULL) == 0;
	soon_future_unref(g);
	soon_executor_free(e);
	if (good)
		deadline_count_call(f, ctx);
}

START_TEST(a_callback_may_use_the_library)
{
	soon_future *f;

	pool_hold(pool, &gate, 2);
	f = submit_called(shut_down, &deadline_called);
	tally_await(&deadline_called, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_future_unref(f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("deadline_callback");
	TCase *t = tcase_create("deadline_callback");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, neither_callbacks_nor_destructors_hold_up_others);
	tcase_add_test(t, the_pool_does_not_end_before_the_callback);
	tcase_add_test(t, a_callback_may_use_the_library);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
