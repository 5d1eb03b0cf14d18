/*
 * api_trace.c - the trace of a program's jobs.
 */
#include "support/support.h"
#include "support/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static soon_executor *pool;
static struct gate gate;
static char path[64];
static struct trace trace;

static soon_executor *open_pool(unsigned n)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.max_workers = n;
	o.name = "tr\"ace";
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void setup(void)
{
	snprintf(path, sizeof(path), "api_trace.%ld.json", (long)getpid());
	memset(&trace, 0, sizeof(trace));
	gate_init(&gate);
	pool = open_pool(2);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	soon_trace_stop();
	trace_free(&trace);
	unlink(path);
}

static void start(void)
{
	ck_assert_int_eq(soon_trace_start(path), 0);
}

/* With a tool that knows nothing of the library, where there is one. */
static void check_with_python(void)
{
	const char *top = getenv("top_srcdir");
	char command[512];

	if (top == NULL || system("python3 -c '' 2>/dev/null") != 0)
		return;
	snprintf(command, sizeof(command),
		 "python3 '%s/tests/check-trace.py' %s >&2", top, path);
	ck_assert_int_eq(system(command), 0);
}

static void stop(void)
{
	ck_assert_int_eq(soon_trace_stop(), 0);
	trace_read(&trace, path);
	ck_assert(trace.closed);
	check_with_python();
}

static void finish(soon_future *f)
{
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

static void *fail_io(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "read \"%s\"", "disk\n");
}

static void *fail_plain(void *arg)
{
	(void)arg;
	return soon_fail(ENOENT, NULL);
}

static soon_future *submit_named(soon_fn *fn, void *arg, const char *name)
{
	return submit_job(pool, SOON_JOB(.fn = fn, .arg = arg, .name = name));
}

/* The only job of that name. */
static const struct event *only(const char *name)
{
	const struct event *e = NULL;

	ck_assert_uint_eq(trace_count(&trace, name, &e), 1);
	return e;
}

enum { JOBS = 1000 };

START_TEST(each_job_is_there_once_with_its_times_on_its_thread)
{
	static char names[JOBS][16];
	soon_future *f[JOBS];
	double from;
	double to;

	start();
	from = (double)now() / 1000;
	for (int i = 0; i < JOBS; i++) {
		snprintf(names[i], sizeof(names[i]), "job %d", i);
		f[i] = submit_named(return_null, NULL, names[i]);
	}
	for (int i = 0; i < JOBS; i++)
		finish(f[i]);
	to = (double)now() / 1000;
	stop();
	for (int i = 0; i < JOBS; i++) {
		const struct event *e = only(names[i]);
		const char *thread = trace_thread(&trace, e->tid);

		ck_assert_double_ge(e->ts, from - 1);
		ck_assert_double_ge(e->dur, 0);
		ck_assert_double_le(e->ts + e->dur, to + 1);
		ck_assert_int_eq(e->pid, getpid());
		ck_assert_ptr_nonnull(thread);
		ck_assert_int_eq(strncmp(thread, "tr\\\"ace-", 8), 0);
		ck_assert_str_eq(e->args, "{\"outcome\":\"succeeded\"}");
	}
}
END_TEST

START_TEST(a_job_without_a_label_bears_its_functions_address)
{
	char address[32];

	start();
	finish(submit(pool, return_null, NULL));
	stop();
	snprintf(address, sizeof(address), "0x%lx",
		 (unsigned long)(uintptr_t)return_null);
	only(address);
}
END_TEST

START_TEST(a_failure_says_why)
{
	start();
	finish(submit_named(fail_io, NULL, "io"));
	finish(submit_named(fail_plain, NULL, "plain"));
	stop();
	ck_assert_str_eq(only("io")->args,
			 "{\"outcome\":\"failed\",\"error\":5,"
			 "\"message\":\"read \\\"disk\\u000a\\\"\"}");
	ck_assert_str_eq(only("plain")->args,
			 "{\"outcome\":\"failed\",\"error\":2,"
			 "\"message\":\"No such file or directory\"}");
}
END_TEST

START_TEST(labels_of_any_bytes_and_length_are_taken)
{
	char any[256];
	char longest[5000];

	for (int i = 0; i < 255; i++)
		any[i] = (char)(i + 1);
	any[255] = '\0';
	memset(longest, '"', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	start();
	for (int i = 0; i < 100; i++) {
		finish(submit_named(return_null, NULL, any));
		finish(submit_named(return_null, NULL, longest));
		finish(submit_named(fail_io, NULL, "caf\xc3\xa9"));
	}
	stop();
	ck_assert_uint_eq(trace_count(&trace, "caf\xc3\xa9", NULL), 100);
}
END_TEST

static void *inner_job(void *arg)
{
	return arg;
}

static void *outer_job(void *arg)
{
	finish(submit_named(inner_job, NULL, "inner"));
	return arg;
}

START_TEST(an_awaited_job_lies_within_the_one_that_ran_it)
{
	const struct event *in;
	const struct event *out;

	soon_executor_free(pool);
	pool = open_pool(1);
	start();
	finish(submit_named(outer_job, NULL, "outer"));
	stop();
	in = only("inner");
	out = only("outer");
	ck_assert_int_eq(in->tid, out->tid);
	ck_assert_double_ge(in->ts, out->ts);
	ck_assert_double_le(in->ts + in->dur, out->ts + out->dur + 0.01);
}
END_TEST

START_TEST(jobs_on_threads_that_are_no_workers_are_there)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.flags = SOON_INLINE;
	soon_executor_free(pool);
	pool = soon_executor_open(&o);
	start();
	finish(submit_named(return_null, NULL, "here"));
	stop();
	ck_assert_int_eq(only("here")->tid, thread_id());
}
END_TEST

START_TEST(what_a_thread_that_ended_did_is_there)
{
	start();
	for (int i = 0; i < 20; i++) {
		soon_executor *e = open_pool(3);

		for (int k = 0; k < 3; k++)
			finish(submit_job(e, SOON_JOB(.fn = return_null,
						      .name = "one")));
		soon_executor_free(e);
	}
	stop();
	ck_assert_uint_eq(trace_count(&trace, "one", NULL), 60);
}
END_TEST

START_TEST(only_what_began_and_ended_in_between_is_there)
{
	soon_future *before = submit_named(gate_job, &gate, "before");
	soon_future *after;

	gate_await(&gate, 1);
	start();
	finish(submit_named(return_null, NULL, "between"));
	after = submit_named(gate_job, &gate, "after");
	gate_await(&gate, 2);
	stop();
	gate_open(&gate);
	finish(before);
	finish(after);
	ck_assert_uint_eq(trace_count(&trace, "before", NULL), 0);
	ck_assert_uint_eq(trace_count(&trace, "after", NULL), 0);
	only("between");
}
END_TEST

START_TEST(a_second_trace_has_nothing_of_the_first)
{
	soon_future *f;

	start();
	f = submit_named(gate_job, &gate, "both");
	gate_await(&gate, 1);
	finish(submit_named(return_null, NULL, "first"));
	stop();
	only("first");
	trace_free(&trace);
	start();
	gate_open(&gate);
	finish(f);
	finish(submit_named(return_null, NULL, "second"));
	stop();
	only("second");
	ck_assert_uint_eq(trace_count(&trace, "first", NULL), 0);
	ck_assert_uint_eq(trace_count(&trace, "both", NULL), 0);
}
END_TEST

START_TEST(a_file_that_is_not_finished_can_be_read)
{
	start();
	for (int i = 0; i < JOBS; i++)
		finish(submit_named(return_null, NULL, "job"));
	trace_read(&trace, path);
	ck_assert(!trace.closed);
	ck_assert_uint_gt(trace_count(&trace, "job", NULL), 0);
	check_with_python();
}
END_TEST

static void in_child(void)
{
	char other[80];
	int rc = soon_trace_stop() == EALREADY ? 0 : 1;

	snprintf(other, sizeof(other), "%s.child", path);
	if (soon_trace_start(other) != 0)
		rc = 2;
	if (rc == 0 && soon_trace_stop() != 0)
		rc = 3;
	unlink(other);
	_exit(rc);
}

START_TEST(a_child_writes_nothing_into_its_parents_trace)
{
	int status = -1;
	pid_t child;

	start();
	finish(submit_named(return_null, NULL, "one"));
	child = fork();
	if (child == 0)
		in_child();
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	finish(submit_named(return_null, NULL, "two"));
	stop();
	only("one");
	only("two");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("trace");
	TCase *t = tcase_create("trace");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, each_job_is_there_once_with_its_times_on_its_thread);
	tcase_add_test(t, a_job_without_a_label_bears_its_functions_address);
	tcase_add_test(t, a_failure_says_why);
	tcase_add_test(t, labels_of_any_bytes_and_length_are_taken);
	tcase_add_test(t, an_awaited_job_lies_within_the_one_that_ran_it);
	tcase_add_test(t, jobs_on_threads_that_are_no_workers_are_there);
	tcase_add_test(t, what_a_thread_that_ended_did_is_there);
	tcase_add_test(t, only_what_began_and_ended_in_between_is_there);
	tcase_add_test(t, a_second_trace_has_nothing_of_the_first);
	tcase_add_test(t, a_file_that_is_not_finished_can_be_read);
	tcase_add_test(t, a_child_writes_nothing_into_its_parents_trace);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
