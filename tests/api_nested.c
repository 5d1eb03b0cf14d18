/*
 * api_nested.c - jobs that wait for jobs: claiming, deadlocks, depth.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>

static soon_executor *pool;
static struct gate gate;
static struct logbook book;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	logbook_init(&book, 1000);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	logbook_fini(&book);
}

/* Another pool in place of the fixture's. */
static void use_pool(const soon_executor_options *o)
{
	soon_executor_free(pool);
	pool = soon_executor_open(o);
	ck_assert_ptr_nonnull(pool);
}

/* Run fn in the pool; what it returned as a number. */
static long run(soon_fn *fn, void *arg)
{
	soon_future *f = submit(pool, fn, arg);
	void *result = box(-1000);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	soon_future_unref(f);
	return unbox(result);
}

static void *fib(void *arg)
{
	long n = unbox(arg);
	void *a = NULL, *b = NULL;
	soon_future *f, *g;

	if (n < 2)
		return arg;
	f = soon_submit(pool, fib, box(n - 1));
	g = soon_submit(pool, fib, box(n - 2));
	if (soon_future_result(f, SOON_FOREVER, &a) != 0 ||
	    soon_future_result(g, SOON_FOREVER, &b) != 0)
		return box(-1000000);
	soon_future_unref(f);
	soon_future_unref(g);
	return box(unbox(a) + unbox(b));
}

START_TEST(a_pool_of_any_size_computes_fib)
{
	static const unsigned workers[] = { 1, 2, 4 };
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = workers[_i];
	o.max_workers = workers[_i];
	use_pool(&o);
	ck_assert_int_eq(run(fib, box(15)), 610);
}
END_TEST

static void *note(void *number)
{
	logbook_add(&book, (int)unbox(number));
	return NULL;
}

/* 0 before, 1 by the awaited job, 2 after; the unrelated 3 comes later. */
static void *wait_for_one_of_two(void *arg)
{
	soon_future *unrelated = soon_submit(pool, note, box(3));
	soon_future *awaited = soon_submit(pool, note, box(1));

	(void)arg;
	note(box(0));
	if (soon_future_wait(awaited, SOON_FOREVER) == 0 &&
	    soon_future_state(unrelated) == SOON_PENDING)
		note(box(2));
	soon_future_unref(unrelated);
	soon_future_unref(awaited);
	return NULL;
}

START_TEST(a_waiting_job_runs_exactly_the_job_that_it_waits_for)
{
	soon_future *f = submit(pool, wait_for_one_of_two, NULL);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(logbook_size(&book), 4);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(logbook_at(&book, (size_t)i), i);
}
END_TEST

static void *own_thread(void *arg)
{
	*(pthread_t *)arg = pthread_self();
	return NULL;
}

static void thread_of_callback(soon_future *f, void *ctx)
{
	(void)f;
	own_thread(ctx);
}

/* Whatever belongs to the claimed job happens on the waiter's thread, and the
 * waiter is itself again afterwards. */
static void *claim(void *arg)
{
	pthread_t job, callback;
	soon_future *self = soon_self(), *f;
	long wrong = 0;

	f = soon_submit_job(pool, SOON_JOB(.fn = own_thread, .arg = &job));
	(void)arg;
	wrong += soon_future_on_done(f, thread_of_callback, &callback) != 0;
	wrong += soon_future_wait(f, SOON_FOREVER) != 0;
	wrong += !pthread_equal(job, pthread_self());
	wrong += !pthread_equal(callback, pthread_self());
	wrong += soon_self() != self;
	wrong += soon_future_state(self) != SOON_RUNNING;
	soon_future_unref(f);
	return box(wrong);
}

START_TEST(a_claimed_job_runs_on_the_thread_of_the_waiter)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	ck_assert_int_eq(run(claim, NULL), 0);
	/* Also where another worker could run it, but is held. */
	o.workers = 2;
	o.max_workers = 2;
	use_pool(&o);
	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(run(claim, NULL), 0);
}
END_TEST

static void *ask_whether_asked(void *arg)
{
	(void)arg;
	return box(soon_cancel_requested());
}

/* A request to the waiter is not one to the job that it runs meanwhile. */
static void *be_asked_around(void *arg)
{
	soon_future *f = soon_submit(pool, ask_whether_asked, NULL);
	void *asked = box(1);
	long wrong = soon_cancel_requested();

	(void)arg;
	wrong += soon_future_cancel(soon_self()) != EBUSY;
	wrong += soon_future_result(f, SOON_FOREVER, &asked) != 0;
	wrong += unbox(asked) != 0;
	wrong += !soon_cancel_requested();
	soon_future_unref(f);
	return box(wrong);
}

START_TEST(a_request_to_stop_is_for_one_job_of_a_stack)
{
	ck_assert_int_eq(run(be_asked_around, NULL), 0);
}
END_TEST

static void *set_promise(void *promise)
{
	soon_future_set_result(promise, NULL);
	return NULL;
}

static void *wait_timed_for_job(void *arg)
{
	soon_future *f = soon_submit(pool, return_null, arg);
	int rc = soon_future_wait(f, 3600 * SOON_SEC);

	soon_future_unref(f);
	return box(rc);
}

static void *wait_for_promise(void *promise)
{
	return box(soon_future_wait(promise, SOON_FOREVER));
}

static void *wait_timed_for_promise(void *promise)
{
	return box(soon_future_wait(promise, 3600 * SOON_SEC));
}

static void *wait_for_later_job(void *arg)
{
	soon_future *promise = soon_future_new(NULL);
	int rc = soon_execute(pool, set_promise, promise);

	(void)arg;
	if (rc == 0)
		rc = soon_future_wait(promise, SOON_FOREVER);
	soon_future_unref(promise);
	return box(rc);
}

static void *wait_any_of_two(void *arg)
{
	soon_future *f[2] = { soon_future_new(NULL),
			      soon_submit(pool, return_null, arg) };
	size_t index = 9;
	int rc = soon_wait_any(f, 2, SOON_FOREVER, &index);

	soon_future_unref(f[0]);
	soon_future_unref(f[1]);
	return box(rc == 0 && index == 1 ? 0 : -1);
}

static void *gather_and_set(void *arg)
{
	soon_future *f[3] = { NULL, NULL, NULL }, *next = NULL;
	soon_completions *set;
	long wrong = 0;

	wrong += soon_submit_many(pool, SOON_JOB(.fn = return_arg, .arg = arg),
				  NULL, 3, f) != 0;
	set = soon_as_completed(f, 3);
	for (int i = 0; i < 3; i++)
		wrong += soon_completions_next(set, 3600 * SOON_SEC, &next);
	wrong += soon_gather(f, 3, SOON_FOREVER, NULL, NULL) != 0;
	soon_completions_free(set);
	for (int i = 0; i < 3; i++)
		soon_future_unref(f[i]);
	return box(wrong);
}

START_TEST(a_pool_of_one_survives_every_wait)
{
	soon_fn *const waits[] = { wait_timed_for_job, wait_for_later_job,
				   wait_any_of_two, gather_and_set };
	soon_future *f[40];

	for (size_t i = 0; i < COUNT_OF(waits); i++)
		ck_assert_int_eq(run(waits[i], NULL), 0);
	/* And all of them at once, again and again. */
	for (size_t i = 0; i < COUNT_OF(f); i++)
		f[i] = submit(pool, waits[i % COUNT_OF(waits)], NULL);
	for (size_t i = 0; i < COUNT_OF(f); i++) {
		void *wrong = box(-1);

		ck_assert_int_eq(soon_future_result(f[i], SOON_FOREVER, &wrong),
				 0);
		ck_assert_int_eq(unbox(wrong), 0);
		soon_future_unref(f[i]);
	}
}
END_TEST

/* n jobs wait before the one that lets them go comes to its turn. */
START_TEST(any_number_of_jobs_may_wait_for_a_later_one)
{
	enum { N = 100 };
	soon_future *promise = soon_future_new(NULL), *f[N];
	void *rc = NULL;

	for (int i = 0; i < N; i++)
		f[i] = submit(pool,
			      i % 2 ? wait_for_promise : wait_timed_for_promise,
			      promise);
	ck_assert_int_eq(soon_execute(pool, set_promise, promise), 0);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(soon_future_result(f[i], SOON_FOREVER, &rc),
				 0);
		ck_assert_int_eq(unbox(rc), 0);
		soon_future_unref(f[i]);
	}
	soon_future_unref(promise);
}
END_TEST

/* A job that waits while it holds a lock, and one that takes the lock. */
struct locked {
	pthread_mutex_t lock;
	soon_future *promise;
	pthread_t waiter;
	pthread_t other;
};

static void *wait_locked(void *arg)
{
	struct locked *l = arg;
	int rc;

	l->waiter = pthread_self();
	if (pthread_mutex_lock(&l->lock) != 0)
		return box(-1);
	rc = soon_future_wait(l->promise, 3600 * SOON_SEC);
	pthread_mutex_unlock(&l->lock);
	return box(rc);
}

/* On the waiter's own stack it would find the lock to be its own. */
static void *try_lock(void *arg)
{
	struct locked *l = arg;

	l->other = pthread_self();
	soon_future_set_result(l->promise, NULL);
	if (pthread_mutex_lock(&l->lock) != 0)
		return box(-1);
	pthread_mutex_unlock(&l->lock);
	return box(0);
}

START_TEST(no_unrelated_job_runs_on_top_of_a_waiting_one)
{
	pthread_mutexattr_t checking;
	struct locked l;
	soon_future *f[2];
	void *rc = NULL;

	pthread_mutexattr_init(&checking);
	pthread_mutexattr_settype(&checking, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&l.lock, &checking);
	l.promise = soon_future_new(NULL);
	f[0] = submit(pool, wait_locked, &l);
	f[1] = submit(pool, try_lock, &l);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(soon_future_result(f[i], SOON_FOREVER, &rc),
				 0);
		ck_assert_int_eq(unbox(rc), 0);
		soon_future_unref(f[i]);
	}
	ck_assert(!pthread_equal(l.waiter, l.other));
	soon_future_unref(l.promise);
	pthread_mutex_destroy(&l.lock);
	pthread_mutexattr_destroy(&checking);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("nested");
	TCase *t = tcase_create("nested");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_pool_of_any_size_computes_fib, 0, 3);
	tcase_add_test(t, a_waiting_job_runs_exactly_the_job_that_it_waits_for);
	tcase_add_test(t, a_claimed_job_runs_on_the_thread_of_the_waiter);
	tcase_add_test(t, a_request_to_stop_is_for_one_job_of_a_stack);
	tcase_add_test(t, a_pool_of_one_survives_every_wait);
	tcase_add_test(t, any_number_of_jobs_may_wait_for_a_later_one);
	tcase_add_test(t, no_unrelated_job_runs_on_top_of_a_waiting_one);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
