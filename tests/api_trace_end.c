/*
 * api_trace_end.c - traces that cannot be written, or are stopped while jobs run.
 */
#include "support/child.h"
#include "support/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static soon_executor *pool;
static char path[64];
static struct trace trace;

static void setup(void)
{
	snprintf(path, sizeof(path), "api_trace_end.%ld.json", (long)getpid());
	memset(&trace, 0, sizeof(trace));
	pool = pool_of(2);
}

static void teardown(void)
{
	soon_executor_free(pool);
	soon_trace_stop();
	trace_free(&trace);
	unlink(path);
}

static void finish(soon_future *f)
{
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

START_TEST(one_trace_at_a_time_is_started_and_stopped)
{
	ck_assert_int_eq(soon_trace_start(NULL), EINVAL);
	ck_assert_int_eq(soon_trace_stop(), EALREADY);
	ck_assert_int_eq(soon_trace_start(path), 0);
	ck_assert_int_eq(soon_trace_start(path), EBUSY);
	ck_assert_int_eq(soon_trace_start("other"), EBUSY);
	ck_assert_int_ne(access("other", F_OK), 0);
	ck_assert_int_eq(soon_trace_stop(), 0);
	ck_assert_int_eq(soon_trace_stop(), EALREADY);
	trace_read(&trace, path);
	ck_assert(trace.closed);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_starts_nothing)
{
	ck_assert_int_eq(soon_trace_start("no/such/folder"), ENOENT);
	ck_assert_int_eq(soon_trace_start("."), EISDIR);
	if (access("/dev/full", W_OK) == 0)
		ck_assert_int_eq(soon_trace_start("/dev/full"), ENOSPC);
	ck_assert_int_eq(soon_trace_stop(), EALREADY);
	finish(submit(pool, return_null, NULL));
	ck_assert_int_eq(soon_trace_start(path), 0);
	ck_assert_int_eq(soon_trace_stop(), 0);
}
END_TEST

static int opened_since;

static const char *descriptor_is_open(void *unused)
{
	(void)unused;
	CLAIM(fcntl(opened_since, F_GETFD) >= 0);
	return NULL;
}

/* It gets the number that the trace's file had. */
START_TEST(a_child_keeps_a_descriptor_opened_after_a_start_that_failed)
{
	if (access("/dev/full", W_OK) == 0)
		ck_assert_int_eq(soon_trace_start("/dev/full"), ENOSPC);
	opened_since = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(opened_since, 0);
	finish(submit(pool, return_null, NULL));
	in_child(descriptor_is_open, NULL);
	close(opened_since);
}
END_TEST

/* Check writes files too, so nothing is asserted while they may not grow. */
static int stop_where_files_are_short(void)
{
	struct rlimit limit;
	struct rlimit was;
	int rc;

	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &was) != 0)
		return -1;
	limit = was;
	limit.rlim_cur = 100000;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return -1;
	for (int i = 0; i < 3000; i++) {
		soon_future *f = soon_submit_job(
			pool, SOON_JOB(.fn = return_null, .name = "job"));

		(void)soon_future_wait(f, SOON_FOREVER);
		soon_future_unref(f);
	}
	rc = soon_trace_stop();
	setrlimit(RLIMIT_FSIZE, &was);
	return rc;
}

START_TEST(a_file_that_gets_full_keeps_whole_events)
{
	ck_assert_int_eq(soon_trace_start(path), 0);
	ck_assert_int_eq(stop_where_files_are_short(), EFBIG);
	trace_read(&trace, path);
	ck_assert(!trace.closed);
	ck_assert_uint_gt(trace_count(&trace, "job", NULL), 0);
	ck_assert_int_eq(soon_trace_start(path), 0);
	ck_assert_int_eq(soon_trace_stop(), 0);
}
END_TEST

static atomic_bool enough;
static atomic_uint ran;

static void *count_run(void *arg)
{
	atomic_fetch_add(&ran, 1);
	return arg;
}

static void *submit_until_enough(void *arg)
{
	while (!atomic_load(&enough)) {
		soon_future *f = soon_submit_job(pool, SOON_JOB(.fn = count_run,
								.name = "job"));

		(void)soon_future_wait(f, SOON_FOREVER);
		soon_future_unref(f);
	}
	return arg;
}

/* Each job is a time of its own on its thread, so no two events are the same. */
static void expect_no_event_twice(void)
{
	const struct event *last[8] = { NULL };

	for (size_t i = 0; i < trace.n; i++) {
		const struct event *e = &trace.events[i];
		unsigned k = 0;

		if (e->phase != 'X')
			continue;
		while (k < COUNT_OF(last) && last[k] != NULL &&
		       last[k]->tid != e->tid)
			k++;
		ck_assert_uint_lt(k, COUNT_OF(last));
		if (last[k] != NULL)
			ck_assert_double_ge(e->ts + 0.0005,
					    last[k]->ts + last[k]->dur);
		last[k] = e;
	}
}

START_TEST(a_stop_takes_what_running_threads_have_whole_and_once)
{
	struct actor actor;
	unsigned before;
	unsigned after;

	atomic_store(&enough, false);
	actor_start(&actor, submit_until_enough, NULL);
	for (unsigned i = 0; i < test_scale(50); i++) {
		ck_assert_int_eq(soon_trace_start(path), 0);
		before = atomic_load(&ran);
		while (atomic_load(&ran) - before < 100)
			sched_yield();
		after = atomic_load(&ran);
		ck_assert_int_eq(soon_trace_stop(), 0);
		trace_free(&trace);
		trace_read(&trace, path);
		ck_assert(trace.closed);
		/* Two may have been running at each end. */
		ck_assert_uint_ge(trace_count(&trace, "job", NULL) + 4,
				  after - before);
		expect_no_event_twice();
	}
	atomic_store(&enough, true);
	actor_join(&actor);
}
END_TEST

START_TEST(starts_and_stops_by_many_threads_leave_one_whole_file)
{
	struct actor actors[2];

	atomic_store(&enough, false);
	for (int i = 0; i < 2; i++)
		actor_start(&actors[i], submit_until_enough, NULL);
	for (unsigned i = 0; i < test_scale(200); i++) {
		soon_future *f[2];

		ck_assert_int_eq(soon_trace_start(path), 0);
		for (int k = 0; k < 2; k++)
			f[k] = submit(pool, count_run, NULL);
		for (int k = 0; k < 2; k++)
			finish(f[k]);
		ck_assert_int_eq(soon_trace_stop(), 0);
	}
	atomic_store(&enough, true);
	for (int i = 0; i < 2; i++)
		actor_join(&actors[i]);
	trace_read(&trace, path);
	ck_assert(trace.closed);
}
END_TEST

static void *cancel_own_thread(void *arg)
{
	pthread_cancel(pthread_self());
	return arg;
}

START_TEST(a_thread_that_was_cancelled_ends_with_its_part_written)
{
	ck_assert_int_eq(soon_trace_start(path), 0);
	finish(submit_job(pool, SOON_JOB(.fn = cancel_own_thread,
					 .name = "cancelled")));
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_int_eq(soon_trace_stop(), 0);
	trace_read(&trace, path);
	ck_assert_uint_eq(trace_count(&trace, "cancelled", NULL), 1);
}
END_TEST

static unsigned written_off(void)
{
	soon_stats s = SOON_STATS_INIT;

	ck_assert_int_eq(soon_executor_stats(pool, &s), 0);
	return s.written_off;
}

START_TEST(a_job_that_returned_too_late_has_failed)
{
	const struct event *e = NULL;
	struct gate gate;

	gate_init(&gate);
	ck_assert_int_eq(soon_trace_start(path), 0);
	finish(submit_job(pool,
			  SOON_JOB(.fn = gate_job, .arg = &gate, .name = "late",
				   .run_within = SOON_MSEC)));
	gate_open(&gate);
	while (written_off() > 0)
		sched_yield();
	ck_assert_int_eq(soon_trace_stop(), 0);
	trace_read(&trace, path);
	ck_assert_uint_eq(trace_count(&trace, "late", &e), 1);
	ck_assert_ptr_nonnull(strstr(e->args, "\"outcome\":\"failed\""));
	gate_fini(&gate);
}
END_TEST

static const char *broken_handler; /* why */

static void use_pool(void)
{
	if (pool != NULL)
		broken_handler = pool_works(pool);
}

static void use_pool_in_child(void)
{
	if (CHILDREN_LIVE)
		use_pool();
}

static const char *handlers_worked(void *unused)
{
	(void)unused;
	return broken_handler;
}

START_TEST(a_programs_fork_handlers_may_use_pools_meanwhile)
{
	ck_assert_int_eq(pthread_atfork(use_pool, use_pool, use_pool_in_child),
			 0);
	ck_assert_int_eq(soon_trace_start(path), 0);
	in_child(handlers_worked, NULL);
	ck_assert_ptr_null(broken_handler);
	ck_assert_int_eq(soon_trace_stop(), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("trace_end");
	TCase *t = tcase_create("trace_end");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, one_trace_at_a_time_is_started_and_stopped);
	tcase_add_test(t, a_file_that_cannot_be_opened_starts_nothing);
	tcase_add_test(
		t, a_child_keeps_a_descriptor_opened_after_a_start_that_failed);
	tcase_add_test(t, a_file_that_gets_full_keeps_whole_events);
	tcase_add_test(t,
		       a_stop_takes_what_running_threads_have_whole_and_once);
	tcase_add_test(t,
		       starts_and_stops_by_many_threads_leave_one_whole_file);
	tcase_add_test(t,
		       a_thread_that_was_cancelled_ends_with_its_part_written);
	tcase_add_test(t, a_job_that_returned_too_late_has_failed);
	tcase_add_test(t, a_programs_fork_handlers_may_use_pools_meanwhile);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
