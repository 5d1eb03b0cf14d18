/*
 * api_fork_times.c - forking while jobs are delayed, limited or in line for a
 * place; and where the clock or a hook runs the program's code.
 */
#include "support/bounded.h"
#include "support/forker.h"

#include <errno.h>

#define LONG (3600 * SOON_SEC)
#define SHORT SOON_MSEC

/* Jobs of the parent that are not done: delayed, queued, stuck in time. */
static soon_future *delayed, *pending, *limited;

static const char *times_work(soon_executor *e)
{
	static struct gate stuck; /* the one is written off */
	soon_future *f;

	f = soon_submit_job(e, SOON_JOB(.fn = return_arg, .delay = SHORT));
	CLAIM(soon_future_result(f, SOON_FOREVER, NULL) == 0);
	soon_future_unref(f);
	gate_init(&stuck);
	f = soon_submit_job(e, SOON_JOB(.fn = gate_job, .arg = &stuck,
					.run_within = SHORT));
	CLAIM(soon_future_result(f, SOON_FOREVER, NULL) == ETIMEDOUT);
	soon_future_unref(f);
	pool_hold(e, &stuck, 2);
	f = soon_submit_job(e, SOON_JOB(.fn = return_arg, .priority = SOON_HIGH,
					.start_within = SHORT));
	CLAIM(soon_future_result(f, SOON_FOREVER, NULL) == ETIMEDOUT);
	soon_future_unref(f);
	gate_open(&stuck);
	return NULL;
}

static const char *find_times(void *unused)
{
	soon_stats s = SOON_STATS_INIT;
	const char *wrong;

	(void)unused;
	CLAIM(soon_future_error(delayed) == SOON_EFORKED);
	CLAIM(soon_future_error(pending) == SOON_EFORKED);
	CLAIM(soon_future_error(limited) == SOON_EFORKED);
	CLAIM(soon_executor_stats(pool, &s) == 0);
	CLAIM(s.submitted == 0 && s.delayed == 0 && s.pending == 0);
	CLAIM(s.threads == 0 && s.written_off == 0);
	wrong = times_work(pool);
	if (wrong != NULL)
		return wrong;
	CLAIM(soon_executor_stats(pool, &s) == 0);
	CLAIM(s.submitted == 5 && s.expired == 2 && s.delayed == 0);
	/* The parent's delayed job holds nothing up. */
	CLAIM(soon_executor_shutdown(pool, 0, SOON_FOREVER) == 0);
	soon_future_unref(delayed);
	soon_future_unref(pending);
	soon_future_unref(limited);
	soon_executor_free(pool);
	return NULL;
}

START_TEST(what_is_delayed_or_limited_has_failed_and_begins_anew)
{
	limited = submit_job(pool, SOON_JOB(.fn = gate_job, .arg = &gate,
					    .run_within = LONG));
	gate_await(&gate, 1);
	pool_hold(pool, &gate, 1);
	delayed = submit_job(pool, SOON_JOB(.fn = return_arg, .delay = LONG));
	pending = submit_job(pool,
			     SOON_JOB(.fn = return_arg, .priority = SOON_LOW,
				      .start_within = LONG));
	in_child(find_times, NULL);
	/* The parent's are as they were. */
	ck_assert(!soon_future_done(delayed));
	ck_assert_int_eq(soon_future_cancel(delayed), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(limited, SOON_FOREVER, NULL), 0);
	ck_assert_int_eq(soon_future_result(pending, SOON_FOREVER, NULL), 0);
	soon_future_unref(delayed);
	soon_future_unref(pending);
	soon_future_unref(limited);
}
END_TEST

static soon_executor *full;
static struct tally ran;

static const char *find_room(void *unused)
{
	soon_future *f[20];

	(void)unused;
	/* Each waits in line unless the one before has been taken. */
	for (size_t i = 0; i < COUNT_OF(f); i++)
		CLAIM((f[i] = soon_submit(full, return_arg, NULL)) != NULL);
	for (size_t i = 0; i < COUNT_OF(f); i++)
		CLAIM(soon_future_result(f[i], SOON_FOREVER, NULL) == 0);
	unref_n(f, COUNT_OF(f));
	CLAIM(soon_executor_shutdown(full, 0, SOON_FOREVER) == 0);
	soon_executor_free(full);
	return NULL;
}

START_TEST(a_child_finds_room_where_the_parents_stand_in_line)
{
	struct submitter waiting[3];
	unsigned n = COUNT_OF(waiting);

	tally_init(&ran);
	full = bounded_pool(1, SOON_BLOCK, 0);
	pool_hold(full, &gate, 1);
	ck_assert_int_eq(soon_execute(full, tally_job, &ran), 0);
	for (unsigned i = 0; i < n; i++)
		submitter_start(&waiting[i], full, 0, &ran);
	in_child(find_room, NULL);
	gate_open(&gate);
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(submitter_join(&waiting[i]), 0);
	tally_await(&ran, n + 1);
	soon_executor_free(full);
	tally_fini(&ran);
}
END_TEST

START_TEST(a_limited_job_may_fork)
{
	soon_future *f;

	choose(_i);
	f = submit_job(pool, SOON_JOB(.fn = fork_job, .run_within = LONG));
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	child_ended_with_its_thread();
	ck_assert_int_eq(soon_future_error(f), 0);
	soon_future_unref(f);
}
END_TEST

static void *fork_late(void *arg)
{
	gate_pass(&gate);
	return fork_job(arg);
}

START_TEST(a_job_that_was_written_off_may_fork)
{
	soon_future *f;

	choose(_i);
	f = submit_job(pool, SOON_JOB(.fn = fork_late, .run_within = SHORT));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	gate_open(&gate);
	tally_await(&forks, 1);
	child_ended_with_its_thread();
	soon_future_unref(f);
}
END_TEST

/* On the clock's thread */

START_TEST(a_callback_of_an_expired_job_may_fork)
{
	soon_job job = SOON_JOB_INIT;
	struct gate held;
	soon_future *f;

	gate_init(&held);
	choose(_i / 2);
	pool_hold(pool, &held, 2);
	job.fn = return_arg;
	if (_i % 2 == 0)
		job.delay = LONG;
	job.start_within = _i % 2 == 0 ? LONG + LONG : 20 * SHORT;
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_on_done(f, fork_callback, NULL), 0);
	if (_i % 2 == 0) {
		/* As the shutdown cancels what is delayed, here and there. */
		gate_open(&held);
		ck_assert_int_eq(soon_future_cancel(f), 0);
		if (atomic_load(&forked) < 0)
			child_end(NULL);
		ck_assert(child_ended(atomic_load(&forked), ENDED_WELL));
	} else {
		tally_await(&forks, 1);
		child_ended_with_its_thread();
		gate_open(&held);
	}
	soon_future_unref(f);
	soon_executor_free(pool);
	pool = pool_of(2);
	gate_fini(&held);
}
END_TEST

static void *wait_with_hook(void *g)
{
	soon_on_cancel(fork_destructor, NULL);
	gate_pass(g);
	return NULL;
}

START_TEST(a_hook_of_a_job_that_is_written_off_may_fork)
{
	soon_future *f;

	choose(_i);
	f = submit_job(pool, SOON_JOB(.fn = wait_with_hook, .arg = &gate,
				      .run_within = SHORT));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	tally_await(&forks, 1);
	child_ended_with_its_thread();
	gate_open(&gate);
	soon_future_unref(f);
}
END_TEST

static void *push_late(void *g)
{
	gate_pass(g);
	soon_on_cancel(fork_destructor, NULL);
	return NULL;
}

START_TEST(a_hook_that_runs_at_once_may_fork)
{
	soon_future *f;

	choose(_i);
	f = submit(pool, push_late, &gate);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	gate_open(&gate);
	tally_await(&forks, 1);
	child_ended_with_its_thread();
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("fork_times");
	TCase *t = tcase_create("fork_times");

	tcase_add_checked_fixture(t, forker_setup, forker_teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t,
		       what_is_delayed_or_limited_has_failed_and_begins_anew);
	tcase_add_test(t, a_child_finds_room_where_the_parents_stand_in_line);
	tcase_add_loop_test(t, a_limited_job_may_fork, 0, 3);
	tcase_add_loop_test(t, a_job_that_was_written_off_may_fork, 0, 3);
	tcase_add_loop_test(t, a_callback_of_an_expired_job_may_fork, 0, 6);
	tcase_add_loop_test(t, a_hook_of_a_job_that_is_written_off_may_fork, 0,
			    3);
	tcase_add_loop_test(t, a_hook_that_runs_at_once_may_fork, 0, 3);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
