/*
 * api_stats.c - what an executor counts, from its beginning.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

static soon_executor *pool;
static struct gate gate;
static struct tally tally;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&tally);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&tally);
}

static void change_pool(soon_executor *other)
{
	soon_executor_free(pool);
	pool = other;
}

static soon_stats stats_of(soon_executor *e)
{
	soon_stats s = SOON_STATS_INIT;

	ck_assert_int_eq(soon_executor_stats(e, &s), 0);
	ck_assert_uint_eq(s.size, sizeof(s));
	ck_assert_uint_le(s.succeeded + s.failed + s.cancelled, s.submitted);
	ck_assert_uint_eq(s.threads, s.running + s.blocked + s.idle);
	ck_assert_uint_eq(s.expired, 0);
	ck_assert_uint_eq(s.rejected, 0);
	ck_assert_uint_eq(s.delayed, 0);
	ck_assert_uint_eq(s.written_off, 0);
	return s;
}

/* Of jobs that have all ended, however. */
static void expect_ended(soon_executor *e, uint64_t succeeded, uint64_t failed,
			 uint64_t cancelled)
{
	soon_stats s = stats_of(e);

	ck_assert_uint_eq(s.submitted, succeeded + failed + cancelled);
	ck_assert_uint_eq(s.succeeded, succeeded);
	ck_assert_uint_eq(s.failed, failed);
	ck_assert_uint_eq(s.cancelled, cancelled);
	ck_assert_uint_eq(s.pending, 0);
	ck_assert_int_eq(s.oldest_pending, 0);
}

static void *fail_io(void *arg)
{
	(void)arg;
	return soon_fail(EIO, NULL);
}

static void finish(soon_future *f)
{
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

START_TEST(a_new_executor_has_done_nothing)
{
	soon_stats s = stats_of(pool);
	soon_stats zero = SOON_STATS_INIT;

	ck_assert_mem_eq(&s, &zero, sizeof(s));
}
END_TEST

START_TEST(success_and_failure_are_counted_when_they_can_be_seen)
{
	for (unsigned i = 0; i < 20; i++) {
		finish(submit(pool, return_null, NULL));
		expect_ended(pool, i + 1, i, 0);
		finish(submit(pool, fail_io, NULL));
		expect_ended(pool, i + 1, i + 1, 0);
	}
}
END_TEST

START_TEST(every_way_to_submit_counts_each_job)
{
	void *args[3] = { NULL, NULL, NULL };
	soon_future *f[2];

	ck_assert_int_eq(soon_execute(pool, tally_job, &tally), 0);
	ck_assert_int_eq(soon_submit_many(pool, SOON_JOB(.fn = return_null),
					  NULL, 2, f),
			 0);
	ck_assert_int_eq(
		soon_submit_many(pool, SOON_JOB(.fn = tally_job, .arg = &tally),
				 NULL, 4, NULL),
		0);
	ck_assert_int_eq(soon_map(pool, SOON_JOB(.fn = return_null), args, 3,
				  SOON_FOREVER, NULL, NULL),
			 0);
	finish(f[0]);
	finish(f[1]);
	finish(submit_job(pool, SOON_JOB(.fn = return_null, .name = "job")));
	tally_await(&tally, 5);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_ended(pool, 11, 0, 0);
}
END_TEST

START_TEST(a_refused_submit_counts_nothing)
{
	ck_assert_int_eq(soon_execute(pool, NULL, NULL), EINVAL);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), ESHUTDOWN);
	expect_ended(pool, 0, 0, 0);
}
END_TEST

START_TEST(a_cancelled_job_is_no_longer_pending_at_once)
{
	soon_future *f[5];
	soon_stats s;

	pool_hold(pool, &gate, 1);
	for (int i = 0; i < 5; i++)
		f[i] = submit(pool, return_null, NULL);
	ck_assert_int_eq(soon_future_cancel(f[0]), 0);
	ck_assert_int_eq(soon_future_cancel(f[3]), 0);
	ck_assert_int_eq(soon_future_cancel(f[3]), 0);
	s = stats_of(pool);
	ck_assert_uint_eq(s.submitted, 6);
	ck_assert_uint_eq(s.cancelled, 2);
	ck_assert_uint_eq(s.succeeded, 0);
	ck_assert_uint_eq(s.pending, 3);
	gate_open(&gate);
	for (int i = 0; i < 5; i++)
		finish(f[i]);
	expect_ended(pool, 4, 0, 2);
}
END_TEST

START_TEST(a_shutdown_counts_what_it_cancels)
{
	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_submit_many(pool, SOON_JOB(.fn = return_null),
					  NULL, 7, NULL),
			 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	ck_assert_uint_eq(stats_of(pool).pending, 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_ended(pool, 1, 0, 7);
}
END_TEST

static int refuse(void *ctx)
{
	gate_pass(ctx);
	return 1;
}

START_TEST(what_a_broken_pool_fails_has_failed)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.worker_init = refuse;
	o.worker_ctx = &gate;
	change_pool(soon_executor_open(&o));
	ck_assert_int_eq(soon_submit_many(pool, SOON_JOB(.fn = return_null),
					  NULL, 3, NULL),
			 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_ended(pool, 0, 3, 0);
}
END_TEST

/* A job that waits for as many others as its argument says. */
static void *fork_and_join(void *n)
{
	for (long i = unbox(n); i > 0; i--) {
		soon_future *f =
			soon_submit(pool, i % 2 ? return_null : fail_io, NULL);

		(void)soon_future_wait(f, SOON_FOREVER);
		soon_future_unref(f);
	}
	return NULL;
}

START_TEST(what_a_waiting_job_claims_is_counted_as_that)
{
	finish(submit(pool, fork_and_join, box(10)));
	ck_assert_uint_eq(stats_of(pool).claimed_by_waiters, 10);
	ck_assert_uint_eq(stats_of(pool).stolen, 0);
	expect_ended(pool, 6, 5, 0);
}
END_TEST

START_TEST(what_a_helping_thread_claims_is_counted_for_the_pool)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.max_workers = 1;
	o.flags = SOON_HELP;
	change_pool(soon_executor_open(&o));
	pool_hold(pool, &gate, 1);
	finish(submit(pool, return_null, NULL));
	finish(submit(pool, fail_io, NULL));
	ck_assert_uint_eq(stats_of(pool).claimed_by_waiters, 2);
	ck_assert_uint_eq(stats_of(pool).pending, 0);
	ck_assert_uint_eq(stats_of(pool).succeeded, 1);
	ck_assert_uint_eq(stats_of(pool).failed, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_ended(pool, 2, 1, 0);
}
END_TEST

START_TEST(what_another_pools_worker_claims_is_counted_for_its_own_pool)
{
	soon_executor *other = pool_of(1);

	pool_hold(pool, &gate, 1);
	finish(submit(other, fork_and_join, box(4)));
	expect_ended(other, 1, 0, 0);
	ck_assert_uint_eq(stats_of(other).claimed_by_waiters, 0);
	ck_assert_uint_eq(stats_of(pool).claimed_by_waiters, 4);
	gate_open(&gate);
	soon_executor_free(other);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_ended(pool, 3, 2, 0);
}
END_TEST

START_TEST(a_pool_without_threads_counts_too)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_future *f[3];

	o.flags = SOON_INLINE;
	change_pool(soon_executor_open(&o));
	finish(submit(pool, fail_io, NULL));
	ck_assert_int_eq(soon_submit_many(pool, SOON_JOB(.fn = return_null),
					  NULL, 3, f),
			 0);
	for (int i = 0; i < 3; i++)
		finish(f[i]);
	expect_ended(pool, 3, 1, 0);
	ck_assert_uint_eq(stats_of(pool).threads, 0);
	ck_assert_uint_eq(stats_of(pool).threads_started, 0);
}
END_TEST

enum { CHILDREN = 20 };

/* It puts them into its own queue, and lets nobody but another worker run them. */
static void *submit_and_stay(void *arg)
{
	for (int i = 0; i < CHILDREN; i++)
		(void)soon_execute(pool, tally_job, &tally);
	gate_pass(&gate);
	return arg;
}

START_TEST(what_a_worker_takes_from_another_is_stolen)
{
	soon_future *f;

	change_pool(pool_of(2));
	f = submit(pool, submit_and_stay, NULL);
	tally_await(&tally, CHILDREN);
	ck_assert_uint_eq(stats_of(pool).stolen, CHILDREN);
	ck_assert_uint_eq(stats_of(pool).submitted, CHILDREN + 1);
	gate_open(&gate);
	finish(f);
	ck_assert_uint_eq(stats_of(pool).stolen, CHILDREN);
}
END_TEST

static void *store_thread_id(void *id)
{
	atomic_store((atomic_int *)id, thread_id());
	return NULL;
}

START_TEST(calls_of_idle_threads_are_counted)
{
	atomic_int worker = 0;
	uint64_t jobs = 0;

	/* One that still looks for work is not called. */
	while (stats_of(pool).wakeups == 0) {
		finish(submit(pool, store_thread_id, &worker));
		jobs++;
		thread_await_asleep(atomic_load(&worker));
	}
	ck_assert_uint_le(stats_of(pool).wakeups, jobs);
	ck_assert_uint_eq(stats_of(pool).threads_started, 1);
}
END_TEST

START_TEST(no_count_is_lost_with_a_thread)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	unsigned n = 10;

	o.max_workers = 2;
	o.idle_timeout = 1;
	change_pool(soon_executor_open(&o));
	for (unsigned i = 0; i < n; i++) {
		finish(submit(pool, fork_and_join, box(3)));
		while (stats_of(pool).threads > 0)
			sched_yield();
		ck_assert_uint_ge(stats_of(pool).threads_started, i + 1);
		expect_ended(pool, (i + 1) * 3, i + 1, 0);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stats");
	TCase *t = tcase_create("stats");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_new_executor_has_done_nothing);
	tcase_add_test(t,
		       success_and_failure_are_counted_when_they_can_be_seen);
	tcase_add_test(t, every_way_to_submit_counts_each_job);
	tcase_add_test(t, a_refused_submit_counts_nothing);
	tcase_add_test(t, a_cancelled_job_is_no_longer_pending_at_once);
	tcase_add_test(t, a_shutdown_counts_what_it_cancels);
	tcase_add_test(t, what_a_broken_pool_fails_has_failed);
	tcase_add_test(t, what_a_waiting_job_claims_is_counted_as_that);
	tcase_add_test(t, what_a_helping_thread_claims_is_counted_for_the_pool);
	tcase_add_test(
		t,
		what_another_pools_worker_claims_is_counted_for_its_own_pool);
	tcase_add_test(t, a_pool_without_threads_counts_too);
	tcase_add_test(t, what_a_worker_takes_from_another_is_stolen);
	tcase_add_test(t, calls_of_idle_threads_are_counted);
	tcase_add_test(t, no_count_is_lost_with_a_thread);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
