/*
 * api_wait_nested.c - jobs that wait for jobs of their own pool, and what many
 * waits leave behind.
 */
#include "support/many.h"

#include <errno.h>
#include <stdlib.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

static const enum soon_when modes[MODES] = { SOON_ALL_COMPLETED,
					     SOON_FIRST_COMPLETED,
					     SOON_FIRST_ERROR };

/* A pool of one thread: whoever waits in it must not need another. */
static soon_executor *pool;
static struct gate gate;
static soon_future *promise;

/* What a job saw, read once it is done. */
static struct {
	enum soon_when when;
	soon_nsec timeout;
	int rc, all, any;
	size_t done, index;
} seen;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	promise = must_promise();
	seen.rc = seen.all = seen.any = -1;
	seen.done = seen.index = 99;
	seen.timeout = SOON_FOREVER;
}

static void teardown(void)
{
	soon_future_unref(promise);
	soon_executor_free(pool);
	gate_fini(&gate);
}

/* Run fn in the pool to its end, the last gate open. */
static void run(soon_fn *fn, void *arg)
{
	soon_future *f = submit(pool, fn, arg);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
}

static void *wait_for_myself(void *unused)
{
	soon_future *self[2] = { soon_self(), soon_self() };

	(void)unused;
	seen.rc = soon_wait(self, 2, seen.when, SOON_FOREVER, &seen.done);
	seen.all = soon_wait_all(self, 1, SOON_FOREVER);
	seen.any = soon_wait_any(self, 2, SOON_FOREVER, &seen.index);
	return NULL;
}

START_TEST(a_job_that_waits_for_itself_is_told)
{
	seen.when = modes[_i];
	run(wait_for_myself, NULL);
	ck_assert_int_eq(seen.rc, EDEADLK);
	ck_assert_uint_eq(seen.done, 0);
	ck_assert_int_eq(seen.all, EDEADLK);
	ck_assert_int_eq(seen.any, EDEADLK);
	ck_assert_uint_eq(seen.index, 0);
}
END_TEST

static void *wait_for_myself_or_promise(void *unused)
{
	soon_future *f[2] = { soon_self(), promise };

	(void)unused;
	gate_pass(&gate);
	seen.rc = soon_wait(f, 2, seen.when, SOON_FOREVER, &seen.done);
	if (seen.when != SOON_ALL_COMPLETED)
		seen.any = soon_wait_any(f, 2, SOON_FOREVER, &seen.index);
	return NULL;
}

/* All of them can never be done; one of them can. */
START_TEST(only_a_wait_that_can_never_end_is_a_deadlock)
{
	bool all = modes[_i] == SOON_ALL_COMPLETED;
	soon_future *f;

	seen.when = modes[_i];
	f = submit(pool, wait_for_myself_or_promise, NULL);
	gate_open(&gate);
	gate_await(&gate, 1);
	if (!all)
		ck_assert_int_eq(soon_future_set_error(promise, EIO, NULL), 0);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(seen.rc, all ? EDEADLK : 0);
	ck_assert_uint_eq(seen.done, all ? 0 : 1);
	ck_assert_int_eq(seen.any, all ? -1 : 0);
	ck_assert_uint_eq(seen.index, all ? 99 : 1);
	soon_future_unref(f);
}
END_TEST

static void *wait_for(void *future)
{
	soon_future *f = future;

	seen.rc = soon_wait(&f, 1, seen.when, SOON_FOREVER, &seen.done);
	return NULL;
}

static void *wait_for_child_of(void *unused)
{
	soon_future *child = soon_submit(pool, wait_for, soon_self());

	(void)unused;
	seen.all = child != NULL ? soon_wait_all(&child, 1, SOON_FOREVER) : -1;
	soon_future_unref(child);
	return NULL;
}

START_TEST(a_wait_for_a_job_below_on_the_stack_is_a_deadlock)
{
	seen.when = modes[_i];
	run(wait_for_child_of, NULL);
	ck_assert_int_eq(seen.rc, EDEADLK);
	ck_assert_int_eq(seen.all, 0);
}
END_TEST

enum { CHILDREN = 5 };

static void *wait_for_children(void *unused)
{
	soon_future *f[CHILDREN];

	(void)unused;
	for (int i = 0; i < CHILDREN; i++)
		f[i] = soon_submit(pool, fail_job, box(EIO));
	seen.rc = soon_wait(f, CHILDREN, seen.when, seen.timeout, &seen.done);
	seen.any = soon_wait_any(f, CHILDREN, seen.timeout, &seen.index);
	seen.all = soon_wait_all(f, CHILDREN, seen.timeout);
	for (int i = 0; i < CHILDREN; i++)
		soon_future_unref(f[i]);
	return NULL;
}

/* Timed waits too: they give the place away although they claim nothing. */
START_TEST(a_pool_of_one_waits_for_its_own_jobs)
{
	seen.when = modes[_i % MODES];
	seen.timeout = _i < MODES ? SOON_FOREVER : TEST_TIMEOUT / 2 * SOON_SEC;
	run(wait_for_children, NULL);
	ck_assert_int_eq(seen.rc, 0);
	ck_assert_uint_ge(seen.done, 1);
	if (seen.when == SOON_ALL_COMPLETED)
		ck_assert_uint_eq(seen.done, CHILDREN);
	ck_assert_int_eq(seen.any, 0);
	ck_assert_int_eq(seen.all, 0);
}
END_TEST

static void *keep_promise(void *unused)
{
	(void)unused;
	return box(soon_future_set_error(promise, EIO, NULL));
}

static void *wait_for_promise(void *unused)
{
	soon_future *f[2] = { promise, promise };

	(void)unused;
	seen.any = soon_execute(pool, keep_promise, NULL);
	seen.rc = soon_wait(f, 2, seen.when, seen.timeout, &seen.done);
	return NULL;
}

/* Nothing to claim: only another thread can run the job that is awaited. */
START_TEST(a_job_may_wait_for_what_a_later_one_of_its_pool_does)
{
	seen.when = modes[_i % MODES];
	seen.timeout = _i < MODES ? SOON_FOREVER : TEST_TIMEOUT / 2 * SOON_SEC;
	run(wait_for_promise, NULL);
	ck_assert_int_eq(seen.any, 0);
	ck_assert_int_eq(seen.rc, 0);
	ck_assert_uint_eq(seen.done, 1);
}
END_TEST

static _Thread_local int waiting_here;
static atomic_int unrelated_inside;

static void *unrelated(void *unused)
{
	(void)unused;
	atomic_fetch_add(&unrelated_inside, waiting_here);
	return NULL;
}

static void *wait_among_unrelated(void *unused)
{
	soon_future *f[CHILDREN];

	(void)unused;
	for (int i = 0; i < CHILDREN; i++) {
		seen.any = soon_execute(pool, unrelated, NULL);
		f[i] = soon_submit(pool, return_null, NULL);
	}
	waiting_here = 1;
	seen.rc = soon_wait(f, CHILDREN, seen.when, SOON_FOREVER, NULL);
	seen.all = soon_wait_all(f, CHILDREN, SOON_FOREVER);
	waiting_here = 0;
	for (int i = 0; i < CHILDREN; i++)
		soon_future_unref(f[i]);
	return NULL;
}

/* Else a lock that the waiting job holds would be taken behind its back. */
START_TEST(no_unrelated_job_runs_on_top_of_a_waiting_one)
{
	atomic_store(&unrelated_inside, 0);
	seen.when = modes[_i];
	run(wait_among_unrelated, NULL);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_int_eq(seen.rc, 0);
	ck_assert_int_eq(seen.all, 0);
	ck_assert_int_eq(atomic_load(&unrelated_inside), 0);
}
END_TEST

static void *fib(void *n)
{
	soon_future *f[2];
	long sum = unbox(n);

	if (sum < 2)
		return box(sum);
	f[0] = soon_submit(pool, fib, box(sum - 1));
	f[1] = soon_submit(pool, fib, box(sum - 2));
	sum = soon_wait_all(f, 2, SOON_FOREVER) == 0 ? 0 : -1000;
	for (int i = 0; i < 2; i++) {
		sum += unbox(soon_future_take(f[i]));
		soon_future_unref(f[i]);
	}
	return box(sum);
}

START_TEST(jobs_that_wait_for_jobs_that_wait_end)
{
	soon_future *f = submit(pool, fib, box(12));
	void *result = NULL;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_int_eq(unbox(result), 144);
	soon_future_unref(f);
}
END_TEST

/* One timed wait of each kind. */
static int wait_briefly(int kind, soon_completions *set, soon_nsec timeout)
{
	soon_future *f[3] = { promise, promise, promise }, *next;
	soon_completions *own;
	size_t index;
	int rc;

	switch (kind) {
	case 0:
		return soon_future_wait(promise, timeout);
	case 1:
	case 2:
	case 3:
		return soon_wait(f, 3, modes[kind - 1], timeout, NULL);
	case 4:
		return soon_wait_any(f, 3, timeout, &index);
	case 5:
		return soon_gather(f, 3, timeout, NULL, NULL);
	case 6:
		return soon_completions_next(set, timeout, &next);
	default:
		own = soon_as_completed(f, 3);
		rc = soon_completions_next(own, timeout, &next);
		soon_completions_free(own);
		return rc;
	}
}

#define KINDS 8

/* Where the system would round a sleep up to tens of microseconds. */
static void sleep_exactly(void)
{
#ifdef PR_SET_TIMERSLACK
	prctl(PR_SET_TIMERSLACK, 1UL);
#endif
}

/*
 * A waiter left on the future would cost memory for each wait and be called
 * when it is done, long after its stack has gone.
 */
START_TEST(a_timed_wait_leaves_nothing_behind)
{
	unsigned n = test_scale(TEST_SANITIZED ? 5000
				: _i == 0      ? 30000
					       : 10000);
	soon_completions *set = soon_as_completed(&promise, 1);
	soon_future *next = NULL;
	size_t before = 0;

	ck_assert_ptr_nonnull(set);
	sleep_exactly();
	for (unsigned i = 0; i < n; i++) {
		if (i == n / 10)
			before = resident_bytes();
		ck_assert_int_eq(wait_briefly(_i, set, i % 16 ? 1 : SOON_USEC),
				 ETIMEDOUT);
	}
	if (!TEST_SANITIZED)
		ck_assert_uint_le(resident_bytes(), before + MEMORY_NOISE);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_future_wait(promise, 0), 0);
	ck_assert_int_eq(soon_completions_next(set, 0, &next), 0);
	ck_assert_ptr_eq(next, promise);
	soon_completions_free(set);
}
END_TEST

/* If the cost of each grew with their number, this would not end in time. */
START_TEST(the_cost_of_a_wait_grows_with_the_number_and_no_faster)
{
	unsigned n = test_scale(400000);
	soon_future **f = calloc(n, sizeof(soon_future *));
	struct waiting w;
	size_t done = 0;

	ck_assert_ptr_nonnull(f);
	must_promise_n(f, n);
	ck_assert_int_eq(soon_wait(f, n, modes[_i], 0, &done), ETIMEDOUT);
	waiting_start(&w, f, n, modes[_i], SOON_FOREVER);
	for (unsigned i = n; i > 0; i--)
		soon_future_set_result(f[i - 1], NULL);
	ck_assert_int_eq(waiting_join(&w), 0);
	ck_assert_uint_ge(w.done, modes[_i] == SOON_FIRST_COMPLETED ? 1 : n);
	ck_assert_int_eq(soon_wait(f, n, modes[_i], 0, &done), 0);
	ck_assert_uint_eq(done, n);
	unref_n(f, n);
	free(f);
}
END_TEST

static Suite *wait_nested_suite(void)
{
	Suite *s = suite_create("wait_nested");
	TCase *tc = tcase_create("wait_nested");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, a_job_that_waits_for_itself_is_told, 0, MODES);
	tcase_add_loop_test(tc, only_a_wait_that_can_never_end_is_a_deadlock, 0,
			    MODES);
	tcase_add_loop_test(tc,
			    a_wait_for_a_job_below_on_the_stack_is_a_deadlock,
			    0, MODES);
	tcase_add_loop_test(tc, a_pool_of_one_waits_for_its_own_jobs, 0,
			    2 * MODES);
	tcase_add_loop_test(
		tc, a_job_may_wait_for_what_a_later_one_of_its_pool_does, 0,
		2 * MODES);
	tcase_add_loop_test(tc, no_unrelated_job_runs_on_top_of_a_waiting_one,
			    0, MODES);
	tcase_add_test(tc, jobs_that_wait_for_jobs_that_wait_end);
	tcase_add_loop_test(tc, a_timed_wait_leaves_nothing_behind, 0, KINDS);
	tcase_add_loop_test(
		tc, the_cost_of_a_wait_grows_with_the_number_and_no_faster, 0,
		MODES);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(wait_nested_suite());
}
