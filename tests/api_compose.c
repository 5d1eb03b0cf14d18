/*
 * api_compose.c - what becomes of futures that are made of others.
 */
#include "support/compose.h"

#include <errno.h>
#include <string.h>

enum { N = 3 };

static soon_future *in[N]; /* promises */

static void setup(void)
{
	tally_init(&freed);
	for (int i = 0; i < N; i++) {
		in[i] = soon_future_new(tally_free);
		ck_assert_ptr_nonnull(in[i]);
	}
}

static void teardown(void)
{
	for (int i = 0; i < N; i++)
		soon_future_unref(in[i]);
	tally_fini(&freed);
}

START_TEST(null_is_an_error)
{
	soon_future *const holes[] = { in[0], NULL };

	errno = 0;
	ck_assert_ptr_null(soon_when_all(holes, 2));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_when_any(holes, 2));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_first_success(NULL, 2));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_within(NULL, SOON_SEC));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_shield(NULL));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(of_nothing_all_is_done_and_some_is_an_error)
{
	soon_future *f = soon_when_all(NULL, 0);

	expect_result(f, NULL);
	soon_future_unref(f);
	errno = 0;
	ck_assert_ptr_null(soon_when_any(in, 0));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_first_success(in, 0));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(too_many_are_refused)
{
	errno = 0;
	ck_assert_ptr_null(soon_when_all(NULL, SIZE_MAX));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

/* In each test from here on, bit i of the loop's number: input i is done before
 * the future is made. */

static void before(int loop, const enum end ends[N])
{
	for (int i = 0; i < N; i++)
		if (loop & 1 << i)
			finish(in[i], ends[i]);
}

static void after(int loop, const enum end ends[N])
{
	for (int i = 0; i < N; i++)
		if (!(loop & 1 << i))
			finish(in[i], ends[i]);
}

START_TEST(all_succeed_with_the_last)
{
	const enum end ends[N] = { SUCCEED, SUCCEED, SUCCEED };
	soon_future *f;

	before(_i, ends);
	f = soon_when_all(in, N);
	if (_i != 7)
		expect_pending(f);
	after(_i, ends);
	expect_result(f, NULL);
	soon_future_unref(f);
}
END_TEST

START_TEST(all_fail_with_the_first_failure_at_once)
{
	for (int end = FAIL; end <= CANCEL; end++) {
		soon_future *f = soon_when_all(in, N);

		if (_i != 0)
			finish(in[0], SUCCEED);
		finish(in[1], (enum end)end);
		expect_like(f, (enum end)end);
		ck_assert_int_eq(soon_future_state(in[2]), SOON_PENDING);
		soon_future_unref(f);
		f = soon_when_all(in, N);
		expect_like(f, (enum end)end);
		soon_future_unref(f);
		teardown();
		setup();
	}
}
END_TEST

START_TEST(a_future_given_twice_counts_as_two)
{
	soon_future *const twice[] = { in[0], in[1], in[0] };
	soon_future *f = soon_when_all(twice, 3);
	soon_future *g = soon_first_success(twice, 3);

	finish(in[0], _i == 0 ? SUCCEED : FAIL);
	if (_i == 0)
		expect_pending(f);
	else
		expect_pending(g);
	finish(in[1], _i == 0 ? SUCCEED : FAIL);
	if (_i == 0)
		expect_result(f, NULL);
	else
		expect_like(g, FAIL);
	soon_future_unref(f);
	soon_future_unref(g);
}
END_TEST

START_TEST(any_is_the_first_that_is_done_whatever_its_outcome)
{
	const enum end ends[N] = { (enum end)(_i / 8), SUCCEED, FAIL };
	int loop = _i % 8, first = 0;
	soon_future *f;

	before(loop, ends);
	f = soon_when_any(in, N);
	if (loop == 0)
		expect_pending(f);
	after(loop, ends);
	while (loop != 0 && !(loop & 1 << first))
		first++;
	expect_result(f, in[first]);
	soon_future_unref(f);
}
END_TEST

START_TEST(first_success_passes_over_failures)
{
	const enum end ends[N] = { FAIL, CANCEL, SUCCEED };
	soon_future *f;

	before(_i, ends);
	f = soon_first_success(in, N);
	if (!(_i & 4))
		expect_pending(f);
	after(_i, ends);
	expect_result(f, in[2]);
	soon_future_unref(f);
}
END_TEST

START_TEST(without_a_success_the_last_error_counts)
{
	const enum end ends[N] = { FAIL, FAIL, CANCEL };
	soon_future *f;

	before(_i, ends);
	f = soon_first_success(in, N);
	if (_i != 7)
		expect_pending(f);
	after(_i, ends);
	expect_like(f, _i & 4 && _i != 7 ? FAIL : CANCEL);
	soon_future_unref(f);
}
END_TEST

/* The result of a race lives with it. */
START_TEST(the_winner_is_held_and_its_result_stays_its_own)
{
	soon_future *f = _i == 0 ? soon_when_any(in, N)
				 : soon_first_success(in, N);
	void *winner = NULL, *result = NULL;

	finish(in[1], SUCCEED);
	soon_future_unref(in[1]);
	in[1] = NULL;
	ck_assert_int_eq(soon_future_result(f, 0, &winner), 0);
	ck_assert_int_eq(soon_future_result(winner, 0, &result), 0);
	ck_assert_ptr_eq(result, &freed);
	ck_assert_int_eq(soon_future_own(f, tally_free), EALREADY);
	ck_assert_uint_eq(tally_get(&freed), 0);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 1);
}
END_TEST

START_TEST(they_cannot_be_completed_by_hand)
{
	soon_future *f[] = { soon_when_all(in, N), soon_when_any(in, N),
			     soon_first_success(in, N), soon_shield(in[0]),
			     soon_within(in[0], SOON_FOREVER) };

	for (size_t i = 0; i < COUNT_OF(f); i++) {
		expect_pending(f[i]);
		ck_assert_int_eq(soon_future_set_running(f[i]), EINVAL);
		ck_assert_int_eq(soon_future_set_result(f[i], f), EINVAL);
		ck_assert_int_eq(soon_future_set_error(f[i], EIO, NULL),
				 EINVAL);
		ck_assert_ptr_null(soon_future_arg(f[i]));
		ck_assert_ptr_null(soon_future_take(f[i]));
		expect_pending(f[i]);
		soon_future_unref(f[i]);
	}
	for (int i = 0; i < N; i++)
		finish(in[i], SUCCEED);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_compose");
	TCase *t = tcase_create("outcomes");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, null_is_an_error);
	tcase_add_test(t, of_nothing_all_is_done_and_some_is_an_error);
	tcase_add_test(t, too_many_are_refused);
	tcase_add_loop_test(t, all_succeed_with_the_last, 0, 8);
	tcase_add_loop_test(t, all_fail_with_the_first_failure_at_once, 0, 2);
	tcase_add_loop_test(t, a_future_given_twice_counts_as_two, 0, 2);
	tcase_add_loop_test(
		t, any_is_the_first_that_is_done_whatever_its_outcome, 0, 24);
	tcase_add_loop_test(t, first_success_passes_over_failures, 0, 8);
	tcase_add_loop_test(t, without_a_success_the_last_error_counts, 0, 8);
	tcase_add_loop_test(t, the_winner_is_held_and_its_result_stays_its_own,
			    0, 2);
	tcase_add_test(t, they_cannot_be_completed_by_hand);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
