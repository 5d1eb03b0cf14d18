/*
 * api_imap_fail.c - soon_imap_*() when jobs, sources and submits fail, and when
 * it is given up early.
 */
#include "support/source.h"

#include <errno.h>

#define MOST 100

static struct item items[MOST];
static struct drawn from;
static soon_executor *pool; /* of one */
static struct gate gate;
static soon_imap *map;
static struct tally unread;

static void count_unread(soon_future *f, void *ctx)
{
	(void)f;
	tally_add(ctx, 1);
}

static void setup(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	gate_init(&gate);
	tally_init(&unread);
	o.workers = 1;
	o.max_workers = 1;
	o.unread_error = count_unread;
	o.unread_ctx = &unread;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	items_init(items, NULL, MOST);
	from = (struct drawn){ .items = items, .n = MOST };
	map = NULL;
}

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
	tally_fini(&unread);
}

START_TEST(a_jobs_failure_comes_in_its_place_and_ends_nothing)
{
	for (int i = 0; i < MOST; i++)
		items[i].fails = i % 3 == 1 ? EIO : i % 3 == 2 ? ETIMEDOUT : 0;
	map = must_imap(pool, &from, 5);
	for (int i = 0; i < MOST; i++) {
		if (items[i].fails == 0)
			expect_item(map, &items[i]);
		else
			expect_failed(map, items[i].fails);
	}
	expect_code(map, 0, ENODATA);
	finish();
	ck_assert_uint_eq(tally_get(&unread), 0);
}
END_TEST

/* What was returned counts as read, as does what never will be. */
START_TEST(nobody_is_told_of_failures_as_unread)
{
	soon_future *f;

	for (int i = 0; i < MOST; i++)
		items[i].fails = EIO;
	items[10].gate = &gate;
	map = must_imap(pool, &from, 8);
	for (int i = 0; i < 7; i++)
		ck_assert_int_eq(soon_imap_next(map, SOON_FOREVER, &f), 0);
	gate_await(&gate, 1);
	finish();
	ck_assert_uint_eq(tally_get(&unread), 0);
}
END_TEST

/* Those that say what only next() may say come as EINVAL. */
START_TEST(a_sources_failure_comes_in_its_place_and_ends_nothing)
{
	static const int codes[] = { EIO, SOON_EBROKEN, -1, ETIMEDOUT,
				     EDEADLK };
	int code = codes[_i / 4];

	from.nth = (size_t)_i % 4 + 1;
	from.code = code;
	map = must_imap(pool, &from, 5);
	for (size_t i = 0; i < MOST; i++) {
		if (i % from.nth < from.nth - 1)
			expect_item(map, &items[i]);
		else
			expect_code(map, 0,
				    code == ETIMEDOUT || code == EDEADLK
					    ? EINVAL
					    : code);
	}
	expect_code(map, SOON_FOREVER, ENODATA);
	finish();
	ck_assert_uint_eq(from.ends, 1);
}
END_TEST

/* And so it is not asked for more than is taken, though codes need no job. */
START_TEST(a_source_that_always_fails_is_asked_once_for_each)
{
	from.nth = 1;
	from.code = EIO;
	map = must_imap(pool, &from, 50);
	for (size_t i = 1; i < 20; i++) {
		expect_code(map, SOON_FOREVER, EIO);
		ck_assert_uint_eq(from.calls, i);
	}
}
END_TEST

START_TEST(a_failed_submit_comes_in_its_place_and_the_argument_is_freed)
{
	items[0].gate = &gate;
	map = must_imap(pool, &from, 3);
	expect_code(map, 0, ETIMEDOUT);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	gate_open(&gate);
	for (int i = 0; i < 3; i++)
		expect_item(map, &items[i]);
	for (int i = 3; i < MOST; i++)
		expect_code(map, SOON_FOREVER, ESHUTDOWN);
	expect_code(map, SOON_FOREVER, ENODATA);
	finish();
	items_expect(items, 3, 1, 1, 1);
	items_expect(items + 3, MOST - 3, 0, 1, 0);
}
END_TEST

START_TEST(what_was_cancelled_comes_in_its_place)
{
	soon_future *f;

	items[0].gate = &gate;
	map = must_imap(pool, &from, 3);
	expect_code(map, 0, ETIMEDOUT);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	gate_open(&gate);
	expect_item(map, &items[0]);
	for (int i = 1; i < 3; i++) {
		ck_assert_int_eq(soon_imap_next(map, 0, &f), 0);
		ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	}
	expect_code(map, 0, ESHUTDOWN);
}
END_TEST

START_TEST(free_cancels_what_has_not_started_and_waits_for_nothing)
{
	items[3].gate = &gate;
	map = must_imap(pool, &from, 8);
	for (int i = 0; i < 3; i++)
		expect_item(map, &items[i]);
	expect_code(map, 0, ETIMEDOUT);
	gate_await(&gate, 1);
	ck_assert_uint_eq(from.calls, 11);
	soon_imap_free(map);
	map = NULL;
	items_expect(items, 3, 1, 1, 1);
	items_expect(items + 3, 1, 1, 0, 0);
	items_expect(items + 4, 7, 0, 1, 0);
	finish();
	items_expect(items + 3, 1, 1, 1, 1);
	items_expect(items + 4, 7, 0, 1, 0);
	items_expect(items + 11, MOST - 11, 0, 0, 0);
}
END_TEST

START_TEST(one_that_was_never_asked_is_freed_without_asking)
{
	map = must_imap(pool, &from, 8);
	finish();
	ck_assert_uint_eq(from.calls, 0);
}
END_TEST

static int ask_again(void)
{
	soon_future *f;

	return soon_imap_next(map, SOON_FOREVER, &f);
}

START_TEST(in_its_own_source_it_is_busy)
{
	from.before = ask_again;
	map = must_imap(pool, &from, 2);
	for (int i = 0; i < 3; i++)
		expect_code(map, SOON_FOREVER, EBUSY);
	from.before = NULL;
	expect_item(map, &items[3]);
}
END_TEST

static void *take_one(void *unused)
{
	(void)unused;
	return box(ask_again());
}

/* The other gets what it waits for. */
START_TEST(while_another_thread_is_in_next_it_is_busy)
{
	struct actor other;

	items[0].gate = &gate;
	from.n = 3;
	map = must_imap(pool, &from, 2);
	actor_start(&other, take_one, NULL);
	gate_await(&gate, 1);
	expect_code(map, SOON_FOREVER, EBUSY);
	gate_open(&gate);
	ck_assert_int_eq((int)unbox(actor_join(&other)), 0);
	expect_item(map, &items[1]);
	expect_item(map, &items[2]);
	expect_code(map, SOON_FOREVER, ENODATA);
}
END_TEST

static Suite *imap_suite(void)
{
	Suite *s = suite_create("api_imap_fail");
	TCase *tc = tcase_create("api_imap_fail");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, a_jobs_failure_comes_in_its_place_and_ends_nothing);
	tcase_add_test(tc, nobody_is_told_of_failures_as_unread);
	tcase_add_loop_test(
		tc, a_sources_failure_comes_in_its_place_and_ends_nothing, 0,
		20);
	tcase_add_test(tc, a_source_that_always_fails_is_asked_once_for_each);
	tcase_add_test(
		tc,
		a_failed_submit_comes_in_its_place_and_the_argument_is_freed);
	tcase_add_test(tc, what_was_cancelled_comes_in_its_place);
	tcase_add_test(tc,
		       free_cancels_what_has_not_started_and_waits_for_nothing);
	tcase_add_test(tc, one_that_was_never_asked_is_freed_without_asking);
	tcase_add_test(tc, in_its_own_source_it_is_busy);
	tcase_add_test(tc, while_another_thread_is_in_next_it_is_busy);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(imap_suite());
}
