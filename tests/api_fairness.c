/*
 * api_fairness.c - whatever keeps a pool busy, each job has its turn.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>

static soon_executor *pool;
static struct gate gate;
static atomic_bool enough;

static void setup(void)
{
	pool = NULL;
	gate_init(&gate);
	atomic_store(&enough, false);
}

static void teardown(void)
{
	gate_open(&gate);
	atomic_store(&enough, true);
	soon_executor_free(pool);
	gate_fini(&gate);
}

static int execute(soon_fn *fn, void *arg, int priority)
{
	soon_future *f = soon_submit_job(pool, SOON_JOB(.fn = fn, .arg = arg,
							.priority = priority));

	if (f == NULL)
		return errno;
	soon_future_unref(f);
	return 0;
}

static void *go_on(void *priority)
{
	if (!atomic_load(&enough))
		execute(go_on, priority, (int)unbox(priority));
	return NULL;
}

static void *say_enough(void *arg)
{
	atomic_store(&enough, true);
	return arg;
}

/* Some of each that keep the pool busy with their own kind for ever, and one
 * that ends it. */
static void expect_turn(unsigned workers, int flood, int more, int starving)
{
	soon_future *f;

	pool = pool_of(workers);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(execute(go_on, box(flood), flood), 0);
		ck_assert_int_eq(execute(go_on, box(more), more), 0);
	}
	f = submit_job(pool, SOON_JOB(.fn = say_enough, .priority = starving));
	/* With a limit it is claimed by nobody who waits. */
	ck_assert_int_eq(soon_future_wait(f, TEST_TIMEOUT * SOON_SEC), 0);
	soon_future_unref(f);
}

START_TEST(high_jobs_do_not_starve_the_others)
{
	expect_turn(1 + (unsigned)_i % 2, SOON_HIGH, SOON_HIGH,
		    _i < 2 ? SOON_LOW : SOON_NORMAL);
}
END_TEST

START_TEST(normal_jobs_do_not_starve_the_others)
{
	expect_turn(1 + (unsigned)_i % 2, SOON_NORMAL, SOON_NORMAL,
		    _i < 2 ? SOON_LOW : SOON_HIGH);
}
END_TEST

START_TEST(low_jobs_do_not_starve_the_others)
{
	expect_turn(1 + (unsigned)_i % 2, SOON_LOW, SOON_LOW,
		    _i < 2 ? SOON_NORMAL : SOON_HIGH);
}
END_TEST

START_TEST(two_priorities_together_do_not_starve_the_third)
{
	expect_turn(1 + (unsigned)_i % 2, SOON_HIGH,
		    _i < 2 ? SOON_LOW : SOON_NORMAL,
		    _i < 2 ? SOON_NORMAL : SOON_LOW);
}
END_TEST

static void *keep_submitting(void *unused)
{
	enum { AHEAD = 200 };
	static soon_future *ring[AHEAD];

	for (int i = 0; !atomic_load(&enough); i = (i + 1) % AHEAD) {
		soon_future_wait(ring[i], SOON_FOREVER);
		soon_future_unref(ring[i]);
		ring[i] = soon_submit(pool, return_null, NULL);
	}
	for (int i = 0; i < AHEAD; i++) {
		soon_future_unref(ring[i]);
		ring[i] = NULL;
	}
	return unused;
}

/* Whatever the queues in which they are: jobs from outside, of one thread that
 * never lets its queue run dry, and of jobs. */
START_TEST(a_thread_that_floods_does_not_starve_another)
{
	struct actor flood;
	soon_future *f;

	pool = pool_of(1);
	actor_start(&flood, keep_submitting, NULL);
	for (int i = 0; i < 20; i++) {
		f = submit(pool, return_arg, NULL);
		ck_assert_int_eq(soon_future_wait(f, TEST_TIMEOUT * SOON_SEC),
				 0);
		soon_future_unref(f);
	}
	atomic_store(&enough, true);
	actor_join(&flood);
}
END_TEST

/* Submits a job, then keeps its worker from coming to that. */
static void *submit_and_stay(void *arg)
{
	soon_future *f = soon_submit(pool, say_enough, NULL);

	gate_pass(&gate);
	soon_future_unref(f);
	return arg;
}

START_TEST(a_busy_worker_does_not_starve_the_jobs_of_its_job)
{
	pool = pool_of(2);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(execute(go_on, box(SOON_NORMAL), SOON_NORMAL),
				 0);
	ck_assert_int_eq(execute(submit_and_stay, NULL, SOON_NORMAL), 0);
	gate_await(&gate, 1);
	/* Ends if the other worker takes what is queued at this one. */
	while (!atomic_load(&enough))
		ck_assert_int_eq(soon_sleep(SOON_MSEC), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("fairness");
	TCase *t = tcase_create("fairness");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, high_jobs_do_not_starve_the_others, 0, 4);
	tcase_add_loop_test(t, normal_jobs_do_not_starve_the_others, 0, 4);
	tcase_add_loop_test(t, low_jobs_do_not_starve_the_others, 0, 4);
	tcase_add_loop_test(t, two_priorities_together_do_not_starve_the_third,
			    0, 4);
	tcase_add_test(t, a_thread_that_floods_does_not_starve_another);
	tcase_add_test(t, a_busy_worker_does_not_starve_the_jobs_of_its_job);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
