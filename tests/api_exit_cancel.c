/*
 * api_exit_cancel.c - jobs whose thread is ended by pthread_cancel().
 */
#include "support/fixture.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

static struct tally freed;
static int pipe_fds[2];

static void setup(void)
{
	fixture_open(pool_of(1));
	tally_init(&freed);
	ck_assert_int_eq(pipe(pipe_fds), 0);
}

static void teardown(void)
{
	fixture_close();
	tally_fini(&freed);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void expect_code(soon_future *f, int code)
{
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), code);
	soon_future_unref(f);
}

static pthread_t job_thread;

/* With the gate open, so that it is not cancelled there. */
static void *read_pipe(void *unused)
{
	char byte;

	job_thread = pthread_self();
	gate_pass(&gate);
	return read(pipe_fds[0], &byte, 1) == 1 ? NULL : unused;
}

START_TEST(a_job_whose_thread_is_cancelled_fails)
{
	soon_future *f;

	gate_open(&gate);
	f = submit_job(pool, SOON_JOB(.fn = read_pipe, .arg = &freed,
				      .free_arg = tally_free));
	gate_await(&gate, 1);
	ck_assert_int_eq(pthread_cancel(job_thread), 0);
	expect_code(f, SOON_EEXITED);
	ck_assert_uint_eq(tally_get(&freed), 1);
	expect_code(submit(pool, return_null, NULL), 0);
}
END_TEST

static void *wait_for_reader(void *unused)
{
	soon_future *f = soon_submit(pool, read_pipe, NULL);

	pthread_cleanup_push((void (*)(void *))soon_future_unref, f);
	soon_future_wait(f, SOON_FOREVER);
	pthread_cleanup_pop(1);
	return unused;
}

START_TEST(so_do_the_jobs_below_it)
{
	soon_future *f;

	gate_open(&gate);
	f = submit(pool, wait_for_reader, NULL);
	gate_await(&gate, 1);
	ck_assert_int_eq(pthread_cancel(job_thread), 0);
	expect_code(f, SOON_EEXITED);
	expect_code(submit(pool, return_null, NULL), 0);
}
END_TEST

/* The gate waits in pthread_cond_wait(), which cancellation would leave. */
static void pass_uncancelled(void)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	gate_pass(&gate);
	pthread_setcancelstate(old, NULL);
}

static atomic_int slept;

/* Its thread is cancelled while it is in a call of the library. */
static void *sleep_in_library(void *promise)
{
	job_thread = pthread_self();
	pass_uncancelled();
	if (promise != NULL)
		atomic_store(&slept,
			     1 + soon_future_wait(promise, SOON_FOREVER));
	else
		atomic_store(&slept, soon_sleep(SOON_FOREVER));
	pthread_testcancel();
	return NULL;
}

START_TEST(calls_of_the_library_are_not_left_by_it)
{
	soon_future *promise = soon_future_new(NULL);
	soon_future *f = submit(pool, sleep_in_library, promise);

	gate_await(&gate, 1);
	ck_assert_int_eq(pthread_cancel(job_thread), 0);
	gate_open(&gate);
	/* The worker has given its place away. */
	expect_code(submit(pool, return_null, NULL), 0);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	expect_code(f, SOON_EEXITED);
	ck_assert_int_eq(atomic_load(&slept), 1);
	expect_code(submit(pool, return_null, NULL), 0);
	soon_future_unref(promise);
}
END_TEST

START_TEST(a_sleep_ends_in_its_own_time)
{
	soon_future *f = submit(pool, sleep_in_library, NULL);

	gate_await(&gate, 1);
	ck_assert_int_eq(pthread_cancel(job_thread), 0);
	gate_open(&gate);
	expect_code(submit(pool, return_null, NULL), 0);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	expect_code(f, SOON_EEXITED);
	ck_assert_int_eq(atomic_load(&slept), ECANCELED);
}
END_TEST

static void testcancel(void *tally)
{
	pthread_testcancel();
	tally_add(tally, 1);
}

static void testcancel_done(soon_future *f, void *tally)
{
	(void)f;
	testcancel(tally);
}

static soon_future *done;

/* It returns with its thread about to be cancelled. */
static void *cancel_late(void *result)
{
	gate_pass(&gate);
	soon_on_cancel(testcancel, result);
	pthread_cancel(pthread_self());
	soon_future_cancel(soon_self());
	soon_future_on_done(done, testcancel_done, result);
	return result;
}

/* The shutdown waits for threads of both executor and clock. */
START_TEST(a_shutdown_leaves_its_caller_as_cancelable_as_it_was)
{
	int state = _i == 0 ? PTHREAD_CANCEL_ENABLE : PTHREAD_CANCEL_DISABLE;
	int after, before;
	soon_future *f = submit_job(pool, SOON_JOB(.fn = return_null,
						   .delay = SOON_MSEC));

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	pthread_setcancelstate(state, &before);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	pthread_setcancelstate(before, &after);
	ck_assert_int_eq(after, state);
}
END_TEST

START_TEST(hooks_callbacks_and_destructors_are_not_left_by_it)
{
	soon_future *f =
		submit_job(pool, SOON_JOB(.fn = cancel_late, .arg = &freed,
					  .free_arg = testcancel,
					  .free_result = testcancel));

	done = soon_future_new(NULL);
	ck_assert_int_eq(soon_future_set_result(done, NULL), 0);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_on_done(f, testcancel_done, &freed), 0);
	soon_future_unref(f);
	gate_open(&gate);
	tally_await(&freed, 5);
	soon_future_unref(done);
	/* The cancellation finds the next job. */
	soon_execute(pool, read_pipe, NULL);
	expect_code(submit(pool, return_null, NULL), 0);
}
END_TEST

static Suite *exit_suite(void)
{
	Suite *s = suite_create("api_exit_cancel");
	TCase *tc = tcase_create("exit");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_job_whose_thread_is_cancelled_fails);
	tcase_add_test(tc, so_do_the_jobs_below_it);
	tcase_add_test(tc, calls_of_the_library_are_not_left_by_it);
	tcase_add_test(tc, a_sleep_ends_in_its_own_time);
	tcase_add_loop_test(
		tc, a_shutdown_leaves_its_caller_as_cancelable_as_it_was, 0, 2);
	tcase_add_test(tc, hooks_callbacks_and_destructors_are_not_left_by_it);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(exit_suite());
}
