/*
 * api_delay.c - jobs that start no earlier than some time after their submit.
 */
#include "support/fixture.h"

#include <errno.h>

#define LONG (1000 * SOON_SEC)

static struct tally ran;

static void setup(void)
{
	fixture_open(pool_of(1));
	tally_init(&ran);
}

static void teardown(void)
{
	fixture_close();
	tally_fini(&ran);
}

/* What a job saw of its start. */
struct start {
	soon_nsec earliest, began;
	pthread_t thread;
};

static void *see_start(void *arg)
{
	struct start *s = arg;

	s->began = now();
	s->thread = pthread_self();
	tally_add(&ran, 1);
	return s;
}

static soon_future *submit_start(soon_executor *e, struct start *s,
				 soon_nsec delay)
{
	s->began = 0;
	s->earliest = now() + delay;
	return submit_job(e,
			  SOON_JOB(.fn = see_start, .arg = s, .delay = delay));
}

static void expect_started(soon_future *f, struct start *s)
{
	void *result = NULL;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, s);
	ck_assert_int_ge(s->began, s->earliest);
	soon_future_unref(f);
}

static const soon_nsec delays[] = { 1, SOON_USEC, 100 * SOON_USEC,
				    3 * SOON_MSEC, 30 * SOON_MSEC };

START_TEST(a_delayed_job_starts_no_earlier)
{
	struct start s;
	soon_future *f = submit_start(pool, &s, delays[_i]);

	expect_started(f, &s);
}
END_TEST

START_TEST(it_starts_though_the_pool_never_had_a_thread_or_they_have_retired)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	struct start s;

	o.idle_timeout = 1;
	e = soon_executor_open(&o);
	for (int i = 0; i < 10; i++)
		expect_started(submit_start(e, &s, 2 * SOON_MSEC), &s);
	soon_executor_free(e);
}
END_TEST

START_TEST(a_delayed_job_holds_up_no_other)
{
	struct start s;
	soon_future *late = submit_start(pool, &s, LONG);
	soon_future *f[3];

	for (size_t i = 0; i < COUNT_OF(f); i++)
		f[i] = submit(pool, return_null, NULL);
	ck_assert_int_eq(soon_wait_all(f, COUNT_OF(f), SOON_FOREVER), 0);
	for (size_t i = 0; i < COUNT_OF(f); i++)
		soon_future_unref(f[i]);
	ck_assert_int_eq(soon_future_state(late), SOON_PENDING);
	ck_assert_int_eq(soon_future_cancel(late), 0);
	soon_future_unref(late);
}
END_TEST

static struct logbook order;

static void *log_number(void *number)
{
	logbook_add(&order, (int)unbox(number));
	return number;
}

START_TEST(of_those_with_one_delay_the_first_submitted_starts_first)
{
	enum { N = 100 };
	soon_future *f[N];
	void *args[N];

	logbook_init(&order, N);
	for (int i = 0; i < N; i++)
		args[i] = box(i);
	ck_assert_int_eq(
		soon_submit_many(pool,
				 SOON_JOB(.fn = log_number, .delay = SOON_MSEC),
				 args, N / 2, f),
		0);
	for (int i = N / 2; i < N; i++)
		f[i] = submit_job(pool,
				  SOON_JOB(.fn = log_number, .arg = args[i],
					   .delay = SOON_MSEC));
	ck_assert_int_eq(soon_wait_all(f, N, SOON_FOREVER), 0);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(logbook_at(&order, (size_t)i), i);
		soon_future_unref(f[i]);
	}
	logbook_fini(&order);
}
END_TEST

START_TEST(who_helps_does_not_run_it_early)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	struct start s;

	o.flags = SOON_HELP;
	e = soon_executor_open(&o);
	expect_started(submit_start(e, &s, 5 * SOON_MSEC), &s);
	soon_executor_free(e);
}
END_TEST

static void *wait_for_delayed(void *arg)
{
	struct start *s = arg;
	soon_future *f = submit_job(pool, SOON_JOB(.fn = see_start, .arg = s,
						   .delay = 5 * SOON_MSEC));
	long rc = soon_future_wait(f, SOON_FOREVER);

	soon_future_unref(f);
	return rc == 0 ? s : NULL;
}

/* The pool has one worker, whose place another takes. */
START_TEST(a_job_that_waits_for_a_delayed_one_gives_its_place_to_it)
{
	struct start s = { .earliest = now() + 5 * SOON_MSEC };

	expect_started(submit(pool, wait_for_delayed, &s), &s);
}
END_TEST

START_TEST(a_wait_with_a_timeout_leaves_it_alone)
{
	struct start s[2];
	soon_future *late = submit_start(pool, &s[0], LONG);
	soon_future *f = submit_start(pool, &s[1], 5 * SOON_MSEC);

	ck_assert_int_eq(soon_future_wait(late, 0), ETIMEDOUT);
	ck_assert_int_eq(soon_future_wait(late, SOON_MSEC), ETIMEDOUT);
	ck_assert_int_eq(soon_future_state(late), SOON_PENDING);
	ck_assert_int_eq(soon_future_cancel(late), 0);
	while (soon_future_wait(f, SOON_MSEC) == ETIMEDOUT)
		;
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	soon_future_unref(late);
	soon_future_unref(f);
}
END_TEST

START_TEST(shutdown_lets_delayed_jobs_run)
{
	struct start s[3];
	soon_future *f[3];

	if (_i > 0) /* else the pool has no thread yet */
		ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(f); i++)
		f[i] = submit_start(pool, &s[i], (soon_nsec)i * 10 * SOON_MSEC);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&ran), 3);
	for (size_t i = 0; i < COUNT_OF(f); i++)
		expect_started(f[i], &s[i]);
}
END_TEST

START_TEST(of_many_each_runs_once_with_its_argument)
{
	enum { N = 200 };
	soon_job job = SOON_JOB_INIT;
	struct tally t[N];
	void *args[N];

	for (size_t i = 0; i < N; i++) {
		tally_init(&t[i]);
		args[i] = &t[i];
	}
	job.fn = tally_job;
	job.free_arg = tally_free;
	job.delay = 2 * SOON_MSEC;
	/* Fire and forget. */
	ck_assert_int_eq(soon_submit_many(pool, &job, args, N, NULL), 0);
	ck_assert_int_eq(
		soon_map(pool, &job, args, N, SOON_FOREVER, NULL, NULL), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	for (size_t i = 0; i < N; i++) {
		ck_assert_uint_eq(tally_get(&t[i]), 4);
		tally_fini(&t[i]);
	}
}
END_TEST

START_TEST(an_inline_pool_sleeps_the_delay)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	soon_future *f;
	struct start s;

	o.flags = SOON_INLINE;
	e = soon_executor_open(&o);
	f = submit_start(e, &s, 5 * SOON_MSEC);
	ck_assert(soon_future_done(f));
	ck_assert(pthread_equal(s.thread, pthread_self()));
	expect_started(f, &s);
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("delay");
	TCase *t = tcase_create("delay");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, a_delayed_job_starts_no_earlier, 0,
			    (int)COUNT_OF(delays));
	tcase_add_test(
		t,
		it_starts_though_the_pool_never_had_a_thread_or_they_have_retired);
	tcase_add_test(t, a_delayed_job_holds_up_no_other);
	tcase_add_test(
		t, of_those_with_one_delay_the_first_submitted_starts_first);
	tcase_add_test(t, who_helps_does_not_run_it_early);
	tcase_add_test(
		t, a_job_that_waits_for_a_delayed_one_gives_its_place_to_it);
	tcase_add_test(t, a_wait_with_a_timeout_leaves_it_alone);
	tcase_add_loop_test(t, shutdown_lets_delayed_jobs_run, 0, 2);
	tcase_add_test(t, of_many_each_runs_once_with_its_argument);
	tcase_add_test(t, an_inline_pool_sleeps_the_delay);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
