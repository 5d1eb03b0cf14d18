/*
 * api_group_stop.c - what stops a group, and what becomes of its members then.
 */
#include "support/group.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <soon/error.h>

#define N 20

static struct stuck stuck; /* a pool of one, whose worker is held */
static soon_executor *wide;
static soon_group *group;
static struct gate gate;
static struct item items[N];
static struct tally tally;

static void setup(void)
{
	stuck_init(&stuck, 1);
	wide = pool_of(4);
	gate_init(&gate);
	tally_init(&tally);
	items_init(items, NULL, N);
}

static void teardown(void)
{
	gate_open(&gate);
	stuck_fini(&stuck);
	soon_executor_free(wide);
	tally_fini(&tally);
	gate_fini(&gate);
}

START_TEST(the_first_failure_is_told_and_cancels_what_is_pending)
{
	group = group_of(stuck.pool);
	items[0].fails = EIO;
	join_items(group, items, N);
	ck_assert_int_eq(soon_group_error(group), 0);
	stuck_release(&stuck);
	expect_end(group, EIO, "on purpose");
	items_expect(items, 1, 1, 1, 0);
	items_expect(items + 1, N - 1, 0, 1, 0);
	ck_assert_int_eq(submit_item(group, items), ECANCELED);
	ck_assert_int_eq(soon_group_submit(group, return_arg, NULL), ECANCELED);
	soon_group_cancel(group);
	expect_end(group, EIO, "on purpose");
	soon_group_free(group);
	items_expect(items, 1, 1, 1, 0);
}
END_TEST

/* Until asked to stop. */
static void *run_until_asked(void *result)
{
	gate_pass(&gate);
	while (soon_sleep(SOON_FOREVER) != ECANCELED)
		;
	tally_add(&tally, 1);
	return result != NULL ? soon_fail(EPROTO, "later") : NULL;
}

static void *fail_when_all_run(void *unused)
{
	(void)unused;
	gate_await(&gate, 3);
	gate_open(&gate);
	return soon_fail(ENOENT, "the first");
}

START_TEST(members_that_run_are_asked_to_stop)
{
	group = group_of(wide);
	for (long i = 0; i < 3; i++)
		join(group, run_until_asked, box(i));
	join(group, fail_when_all_run, NULL);
	expect_end(group, ENOENT, "the first");
	ck_assert_uint_eq(tally_get(&tally), 3);
	soon_group_free(group);
}
END_TEST

static void *cancel_own_group(void *unused)
{
	(void)unused;
	gate_await(&gate, 3);
	gate_open(&gate);
	soon_group_cancel(group);
	return soon_cancel_requested() ? soon_fail(EPROTO, "asked") : NULL;
}

/* By another thread, or by a member. */
START_TEST(a_cancelled_group_says_so)
{
	group = group_of(wide);
	for (long i = 0; i < 3; i++)
		join(group, run_until_asked, box(i));
	if (_i == 0) {
		gate_await(&gate, 3);
		gate_open(&gate);
		soon_group_cancel(group);
	} else {
		join(group, cancel_own_group, NULL);
	}
	expect_end(group, ECANCELED, soon_strerror(ECANCELED));
	ck_assert_uint_eq(tally_get(&tally), 3);
	ck_assert_int_eq(soon_group_submit(group, return_arg, NULL), ECANCELED);
	soon_group_cancel(group);
	expect_end(group, ECANCELED, soon_strerror(ECANCELED));
	soon_group_free(group);
}
END_TEST

START_TEST(a_group_may_be_cancelled_when_nothing_is_left)
{
	group = group_of(wide);
	for (int i = 0; i < _i; i++)
		join(group, return_arg, NULL);
	ck_assert_int_eq(soon_group_wait(group, SOON_FOREVER), 0);
	soon_group_cancel(group);
	expect_end(group, ECANCELED, soon_strerror(ECANCELED));
	soon_group_free(group);
}
END_TEST

/* Whoever can only be asked is not stopped by that. */
static void *cancel_self(void *unused)
{
	(void)unused;
	if (soon_future_cancel(soon_self()) != EBUSY)
		return soon_fail(EPROTO, NULL);
	return soon_cancel_requested() ? NULL : soon_fail(EPROTO, NULL);
}

START_TEST(a_member_that_cancels_itself_stops_no_other)
{
	group = group_of(wide);
	join_items(group, items, N / 2);
	join(group, cancel_self, NULL);
	expect_end(group, 0, "");
	join_items(group, items + N / 2, N / 2);
	expect_end(group, 0, "");
	items_expect(items, N, 1, 1, 1);
	soon_group_free(group);
}
END_TEST

START_TEST(a_shutdown_that_cancels_a_member_stops_the_group)
{
	group = group_of(stuck.pool);
	join_items(group, items, N);
	ck_assert_int_eq(soon_executor_shutdown(stuck.pool, SOON_CANCEL_PENDING,
						0),
			 EINPROGRESS);
	expect_end(group, ECANCELED, soon_strerror(ECANCELED));
	items_expect(items, N, 0, 1, 0);
	soon_group_free(group);
}
END_TEST

START_TEST(refusals_of_the_pool_are_passed_on_and_stop_nothing)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *narrow;

	o.workers = 1;
	o.max_workers = 1;
	o.max_pending = 1;
	o.when_full = SOON_REJECT;
	narrow = soon_executor_open(&o);
	ck_assert_ptr_nonnull(narrow);
	group = group_of(narrow);
	pool_hold(narrow, &gate, 1);
	join_items(group, items, 1);
	ck_assert_int_eq(submit_item(group, &items[1]), EAGAIN);
	ck_assert_int_eq(soon_executor_shutdown(narrow, 0, 0), EINPROGRESS);
	ck_assert_int_eq(submit_item(group, &items[1]), ESHUTDOWN);
	gate_open(&gate);
	expect_end(group, 0, "");
	items_expect(items, 1, 1, 1, 1);
	items_expect(items + 1, 1, 0, 0, 0);
	soon_executor_free(narrow);
	soon_group_free(group);
}
END_TEST

START_TEST(where_the_caller_runs_a_member_that_fails_the_submit_succeeds)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *narrow;

	o.workers = 1;
	o.max_workers = 1;
	o.max_pending = 1;
	o.when_full = SOON_CALLER_RUNS;
	narrow = soon_executor_open(&o);
	ck_assert_ptr_nonnull(narrow);
	group = group_of(narrow);
	pool_hold(narrow, &gate, 1);
	items[1].fails = EIO;
	join_items(group, items, 2);
	ck_assert_int_eq(soon_group_error(group), EIO);
	ck_assert_int_eq(submit_item(group, &items[2]), ECANCELED);
	/* All have ended, though the worker is held. */
	expect_end(group, EIO, "on purpose");
	items_expect(items, 1, 0, 1, 0);
	items_expect(items + 1, 1, 1, 1, 0);
	items_expect(items + 2, 1, 0, 0, 0);
	soon_group_free(group);
	gate_open(&gate);
	soon_executor_free(narrow);
}
END_TEST

START_TEST(a_member_that_does_not_start_in_time_is_a_failure)
{
	soon_job job = item_job;

	group = group_of(stuck.pool);
	join_items(group, items, 1);
	job.arg = &items[1];
	job.start_within = SOON_MSEC;
	ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	expect_end(group, ETIMEDOUT, soon_strerror(ETIMEDOUT));
	items_expect(items, 2, 0, 1, 0);
	soon_group_free(group);
}
END_TEST

START_TEST(a_delayed_member_is_waited_for_or_cancelled)
{
	soon_job job = item_job;

	group = group_of(wide);
	job.arg = &items[0];
	job.delay = _i == 0 ? SOON_MSEC : SOON_FOREVER;
	ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	if (_i == 0) {
		expect_end(group, 0, "");
		items_expect(items, 1, 1, 1, 1);
	} else {
		ck_assert_int_eq(soon_group_wait(group, SOON_MSEC), ETIMEDOUT);
		soon_group_cancel(group);
		expect_end(group, ECANCELED, soon_strerror(ECANCELED));
		items_expect(items, 1, 0, 1, 0);
	}
	soon_group_free(group);
}
END_TEST

/* Its thread runs on when the group is gone. */
START_TEST(a_member_that_is_written_off_has_ended)
{
	soon_job job = item_job;

	group = group_of(wide);
	items[0].gate = &gate;
	job.arg = &items[0];
	job.run_within = SOON_MSEC;
	ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	expect_end(group, ETIMEDOUT, soon_strerror(ETIMEDOUT));
	ck_assert_uint_eq(atomic_load(&items[0].arg_freed), 0);
	soon_group_free(group);
	gate_open(&gate);
	while (atomic_load(&items[0].result_freed) == 0)
		sched_yield();
	items_expect(items, 1, 1, 1, 1);
}
END_TEST

START_TEST(a_member_that_returns_within_its_limit_is_as_others)
{
	soon_job job = item_job;

	group = group_of(wide);
	for (int i = 0; i < N; i++) {
		job.arg = &items[i];
		job.run_within = 3600 * SOON_SEC;
		ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	}
	expect_end(group, 0, "");
	items_expect(items, N, 1, 1, 1);
	soon_group_free(group);
}
END_TEST

static void *leave(void *unused)
{
	pthread_exit(unused);
}

START_TEST(a_member_that_ends_its_thread_is_a_failure)
{
	group = group_of(stuck.pool);
	join(group, leave, NULL);
	join_items(group, items, N);
	stuck_release(&stuck);
	expect_end(group, SOON_EEXITED, soon_strerror(SOON_EEXITED));
	items_expect(items, N, 0, 1, 0);
	soon_group_free(group);
}
END_TEST

/* The destructor of a cancelled member comes back to the group. */
static void use_group(void *item)
{
	soon_group_cancel(group);
	if (soon_group_submit(group, return_arg, NULL) == ECANCELED &&
	    soon_group_error(group) == EIO)
		item_job.free_arg(item);
}

START_TEST(destructors_may_use_the_group)
{
	soon_job job = item_job;

	group = group_of(stuck.pool);
	join(group, fail_job, box(EIO));
	job.free_arg = use_group;
	for (int i = 0; i < N; i++) {
		job.arg = &items[i];
		ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	}
	stuck_release(&stuck);
	expect_end(group, EIO, "failed on purpose");
	items_expect(items, N, 0, 1, 0);
	soon_group_free(group);
}
END_TEST

/* On a stack that would not hold a frame for each. */
START_TEST(cancelling_many_members_does_not_recurse)
{
	unsigned n = test_scale(1000000);
	soon_job job = SOON_JOB_INIT;

	group = group_of(stuck.pool);
	if (_i == 1)
		join(group, fail_job, box(EIO));
	job.fn = return_arg;
	job.arg = &tally;
	job.free_arg = tally_free;
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	if (_i == 0)
		soon_group_cancel(group);
	else
		stuck_release(&stuck);
	ck_assert_int_eq(soon_group_wait(group, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&tally), n);
	soon_group_free(group);
}
END_TEST

static Suite *stop_suite(void)
{
	Suite *s = suite_create("api_group_stop");
	TCase *tc = tcase_create("api_group_stop");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc,
		       the_first_failure_is_told_and_cancels_what_is_pending);
	tcase_add_test(tc, members_that_run_are_asked_to_stop);
	tcase_add_loop_test(tc, a_cancelled_group_says_so, 0, 2);
	tcase_add_loop_test(tc, a_group_may_be_cancelled_when_nothing_is_left,
			    0, 3);
	tcase_add_test(tc, a_member_that_cancels_itself_stops_no_other);
	tcase_add_test(tc, a_shutdown_that_cancels_a_member_stops_the_group);
	tcase_add_test(tc, refusals_of_the_pool_are_passed_on_and_stop_nothing);
	tcase_add_test(
		tc,
		where_the_caller_runs_a_member_that_fails_the_submit_succeeds);
	tcase_add_test(tc, a_member_that_does_not_start_in_time_is_a_failure);
	tcase_add_loop_test(tc, a_delayed_member_is_waited_for_or_cancelled, 0,
			    2);
	tcase_add_test(tc, a_member_that_is_written_off_has_ended);
	tcase_add_test(tc, a_member_that_returns_within_its_limit_is_as_others);
	tcase_add_test(tc, a_member_that_ends_its_thread_is_a_failure);
	tcase_add_test(tc, destructors_may_use_the_group);
	tcase_add_loop_test(tc, cancelling_many_members_does_not_recurse, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(stop_suite());
}
