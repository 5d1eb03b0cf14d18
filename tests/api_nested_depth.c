/*
 * api_nested_depth.c - jobs that wait for jobs: deadlocks, long chains on small
 * stacks, trees, and chains across pools.
 */
#include "support/support.h"

#include <errno.h>

enum { POOLS = 2 };

static soon_executor *pool[POOLS];

/* Two pools of `workers` threads. */
static void use_pools(unsigned workers, size_t stack_size)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = workers;
	o.max_workers = workers;
	o.stack_size = stack_size;
	o.idle_timeout = SOON_FOREVER;
	for (int i = 0; i < POOLS; i++) {
		pool[i] = soon_executor_open(&o);
		ck_assert_ptr_nonnull(pool[i]);
	}
}

static void setup(void)
{
	use_pools(1, 0);
}

static void setup_small(void)
{
	use_pools(1, 64 << 10);
}

static void teardown(void)
{
	for (int i = 0; i < POOLS; i++)
		soon_executor_free(pool[i]);
}

/* Run fn in the first pool; what it returned as a number. */
static long run(soon_fn *fn, void *arg)
{
	soon_future *f = submit(pool[0], fn, arg);
	void *result = box(-1000);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	soon_future_unref(f);
	return unbox(result);
}

static void *wait_for_myself(void *arg)
{
	soon_future *self = soon_self();
	int rc = arg == NULL ? soon_future_wait(self, SOON_FOREVER)
			     : soon_future_result(self, SOON_FOREVER, NULL);

	return box(rc);
}

static void *wait_forever(void *f)
{
	return box(soon_future_wait(f, SOON_FOREVER));
}

/* The job on top of the stack waits for the one at its bottom. */
static void *wait_in_a_circle(void *depth)
{
	static soon_future *bottom;
	soon_future *f;
	void *rc = NULL;

	if (depth == NULL)
		return wait_forever(bottom);
	if (unbox(depth) == 3)
		bottom = soon_self();
	f = soon_submit(pool[0], wait_in_a_circle, box(unbox(depth) - 1));
	if (soon_future_result(f, SOON_FOREVER, &rc) != 0)
		rc = NULL;
	soon_future_unref(f);
	return rc;
}

START_TEST(a_wait_for_oneself_is_a_deadlock)
{
	ck_assert_int_eq(run(wait_for_myself, NULL), EDEADLK);
	ck_assert_int_eq(run(wait_for_myself, &pool), EDEADLK);
}
END_TEST

START_TEST(a_wait_for_a_job_below_on_the_stack_is_a_deadlock)
{
	ck_assert_int_eq(run(wait_in_a_circle, box(3)), EDEADLK);
	ck_assert_int_eq(run(wait_in_a_circle, box(3)), EDEADLK);
}
END_TEST

/* Each job submits the next and waits for it: untimed it may run it. */
static void *chain(void *depth)
{
	void *below = NULL;
	soon_future *f;
	int rc;

	if (depth == NULL)
		return box(0);
	f = soon_submit(pool[0], chain, box(unbox(depth) - 1));
	rc = soon_future_result(f, SOON_FOREVER, &below);
	soon_future_unref(f);
	return rc == 0 ? box(unbox(below) + 1) : soon_fail(rc, NULL);
}

static void *timed_chain(void *depth)
{
	void *below = NULL;
	soon_future *f;
	int rc;

	if (depth == NULL)
		return box(0);
	f = soon_submit(pool[0], timed_chain, box(unbox(depth) - 1));
	rc = soon_future_result(f, 3600 * SOON_SEC, &below);
	soon_future_unref(f);
	return rc == 0 ? box(unbox(below) + 1) : soon_fail(rc, NULL);
}

START_TEST(long_chains_of_waits_fit_small_stacks)
{
	long depth = (long)test_scale(2000);

	ck_assert_int_eq(run(chain, box(depth)), depth);
}
END_TEST

START_TEST(chains_of_timed_waits_end)
{
	ck_assert_int_eq(run(timed_chain, box(60)), 60);
	ck_assert_int_eq(run(timed_chain, box(60)), 60);
}
END_TEST

/* The jobs are all there before the first of them runs. */
struct link {
	soon_future *next;
};

static void *follow(void *arg)
{
	struct link *l = arg;
	void *below = NULL;

	if (l->next == NULL)
		return box(1);
	if (soon_future_result(l->next, SOON_FOREVER, &below) != 0)
		return box(-100000);
	return box(unbox(below) + 1);
}

START_TEST(chains_of_jobs_that_are_queued_already_end)
{
	enum { MOST = 1500 };
	static soon_future *f[MOST];
	static struct link link[MOST];
	int n = (int)test_scale(MOST);
	struct gate gate;
	void *depth = NULL;

	n = n < MOST ? n : MOST;
	gate_init(&gate);
	pool_hold(pool[0], &gate, 1);
	for (int i = 0; i < n; i++) {
		/* The one submitted last is the head, or the one first is. */
		int at = _i == 0 ? i : n - 1 - i;

		link[at].next = NULL;
		f[at] = submit(pool[0], follow, &link[at]);
	}
	for (int i = 0; i + 1 < n; i++)
		link[i].next = f[i + 1];
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(f[0], SOON_FOREVER, &depth), 0);
	ck_assert_int_eq(unbox(depth), n);
	for (int i = 0; i < n; i++)
		soon_future_unref(f[i]);
	gate_fini(&gate);
}
END_TEST

/* Back and forth between the pools. */
static void *ping(void *depth)
{
	long n = unbox(depth);
	void *below = NULL;
	soon_future *f;
	int rc;

	if (n == 0)
		return box(0);
	f = soon_submit(pool[n % POOLS], ping, box(n - 1));
	rc = soon_future_result(f, SOON_FOREVER, &below);
	soon_future_unref(f);
	return rc == 0 ? box(unbox(below) + 1) : soon_fail(rc, NULL);
}

static void *timed_ping(void *depth)
{
	long n = unbox(depth);
	void *below = NULL;
	soon_future *f;
	int rc;

	if (n == 0)
		return box(0);
	f = soon_submit(pool[n % POOLS], timed_ping, box(n - 1));
	rc = soon_future_result(f, 3600 * SOON_SEC, &below);
	soon_future_unref(f);
	return rc == 0 ? box(unbox(below) + 1) : soon_fail(rc, NULL);
}

START_TEST(pools_may_wait_for_each_other)
{
	long depth = (long)test_scale(500);

	ck_assert_int_eq(run(ping, box(depth)), depth);
	ck_assert_int_eq(run(timed_ping, box(40)), 40);
}
END_TEST

/* A tree whose nodes wait for their children in ways chosen by chance; the
 * argument holds the seed and, below it, the depth. */
static void *grow(void *arg)
{
	struct rng rng = rng_seed((uint64_t)unbox(arg));
	long depth = unbox(arg) % 16, sum = 1;
	soon_future *child[3];

	if (depth == 0)
		return box(1);
	for (int i = 0; i < 3; i++) {
		long seed = (long)rng_below(&rng, 1 << 20) * 16;

		child[i] = soon_submit(pool[rng_below(&rng, POOLS)], grow,
				       box(seed + depth - 1));
	}
	for (int i = 0; i < 3; i++) {
		soon_nsec timeout = rng_below(&rng, 4) > 0 ? SOON_FOREVER
							   : 3600 * SOON_SEC;
		void *leaves = NULL;
		int rc = soon_future_result(child[i], timeout, &leaves);

		sum += rc == 0 ? unbox(leaves) : -1000000;
		soon_future_unref(child[i]);
	}
	return box(sum);
}

START_TEST(trees_of_waits_over_two_pools_end)
{
	teardown();
	use_pools(1 + (unsigned)_i % 3, 64 << 10);
	/* 1 + 3 + 9 + 27 + 81 + 243 nodes. */
	ck_assert_int_eq(run(grow, box(_i * 16 + 5)), 364);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("nested_depth");
	TCase *t = tcase_create("deadlock");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_wait_for_oneself_is_a_deadlock);
	tcase_add_test(t, a_wait_for_a_job_below_on_the_stack_is_a_deadlock);
	suite_add_tcase(s, t);

	t = tcase_create("depth");
	tcase_add_checked_fixture(t, setup_small, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, long_chains_of_waits_fit_small_stacks);
	tcase_add_test(t, chains_of_timed_waits_end);
	tcase_add_loop_test(t, chains_of_jobs_that_are_queued_already_end, 0,
			    2);
	tcase_add_test(t, pools_may_wait_for_each_other);
	tcase_add_loop_test(t, trees_of_waits_over_two_pools_end, 0, 12);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
