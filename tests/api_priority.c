/*
 * api_priority.c - SOON_LOW, SOON_NORMAL and SOON_HIGH: who starts first.
 */
#include "support/support.h"

#include <errno.h>
#include <limits.h>

static soon_executor *pool;
static struct gate gate;
static struct logbook book;
static struct tally freed;

static void setup(void)
{
	pool = NULL;
	gate_init(&gate);
	logbook_init(&book, 10000);
	tally_init(&freed);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	logbook_fini(&book);
	tally_fini(&freed);
}

static void end_pool(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

static void *note(void *number)
{
	logbook_add(&book, (int)unbox(number));
	return number;
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

/* The log must be n numbers: those of high, then of normal, then of low
 * priority, each in the order of submission. */
static void expect_ranked(const int *priority, int n)
{
	size_t at = 0;

	ck_assert_uint_eq(logbook_size(&book), (size_t)n);
	for (int p = SOON_HIGH; p >= SOON_LOW; p--)
		for (int i = 0; i < n; i++)
			if (priority[i] == p)
				ck_assert_int_eq(logbook_at(&book, at++), i);
}

enum { JOBS = 200 };

static int any_priority(struct rng *rng)
{
	return (int)rng_below(rng, 3) + SOON_LOW;
}

START_TEST(queued_jobs_start_by_priority_then_in_order_of_submission)
{
	struct rng rng = rng_seed((uint64_t)_i);
	int priority[JOBS];

	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	for (int i = 0; i < JOBS; i++) {
		priority[i] = any_priority(&rng);
		ck_assert_int_eq(execute(note, box(i), priority[i]), 0);
	}
	end_pool();
	expect_ranked(priority, JOBS);
}
END_TEST

/* What a job submits, and the priorities it chose. */
struct lot {
	struct rng rng;
	int priority[JOBS];
};

static void *submit_from_job(void *arg)
{
	struct lot *lot = arg;
	long rc = 0;

	for (int i = 0; i < JOBS && rc == 0; i++) {
		lot->priority[i] = any_priority(&lot->rng);
		rc = execute(note, box(i), lot->priority[i]);
	}
	return box(rc);
}

START_TEST(the_jobs_of_a_job_start_by_priority_too)
{
	struct lot lot = { .rng = rng_seed((uint64_t)_i) };
	void *rc = NULL;
	soon_future *f;

	pool = pool_of(1);
	f = submit(pool, submit_from_job, &lot);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), 0);
	soon_future_unref(f);
	end_pool();
	expect_ranked(lot.priority, JOBS);
}
END_TEST

START_TEST(submit_many_gives_all_its_jobs_the_priority)
{
	enum { LOT = 40 };
	static const int order[] = { SOON_LOW, SOON_NORMAL, SOON_HIGH };
	void *args[LOT];
	int priority[3 * LOT];

	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	for (int lot = 0; lot < 3; lot++) {
		soon_job each = SOON_JOB_INIT;
		soon_future *f[LOT];

		each.fn = note;
		each.priority = order[lot];
		for (int i = 0; i < LOT; i++) {
			args[i] = box(lot * LOT + i);
			priority[lot * LOT + i] = order[lot];
		}
		ck_assert_int_eq(soon_submit_many(pool, &each, args, LOT, f),
				 0);
		for (int i = 0; i < LOT; i++)
			soon_future_unref(f[i]);
	}
	end_pool();
	expect_ranked(priority, 3 * LOT);
}
END_TEST

/* Of several workers the first that is free takes the high one. */
START_TEST(a_high_job_overtakes_all_that_wait)
{
	pool = pool_of(2);
	pool_hold(pool, &gate, 2);
	for (int i = 1; i <= 20; i++)
		ck_assert_int_eq(execute(note, box(i), SOON_NORMAL), 0);
	ck_assert_int_eq(execute(note, box(0), SOON_HIGH), 0);
	end_pool();
	ck_assert_uint_eq(logbook_size(&book), 21);
	/* The other worker may have been quicker to the log by one. */
	ck_assert(logbook_at(&book, 0) == 0 || logbook_at(&book, 1) == 0);
}
END_TEST

START_TEST(each_priority_alone_wakes_an_idle_pool)
{
	pool = pool_of(2);
	for (int i = 0; i < 300; i++) {
		int priority = _i < 3 ? _i + SOON_LOW : i % 3 + SOON_LOW;
		soon_future *f = submit_job(
			pool, SOON_JOB(.fn = return_arg, .arg = &gate,
				       .priority = priority));
		void *result = NULL;

		/* A worker that waits or helps would start it itself. */
		ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result),
				 0);
		ck_assert_ptr_eq(result, &gate);
		soon_future_unref(f);
	}
}
END_TEST

START_TEST(other_values_are_refused)
{
	static const int wrong[] = { -2, 2, INT_MIN, INT_MAX };

	pool = pool_of(1);
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		ck_assert_int_eq(execute(note, NULL, wrong[i]), EINVAL);
		ck_assert_int_eq(
			soon_submit_many(pool,
					 SOON_JOB(.fn = note,
						  .priority = wrong[i]),
					 NULL, 3, NULL),
			EINVAL);
	}
	end_pool();
	ck_assert_uint_eq(logbook_size(&book), 0);
}
END_TEST

static soon_future *submit_ranked(int priority)
{
	return submit_job(pool, SOON_JOB(.fn = note, .arg = &freed,
					 .free_arg = tally_free,
					 .priority = priority));
}

START_TEST(a_queued_job_of_any_priority_can_be_cancelled)
{
	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	for (int p = SOON_LOW; p <= SOON_HIGH; p++) {
		soon_future *f = submit_ranked(p);

		ck_assert_int_eq(soon_future_cancel(f), 0);
		ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
		soon_future_unref(f);
	}
	ck_assert_uint_eq(tally_get(&freed), 3);
	end_pool();
	ck_assert_uint_eq(logbook_size(&book), 0);
}
END_TEST

START_TEST(a_shutdown_cancels_the_pending_of_every_priority)
{
	soon_future *f[9];

	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	for (int i = 0; i < 9; i++)
		f[i] = submit_ranked(i % 3 + SOON_LOW);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	for (int i = 0; i < 9; i++) {
		ck_assert_int_eq(soon_future_state(f[i]), SOON_CANCELLED);
		soon_future_unref(f[i]);
	}
	ck_assert_uint_eq(tally_get(&freed), 9);
	for (int p = SOON_LOW; p <= SOON_HIGH; p++)
		ck_assert_int_eq(execute(note, NULL, p), ESHUTDOWN);
	end_pool();
	ck_assert_uint_eq(logbook_size(&book), 0);
}
END_TEST

START_TEST(a_shutdown_runs_the_pending_of_every_priority)
{
	static const int priority[] = { -1, 0, 1, 1, 0, -1 };

	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(execute(note, box(i), priority[i]), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	end_pool();
	expect_ranked(priority, 6);
}
END_TEST

/* The only worker waits, and itself starts the very job that it waits for. */
static void *wait_for_low(void *arg)
{
	soon_future *high, *low;
	long rc;

	high = soon_submit_job(pool, SOON_JOB(.fn = note, .arg = box(1),
					      .priority = SOON_HIGH));
	low = soon_submit_job(pool, SOON_JOB(.fn = note, .arg = box(2),
					     .priority = SOON_LOW));
	rc = soon_future_wait(low, SOON_FOREVER);
	soon_future_unref(high);
	soon_future_unref(low);
	return arg == NULL ? box(rc) : NULL;
}

START_TEST(a_waiting_job_claims_a_job_of_any_priority)
{
	void *rc = box(-1);
	soon_future *f;

	pool = pool_of(1);
	f = submit(pool, wait_for_low, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), 0);
	soon_future_unref(f);
	end_pool();
	ck_assert_uint_eq(logbook_size(&book), 2);
	ck_assert_int_eq(logbook_at(&book, 0), 2);
}
END_TEST

static int fail_init(void *gate_to_pass)
{
	gate_pass(gate_to_pass);
	return -1;
}

START_TEST(a_broken_pool_fails_the_pending_of_every_priority)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_future *f[6];

	o.workers = o.max_workers = 1;
	o.worker_init = fail_init;
	o.worker_ctx = &gate;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	for (int i = 0; i < 6; i++)
		f[i] = submit_ranked(i % 3 + SOON_LOW);
	gate_open(&gate);
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(soon_future_result(f[i], SOON_FOREVER, NULL),
				 SOON_EBROKEN);
		soon_future_unref(f[i]);
	}
	ck_assert_uint_eq(tally_get(&freed), 6);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("priority");
	TCase *t = tcase_create("order");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(
		t, queued_jobs_start_by_priority_then_in_order_of_submission, 0,
		3);
	tcase_add_loop_test(t, the_jobs_of_a_job_start_by_priority_too, 0, 3);
	tcase_add_test(t, submit_many_gives_all_its_jobs_the_priority);
	tcase_add_test(t, a_high_job_overtakes_all_that_wait);
	tcase_add_loop_test(t, each_priority_alone_wakes_an_idle_pool, 0, 4);
	suite_add_tcase(s, t);

	t = tcase_create("all else");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, other_values_are_refused);
	tcase_add_test(t, a_queued_job_of_any_priority_can_be_cancelled);
	tcase_add_test(t, a_shutdown_cancels_the_pending_of_every_priority);
	tcase_add_test(t, a_shutdown_runs_the_pending_of_every_priority);
	tcase_add_test(t, a_waiting_job_claims_a_job_of_any_priority);
	tcase_add_test(t, a_broken_pool_fails_the_pending_of_every_priority);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
