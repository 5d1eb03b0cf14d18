/*
 * test_park.c - who is called when there is work, step by step.
 *
 * The main thread plays all workers; test_park_race.c has real ones.
 */
#include "support/support.h"

#include "park.h"

#include <errno.h>

#define WORKERS 6

static struct sooni_park park;
static uint64_t word;
static struct sooni_parker workers[WORKERS];

static unsigned runs(void)
{
	return (unsigned)(atomic_load(&park.word) >> 16 & 0xffff);
}

static unsigned searches(void)
{
	return (unsigned)(atomic_load(&park.word) & 0xffff);
}

static void expect_counts(unsigned running, unsigned searching)
{
	ck_assert_uint_eq(runs(), running);
	ck_assert_uint_eq(searches(), searching);
}

/* So many workers, all idle, the last on top. */
static void begin(uint32_t limit, uint32_t most, unsigned n)
{
	sooni_park_init(&park, limit, most);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(sooni_park_add(&park, &workers[i]), 0);
		/* As if it had been started, whatever the limit. */
		sooni_park_unblock(&park, false);
		sooni_park_search(&park);
		expect_counts(1, 1);
		sooni_park_announce(&park, &workers[i], true);
		expect_counts(0, 0);
	}
}

static void teardown(void)
{
	sooni_park_fini(&park);
}

/* Whether k has been called, as it sees for itself. */
static bool is_called(struct sooni_parker *k)
{
	return sooni_park_wait(k, 0) == 0;
}

/* A call calls this idle worker. */
static void expect_called(enum sooni_urge urge, struct sooni_parker *expected)
{
	struct sooni_parker *k = NULL;

	ck_assert(!is_called(expected));
	ck_assert_int_eq(sooni_park_call(&park, urge, &k), SOONI_CALLED);
	ck_assert_ptr_eq(k, expected);
	ck_assert(is_called(expected));
}

/* A call calls nobody, and this is why. */
static void expect_nobody(enum sooni_urge urge, enum sooni_called why)
{
	struct sooni_parker *k = NULL;
	uint64_t before = atomic_load(&park.word);

	ck_assert_int_eq(sooni_park_call(&park, urge, &k), why);
	ck_assert_ptr_null(k);
	ck_assert_uint_eq(atomic_load(&park.word), before);
}

/* A call asks for a thread on k, or on a new parker. */
static void expect_start(enum sooni_urge urge, struct sooni_parker *expected)
{
	struct sooni_parker none, *k = &none;
	unsigned running = runs(), searching = searches();

	ck_assert_int_eq(sooni_park_call(&park, urge, &k), SOONI_CALL_START);
	ck_assert_ptr_eq(k, expected);
	expect_counts(running + 1, searching + 1);
}

START_TEST(parkers_are_numbered_in_the_order_of_adding)
{
	struct sooni_parker one;
	unsigned wrong = 0;

	sooni_park_init(&park, 1, 1);
	ck_assert_uint_eq(sooni_park_count(&park), 0);
	for (uint32_t i = 0; i < SOONI_PARK_MOST; i++) {
		struct sooni_parker *k = i < WORKERS ? &workers[i] : &one;

		wrong += sooni_park_add(&park, k) != 0;
		wrong += k->index != i || sooni_park_at(&park, i) != k;
		wrong += sooni_park_count(&park) != i + 1;
	}
	ck_assert_uint_eq(wrong, 0);
	for (uint32_t i = 0; i < WORKERS; i++)
		ck_assert_ptr_eq(sooni_park_at(&park, i), &workers[i]);
	ck_assert_int_eq(sooni_park_add(&park, &one), EAGAIN);
	ck_assert_uint_eq(sooni_park_count(&park), SOONI_PARK_MOST);
}
END_TEST

START_TEST(the_latest_idle_worker_is_called_first)
{
	begin(WORKERS, WORKERS, WORKERS);
	for (unsigned i = WORKERS; i-- > 0;) {
		expect_called(_i ? SOONI_ONE_MORE : SOONI_ANYBODY, &workers[i]);
		if (_i == 0)
			ck_assert(sooni_park_found(&park));
	}
	expect_counts(WORKERS, _i ? WORKERS : 0);
	sooni_park_announce(&park, &workers[2], _i);
	sooni_park_announce(&park, &workers[4], _i);
	expect_counts(WORKERS - 2, _i ? WORKERS - 2 : 0);
	expect_called(SOONI_ONE_MORE, &workers[4]);
	expect_called(SOONI_ONE_MORE, &workers[2]);
}
END_TEST

START_TEST(while_one_searches_only_one_more_is_called)
{
	begin(WORKERS, WORKERS, 3);
	ck_assert_int_eq(sooni_park_glance(&park, &word), SOONI_CALL_START);
	expect_called(SOONI_ANYBODY, &workers[2]);
	ck_assert_int_ne(sooni_park_glance(&park, &word), SOONI_CALL_START);
	expect_nobody(SOONI_ANYBODY, SOONI_CALLED);
	expect_nobody(SOONI_ONLY_IDLE, SOONI_CALLED);
	expect_called(SOONI_ONE_MORE, &workers[1]);
	ck_assert(!sooni_park_found(&park)); /* the other still searches */
	expect_nobody(SOONI_ANYBODY, SOONI_CALLED);
	ck_assert(sooni_park_found(&park));
	ck_assert_int_eq(sooni_park_glance(&park, &word), SOONI_CALL_START);
	sooni_park_search(&park);
	expect_nobody(SOONI_ANYBODY, SOONI_CALLED);
	ck_assert(sooni_park_found(&park));
	expect_called(SOONI_ONLY_IDLE, &workers[0]);
}
END_TEST

START_TEST(no_more_are_called_than_may_run)
{
	begin(2, 4, WORKERS);
	expect_called(SOONI_ONE_MORE, &workers[5]);
	expect_called(SOONI_ONE_MORE, &workers[4]);
	expect_nobody(SOONI_ONE_MORE, SOONI_CALL_FULL);
	ck_assert(sooni_park_found(&park) + sooni_park_found(&park) == 1);
	expect_nobody(SOONI_ANYBODY, SOONI_CALL_FULL);
	ck_assert(sooni_park_could_grow(&park));
	sooni_park_set_limit(&park, 3);
	ck_assert(!sooni_park_could_grow(&park));
	expect_called(SOONI_ANYBODY, &workers[3]);
	sooni_park_set_limit(&park, WORKERS);
	expect_called(SOONI_ONE_MORE, &workers[2]);
	expect_nobody(SOONI_ONE_MORE, SOONI_CALL_FULL); /* four, at most */
	ck_assert(!sooni_park_could_grow(&park));
}
END_TEST

START_TEST(a_thread_is_asked_for_when_nobody_is_idle)
{
	begin(3, 3, 1);
	expect_called(SOONI_ONE_MORE, &workers[0]);
	expect_nobody(SOONI_ANYBODY, SOONI_CALLED);
	expect_start(SOONI_ONE_MORE, NULL);
	sooni_park_exit(&park, true); /* it could not be had */
	expect_counts(1, 1);
	ck_assert(sooni_park_found(&park));
	expect_nobody(SOONI_ONLY_IDLE, SOONI_CALL_FULL);
	expect_start(SOONI_ANYBODY, NULL);
	expect_start(SOONI_ONE_MORE, NULL);
	expect_nobody(SOONI_ONE_MORE, SOONI_CALL_FULL);
}
END_TEST

START_TEST(a_worker_whose_thread_has_left_is_given_to_a_new_one)
{
	begin(WORKERS, WORKERS, 2);
	ck_assert_int_eq(sooni_park_wait(&workers[1], 0), ETIMEDOUT);
	ck_assert(sooni_park_leave(&workers[1]));
	expect_start(SOONI_ANYBODY, &workers[1]);
	sooni_park_announce(&park, &workers[1], true);
	expect_called(SOONI_ANYBODY, &workers[1]);
}
END_TEST

START_TEST(a_worker_that_was_called_does_not_leave)
{
	begin(WORKERS, WORKERS, 2);
	ck_assert_int_eq(sooni_park_wait(&workers[1], 0), ETIMEDOUT);
	expect_called(SOONI_ANYBODY, &workers[1]);
	ck_assert(!sooni_park_leave(&workers[1]));
	expect_counts(1, 1);
	sooni_park_exit(&park, true);
	expect_counts(0, 0);
}
END_TEST

START_TEST(a_blocked_worker_gives_its_place_to_another)
{
	bool counted = _i;

	begin(1, 2, 4);
	expect_called(SOONI_ANYBODY, &workers[3]);
	ck_assert(sooni_park_found(&park));
	sooni_park_block(&park, counted);
	expect_called(SOONI_ANYBODY, &workers[2]);
	ck_assert(sooni_park_found(&park));
	expect_nobody(SOONI_ANYBODY, SOONI_CALL_FULL);
	sooni_park_block(&park, counted);
	if (counted) { /* both count against the two */
		expect_nobody(SOONI_ANYBODY, SOONI_CALL_FULL);
		ck_assert_int_ne(sooni_park_glance(&park, &word),
				 SOONI_CALL_START);
	} else {
		expect_called(SOONI_ANYBODY, &workers[1]);
		ck_assert(sooni_park_found(&park));
		sooni_park_exit(&park, false);
	}
	sooni_park_unblock(&park, counted);
	sooni_park_unblock(&park, counted);
	expect_counts(2, 0);
	ck_assert_uint_eq(atomic_load(&park.blocked), 0);
}
END_TEST

START_TEST(a_worker_that_waits_for_others_may_not_count_for_a_while)
{
	begin(1, 1, 2);
	expect_called(SOONI_ANYBODY, &workers[1]);
	ck_assert(sooni_park_found(&park));
	sooni_park_block(&park, true);
	expect_nobody(SOONI_ANYBODY, SOONI_CALL_FULL);
	sooni_park_uncount(&park);
	expect_called(SOONI_ANYBODY, &workers[0]);
	ck_assert(sooni_park_found(&park));
	expect_nobody(SOONI_ANYBODY, SOONI_CALL_FULL);
	ck_assert(!sooni_park_is_over(&park));
	sooni_park_recount(&park);
	ck_assert(sooni_park_is_over(&park));
	ck_assert(sooni_park_surplus(&park, &workers[0]));
	sooni_park_unblock(&park, true);
	expect_counts(1, 0);
	ck_assert_uint_eq(atomic_load(&park.blocked), 0);
}
END_TEST

START_TEST(as_many_are_surplus_as_run_above_the_limit)
{
	begin(WORKERS, WORKERS, WORKERS);
	for (unsigned i = WORKERS; i-- > 0;) {
		expect_called(SOONI_ANYBODY, &workers[i]);
		ck_assert(sooni_park_found(&park));
		ck_assert(!sooni_park_is_over(&park));
		ck_assert(!sooni_park_surplus(&park, &workers[i]));
	}
	sooni_park_set_limit(&park, 2);
	for (unsigned i = WORKERS; i-- > 2;) {
		ck_assert(sooni_park_is_over(&park));
		ck_assert(sooni_park_surplus(&park, &workers[i]));
		expect_counts(i, 0);
	}
	ck_assert(!sooni_park_is_over(&park));
	ck_assert(!sooni_park_surplus(&park, &workers[0]));
	expect_counts(2, 0);
	sooni_park_set_limit(&park, WORKERS);
	expect_called(SOONI_ANYBODY, &workers[2]);
}
END_TEST

START_TEST(all_idle_workers_are_called_whatever_the_limit)
{
	begin(1, 1, WORKERS);
	expect_called(SOONI_ANYBODY, &workers[5]);
	ck_assert(sooni_park_found(&park));
	ck_assert_int_eq(sooni_park_wait(&workers[2], 0), ETIMEDOUT);
	ck_assert(sooni_park_leave(&workers[2]));
	sooni_park_call_all(&park);
	for (unsigned i = 0; i < WORKERS; i++)
		ck_assert(is_called(&workers[i]));
	/* The one without a thread does not count. */
	expect_counts(WORKERS - 1, WORKERS - 2);
	sooni_park_exit(&park, false);
	for (unsigned i = WORKERS - 2; i > 0; i--)
		sooni_park_exit(&park, true);
	expect_counts(0, 0);
	expect_start(SOONI_ANYBODY, NULL);
	sooni_park_call_all(&park);
	expect_counts(1, 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("park");
	TCase *t = tcase_create("park");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, parkers_are_numbered_in_the_order_of_adding);
	tcase_add_loop_test(t, the_latest_idle_worker_is_called_first, 0, 2);
	tcase_add_test(t, while_one_searches_only_one_more_is_called);
	tcase_add_test(t, no_more_are_called_than_may_run);
	tcase_add_test(t, a_thread_is_asked_for_when_nobody_is_idle);
	tcase_add_test(t, a_worker_whose_thread_has_left_is_given_to_a_new_one);
	tcase_add_test(t, a_worker_that_was_called_does_not_leave);
	tcase_add_loop_test(t, a_blocked_worker_gives_its_place_to_another, 0,
			    2);
	tcase_add_test(
		t, a_worker_that_waits_for_others_may_not_count_for_a_while);
	tcase_add_test(t, as_many_are_surplus_as_run_above_the_limit);
	tcase_add_test(t, all_idle_workers_are_called_whatever_the_limit);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
