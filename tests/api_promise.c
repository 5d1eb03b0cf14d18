/*
 * api_promise.c - futures completed by hand.
 */
#include "support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static soon_future *promise;
static struct tally freed;
static struct tally called;

static void setup(void)
{
	tally_init(&freed);
	tally_init(&called);
	promise = soon_future_new(tally_free);
	ck_assert_ptr_nonnull(promise);
}

static void teardown(void)
{
	soon_future_unref(promise);
	tally_fini(&freed);
	tally_fini(&called);
}

/* Drop the fixture's reference. */
static void drop_promise(void)
{
	soon_future_unref(promise);
	promise = NULL;
}

/* A callback that counts if the future failed for want of a producer. */
static void count_dropped(soon_future *f, void *tally)
{
	if (soon_future_state(f) == SOON_FAILED &&
	    soon_future_error(f) == SOON_EDROPPED &&
	    strcmp(soon_future_message(f), soon_strerror(SOON_EDROPPED)) == 0)
		tally_add(tally, 1);
	else
		tally_add(tally, 100);
}

static void count_done(soon_future *f, void *tally)
{
	(void)f;
	tally_add(tally, 1);
}

/* All that changes a promise says `code` now, and changes nothing. */
static void expect_closed(soon_future *f, int code)
{
	enum soon_state state = soon_future_state(f);
	int error = soon_future_error(f);

	ck_assert_int_eq(soon_future_set_result(f, &freed), code);
	ck_assert_int_eq(soon_future_set_error(f, EPERM, "late"), code);
	ck_assert_int_eq(soon_future_set_running(f), code);
	ck_assert_int_eq(soon_future_state(f), state);
	ck_assert_int_eq(soon_future_error(f), error);
}

START_TEST(null_is_an_error)
{
	ck_assert_int_eq(soon_future_set_running(NULL), EINVAL);
	ck_assert_int_eq(soon_future_set_result(NULL, &freed), EINVAL);
	ck_assert_int_eq(soon_future_set_error(NULL, EIO, "no"), EINVAL);
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

START_TEST(a_new_promise_is_pending)
{
	ck_assert_int_eq(soon_future_state(promise), SOON_PENDING);
	ck_assert(!soon_future_done(promise));
	ck_assert_int_eq(soon_future_error(promise), EBUSY);
	ck_assert_str_eq(soon_future_message(promise), "");
	ck_assert_ptr_null(soon_future_arg(promise));
	ck_assert_ptr_null(soon_future_take(promise));
	ck_assert_int_eq(soon_future_wait(promise, 0), ETIMEDOUT);
	ck_assert_int_eq(soon_future_wait(promise, SOON_MSEC), ETIMEDOUT);
	ck_assert_int_eq(soon_future_result(promise, -1, NULL), ETIMEDOUT);
	ck_assert(!soon_future_cancel_requested(promise));
}
END_TEST

START_TEST(a_result_is_set_once)
{
	void *result = NULL;
	struct tally other;

	tally_init(&other);
	ck_assert_int_eq(soon_future_set_result(promise, &freed), 0);
	ck_assert_int_eq(soon_future_set_result(promise, &other), EALREADY);
	expect_closed(promise, EALREADY);
	ck_assert_int_eq(soon_future_state(promise), SOON_SUCCEEDED);
	ck_assert_int_eq(soon_future_result(promise, 0, &result), 0);
	ck_assert_ptr_eq(result, &freed);
	ck_assert_int_eq(soon_future_cancel(promise), EALREADY);
	ck_assert_uint_eq(tally_get(&freed), 0);
	drop_promise();
	ck_assert_uint_eq(tally_get(&freed), 1);
	ck_assert_uint_eq(tally_get(&other), 0);
	tally_fini(&other);
}
END_TEST

START_TEST(a_result_that_was_taken_or_is_null_is_not_freed)
{
	ck_assert_int_eq(soon_future_set_result(promise, &freed), 0);
	ck_assert_ptr_eq(soon_future_take(promise), &freed);
	ck_assert_ptr_null(soon_future_take(promise));
	drop_promise();
	promise = soon_future_new(tally_free);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_future_error(promise), 0);
	drop_promise();
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

START_TEST(own_gives_a_promise_its_destructor)
{
	soon_future *f = soon_future_new(NULL);

	ck_assert_int_eq(soon_future_own(promise, tally_free), EALREADY);
	ck_assert_int_eq(soon_future_own(f, NULL), EINVAL);
	ck_assert_int_eq(soon_future_own(f, tally_free), 0);
	ck_assert_int_eq(soon_future_own(f, tally_free), EALREADY);
	ck_assert_int_eq(soon_future_set_result(f, &freed), 0);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 1);
}
END_TEST

START_TEST(an_error_has_a_code_and_a_copied_message)
{
	char part[] = "sector";
	void *result = &freed;

	ck_assert_int_eq(soon_future_set_error(promise, EIO, "%s %d of %s",
					       part, 7, "disk"),
			 0);
	memset(part, 'x', sizeof(part) - 1);
	ck_assert_int_eq(soon_future_state(promise), SOON_FAILED);
	ck_assert_int_eq(soon_future_error(promise), EIO);
	ck_assert_str_eq(soon_future_message(promise), "sector 7 of disk");
	ck_assert_int_eq(soon_future_result(promise, SOON_FOREVER, &result),
			 EIO);
	ck_assert_ptr_null(result);
	expect_closed(promise, EALREADY);
	ck_assert_str_eq(soon_future_message(promise), "sector 7 of disk");
	ck_assert_int_eq(soon_future_cancel(promise), EALREADY);
	drop_promise();
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

START_TEST(an_error_without_message_has_its_codes_text)
{
	ck_assert_int_eq(soon_future_set_error(promise, ENOENT, NULL), 0);
	ck_assert_str_eq(soon_future_message(promise), soon_strerror(ENOENT));
}
END_TEST

START_TEST(a_long_message_is_kept_whole)
{
	enum { LONG = 100000 };
	char *text = malloc(LONG + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'm', LONG);
	text[LONG] = '\0';
	ck_assert_int_eq(soon_future_set_error(promise, EIO, "%s!", text), 0);
	ck_assert_uint_eq(strlen(soon_future_message(promise)), LONG + 1);
	ck_assert_int_eq(memcmp(soon_future_message(promise), text, LONG), 0);
	free(text);
}
END_TEST

START_TEST(code_zero_is_no_error)
{
	ck_assert_int_eq(soon_future_set_error(promise, 0, "nothing"), EINVAL);
	ck_assert_int_eq(soon_future_state(promise), SOON_PENDING);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_str_eq(soon_future_message(promise), "");
}
END_TEST

START_TEST(a_running_promise_is_only_asked_to_stop)
{
	ck_assert_int_eq(soon_future_set_running(promise), 0);
	ck_assert_int_eq(soon_future_state(promise), SOON_RUNNING);
	ck_assert(!soon_future_done(promise));
	ck_assert_int_eq(soon_future_set_running(promise), EALREADY);
	ck_assert(!soon_future_cancel_requested(promise));
	ck_assert_int_eq(soon_future_cancel(promise), EBUSY);
	ck_assert(soon_future_cancel_requested(promise));
	ck_assert_int_eq(soon_future_state(promise), SOON_RUNNING);
	ck_assert_int_eq(soon_future_wait(promise, 0), ETIMEDOUT);
	ck_assert_int_eq(soon_future_set_result(promise, &freed), 0);
	ck_assert_int_eq(soon_future_state(promise), SOON_SUCCEEDED);
	expect_closed(promise, EALREADY);
}
END_TEST

START_TEST(a_cancelled_promise_takes_no_outcome)
{
	ck_assert_int_eq(soon_future_on_done(promise, count_done, &called), 0);
	ck_assert_int_eq(soon_future_cancel(promise), 0);
	ck_assert_uint_eq(tally_get(&called), 1);
	expect_closed(promise, ECANCELED);
	ck_assert_int_eq(soon_future_state(promise), SOON_CANCELLED);
	ck_assert_int_eq(soon_future_cancel(promise), 0);
	drop_promise();
	ck_assert_uint_eq(tally_get(&freed), 0);
	ck_assert_uint_eq(tally_get(&called), 1);
}
END_TEST

START_TEST(the_future_of_a_job_is_no_promise)
{
	soon_executor *pool = pool_of(1);
	struct gate gate;
	soon_future *f[3];

	gate_init(&gate);
	f[0] = submit(pool, return_arg, &freed);
	ck_assert_int_eq(soon_future_wait(f[0], SOON_FOREVER), 0);
	f[1] = submit(pool, gate_job, &gate);
	gate_await(&gate, 1);
	f[2] = submit(pool, return_arg, &freed);
	for (int i = 0; i < 3; i++)
		expect_closed(f[i], EINVAL);
	ck_assert_int_eq(soon_future_cancel(f[2]), 0);
	expect_closed(f[2], EINVAL);
	gate_open(&gate);
	for (int i = 0; i < 3; i++)
		soon_future_unref(f[i]);
	soon_executor_free(pool);
	gate_fini(&gate);
}
END_TEST

START_TEST(a_dropped_promise_fails_and_its_callbacks_see_it)
{
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(soon_future_on_done(promise, count_dropped,
						     &called),
				 0);
	ck_assert_ptr_eq(soon_future_ref(promise), promise);
	soon_future_unref(promise);
	ck_assert_uint_eq(tally_get(&called), 0);
	if (_i == 1)
		ck_assert_int_eq(soon_future_set_running(promise), 0);
	drop_promise();
	ck_assert_uint_eq(tally_get(&called), 3);
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

static soon_future *kept;

static void keep(soon_future *f, void *ctx)
{
	(void)ctx;
	kept = soon_future_ref(f);
}

START_TEST(a_callback_may_keep_a_dropped_promise)
{
	ck_assert_int_eq(soon_future_on_done(promise, keep, NULL), 0);
	drop_promise();
	ck_assert_int_eq(soon_future_error(kept), SOON_EDROPPED);
	expect_closed(kept, EALREADY);
	soon_future_unref(kept);
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

START_TEST(a_finished_promise_is_not_dropped)
{
	ck_assert_int_eq(soon_future_on_done(promise, count_done, &called), 0);
	ck_assert_int_eq(soon_future_set_error(promise, EIO, NULL), 0);
	ck_assert_uint_eq(tally_get(&called), 1);
	drop_promise();
	ck_assert_uint_eq(tally_get(&called), 1);
}
END_TEST

struct sight {
	pthread_t thread;
	int order;
};

static void look(soon_future *f, void *ctx)
{
	struct sight *s = ctx;

	(void)f;
	s->thread = pthread_self();
	s->order = (int)tally_get(&called);
	tally_add(&called, 1);
}

START_TEST(callbacks_run_on_the_thread_that_completes)
{
	struct sight s[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(soon_future_on_done(promise, look, &s[i]), 0);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	for (int i = 0; i < 4; i++) {
		ck_assert(pthread_equal(s[i].thread, pthread_self()));
		ck_assert_int_eq(s[i].order, i);
	}
}
END_TEST

static void *wait_forever(void *f)
{
	void *result = NULL;

	return soon_future_result(f, SOON_FOREVER, &result) == 0 ? result
								 : NULL;
}

static void *complete(void *result)
{
	return box(soon_future_set_result(promise, result));
}

START_TEST(completing_wakes_every_waiter)
{
	soon_executor *pool = pool_of(1);
	struct actor waiters[6];
	soon_future *f;

	for (size_t i = 0; i < COUNT_OF(waiters); i++)
		actor_start(&waiters[i], wait_forever, promise);
	for (size_t i = 0; i < COUNT_OF(waiters); i++)
		actor_await_asleep(&waiters[i]);
	f = submit(pool, complete, &freed);
	for (size_t i = 0; i < COUNT_OF(waiters); i++)
		ck_assert_ptr_eq(actor_join(&waiters[i]), &freed);
	soon_future_unref(f);
	soon_executor_free(pool);
}
END_TEST

/* What the waits that ran out left behind would be woken, or found in use. */
START_TEST(waits_that_timed_out_leave_nothing_behind)
{
	for (unsigned i = 0; i < test_scale(20000); i++)
		ck_assert_int_eq(soon_future_wait(promise, i % 2), ETIMEDOUT);
	ck_assert_int_eq(soon_future_set_result(promise, &freed), 0);
	ck_assert_int_eq(soon_future_wait(promise, 0), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("promise");
	TCase *t = tcase_create("promise");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, null_is_an_error);
	tcase_add_test(t, a_new_promise_is_pending);
	tcase_add_test(t, a_result_is_set_once);
	tcase_add_test(t, a_result_that_was_taken_or_is_null_is_not_freed);
	tcase_add_test(t, own_gives_a_promise_its_destructor);
	tcase_add_test(t, an_error_has_a_code_and_a_copied_message);
	tcase_add_test(t, an_error_without_message_has_its_codes_text);
	tcase_add_test(t, a_long_message_is_kept_whole);
	tcase_add_test(t, code_zero_is_no_error);
	tcase_add_test(t, the_future_of_a_job_is_no_promise);
	tcase_add_test(t, a_running_promise_is_only_asked_to_stop);
	tcase_add_test(t, a_cancelled_promise_takes_no_outcome);
	tcase_add_loop_test(t, a_dropped_promise_fails_and_its_callbacks_see_it,
			    0, 2);
	tcase_add_test(t, a_callback_may_keep_a_dropped_promise);
	tcase_add_test(t, a_finished_promise_is_not_dropped);
	tcase_add_test(t, callbacks_run_on_the_thread_that_completes);
	tcase_add_test(t, completing_wakes_every_waiter);
	tcase_add_test(t, waits_that_timed_out_leave_nothing_behind);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
