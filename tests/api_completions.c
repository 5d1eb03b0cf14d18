/*
 * api_completions.c - sets of futures that are given back as they are done.
 */
#include "support/many.h"

#include <errno.h>

#define N 8

/* A pool of one whose only worker is held: its jobs stay pending. */
static struct stuck stuck;
static soon_completions *set;

static void setup(void)
{
	stuck_init(&stuck, 1);
}

static void teardown(void)
{
	stuck_fini(&stuck);
}

static soon_completions *set_of(soon_future *const *f, size_t n)
{
	soon_completions *made = soon_as_completed(f, n);

	ck_assert_ptr_nonnull(made);
	ck_assert_uint_le(soon_completions_left(made), n);
	return made;
}

/* The set's next one is f, without waiting. */
static void expect_next(soon_completions *from, soon_future *f)
{
	size_t left = soon_completions_left(from);
	soon_future *next = NULL;

	ck_assert_int_eq(soon_completions_next(from, 0, &next), 0);
	ck_assert_ptr_eq(next, f);
	ck_assert(soon_future_done(next));
	ck_assert_uint_eq(soon_completions_left(from), left - 1);
}

/* The set has none to give: ETIMEDOUT when polled, or ENODATA. */
static void expect_none(soon_completions *from, soon_nsec timeout, int code)
{
	size_t left = soon_completions_left(from);
	soon_future *next = (void *)&stuck; /* must be overwritten */

	ck_assert_int_eq(soon_completions_next(from, timeout, &next), code);
	ck_assert_ptr_null(next);
	ck_assert_uint_eq(soon_completions_left(from), left);
}

START_TEST(an_empty_set_has_nothing)
{
	set = set_of(NULL, 0);
	ck_assert_uint_eq(soon_completions_left(set), 0);
	for (int i = 0; i < 3; i++) {
		expect_none(set, SOON_FOREVER, ENODATA);
		expect_none(set, 0, ENODATA);
		expect_none(set, -1, ENODATA);
	}
	soon_completions_free(set);
	soon_completions_free(NULL);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
	soon_future *f[3] = { succeeded_with(NULL), NULL, must_promise() };
	soon_future *next = f[0];

	errno = 0;
	ck_assert_ptr_null(soon_as_completed(f, 3));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_as_completed(NULL, 1));
	ck_assert_int_eq(errno, EINVAL);
	set = set_of(f, 1);
	ck_assert_int_eq(soon_completions_add(set, NULL), EINVAL);
	ck_assert_int_eq(soon_completions_add(NULL, f[0]), EINVAL);
	ck_assert_int_eq(soon_completions_next(set, SOON_FOREVER, NULL),
			 EINVAL);
	ck_assert_int_eq(soon_completions_next(NULL, 0, &next), EINVAL);
	ck_assert_ptr_null(next);
	ck_assert_uint_eq(soon_completions_left(set), 1);
	expect_next(set, f[0]);
	soon_completions_free(set);
	ck_assert_int_eq(soon_future_set_result(f[2], NULL), 0);
	unref_n(f, 3);
}
END_TEST

/* Whatever the order in which they had been completed. */
START_TEST(those_done_before_come_first_in_the_order_given)
{
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned order[N];
	soon_future *f[N], *late = must_promise(), *given[N + 1];

	must_promise_n(f, N);
	shuffled(&rng, order, N);
	for (unsigned i = 0; i < N; i++)
		soon_future_set_result(f[order[i]], NULL);
	given[0] = late;
	for (unsigned i = 0; i < N; i++)
		given[i + 1] = f[i];
	set = set_of(given, N + 1);
	soon_future_set_error(late, EIO, NULL);
	for (unsigned i = 0; i < N; i++)
		expect_next(set, f[i]);
	expect_next(set, late);
	expect_none(set, SOON_FOREVER, ENODATA);
	soon_completions_free(set);
	unref_n(f, N);
	soon_future_unref(late);
}
END_TEST

/* In whichever way they are done. */
START_TEST(then_they_come_in_the_order_of_completion)
{
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned order[N];
	soon_future *f[N];

	must_promise_n(f, N);
	shuffled(&rng, order, N);
	set = set_of(f, N);
	ck_assert_uint_eq(soon_completions_left(set), N);
	expect_none(set, 0, ETIMEDOUT);
	for (unsigned i = 0; i < N; i++) {
		soon_future *done = f[order[i]];

		if (i % 3 == 0)
			soon_future_set_result(done, NULL);
		else if (i % 3 == 1)
			soon_future_set_error(done, EIO, NULL);
		else
			soon_future_cancel(done);
		if (i < N / 2)
			expect_next(set, done);
	}
	for (unsigned i = N / 2; i < N; i++)
		expect_next(set, f[order[i]]);
	expect_none(set, SOON_FOREVER, ENODATA);
	soon_completions_free(set);
	unref_n(f, N);
}
END_TEST

START_TEST(one_added_done_comes_behind_those_that_were_done_before)
{
	soon_future *f[3] = { must_promise(), must_promise(), must_promise() };

	set = set_of(f, 2);
	soon_future_set_result(f[1], NULL);
	soon_future_set_result(f[2], NULL);
	ck_assert_int_eq(soon_completions_add(set, f[2]), 0);
	soon_future_set_result(f[0], NULL);
	expect_next(set, f[1]);
	expect_next(set, f[2]);
	expect_next(set, f[0]);
	expect_none(set, 0, ENODATA);
	soon_completions_free(set);
	unref_n(f, 3);
}
END_TEST

START_TEST(a_future_given_twice_comes_once)
{
	soon_future *a = must_promise(), *b = succeeded_with(NULL);
	soon_future *f[6] = { a, b, a, b, b, a };

	set = set_of(f, 6);
	ck_assert_uint_eq(soon_completions_left(set), 2);
	ck_assert_int_eq(soon_completions_add(set, a), 0);
	ck_assert_int_eq(soon_completions_add(set, b), 0);
	ck_assert_uint_eq(soon_completions_left(set), 2);
	expect_next(set, b);
	expect_none(set, 0, ETIMEDOUT);
	soon_future_set_result(a, NULL);
	ck_assert_int_eq(soon_completions_add(set, a), 0);
	expect_next(set, a);
	expect_none(set, SOON_FOREVER, ENODATA);
	soon_completions_free(set);
	soon_future_unref(a);
	soon_future_unref(b);
}
END_TEST

START_TEST(more_may_be_added_while_iterating)
{
	soon_future *f[N];

	must_promise_n(f, N);
	set = set_of(f, 1);
	for (unsigned i = 0; i < N; i++) {
		if (i + 1 < N)
			ck_assert_int_eq(soon_completions_add(set, f[i + 1]),
					 0);
		expect_none(set, 0, ETIMEDOUT);
		soon_future_set_result(f[i], NULL);
		expect_next(set, f[i]);
	}
	expect_none(set, SOON_FOREVER, ENODATA);
	soon_completions_free(set);
	unref_n(f, N);
}
END_TEST

/* Done or not when added, an emptied set works on. */
START_TEST(what_was_returned_may_be_added_again)
{
	soon_future *a = succeeded_with(NULL), *b = must_promise();

	set = set_of(&a, 1);
	for (int i = 0; i < 3; i++) {
		expect_next(set, a);
		expect_none(set, SOON_FOREVER, ENODATA);
		ck_assert_int_eq(soon_completions_add(set, a), 0);
		ck_assert_uint_eq(soon_completions_left(set), 1);
	}
	ck_assert_int_eq(soon_completions_add(set, b), 0);
	expect_next(set, a);
	expect_none(set, 0, ETIMEDOUT);
	soon_future_cancel(b);
	expect_next(set, b);
	ck_assert_int_eq(soon_completions_add(set, b), 0);
	ck_assert_int_eq(soon_completions_add(set, a), 0);
	expect_next(set, b);
	expect_next(set, a);
	expect_none(set, SOON_FOREVER, ENODATA);
	soon_completions_free(set);
	soon_future_unref(a);
	soon_future_unref(b);
}
END_TEST

START_TEST(one_future_may_be_in_many_sets)
{
	soon_future *f[2] = { must_promise(), must_promise() };
	soon_completions *sets[N];

	for (int i = 0; i < N; i++)
		sets[i] = set_of(f, 2);
	soon_completions_free(sets[3]);
	soon_future_set_result(f[1], NULL);
	soon_completions_free(sets[5]);
	soon_future_set_result(f[0], NULL);
	for (int i = 0; i < N; i++) {
		if (i == 3 || i == 5)
			continue;
		expect_next(sets[i], f[1]);
		expect_next(sets[i], f[0]);
		expect_none(sets[i], SOON_FOREVER, ENODATA);
		soon_completions_free(sets[i]);
	}
	unref_n(f, 2);
}
END_TEST

START_TEST(a_set_may_be_freed_before_its_futures_are_done)
{
	soon_future *f[N];

	must_promise_n(f, N - 2);
	f[N - 2] = submit(stuck.pool, return_arg, NULL);
	f[N - 1] = submit(stuck.pool, return_arg, NULL);
	set = set_of(f, N);
	soon_future_set_result(f[0], NULL);
	soon_future_set_result(f[1], NULL);
	expect_next(set, f[0]);
	soon_completions_free(set);
	soon_future_set_error(f[2], EIO, NULL);
	for (int i = 3; i < N - 2; i++)
		ck_assert_int_eq(soon_future_set_result(f[i], NULL), 0);
	ck_assert_int_eq(soon_future_cancel(f[N - 2]), 0);
	stuck_release(&stuck);
	ck_assert_int_eq(soon_wait_all(f, N, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(f[N - 1]), SOON_SUCCEEDED);
	unref_n(f, N);
}
END_TEST

/* Futures whose results say when they go. */
static void owned_by(soon_future **f, struct tally *freed, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		f[i] = soon_future_new(tally_free);
		ck_assert_ptr_nonnull(f[i]);
		soon_future_set_result(f[i], freed);
	}
}

START_TEST(the_set_keeps_what_it_has_not_returned)
{
	soon_future *f[3], *next = NULL;
	struct tally freed;

	tally_init(&freed);
	owned_by(f, &freed, 3);
	set = set_of(f, 3);
	unref_n(f, 3);
	for (unsigned i = 0; i < 2; i++) {
		void *result = NULL;

		ck_assert_uint_eq(tally_get(&freed), i == 0 ? 0 : i - 1);
		ck_assert_int_eq(soon_completions_next(set, 0, &next), 0);
		ck_assert_int_eq(soon_future_result(next, 0, &result), 0);
		ck_assert_ptr_eq(result, &freed);
		ck_assert_uint_eq(tally_get(&freed), i);
	}
	soon_completions_free(set);
	ck_assert_uint_eq(tally_get(&freed), 3);
	tally_fini(&freed);
}
END_TEST

/* Else iterating over a million would keep a million. */
START_TEST(the_set_lets_go_of_what_it_returned)
{
	soon_future *f[3], *next = NULL;
	struct tally freed;

	tally_init(&freed);
	owned_by(f, &freed, 3);
	set = set_of(f, 3);
	unref_n(f, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(soon_completions_next(set, 0, &next), 0);
	expect_none(set, SOON_FOREVER, ENODATA);
	ck_assert_uint_ge(tally_get(&freed), 2);
	soon_completions_free(set);
	ck_assert_uint_eq(tally_get(&freed), 3);
	tally_fini(&freed);
}
END_TEST

START_TEST(a_timed_next_sleeps_until_its_end)
{
	soon_future *f[2] = { submit(stuck.pool, return_arg, NULL),
			      must_promise() };
	soon_nsec limit = 100 * SOON_MSEC;
	soon_nsec start = clock_now(), cpu = clock_cpu();

	set = set_of(f, 2);
	expect_none(set, limit, ETIMEDOUT);
	ck_assert_int_ge(clock_now() - start, limit);
	ck_assert_int_lt(clock_cpu() - cpu, limit / 2);
	expect_none(set, 0, ETIMEDOUT);
	expect_none(set, INT64_MIN, ETIMEDOUT);
	expect_none(set, 1, ETIMEDOUT);
	ck_assert_int_eq(soon_future_state(f[0]), SOON_PENDING);
	ck_assert_int_eq(soon_future_cancel(f[0]), 0);
	expect_next(set, f[0]);
	expect_none(set, 1, ETIMEDOUT);
	soon_completions_free(set);
	unref_n(f, 2);
}
END_TEST

static Suite *completions_suite(void)
{
	Suite *s = suite_create("completions");
	TCase *tc = tcase_create("completions");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, an_empty_set_has_nothing);
	tcase_add_test(tc, bad_arguments_are_refused);
	tcase_add_loop_test(tc, those_done_before_come_first_in_the_order_given,
			    0, 4);
	tcase_add_loop_test(tc, then_they_come_in_the_order_of_completion, 0,
			    4);
	tcase_add_test(tc,
		       one_added_done_comes_behind_those_that_were_done_before);
	tcase_add_test(tc, a_future_given_twice_comes_once);
	tcase_add_test(tc, more_may_be_added_while_iterating);
	tcase_add_test(tc, what_was_returned_may_be_added_again);
	tcase_add_test(tc, one_future_may_be_in_many_sets);
	tcase_add_test(tc, a_set_may_be_freed_before_its_futures_are_done);
	tcase_add_test(tc, the_set_keeps_what_it_has_not_returned);
	tcase_add_test(tc, the_set_lets_go_of_what_it_returned);
	tcase_add_test(tc, a_timed_next_sleeps_until_its_end);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(completions_suite());
}
