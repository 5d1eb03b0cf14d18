/*
 * api_limited.c - who runs a job that may run only so long, and what it may do,
 * in time and late.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#define LONG (3600 * SOON_SEC)
#define SHORT SOON_MSEC

static soon_executor *pool;
static struct gate gate, start;
static struct tally ended, told;
static unsigned limited; /* jobs, all of which end with a result */
static atomic_int wrong;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	gate_init(&start);
	limited = 0;
	tally_init(&ended);
	tally_init(&told);
	atomic_store(&wrong, 0);
}

static void teardown(void)
{
	gate_open(&start);
	gate_open(&gate);
	soon_executor_free(pool);
	tally_await(&ended, limited);
	ck_assert_uint_eq(tally_get(&ended), limited);
	ck_assert_int_eq(atomic_load(&wrong), 0);
	tally_fini(&told);
	tally_fini(&ended);
	gate_fini(&start);
	gate_fini(&gate);
}

static void use_pool(const soon_executor_options *o)
{
	soon_executor_free(pool);
	pool = soon_executor_open(o);
	ck_assert_ptr_nonnull(pool);
}

static void expect(bool condition)
{
	if (!condition)
		atomic_fetch_add(&wrong, 1);
}

static void count_end(void *result)
{
	(void)result;
	tally_add(&ended, 1);
}

static soon_future *submit_limited(soon_fn *fn, void *arg, soon_nsec within)
{
	limited++;
	return submit_job(pool,
			  SOON_JOB(.fn = fn, .arg = arg, .run_within = within,
				   .free_result = count_end));
}

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
	expect(soon_future_wait(f, SOON_FOREVER) == 0);
	expect(soon_future_state(f) == SOON_SUCCEEDED);
	expect(!pthread_equal(runner, pthread_self()));
	soon_future_unref(f);
	return awaited_limit;
}

static void *wait_for(void *f)
{
	expect(soon_future_wait(f, SOON_FOREVER) == 0);
	return NULL;
}

START_TEST(a_waiter_claims_neither_a_limited_job_nor_another_in_one)
{
	static soon_nsec limits[] = { LONG, 0 };
	soon_future *f =
		_i == 0 ? submit(pool, await_another, &limits[0])
			: submit_limited(await_another, &limits[_i % 2], LONG);

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
	use_pool(&o);
	pool_hold(pool, &start, 1);
	f = submit_limited(note_runner, &gate, LONG);
	actor_start(&waiter, wait_for, f);
	actor_await_asleep(&waiter);
	gate_open(&start);
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
	expect(soon_future_state(soon_self()) == SOON_RUNNING);
	expect(soon_sleep(SOON_FOREVER) == ECANCELED);
	return arg;
}

START_TEST(where_the_caller_runs_it_it_is_only_asked_to_stop)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_future *f;

	o.flags = SOON_INLINE;
	use_pool(&o);
	f = submit_limited(run_until_asked, &gate, SHORT);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert(soon_future_cancel_requested(f));
	ck_assert_uint_eq(tally_get(&ended), 0);
	soon_future_unref(f);
	f = submit_limited(return_arg, &gate, LONG);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert(!soon_future_cancel_requested(f));
	soon_future_unref(f);
}
END_TEST

/* With other times */

START_TEST(the_time_runs_from_the_start_not_from_the_submit)
{
	soon_future *f;

	f = submit_job(pool, SOON_JOB(.fn = return_arg, .arg = &gate,
				      .delay = 2 * SHORT, .run_within = LONG));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
	f = submit_job(pool,
		       SOON_JOB(.fn = gate_job, .arg = &gate, .delay = SHORT,
				.run_within = SHORT, .free_result = count_end));
	limited++;
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	gate_await(&gate, 1);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_job_that_never_starts_may_have_had_a_limit)
{
	soon_future *f;

	pool_hold(pool, &start, 1);
	f = submit_job(pool,
		       SOON_JOB(.fn = tally_job, .arg = &told,
				.start_within = SHORT, .run_within = LONG));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	ck_assert(!soon_future_cancel_requested(f));
	soon_future_unref(f);
	gate_open(&start);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&told), 0);
}
END_TEST

/* What it may still do */

static void *live_on(void *other)
{
	soon_future *self = soon_self(), *f;

	gate_pass(&gate);
	expect(soon_self() == self);
	expect(soon_future_state(self) == SOON_FAILED);
	expect(soon_future_wait(self, SOON_FOREVER) == 0);
	expect(soon_sleep(SOON_FOREVER) == ECANCELED);
	soon_blocking_begin();
	f = soon_submit(other, tally_job, &told);
	expect(soon_future_wait(f, SOON_FOREVER) == 0);
	soon_blocking_end();
	soon_future_unref(f);
	return other;
}

START_TEST(a_late_job_may_wait_for_other_pools)
{
	soon_executor *other = pool_of(1);
	soon_future *f = submit_limited(live_on, other, SHORT);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_executor_free(pool);
	pool = NULL;
	soon_future_unref(f);
	gate_open(&gate);
	tally_await(&ended, 1);
	ck_assert_uint_eq(tally_get(&told), 1);
	soon_executor_free(other);
}
END_TEST

static void *end_own_pool(void *e)
{
	gate_pass(&gate);
	expect(soon_execute(e, tally_job, &told) == 0);
	expect(soon_executor_shutdown(e, 0, LONG) == 0);
	soon_executor_free(e);
	return e;
}

START_TEST(a_late_job_is_no_part_of_its_pool)
{
	soon_future *f = submit_limited(end_own_pool, pool, SHORT);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	gate_open(&gate);
	tally_await(&ended, 1);
	ck_assert_uint_eq(tally_get(&told), 1);
	pool = NULL;
}
END_TEST

static TCase *add_case(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
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
