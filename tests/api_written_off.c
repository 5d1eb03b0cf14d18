/*
 * api_written_off.c - jobs whose limit has passed: who is told and when, and
 * what ends without them.
 */
#include "support/limited.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A job that stands at the gate, and whose future has failed. */
static soon_future *submit_expired(void)
{
	soon_future *f = limited_submit(gate_job, &gate, SHORT);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	gate_await(&gate, 1);
	return f;
}

/* The end of the pool */

START_TEST(shutdown_and_free_return_while_a_job_is_stuck)
{
	soon_future *f = submit_expired();

	ck_assert_int_eq(
		soon_executor_shutdown(pool, (unsigned)_i, SOON_FOREVER), 0);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&limited_ended), 0);
	ck_assert_int_eq(soon_future_error(f), ETIMEDOUT);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_shutdown_waits_for_a_stuck_job_only_until_its_limit)
{
	soon_future *f = limited_submit(gate_job, &gate, SHORT);
	soon_future *behind = submit(pool, tally_job, &limited_told);

	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_error(f), ETIMEDOUT);
	ck_assert_int_eq(soon_future_error(behind), 0);
	soon_future_unref(behind);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&limited_told), 1);
}
END_TEST

static atomic_int inits, finis;

static int count_init(void *unused)
{
	(void)unused;
	atomic_fetch_add(&inits, 1);
	return 0;
}

static void count_fini(void *unused)
{
	(void)unused;
	atomic_fetch_add(&finis, 1);
}

START_TEST(the_new_thread_is_initialised_and_the_old_one_not_finished)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_future *f;

	o.workers = o.max_workers = 1;
	o.worker_init = count_init;
	o.worker_fini = count_fini;
	fixture_use(&o);
	f = submit_expired();
	soon_executor_free(pool);
	pool = NULL;
	gate_open(&gate);
	tally_await(&limited_ended, 1);
	ck_assert_int_eq(atomic_load(&inits), 2);
	ck_assert_int_eq(atomic_load(&finis), 1);
	soon_future_unref(f);
}
END_TEST

static int init_once(void *unused)
{
	count_init(unused);
	return atomic_load(&inits) > 1;
}

START_TEST(a_new_thread_whose_init_fails_breaks_the_pool)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_future *f, *behind;

	o.workers = o.max_workers = 1;
	o.worker_init = init_once;
	fixture_use(&o);
	f = limited_submit(gate_job, &gate, SHORT);
	behind = submit(pool, return_null, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	ck_assert_int_eq(soon_future_result(behind, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	soon_future_unref(behind);
	soon_future_unref(f);
	soon_executor_free(pool);
	pool = NULL;
}
END_TEST

/* Exits with 0 if the process ends in spite of the job. */
static void run_child(void)
{
	struct gate shut;
	soon_future *f;

	gate_init(&shut);
	f = submit_job(NULL, SOON_JOB(.fn = gate_job, .arg = &shut,
				      .run_within = SHORT));
	exit(soon_future_result(f, SOON_FOREVER, NULL) != ETIMEDOUT);
}

START_TEST(a_process_ends_though_a_job_is_stuck)
{
	int status = -1;
	pid_t pid;

	/* Before this process has threads. */
	soon_executor_free(pool);
	pool = NULL;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		run_child();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* Who is told */

static void tell(soon_future *f, void *ctx)
{
	fixture_expect(soon_future_error(f) == ETIMEDOUT);
	fixture_expect(soon_future_cancel_requested(f));
	/* The pool waits for its callbacks. */
	fixture_expect(soon_executor_shutdown(pool, 0, LONG) == EDEADLK);
	tally_add(ctx, 1);
}

static void *wait_any(void *f)
{
	soon_future *one = f;
	size_t index = 1;

	fixture_expect(soon_wait_any(&one, 1, SOON_FOREVER, &index) == 0);
	return NULL;
}

static void *wait_for_all(void *f)
{
	soon_future *one = f;

	fixture_expect(soon_wait_all(&one, 1, SOON_FOREVER) == 0);
	return NULL;
}

START_TEST(whoever_waits_is_told_at_once)
{
	struct actor any, all;
	soon_completions *set;
	soon_future *f, *first = NULL;

	pool_hold(pool, &limited_start, 1);
	f = limited_submit(gate_job, &gate, SHORT);
	set = soon_as_completed(&f, 1);
	ck_assert_ptr_nonnull(set);
	ck_assert_int_eq(soon_future_on_done(f, tell, &limited_told), 0);
	actor_start(&any, wait_any, f);
	actor_start(&all, wait_for_all, f);
	gate_open(&limited_start);
	ck_assert_int_eq(soon_completions_next(set, SOON_FOREVER, &first), 0);
	ck_assert_ptr_eq(first, f);
	actor_join(&any);
	actor_join(&all);
	tally_await(&limited_told, 1);
	soon_completions_free(set);
	soon_future_unref(f);
}
END_TEST

static void pass_start(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	gate_pass(&limited_start);
}

START_TEST(a_callback_that_blocks_holds_up_no_other_limit)
{
	struct gate first;
	soon_future *f, *g;

	gate_init(&first);
	pool_hold(pool, &first, 1);
	f = limited_submit(gate_job, &gate, SHORT);
	g = limited_submit(gate_job, &gate, SHORT);
	ck_assert_int_eq(soon_future_on_done(f, pass_start, NULL), 0);
	gate_open(&first);
	gate_await(&limited_start, 1);
	ck_assert_int_eq(soon_future_result(g, SOON_FOREVER, NULL), ETIMEDOUT);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SHORT), ETIMEDOUT);
	gate_open(&limited_start);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_future_unref(g);
	soon_future_unref(f);
	gate_fini(&first);
}
END_TEST

static void open_and_await_end(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	gate_open(&gate);
	tally_await(&limited_ended, 1);
}

START_TEST(a_callback_may_wait_for_the_end_of_the_late_job)
{
	soon_future *f;

	pool_hold(pool, &limited_start, 1);
	f = limited_submit(gate_job, &gate, SHORT);
	ck_assert_int_eq(soon_future_on_done(f, open_and_await_end, NULL), 0);
	gate_open(&limited_start);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&limited_ended), 1);
	soon_future_unref(f);
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
	Suite *s = suite_create("written_off");
	TCase *t = add_case(s, "end");

	tcase_add_loop_test(t, shutdown_and_free_return_while_a_job_is_stuck, 0,
			    4);
	tcase_add_test(t,
		       a_shutdown_waits_for_a_stuck_job_only_until_its_limit);
	tcase_add_test(
		t, the_new_thread_is_initialised_and_the_old_one_not_finished);
	tcase_add_test(t, a_new_thread_whose_init_fails_breaks_the_pool);
	tcase_add_test(t, a_process_ends_though_a_job_is_stuck);
	t = add_case(s, "told");
	tcase_add_test(t, whoever_waits_is_told_at_once);
	tcase_add_test(t, a_callback_that_blocks_holds_up_no_other_limit);
	tcase_add_test(t, a_callback_may_wait_for_the_end_of_the_late_job);
	return s;
}

int main(void)
{
	return test_run(suite());
}
