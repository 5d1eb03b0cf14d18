/*
 * api_limited.c - who runs a job that may run only so long, and what it may do,
 * in time and late.
 */
#include "support/limited.h"

#include <errno.h>
#include <sched.h>

/* Who runs it */

static pthread_t runner;

static void *note_runner(void *arg)
{
	runner = pthread_self();
	return arg;
}

/* The awaited job is limited, or the waiting one. */
static void *await_another(void *awaited_limit)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	job.fn = note_runner;
	job.arg = &gate;
	job.run_within = *(soon_nsec *)awaited_limit;
	f = soon_submit_job(pool, &job);
	fixture_expect(soon_future_wait(f, SOON_FOREVER) == 0);
	fixture_expect(soon_future_state(f) == SOON_SUCCEEDED);
	fixture_expect(!pthread_equal(runner, pthread_self()));
	soon_future_unref(f);
	return awaited_limit;
}

static void *wait_for(void *f)
{
	fixture_expect(soon_future_wait(f, SOON_FOREVER) == 0);
	return NULL;
}

START_TEST(a_waiter_claims_neither_a_limited_job_nor_another_in_one)
{
	static soon_nsec limits[] = { LONG, 0 };
	soon_future *f =
		_i == 0 ? submit(pool, await_another, &limits[0])
			: limited_submit(await_another, &limits[_i % 2], LONG);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_thread_that_helps_does_not_run_it)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	struct actor waiter;
	soon_future *f;

	o.workers = o.max_workers = 1;
	o.flags = SOON_HELP;
	fixture_use(&o);
	pool_hold(pool, &limited_start, 1);
	f = limited_submit(note_runner, &gate, LONG);
	actor_start(&waiter, wait_for, f);
	actor_await_asleep(&waiter);
	gate_open(&limited_start);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	actor_join(&waiter);
	ck_assert(!pthread_equal(runner, pthread_self()));
	ck_assert(!pthread_equal(runner, waiter.thread));
	soon_future_unref(f);
}
END_TEST

static void *run_until_asked(void *arg)
{
	while (!soon_cancel_requested())
		sched_yield();
	fixture_expect(soon_future_state(soon_self()) == SOON_RUNNING);
	fixture_expect(soon_sleep(SOON_FOREVER) == ECANCELED);
	return arg;
}

START_TEST(where_the_caller_runs_it_it_is_only_asked_to_stop)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_future *f;

	o.flags = SOON_INLINE;
	fixture_use(&o);
	f = limited_submit(run_until_asked, &gate, SHORT);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert(soon_future_cancel_requested(f));
	ck_assert_uint_eq(tally_get(&limited_ended), 0);
	soon_future_unref(f);
	f = limited_submit(return_arg, &gate, LONG);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert(!soon_future_cancel_requested(f));
	soon_future_unref(f);
}
END_TEST

static void *hold_inside(void *inner)
{
	soon_future *f = soon_submit(inner, gate_job, &gate);

	fixture_expect(f != NULL && soon_future_done(f));
	soon_future_unref(f);
	return box(soon_cancel_requested());
}

/* The shutdown finds the thread in a job of another pool. */
START_TEST(one_below_a_job_of_another_pool_sees_that_its_own_stops)
{
	soon_executor *inner = inline_pool();
	soon_future *f;
	void *asked;

	f = submit_job(pool, SOON_JOB(.fn = hold_inside, .arg = inner,
				      .run_within = LONG));
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_RUNNING, 0),
			 EINPROGRESS);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &asked), 0);
	ck_assert_int_eq(unbox(asked), true);
	soon_future_unref(f);
	soon_executor_free(inner);
}
END_TEST

/* With other times */

START_TEST(the_time_runs_from_the_start_not_from_the_submit)
{
	soon_job job = limited_job(gate_job, &gate, SHORT);
	soon_future *f;

	f = submit_job(pool, SOON_JOB(.fn = return_arg, .arg = &gate,
				      .delay = 2 * SHORT, .run_within = LONG));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
	job.delay = SHORT;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	gate_await(&gate, 1);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_job_that_never_starts_may_have_had_a_limit)
{
	soon_future *f;

	pool_hold(pool, &limited_start, 1);
	f = submit_job(pool,
		       SOON_JOB(.fn = tally_job, .arg = &limited_told,
				.start_within = SHORT, .run_within = LONG));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	ck_assert(!soon_future_cancel_requested(f));
	soon_future_unref(f);
	gate_open(&limited_start);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&limited_told), 0);
}
END_TEST

/* What it may still do */

static void *live_on(void *other)
{
	soon_future *self = soon_self(), *f;

	gate_pass(&gate);
	fixture_expect(soon_self() == self);
	fixture_expect(soon_future_state(self) == SOON_FAILED);
	fixture_expect(soon_future_wait(self, SOON_FOREVER) == 0);
	fixture_expect(soon_sleep(SOON_FOREVER) == ECANCELED);
	soon_blocking_begin();
	f = soon_submit(other, tally_job, &limited_told);
	fixture_expect(soon_future_wait(f, SOON_FOREVER) == 0);
	soon_blocking_end();
	soon_future_unref(f);
	return other;
}

START_TEST(a_late_job_may_wait_for_other_pools)
{
	soon_executor *other = pool_of(1);
	soon_future *f = limited_submit(live_on, other, SHORT);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_executor_free(pool);
	pool = NULL;
	soon_future_unref(f);
	gate_open(&gate);
	tally_await(&limited_ended, 1);
	ck_assert_uint_eq(tally_get(&limited_told), 1);
	soon_executor_free(other);
}
END_TEST

static void *end_own_pool(void *e)
{
	gate_pass(&gate);
	fixture_expect(soon_execute(e, tally_job, &limited_told) == 0);
	fixture_expect(soon_executor_shutdown(e, 0, LONG) == 0);
	soon_executor_free(e);
	return e;
}

START_TEST(a_late_job_is_no_part_of_its_pool)
{
	soon_future *f = limited_submit(end_own_pool, pool, SHORT);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	gate_open(&gate);
	tally_await(&limited_ended, 1);
	ck_assert_uint_eq(tally_get(&limited_told), 1);
	pool = NULL;
}
END_TEST

static TCase *add_case(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, limited_setup, limited_teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	suite_add_tcase(s, t);
	return t;
}

static Suite *suite(void)
{
	Suite *s = suite_create("limited");
	TCase *t = add_case(s, "run");

	tcase_add_loop_test(
		t, a_waiter_claims_neither_a_limited_job_nor_another_in_one, 0,
		3);
	tcase_add_test(t, a_thread_that_helps_does_not_run_it);
	tcase_add_test(t, where_the_caller_runs_it_it_is_only_asked_to_stop);
	tcase_add_test(t,
		       one_below_a_job_of_another_pool_sees_that_its_own_stops);
	tcase_add_test(t, the_time_runs_from_the_start_not_from_the_submit);
	tcase_add_test(t, a_job_that_never_starts_may_have_had_a_limit);
	t = add_case(s, "late");
	tcase_add_test(t, a_late_job_may_wait_for_other_pools);
	tcase_add_test(t, a_late_job_is_no_part_of_its_pool);
	return s;
}

int main(void)
{
	return test_run(suite());
}
