/*
 * api_group.c - groups: jobs that end together.
 */
#include "support/group.h"

#include <errno.h>

#define N 20

static soon_executor *pool;
static struct gate gate;
static struct item items[N];
static struct tally tally;

static void setup(void)
{
	pool = pool_of(2);
	gate_init(&gate);
	tally_init(&tally);
	items_init(items, NULL, N);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	tally_fini(&tally);
	gate_fini(&gate);
}

START_TEST(a_group_without_members_has_ended)
{
	soon_group *g = group_of(_i == 0 ? pool : NULL);

	ck_assert_int_eq(soon_group_wait(g, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_group_wait(g, SOON_SEC), 0);
	expect_end(g, 0, "");
	soon_group_free(g);
	soon_group_free(NULL);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
	soon_group *g = group_of(pool);
	soon_job job = SOON_JOB_INIT;

	ck_assert_int_eq(soon_group_submit(NULL, return_arg, NULL), EINVAL);
	ck_assert_int_eq(soon_group_submit(g, NULL, NULL), EINVAL);
	ck_assert_int_eq(soon_group_submit_job(g, NULL), EINVAL);
	ck_assert_int_eq(soon_group_submit_job(g, &job), EINVAL);
	job.fn = return_arg;
	ck_assert_int_eq(soon_group_submit_job(NULL, &job), EINVAL);
	job.priority = 2;
	ck_assert_int_eq(soon_group_submit_job(g, &job), EINVAL);
	job.priority = 0;
	job.size = 0;
	ck_assert_int_eq(soon_group_submit_job(g, &job), EINVAL);
	ck_assert_int_eq(soon_group_wait(NULL, SOON_FOREVER), EINVAL);
	ck_assert_int_eq(soon_group_error(NULL), EINVAL);
	ck_assert_ptr_nonnull(soon_group_message(NULL));
	soon_group_cancel(NULL);
	expect_end(g, 0, "");
	soon_group_free(g);
}
END_TEST

START_TEST(a_wait_is_for_all_members)
{
	soon_group *g = group_of(_i == 0 ? pool : NULL);
	unsigned n = test_scale(1000);

	for (unsigned i = 0; i < n; i++)
		join(g, tally_job, &tally);
	expect_end(g, 0, "");
	ck_assert_uint_eq(tally_get(&tally), n);
	soon_group_free(g);
}
END_TEST

/* No later than the wait returns: both may lie on the stack of its caller. */
START_TEST(arguments_and_results_are_freed_by_the_end)
{
	for (unsigned round = test_scale(50); round > 0; round--) {
		soon_group *g = group_of(pool);

		items_init(items, NULL, N);
		for (int i = 0; i < N; i++)
			items[i].fails = _i == 1 && i == N / 2 ? EIO : 0;
		for (int i = 0; i < N; i++)
			if (submit_item(g, &items[i]) != 0)
				atomic_store(&items[i].arg_freed, 1);
		ck_assert_int_eq(soon_group_wait(g, SOON_FOREVER), 0);
		for (int i = 0; i < N; i++)
			items_expect(&items[i], 1, atomic_load(&items[i].ran),
				     1,
				     items[i].fails == 0
					     ? atomic_load(&items[i].ran)
					     : 0);
		soon_group_free(g);
	}
}
END_TEST

START_TEST(a_timeout_cancels_nothing)
{
	soon_group *g = group_of(pool);

	items[0].gate = &gate;
	join_items(g, items, 1);
	ck_assert_int_eq(soon_group_wait(g, 0), ETIMEDOUT);
	ck_assert_int_eq(soon_group_wait(g, -1), ETIMEDOUT);
	ck_assert_int_eq(soon_group_wait(g, SOON_MSEC), ETIMEDOUT);
	ck_assert_int_eq(soon_group_error(g), 0);
	join_items(g, items + 1, N - 1);
	gate_open(&gate);
	expect_end(g, 0, "");
	items_expect(items, N, 1, 1, 1);
	soon_group_free(g);
}
END_TEST

START_TEST(a_group_may_be_used_again)
{
	soon_group *g = group_of(pool);

	for (unsigned i = 1; i <= test_scale(300); i++) {
		unsigned before = tally_get(&tally);

		for (unsigned k = 0; k < i % 5; k++)
			join(g, tally_job, &tally);
		expect_end(g, 0, "");
		ck_assert_uint_eq(tally_get(&tally), before + i % 5);
	}
	soon_group_free(g);
}
END_TEST

static soon_group *family;

/* Each has two children. */
static void *have_children(void *depth)
{
	long left = unbox(depth);

	tally_add(&tally, 1);
	for (int i = 0; i < 2 && left > 0; i++)
		if (soon_group_submit(family, have_children, box(left - 1)) !=
		    0)
			return soon_fail(EPROTO, NULL);
	return NULL;
}

START_TEST(members_may_submit_members_while_somebody_waits)
{
	family = group_of(pool);
	join(family, have_children, box(9));
	expect_end(family, 0, "");
	ck_assert_uint_eq(tally_get(&tally), (1 << 10) - 1);
	soon_group_free(family);
}
END_TEST

static void *free_it(void *group)
{
	soon_group_free(group);
	return NULL;
}

START_TEST(no_job_outlives_its_group)
{
	soon_group *g = group_of(pool);
	struct actor actor;

	items[0].gate = &gate;
	join_items(g, items, N);
	gate_await(&gate, 1);
	actor_start(&actor, free_it, g);
	actor_await_asleep(&actor);
	gate_open(&gate);
	actor_join(&actor);
	items_expect(items, N, 1, 1, 1);
}
END_TEST

START_TEST(a_group_outlives_its_executor)
{
	soon_executor *own = pool_of(2);
	soon_group *good = group_of(own);
	soon_group *bad = group_of(own);

	join_items(good, items, N);
	join(bad, fail_job, box(EIO));
	soon_executor_free(own);
	expect_end(good, 0, "");
	items_expect(items, N, 1, 1, 1);
	expect_end(bad, EIO, "failed on purpose");
	soon_group_cancel(good);
	soon_group_cancel(bad);
	expect_end(good, ECANCELED, soon_strerror(ECANCELED));
	soon_group_free(good);
	soon_group_free(bad);
}
END_TEST

START_TEST(without_threads_a_member_has_ended_with_its_submit)
{
	soon_executor *own = inline_pool();
	soon_group *g = group_of(own);

	for (int i = 0; i < N / 2; i++) {
		join_items(g, &items[i], 1);
		ck_assert_int_eq(soon_group_wait(g, 0), 0);
		items_expect(items, (size_t)i + 1, 1, 1, 1);
	}
	items[N / 2].fails = EIO;
	join_items(g, &items[N / 2], 1);
	expect_end(g, EIO, "on purpose");
	ck_assert_int_eq(submit_item(g, &items[N - 1]), ECANCELED);
	items_expect(&items[N / 2], 1, 1, 1, 0);
	items_expect(&items[N - 1], 1, 0, 0, 0);
	soon_group_free(g);
	soon_executor_free(own);
}
END_TEST

/* Each after the last has ended, and all at once. */
START_TEST(members_that_have_ended_take_no_memory)
{
	const unsigned n = test_scale(300000);
	soon_group *g = group_of(pool);
	size_t before = 0;

	for (unsigned i = 0; i < n; i++) {
		if (i == n / 3) {
			ck_assert_int_eq(soon_group_wait(g, SOON_FOREVER), 0);
			before = resident_bytes();
		}
		join(g, return_null, NULL);
		if (i % 100 == 0)
			ck_assert_int_eq(soon_group_wait(g, SOON_FOREVER), 0);
	}
	expect_end(g, 0, "");
	if (!TEST_SANITIZED && before > 0)
		ck_assert_uint_lt(resident_bytes(), before + 4 * MEMORY_NOISE);
	soon_group_free(g);
}
END_TEST

static Suite *group_suite(void)
{
	Suite *s = suite_create("api_group");
	TCase *tc = tcase_create("api_group");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, a_group_without_members_has_ended, 0, 2);
	tcase_add_test(tc, bad_arguments_are_refused);
	tcase_add_loop_test(tc, a_wait_is_for_all_members, 0, 2);
	tcase_add_loop_test(tc, arguments_and_results_are_freed_by_the_end, 0,
			    2);
	tcase_add_test(tc, a_timeout_cancels_nothing);
	tcase_add_test(tc, a_group_may_be_used_again);
	tcase_add_test(tc, members_may_submit_members_while_somebody_waits);
	tcase_add_test(tc, no_job_outlives_its_group);
	tcase_add_test(tc, a_group_outlives_its_executor);
	tcase_add_test(tc, without_threads_a_member_has_ended_with_its_submit);
	tcase_add_test(tc, members_that_have_ended_take_no_memory);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(group_suite());
}
