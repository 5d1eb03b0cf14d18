/*
 * api_wait_wake.c - threads asleep in soon_wait() and soon_wait_any(), and what
 * wakes them.
 */
#include "support/many.h"

#include <errno.h>

static const enum soon_when modes[MODES] = { SOON_ALL_COMPLETED,
					     SOON_FIRST_COMPLETED,
					     SOON_FIRST_ERROR };

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

/* An end beyond the clock's last moment is no end in the past. */
START_TEST(a_huge_timeout_saturates)
{
	soon_future *f = must_promise();
	struct waiting w;

	waiting_start(&w, &f, 1, modes[_i], SOON_FOREVER - 1);
	ck_assert_int_eq(soon_future_set_error(f, EIO, NULL), 0);
	ck_assert_int_eq(waiting_join(&w), 0);
	soon_future_unref(f);
}
END_TEST

START_TEST(all_completed_wakes_with_the_last)
{
	enum { N = 6 };
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned order[N];
	soon_future *f[N];
	struct waiting w;

	must_promise_n(f, N);
	shuffled(&rng, order, N);
	waiting_start(&w, f, N, SOON_ALL_COMPLETED, SOON_FOREVER);
	for (unsigned i = 0; i < N; i++) {
		ck_assert(!atomic_load(&w.returned));
		if (i % 3 == 0)
			ck_assert_int_eq(soon_future_cancel(f[order[i]]), 0);
		else if (i % 3 == 1)
			soon_future_set_error(f[order[i]], EIO, NULL);
		else
			soon_future_set_result(f[order[i]], NULL);
		if (i < N - 1)
			actor_await_asleep(&w.actor);
	}
	ck_assert_int_eq(waiting_join(&w), 0);
	ck_assert_uint_eq(w.done, N);
	unref_n(f, N);
}
END_TEST

START_TEST(first_completed_wakes_with_one_whatever_its_outcome)
{
	soon_future *f[3];
	struct waiting w;

	must_promise_n(f, 3);
	waiting_start(&w, f, 3, SOON_FIRST_COMPLETED, SOON_FOREVER);
	if (_i == 0)
		soon_future_set_result(f[1], NULL);
	else if (_i == 1)
		soon_future_set_error(f[1], EIO, NULL);
	else
		soon_future_cancel(f[1]);
	ck_assert_int_eq(waiting_join(&w), 0);
	ck_assert_uint_eq(w.done, 1);
	unref_n(f, 3);
}
END_TEST

/* A cancelled future is an error here; a running promise fails instead. */
START_TEST(first_error_sleeps_through_success)
{
	soon_future *f[4];
	struct waiting w;

	must_promise_n(f, 4);
	waiting_start(&w, f, 4, SOON_FIRST_ERROR, SOON_FOREVER);
	soon_future_set_result(f[3], NULL);
	actor_await_asleep(&w.actor);
	ck_assert(!atomic_load(&w.returned));
	soon_future_set_result(f[0], NULL);
	actor_await_asleep(&w.actor);
	ck_assert(!atomic_load(&w.returned));
	if (_i == 0)
		soon_future_set_error(f[1], EIO, NULL);
	else
		ck_assert_int_eq(soon_future_cancel(f[1]), 0);
	ck_assert_int_eq(waiting_join(&w), 0);
	ck_assert_uint_eq(w.done, 3);
	unref_n(f, 4);
}
END_TEST

START_TEST(first_error_without_one_waits_for_all)
{
	soon_future *f[3];
	struct waiting w;

	must_promise_n(f, 3);
	waiting_start(&w, f, 3, SOON_FIRST_ERROR, SOON_FOREVER);
	for (int i = 2; i >= 0; i--) {
		ck_assert(!atomic_load(&w.returned));
		soon_future_set_result(f[i], NULL);
		if (i > 0)
			actor_await_asleep(&w.actor);
	}
	ck_assert_int_eq(waiting_join(&w), 0);
	ck_assert_uint_eq(w.done, 3);
	unref_n(f, 3);
}
END_TEST

START_TEST(a_future_given_often_counts_once)
{
	enum { N = 1000 };
	soon_future *a = must_promise(), *b = must_promise();
	soon_future *f[N];
	struct waiting w;
	size_t done = 99;

	for (int i = 0; i < N; i++)
		f[i] = i % 2 == 0 ? a : b;
	ck_assert_int_eq(soon_wait(f, N, modes[_i], 0, &done), ETIMEDOUT);
	ck_assert_uint_eq(done, 0);
	waiting_start(&w, f, N, modes[_i], SOON_FOREVER);
	soon_future_set_result(a, NULL);
	if (modes[_i] != SOON_FIRST_COMPLETED) {
		actor_await_asleep(&w.actor);
		ck_assert(!atomic_load(&w.returned));
		soon_future_cancel(b);
	}
	ck_assert_int_eq(waiting_join(&w), 0);
	ck_assert_uint_eq(w.done, modes[_i] == SOON_FIRST_COMPLETED ? 1 : 2);
	soon_future_cancel(b);
	ck_assert_int_eq(soon_wait(f, N, modes[_i], 0, &done), 0);
	ck_assert_uint_eq(done, 2);
	soon_future_unref(a);
	soon_future_unref(b);
}
END_TEST

/* Every worker is stuck, so nobody but the canceller can wake the waiter. */
START_TEST(cancelling_what_is_pending_wakes_every_mode)
{
	soon_future *f[2];
	struct waiting w;

	f[0] = submit(stuck.pool, return_arg, NULL);
	f[1] = submit(stuck.pool, return_arg, NULL);
	waiting_start(&w, f, 2, modes[_i], SOON_FOREVER);
	ck_assert_int_eq(soon_future_cancel(f[1]), 0);
	if (modes[_i] == SOON_ALL_COMPLETED)
		ck_assert_int_eq(soon_future_cancel(f[0]), 0);
	ck_assert_int_eq(waiting_join(&w), 0);
	ck_assert_uint_eq(w.done, modes[_i] == SOON_ALL_COMPLETED ? 2 : 1);
	unref_n(f, 2);
}
END_TEST

START_TEST(a_shutdown_that_cancels_wakes_every_mode)
{
	soon_future *f[2];
	struct waiting w;

	f[0] = submit(stuck.pool, return_arg, NULL);
	f[1] = submit(stuck.pool, return_arg, NULL);
	waiting_start(&w, f, 2, modes[_i], SOON_FOREVER);
	ck_assert_int_eq(soon_executor_shutdown(stuck.pool, SOON_CANCEL_PENDING,
						0),
			 EINPROGRESS);
	ck_assert_int_eq(waiting_join(&w), 0);
	ck_assert_int_eq(soon_future_state(f[0]), SOON_CANCELLED);
	ck_assert_int_eq(soon_future_state(f[1]), SOON_CANCELLED);
	unref_n(f, 2);
}
END_TEST

static soon_future *any_of[4];
static size_t any_index;

static void *any_main(void *unused)
{
	(void)unused;
	return box(soon_wait_any(any_of, 4, SOON_FOREVER, &any_index));
}

START_TEST(any_wakes_with_the_index_of_what_was_done)
{
	struct actor a;

	must_promise_n(any_of, 4);
	any_index = 99;
	actor_start(&a, any_main, NULL);
	actor_await_asleep(&a);
	soon_future_cancel(any_of[_i]);
	ck_assert_int_eq(unbox(actor_join(&a)), 0);
	ck_assert_int_eq((int)any_index, _i);
	unref_n(any_of, 4);
}
END_TEST

START_TEST(one_array_may_mix_pools_and_promises)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *two = pool_of(2), *none;
	soon_future *f[5];
	struct waiting w;

	o.flags = SOON_INLINE;
	none = soon_executor_open(&o);
	ck_assert_ptr_nonnull(none);
	f[0] = submit(stuck.pool, return_arg, box(0));
	f[1] = submit(two, return_arg, box(1));
	f[2] = submit(none, return_arg, box(2));
	f[3] = submit(NULL, return_arg, box(3));
	f[4] = must_promise();
	waiting_start(&w, f, 5, modes[_i], SOON_FOREVER);
	soon_future_set_result(f[4], NULL);
	stuck_release(&stuck);
	ck_assert_int_eq(waiting_join(&w), 0);
	ck_assert_uint_ge(w.done, modes[_i] == SOON_FIRST_COMPLETED ? 1 : 5);
	ck_assert_int_eq(soon_wait_all(f, 5, SOON_FOREVER), 0);
	soon_executor_free(two);
	soon_executor_free(none);
	unref_n(f, 5);
}
END_TEST

START_TEST(many_threads_may_wait_for_the_same)
{
	enum { THREADS = 9, N = 5 };
	soon_future *f[N];
	struct waiting w[THREADS];

	must_promise_n(f, N);
	for (int i = 0; i < THREADS; i++)
		waiting_start(&w[i], f, N, modes[i % MODES], SOON_FOREVER);
	for (int i = 0; i < N; i++)
		soon_future_set_result(f[i], NULL);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(waiting_join(&w[i]), 0);
		if (modes[i % MODES] == SOON_FIRST_COMPLETED)
			ck_assert_uint_ge(w[i].done, 1);
		else
			ck_assert_uint_eq(w[i].done, N);
	}
	unref_n(f, N);
}
END_TEST

static Suite *wait_wake_suite(void)
{
	Suite *s = suite_create("wait_wake");
	TCase *tc = tcase_create("wait_wake");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, a_huge_timeout_saturates, 0, MODES);
	tcase_add_loop_test(tc, all_completed_wakes_with_the_last, 0, 4);
	tcase_add_loop_test(
		tc, first_completed_wakes_with_one_whatever_its_outcome, 0, 3);
	tcase_add_loop_test(tc, first_error_sleeps_through_success, 0, 2);
	tcase_add_test(tc, first_error_without_one_waits_for_all);
	tcase_add_loop_test(tc, a_future_given_often_counts_once, 0, MODES);
	tcase_add_loop_test(tc, cancelling_what_is_pending_wakes_every_mode, 0,
			    MODES);
	tcase_add_loop_test(tc, a_shutdown_that_cancels_wakes_every_mode, 0,
			    MODES);
	tcase_add_loop_test(tc, any_wakes_with_the_index_of_what_was_done, 0,
			    4);
	tcase_add_loop_test(tc, one_array_may_mix_pools_and_promises, 0, MODES);
	tcase_add_test(tc, many_threads_may_wait_for_the_same);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(wait_wake_suite());
}
