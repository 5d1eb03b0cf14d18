/*
 * api_completions_wake.c - threads and jobs asleep in soon_completions_next(),
 * and sets that grow large or old.
 */
#include "support/many.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#define N 64
#define THREADS 4

static struct stuck stuck;
static soon_executor *pool; /* of one */
static soon_completions *set;
static soon_future *f[N], *promise;

/* What the threads and jobs that iterate saw. */
static atomic_int returned[N], ends, others;
static int rc[3];
static size_t left;

static void setup(void)
{
	stuck_init(&stuck, 1);
	pool = pool_of(1);
	promise = must_promise();
	for (int i = 0; i < N; i++)
		atomic_store(&returned[i], 0);
	atomic_store(&ends, 0);
	atomic_store(&others, 0);
	set = soon_as_completed(NULL, 0);
	ck_assert_ptr_nonnull(set);
}

static void teardown(void)
{
	stuck_fini(&stuck);
	soon_executor_free(pool);
	soon_completions_free(set);
	unref_n(f, N);
	soon_future_unref(promise);
}

/* Iterate to the end, counting each future where it stands in f. */
static void *iterate(void *timeout)
{
	soon_nsec limit = timeout != NULL ? *(soon_nsec *)timeout
					  : SOON_FOREVER;
	soon_future *next;
	int code;

	while ((code = soon_completions_next(set, limit, &next)) == 0) {
		int i = 0;

		while (i < N && f[i] != next)
			i++;
		atomic_fetch_add(i < N ? &returned[i] : &others, 1);
	}
	atomic_fetch_add(code == ENODATA ? &ends : &others, 1);
	return NULL;
}

/* All of n came once, and so many iterations reached the end. */
static void expect_all_once(int n, int iterations)
{
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(atomic_load(&returned[i]), 1);
	ck_assert_int_eq(atomic_load(&others), 0);
	ck_assert_int_eq(atomic_load(&ends), iterations);
	ck_assert_uint_eq(soon_completions_left(set), 0);
}

START_TEST(every_outcome_wakes_who_waits_for_the_next)
{
	struct actor a;

	f[0] = _i < 2 || _i == 5 ? submit(stuck.pool, return_arg, NULL)
				 : must_promise();
	soon_completions_add(set, f[0]);
	actor_start(&a, iterate, NULL);
	actor_await_asleep(&a);
	if (_i == 0)
		stuck_release(&stuck);
	else if (_i == 1)
		soon_executor_shutdown(stuck.pool, SOON_CANCEL_PENDING, 0);
	else if (_i == 2)
		soon_future_set_result(f[0], NULL);
	else if (_i == 3)
		soon_future_set_error(f[0], EIO, NULL);
	else
		ck_assert_int_eq(soon_future_cancel(f[0]), 0);
	actor_join(&a);
	expect_all_once(1, 1);
}
END_TEST

START_TEST(adding_what_is_done_wakes_who_waits_for_the_next)
{
	struct actor a;

	f[0] = must_promise();
	f[1] = succeeded_with(NULL);
	soon_completions_add(set, f[0]);
	actor_start(&a, iterate, NULL);
	actor_await_asleep(&a);
	ck_assert_int_eq(soon_completions_add(set, f[1]), 0);
	while (atomic_load(&returned[1]) == 0)
		sched_yield();
	soon_future_set_result(f[0], NULL);
	actor_join(&a);
	expect_all_once(2, 1);
}
END_TEST

/* Only one of those asleep gets it; the others must not sleep for ever. */
START_TEST(the_last_one_ends_every_iteration)
{
	struct actor a[THREADS];

	f[0] = must_promise();
	soon_completions_add(set, f[0]);
	for (int i = 0; i < THREADS; i++) {
		actor_start(&a[i], iterate, NULL);
		actor_await_asleep(&a[i]);
	}
	soon_future_set_result(f[0], NULL);
	for (int i = 0; i < THREADS; i++)
		actor_join(&a[i]);
	expect_all_once(1, THREADS);
}
END_TEST

START_TEST(several_threads_get_each_future_once)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct actor a[THREADS];
	unsigned order[N];

	must_promise_n(f, N);
	for (int i = 0; i < N / 2; i++)
		soon_completions_add(set, f[i]);
	for (int i = 0; i < THREADS; i++)
		actor_start(&a[i], iterate, NULL);
	for (int i = N / 2; i < N; i++)
		ck_assert_int_eq(soon_completions_add(set, f[i]), 0);
	shuffled(&rng, order, N);
	for (unsigned i = 0; i < N; i++) {
		if (rng_below(&rng, 8) == 0)
			actor_await_asleep(&a[rng_below(&rng, THREADS)]);
		if (rng_below(&rng, 2) == 0)
			soon_future_cancel(f[order[i]]);
		else
			soon_future_set_result(f[order[i]], NULL);
	}
	for (int i = 0; i < THREADS; i++)
		actor_join(&a[i]);
	expect_all_once(N, THREADS);
}
END_TEST

static void *iterate_over_children(void *timeout)
{
	for (int i = 0; i < N; i++) {
		f[i] = soon_submit(pool, return_arg, NULL);
		soon_completions_add(set, f[i]);
	}
	return iterate(timeout);
}

static void run(soon_fn *fn, void *arg)
{
	soon_future *job = submit(pool, fn, arg);

	ck_assert_int_eq(soon_future_wait(job, SOON_FOREVER), 0);
	soon_future_unref(job);
}

/* With a limit too, which forbids to claim them. */
START_TEST(a_job_of_a_pool_of_one_iterates_over_its_own)
{
	soon_nsec limit = TEST_TIMEOUT / 2 * SOON_SEC;

	run(iterate_over_children, _i == 0 ? NULL : &limit);
	expect_all_once(N, 1);
}
END_TEST

/* Those that iterate stand in the queue before what they iterate over. */
START_TEST(several_jobs_of_a_pool_of_one_share_a_set)
{
	struct gate gate;

	gate_init(&gate);
	pool_hold(pool, &gate, 1);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(soon_execute(pool, iterate, NULL), 0);
	for (int i = 0; i < N; i++) {
		f[i] = submit(pool, return_arg, NULL);
		soon_completions_add(set, f[i]);
	}
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_all_once(N, THREADS);
	gate_fini(&gate);
}
END_TEST

static void *keep_promise(void *unused)
{
	soon_future_set_error(promise, EIO, NULL);
	return unused;
}

static void *iterate_over_promise(void *timeout)
{
	f[0] = soon_future_ref(promise);
	soon_completions_add(set, promise);
	if (soon_execute(pool, keep_promise, NULL) != 0)
		atomic_fetch_add(&others, 1);
	return iterate(timeout);
}

START_TEST(a_job_may_iterate_over_what_a_later_one_of_its_pool_does)
{
	soon_nsec limit = TEST_TIMEOUT / 2 * SOON_SEC;

	run(iterate_over_promise, _i == 0 ? NULL : &limit);
	expect_all_once(1, 1);
}
END_TEST

static void *iterate_over_myself(void *before)
{
	soon_future *next, *done = before;

	soon_completions_add(set, soon_self());
	if (done != NULL)
		soon_completions_add(set, done);
	rc[0] = soon_completions_next(set, SOON_FOREVER, &next);
	rc[1] = soon_completions_next(set, SOON_FOREVER, &next);
	rc[2] = next == NULL;
	left = soon_completions_left(set);
	return NULL;
}

/* It is in the set all the same, and comes when it is done. */
START_TEST(a_job_that_has_only_itself_to_wait_for_is_told)
{
	soon_future *next;

	if (_i == 1)
		soon_future_set_result(promise, NULL);
	f[0] = submit(pool, iterate_over_myself, _i == 0 ? NULL : promise);
	if (_i == 2)
		soon_future_set_result(promise, NULL);
	ck_assert_int_eq(soon_future_wait(f[0], SOON_FOREVER), 0);
	ck_assert_int_eq(rc[0], _i == 0 ? EDEADLK : 0);
	ck_assert_int_eq(rc[1], EDEADLK);
	ck_assert_int_eq(rc[2], true);
	ck_assert_uint_eq(left, 1);
	ck_assert_int_eq(soon_completions_next(set, SOON_FOREVER, &next), 0);
	ck_assert_ptr_eq(next, f[0]);
	ck_assert_int_eq(soon_completions_next(set, 0, &next), ENODATA);
}
END_TEST

static _Thread_local int iterating_here;

static void *unrelated(void *unused)
{
	atomic_fetch_add(&others, iterating_here);
	return unused;
}

static void *iterate_among_unrelated(void *unused)
{
	for (int i = 0; i < N; i++) {
		soon_execute(pool, unrelated, NULL);
		f[i] = soon_submit(pool, return_arg, NULL);
		soon_completions_add(set, f[i]);
	}
	iterating_here = 1;
	iterate(unused);
	iterating_here = 0;
	return NULL;
}

START_TEST(no_unrelated_job_runs_on_top_of_an_iterating_one)
{
	run(iterate_among_unrelated, NULL);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_all_once(N, 1);
}
END_TEST

/* If the cost of each grew with their number, these would not end in time. */
START_TEST(the_cost_of_each_does_not_grow_with_the_number)
{
	unsigned n = test_scale(400000), wrong = 0;
	soon_future **many = calloc(n, sizeof(soon_future *)), *next;

	ck_assert_ptr_nonnull(many);
	must_promise_n(many, n);
	soon_completions_free(set);
	set = soon_as_completed(many, n);
	ck_assert_ptr_nonnull(set);
	for (unsigned i = 0; i < n; i++)
		wrong += soon_completions_add(set, many[i]) != 0;
	ck_assert_uint_eq(soon_completions_left(set), n);
	for (unsigned i = n; _i == 0 && i > 0; i--)
		soon_future_set_result(many[i - 1], NULL);
	for (unsigned i = n; _i == 0 && i > 0; i--)
		wrong += soon_completions_next(set, 0, &next) != 0 ||
			 next != many[i - 1];
	soon_completions_free(set);
	set = NULL;
	for (unsigned i = n; _i == 1 && i > 0; i--)
		wrong += soon_future_set_result(many[i - 1], NULL) != 0;
	ck_assert_uint_eq(wrong, 0);
	unref_n(many, n);
	free(many);
}
END_TEST

START_TEST(a_future_in_very_many_sets_leaves_each_quickly)
{
	unsigned n = test_scale(200000), made = 0;
	soon_completions **sets = calloc(n, sizeof(soon_completions *));

	ck_assert_ptr_nonnull(sets);
	for (unsigned i = 0; i < n; i++) {
		sets[i] = soon_as_completed(&promise, 1);
		made += sets[i] != NULL;
	}
	ck_assert_uint_eq(made, n);
	for (unsigned i = 0; i < n; i++)
		soon_completions_free(sets[_i == 0 ? i : n - 1 - i]);
	free(sets);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
}
END_TEST

START_TEST(a_set_that_is_used_for_ever_stays_small)
{
	unsigned n = test_scale(200000), wrong = 0;
	soon_future *next, *now;
	size_t before = 0;

	for (unsigned i = 0; i < n; i++) {
		if (i == n / 10)
			before = resident_bytes();
		now = soon_future_new(NULL);
		wrong += soon_completions_add(set, now) != 0;
		soon_future_set_result(now, NULL);
		soon_future_unref(now);
		wrong += soon_completions_next(set, SOON_FOREVER, &next) != 0 ||
			 next != now;
	}
	ck_assert_uint_eq(wrong, 0);
	if (!TEST_SANITIZED)
		ck_assert_uint_le(resident_bytes(), before + MEMORY_NOISE);
}
END_TEST

static Suite *completions_wake_suite(void)
{
	Suite *s = suite_create("completions_wake");
	TCase *tc = tcase_create("completions_wake");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, every_outcome_wakes_who_waits_for_the_next, 0,
			    6);
	tcase_add_test(tc, adding_what_is_done_wakes_who_waits_for_the_next);
	tcase_add_test(tc, the_last_one_ends_every_iteration);
	tcase_add_loop_test(tc, several_threads_get_each_future_once, 0, 10);
	tcase_add_loop_test(tc, a_job_of_a_pool_of_one_iterates_over_its_own, 0,
			    2);
	tcase_add_test(tc, several_jobs_of_a_pool_of_one_share_a_set);
	tcase_add_loop_test(
		tc, a_job_may_iterate_over_what_a_later_one_of_its_pool_does, 0,
		2);
	tcase_add_loop_test(tc, a_job_that_has_only_itself_to_wait_for_is_told,
			    0, 3);
	tcase_add_test(tc, no_unrelated_job_runs_on_top_of_an_iterating_one);
	tcase_add_loop_test(tc, the_cost_of_each_does_not_grow_with_the_number,
			    0, 2);
	tcase_add_loop_test(tc, a_future_in_very_many_sets_leaves_each_quickly,
			    0, 2);
	tcase_add_test(tc, a_set_that_is_used_for_ever_stays_small);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(completions_wake_suite());
}
