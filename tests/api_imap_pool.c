/*
 * api_imap_pool.c - soon_imap_*() in pools that are full, in their own jobs, and
 * with jobs that end their thread.
 */
#include "support/bounded.h"
#include "support/source.h"

#include <errno.h>

#define MOST 40

static struct item items[MOST];
static struct drawn from;
static soon_executor *pool; /* of one */
static struct gate gate, made;
static soon_imap *map;

static void setup(void)
{
	gate_init(&gate);
	gate_init(&made);
	items_init(items, NULL, MOST);
	from = (struct drawn){ .items = items, .n = MOST };
	pool = NULL;
	map = NULL;
}

static void teardown(void)
{
	soon_imap_free(map);
	gate_open(&gate);
	gate_open(&made);
	soon_executor_free(pool);
	gate_fini(&gate);
	gate_fini(&made);
}

/* So many may wait to start, and so many are held by the gate or wait behind. */
static void open_full(size_t max_pending, enum soon_overflow when_full,
		      size_t others)
{
	pool = bounded_pool(max_pending, when_full, 0);
	for (size_t i = 0; i < others; i++) {
		ck_assert_int_eq(soon_execute(pool, gate_job, &gate), 0);
		if (i == 0)
			gate_await(&gate, 1);
	}
}

/* In all three kinds of pools; none is refused, and no poll sleeps. */
START_TEST(a_window_wider_than_the_queue_is_no_hindrance)
{
	bool runs = _i == SOON_CALLER_RUNS;

	open_full(2, (enum soon_overflow)_i, 0);
	if (!runs)
		items[5].gate = &gate;
	map = must_imap(pool, &from, 20);
	for (int i = 0; i < 5; i++)
		expect_item(map, &items[i]);
	for (int i = 0; i < 3 && !runs; i++)
		expect_code(map, 0, ETIMEDOUT);
	gate_open(&gate);
	for (int i = 5; i < MOST; i++)
		expect_item(map, &items[i]);
	expect_code(map, 0, ENODATA);
}
END_TEST

START_TEST(a_poll_does_not_wait_for_room)
{
	open_full(1, SOON_BLOCK, 2);
	map = must_imap(pool, &from, 20);
	for (int i = 0; i < 3; i++)
		expect_code(map, 0, ETIMEDOUT);
	ck_assert_uint_eq(from.calls, 0);
	gate_open(&gate);
	for (int i = 0; i < MOST; i++)
		expect_item(map, &items[i]);
	expect_code(map, 0, ENODATA);
}
END_TEST

static void *poll_it(void *unused)
{
	soon_future *f = NULL;

	(void)unused;
	return box(soon_imap_next(map, 0, &f));
}

START_TEST(nor_does_one_by_a_worker_of_another_pool)
{
	soon_executor *other = pool_of(1);
	soon_future *poller;
	void *said = NULL;

	open_full(1, SOON_BLOCK, 2);
	map = must_imap(pool, &from, 20);
	poller = submit(other, poll_it, NULL);
	ck_assert_int_eq(soon_future_result(poller, SOON_FOREVER, &said), 0);
	ck_assert_int_eq((int)unbox(said), ETIMEDOUT);
	soon_future_unref(poller);
	soon_executor_free(other);
}
END_TEST

static void *submit_three(void *unused)
{
	soon_job job = { .size = sizeof(job), .fn = return_null };

	(void)unused;
	return box(soon_submit_many(pool, &job, NULL, 3, NULL));
}

/* There is room for one, but others wait for more. */
START_TEST(a_poll_does_not_line_up)
{
	struct actor other;

	open_full(3, SOON_BLOCK, 3);
	actor_start(&other, submit_three, NULL);
	actor_await_asleep(&other);
	map = must_imap(pool, &from, 20);
	expect_code(map, 0, ETIMEDOUT);
	gate_open(&gate);
	ck_assert_int_eq((int)unbox(actor_join(&other)), 0);
	expect_item(map, &items[0]);
}
END_TEST

static void *take_first(void *unused)
{
	soon_future *f = NULL;

	(void)unused;
	return box(soon_imap_next(map, SOON_FOREVER, &f));
}

START_TEST(with_nothing_else_to_wait_for_it_waits_for_room)
{
	struct actor other;

	open_full(1, SOON_BLOCK, 2);
	map = must_imap(pool, &from, 20);
	actor_start(&other, take_first, NULL);
	actor_await_asleep(&other);
	gate_open(&gate);
	ck_assert_int_eq((int)unbox(actor_join(&other)), 0);
	for (int i = 1; i < MOST; i++)
		expect_item(map, &items[i]);
}
END_TEST

START_TEST(with_something_to_wait_for_it_does_not_wait_for_room)
{
	open_full(1, SOON_BLOCK, 1);
	map = must_imap(pool, &from, 20);
	for (int i = 0; i < 3; i++)
		expect_code(map, SOON_MSEC, ETIMEDOUT);
	ck_assert_uint_eq(from.calls, 1);
	gate_open(&gate);
	for (int i = 0; i < MOST; i++)
		expect_item(map, &items[i]);
}
END_TEST

START_TEST(a_pool_that_others_have_filled_refuses_in_place)
{
	open_full(1, SOON_REJECT, 2);
	map = must_imap(pool, &from, 20);
	for (int i = 0; i < 3; i++)
		expect_code(map, SOON_FOREVER, EAGAIN);
	items_expect(items, 3, 0, 1, 0);
	ck_assert_uint_eq(from.calls, 3);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	for (int i = 3; i < MOST; i++)
		expect_code(map, SOON_FOREVER, ESHUTDOWN);
}
END_TEST

START_TEST(the_caller_runs_what_a_full_pool_cannot)
{
	open_full(1, SOON_CALLER_RUNS, 2);
	map = must_imap(pool, &from, 20);
	for (int i = 0; i < MOST; i++) {
		expect_item(map, &items[i]);
		ck_assert_uint_le(from.calls, (size_t)i + 2);
	}
	expect_code(map, 0, ENODATA);
}
END_TEST

/* In a pool of one; loop 1 has a time limit, so that nothing is claimed. */
static void *iterate(void *unused)
{
	soon_nsec limit = unused == NULL ? SOON_FOREVER
					 : TEST_TIMEOUT / 2 * SOON_SEC;
	soon_future *f;
	long n = 0;

	while (soon_imap_next(map, limit, &f) == 0)
		n += soon_future_error(f) == 0;
	return box(n);
}

static void *iterate_when_made(void *timed)
{
	gate_pass(&made);
	return iterate(timed);
}

static soon_future *start_job(soon_fn *fn, void *arg)
{
	soon_future *job = submit(pool, fn, arg);

	map = must_imap(pool, &from, 4);
	gate_open(&made);
	return job;
}

static void iterate_inside(bool timed)
{
	soon_future *job = start_job(iterate_when_made, timed ? &from : NULL);
	void *n = NULL;

	ck_assert_int_eq(soon_future_result(job, SOON_FOREVER, &n), 0);
	ck_assert_int_eq((int)unbox(n), MOST);
	soon_future_unref(job);
}

/* Also of a queue for two. */
START_TEST(a_job_of_a_pool_of_one_iterates)
{
	if (_i < 2)
		pool = pool_of(1);
	else
		open_full(2, SOON_BLOCK, 0);
	iterate_inside(_i % 2 == 1);
}
END_TEST

static int use_the_pool(void)
{
	soon_future *f = soon_submit(pool, return_null, NULL);
	int rc = f != NULL ? soon_future_wait(f, SOON_FOREVER) : errno;

	soon_future_unref(f);
	return rc;
}

START_TEST(a_source_may_use_the_pool)
{
	pool = pool_of(1);
	from.before = use_the_pool;
	iterate_inside(_i == 1);
}
END_TEST

/* What next() said to a job that it would have had to wait for. */
static void *wait_for_oneself(void *item)
{
	soon_future *f;

	gate_pass(&gate);
	return item == &items[0] ? box(soon_imap_next(map, SOON_FOREVER, &f))
				 : NULL;
}

START_TEST(a_job_that_would_wait_for_itself_is_told_and_nothing_is_lost)
{
	soon_job job = { .size = sizeof(job), .fn = wait_for_oneself };
	soon_future *f;
	void *said = NULL;

	pool = pool_of(1);
	from.n = 3;
	map = soon_imap_new(pool, &job, draw_item, &from, 3);
	ck_assert_ptr_nonnull(map);
	expect_code(map, 0, ETIMEDOUT);
	gate_open(&gate);
	use_the_pool();
	ck_assert_int_eq(soon_imap_next(map, SOON_FOREVER, &f), 0);
	ck_assert_int_eq(soon_future_result(f, 0, &said), 0);
	ck_assert_int_eq((int)unbox(said), EDEADLK);
	for (int i = 1; i < 3; i++)
		ck_assert_int_eq(soon_imap_next(map, SOON_FOREVER, &f), 0);
	expect_code(map, 0, ENODATA);
}
END_TEST

static void *leave(void *item)
{
	if (item == &items[1])
		pthread_exit(NULL);
	return item;
}

static const soon_job leaving = { .size = sizeof(leaving), .fn = leave };

static void expect_rest(void)
{
	soon_future *f;

	for (int i = 2; i < MOST; i++) {
		ck_assert_int_eq(soon_imap_next(map, SOON_FOREVER, &f), 0);
		ck_assert_ptr_eq(soon_future_arg(f), &items[i]);
		ck_assert_int_eq(soon_future_error(f), 0);
	}
	expect_code(map, 0, ENODATA);
}

static void open_leaving(void)
{
	map = soon_imap_new(pool, &leaving, draw_item, &from, 4);
	ck_assert_ptr_nonnull(map);
	gate_open(&made);
}

/* The one that waits claims it. */
START_TEST(after_a_job_has_ended_the_thread_that_waited_it_goes_on)
{
	soon_future *outer;

	pool = pool_of(1);
	outer = submit(pool, iterate_when_made, NULL);
	open_leaving();
	ck_assert_int_eq(soon_future_result(outer, SOON_FOREVER, NULL),
			 SOON_EEXITED);
	expect_failed(map, SOON_EEXITED);
	expect_rest();
	soon_future_unref(outer);
}
END_TEST

/* The submit runs it, so that there is no future. */
START_TEST(after_a_job_has_ended_the_thread_that_drew_it_goes_on)
{
	struct actor other;

	open_full(1, SOON_CALLER_RUNS, 2);
	open_leaving();
	actor_start(&other, iterate, NULL);
	actor_join(&other);
	expect_code(map, SOON_FOREVER, SOON_EEXITED);
	expect_rest();
}
END_TEST

static Suite *imap_suite(void)
{
	Suite *s = suite_create("api_imap_pool");
	TCase *tc = tcase_create("api_imap_pool");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, a_window_wider_than_the_queue_is_no_hindrance,
			    SOON_BLOCK, SOON_CALLER_RUNS + 1);
	tcase_add_test(tc, a_poll_does_not_wait_for_room);
	tcase_add_test(tc, nor_does_one_by_a_worker_of_another_pool);
	tcase_add_test(tc, a_poll_does_not_line_up);
	tcase_add_test(tc, with_nothing_else_to_wait_for_it_waits_for_room);
	tcase_add_test(tc,
		       with_something_to_wait_for_it_does_not_wait_for_room);
	tcase_add_test(tc, a_pool_that_others_have_filled_refuses_in_place);
	tcase_add_test(tc, the_caller_runs_what_a_full_pool_cannot);
	tcase_add_loop_test(tc, a_job_of_a_pool_of_one_iterates, 0, 4);
	tcase_add_loop_test(tc, a_source_may_use_the_pool, 0, 2);
	tcase_add_test(
		tc,
		a_job_that_would_wait_for_itself_is_told_and_nothing_is_lost);
	tcase_add_test(tc,
		       after_a_job_has_ended_the_thread_that_waited_it_goes_on);
	tcase_add_test(tc,
		       after_a_job_has_ended_the_thread_that_drew_it_goes_on);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(imap_suite());
}
