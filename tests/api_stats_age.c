/*
 * api_stats_age.c - how long the oldest job has been waiting, as an executor says.
 */
#include "support/support.h"

#include <sched.h>
#include <time.h>

static soon_executor *pool;
static struct gate gate;

static void setup(void)
{
	pool = pool_of(3);
	gate_init(&gate);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
}

static soon_stats stats_of(soon_executor *e)
{
	soon_stats s = SOON_STATS_INIT;

	ck_assert_int_eq(soon_executor_stats(e, &s), 0);
	ck_assert_uint_eq(s.threads, s.running + s.blocked + s.idle);
	return s;
}

static void finish(soon_future *f)
{
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

/* The clock from which ages are reckoned, where it has one of its own. */
static soon_nsec start(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * SOON_SEC + t.tv_nsec;
#else
	return now();
#endif
}

/* Of a job submitted after start() was `from`; at `since` it had to wait. */
static void expect_age(soon_nsec from, soon_nsec since)
{
	soon_nsec before = now();
	soon_nsec age = stats_of(pool).oldest_pending;

	ck_assert_int_ge(age, 1);
	ck_assert_int_ge(age, before - since);
	ck_assert_int_le(age, now() - from);
}

START_TEST(the_age_of_a_job_that_waits_alone_is_known)
{
	soon_nsec from;
	soon_nsec since;

	ck_assert_int_eq(stats_of(pool).oldest_pending, 0);
	pool_hold(pool, &gate, 3);
	ck_assert_int_eq(stats_of(pool).oldest_pending, 0);
	from = start();
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	since = now();
	expect_age(from, since);
	for (unsigned i = 0; i < 1000; i++) {
		ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
		expect_age(from, since);
	}
	ck_assert_uint_eq(stats_of(pool).pending, 1001);
}
END_TEST

START_TEST(a_job_ages_that_came_while_the_worker_looked_for_work)
{
	soon_nsec from;
	soon_nsec since;

	soon_executor_free(pool);
	pool = pool_of(1);
	from = start();
	ck_assert_int_eq(soon_execute(pool, gate_job, &gate), 0);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	gate_await(&gate, 1);
	since = now();
	for (int i = 0; i < 100; i++)
		expect_age(from, since);
	ck_assert_uint_eq(stats_of(pool).pending, 1);
}
END_TEST

/* It need not be known that nothing waited for a moment. */
START_TEST(an_age_is_of_the_last_sixteen_jobs_at_most)
{
	soon_future *f[3];
	soon_nsec from;

	for (int i = 0; i < 3; i++)
		f[i] = submit(pool, gate_job, &gate);
	gate_await(&gate, 3);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	gate_open(&gate);
	for (int i = 0; i < 3; i++)
		finish(f[i]);
	from = start();
	for (int i = 0; i < 16; i++)
		finish(submit(pool, return_null, NULL));
	ck_assert_int_eq(stats_of(pool).oldest_pending, 0);
	gate_shut(&gate);
	pool_hold(pool, &gate, 3);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	expect_age(from, now());
}
END_TEST

static void execute_nulls(unsigned n)
{
	while (n-- > 0)
		ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
}

/* The oldest that is left came when the clock had moved on. */
START_TEST(an_age_is_of_the_jobs_that_are_left_where_the_queue_is_never_empty)
{
	struct gate first;
	soon_nsec from;

	gate_init(&first);
	soon_executor_free(pool);
	pool = pool_of(1);
	pool_hold(pool, &first, 1);
	execute_nulls(20);
	for (from = start(); start() == from;)
		sched_yield();
	from = start();
	execute_nulls(20);
	ck_assert_int_eq(soon_execute(pool, gate_job, &gate), 0);
	execute_nulls(20);
	gate_open(&first);
	gate_await(&gate, 1);
	expect_age(from, now());
	gate_fini(&first);
}
END_TEST

START_TEST(a_job_that_an_idle_worker_is_about_to_take_is_young)
{
	for (unsigned i = 0; i < test_scale(100); i++) {
		soon_nsec from = start();

		soon_executor_free(pool);
		pool = pool_of(1);
		execute_nulls(1);
		ck_assert_int_le(stats_of(pool).oldest_pending, now() - from);
	}
}
END_TEST

static void *submit_hundred(void *arg)
{
	for (int i = 0; i < 100; i++)
		(void)soon_execute(pool, return_null, NULL);
	gate_pass(arg);
	return NULL;
}

START_TEST(what_waits_in_a_workers_queue_ages_too)
{
	soon_nsec from = start();

	soon_executor_free(pool);
	pool = pool_of(1);
	ck_assert_int_eq(soon_execute(pool, submit_hundred, &gate), 0);
	gate_await(&gate, 1);
	expect_age(from, now());
	ck_assert_uint_eq(stats_of(pool).pending, 100);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stats_age");
	TCase *t = tcase_create("stats_age");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_age_of_a_job_that_waits_alone_is_known);
	tcase_add_test(t,
		       a_job_ages_that_came_while_the_worker_looked_for_work);
	tcase_add_test(t, an_age_is_of_the_last_sixteen_jobs_at_most);
	tcase_add_test(
		t,
		an_age_is_of_the_jobs_that_are_left_where_the_queue_is_never_empty);
	tcase_add_test(t, a_job_that_an_idle_worker_is_about_to_take_is_young);
	tcase_add_test(t, what_waits_in_a_workers_queue_ages_too);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
