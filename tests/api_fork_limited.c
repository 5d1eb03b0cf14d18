/*
 * api_fork_limited.c - forking in jobs with run_within, and in what comes of them.
 */
#include "support/forker.h"

#include <errno.h>
#include <pthread.h>

#define LONG (3600 * SOON_SEC)

/* The thread is the pool's no more when it forks. */
START_TEST(the_destructor_of_a_late_result_may_fork)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	choose(_i);
	job.fn = gate_job;
	job.arg = &gate;
	job.run_within = SOON_MSEC;
	job.free_result = fork_destructor;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	gate_open(&gate);
	tally_await(&forks, 1);
	child_ended_with_its_thread();
	soon_future_unref(f);
}
END_TEST

START_TEST(a_callback_of_a_job_that_was_in_time_may_fork)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	choose(_i);
	job.fn = gate_job;
	job.arg = &gate;
	job.run_within = LONG;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_on_done(f, fork_callback, NULL), 0);
	gate_open(&gate);
	tally_await(&forks, 1);
	child_ended_with_its_thread();
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
}
END_TEST

static void *leave_in_child(void *arg)
{
	if (fork_here())
		pthread_exit(NULL);
	return arg;
}

START_TEST(a_job_with_a_limit_that_forks_ends_its_thread)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	choose(_i % 3);
	job.fn = _i < 3 ? fork_job : leave_in_child;
	job.run_within = LONG;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	child_ended_with_its_thread();
	soon_future_unref(f);
}
END_TEST

/* The same on a thread that cannot be replaced. */
static void *submit_forker(void *own)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	job.fn = atomic_load(&shared->d) == 0 ? fork_job : leave_in_child;
	job.run_within = LONG;
	f = soon_submit_job(own, &job);
	atomic_fetch_add(&shared->c, 1); /* the parent's only */
	return f;
}

START_TEST(a_job_with_a_limit_that_its_submitter_runs_may_fork)
{
	soon_executor *own = inline_pool();
	struct actor submitter;
	soon_future *f;

	choose(_i % 2);
	atomic_store(&shared->d, (unsigned)_i / 2);
	actor_start(&submitter, submit_forker, own);
	f = actor_join(&submitter);
	child_ended_with_its_thread();
	ck_assert_int_eq(soon_future_error(f), 0);
	ck_assert_uint_eq(shared->c, 1);
	soon_future_unref(f);
	soon_executor_free(own);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork_limited");
	TCase *tc = tcase_create("fork_limited");

	tcase_add_checked_fixture(tc, forker_setup, forker_teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, the_destructor_of_a_late_result_may_fork, 0, 3);
	tcase_add_loop_test(tc, a_callback_of_a_job_that_was_in_time_may_fork,
			    0, 3);
	tcase_add_loop_test(tc, a_job_with_a_limit_that_forks_ends_its_thread,
			    0, 6);
	tcase_add_loop_test(
		tc, a_job_with_a_limit_that_its_submitter_runs_may_fork, 0, 4);
	suite_add_tcase(suite, tc);
	return test_run(suite);
}
