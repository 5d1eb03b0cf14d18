/*
 * api_exit.c - jobs that end their worker's thread instead of returning.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

static soon_executor *pool;
static struct gate gate;
static struct tally freed, ran;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&freed);
	tally_init(&ran);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&freed);
	tally_fini(&ran);
}

static void *leave(void *unused)
{
	(void)unused;
	pthread_exit(NULL);
}

static void expect_exited(soon_future *f)
{
	void *result = &pool;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result),
			 SOON_EEXITED);
	ck_assert_ptr_null(result);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert_str_eq(soon_future_message(f), soon_strerror(SOON_EEXITED));
	soon_future_unref(f);
}

/* The pool does what it did before. */
static void expect_works(soon_executor *e)
{
	soon_future *f[20];

	for (int i = 0; i < 20; i++)
		f[i] = submit(e, return_arg, box(i));
	for (int i = 0; i < 20; i++) {
		void *result = NULL;

		ck_assert_int_eq(
			soon_future_result(f[i], SOON_FOREVER, &result), 0);
		ck_assert_int_eq((int)unbox(result), i);
		soon_future_unref(f[i]);
	}
}

START_TEST(it_fails_and_the_pool_goes_on)
{
	for (int i = 0; i < 10; i++) {
		expect_exited(submit(pool, leave, NULL));
		if (i % 2 == 0)
			expect_works(pool);
	}
	ck_assert_int_eq(soon_execute(pool, leave, NULL), 0);
	expect_works(pool);
}
END_TEST

static void *leave_failing(void *unused)
{
	soon_fail(EIO, "this %s", "is lost");
	return leave(unused);
}

START_TEST(what_it_said_of_a_failure_is_lost)
{
	expect_exited(submit(pool, leave_failing, NULL));
}
END_TEST

START_TEST(its_argument_is_freed_and_it_has_no_result)
{
	soon_future *f = submit_job(pool, SOON_JOB(.fn = leave, .arg = &freed,
						   .free_arg = tally_free,
						   .free_result = tally_free));

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&freed), 1);
	expect_exited(f);
	expect_works(pool);
	ck_assert_uint_eq(tally_get(&freed), 1);
}
END_TEST

static void count_exited(soon_future *f, void *tally)
{
	tally_add(tally, soon_future_error(f) == SOON_EEXITED);
}

START_TEST(callbacks_and_those_who_wait_are_told)
{
	soon_future *f, *other;
	size_t index = 9;

	pool_hold(pool, &gate, 1);
	f = submit(pool, leave, NULL);
	other = submit(pool, return_null, NULL);
	ck_assert_int_eq(soon_future_on_done(f, count_exited, &ran), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_wait_any((soon_future *[]){ f }, 1, SOON_FOREVER,
				       &index),
			 0);
	expect_exited(f);
	tally_await(&ran, 1);
	ck_assert_int_eq(soon_future_wait(other, SOON_FOREVER), 0);
	soon_future_unref(other);
}
END_TEST

/* Its own cleanup: the job it belongs to is still the running one. */
static void expect_self(void *f)
{
	tally_add(&ran, soon_self() == f);
}

/* Waits for a chain of jobs below it, of which the last leaves. */
static void *wait_then_leave(void *depth)
{
	soon_future *f = NULL;

	pthread_cleanup_push(expect_self, soon_self());
	if (unbox(depth) == 0)
		leave(NULL);
	f = soon_submit_job(pool, SOON_JOB(.fn = wait_then_leave,
					   .arg = box(unbox(depth) - 1)));
	pthread_cleanup_push((void (*)(void *))soon_future_unref, f);
	soon_future_wait(f, SOON_FOREVER);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return f;
}

START_TEST(all_that_wait_below_it_on_its_stack_fail)
{
	expect_exited(submit(pool, wait_then_leave, box(5)));
	ck_assert_uint_eq(tally_get(&ran), 6);
	expect_works(pool);
}
END_TEST

/* Waits for two jobs in some way, and the one that it runs first leaves. */
static void *wait_for_many(void *way)
{
	soon_future *f[2] = { NULL, NULL };
	void *args[2] = { NULL, NULL };
	size_t done = 0;

	if (unbox(way) == 3)
		soon_map(pool,
			 SOON_JOB(.fn = leave, .free_arg = tally_free,
				  .arg = &freed),
			 NULL, 2, SOON_FOREVER, args, NULL);
	soon_submit_many(pool, SOON_JOB(.fn = leave), NULL, 2, f);
	pthread_cleanup_push((void (*)(void *))soon_future_unref, f[0]);
	pthread_cleanup_push((void (*)(void *))soon_future_unref, f[1]);
	if (unbox(way) == 0)
		soon_wait(f, 2, SOON_ALL_COMPLETED, SOON_FOREVER, &done);
	if (unbox(way) == 1)
		soon_gather(f, 2, SOON_FOREVER, args, NULL);
	if (unbox(way) == 2)
		soon_gather(f, 2, SOON_FOREVER, args, (int[2]){ 0 });
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

START_TEST(however_they_wait)
{
	expect_exited(submit(pool, wait_for_many, box(_i)));
	/* The other of the two. */
	expect_works(pool);
	soon_executor_free(pool);
	pool = NULL;
	if (_i == 3)
		ck_assert_uint_eq(tally_get(&freed), 2);
}
END_TEST

static atomic_int busy, most_busy;

static void *count_busy(void *unused)
{
	int now = atomic_fetch_add(&busy, 1) + 1,
	    most = atomic_load(&most_busy);

	while (now > most &&
	       !atomic_compare_exchange_weak(&most_busy, &most, now))
		;
	sched_yield();
	atomic_fetch_sub(&busy, 1);
	(void)unused;
	return NULL;
}

static void *leave_while_blocking(void *depth)
{
	for (long i = unbox(depth); i > 0; i--)
		soon_blocking_begin();
	return leave(NULL);
}

START_TEST(its_place_is_given_back)
{
	soon_future *f[200];

	for (int i = 0; i < 20; i++)
		expect_exited(submit(pool, leave_while_blocking, box(i % 3)));
	for (int i = 0; i < 200; i++)
		f[i] = submit(pool, count_busy, NULL);
	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(soon_future_wait(f[i], SOON_FOREVER), 0);
		soon_future_unref(f[i]);
	}
	ck_assert_int_eq(atomic_load(&most_busy), 1);
}
END_TEST

static void *submit_then_leave(void *unused)
{
	for (int i = 0; i < 50; i++)
		soon_execute(pool, tally_job, &ran);
	return leave(unused);
}

START_TEST(what_it_has_submitted_runs)
{
	expect_exited(submit(pool, submit_then_leave, NULL));
	tally_await(&ran, 50);
}
END_TEST

static void *pass_and_leave(void *unused)
{
	gate_pass(&gate);
	return leave(unused);
}

START_TEST(many_may_leave_at_once)
{
	soon_executor *wide = pool_of(8);
	soon_future *f[8];
	unsigned before;

	/* A sanitizer may have started one of its own by now. */
	expect_works(pool);
	before = thread_count();
	for (int i = 0; i < 8; i++)
		f[i] = submit(wide, pass_and_leave, NULL);
	gate_await(&gate, 8);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(soon_execute(wide, tally_job, &ran), 0);
	gate_open(&gate);
	for (int i = 0; i < 8; i++)
		expect_exited(f[i]);
	if (_i % 2 == 0)
		tally_await(&ran, 50);
	soon_executor_free(wide);
	ck_assert_uint_eq(tally_get(&ran), 50);
	/* The kernel counts one that was joined a moment longer. */
	while (thread_count() > before)
		sched_yield();
}
END_TEST

START_TEST(a_pool_that_is_shut_down_still_runs_what_was_queued)
{
	soon_future *f = submit(pool, pass_and_leave, NULL);

	gate_await(&gate, 1);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	ck_assert_int_eq(soon_execute(pool, leave, NULL), 0);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&ran), 11);
	expect_exited(f);
}
END_TEST

static int begin_worker(void *balance)
{
	atomic_fetch_add((atomic_int *)balance, 1);
	return 0;
}

static void end_worker(void *balance)
{
	atomic_fetch_sub((atomic_int *)balance, 1);
	tally_add(&ran, 1);
}

START_TEST(worker_fini_runs_on_the_thread_that_it_ends)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	atomic_int balance = 0;
	soon_executor *e;

	o.workers = 1;
	o.max_workers = 1;
	o.worker_init = begin_worker;
	o.worker_fini = end_worker;
	o.worker_ctx = &balance;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	for (unsigned i = 0; i < 5; i++) {
		expect_exited(submit(e, leave, NULL));
		tally_await(&ran, i + 1);
	}
	expect_works(e);
	soon_executor_free(e);
	ck_assert_int_eq(atomic_load(&balance), 0);
	ck_assert_uint_eq(tally_get(&ran), 6);
}
END_TEST

static pthread_key_t key;

/* A thread-specific destructor, which runs last on the thread. */
static void use_library(void *e)
{
	soon_future *f = soon_submit(e, return_arg, e);
	void *result = NULL;

	if (soon_self() == NULL &&
	    soon_future_result(f, SOON_FOREVER, &result) == 0 && result == e)
		tally_add(&ran, 1);
	soon_future_unref(f);
}

static void *leave_with_key(void *e)
{
	pthread_setspecific(key, e);
	return leave(NULL);
}

START_TEST(destructors_of_its_thread_may_use_the_library)
{
	soon_executor *other = pool_of(1);

	ck_assert_int_eq(pthread_key_create(&key, use_library), 0);
	expect_exited(submit(pool, leave_with_key, pool));
	tally_await(&ran, 1);
	expect_exited(submit(pool, leave_with_key, other));
	tally_await(&ran, 2);
	soon_executor_free(pool);
	pool = NULL;
	soon_executor_free(other);
	pthread_key_delete(key);
}
END_TEST

static Suite *exit_suite(void)
{
	Suite *s = suite_create("api_exit");
	TCase *tc = tcase_create("exit");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_fails_and_the_pool_goes_on);
	tcase_add_test(tc, what_it_said_of_a_failure_is_lost);
	tcase_add_test(tc, its_argument_is_freed_and_it_has_no_result);
	tcase_add_test(tc, callbacks_and_those_who_wait_are_told);
	tcase_add_test(tc, all_that_wait_below_it_on_its_stack_fail);
	tcase_add_loop_test(tc, however_they_wait, 0, 4);
	tcase_add_test(tc, its_place_is_given_back);
	tcase_add_test(tc, what_it_has_submitted_runs);
	tcase_add_loop_test(tc, many_may_leave_at_once, 0, (int)test_scale(20));
	tcase_add_test(tc, a_pool_that_is_shut_down_still_runs_what_was_queued);
	tcase_add_test(tc, worker_fini_runs_on_the_thread_that_it_ends);
	tcase_add_test(tc, destructors_of_its_thread_may_use_the_library);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(exit_suite());
}
