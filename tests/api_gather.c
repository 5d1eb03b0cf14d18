/*
 * api_gather.c - soon_gather(): outcomes in the order of the array.
 */
#include "support/many.h"

#include <errno.h>

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

/* Something that no call would write, for slots that must be overwritten. */
static int junk;

static void fill(void **results, int *errors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		results[i] = &junk;
		if (errors != NULL)
			errors[i] = -7;
	}
}

#define N 8

/* A thread that gathers N futures. */
static struct {
	struct actor actor;
	soon_future **f;
	bool collect;
	void *results[N];
	int errors[N];
	int rc;
} gatherer;

static void *gather_main(void *unused)
{
	(void)unused;
	gatherer.rc = soon_gather(gatherer.f, N, SOON_FOREVER, gatherer.results,
				  gatherer.collect ? gatherer.errors : NULL);
	return NULL;
}

static void gatherer_start(soon_future **f, bool collect)
{
	gatherer.f = f;
	gatherer.collect = collect;
	fill(gatherer.results, gatherer.errors, N);
	actor_start(&gatherer.actor, gather_main, NULL);
	actor_await_asleep(&gatherer.actor);
}

START_TEST(nothing_is_gathered_at_once)
{
	void *results[1] = { &junk };
	int errors[1] = { -7 };

	ck_assert_int_eq(soon_gather(NULL, 0, SOON_FOREVER, NULL, NULL), 0);
	ck_assert_int_eq(soon_gather(NULL, 0, 0, results, errors), 0);
	ck_assert_ptr_eq(results[0], &junk);
	ck_assert_int_eq(errors[0], -7);
}
END_TEST

START_TEST(bad_arguments_are_refused_and_outputs_cleared)
{
	soon_future *f[2] = { succeeded_with(&junk), NULL };
	void *results[2];
	int errors[2];

	fill(results, errors, 2);
	ck_assert_int_eq(soon_gather(f, 2, SOON_FOREVER, results, errors),
			 EINVAL);
	ck_assert_ptr_null(results[0]);
	ck_assert_ptr_null(results[1]);
	fill(results, errors, 2);
	ck_assert_int_eq(soon_gather(f, 2, SOON_FOREVER, results, NULL),
			 EINVAL);
	ck_assert_ptr_null(results[0]);
	ck_assert_ptr_null(results[1]);
	ck_assert_int_eq(soon_gather(NULL, 2, 0, NULL, NULL), EINVAL);
	unref_n(f, 2);
}
END_TEST

/* Completed in an order of chance, while the gatherer sleeps. */
START_TEST(results_keep_the_order_of_the_array)
{
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned order[N];
	soon_future *f[N];

	must_promise_n(f, N);
	shuffled(&rng, order, N);
	gatherer_start(f, _i % 2 == 0);
	for (unsigned i = 0; i < N; i++)
		soon_future_set_result(f[order[i]], box(100 + (long)order[i]));
	actor_join(&gatherer.actor);
	ck_assert_int_eq(gatherer.rc, 0);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(unbox(gatherer.results[i]), 100 + i);
		ck_assert_int_eq(gatherer.errors[i], _i % 2 == 0 ? 0 : -7);
	}
	unref_n(f, N);
}
END_TEST

START_TEST(jobs_of_several_pools_are_gathered)
{
	soon_executor *two = pool_of(2);
	soon_future *f[N];
	void *results[N];

	for (int i = 0; i < N; i++)
		f[i] = submit(i % 3 == 0   ? stuck.pool
			      : i % 3 == 1 ? two
					   : NULL,
			      return_arg, box(i + 1));
	stuck_release(&stuck);
	ck_assert_int_eq(soon_gather(f, N, SOON_FOREVER, results, NULL), 0);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(unbox(results[i]), i + 1);
	unref_n(f, N);
	soon_executor_free(two);
}
END_TEST

START_TEST(a_future_given_twice_fills_both_slots)
{
	soon_future *a = succeeded_with(box(1)), *b = must_promise();
	soon_future *c = failed_with(EIO);
	soon_future *f[N] = { a, b, a, c, b, b, a, c };
	static const long want[N] = { 1, 2, 1, 0, 2, 2, 1, 0 };

	gatherer_start(f, true);
	soon_future_set_result(b, box(2));
	actor_join(&gatherer.actor);
	ck_assert_int_eq(gatherer.rc, 0);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(unbox(gatherer.results[i]), want[i]);
		ck_assert_int_eq(gatherer.errors[i], f[i] == c ? EIO : 0);
	}
	soon_future_unref(a);
	soon_future_unref(b);
	soon_future_unref(c);
}
END_TEST

START_TEST(results_may_be_discarded)
{
	soon_future *f[2] = { succeeded_with(&junk), succeeded_with(NULL) };
	int errors[2] = { -7, -7 };

	ck_assert_int_eq(soon_gather(f, 2, 0, NULL, NULL), 0);
	ck_assert_int_eq(soon_gather(f, 2, 0, NULL, errors), 0);
	ck_assert_int_eq(errors[0], 0);
	ck_assert_int_eq(errors[1], 0);
	unref_n(f, 2);
}
END_TEST

START_TEST(results_stay_with_their_futures)
{
	struct tally freed;
	soon_future *f = soon_future_new(tally_free);
	void *results[2];

	tally_init(&freed);
	ck_assert_ptr_nonnull(f);
	soon_future_set_result(f, &freed);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(soon_gather(&f, 1, 0, results, NULL), 0);
		ck_assert_ptr_eq(results[0], &freed);
	}
	ck_assert_uint_eq(tally_get(&freed), 0);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 1);
	tally_fini(&freed);
}
END_TEST

/* f[0] is pending and cannot run; failing fast must not wait for it. */
START_TEST(a_failure_is_told_at_once_although_a_neighbour_is_stuck)
{
	soon_future *f[N];

	f[0] = submit(stuck.pool, return_arg, &junk);
	must_promise_n(f + 1, N - 1);
	gatherer_start(f, false);
	soon_future_set_result(f[2], box(2));
	if (_i == 0)
		soon_future_set_error(f[5], EIO, NULL);
	else
		soon_future_cancel(f[5]);
	actor_join(&gatherer.actor);
	ck_assert_int_eq(gatherer.rc, _i == 0 ? EIO : ECANCELED);
	ck_assert_ptr_null(gatherer.results[0]);
	ck_assert_ptr_null(gatherer.results[5]);
	ck_assert_ptr_null(gatherer.results[N - 1]);
	ck_assert_int_eq(soon_future_state(f[0]), SOON_PENDING);
	ck_assert_int_eq(soon_future_state(f[1]), SOON_PENDING);
	stuck_release(&stuck);
	ck_assert_int_eq(soon_future_result(f[0], SOON_FOREVER, NULL), 0);
	unref_n(f, N);
}
END_TEST

/* Of failures after the call the first seen counts, wherever it stands. */
START_TEST(failing_fast_reports_the_first_seen)
{
	soon_future *f[N];

	must_promise_n(f, N);
	gatherer_start(f, false);
	soon_future_set_error(f[6], ENOENT, NULL);
	actor_join(&gatherer.actor);
	ck_assert_int_eq(gatherer.rc, ENOENT);
	soon_future_set_error(f[1], EIO, NULL);
	ck_assert_int_eq(soon_gather(f, N, SOON_FOREVER, NULL, NULL), EIO);
	unref_n(f, N);
}
END_TEST

START_TEST(of_several_failed_before_the_lowest_index_is_reported)
{
	soon_future *ok = succeeded_with(NULL), *late = must_promise();
	soon_future *bad = failed_with(ENOENT), *worse = failed_with(EIO);
	soon_future *gone = cancelled();
	soon_future *f[5] = { late, ok, bad, worse, gone };
	soon_future *g[5] = { ok, late, gone, worse, bad };
	soon_future *h[3] = { worse, bad, worse };

	ck_assert_int_eq(soon_gather(f, 5, SOON_FOREVER, NULL, NULL), ENOENT);
	ck_assert_int_eq(soon_gather(f, 5, 0, NULL, NULL), ENOENT);
	ck_assert_int_eq(soon_gather(g, 5, SOON_FOREVER, NULL, NULL),
			 ECANCELED);
	ck_assert_int_eq(soon_gather(h, 3, SOON_FOREVER, NULL, NULL), EIO);
	for (int i = 0; i < 5; i++)
		soon_future_unref(f[i]);
}
END_TEST

START_TEST(errors_collects_every_outcome)
{
	soon_future *f[N];

	f[0] = submit(stuck.pool, return_arg, box(10));
	f[1] = submit(stuck.pool, fail_job, box(EIO));
	f[2] = submit(stuck.pool, return_arg, NULL);
	f[3] = submit(stuck.pool, fail_job, box(ETIMEDOUT));
	must_promise_n(f + 4, N - 4);
	ck_assert_int_eq(soon_future_cancel(f[2]), 0);
	gatherer_start(f, true);
	soon_future_set_error(f[4], SOON_EBROKEN, "anything");
	soon_future_set_error(f[5], EBUSY, NULL);
	stuck_release(&stuck);
	soon_future_set_result(f[6], NULL);
	soon_future_set_result(f[7], box(17));
	actor_join(&gatherer.actor);
	ck_assert_int_eq(gatherer.rc, 0);
	for (int i = 0; i < N; i++) {
		static const int want[N] = {
			0, EIO, ECANCELED, ETIMEDOUT, SOON_EBROKEN, EBUSY, 0, 0
		};

		ck_assert_int_eq(gatherer.errors[i], want[i]);
		ck_assert_int_eq(unbox(gatherer.results[i]),
				 i == 0 || i == 7 ? 10 + i : 0);
	}
	unref_n(f, N);
}
END_TEST

START_TEST(a_timeout_says_which_are_not_done)
{
	static const soon_nsec limits[] = { 0, INT64_MIN, 20 * SOON_MSEC };
	soon_future *f[4] = { succeeded_with(box(1)), must_promise(),
			      failed_with(EIO), NULL };
	soon_nsec start = clock_now();
	void *results[4];
	int errors[4];

	f[3] = submit(stuck.pool, return_arg, box(4));
	fill(results, errors, 4);
	ck_assert_int_eq(soon_gather(f, 4, limits[_i], results, errors),
			 ETIMEDOUT);
	ck_assert_int_ge(clock_now() - start, limits[_i]);
	ck_assert_int_eq(errors[0], 0);
	ck_assert_int_eq(errors[1], EBUSY);
	ck_assert_int_eq(errors[2], EIO);
	ck_assert_int_eq(errors[3], EBUSY);
	ck_assert_int_eq(unbox(results[0]), 1);
	for (int i = 1; i < 4; i++)
		ck_assert_ptr_null(results[i]);
	ck_assert_int_eq(soon_future_state(f[3]), SOON_PENDING);
	soon_future_unref(f[2]);
	f[2] = succeeded_with(NULL);
	ck_assert_int_eq(soon_gather(f, 4, limits[_i], results, NULL),
			 ETIMEDOUT);
	unref_n(f, 4);
}
END_TEST

static soon_executor *one;

static void *sum_of_halves(void *n)
{
	soon_future *f[2];
	void *half[2] = { NULL, NULL };
	long all = unbox(n);
	int rc;

	if (all == 1)
		return box(1);
	f[0] = soon_submit(one, sum_of_halves, box(all / 2));
	f[1] = soon_submit(one, sum_of_halves, box(all - all / 2));
	rc = soon_gather(f, 2, SOON_FOREVER, half, NULL);
	soon_future_unref(f[0]);
	soon_future_unref(f[1]);
	return rc != 0 ? soon_fail(rc, NULL)
		       : box(unbox(half[0]) + unbox(half[1]));
}

START_TEST(jobs_of_a_pool_of_one_gather_their_own)
{
	soon_future *f;
	void *result = NULL;

	one = pool_of(1);
	f = submit(one, sum_of_halves, box(500));
	ck_assert_int_eq(soon_gather(&f, 1, SOON_FOREVER, &result, NULL), 0);
	ck_assert_int_eq(unbox(result), 500);
	soon_future_unref(f);
	soon_executor_free(one);
}
END_TEST

static void *gather_myself(void *errors)
{
	soon_future *f[2] = { soon_self(), soon_self() };

	return box(soon_gather(f, 2, SOON_FOREVER, NULL, errors));
}

START_TEST(a_job_that_gathers_itself_is_told)
{
	int errors[2];
	soon_future *f;
	void *rc = NULL;

	one = pool_of(1);
	f = submit(one, gather_myself, _i == 0 ? NULL : errors);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), EDEADLK);
	soon_future_unref(f);
	soon_executor_free(one);
}
END_TEST

static Suite *gather_suite(void)
{
	Suite *s = suite_create("gather");
	TCase *tc = tcase_create("gather");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, nothing_is_gathered_at_once);
	tcase_add_test(tc, bad_arguments_are_refused_and_outputs_cleared);
	tcase_add_loop_test(tc, results_keep_the_order_of_the_array, 0, 6);
	tcase_add_test(tc, jobs_of_several_pools_are_gathered);
	tcase_add_test(tc, a_future_given_twice_fills_both_slots);
	tcase_add_test(tc, results_may_be_discarded);
	tcase_add_test(tc, results_stay_with_their_futures);
	tcase_add_loop_test(
		tc, a_failure_is_told_at_once_although_a_neighbour_is_stuck, 0,
		2);
	tcase_add_test(tc, failing_fast_reports_the_first_seen);
	tcase_add_test(tc,
		       of_several_failed_before_the_lowest_index_is_reported);
	tcase_add_test(tc, errors_collects_every_outcome);
	tcase_add_loop_test(tc, a_timeout_says_which_are_not_done, 0, 3);
	tcase_add_test(tc, jobs_of_a_pool_of_one_gather_their_own);
	tcase_add_loop_test(tc, a_job_that_gathers_itself_is_told, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(gather_suite());
}
