/*
 * api_stats_now.c - what an executor is doing: its threads, what waits, and looks
 * at it while all of that changes.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

static soon_executor *pool;
static struct gate gate;
static soon_future *promise;

static void setup(void)
{
	pool = pool_of(3);
	gate_init(&gate);
	promise = soon_future_new(NULL);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_future_unref(promise);
	soon_executor_free(pool);
	gate_fini(&gate);
}

static soon_stats stats_of(soon_executor *e)
{
	soon_stats s = SOON_STATS_INIT;

	ck_assert_int_eq(soon_executor_stats(e, &s), 0);
	ck_assert_uint_eq(s.threads, s.running + s.blocked + s.idle);
	return s;
}

static void expect_threads(unsigned running, unsigned blocked, unsigned idle)
{
	soon_stats s = stats_of(pool);

	ck_assert_uint_eq(s.running, running);
	ck_assert_uint_eq(s.blocked, blocked);
	ck_assert_uint_eq(s.idle, idle);
	ck_assert_uint_eq(s.threads, running + blocked + idle);
}

/* Others see a thread as it falls asleep, not before. */
static void await_blocked(unsigned n)
{
	while (stats_of(pool).blocked < n)
		sched_yield();
}

static void finish(soon_future *f)
{
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

START_TEST(a_thread_runs_until_its_result_can_be_seen_then_is_idle)
{
	soon_future *f[3];

	expect_threads(0, 0, 0);
	for (int i = 0; i < 3; i++)
		f[i] = submit(pool, gate_job, &gate);
	gate_await(&gate, 3);
	expect_threads(3, 0, 0);
	gate_open(&gate);
	for (int i = 0; i < 3; i++)
		finish(f[i]);
	expect_threads(0, 0, 3);
	ck_assert_uint_eq(stats_of(pool).threads_started, 3);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_threads(0, 0, 0);
	ck_assert_uint_eq(stats_of(pool).threads_started, 3);
}
END_TEST

static void *block_at_gate(void *arg)
{
	soon_blocking_begin();
	gate_pass(arg);
	soon_blocking_end();
	return NULL;
}

static void *wait_for_promise(void *arg)
{
	(void)soon_future_wait(promise, SOON_FOREVER);
	return arg;
}

static void *wait_while_blocking(void *arg)
{
	soon_blocking_begin();
	(void)soon_future_wait(promise, SOON_FOREVER);
	soon_blocking_end();
	return arg;
}

static soon_fn *const blocks[] = { block_at_gate, wait_for_promise,
				   wait_while_blocking };

START_TEST(a_thread_that_blocks_or_waits_in_a_job_is_blocked)
{
	soon_future *f = submit(pool, blocks[_i], &gate);

	await_blocked(1);
	expect_threads(0, 1, 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	finish(f);
	expect_threads(0, 0, 1);
}
END_TEST

START_TEST(what_is_missing_is_refused)
{
	soon_stats s;

	ck_assert_int_eq(soon_executor_stats(pool, NULL), EINVAL);
	for (size_t size = 0; size < sizeof(s.size); size++) {
		memset(&s, 0xa5, sizeof(s));
		s.size = size;
		ck_assert_int_eq(soon_executor_stats(pool, &s), EINVAL);
		ck_assert_uint_eq(s.size, size);
		ck_assert_uint_eq(s.submitted, UINT64_C(0xa5a5a5a5a5a5a5a5));
	}
}
END_TEST

START_TEST(no_executor_means_the_default_one)
{
	finish(submit(NULL, return_null, NULL));
	ck_assert_uint_eq(stats_of(NULL).succeeded, 1);
	ck_assert_uint_eq(stats_of(soon_default_executor()).succeeded, 1);
	ck_assert_uint_eq(stats_of(pool).succeeded, 0);
}
END_TEST

/* Stats as a program has them whose headers know less or more. */
union sized {
	soon_stats s;
	unsigned char byte[2 * sizeof(soon_stats)];
};

START_TEST(exactly_as_much_is_written_as_the_size_says)
{
	union sized all;
	union sized part;

	for (int i = 0; i < 7; i++)
		finish(submit(pool, return_null, NULL));
	memset(&all, 0, sizeof(all));
	all.s = stats_of(pool);
	for (size_t n = sizeof(size_t); n <= sizeof(part); n++) {
		memset(&part, 0xa5, sizeof(part));
		part.s.size = n;
		ck_assert_int_eq(soon_executor_stats(pool, &part.s), 0);
		ck_assert_uint_eq(part.s.size, n);
		ck_assert_mem_eq(part.byte + sizeof(size_t),
				 all.byte + sizeof(size_t), n - sizeof(size_t));
		for (size_t i = n; i < sizeof(part); i++)
			ck_assert_uint_eq(part.byte[i], 0xa5);
	}
}
END_TEST

enum { SUBMITTERS = 3 };

static void *job_of_load(void *arg)
{
	long n = unbox(arg);

	if (n % 3 == 0) {
		soon_future *f = soon_submit(pool, return_null, NULL);

		(void)soon_future_wait(f, SOON_FOREVER);
		soon_future_unref(f);
	}
	return n % 5 == 0 ? soon_fail(EIO, NULL) : NULL;
}

static void *submit_load(void *count)
{
	long n = unbox(count);
	soon_future *f;

	for (long i = 1; i <= n; i++) {
		f = soon_submit(pool, job_of_load, box(i));
		if (i % 7 == 0)
			(void)soon_future_cancel(f);
		else if (i % 50 == 0)
			(void)soon_future_wait(f, SOON_FOREVER);
		soon_future_unref(f);
	}
	return NULL;
}

/* Whether what holds at any time holds, after an earlier look. */
static bool is_sane(const soon_stats *was, const soon_stats *s, uint64_t most)
{
	return s->submitted >= was->submitted &&
	       s->succeeded >= was->succeeded && s->failed >= was->failed &&
	       s->cancelled >= was->cancelled &&
	       s->claimed_by_waiters >= was->claimed_by_waiters &&
	       s->stolen >= was->stolen && s->wakeups >= was->wakeups &&
	       s->threads_started >= was->threads_started &&
	       s->submitted >= s->succeeded + s->failed + s->cancelled &&
	       s->submitted <= most && s->pending <= most &&
	       s->oldest_pending >= 0 &&
	       s->threads == s->running + s->blocked + s->idle;
}

START_TEST(all_sums_hold_while_all_of_it_changes)
{
	struct actor actors[SUBMITTERS];
	long n = (long)test_scale(20000);
	uint64_t most = 2 * SUBMITTERS * (uint64_t)n;
	soon_stats was = SOON_STATS_INIT;
	soon_stats s = SOON_STATS_INIT;
	unsigned wrong = 0;

	for (int i = 0; i < SUBMITTERS; i++)
		actor_start(&actors[i], submit_load, box(n));
	do {
		was = s;
		wrong += soon_executor_stats(pool, &s) != 0;
		wrong += !is_sane(&was, &s, most);
	} while (s.submitted < SUBMITTERS * (uint64_t)n);
	for (int i = 0; i < SUBMITTERS; i++)
		actor_join(&actors[i]);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	s = stats_of(pool);
	ck_assert_uint_eq(s.submitted, s.succeeded + s.failed + s.cancelled);
	ck_assert_uint_eq(s.pending, 0);
	ck_assert_uint_ge(s.submitted, SUBMITTERS * (uint64_t)n);
	ck_assert_uint_eq(s.threads, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stats_now");
	TCase *t = tcase_create("stats_now");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t,
		       a_thread_runs_until_its_result_can_be_seen_then_is_idle);
	tcase_add_loop_test(t,
			    a_thread_that_blocks_or_waits_in_a_job_is_blocked,
			    0, COUNT_OF(blocks));
	tcase_add_test(t, what_is_missing_is_refused);
	tcase_add_test(t, no_executor_means_the_default_one);
	tcase_add_test(t, exactly_as_much_is_written_as_the_size_says);
	tcase_add_test(t, all_sums_hold_while_all_of_it_changes);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
