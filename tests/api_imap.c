/*
 * api_imap.c - soon_imap_*(): what comes when, of how many, and who owns it.
 */
#include "support/source.h"

#include <errno.h>
#include <stdint.h>

#define MOST 1000

static struct item items[MOST];
static struct drawn from;
static soon_executor *pool;
static struct gate gate;
static soon_imap *map;

static void setup(void)
{
	gate_init(&gate);
	pool = pool_of(2);
	items_init(items, NULL, MOST);
	from = (struct drawn){ .items = items, .n = MOST };
	map = NULL;
}

/* End all: after this nothing runs and nothing is freed any more. */
static void finish(void)
{
	soon_imap_free(map);
	map = NULL;
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

static void teardown(void)
{
	finish();
	gate_fini(&gate);
}

START_TEST(bad_arguments_are_refused)
{
	soon_job bad = item_job;
	soon_future *f = (void *)&bad;

	errno = 0;
	ck_assert_ptr_null(soon_imap_new(pool, NULL, draw_item, &from, 1));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_imap_new(pool, &item_job, NULL, &from, 1));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_imap_new(pool, &item_job, draw_item, &from, 0));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(
		soon_imap_new(pool, &item_job, draw_item, &from, SIZE_MAX / 4));
	ck_assert_int_eq(errno, ENOMEM);
	bad.run_within = -1;
	ck_assert_ptr_null(soon_imap_new(pool, &bad, draw_item, &from, 1));
	ck_assert_int_eq(errno, EINVAL);
	map = must_imap(pool, &from, 1);
	ck_assert_int_eq(soon_imap_next(map, 0, NULL), EINVAL);
	ck_assert_int_eq(soon_imap_next(NULL, 0, &f), EINVAL);
	ck_assert_ptr_null(f);
	soon_imap_free(NULL);
	ck_assert_uint_eq(from.calls, 0);
}
END_TEST

START_TEST(results_come_in_the_order_of_their_arguments)
{
	static const size_t windows[] = { 1, 2, 3, 64, MOST, MOST + 100 };

	map = must_imap(pool, &from, windows[_i]);
	for (int i = 0; i < MOST; i++)
		expect_item(map, &items[i]);
	expect_code(map, SOON_FOREVER, ENODATA);
	finish();
	items_expect(items, MOST, 1, 1, 1);
}
END_TEST

/* Whichever is done last; each is held in turn. */
START_TEST(a_late_result_keeps_its_place_and_a_poll_loses_nothing)
{
	int late = _i;

	from.n = 6;
	items[late].gate = &gate;
	map = must_imap(pool, &from, 6);
	for (int i = 0; i < late; i++)
		expect_item(map, &items[i]);
	for (int i = 0; i < 3; i++) {
		expect_code(map, 0, ETIMEDOUT);
		gate_await(&gate, 1);
		expect_code(map, -1, ETIMEDOUT);
		expect_code(map, 1, ETIMEDOUT);
	}
	gate_open(&gate);
	for (int i = late; i < 6; i++)
		expect_item(map, &items[i]);
	expect_code(map, 0, ENODATA);
}
END_TEST

START_TEST(a_timed_next_sleeps_until_its_end)
{
	soon_nsec limit = 50 * SOON_MSEC;
	soon_nsec start = clock_now(), cpu = clock_cpu();

	items[0].gate = &gate;
	map = must_imap(pool, &from, 1);
	expect_code(map, limit, ETIMEDOUT);
	ck_assert_int_ge(clock_now() - start, limit);
	ck_assert_int_lt(clock_cpu() - cpu, limit / 2);
	gate_open(&gate);
	expect_item(map, &items[0]);
}
END_TEST

START_TEST(the_source_is_asked_for_the_end_once)
{
	from.n = (size_t)_i;
	map = must_imap(pool, &from, 4);
	ck_assert_uint_eq(from.calls, 0);
	for (int i = 0; i < _i; i++)
		expect_item(map, &items[i]);
	for (int i = 0; i < 3; i++)
		expect_code(map, i - 1, ENODATA);
	ck_assert_uint_eq(from.calls, from.n + 1);
	ck_assert_uint_eq(from.ends, 1);
}
END_TEST

/* Queued or running; the pool stands still. */
START_TEST(no_more_are_drawn_than_the_window_holds)
{
	size_t window = (size_t)_i;

	for (int i = 0; i < MOST; i++)
		items[i].gate = &gate;
	map = must_imap(pool, &from, window);
	for (int i = 0; i < 3; i++) {
		expect_code(map, 0, ETIMEDOUT);
		ck_assert_uint_eq(from.calls, window);
	}
	gate_open(&gate);
	for (size_t i = 0; i < 100; i++) {
		expect_item(map, &items[i]);
		ck_assert_uint_le(from.calls, i + window + 1);
	}
}
END_TEST

/* Also while each next one is done already. */
START_TEST(one_more_is_drawn_for_each_that_is_taken)
{
	items[0].gate = &gate;
	map = must_imap(pool, &from, 8);
	expect_code(map, 0, ETIMEDOUT);
	gate_open(&gate);
	for (size_t i = 0; i < 100; i++) {
		expect_item(map, &items[i]);
		ck_assert_uint_eq(from.calls, i < 1 ? 8 : i + 8);
	}
}
END_TEST

static atomic_uint alive;

static void *make_alive(void *arg)
{
	atomic_fetch_add(&alive, 1);
	return arg;
}

static void end_alive(void *arg)
{
	(void)arg;
	atomic_fetch_sub(&alive, 1);
}

static int draw_for_ever(void *count, void **arg)
{
	*arg = count;
	++*(unsigned *)count;
	return 0;
}

START_TEST(an_endless_source_needs_no_more_than_the_window)
{
	soon_job job = { .size = sizeof(job),
			 .fn = make_alive,
			 .free_result = end_alive };
	unsigned n = test_scale(20000), count = 0;
	soon_future *f;

	atomic_store(&alive, 0);
	map = soon_imap_new(pool, &job, draw_for_ever, &count, 10);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(soon_imap_next(map, SOON_FOREVER, &f), 0);
		ck_assert_uint_le(atomic_load(&alive), 11);
		ck_assert_uint_le(count, i + 11);
	}
	finish();
	ck_assert_uint_eq(atomic_load(&alive), 0);
}
END_TEST

START_TEST(a_future_is_borrowed_until_the_following_next)
{
	soon_future *kept;

	items[2].gate = &gate;
	map = must_imap(pool, &from, 3);
	expect_item(map, &items[0]);
	ck_assert_int_eq(soon_imap_next(map, SOON_FOREVER, &kept), 0);
	ck_assert_uint_eq(atomic_load(&items[0].result_freed), 1);
	soon_future_ref(kept);
	expect_code(map, 0, ETIMEDOUT);
	ck_assert_uint_eq(atomic_load(&items[1].result_freed), 0);
	ck_assert_ptr_eq(soon_future_take(kept), &items[1]);
	soon_future_unref(kept);
	finish();
	items_expect(items, 1, 1, 1, 1);
	items_expect(items + 1, 1, 1, 1, 0);
	items_expect(items + 2, 1, 1, 1, 1);
}
END_TEST

START_TEST(the_last_is_borrowed_until_the_map_is_freed)
{
	from.n = 1;
	map = must_imap(pool, &from, 3);
	expect_item(map, &items[0]);
	soon_imap_free(map);
	map = NULL;
	items_expect(items, 1, 1, 1, 1);
}
END_TEST

/* A struct of an older program, which knew no more than the first members. */
START_TEST(the_job_is_copied_whatever_its_size)
{
	soon_job job = { .size = offsetof(soon_job, arg), .fn = return_arg };
	soon_future *f = NULL;

	map = soon_imap_new(pool, &job, draw_item, &from, 2);
	ck_assert_ptr_nonnull(map);
	job.fn = NULL;
	job.free_arg = end_alive;
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(soon_imap_next(map, SOON_FOREVER, &f), 0);
		ck_assert_ptr_eq(soon_future_take(f), &items[i]);
	}
}
END_TEST

START_TEST(no_pool_means_the_default_one)
{
	from.n = 50;
	map = must_imap(NULL, &from, 7);
	for (int i = 0; i < 50; i++)
		expect_item(map, &items[i]);
	expect_code(map, 0, ENODATA);
}
END_TEST

START_TEST(a_pool_without_threads_maps_too)
{
	soon_executor *none = inline_pool();

	from.n = 50;
	map = must_imap(none, &from, 7);
	for (int i = 0; i < 50; i++) {
		expect_item(map, &items[i]);
		ck_assert_uint_le(from.calls, (size_t)i + 2);
	}
	expect_code(map, 0, ENODATA);
	soon_executor_free(none);
}
END_TEST

static Suite *imap_suite(void)
{
	Suite *s = suite_create("api_imap");
	TCase *tc = tcase_create("api_imap");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, bad_arguments_are_refused);
	tcase_add_loop_test(tc, results_come_in_the_order_of_their_arguments, 0,
			    6);
	tcase_add_loop_test(
		tc, a_late_result_keeps_its_place_and_a_poll_loses_nothing, 0,
		6);
	tcase_add_test(tc, a_timed_next_sleeps_until_its_end);
	tcase_add_loop_test(tc, the_source_is_asked_for_the_end_once, 0, 9);
	tcase_add_loop_test(tc, no_more_are_drawn_than_the_window_holds, 1, 9);
	tcase_add_test(tc, one_more_is_drawn_for_each_that_is_taken);
	tcase_add_test(tc, an_endless_source_needs_no_more_than_the_window);
	tcase_add_test(tc, a_future_is_borrowed_until_the_following_next);
	tcase_add_test(tc, the_last_is_borrowed_until_the_map_is_freed);
	tcase_add_test(tc, the_job_is_copied_whatever_its_size);
	tcase_add_test(tc, no_pool_means_the_default_one);
	tcase_add_test(tc, a_pool_without_threads_maps_too);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(imap_suite());
}
