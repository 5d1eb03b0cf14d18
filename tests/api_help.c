/*
 * api_help.c - SOON_HELP: threads that run what they wait for.
 */
#include "support/support.h"

#include <errno.h>

static soon_executor *pool;
static struct gate gate;
static struct tally ran;

static void setup(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = 1;
	o.max_workers = 1;
	o.flags = SOON_HELP;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	gate_init(&gate);
	tally_init(&ran);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&ran);
}

static void *own_thread(void *arg)
{
	*(pthread_t *)arg = pthread_self();
	return arg;
}

static void *fail_io(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "read %s", "disk");
}

static void *wait_short(void *f)
{
	return box(soon_future_wait(f, SOON_MSEC));
}

/* The only worker is stuck: whoever waits runs the job. */
START_TEST(a_helping_thread_runs_the_job_that_it_waits_for)
{
	soon_future *f[3];
	pthread_t thread;
	void *result = NULL;

	pool_hold(pool, &gate, 1);
	f[0] = submit(pool, tally_job, &ran);
	f[1] = submit(pool, own_thread, &thread);
	f[2] = submit(pool, fail_io, NULL);
	ck_assert_int_eq(soon_future_wait(f[1], SOON_FOREVER), 0);
	ck_assert(pthread_equal(thread, pthread_self()));
	ck_assert_int_eq(soon_future_result(f[2], SOON_FOREVER, &result), EIO);
	ck_assert_int_eq(soon_future_state(f[0]), SOON_PENDING);
	ck_assert_uint_eq(tally_get(&ran), 0);
	ck_assert_int_eq(soon_future_result(f[0], SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &ran);
	ck_assert_uint_eq(tally_get(&ran), 1);
	ck_assert_ptr_null(soon_self());
	for (int i = 0; i < 3; i++)
		soon_future_unref(f[i]);
}
END_TEST

START_TEST(a_timed_wait_does_not_help)
{
	soon_future *f;

	pool_hold(pool, &gate, 1);
	f = submit(pool, tally_job, &ran);
	ck_assert_int_eq(soon_future_wait(f, 0), ETIMEDOUT);
	ck_assert_int_eq(soon_future_wait(f, SOON_MSEC), ETIMEDOUT);
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_uint_eq(tally_get(&ran), 0);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_helper_waits_for_what_runs_already)
{
	soon_future *f = submit(pool, gate_job, &gate);
	struct actor waiter;

	gate_await(&gate, 1);
	actor_start(&waiter, wait_short, f);
	ck_assert_int_eq(unbox(actor_join(&waiter)), ETIMEDOUT);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}
END_TEST

static void *wait_forever(void *f)
{
	return box(soon_future_wait(f, SOON_FOREVER));
}

START_TEST(without_the_flag_nobody_helps)
{
	soon_executor *plain = pool_of(1);
	struct actor waiter;
	pthread_t thread;
	soon_future *f;

	pool_hold(plain, &gate, 1);
	f = submit(plain, own_thread, &thread);
	actor_start(&waiter, wait_forever, f);
	actor_await_asleep(&waiter);
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	gate_open(&gate);
	ck_assert_int_eq(unbox(actor_join(&waiter)), 0);
	ck_assert(!pthread_equal(thread, waiter.thread));
	ck_assert(!pthread_equal(thread, pthread_self()));
	soon_future_unref(f);
	soon_executor_free(plain);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("help");
	TCase *t = tcase_create("help");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_helping_thread_runs_the_job_that_it_waits_for);
	tcase_add_test(t, a_timed_wait_does_not_help);
	tcase_add_test(t, a_helper_waits_for_what_runs_already);
	tcase_add_test(t, without_the_flag_nobody_helps);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
