/*
 * api_delay_end.c - delayed jobs that are cancelled, and what becomes of them
 * when their pool ends or breaks.
 */
#include "support/fixture.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG (1000 * SOON_SEC)

static struct tally ran, freed, called;

static void setup(void)
{
	fixture_open(pool_of(1));
	tally_init(&ran);
	tally_init(&freed);
	tally_init(&called);
}

static void teardown(void)
{
	fixture_close();
	tally_fini(&ran);
	tally_fini(&freed);
	tally_fini(&called);
}

/* A job that nobody sees run. */
static soon_future *submit_delayed(soon_executor *e, soon_nsec delay)
{
	return submit_job(e, SOON_JOB(.fn = tally_job, .arg = &ran,
				      .free_arg = tally_free, .delay = delay));
}

static void count_call(soon_future *f, void *ctx)
{
	(void)f;
	tally_add(ctx, 1);
}

START_TEST(cancelled_it_is_gone_at_once_for_everybody)
{
	soon_future *f = submit_job(
		pool,
		SOON_JOB(.fn = tally_job, .arg = &freed, .free_arg = tally_free,
			 .delay = _i == 0 ? SOON_FOREVER : LONG));
	soon_completions *set = soon_as_completed(&f, 1);
	soon_future *next = NULL;

	ck_assert_int_eq(soon_future_on_done(f, count_call, &called), 0);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	ck_assert_uint_eq(tally_get(&freed), 1);
	ck_assert_uint_eq(tally_get(&called), 1);
	ck_assert_int_eq(soon_completions_next(set, 0, &next), 0);
	ck_assert_ptr_eq(next, f);
	soon_completions_free(set);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	/* Nothing is left to wait for. */
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&freed), 1);
	soon_future_unref(f);
}
END_TEST

static void *wait_for(void *f)
{
	return box(soon_future_wait(f, SOON_FOREVER));
}

START_TEST(cancelled_it_lets_its_waiters_go)
{
	soon_future *f = submit_delayed(pool, LONG);
	soon_future *inside = submit(pool, wait_for, f);
	struct actor waiter;

	actor_start(&waiter, wait_for, f);
	actor_await_asleep(&waiter);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(unbox(actor_join(&waiter)), 0);
	ck_assert_int_eq(soon_future_wait(inside, SOON_FOREVER), 0);
	soon_future_unref(inside);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&ran), 1); /* by free_arg */
}
END_TEST

static struct actor actor;

/* With an actor all the while, so that a sanitizer has started its thread. */
START_TEST(with_the_pool_the_clock_is_gone)
{
	soon_executor *e;
	unsigned before;
	soon_future *f;

	actor_start(&actor, gate_job, &gate);
	before = thread_count();
	e = pool_of(2);
	for (int i = 0; i < 10; i++) {
		f = submit_delayed(e, i % 2 == 0 ? LONG : 1);
		if (i % 2 == 0)
			ck_assert_int_eq(soon_future_cancel(f), 0);
		soon_future_unref(f);
	}
	soon_executor_free(e);
	/* A joined thread may be listed a moment longer. */
	while (thread_count() > before)
		sched_yield();
	gate_open(&gate);
	actor_join(&actor);
}
END_TEST

START_TEST(a_pool_with_a_delayed_job_has_not_ended)
{
	soon_future *f = submit_delayed(pool, LONG);

	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_MSEC), ETIMEDOUT);
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_shutdown_that_cancels_cancels_delayed_jobs_too)
{
	soon_future *f[20];

	for (size_t i = 0; i < COUNT_OF(f); i++) {
		f[i] = submit_job(
			pool, SOON_JOB(.fn = return_null, .arg = &freed,
				       .free_arg = tally_free, .delay = LONG));
		soon_future_on_done(f[i], count_call, &called);
	}
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING,
						SOON_FOREVER),
			 0);
	ck_assert_uint_eq(tally_get(&freed), COUNT_OF(f));
	ck_assert_uint_eq(tally_get(&called), COUNT_OF(f));
	for (size_t i = 0; i < COUNT_OF(f); i++) {
		ck_assert_int_eq(soon_future_state(f[i]), SOON_CANCELLED);
		soon_future_unref(f[i]);
	}
}
END_TEST

START_TEST(a_closed_pool_takes_none)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f[3];
	void *args[3] = { &freed, &freed, &freed };

	job.fn = tally_job;
	job.arg = &ran;
	job.delay = 1;
	job.free_arg = tally_free;
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_ptr_null(soon_submit_job(pool, &job));
	ck_assert_int_eq(errno, ESHUTDOWN);
	ck_assert_int_eq(soon_submit_many(pool, &job, args, 3, f), ESHUTDOWN);
	for (size_t i = 0; i < COUNT_OF(f); i++)
		ck_assert_ptr_null(f[i]);
	ck_assert_uint_eq(tally_get(&ran), 0);
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

static atomic_uint *shared;

static void *count_shared(void *arg)
{
	atomic_fetch_add(shared, 1);
	return arg;
}

static void *count_and_exit(void *arg)
{
	count_shared(arg);
	exit(0);
}

/* The default pool of another process, which has no thread but this one. */
static void leave_delayed_jobs(bool from_job)
{
	soon_job job = SOON_JOB_INIT;

	job.fn = count_shared;
	for (int i = 0; i < 3; i++) {
		job.delay = 1 + 20 * SOON_MSEC * i;
		soon_future_unref(soon_submit_job(NULL, &job));
	}
	if (!from_job)
		exit(0);
	soon_future_wait(soon_submit(NULL, count_and_exit, NULL), SOON_FOREVER);
}

START_TEST(at_exit_the_default_pool_runs_delayed_jobs)
{
	int status = -1;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		leave_delayed_jobs(_i > 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(atomic_load(shared), _i > 0 ? 4 : 3);
	munmap(shared, sizeof(*shared));
}
END_TEST

static int refuse(void *ctx)
{
	tally_add(ctx, 1);
	return EIO;
}

static soon_executor *pool_that_breaks(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.worker_init = refuse;
	o.worker_ctx = &called;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

START_TEST(a_pool_that_breaks_fails_delayed_jobs_at_once)
{
	soon_executor *e = pool_that_breaks();
	soon_future *late = submit_delayed(e, LONG);
	soon_future *f = submit(e, return_null, NULL);

	ck_assert_int_eq(soon_future_result(late, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	ck_assert_uint_eq(tally_get(&ran), 1); /* by free_arg */
	soon_future_unref(late);
	soon_future_unref(f);
	soon_executor_free(e);
}
END_TEST

START_TEST(a_pool_that_breaks_when_a_job_is_due_fails_it)
{
	soon_executor *e = pool_that_breaks();
	soon_future *f = submit_delayed(e, SOON_MSEC);

	if (_i == 0)
		soon_executor_shutdown(e, 0, SOON_FOREVER);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	ck_assert_uint_eq(tally_get(&ran), 1);
	soon_future_unref(f);
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("delay_end");
	TCase *t = tcase_create("delay_end");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, cancelled_it_is_gone_at_once_for_everybody, 0,
			    2);
	tcase_add_test(t, cancelled_it_lets_its_waiters_go);
	tcase_add_test(t, with_the_pool_the_clock_is_gone);
	tcase_add_test(t, a_pool_with_a_delayed_job_has_not_ended);
	tcase_add_test(t, a_shutdown_that_cancels_cancels_delayed_jobs_too);
	tcase_add_test(t, a_closed_pool_takes_none);
	tcase_add_loop_test(t, at_exit_the_default_pool_runs_delayed_jobs, 0,
			    2);
	tcase_add_test(t, a_pool_that_breaks_fails_delayed_jobs_at_once);
	tcase_add_loop_test(t, a_pool_that_breaks_when_a_job_is_due_fails_it, 0,
			    2);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
