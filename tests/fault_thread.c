/*
 * fault_thread.c - what becomes of jobs while there are no threads to be had.
 */
#include "support/fault.h"
#include "support/many.h"
#include "timer.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

static struct item items[10];
static void *args[10];

/* With no worker there is nobody to run it: none of the submits may keep it. */
START_TEST(without_any_thread_a_submit_is_refused_whole)
{
	soon_future *f[10] = { NULL };
	soon_executor *e = pool_of(4);
	soon_job job = item_job;

	items_init(items, args, 10);
	job.arg = &items[0];
	fault_arm(FAULT_THREAD, 1, true);
	for (int i = 0; i < 3; i++) {
		memset(f, 1, sizeof(f));
		ck_assert_ptr_null(soon_submit(e, job.fn, args[1]));
		ck_assert_int_eq(errno, EAGAIN);
		ck_assert_ptr_null(soon_submit_job(e, &job));
		ck_assert_int_eq(errno, EAGAIN);
		ck_assert_int_eq(soon_execute(e, job.fn, args[2]), EAGAIN);
		ck_assert_int_eq(soon_submit_many(e, &job, args, 10, f),
				 EAGAIN);
		for (int k = 0; k < 10; k++)
			ck_assert_ptr_null(f[k]);
		ck_assert_int_eq(soon_map(e, &job, args, 10, SOON_FOREVER, NULL,
					  NULL),
				 EAGAIN);
	}
	ck_assert_uint_ge(fault_disarm(), 1);
	ck_assert_int_eq(soon_submit_many(e, &job, args, 10, f), 0);
	ck_assert_int_eq(soon_wait_all(f, 10, SOON_FOREVER), 0);
	unref_n(f, 10);
	soon_executor_free(e);
	items_expect(items, 10, 1, 1, 1);
}
END_TEST

/* One worker is enough to accept whatever comes. */
START_TEST(with_one_thread_alive_nothing_is_refused)
{
	soon_future *f[10] = { NULL };
	soon_executor *e = pool_of(4);
	struct gate gate;

	gate_init(&gate);
	items_init(items, args, 10);
	pool_hold(e, &gate, 1);
	fault_arm(FAULT_THREAD, 1, true);
	for (int i = 0; i < 5; i++)
		f[i] = submit(e, item_job.fn, args[i]);
	ck_assert_int_eq(soon_submit_many(e, &item_job, args + 5, 5, f + 5), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_wait_all(f, 10, SOON_FOREVER), 0);
	fault_disarm();
	unref_n(f, 10);
	soon_executor_free(e);
	items_expect(items, 5, 1, 0, 0);
	items_expect(items + 5, 5, 1, 1, 1);
	gate_fini(&gate);
}
END_TEST

static soon_executor *one;
static soon_future *promise;

static void *keep_promise(void *unused)
{
	return box(unused == NULL ? soon_future_set_result(promise, NULL) : 0);
}

static void *wait_for_promise(void *unused)
{
	int rc = soon_execute(one, keep_promise, unused);

	return rc != 0 ? soon_fail(rc, NULL)
		       : box(soon_future_wait(promise, SOON_FOREVER));
}

/*
 * The waiting worker's place is taken by a new thread, and that one is refused
 * at first.  The job behind it must not be forgotten.
 */
START_TEST(a_replacement_that_was_refused_is_tried_again)
{
	soon_future *f;

	promise = must_promise();
	one = pool_of(1);
	fault_arm(FAULT_THREAD, 2, false);
	f = submit(one, wait_for_promise, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	ck_assert_int_eq(soon_future_state(promise), SOON_SUCCEEDED);
	fault_disarm();
	soon_future_unref(f);
	soon_executor_free(one);
	soon_future_unref(promise);
}
END_TEST

static pid_t waiter;

static void *wait_at_gate(void *gate)
{
	waiter = thread_id();
	gate_pass(gate);
	return box(soon_future_wait(promise, SOON_FOREVER));
}

/* The job comes from outside, while the only thread sleeps. */
START_TEST(a_job_behind_a_waiter_whose_thread_was_refused_is_not_lost)
{
	soon_future *f, *g;
	struct gate gate;

	gate_init(&gate);
	promise = must_promise();
	one = pool_of(1);
	f = submit(one, wait_at_gate, &gate);
	gate_await(&gate, 1);
	gate_open(&gate);
	thread_await_asleep(waiter);
	fault_arm(FAULT_THREAD, 1, false);
	g = submit(one, keep_promise, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	ck_assert_int_eq(soon_future_result(g, SOON_FOREVER, NULL), 0);
	fault_disarm();
	soon_future_unref(f);
	soon_future_unref(g);
	soon_executor_free(one);
	soon_future_unref(promise);
	gate_fini(&gate);
}
END_TEST

static struct gate stuck;

/* A job whose time is up before it returns, and one behind it, while no thread
 * is to be had. */
static void submit_stuck(soon_future **f, soon_future **behind)
{
	soon_job job = item_job;
	struct gate start;

	gate_init(&start);
	gate_init(&stuck);
	items_init(items, args, 1);
	items[0].gate = &stuck;
	job.arg = items;
	job.run_within = SOON_MSEC;
	one = pool_of(1);
	pool_hold(one, &start, 1);
	*f = submit_job(one, &job);
	*behind = submit(one, return_arg, NULL);
	fault_arm(FAULT_THREAD, 1, true);
	gate_open(&start);
	ck_assert_int_eq(soon_future_result(*f, SOON_FOREVER, NULL), ETIMEDOUT);
	while (fault_count() < 3)
		sched_yield();
	ck_assert_int_eq(soon_future_state(*behind), SOON_PENDING);
	gate_fini(&start);
}

/* Its thread is replaced once one can be had, or comes back and goes on. */
START_TEST(a_stuck_job_holds_others_up_only_while_no_thread_is_to_be_had)
{
	soon_future *f, *behind;

	submit_stuck(&f, &behind);
	_i == 0 ? (void)fault_disarm() : gate_open(&stuck);
	ck_assert_int_eq(soon_future_wait(behind, SOON_FOREVER), 0);
	soon_executor_free(one);
	fault_disarm();
	gate_open(&stuck);
	soon_future_unref(behind);
	soon_future_unref(f);
	while (atomic_load(&items[0].result_freed) == 0)
		sched_yield();
	items_expect(items, 1, 1, 1, 1);
	gate_fini(&stuck);
}
END_TEST

static struct gate at_clock;

static void fire_at_clock(struct sooni_timer *t)
{
	(void)t;
	gate_pass(&at_clock);
}

/* The clock stands at a gate until there are no threads to be had. */
START_TEST(a_job_that_is_due_without_threads_runs_when_there_are)
{
	struct sooni_timer held = { .fire = fire_at_clock };
	struct tally freed;
	soon_executor *e;
	soon_future *f;

	gate_init(&at_clock);
	tally_init(&freed);
	e = pool_of(1);
	ck_assert_int_eq(sooni_timer_start(&held), 0);
	gate_await(&at_clock, 1);
	f = submit_job(e, SOON_JOB(.fn = return_arg, .arg = &freed, .delay = 1,
				   .start_within = _i < 2 ? 0 : SOON_MSEC,
				   .free_arg = tally_free));
	if (_i % 2 == 1)
		ck_assert_int_eq(soon_executor_shutdown(e, 0, 0), EINPROGRESS);
	fault_arm(FAULT_THREAD, 1, true);
	gate_open(&at_clock);
	while (_i < 2 && fault_count() < 3)
		sched_yield();
	if (_i < 2)
		fault_disarm();
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 _i < 2 ? 0 : ETIMEDOUT);
	soon_executor_free(e);
	fault_disarm();
	ck_assert_uint_eq(tally_get(&freed), 1);
	soon_future_unref(f);
	tally_fini(&freed);
}
END_TEST

static void *leave(void *gate)
{
	gate_pass(gate);
	pthread_exit(NULL);
}

/* Its last thread is gone, jobs are queued, and there is no thread to be had. */
START_TEST(a_worker_whose_job_left_is_replaced_once_threads_are_to_be_had)
{
	soon_executor *e = pool_of(1);
	soon_future *f, *next;
	struct gate gate;

	gate_init(&gate);
	f = submit(e, leave, &gate);
	gate_await(&gate, 1);
	next = submit(e, return_null, NULL);
	fault_arm(FAULT_THREAD, 1, true);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 SOON_EEXITED);
	while (fault_count() < 4)
		sched_yield();
	fault_disarm();
	ck_assert_int_eq(soon_future_wait(next, SOON_FOREVER), 0);
	soon_future_unref(f);
	soon_future_unref(next);
	soon_executor_free(e);
	gate_fini(&gate);
}
END_TEST

/* Made once in a process, so this is the first use of it here. */
START_TEST(the_default_executor_can_be_had_later)
{
	soon_future *f;

	fault_arm(FAULT_THREAD, 1, true);
	ck_assert_ptr_null(soon_submit(NULL, return_arg, NULL));
	ck_assert(errno == EAGAIN || errno == ENOMEM);
	ck_assert_uint_ge(fault_disarm(), 1);
	f = submit(NULL, return_arg, NULL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}
END_TEST

static Suite *thread_suite(void)
{
	Suite *s = suite_create("fault_thread");
	TCase *tc = tcase_create("fault_thread");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, without_any_thread_a_submit_is_refused_whole);
	tcase_add_test(tc, with_one_thread_alive_nothing_is_refused);
	tcase_add_test(tc, a_replacement_that_was_refused_is_tried_again);
	tcase_add_test(
		tc, a_job_behind_a_waiter_whose_thread_was_refused_is_not_lost);
	tcase_add_loop_test(
		tc,
		a_stuck_job_holds_others_up_only_while_no_thread_is_to_be_had,
		0, 2);
	tcase_add_loop_test(
		tc, a_job_that_is_due_without_threads_runs_when_there_are, 0,
		4);
	tcase_add_test(
		tc,
		a_worker_whose_job_left_is_replaced_once_threads_are_to_be_had);
	tcase_add_test(tc, the_default_executor_can_be_had_later);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return fault_run(thread_suite());
}
