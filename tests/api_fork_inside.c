/*
 * api_fork_inside.c - forking in a job or a callback: the thread that goes on in
 * the child is the pool's no more.
 */
#include "support/forker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

START_TEST(a_job_that_forks_goes_on_alone_and_ends_with_its_thread)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	choose(_i);
	job.fn = fork_job;
	job.arg = box(5);
	job.free_arg = count_a;
	job.free_result = count_a;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_on_done(f, count_b, NULL), 0);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	child_ended_with_its_thread();
	soon_future_unref(f);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_executor_free(pool);
	pool = pool_of(2);
	/* In the parent, and in no child. */
	ck_assert_uint_eq(shared->a, 2);
	ck_assert_uint_eq(shared->b, 1);
}
END_TEST

static soon_future *self;

static const char *self_is_forked(void)
{
	CLAIM(soon_future_error(self) == SOON_EFORKED);
	CLAIM(soon_future_wait(self, SOON_FOREVER) == 0);
	soon_future_unref(self);
	return NULL;
}

static void *fork_with_self(void *arg)
{
	self = soon_future_ref(soon_self());
	fork_here();
	return arg;
}

START_TEST(the_forking_jobs_own_future_has_failed_in_the_child)
{
	soon_future *f;

	in_the_child = self_is_forked;
	f = submit(pool, fork_with_self, box(1));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	child_ended_with_its_thread();
	soon_future_unref(self);
	soon_future_unref(f);
}
END_TEST

static const char *leave(void)
{
	if (atomic_load(&shared->d) == 0)
		exit(7);
	_exit(8);
}

START_TEST(exit_works_in_the_child_of_a_job)
{
	soon_future *held = submit(NULL, gate_job, &gate);
	soon_future *f;

	gate_await(&gate, 1);
	atomic_store(&shared->d, (unsigned)_i);
	in_the_child = leave;
	/* Also of a job of the default pool, which exit() drains. */
	f = submit(_i == 0 ? NULL : pool, fork_job, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	ck_assert(child_ended(atomic_load(&forked), 7 + _i));
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(held, SOON_FOREVER), 0);
	soon_future_unref(held);
	soon_future_unref(f);
}
END_TEST

/* Waits for a job that it runs itself, which forks. */
static void *wait_for_forker(void *arg)
{
	soon_future *f = submit(pool, fork_job, arg);

	soon_future_wait(f, SOON_FOREVER);
	atomic_fetch_add(&shared->c, 1); /* the parent's only */
	soon_future_unref(f);
	return arg;
}

START_TEST(jobs_that_wait_below_a_job_that_forks_do_not_go_on)
{
	soon_executor *narrow = pool;
	soon_future *f;

	pool = pool_of(1);
	choose(_i);
	f = submit(pool, wait_for_forker, box(1));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	child_ended_with_its_thread();
	ck_assert_uint_eq(shared->c, 1);
	soon_future_unref(f);
	soon_executor_free(pool);
	pool = narrow;
}
END_TEST

START_TEST(a_callback_that_forks_goes_on_and_its_worker_ends)
{
	soon_future *f = submit(pool, gate_job, &gate);

	choose(_i);
	ck_assert_int_eq(soon_future_on_done(f, count_b, NULL), 0);
	ck_assert_int_eq(soon_future_on_done(f, fork_callback, NULL), 0);
	gate_open(&gate);
	tally_await(&forks, 1);
	child_ended_with_its_thread();
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(shared->b, 1);
	ck_assert_int_eq(soon_future_error(f), 0);
	soon_future_unref(f);
	soon_executor_free(pool);
	pool = pool_of(2);
}
END_TEST

START_TEST(a_callback_of_a_promise_returns_to_who_kept_it_in_both)
{
	soon_future *f = must_promise();

	choose(_i);
	ck_assert_int_eq(soon_future_on_done(f, fork_callback, NULL), 0);
	ck_assert_int_eq(soon_future_on_done(f, count_b, NULL), 0);
	ck_assert_int_eq(soon_future_set_result(f, NULL), 0);
	if (atomic_load(&forked) < 0) {
		soon_future_unref(f);
		child_end(NULL);
	}
	ck_assert(child_ended(atomic_load(&forked), ENDED_WELL));
	ck_assert_uint_eq(shared->b, 1 + CHILDREN_LIVE);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_job_that_a_waiter_helps_with_ends_the_thread_as_well)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *helped;
	soon_future *f;

	choose(_i % 2);
	o.flags = _i < 2 ? SOON_HELP : SOON_INLINE;
	o.max_workers = 1;
	helped = soon_executor_open(&o);
	ck_assert_ptr_nonnull(helped);
	if (_i < 2)
		pool_hold(helped, &gate, 1);
	f = submit(helped, fork_job, box(1));
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	/* Here comes the parent only. */
	ck_assert_int_gt(atomic_load(&forked), 0);
	child_ended_with_its_thread();
	ck_assert_int_eq(soon_future_error(f), 0);
	soon_future_unref(f);
	gate_open(&gate);
	soon_executor_free(helped);
}
END_TEST

START_TEST(jobs_inline_after_one_whose_callback_forked_are_the_parents)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_job each = SOON_JOB_INIT;
	soon_executor *sync;
	soon_future *f[3];

	o.flags = SOON_INLINE;
	sync = soon_executor_open(&o);
	ck_assert_ptr_nonnull(sync);
	each.fn = return_null;
	each.free_arg = fork_destructor; /* in the first one's context */
	ck_assert_int_eq(soon_submit_many(sync, &each, NULL, 3, f), 0);
	child_ended_with_its_thread();
	unref_n(f, 3);
	ck_assert_int_eq(soon_executor_shutdown(sync, 0, SOON_FOREVER), 0);
	soon_executor_free(sync);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork_inside");
	TCase *tc = tcase_create("fork_inside");

	tcase_add_checked_fixture(tc, forker_setup, forker_teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(
		tc, a_job_that_forks_goes_on_alone_and_ends_with_its_thread, 0,
		3);
	tcase_add_test(tc, the_forking_jobs_own_future_has_failed_in_the_child);
	tcase_add_loop_test(tc, exit_works_in_the_child_of_a_job, 0, 2);
	tcase_add_loop_test(
		tc, jobs_that_wait_below_a_job_that_forks_do_not_go_on, 0, 3);
	tcase_add_loop_test(
		tc, a_callback_that_forks_goes_on_and_its_worker_ends, 0, 3);
	tcase_add_loop_test(
		tc, a_callback_of_a_promise_returns_to_who_kept_it_in_both, 0,
		2);
	tcase_add_loop_test(
		tc, a_job_that_a_waiter_helps_with_ends_the_thread_as_well, 0,
		4);
	tcase_add_test(
		tc,
		jobs_inline_after_one_whose_callback_forked_are_the_parents);
	suite_add_tcase(suite, tc);
	return test_run(suite);
}
