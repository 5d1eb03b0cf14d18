/*
 * api_compose_cancel.c - futures made of others: cancelling, and who hears of
 * errors.
 */
#include "support/support.h"

#include <errno.h>
#include <string.h>

enum { N = 3 };

static soon_executor *pool; /* of one */
static struct gate gate;
static struct tally called;
static struct tally unread;
static soon_future *in[N]; /* promises */

static void count_unread(soon_future *f, void *tally)
{
	(void)f;
	tally_add(tally, 1);
}

static void setup(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	gate_init(&gate);
	tally_init(&called);
	tally_init(&unread);
	o.workers = 1;
	o.max_workers = 1;
	o.unread_error = count_unread;
	o.unread_ctx = &unread;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	for (int i = 0; i < N; i++) {
		in[i] = soon_future_new(NULL);
		ck_assert_ptr_nonnull(in[i]);
	}
}

static void teardown(void)
{
	gate_open(&gate);
	for (int i = 0; i < N; i++)
		soon_future_unref(in[i]);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&called);
	tally_fini(&unread);
}

static void count_cancelled(soon_future *f, void *tally)
{
	tally_add(tally, soon_future_state(f) == SOON_CANCELLED);
}

/* Cancel f, which is told at once; what the first input's state is then. */
static enum soon_state cancel(soon_future *f)
{
	unsigned before = tally_get(&called);

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(soon_future_on_done(f, count_cancelled, &called), 0);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	ck_assert_int_eq(soon_future_error(f), ECANCELED);
	ck_assert(soon_future_cancel_requested(f));
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_uint_eq(tally_get(&called), before + 1);
	soon_future_unref(f);
	return soon_future_state(in[0]);
}

START_TEST(cancelling_leaves_the_inputs_of_these_alone)
{
	ck_assert_int_eq(cancel(soon_when_any(in, N)), SOON_PENDING);
	ck_assert_int_eq(cancel(soon_first_success(in, N)), SOON_PENDING);
	ck_assert_int_eq(cancel(soon_shield(in[0])), SOON_PENDING);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(soon_future_set_result(in[i], NULL), 0);
}
END_TEST

START_TEST(cancelling_goes_on_to_the_inputs_of_these)
{
	soon_future *f = _i == 0   ? soon_when_all(in, N)
			 : _i == 1 ? soon_within(in[0], SOON_FOREVER)
				   : soon_within(in[0], 1000 * SOON_SEC);

	ck_assert_int_eq(cancel(f), SOON_CANCELLED);
	ck_assert_int_eq(soon_future_state(in[2]),
			 _i == 0 ? SOON_CANCELLED : SOON_PENDING);
}
END_TEST

/* Through others, up to a shield. */
START_TEST(cancelling_goes_through_what_passes_it_on)
{
	soon_future *shield = soon_shield(in[1]);
	soon_future *const two[] = { in[0], shield };
	soon_future *all = soon_when_all(two, 2);
	soon_future *f = soon_within(all, 1000 * SOON_SEC);

	ck_assert_int_eq(soon_future_on_done(in[0], count_cancelled, &called),
			 0);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(soon_future_state(all), SOON_CANCELLED);
	ck_assert_int_eq(soon_future_state(in[0]), SOON_CANCELLED);
	ck_assert_int_eq(soon_future_state(shield), SOON_CANCELLED);
	ck_assert_int_eq(soon_future_state(in[1]), SOON_PENDING);
	ck_assert_uint_eq(tally_get(&called), 1);
	soon_future_unref(shield);
	soon_future_unref(all);
	soon_future_unref(f);
}
END_TEST

START_TEST(one_that_is_done_cannot_be_cancelled)
{
	soon_future *f = soon_when_all(in, 1);

	ck_assert_int_eq(soon_future_set_result(in[0], NULL), 0);
	ck_assert_int_eq(soon_future_cancel(f), EALREADY);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	soon_future_unref(f);
}
END_TEST

static void open_gate(void *g)
{
	gate_open(g);
}

static void *run_until_asked(void *g)
{
	soon_on_cancel(open_gate, g);
	gate_pass(g);
	return soon_cancel_requested() ? g : NULL;
}

/* Loop 0: by a cancel; 1: by the time. */
START_TEST(a_running_input_is_asked_to_stop)
{
	soon_future *job = submit(pool, run_until_asked, &gate);
	soon_future *f;
	void *result = NULL;

	gate_await(&gate, 1);
	f = soon_within(job, _i == 0 ? SOON_FOREVER : SOON_MSEC);
	if (_i == 0)
		ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 _i == 0 ? ECANCELED : ETIMEDOUT);
	ck_assert(soon_future_cancel_requested(job));
	ck_assert_int_eq(soon_future_result(job, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &gate);
	soon_future_unref(f);
	soon_future_unref(job);
}
END_TEST

/* Dropping */

static void count_done(soon_future *f, void *tally)
{
	tally_add(tally, soon_future_done(f));
}

START_TEST(dropped_ones_still_call_back)
{
	soon_future *f[] = { soon_when_all(in, N), soon_when_any(in, N),
			     soon_first_success(in, N), soon_shield(in[0]),
			     soon_within(in[0], 1000 * SOON_SEC) };

	for (size_t i = 0; i < COUNT_OF(f); i++) {
		ck_assert_int_eq(soon_future_on_done(f[i], count_done, &called),
				 0);
		soon_future_unref(f[i]);
	}
	ck_assert_uint_eq(tally_get(&called), 0);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(soon_future_set_result(in[i], NULL), 0);
	ck_assert_uint_eq(tally_get(&called), COUNT_OF(f));
}
END_TEST

/* The race holds the promise; when both have gone it is dropped. */
START_TEST(an_input_that_lost_is_dropped_with_the_race)
{
	soon_future *f = soon_when_any(in, 2);

	ck_assert_int_eq(soon_future_on_done(in[0], count_done, &called), 0);
	soon_future_unref(in[0]);
	in[0] = NULL;
	ck_assert_int_eq(soon_future_set_result(in[1], NULL), 0);
	ck_assert_uint_eq(tally_get(&called), 0);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&called), 1);
}
END_TEST

/* Waiting in workers, and errors */

static void *wait_for(void *f)
{
	return box(soon_future_wait(f, SOON_FOREVER));
}

static void *wait_for_all_of_mine(void *unused)
{
	soon_future *f[2] = { soon_submit(pool, return_null, unused),
			      soon_submit(pool, return_null, unused) };
	soon_future *all = soon_when_all(f, 2);
	soon_future *slow = soon_within(all, 1000 * SOON_SEC);
	void *rc = wait_for(slow);

	soon_future_unref(slow);
	soon_future_unref(all);
	soon_future_unref(f[0]);
	soon_future_unref(f[1]);
	return rc;
}

START_TEST(the_only_worker_may_wait_for_them)
{
	soon_future *f = submit(pool, wait_for_all_of_mine, NULL);
	void *result = box(1);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_null(result);
	soon_future_unref(f);
}
END_TEST

static void *fail_job(void *unused)
{
	(void)unused;
	return soon_fail(EIO, "no disk");
}

/* The kinds that take an error over, and the one that does not. */
START_TEST(an_error_taken_over_counts_as_read)
{
	soon_future *job = submit(pool, fail_job, NULL);
	soon_future *const two[] = { job, in[0] };
	soon_future *f = _i == 0   ? soon_when_all(two, 2)
			 : _i == 1 ? soon_first_success(two, 2)
			 : _i == 2 ? soon_within(job, 1000 * SOON_SEC)
			 : _i == 3 ? soon_shield(job)
				   : soon_when_any(two, 2);

	ck_assert_int_eq(soon_future_wait(job, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_set_result(in[0], NULL), 0);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(job);
	soon_future_unref(f);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&unread), _i == 4);
}
END_TEST

START_TEST(a_success_makes_up_for_failures_wherever_they_stand)
{
	soon_future *job = submit(pool, fail_job, NULL);
	soon_future *const two[] = { in[0], job };
	soon_future *f;

	ck_assert_int_eq(soon_future_wait(job, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_set_result(in[0], NULL), 0);
	f = soon_first_success(two, 2);
	ck_assert_int_eq(soon_future_wait(f, 0), 0);
	soon_future_unref(job);
	soon_future_unref(f);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&unread), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_compose_cancel");
	TCase *t = tcase_create("cancel");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, cancelling_leaves_the_inputs_of_these_alone);
	tcase_add_loop_test(t, cancelling_goes_on_to_the_inputs_of_these, 0, 3);
	tcase_add_test(t, cancelling_goes_through_what_passes_it_on);
	tcase_add_test(t, one_that_is_done_cannot_be_cancelled);
	tcase_add_loop_test(t, a_running_input_is_asked_to_stop, 0, 2);
	tcase_add_test(t, dropped_ones_still_call_back);
	tcase_add_test(t, an_input_that_lost_is_dropped_with_the_race);
	tcase_add_test(t, the_only_worker_may_wait_for_them);
	tcase_add_loop_test(t, an_error_taken_over_counts_as_read, 0, 5);
	tcase_add_test(t, a_success_makes_up_for_failures_wherever_they_stand);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
