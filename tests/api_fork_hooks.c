/*
 * api_fork_hooks.c - forking in destructors and hooks; and the program's own
 * handlers of fork.
 */
#include "support/forker.h"

#include <errno.h>
#include <pthread.h>

START_TEST(a_destructor_on_a_worker_may_fork)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	choose(_i / 2);
	job.fn = gate_job;
	if (_i % 2 == 0)
		job.free_arg = fork_destructor;
	else
		job.free_result = fork_destructor;
	job.arg = &gate;
	f = submit_job(pool, &job);
	/* The worker's is the last reference. */
	soon_future_unref(f);
	gate_open(&gate);
	tally_await(&forks, 1);
	child_ended_with_its_thread();
}
END_TEST

/* The call goes on in the child too, and comes back. */
static void await_child_of_main(const char *wrong)
{
	if (atomic_load(&forked) < 0)
		child_end(wrong != NULL ? wrong : pool_works(NULL));
	ck_assert_ptr_null(wrong);
	ck_assert(child_ended(atomic_load(&forked), ENDED_WELL));
}

START_TEST(a_cancelled_jobs_destructor_may_fork)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;
	const char *wrong = NULL;
	int rc;

	pool_hold(pool, &gate, 2);
	choose(_i < 2 ? _i : 0);
	job.fn = return_arg;
	job.free_arg = fork_destructor;
	job.delay = _i == 3 ? 3600 * SOON_SEC : 0;
	f = submit_job(pool, &job);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(soon_execute(pool, return_arg, NULL), 0);
	if (_i < 2)
		rc = soon_future_cancel(f);
	else /* and goes on with the shutdown, here and there */
		rc = soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0);
	if (_i >= 2 && atomic_load(&forked) > 0)
		rc = rc == EINPROGRESS ? 0 : -1;
	if (rc != 0)
		wrong = "what the call returned";
	else if (soon_future_state(f) != SOON_CANCELLED)
		wrong = "the state";
	else if (atomic_load(&forked) < 0 &&
		 soon_executor_shutdown(pool, 0, 60 * SOON_SEC) != 0)
		wrong = "the end";
	await_child_of_main(wrong);
	soon_future_unref(f);
	gate_open(&gate);
	soon_executor_free(pool);
	pool = pool_of(2);
}
END_TEST

static int fork_init(void *unused)
{
	(void)unused;
	fork_here();
	return 0;
}

static void fork_fini(void *unused)
{
	(void)unused;
	fork_here();
}

static void *leave_job(void *unused)
{
	pthread_exit(unused);
}

START_TEST(hooks_of_a_worker_may_fork)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *hooked;
	soon_future *f;

	choose(_i % 2);
	o.max_workers = 2;
	if (_i < 2)
		o.worker_init = fork_init;
	else
		o.worker_fini = fork_fini;
	hooked = soon_executor_open(&o);
	ck_assert_ptr_nonnull(hooked);
	f = submit(hooked, _i < 4 ? return_arg : leave_job, box(1));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 _i < 4 ? 0 : SOON_EEXITED);
	soon_future_unref(f);
	soon_executor_free(hooked);
	child_ended_with_its_thread();
}
END_TEST

static int break_it(void *unused)
{
	(void)unused;
	return 1;
}

START_TEST(the_end_of_a_broken_pool_may_fork)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_job job = SOON_JOB_INIT;
	soon_executor *broken;
	soon_future *f;

	o.worker_init = break_it;
	broken = soon_executor_open(&o);
	ck_assert_ptr_nonnull(broken);
	job.fn = return_null;
	job.free_arg = fork_destructor;
	f = submit_job(broken, &job);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	soon_future_unref(f);
	soon_executor_free(broken);
	child_ended_with_its_thread();
}
END_TEST

static struct gate in_callback;

static void stand_in_callback(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	gate_pass(&in_callback);
}

static void *push_hooks(void *unused)
{
	soon_on_cancel(fork_destructor, NULL);
	gate_pass(&gate);
	soon_on_cancel(count_a, NULL);
	return unused;
}

static void *shut_down(void *unused)
{
	soon_executor_shutdown(pool, SOON_CANCEL_PENDING | SOON_CANCEL_RUNNING,
			       0);
	return unused;
}

static const char *default_works(void)
{
	return pool_works(NULL);
}

/* Of a shutdown that is still busy with a callback it learns as it pushes another:
 * so that calls the first one. */
START_TEST(a_hook_that_its_job_calls_by_pushing_another_may_fork)
{
	soon_future *running, *pending;
	struct actor actor;
	struct gate other;

	in_the_child = _i == 0 ? NULL : default_works;
	gate_init(&other);
	gate_init(&in_callback);
	running = submit(pool, push_hooks, NULL);
	gate_await(&gate, 1);
	pool_hold(pool, &other, 1);
	pending = submit(pool, return_null, NULL);
	ck_assert_int_eq(soon_future_on_done(pending, stand_in_callback, NULL),
			 0);
	actor_start(&actor, shut_down, NULL);
	gate_await(&in_callback, 1);
	gate_open(&gate);
	tally_await(&forks, 1);
	child_ended_with_its_thread();
	ck_assert_int_eq(soon_future_result(running, SOON_FOREVER, NULL), 0);
	ck_assert_uint_eq(shared->a, 1);
	gate_open(&in_callback);
	gate_open(&other);
	actor_join(&actor);
	soon_future_unref(running);
	soon_future_unref(pending);
	soon_executor_free(pool);
	pool = pool_of(2);
	gate_fini(&in_callback);
	gate_fini(&other);
}
END_TEST

/* A program's own handlers, which may use pools. */
static const char *broken_handler;

static void use_pool(void)
{
	if (pool != NULL)
		broken_handler = pool_works(pool);
}

static void use_pool_in_child(void)
{
	child_begin();
	use_pool();
}

static const char *handlers_worked(void *unused)
{
	(void)unused;
	return broken_handler;
}

START_TEST(a_programs_own_fork_handlers_may_use_pools)
{
	ck_assert_int_eq(pthread_atfork(use_pool, use_pool, use_pool_in_child),
			 0);
	in_child(handlers_worked, NULL);
	ck_assert_ptr_null(broken_handler);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork_hooks");
	TCase *tc = tcase_create("fork_hooks");

	tcase_add_checked_fixture(tc, forker_setup, forker_teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, a_destructor_on_a_worker_may_fork, 0, 6);
	tcase_add_loop_test(tc, a_cancelled_jobs_destructor_may_fork, 0, 4);
	tcase_add_loop_test(tc, hooks_of_a_worker_may_fork, 0, 6);
	tcase_add_test(tc, the_end_of_a_broken_pool_may_fork);
	tcase_add_loop_test(
		tc, a_hook_that_its_job_calls_by_pushing_another_may_fork, 0,
		2);
	tcase_add_test(tc, a_programs_own_fork_handlers_may_use_pools);
	suite_add_tcase(suite, tc);
	return test_run(suite);
}
