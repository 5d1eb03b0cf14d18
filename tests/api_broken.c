/*
 * api_broken.c - pools whose worker_init fails.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>

static struct gate gate;

static void setup(void)
{
	gate_init(&gate);
}

static void teardown(void)
{
	gate_fini(&gate);
}

/* A worker_init that waits at the gate, then fails from the n-th call on. */
struct failing {
	struct gate gate;
	atomic_uint calls;
	unsigned good;
	atomic_uint finis;
};

static int fail_init(void *ctx)
{
	struct failing *f = ctx;
	unsigned call = atomic_fetch_add(&f->calls, 1);

	if (call < f->good)
		return 0;
	gate_pass(&f->gate);
	return 1;
}

static void fail_fini(void *ctx)
{
	atomic_fetch_add(&((struct failing *)ctx)->finis, 1);
}

static soon_executor *failing_pool(struct failing *f, unsigned good)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	gate_init(&f->gate);
	atomic_init(&f->calls, 0);
	atomic_init(&f->finis, 0);
	f->good = good;
	o.workers = good + 1;
	o.max_workers = good + 1;
	o.worker_init = fail_init;
	o.worker_fini = fail_fini;
	o.worker_ctx = f;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void expect_broken(soon_executor *e)
{
	soon_future *f = (soon_future *)&gate;

	errno = 0;
	ck_assert_ptr_null(soon_submit(e, return_null, NULL));
	ck_assert_int_eq(errno, SOON_EBROKEN);
	ck_assert_int_eq(soon_execute(e, return_null, NULL), SOON_EBROKEN);
	ck_assert_int_eq(soon_submit_many(e, SOON_JOB(.fn = return_null), NULL,
					  1, &f),
			 SOON_EBROKEN);
	ck_assert_ptr_null(f);
}

static void count_done(soon_future *f, void *tally)
{
	(void)f;
	tally_add(tally, 1);
}

START_TEST(a_failing_init_fails_all_that_is_queued)
{
	enum { N = 30 };
	soon_stats stats = SOON_STATS_INIT;
	struct tally freed, called;
	struct failing failing;
	soon_executor *e = failing_pool(&failing, 0);
	soon_future *f[N];

	tally_init(&freed);
	tally_init(&called);
	for (int i = 0; i < N; i++) {
		f[i] = submit_job(e, SOON_JOB(.fn = return_arg, .arg = &freed,
					      .free_arg = tally_free));
		ck_assert_int_eq(soon_future_on_done(f[i], count_done, &called),
				 0);
	}
	gate_await(&failing.gate, 1);
	for (int i = 0; i < N; i += 3)
		ck_assert_int_eq(soon_future_cancel(f[i]), 0);
	gate_open(&failing.gate);
	for (int i = 0; i < N; i++) {
		int code = i % 3 == 0 ? ECANCELED : SOON_EBROKEN;

		ck_assert_int_eq(soon_future_result(f[i], SOON_FOREVER, NULL),
				 code);
		ck_assert_str_eq(soon_future_message(f[i]),
				 soon_strerror(code));
		soon_future_unref(f[i]);
	}
	expect_broken(e);
	ck_assert_int_eq(soon_executor_shutdown(e, 0, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_executor_stats(e, &stats), 0);
	ck_assert_uint_eq(stats.threads, 0);
	soon_executor_free(e);
	ck_assert_uint_eq(tally_get(&freed), N);
	ck_assert_uint_eq(tally_get(&called), N);
	ck_assert_uint_eq(atomic_load(&failing.calls), 1);
	ck_assert_uint_eq(atomic_load(&failing.finis), 0);
}
END_TEST

START_TEST(running_jobs_of_a_broken_pool_end_normally)
{
	struct failing failing;
	soon_executor *e = failing_pool(&failing, 1);
	soon_future *running, *failed;
	void *result = NULL;

	/* A second thread may be started for it, and then waits to fail. */
	running = submit(e, gate_job, &gate);
	gate_await(&gate, 1);
	failed = submit(e, return_null, NULL);
	gate_open(&failing.gate);
	ck_assert_int_eq(soon_future_result(failed, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	expect_broken(e);
	ck_assert_int_eq(soon_future_state(running), SOON_RUNNING);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(running, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &gate);
	soon_future_unref(running);
	soon_future_unref(failed);
	soon_executor_free(e);
	ck_assert_uint_eq(atomic_load(&failing.calls), 2);
	ck_assert_uint_eq(atomic_load(&failing.finis), 1);
}
END_TEST

/* In a worker's own queue. */
static soon_future *own[3];

static void *submit_and_stand(void *e)
{
	for (size_t i = 0; i < COUNT_OF(own); i++)
		own[i] = soon_submit(e, return_null, NULL);
	gate_pass(&gate);
	return NULL;
}

START_TEST(what_a_busy_worker_has_queued_fails_at_once)
{
	struct failing failing;
	soon_executor *e = failing_pool(&failing, 2);

	ck_assert_int_eq(soon_execute(e, gate_job, &gate), 0);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_execute(e, submit_and_stand, e), 0);
	gate_await(&gate, 2);
	gate_open(&failing.gate);
	for (size_t i = 0; i < COUNT_OF(own); i++) {
		ck_assert_ptr_nonnull(own[i]);
		ck_assert_int_eq(soon_future_result(own[i], SOON_FOREVER, NULL),
				 SOON_EBROKEN);
		soon_future_unref(own[i]);
	}
	gate_open(&gate);
	soon_executor_free(e);
}
END_TEST

static struct gate in_callback;

static void stand_in_callback(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	gate_pass(&in_callback);
}

static void *return_after(void *unused)
{
	gate_pass(&gate);
	return unused;
}

static void *block_after(void *other)
{
	gate_pass(&gate);
	soon_blocking_begin();
	gate_pass(other);
	soon_blocking_end();
	return NULL;
}

static void *leave_after(void *unused)
{
	gate_pass(&gate);
	pthread_exit(unused);
}

/* The thread that breaks it stands in the first job's callback: the other, as it
 * goes on, blocks or leaves. */
START_TEST(what_a_broken_pool_still_holds_fails_whoever_meets_it)
{
	static soon_fn *const ways[] = { return_after, block_after,
					 leave_after };
	struct failing failing;
	soon_executor *e = failing_pool(&failing, 1);
	soon_future *running, *first, *next;
	struct gate other;

	gate_init(&in_callback);
	gate_init(&other);
	running = submit(e, ways[_i], &other);
	gate_await(&gate, 1);
	first = submit(e, return_null, NULL);
	next = submit_job(e, SOON_JOB(.fn = return_null,
				      .run_within = 1000 * SOON_SEC));
	ck_assert_int_eq(soon_future_on_done(first, stand_in_callback, NULL),
			 0);
	gate_open(&failing.gate);
	gate_await(&in_callback, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(next, SOON_FOREVER, NULL),
			 SOON_EBROKEN);
	gate_open(&other);
	gate_open(&in_callback);
	ck_assert_int_eq(soon_future_result(running, SOON_FOREVER, NULL),
			 _i == 2 ? SOON_EEXITED : 0);
	soon_executor_free(e);
	ck_assert_int_eq(soon_future_error(first), SOON_EBROKEN);
	soon_future_unref(running);
	soon_future_unref(first);
	soon_future_unref(next);
	gate_fini(&other);
	gate_fini(&in_callback);
}
END_TEST

/* A job that its submitter runs has the pool broken. */
struct breaking {
	struct failing failing;
	soon_future *queued;
};

static void *let_it_break(void *arg)
{
	struct breaking *b = arg;

	gate_open(&b->failing.gate);
	soon_future_wait(b->queued, SOON_FOREVER);
	return NULL;
}

START_TEST(of_jobs_that_their_submitter_runs_those_after_the_break_fail)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	struct breaking b = { .queued = NULL };
	soon_future *f[3];
	soon_executor *e;

	gate_init(&b.failing.gate);
	b.failing.good = 1;
	o.workers = 2;
	o.max_workers = 2;
	o.max_pending = 1;
	o.when_full = SOON_CALLER_RUNS;
	o.worker_init = fail_init;
	o.worker_ctx = &b.failing;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	pool_hold(e, &gate, 1);
	b.queued = submit(e, return_null, NULL);
	gate_await(&b.failing.gate, 1);
	ck_assert_int_eq(
		soon_submit_many(e, SOON_JOB(.fn = let_it_break, .arg = &b),
				 NULL, 3, f),
		0);
	ck_assert_int_eq(soon_future_error(f[0]), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert(i == 0 || soon_future_error(f[i]) == SOON_EBROKEN);
		soon_future_unref(f[i]);
	}
	ck_assert_int_eq(soon_future_error(b.queued), SOON_EBROKEN);
	soon_future_unref(b.queued);
	gate_open(&gate);
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("broken");
	TCase *t = tcase_create("broken");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_failing_init_fails_all_that_is_queued);
	tcase_add_test(t, running_jobs_of_a_broken_pool_end_normally);
	tcase_add_test(t, what_a_busy_worker_has_queued_fails_at_once);
	tcase_add_loop_test(
		t, what_a_broken_pool_still_holds_fails_whoever_meets_it, 0, 3);
	tcase_add_test(
		t,
		of_jobs_that_their_submitter_runs_those_after_the_break_fail);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
