/*
 * api_compose_within.c - a future with a time limit, or a shield: it has the same
 * outcome as another, unless the time is over.
 */
#include "support/compose.h"

#include <errno.h>
#include <string.h>

enum { N = 2 };

static soon_executor *pool; /* of one */
static struct gate gate;
static struct gate in_callback;
static struct tally called;
static soon_future *in[N]; /* promises */

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	gate_init(&in_callback);
	tally_init(&called);
	tally_init(&freed);
	for (int i = 0; i < N; i++) {
		in[i] = soon_future_new(tally_free);
		ck_assert_ptr_nonnull(in[i]);
	}
}

static void teardown(void)
{
	gate_open(&gate);
	gate_open(&in_callback);
	for (int i = 0; i < N; i++)
		soon_future_unref(in[i]);
	soon_executor_free(pool);
	gate_fini(&gate);
	gate_fini(&in_callback);
	tally_fini(&called);
	tally_fini(&freed);
}

/* Within, in even loops, and shield. */

static soon_future *wrap(int loop)
{
	soon_future *f = loop % 2 == 0 ? soon_within(in[0], 1000 * SOON_SEC)
				       : soon_shield(in[0]);

	ck_assert_ptr_nonnull(f);
	return f;
}

START_TEST(within_and_shield_have_the_same_outcome)
{
	enum end end = (enum end)(_i / 2 % 3);
	soon_future *f;

	if (_i >= 6)
		finish(in[0], end);
	f = wrap(_i);
	if (_i < 6) {
		expect_pending(f);
		finish(in[0], end);
	}
	if (end == SUCCEED)
		expect_result(f, &freed);
	else if (end == FAIL)
		expect_like(f, FAIL);
	else
		ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_take_takes_both)
{
	soon_future *f = wrap(_i);
	soon_future *g = soon_shield(f);

	finish(in[0], SUCCEED);
	if (_i < 2) {
		ck_assert_ptr_eq(soon_future_take(g), &freed);
		ck_assert_ptr_null(soon_future_take(in[0]));
	} else {
		ck_assert_ptr_eq(soon_future_take(in[0]), &freed);
		ck_assert_ptr_null(soon_future_take(g));
	}
	ck_assert_ptr_null(soon_future_take(f));
	soon_future_unref(f);
	soon_future_unref(g);
	soon_future_unref(in[0]);
	in[0] = NULL;
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

START_TEST(a_result_is_freed_once_with_the_last_that_shows_it)
{
	soon_future *f = wrap(_i);

	finish(in[0], SUCCEED);
	soon_future_unref(in[0]);
	in[0] = NULL;
	ck_assert_uint_eq(tally_get(&freed), 0);
	expect_result(f, &freed);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 1);
}
END_TEST

START_TEST(a_destructor_is_the_originals)
{
	soon_future *p = soon_future_new(NULL);
	soon_future *f = soon_shield(p);

	ck_assert_int_eq(soon_future_own(f, tally_free), 0);
	ck_assert_int_eq(soon_future_own(p, tally_free), EALREADY);
	ck_assert_int_eq(soon_future_set_result(p, &freed), 0);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 0);
	soon_future_unref(p);
	ck_assert_uint_eq(tally_get(&freed), 1);
}
END_TEST

/* Time limits */

/* Loops: in time to come, none, less than none. */
START_TEST(what_is_not_done_in_time_is_cancelled)
{
	static const soon_nsec timeouts[] = { SOON_MSEC, 0, -5, INT64_MIN };
	soon_future *f = soon_within(in[0], timeouts[_i]);

	ck_assert_ptr_nonnull(f);
	if (_i > 0)
		ck_assert(soon_future_done(f));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert_str_eq(soon_future_message(f), soon_strerror(ETIMEDOUT));
	ck_assert_int_eq(soon_future_state(in[0]), SOON_CANCELLED);
	soon_future_unref(f);
}
END_TEST

START_TEST(what_is_done_needs_no_time)
{
	soon_future *f;
	void *result = NULL;

	ck_assert_int_eq(soon_future_set_result(in[0], &freed), 0);
	f = soon_within(in[0], _i == 0 ? 0 : SOON_SEC);
	ck_assert_int_eq(soon_future_result(f, 0, &result), 0);
	ck_assert_ptr_eq(result, &freed);
	soon_future_unref(f);
}
END_TEST

static void pass_in_callback(soon_future *f, void *g)
{
	(void)f;
	gate_pass(g);
}

/* A callback that takes its time holds up no other timer, nor who waits. */
START_TEST(callbacks_hold_up_no_clock)
{
	soon_future *f, *g;

	ck_assert_int_eq(soon_future_on_done(in[0], pass_in_callback, &gate),
			 0);
	f = soon_within(in[0], SOON_MSEC);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	gate_await(&gate, 1);
	g = soon_within(in[1], SOON_MSEC);
	ck_assert_int_eq(soon_future_result(g, SOON_FOREVER, NULL), ETIMEDOUT);
	soon_future_unref(f);
	soon_future_unref(g);
}
END_TEST

static void *count_run(soon_future *done, void *tally)
{
	tally_add(tally, 1);
	return done;
}

START_TEST(a_continuation_that_comes_too_late_never_runs)
{
	soon_future *f = soon_then(in[0], pool, count_run, &called);
	soon_future *g = soon_within(f, SOON_MSEC);

	ck_assert_int_eq(soon_future_result(g, SOON_FOREVER, NULL), ETIMEDOUT);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	ck_assert_int_eq(soon_future_state(in[0]), SOON_PENDING);
	ck_assert_int_eq(soon_future_set_result(in[0], NULL), 0);
	soon_future_unref(f);
	soon_future_unref(g);
	ck_assert_uint_eq(tally_get(&called), 0);
}
END_TEST

static pthread_t main_thread;
static bool came_too_late;

/* What the end of its executor says in there: bit 0. */
static void end_in_callback(soon_future *f, void *g)
{
	int rc;

	(void)f;
	if (pthread_equal(pthread_self(), main_thread)) {
		came_too_late = true;
		return;
	}
	rc = soon_executor_shutdown(pool, 0, SOON_SEC);
	gate_pass(g);
	tally_add(&called, rc == EDEADLK ? 1 : 2);
}

/* With the callback, which has to be there before the time is over. */
static soon_future *fail_in_time(soon_future *job, bool shielded)
{
	soon_nsec timeout = SOON_MSEC;
	soon_future *f = NULL;

	main_thread = pthread_self();
	do {
		soon_future *input = shielded ? soon_shield(job)
					      : soon_future_ref(job);

		soon_future_unref(f);
		came_too_late = false;
		f = soon_within(input, timeout);
		soon_future_unref(input);
		ck_assert_int_eq(soon_future_on_done(f, end_in_callback,
						     &in_callback),
				 0);
		timeout *= 2;
	} while (came_too_late);
	return f;
}

/* Loops: a job with a limit; one behind shields. */
START_TEST(the_end_waits_for_callbacks_of_what_came_too_late)
{
	soon_future *job = submit(pool, gate_job, &gate);
	soon_future *f;

	gate_await(&gate, 1);
	f = fail_in_time(job, _i == 1);
	gate_await(&in_callback, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(job, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 20 * SOON_MSEC),
			 ETIMEDOUT);
	gate_open(&in_callback);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&called), 1);
	soon_future_unref(f);
	soon_future_unref(job);
}
END_TEST

START_TEST(without_any_time_a_pending_job_is_cancelled)
{
	soon_future *job, *f;

	pool_hold(pool, &gate, 1);
	job = submit(pool, return_null, NULL);
	f = soon_within(job, 0);
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(soon_future_result(f, 0, NULL), ETIMEDOUT);
	ck_assert_int_eq(soon_future_state(job), SOON_CANCELLED);
	soon_future_unref(f);
	soon_future_unref(job);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_compose_within");
	TCase *t = tcase_create("within");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, without_any_time_a_pending_job_is_cancelled);
	tcase_add_loop_test(t, within_and_shield_have_the_same_outcome, 0, 12);
	tcase_add_loop_test(t, a_take_takes_both, 0, 4);
	tcase_add_loop_test(
		t, a_result_is_freed_once_with_the_last_that_shows_it, 0, 2);
	tcase_add_test(t, a_destructor_is_the_originals);
	tcase_add_loop_test(t, what_is_not_done_in_time_is_cancelled, 0, 4);
	tcase_add_loop_test(t, what_is_done_needs_no_time, 0, 2);
	tcase_add_test(t, callbacks_hold_up_no_clock);
	tcase_add_test(t, a_continuation_that_comes_too_late_never_runs);
	tcase_add_loop_test(
		t, the_end_waits_for_callbacks_of_what_came_too_late, 0, 2);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
