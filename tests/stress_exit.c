/*
 * stress_exit.c - jobs that end their threads among all kinds of others: each
 * is done, with the outcome it must have, and each argument is freed once.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>

enum { JOBS = 300, DEPTH = 4 };

static soon_executor *pool;
static atomic_uint accepted, freed, wrong;

static void setup(void)
{
	pool = pool_of(3);
	atomic_store(&accepted, 0);
	atomic_store(&freed, 0);
	atomic_store(&wrong, 0);
}

static void teardown(void)
{
	soon_executor_free(pool);
}

static void free_arg(void *unused)
{
	(void)unused;
	atomic_fetch_add(&freed, 1);
}

static void *act(void *plan);

/* A plan is a seed and, in the lowest bits, how deep jobs may still go.  NULL if
 * the pool is shut down. */
static soon_future *submit_plan(uint64_t seed, unsigned depth)
{
	long plan = (long)(seed >> 8 & 0xffffff) * 8 + (long)depth;
	soon_future *f =
		soon_submit_job(pool, SOON_JOB(.fn = act, .arg = box(plan),
					       .free_arg = free_arg));

	atomic_fetch_add(&accepted, f != NULL);
	return f;
}

static void unref(void *f)
{
	soon_future_unref(f);
}

/* Waits for a job, which may run on top of this one, and leave. */
static int wait_for_plan(struct rng *r, unsigned depth)
{
	soon_future *f = submit_plan(rng_next(r), depth - 1);
	soon_nsec timeout = rng_below(r, 4) == 0 ? SOON_SEC : SOON_FOREVER;
	int rc;

	if (f == NULL)
		return errno == ESHUTDOWN ? 0 : errno;
	pthread_cleanup_push(unref, f);
	rc = soon_future_result(f, timeout, NULL);
	pthread_cleanup_pop(1);
	return rc == SOON_EEXITED || rc == ETIMEDOUT ? 0 : rc;
}

static void *act(void *plan)
{
	unsigned depth = (unsigned)(unbox(plan) % 8);
	struct rng r = rng_seed((uint64_t)unbox(plan));

	switch (rng_below(&r, 6)) {
	case 0:
		soon_blocking_begin();
		/* fall through */
	case 1:
		pthread_exit(NULL);
	case 2:
		soon_blocking_begin();
		break;
	default:
		if (depth > 0 && wait_for_plan(&r, depth) != 0)
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

START_TEST(every_job_is_accounted_for)
{
	struct rng r = rng_seed((uint64_t)_i);
	soon_future *f[JOBS];

	for (int i = 0; i < JOBS; i++)
		f[i] = submit_plan(rng_next(&r), rng_below(&r, DEPTH));
	if (_i % 2 == 0)
		soon_executor_shutdown(pool, 0, 0);
	for (int i = 0; i < JOBS; i++) {
		int rc = soon_future_result(f[i], SOON_FOREVER, NULL);

		ck_assert(rc == 0 || rc == SOON_EEXITED);
		soon_future_unref(f[i]);
	}
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(atomic_load(&freed), atomic_load(&accepted));
}
END_TEST

static Suite *exit_suite(void)
{
	Suite *s = suite_create("stress_exit");
	TCase *tc = tcase_create("exit");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, every_job_is_accounted_for, 0,
			    (int)test_scale(100));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(exit_suite());
}
