/*
 * test_monitor.c - jobs that block without a hint are given company, jobs that
 * compute are not.
 */
#include "support/support.h"

#include "pool.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

/* Jobs that compute: how many at once. */
static atomic_uint burning, most_burning;

static int64_t cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * SOON_SEC + t.tv_nsec;
}

static void note_burning(void)
{
	unsigned n = atomic_fetch_add(&burning, 1) + 1;
	unsigned most = atomic_load(&most_burning);

	while (n > most &&
	       !atomic_compare_exchange_weak(&most_burning, &most, n))
		;
}

/* Compute for so many microseconds of the thread's own time. */
static void *burn(void *microseconds)
{
	int64_t end = cpu_time() + unbox(microseconds) * SOON_USEC;

	note_burning();
	while (cpu_time() < end)
		for (volatile unsigned i = 0; i < 1000; i++)
			;
	atomic_fetch_sub(&burning, 1);
	return NULL;
}

static soon_executor *grown_pool(unsigned workers, unsigned most)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = workers;
	o.max_workers = most;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

/* Run n of them; returns how many ran at once. */
static unsigned burn_all(soon_executor *e, unsigned n)
{
	soon_future *f[64];

	atomic_store(&most_burning, 0);
	for (unsigned i = 0; i < n; i++)
		f[i] = submit(e, burn, box(3000));
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(soon_future_wait(f[i], SOON_FOREVER), 0);
		soon_future_unref(f[i]);
	}
	ck_assert_uint_eq(atomic_load(&burning), 0);
	ck_assert_uint_ge(atomic_load(&most_burning), 1);
	return atomic_load(&most_burning);
}

/* So many jobs stand at the gate at once, though the pool is told nothing. */
static void meet(soon_executor *e, struct gate *g, unsigned n)
{
	unsigned before = gate_arrived(g);
	soon_future *f[64];

	for (unsigned i = 0; i < n; i++)
		f[i] = submit(e, gate_job, g);
	gate_await(g, before + n);
	gate_open(g);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(soon_future_wait(f[i], SOON_FOREVER), 0);
		soon_future_unref(f[i]);
	}
	gate_shut(g);
}

/* Until no job is queued and the monitor has seen that. */
static void await_calm(soon_executor *e)
{
	while (atomic_load(&e->watched) ||
	       atomic_load(&e->park.limit) != e->options.workers)
		sched_yield();
}

static const unsigned meetings[] = { 1, 2, 3, 5, 16, 64 };

START_TEST(blocked_jobs_all_run_at_once)
{
	unsigned n = meetings[_i];
	soon_executor *e = grown_pool(n < 2 ? n : 2, n);
	struct gate g;

	gate_init(&g);
	for (unsigned i = 0; i < 3; i++)
		meet(e, &g, n);
	soon_executor_free(e);
	gate_fini(&g);
}
END_TEST

START_TEST(several_pools_grow_at_once)
{
	soon_future *f[5][16];
	soon_executor *e[5];
	struct gate g;

	gate_init(&g);
	for (unsigned i = 0; i < COUNT_OF(e); i++)
		e[i] = grown_pool(2, 16);
	for (unsigned i = 0; i < COUNT_OF(e); i++)
		for (unsigned k = 0; k < 16; k++)
			f[i][k] = submit(e[i], gate_job, &g);
	gate_await(&g, 5 * 16);
	gate_open(&g);
	for (unsigned i = 0; i < COUNT_OF(e); i++) {
		ck_assert_int_eq(soon_wait_all(f[i], 16, SOON_FOREVER), 0);
		for (unsigned k = 0; k < 16; k++)
			soon_future_unref(f[i][k]);
		soon_executor_free(e[i]);
	}
	gate_fini(&g);
}
END_TEST

START_TEST(jobs_that_block_behind_others_that_compute_all_run_at_once)
{
	soon_executor *e = grown_pool(2, 16);
	struct gate g;

	gate_init(&g);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(soon_execute(e, burn, box(2000)), 0);
	meet(e, &g, 16);
	soon_executor_free(e);
	gate_fini(&g);
}
END_TEST

START_TEST(jobs_that_compute_are_given_no_company)
{
	unsigned workers = (unsigned)_i;
	soon_executor *e = grown_pool(workers, 64);

	ck_assert_uint_le(burn_all(e, 32), workers + 1);
	soon_executor_free(e);
}
END_TEST

static atomic_bool burned;

/* Compute until told to stop, without a call into the system. */
static void *burn_on(void *unused)
{
	note_burning();
	while (!atomic_load(&burned))
		;
	atomic_fetch_sub(&burning, 1);
	return unused;
}

static unsigned count_threads(soon_executor *e)
{
	soon_stats s = SOON_STATS_INIT;

	ck_assert_int_eq(soon_executor_stats(e, &s), 0);
	return s.threads;
}

/*
 * The monitor looks at all pools in turn: when it has found that another pool's
 * jobs are blocked, each time anew, it has seen often enough that these compute.
 */
START_TEST(however_long_jobs_compute_a_default_pool_does_not_grow)
{
	soon_executor *e = soon_executor_new(0);
	soon_executor *other = grown_pool(1, 8);
	unsigned workers = e->options.workers;
	unsigned most_threads = 0;
	struct gate g;

	gate_init(&g);
	atomic_store(&most_burning, 0);
	atomic_store(&burned, false);
	for (unsigned i = 0; i < 8 || i < 4 * workers; i++)
		ck_assert_int_eq(soon_execute(e, burn_on, NULL), 0);
	while (atomic_load(&burning) < workers)
		sched_yield();
	for (unsigned i = 0; i < 30; i++) {
		unsigned n = count_threads(e);

		most_threads = n > most_threads ? n : most_threads;
		meet(other, &g, 8);
		await_calm(other);
	}
	atomic_store(&burned, true);
	soon_executor_free(other);
	soon_executor_free(e);
	ck_assert_uint_le(most_threads, workers + 1);
	ck_assert_uint_le(atomic_load(&most_burning), workers + 1);
	gate_fini(&g);
}
END_TEST

START_TEST(after_blocked_jobs_those_that_compute_are_again_limited)
{
	soon_executor *e = grown_pool(2, 64);
	unsigned tries = 50;
	struct gate g;

	gate_init(&g);
	for (unsigned i = 0; i < 2; i++) {
		meet(e, &g, 32);
		await_calm(e);
		/* On a busy machine a look from before that is late. */
		while (burn_all(e, 24) > 2 + 1)
			ck_assert_uint_gt(--tries, 0);
	}
	soon_executor_free(e);
	gate_fini(&g);
}
END_TEST

static void *block(void *gate)
{
	soon_blocking_begin();
	gate_pass(gate);
	soon_blocking_end();
	return NULL;
}

/* Of as many threads as can be, each with a job that says that it blocks, one may
 * go on with those that compute: how many did at once. */
static unsigned burn_after_blocking(soon_executor *e, struct gate *g)
{
	unsigned before = gate_arrived(g);
	soon_future *f[64];
	unsigned n = 0;

	atomic_store(&most_burning, 0);
	while (n < e->options.max_workers)
		f[n++] = submit(e, block, g);
	gate_await(g, before + n);
	while (n < 32)
		f[n++] = submit(e, burn, box(500));
	gate_open(g);
	while (n > 0) {
		ck_assert_int_eq(soon_future_wait(f[--n], SOON_FOREVER), 0);
		soon_future_unref(f[n]);
	}
	gate_shut(g);
	return atomic_load(&most_burning);
}

START_TEST(who_comes_back_from_blocking_rests_if_others_run)
{
	soon_executor *e = grown_pool(1, 8);
	unsigned tries = 50;
	struct gate g;

	gate_init(&g);
	/* More on a busy machine, on which a burning job may seem to sleep. */
	while (burn_after_blocking(e, &g) > 1)
		ck_assert_uint_gt(--tries, 0);
	soon_executor_free(e);
	gate_fini(&g);
}
END_TEST

/* It may be the first or the last of those that the monitor has on its list. */
START_TEST(a_pool_grows_while_another_goes)
{
	soon_executor *e[2];
	struct gate stay, go;

	for (unsigned i = 0; i < test_scale(10); i++) {
		gate_init(&stay);
		gate_init(&go);
		for (int k = 0; k < 2; k++)
			e[k] = grown_pool(1, 8);
		for (int n = 0; n < 8; n++)
			for (int k = 0; k < 2; k++)
				ck_assert_int_eq(soon_execute(e[k], gate_job,
							      k == _i ? &go
								      : &stay),
						 0);
		gate_open(&go);
		soon_executor_free(e[_i]);
		gate_await(&stay, 8);
		gate_open(&stay);
		soon_executor_free(e[!_i]);
		gate_fini(&go);
		gate_fini(&stay);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("monitor");
	TCase *t = tcase_create("monitor");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, blocked_jobs_all_run_at_once, 0,
			    (int)COUNT_OF(meetings));
	tcase_add_test(t, several_pools_grow_at_once);
	tcase_add_loop_test(t, a_pool_grows_while_another_goes, 0, 2);
	tcase_add_test(
		t, jobs_that_block_behind_others_that_compute_all_run_at_once);
	tcase_add_loop_test(t, jobs_that_compute_are_given_no_company, 1, 4);
	tcase_add_test(t,
		       however_long_jobs_compute_a_default_pool_does_not_grow);
	tcase_add_test(t,
		       after_blocked_jobs_those_that_compute_are_again_limited);
	tcase_add_test(t, who_comes_back_from_blocking_rests_if_others_run);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
