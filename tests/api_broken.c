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

static Suite *suite(void)
{
	Suite *s = suite_create("broken");
	TCase *t = tcase_create("broken");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_failing_init_fails_all_that_is_queued);
	tcase_add_test(t, running_jobs_of_a_broken_pool_end_normally);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
