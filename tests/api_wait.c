/*
 * api_wait.c - soon_wait(), soon_wait_all() and soon_wait_any().
 */
#include "support/many.h"

#include <errno.h>
#include <limits.h>

static const enum soon_when modes[MODES] = { SOON_ALL_COMPLETED,
					     SOON_FIRST_COMPLETED,
					     SOON_FIRST_ERROR };

/* What a wait must see as a poll. */
static const soon_nsec polls[] = { 0, -1, INT64_MIN };

/* A pool of one whose only worker is held: its jobs stay pending. */
static struct stuck stuck;

static void setup(void)
{
	stuck_init(&stuck, 1);
}

static void teardown(void)
{
	stuck_fini(&stuck);
}

START_TEST(nothing_is_done_at_once)
{
	soon_future *none[1] = { NULL };
	size_t done = 99;

	ck_assert_int_eq(soon_wait(NULL, 0, modes[_i], SOON_FOREVER, &done), 0);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(soon_wait(none, 0, modes[_i], 0, NULL), 0);
	ck_assert_int_eq(soon_wait_all(NULL, 0, SOON_FOREVER), 0);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
	soon_future *f[3] = { succeeded_with(NULL), NULL,
			      succeeded_with(NULL) };
	size_t done = 99, index = 99;

	ck_assert_int_eq(soon_wait(f, 3, modes[_i], SOON_FOREVER, &done),
			 EINVAL);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(soon_wait(NULL, 2, modes[_i], SOON_FOREVER, NULL),
			 EINVAL);
	ck_assert_int_eq(soon_wait_all(f, 2, SOON_FOREVER), EINVAL);
	ck_assert_int_eq(soon_wait_any(f, 3, SOON_FOREVER, &index), EINVAL);
	ck_assert_uint_eq(index, 0);
	ck_assert_int_eq(soon_wait_any(f, 0, SOON_FOREVER, &index), EINVAL);
	ck_assert_int_eq(soon_wait_any(NULL, 1, SOON_FOREVER, &index), EINVAL);
	unref_n(f, 3);
}
END_TEST

START_TEST(unknown_mode_is_refused_even_with_nothing_to_wait_for)
{
	soon_future *f = succeeded_with(NULL);
	size_t done = 99;

	ck_assert_int_eq(soon_wait(&f, 1, (enum soon_when)MODES, 0, &done),
			 EINVAL);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(soon_wait(NULL, 0, (enum soon_when)MODES, 0, NULL),
			 EINVAL);
	ck_assert_int_eq(soon_wait(&f, 1, (enum soon_when)UINT_MAX, 0, NULL),
			 EINVAL);
	soon_future_unref(f);
}
END_TEST

START_TEST(what_is_done_before_the_call_needs_no_wait)
{
	soon_future *f[3] = { succeeded_with(NULL), failed_with(EIO),
			      cancelled() };
	size_t done;

	for (size_t i = 0; i < COUNT_OF(polls); i++) {
		done = 0;
		ck_assert_int_eq(soon_wait(f, 3, modes[_i], polls[i], &done),
				 0);
		ck_assert_uint_eq(done, 3);
		ck_assert_int_eq(soon_wait_all(f, 3, polls[i]), 0);
	}
	ck_assert_int_eq(soon_wait(f, 3, modes[_i], SOON_FOREVER, NULL), 0);
	unref_n(f, 3);
}
END_TEST

/* The condition may hold although not all are done. */
START_TEST(each_mode_is_content_with_what_it_asks_for)
{
	soon_future *won[2] = { must_promise(), succeeded_with(NULL) };
	soon_future *lost[2] = { must_promise(), failed_with(EIO) };
	soon_future *gone[2] = { must_promise(), cancelled() };
	enum soon_when when = modes[_i];
	int partly = when == SOON_ALL_COMPLETED ? ETIMEDOUT : 0;
	size_t done = 0;

	ck_assert_int_eq(soon_wait(won, 2, when, 0, &done),
			 when == SOON_FIRST_COMPLETED ? 0 : ETIMEDOUT);
	ck_assert_uint_eq(done, 1);
	done = 0;
	ck_assert_int_eq(soon_wait(lost, 2, when, 0, &done), partly);
	ck_assert_uint_eq(done, 1);
	done = 0;
	ck_assert_int_eq(soon_wait(gone, 2, when, 0, &done), partly);
	ck_assert_uint_eq(done, 1);
	unref_n(won, 2);
	unref_n(lost, 2);
	unref_n(gone, 2);
}
END_TEST

START_TEST(a_poll_times_out_and_counts_what_is_done)
{
	soon_future *f[4];
	size_t done, index;

	f[0] = submit(stuck.pool, return_arg, NULL);
	f[1] = must_promise();
	f[2] = f[0];
	f[3] = succeeded_with(NULL);
	for (size_t i = 0; i < COUNT_OF(polls); i++) {
		done = index = 99;
		ck_assert_int_eq(soon_wait(f, 3, modes[_i], polls[i], &done),
				 ETIMEDOUT);
		ck_assert_uint_eq(done, 0);
		ck_assert_int_eq(soon_wait_any(f, 3, polls[i], &index),
				 ETIMEDOUT);
		ck_assert_uint_eq(index, 0);
		ck_assert_int_eq(soon_wait_all(f, 4, polls[i]), ETIMEDOUT);
	}
	ck_assert_int_eq(soon_wait(f, 4, SOON_ALL_COMPLETED, 0, &done),
			 ETIMEDOUT);
	ck_assert_uint_eq(done, 1);
	ck_assert_int_eq(soon_future_state(f[0]), SOON_PENDING);
	f[2] = NULL;
	unref_n(f, 4);
}
END_TEST

/* Not early, and not by burning the CPU; nothing is cancelled by it. */
START_TEST(a_timed_wait_sleeps_until_its_end)
{
	soon_future *f[2] = { submit(stuck.pool, return_arg, NULL),
			      must_promise() };
	soon_nsec limit = 100 * SOON_MSEC;
	soon_nsec start = clock_now(), cpu = clock_cpu();
	size_t done = 99;

	ck_assert_int_eq(soon_wait(f, 2, modes[_i], limit, &done), ETIMEDOUT);
	ck_assert_int_ge(clock_now() - start, limit);
	ck_assert_int_lt(clock_cpu() - cpu, limit / 2);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(soon_wait_any(f, 2, 1, &done), ETIMEDOUT);
	ck_assert_int_eq(soon_future_state(f[0]), SOON_PENDING);
	ck_assert_int_eq(soon_future_state(f[1]), SOON_PENDING);
	unref_n(f, 2);
}
END_TEST

START_TEST(any_gives_the_lowest_index_of_those_done)
{
	soon_future *p = must_promise(), *d = succeeded_with(NULL);
	soon_future *e = failed_with(EIO), *c = cancelled();
	soon_future *f[5] = { p, c, d, e, d };
	size_t index = 99;

	ck_assert_int_eq(soon_wait_any(f, 5, 0, &index), 0);
	ck_assert_uint_eq(index, 1);
	ck_assert_int_eq(soon_wait_any(f + 2, 3, SOON_FOREVER, &index), 0);
	ck_assert_uint_eq(index, 0);
	f[1] = p;
	ck_assert_int_eq(soon_wait_any(f, 5, INT64_MIN, &index), 0);
	ck_assert_uint_eq(index, 2);
	f[2] = p;
	ck_assert_int_eq(soon_wait_any(f, 5, 0, &index), 0);
	ck_assert_uint_eq(index, 3);
	ck_assert_int_eq(soon_future_set_result(p, NULL), 0);
	ck_assert_int_eq(soon_wait_any(f, 5, 0, &index), 0);
	ck_assert_uint_eq(index, 0);
	soon_future_unref(p);
	soon_future_unref(d);
	soon_future_unref(e);
	soon_future_unref(c);
}
END_TEST

static Suite *wait_suite(void)
{
	Suite *s = suite_create("wait");
	TCase *tc = tcase_create("wait");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, nothing_is_done_at_once, 0, MODES);
	tcase_add_loop_test(tc, bad_arguments_are_refused, 0, MODES);
	tcase_add_test(tc,
		       unknown_mode_is_refused_even_with_nothing_to_wait_for);
	tcase_add_loop_test(tc, what_is_done_before_the_call_needs_no_wait, 0,
			    MODES);
	tcase_add_loop_test(tc, each_mode_is_content_with_what_it_asks_for, 0,
			    MODES);
	tcase_add_loop_test(tc, a_poll_times_out_and_counts_what_is_done, 0,
			    MODES);
	tcase_add_loop_test(tc, a_timed_wait_sleeps_until_its_end, 0, MODES);
	tcase_add_test(tc, any_gives_the_lowest_index_of_those_done);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(wait_suite());
}
