/*
 * api_dump.c - when and where a dump may be made, and that it disturbs nobody.
 */
#include "support/dump.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* A dump made by the job itself. */
static void *dump_own(void *e)
{
	return dump_of(e);
}

static char *taken(soon_future *f)
{
	char *result;

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	result = soon_future_take(f);
	ck_assert_ptr_nonnull(result);
	soon_future_unref(f);
	return result;
}

START_TEST(a_job_may_dump_its_own_pool)
{
	char *own = taken(submit_named("dumper", dump_own, pool));

	ck_assert_ptr_nonnull(strstr(own, "pool-1: \"dumper\", running"));
	free(own);
	/* By the address of its function. */
	own = taken(submit(pool, dump_own, pool));
	ck_assert_ptr_nonnull(strstr(own, ": 0x"));
	free(own);
}
END_TEST

START_TEST(a_thread_that_is_no_worker_is_shown_with_its_job)
{
	soon_executor *e = named_pool("few", 1, _i ? SOON_INLINE : SOON_HELP);
	soon_future *f;
	char *own;
	char line[64];

	if (_i == 0)
		pool_hold(e, &gate, 1);
	f = soon_submit_job(e, SOON_JOB(.fn = dump_own, .arg = e,
					.name = "helped"));
	ck_assert_ptr_nonnull(f);
	own = taken(f);
	snprintf(line, sizeof(line), "thread %d: \"helped\", running",
		 (int)thread_id());
	ck_assert_ptr_nonnull(strstr(own, line));
	free(own);
	gate_open(&gate);
	soon_executor_free(e);
}
END_TEST

static void dump_in_callback(soon_future *f, void *own)
{
	(void)f;
	*(char **)own = dump_of(pool);
}

START_TEST(a_callback_may_dump)
{
	soon_future *f = submit_named("job", gate_job, &gate);
	char *own = NULL;

	ck_assert_int_eq(soon_future_on_done(f, dump_in_callback, &own), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_ptr_nonnull(strstr(own, "pool-1: between jobs"));
	free(own);
	soon_future_unref(f);
	expect("pool: 0 threads (0 running, 0 blocked, 0 idle), about 0 jobs "
	       "pending, shut down\n");
}
END_TEST

static int fail_init(void *unused)
{
	(void)unused;
	return EIO;
}

START_TEST(a_broken_pool_says_so)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_future *f;

	soon_executor_free(pool);
	o.worker_init = fail_init;
	pool = soon_executor_open(&o);
	f = submit(pool, return_null, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	soon_future_unref(f);
	expect(" pending, broken\n");
}
END_TEST

START_TEST(an_unused_pool_has_nothing_to_tell)
{
	expect("pool: 0 threads (0 running, 0 blocked, 0 idle), about 0 jobs "
	       "pending\n");
	ck_assert_str_eq(strchr(text, '\n'), "\n");
	ck_assert(says(NULL, "soon: 0 threads"));
}
END_TEST

START_TEST(a_thread_that_was_written_off_is_shown_beside_the_workers)
{
	soon_future *f = submit_job(pool, SOON_JOB(.fn = gate_job, .arg = &gate,
						   .name = "stuck",
						   .run_within = SOON_MSEC));

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_error(f), ETIMEDOUT);
	await_saying("\nthread ");
	expect(": \"stuck\", written off, running");
	expect_not("pool-1: \"stuck\"");
	finish(f);
	gate_open(&gate);
}
END_TEST

START_TEST(a_job_that_is_not_its_threads_first_runs_since_it_was_seen)
{
	soon_executor *e = named_pool("one", 1, 0);
	struct gate first;

	gate_init(&first);
	ck_assert_int_eq(soon_execute(e, gate_job, &first), 0);
	ck_assert_int_eq(soon_execute(e, gate_job, &gate), 0);
	gate_await(&first, 1);
	ck_assert(says(e, ", running for "));
	gate_open(&first);
	gate_await(&gate, 1);
	while (!says(e, ", running for "))
		sched_yield();
	ck_assert_ptr_nonnull(strstr(text, ", running for at least "));
	/* From then on always. */
	ck_assert(says(e, ", running for at least "));
	gate_open(&gate);
	soon_executor_free(e);
	gate_fini(&first);
}
END_TEST

START_TEST(pending_jobs_are_counted)
{
	pool_hold(pool, &gate, 3);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	expect(", about 1 jobs pending, the oldest for ");
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	expect(", about 5 jobs pending, the oldest for ");
}
END_TEST

START_TEST(what_was_cancelled_is_not_pending_and_what_is_delayed_is_said)
{
	soon_future *f[2];

	pool_hold(pool, &gate, 3);
	f[0] = submit(pool, return_null, NULL);
	f[1] = submit_job(pool, SOON_JOB(.fn = return_null,
					 .delay = 3600 * SOON_SEC));
	ck_assert_int_eq(soon_future_cancel(f[0]), 0);
	expect(", about 0 jobs pending, 1 delayed\n");
	ck_assert_int_eq(soon_future_cancel(f[1]), 0);
	expect(", about 0 jobs pending\n");
	unref_n(f, 2);
}
END_TEST

START_TEST(a_name_cannot_spoil_the_lines)
{
	soon_future *f = submit_named("a name\nwith \t what does not print, "
				      "which is very long indeed",
				      gate_job, &gate);

	gate_await(&gate, 1);
	expect("pool-1: \"a name?with ? what does not print, ");
	expect_not("very long");
	gate_open(&gate);
	finish(f);
}
END_TEST

START_TEST(of_a_long_name_of_a_pool_fifteen_bytes_are_shown)
{
	soon_executor *e = named_pool("sixteen letters.", 1, 0);

	ck_assert(says(e, "sixteen letters: "));
	soon_executor_free(e);
}
END_TEST

START_TEST(more_threads_than_fit_a_page_are_shown)
{
	enum { N = 200 };
	soon_future *f[N];

	for (int i = 0; i < N; i++)
		f[i] = submit_named("one of very many that wait", wait_for,
				    promise);
	await_saying(" 200 blocked,");
	soon_future_set_result(promise, NULL);
	for (int i = 0; i < N; i++)
		finish(f[i]);
}
END_TEST

START_TEST(bad_input_is_refused)
{
	ck_assert_int_eq(soon_executor_dump(pool, NULL), EINVAL);
	ck_assert_int_eq(soon_executor_dump(NULL, NULL), EINVAL);
}
END_TEST

START_TEST(a_write_that_fails_is_reported)
{
	FILE *out = fopen("/dev/full", "w");
	int rc;

	if (out != NULL) {
		ck_assert_int_eq(soon_executor_dump(pool, out), ENOSPC);
		fclose(out);
	}
	out = fopen("/dev/null", "r");
	ck_assert_ptr_nonnull(out);
	/* Not every C library says why. */
	rc = soon_executor_dump(pool, out);
	ck_assert(rc == EBADF || rc == EIO);
	fclose(out);
	out = fdopen(dup(STDOUT_FILENO), "w");
	ck_assert_ptr_nonnull(out);
	close(fileno(out));
	ck_assert_int_eq(soon_executor_dump(pool, out), EBADF);
	fclose(out);
}
END_TEST

static void *fib(void *arg)
{
	long n = unbox(arg);
	void *result[2] = { NULL, NULL };
	soon_future *f[2];

	if (n < 2)
		return arg;
	for (long i = 0; i < 2; i++)
		f[i] = soon_submit_job(
			pool, SOON_JOB(.fn = fib, .arg = box(n - 1 - i),
				       .name = n % 2 ? "odd" : NULL));
	if (soon_gather(f, 2, SOON_FOREVER, result, NULL) != 0)
		return soon_fail(EIO, NULL);
	for (int i = 0; i < 2; i++)
		soon_future_unref(f[i]);
	return box(unbox(result[0]) + unbox(result[1]));
}

static atomic_bool stop;

static void *dump_again_and_again(void *unused)
{
	long n = 0;

	while (!atomic_load(&stop)) {
		char *own = dump_of(pool);

		if (own == NULL || strncmp(own, "pool: ", 6) != 0)
			return NULL;
		free(own);
		n++;
	}
	(void)unused;
	return box(n + 1);
}

START_TEST(dumps_do_not_disturb_a_busy_pool)
{
	struct actor dumper[2];

	atomic_store(&stop, false);
	for (int i = 0; i < 2; i++)
		actor_start(&dumper[i], dump_again_and_again, NULL);
	for (unsigned i = 0; i < test_scale(20); i++) {
		soon_future *f = submit(pool, fib, box(12));
		void *result = NULL;

		ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result),
				 0);
		ck_assert_int_eq(unbox(result), 144);
		soon_future_unref(f);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		ck_assert_ptr_nonnull(actor_join(&dumper[i]));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("dump");
	TCase *t = tcase_create("dump");

	tcase_add_checked_fixture(t, dump_setup, dump_teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_job_may_dump_its_own_pool);
	tcase_add_loop_test(t, a_thread_that_is_no_worker_is_shown_with_its_job,
			    0, 2);
	tcase_add_test(t, a_callback_may_dump);
	tcase_add_test(t, a_broken_pool_says_so);
	tcase_add_test(t, an_unused_pool_has_nothing_to_tell);
	tcase_add_test(
		t, a_thread_that_was_written_off_is_shown_beside_the_workers);
	tcase_add_test(
		t, a_job_that_is_not_its_threads_first_runs_since_it_was_seen);
	tcase_add_test(t, pending_jobs_are_counted);
	tcase_add_test(
		t,
		what_was_cancelled_is_not_pending_and_what_is_delayed_is_said);
	tcase_add_test(t, a_name_cannot_spoil_the_lines);
	tcase_add_test(t, of_a_long_name_of_a_pool_fifteen_bytes_are_shown);
	tcase_add_test(t, more_threads_than_fit_a_page_are_shown);
	tcase_add_test(t, bad_input_is_refused);
	tcase_add_test(t, a_write_that_fails_is_reported);
	tcase_add_test(t, dumps_do_not_disturb_a_busy_pool);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
