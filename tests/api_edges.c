/*
 * api_edges.c - calls from places where one does not expect them: callbacks,
 * destructors, inline and helping threads, blocking regions.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>

static struct gate gate;
static struct tally ran;

static void setup(void)
{
	gate_init(&gate);
	tally_init(&ran);
}

static void teardown(void)
{
	gate_fini(&gate);
	tally_fini(&ran);
}

static soon_executor *pool_with(unsigned flags)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	if (flags != SOON_INLINE)
		o.workers = o.max_workers = 1;
	o.flags = flags;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void submit_tally(soon_future *f, void *pool)
{
	(void)f;
	soon_execute(pool, tally_job, &ran);
}

static void *call_back_on_self(void *pool)
{
	return box(soon_future_on_done(soon_self(), submit_tally, pool));
}

START_TEST(a_callback_on_an_inline_executor_may_submit_inline)
{
	soon_executor *e = pool_with(SOON_INLINE);

	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(soon_execute(e, call_back_on_self, e), 0);
		ck_assert_uint_eq(tally_get(&ran), i);
	}
	ck_assert_int_eq(soon_executor_shutdown(e, SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	soon_executor_free(e);
}
END_TEST

static void *call_back_twice(void *pool)
{
	soon_future_on_done(soon_self(), submit_tally, pool);
	soon_future_on_done(soon_self(), submit_tally, pool);
	soon_execute(pool, call_back_on_self, pool);
	return NULL;
}

START_TEST(callbacks_of_nested_inline_jobs_may_submit_inline)
{
	soon_executor *e = pool_with(SOON_INLINE);

	ck_assert_int_eq(soon_execute(e, call_back_twice, e), 0);
	ck_assert_uint_eq(tally_get(&ran), 3);
	ck_assert_int_eq(soon_executor_shutdown(e, SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	soon_executor_free(e);
}
END_TEST

static void help_again(soon_future *f, void *pool)
{
	soon_future *g = soon_submit(pool, tally_job, &ran);

	(void)f;
	soon_future_wait(g, SOON_FOREVER);
	soon_future_unref(g);
}

START_TEST(a_callback_on_a_helping_thread_may_help_again)
{
	soon_executor *e = pool_with(SOON_HELP);

	pool_hold(e, &gate, 1);
	for (unsigned i = 1; i <= 3; i++) {
		soon_future *f = submit(e, return_arg, NULL);

		ck_assert_int_eq(soon_future_on_done(f, help_again, e), 0);
		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		ck_assert_uint_eq(tally_get(&ran), i);
		soon_future_unref(f);
	}
	ck_assert_int_eq(soon_executor_shutdown(e, SOON_CANCEL_RUNNING, 0),
			 EINPROGRESS);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(e, SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	soon_executor_free(e);
}
END_TEST

struct in_pool {
	soon_executor *pool;
	soon_future *promise;
};

static void *keep_promise(void *promise)
{
	soon_future_set_result(promise, NULL);
	return NULL;
}

static void *wait_in_blocking_region(void *arg)
{
	struct in_pool *p = arg;
	int rc;

	soon_execute(p->pool, keep_promise, p->promise);
	soon_blocking_begin();
	soon_blocking_begin();
	rc = soon_future_wait(p->promise, SOON_FOREVER);
	soon_blocking_end();
	soon_blocking_end();
	return box(rc);
}

START_TEST(a_wait_in_a_blocking_region_gives_its_place_above_max_workers)
{
	struct in_pool p = { pool_with(0), soon_future_new(NULL) };
	soon_future *f = submit(p.pool, wait_in_blocking_region, &p);
	void *rc = NULL;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), 0);
	soon_future_unref(f);
	soon_executor_free(p.pool);
	soon_future_unref(p.promise);
}
END_TEST

static void free_set(void *set)
{
	soon_completions_free(*(soon_completions **)set);
	tally_add(&ran, 1);
}

START_TEST(free_arg_of_a_cancelled_job_may_free_the_set_it_is_in)
{
	soon_executor *e = pool_with(0);
	soon_completions *set = NULL;
	soon_future *f;

	pool_hold(e, &gate, 1);
	f = submit_job(e, SOON_JOB(.fn = return_arg, .arg = &set,
				   .free_arg = free_set));
	set = soon_as_completed(&f, 1);
	ck_assert_ptr_nonnull(set);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
	soon_future_unref(f);
	gate_open(&gate);
	soon_executor_free(e);
}
END_TEST

static void *wait_for_first_error(void *done)
{
	soon_future *both[2] = { soon_self(), done };
	size_t n_done = 0;
	int rc = soon_wait(both, 2, SOON_FIRST_ERROR, SOON_FOREVER, &n_done);

	return n_done == 1 ? box(rc) : soon_fail(EINVAL, "%zu done", n_done);
}

START_TEST(a_success_beside_oneself_leaves_a_wait_for_an_error_deadlocked)
{
	soon_executor *e = pool_with(0);
	soon_future *done = soon_future_new(NULL), *f;
	void *rc = NULL;

	ck_assert_int_eq(soon_future_set_result(done, NULL), 0);
	f = submit(e, wait_for_first_error, done);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), EDEADLK);
	soon_future_unref(f);
	soon_future_unref(done);
	soon_executor_free(e);
}
END_TEST

/* Static: a future with so many references may be kept for ever. */
static soon_future *loved;

static void ref_and_unref(int n)
{
	for (int i = 0; i < n; i++)
		soon_future_ref(loved);
	for (int i = 0; i < n; i++)
		soon_future_unref(loved);
}

START_TEST(a_million_references_keep_a_future)
{
	enum { N = 1100000 };

	loved = soon_future_new(tally_free);
	ref_and_unref(N);
	ck_assert_int_eq(soon_future_state(loved), SOON_PENDING);
	ck_assert_int_eq(soon_future_set_result(loved, &ran), 0);
	ref_and_unref(N);
	ck_assert_int_eq(soon_future_wait(loved, 0), 0);
	ck_assert_uint_eq(tally_get(&ran), 0);
	ck_assert_ptr_eq(soon_future_take(loved), &ran);
	soon_future_unref(loved);
}
END_TEST

START_TEST(the_last_of_so_many_references_frees_the_result)
{
	enum { N = 500000 };

	loved = soon_future_new(tally_free);
	ref_and_unref(N);
	ck_assert_int_eq(soon_future_set_result(loved, &ran), 0);
	ref_and_unref(N);
	ck_assert_uint_eq(tally_get(&ran), 0);
	soon_future_unref(loved);
	ck_assert_uint_eq(tally_get(&ran), 1);
}
END_TEST

static soon_executor *closing;
static atomic_int shutdown_rc;

static void shut_down(void *result)
{
	atomic_store(&shutdown_rc,
		     soon_executor_shutdown(closing, 0, SOON_FOREVER));
	tally_free(result);
}

/* Nobody holds the future, so the executor drops the last reference. */
START_TEST(a_shutdown_in_free_result_on_an_inline_thread_is_a_deadlock)
{
	closing = pool_with(SOON_INLINE);
	ck_assert_int_eq(soon_submit_many(closing,
					  SOON_JOB(.fn = return_arg,
						   .arg = &ran,
						   .free_result = shut_down),
					  NULL, 1, NULL),
			 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
	ck_assert_int_eq(atomic_load(&shutdown_rc), EDEADLK);
	ck_assert_int_eq(soon_execute(closing, tally_job, &ran), 0);
	ck_assert_uint_eq(tally_get(&ran), 2);
	soon_executor_free(closing);
}
END_TEST

static void drop(soon_future *f, void *other)
{
	(void)f;
	soon_future_unref(other);
}

START_TEST(a_shutdown_in_free_result_on_a_helping_thread_is_a_deadlock)
{
	soon_future *f, *other;

	closing = pool_with(SOON_HELP);
	other = submit_job(closing, SOON_JOB(.fn = return_arg, .arg = &ran,
					     .free_result = shut_down));
	ck_assert_int_eq(soon_future_wait(other, SOON_FOREVER), 0);
	pool_hold(closing, &gate, 1);
	f = submit(closing, return_arg, NULL);
	ck_assert_int_eq(soon_future_on_done(f, drop, other), 0);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
	ck_assert_int_eq(atomic_load(&shutdown_rc), EDEADLK);
	soon_future_unref(f);
	gate_open(&gate);
	soon_executor_free(closing);
}
END_TEST

static TCase *submits(void)
{
	TCase *t = tcase_create("submits");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_callback_on_an_inline_executor_may_submit_inline);
	tcase_add_test(t, callbacks_of_nested_inline_jobs_may_submit_inline);
	tcase_add_test(t, a_callback_on_a_helping_thread_may_help_again);
	return t;
}

static TCase *waits(void)
{
	TCase *t = tcase_create("waits");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(
		t,
		a_wait_in_a_blocking_region_gives_its_place_above_max_workers);
	tcase_add_test(
		t,
		a_success_beside_oneself_leaves_a_wait_for_an_error_deadlocked);
	return t;
}

static TCase *destructors(void)
{
	TCase *t = tcase_create("destructors");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t,
		       free_arg_of_a_cancelled_job_may_free_the_set_it_is_in);
	tcase_add_test(t, a_million_references_keep_a_future);
	tcase_add_test(t, the_last_of_so_many_references_frees_the_result);
	tcase_add_test(
		t, a_shutdown_in_free_result_on_an_inline_thread_is_a_deadlock);
	tcase_add_test(
		t, a_shutdown_in_free_result_on_a_helping_thread_is_a_deadlock);
	return t;
}

int main(void)
{
	Suite *s = suite_create("edges");

	suite_add_tcase(s, submits());
	suite_add_tcase(s, waits());
	suite_add_tcase(s, destructors());
	return test_run(s);
}
