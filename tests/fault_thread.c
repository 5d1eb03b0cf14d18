/*
 * fault_thread.c - threads run out at every place in turn: the n-th
 * pthread_create() fails, for n = 1, 2, ... until a scenario gets through
 * without one failing; that one alone, or all from it on.
 *
 * pthread_create() is defined here and so takes the place of libc's for the
 * whole program.
 */
#include "support/scenario.h"

#include <stdio.h>

#if TEST_SANITIZED

int main(void)
{
	puts("skipped: a sanitizer makes this program's threads");
	return 77;
}

#else

#include "thread.h"
#include "timer.h"

#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

typedef int create_fn(pthread_t *thread, const pthread_attr_t *attributes,
		      void *(*start)(void *), void *arg);

static create_fn *real_create;
static atomic_long countdown; /* calls until one fails */
static atomic_bool armed, persistent;
static atomic_uint failures;

static void __attribute__((constructor)) find_real(void)
{
	void *symbol = dlsym(RTLD_NEXT, "pthread_create");

	if (symbol == NULL)
		abort();
	memcpy(&real_create, &symbol, sizeof(symbol));
}

int pthread_create(pthread_t *restrict thread,
		   const pthread_attr_t *restrict attributes,
		   void *(*start)(void *), void *restrict arg)
{
	long left;

	if (atomic_load(&armed)) {
		left = atomic_fetch_sub(&countdown, 1) - 1;
		if (left == 0 || (left < 0 && atomic_load(&persistent))) {
			atomic_fetch_add(&failures, 1);
			return EAGAIN;
		}
	}
	return real_create(thread, attributes, start, arg);
}

static void arm(long n, bool from_then_on)
{
	atomic_store(&failures, 0);
	atomic_store(&countdown, n);
	atomic_store(&persistent, from_then_on);
	atomic_store(&armed, true);
}

/* How many have failed. */
static unsigned disarm(void)
{
	atomic_store(&armed, false);
	return atomic_load(&failures);
}

/* Two tests for each scenario: one failure, and failures without end. */
START_TEST(every_thread_may_be_refused)
{
	const struct scenario *s = &scenarios[_i / 2];
	const char *claim;
	unsigned failed;
	long n = 1;

	do {
		arm(n, _i % 2 != 0);
		claim = s->run();
		failed = disarm();
		ck_assert_msg(claim == NULL, "%s, thread %ld: not %s", s->name,
			      n, claim);
		n++;
	} while (failed > 0);
	claim = s->run();
	ck_assert_msg(claim == NULL, "%s afterwards: not %s", s->name, claim);
}
END_TEST

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
	arm(1, true);
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
	ck_assert_uint_ge(disarm(), 1);
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
	arm(1, true);
	for (int i = 0; i < 5; i++)
		f[i] = submit(e, item_job.fn, args[i]);
	ck_assert_int_eq(soon_submit_many(e, &item_job, args + 5, 5, f + 5), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_wait_all(f, 10, SOON_FOREVER), 0);
	disarm();
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
	arm(2, false);
	f = submit(one, wait_for_promise, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	ck_assert_int_eq(soon_future_state(promise), SOON_SUCCEEDED);
	disarm();
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
	arm(1, false);
	g = submit(one, keep_promise, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	ck_assert_int_eq(soon_future_result(g, SOON_FOREVER, NULL), 0);
	disarm();
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
	arm(1, true);
	gate_open(&start);
	ck_assert_int_eq(soon_future_result(*f, SOON_FOREVER, NULL), ETIMEDOUT);
	while (atomic_load(&failures) < 3)
		sched_yield();
	ck_assert_int_eq(soon_future_state(*behind), SOON_PENDING);
	gate_fini(&start);
}

/* Its thread is replaced once one can be had, or comes back and goes on. */
START_TEST(a_stuck_job_holds_others_up_only_while_no_thread_is_to_be_had)
{
	soon_future *f, *behind;

	submit_stuck(&f, &behind);
	_i == 0 ? (void)disarm() : gate_open(&stuck);
	ck_assert_int_eq(soon_future_wait(behind, SOON_FOREVER), 0);
	soon_executor_free(one);
	disarm();
	gate_open(&stuck);
	soon_future_unref(behind);
	soon_future_unref(f);
	while (atomic_load(&items[0].result_freed) == 0)
		sched_yield();
	items_expect(items, 1, 1, 1, 1);
	gate_fini(&stuck);
}
END_TEST

/* A timer that runs the user's code, at one gate before it and at one in it. */
static struct gate at_clock, at_user;

static void fire_user(struct sooni_timer *t)
{
	(void)t;
	gate_pass(&at_clock);
	sooni_before_user();
	gate_pass(&at_user);
}

static struct tally fired;

static void fire(struct sooni_timer *t)
{
	(void)t;
	tally_add(&fired, 1);
}

START_TEST(a_timer_without_a_thread_is_refused)
{
	struct sooni_timer t = { .fire = fire };

	tally_init(&fired);
	arm(1, true);
	ck_assert_int_eq(sooni_timer_start(&t), EAGAIN);
	ck_assert(!sooni_timer_stop(&t));
	ck_assert_uint_ge(disarm(), 1);
	ck_assert_int_eq(sooni_timer_start(&t), 0);
	tally_await(&fired, 1);
	ck_assert(!sooni_timer_stop(&t));
	ck_assert_uint_eq(tally_get(&fired), 1);
	sooni_timer_forget();
	tally_fini(&fired);
}
END_TEST

/* One is due as the clock finds nobody to pass to, one is started then; they wait
 * for the user's code to end, or for the next that can start a thread. */
START_TEST(timers_that_the_user_holds_up_for_want_of_threads_are_not_lost)
{
	struct sooni_timer user = { .fire = fire_user };
	struct sooni_timer due = { .fire = fire };
	struct sooni_timer later = { .fire = fire };
	struct sooni_timer last = { .fire = fire };

	gate_init(&at_clock);
	gate_init(&at_user);
	tally_init(&fired);
	ck_assert_int_eq(sooni_timer_start(&user), 0);
	gate_await(&at_clock, 1);
	ck_assert_int_eq(sooni_timer_start(&due), 0);
	arm(1, true);
	gate_open(&at_clock);
	gate_await(&at_user, 1);
	ck_assert_int_eq(sooni_timer_start(&later), 0);
	ck_assert_uint_ge(disarm(), 2);
	ck_assert_uint_eq(tally_get(&fired), 0);
	if (_i == 0) {
		gate_open(&at_user);
		tally_await(&fired, 2);
	}
	ck_assert_int_eq(sooni_timer_start(&last), 0);
	tally_await(&fired, 3);
	gate_open(&at_user);
	sooni_timer_stop(&last);
	sooni_timer_forget();
	tally_fini(&fired);
}
END_TEST

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
	arm(1, true);
	gate_open(&at_clock);
	while (_i < 2 && atomic_load(&failures) < 3)
		sched_yield();
	if (_i < 2)
		disarm();
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 _i < 2 ? 0 : ETIMEDOUT);
	soon_executor_free(e);
	disarm();
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
	arm(1, true);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL),
			 SOON_EEXITED);
	while (atomic_load(&failures) < 4)
		sched_yield();
	disarm();
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

	arm(1, true);
	ck_assert_ptr_null(soon_submit(NULL, return_arg, NULL));
	ck_assert(errno == EAGAIN || errno == ENOMEM);
	ck_assert_uint_ge(disarm(), 1);
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
	tcase_add_loop_test(tc, every_thread_may_be_refused, 0,
			    2 * (int)scenario_count);
	tcase_add_test(tc, without_any_thread_a_submit_is_refused_whole);
	tcase_add_test(tc, with_one_thread_alive_nothing_is_refused);
	tcase_add_test(tc, a_replacement_that_was_refused_is_tried_again);
	tcase_add_test(
		tc, a_job_behind_a_waiter_whose_thread_was_refused_is_not_lost);
	tcase_add_loop_test(
		tc,
		a_stuck_job_holds_others_up_only_while_no_thread_is_to_be_had,
		0, 2);
	tcase_add_test(tc, a_timer_without_a_thread_is_refused);
	tcase_add_loop_test(
		tc,
		timers_that_the_user_holds_up_for_want_of_threads_are_not_lost,
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
	return test_run(thread_suite());
}

#endif
