/*
 * api_dump.c - what a dump says of a program that does not go on, and of one
 * that does.
 */
#include "support/many.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static soon_executor *pool;
static struct gate gate;
static soon_future *promise;
static char *text; /* the latest dump */

static soon_executor *named_pool(const char *name, unsigned workers,
				 unsigned flags)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.name = name;
	o.workers = o.max_workers = workers;
	o.idle_timeout = SOON_FOREVER;
	o.flags = flags;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void setup(void)
{
	pool = named_pool("pool", 3, 0);
	gate_init(&gate);
	promise = must_promise();
	text = NULL;
}

static void teardown(void)
{
	gate_open(&gate);
	soon_future_set_result(promise, NULL);
	soon_executor_free(pool);
	soon_future_unref(promise);
	gate_fini(&gate);
	free(text);
}

/* In memory, for any thread; NULL if it failed. */
static char *dump_of(soon_executor *e)
{
	char *written = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&written, &size);
	int rc = out != NULL ? soon_executor_dump(e, out) : -1;

	if (out != NULL)
		fclose(out);
	if (rc == 0 && strlen(written) == size)
		return written;
	free(written);
	return NULL;
}

static bool says(soon_executor *e, const char *what)
{
	free(text);
	text = dump_of(e);
	ck_assert_ptr_nonnull(text);
	return strstr(text, what) != NULL;
}

#define expect(what) \
	ck_assert_msg(says(pool, what), "no \"%s\" in:\n%s", what, text)
#define expect_not(what) \
	ck_assert_msg(!says(pool, what), "\"%s\" in:\n%s", what, text)

/* Dump until it says so; if it never does the test's limit ends it. */
static void await_saying(const char *what)
{
	while (!says(pool, what))
		sched_yield();
}

static soon_future *submit_named(const char *name, soon_fn *fn, void *arg)
{
	return submit_job(pool, SOON_JOB(.fn = fn, .arg = arg, .name = name));
}

static void *wait_for(void *f)
{
	return box(soon_future_wait(f, SOON_FOREVER));
}

static void finish(soon_future *f)
{
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

START_TEST(a_stuck_program_names_the_culprit)
{
	soon_future *culprit = submit_named("culprit", gate_job, &gate);
	soon_future *victim;

	gate_await(&gate, 1);
	expect("pool-1: \"culprit\"");
	victim = submit_named("victim", wait_for, culprit);
	await_saying("pool-2: \"victim\", waiting ");
	expect(" for \"culprit\" (on pool-1)\n");
	expect("pool: 2 threads (");
	await_saying(" 2 blocked, 0 idle), about 0 jobs pending\n");
	expect("\"culprit\", blocked, running for ");
	gate_open(&gate);
	finish(victim);
	finish(culprit);
	await_saying("0 running, 0 blocked, 2 idle");
	expect("pool-1: idle\n");
	expect("pool-2: idle\n");
}
END_TEST

START_TEST(a_thread_of_another_pool_that_others_wait_for_is_shown)
{
	soon_executor *other = named_pool("other", 1, 0);
	soon_future *f[2], *outer;

	f[0] = submit_job(other, SOON_JOB(.fn = wait_for, .arg = promise,
					  .name = "middle"));
	/* Or else the first would run it itself. */
	while (!says(other, "other-1: \"middle\", waiting "))
		sched_yield();
	f[1] = submit_named("first", wait_for, f[0]);
	await_saying("other-1: \"middle\", waiting ");
	await_saying(" for \"middle\" (on other-1)\n");
	expect(" for promise 0x");
	/* The counts are of the pool's own. */
	expect("pool: 1 threads (0 running, 1 blocked, 0 idle)");
	outer = f[1];
	soon_future_set_result(promise, NULL);
	finish(outer);
	finish(f[0]);
	soon_executor_free(other);
}
END_TEST

static void *submit_and_wait(void *arg)
{
	soon_future *f = submit_job(pool, SOON_JOB(.fn = wait_for, .arg = arg,
						   .name = "inner"));

	soon_future_wait(f, SOON_FOREVER);
	soon_future_unref(f);
	return NULL;
}

START_TEST(jobs_on_one_stack_share_a_line)
{
	soon_future *f;

	/* With no other thread to take the inner one. */
	soon_executor_free(pool);
	pool = named_pool("one", 1, 0);
	f = submit_named("outer", submit_and_wait, promise);
	await_saying("one-1: \"inner\" on top of \"outer\", waiting ");
	soon_future_set_result(promise, NULL);
	finish(f);
}
END_TEST

/* What is waited for, in every way. */
struct wait {
	soon_future *f[6];
	int kind;
};

static void *wait_by_kind(void *arg)
{
	struct wait *w = arg;
	soon_completions *set;
	soon_future *next;
	size_t index;

	switch (w->kind) {
	case 0:
		return box(soon_wait_all(w->f, 6, TEST_TIMEOUT * SOON_SEC));
	case 1:
		return box(soon_wait_any(w->f, 6, SOON_FOREVER, &index));
	case 2:
		return box(soon_wait(w->f, 6, SOON_FIRST_ERROR,
				     TEST_TIMEOUT * SOON_SEC, NULL));
	default:
		set = soon_as_completed(w->f, 6);
		soon_completions_next(set, SOON_FOREVER, &next);
		soon_completions_free(set);
		return NULL;
	}
}

START_TEST(a_wait_for_several_names_some)
{
	static const char *const which[] = {
		" for all of \"job 0\"", " for one of \"job 0\"",
		" for an error or all of \"job 0\"", " for one of \"job 0\""
	};
	static const char *const names[] = { "job 0", "job 1", "job 2", "job 3",
					     "job 4" };
	struct wait w = { .kind = _i };
	soon_future *waiter;

	pool_hold(pool, &gate, 1);
	for (int i = 0; i < 5; i++)
		w.f[i] = submit_named(names[i], gate_job, &gate);
	/* Two of the three have begun; the others are pending. */
	gate_await(&gate, 3);
	w.f[5] = promise;
	soon_executor_free(NULL);
	{
		soon_executor *mine = named_pool("mine", 1, 0);

		waiter = submit_job(mine, SOON_JOB(.fn = wait_by_kind,
						   .arg = &w, .name = "many"));
		do
			says(mine, which[_i]);
		while (strstr(text, which[_i]) == NULL);
		ck_assert_ptr_nonnull(
			strstr(text, "mine-1: \"many\", waiting "));
		ck_assert_ptr_nonnull(strstr(text, ", \"job 1\" (on pool-"));
		ck_assert_ptr_nonnull(strstr(
			text, ", \"job 2\" (not started), \"job 3\" (not "
			      "started) and 2 more\n"));
		gate_open(&gate);
		soon_future_set_result(promise, NULL);
		finish(waiter);
		soon_executor_free(mine);
	}
	for (int i = 0; i < 5; i++)
		finish(w.f[i]);
}
END_TEST

static void *sleep_long(void *unused)
{
	(void)unused;
	return box(soon_sleep(TEST_TIMEOUT * SOON_SEC));
}

START_TEST(a_job_that_sleeps_is_said_to)
{
	soon_future *f = submit_named("sleeper", sleep_long, NULL);

	await_saying("pool-1: \"sleeper\", asleep for ");
	soon_future_cancel(f);
	finish(f);
}
END_TEST

/* Two that wait for each other; the one that is told stays at the gate. */
static soon_future *pair[2];
static struct gate begin;

static void *wait_for_other(void *i)
{
	int rc;

	gate_pass(&begin);
	rc = soon_future_wait(pair[1 - unbox(i)], SOON_FOREVER);
	if (rc == EDEADLK) {
		gate_pass(&gate);
		soon_future_wait(promise, SOON_FOREVER);
		gate_pass(&begin);
	}
	return NULL;
}

START_TEST(who_was_told_of_a_deadlock_has_the_chain_on_its_line)
{
	bool first;

	gate_init(&begin);
	pair[0] = submit_named("a", wait_for_other, box(0));
	pair[1] = submit_named("b", wait_for_other, box(1));
	gate_await(&begin, 2);
	expect_not("deadlock");
	gate_open(&begin);
	gate_await(&gate, 1);
	first = says(pool, "; deadlock: \"a\" -> \"b\" -> \"a\"\n");
	if (first)
		ck_assert_ptr_nonnull(strstr(text, "-1: \"a\", "));
	else
		expect("; deadlock: \"b\" -> \"a\" -> \"b\"\n");
	/* Until it waits again. */
	gate_shut(&begin);
	gate_open(&gate);
	await_saying(" for promise ");
	expect_not("deadlock");
	soon_future_set_result(promise, NULL);
	gate_await(&begin, 3);
	expect_not("deadlock");
	gate_open(&begin);
	finish(pair[0]);
	finish(pair[1]);
	gate_fini(&begin);
}
END_TEST

static void *deadlock_alone(void *unused)
{
	(void)unused;
	return box(soon_future_wait(soon_self(), SOON_FOREVER));
}

static void *deadlock_then_stay(void *unused)
{
	deadlock_alone(unused);
	gate_pass(&gate);
	return NULL;
}

START_TEST(the_chain_goes_with_its_job)
{
	soon_future *f = submit_named("self", deadlock_then_stay, NULL);

	gate_await(&gate, 1);
	expect("; deadlock: \"self\" -> \"self\"\n");
	gate_open(&gate);
	finish(f);
	expect_not("deadlock");
	finish(submit_named("self", deadlock_alone, NULL));
	expect_not("deadlock");
}
END_TEST

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

START_TEST(pending_jobs_are_counted)
{
	pool_hold(pool, &gate, 3);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	expect(", about 5 jobs pending\n");
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

	if (out != NULL) {
		ck_assert_int_eq(soon_executor_dump(pool, out), ENOSPC);
		fclose(out);
	}
	out = fopen("/dev/null", "r");
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(soon_executor_dump(pool, out), EBADF);
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

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_stuck_program_names_the_culprit);
	tcase_add_test(t,
		       a_thread_of_another_pool_that_others_wait_for_is_shown);
	tcase_add_test(t, jobs_on_one_stack_share_a_line);
	tcase_add_loop_test(t, a_wait_for_several_names_some, 0, 4);
	tcase_add_test(t, a_job_that_sleeps_is_said_to);
	tcase_add_test(t, who_was_told_of_a_deadlock_has_the_chain_on_its_line);
	tcase_add_test(t, the_chain_goes_with_its_job);
	tcase_add_test(t, a_job_may_dump_its_own_pool);
	tcase_add_loop_test(t, a_thread_that_is_no_worker_is_shown_with_its_job,
			    0, 2);
	tcase_add_test(t, a_callback_may_dump);
	tcase_add_test(t, a_broken_pool_says_so);
	tcase_add_test(t, an_unused_pool_has_nothing_to_tell);
	tcase_add_test(t, pending_jobs_are_counted);
	tcase_add_test(t, a_name_cannot_spoil_the_lines);
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
