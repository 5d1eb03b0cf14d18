/*
 * api_stats_fates.c - that all figures add up, whatever becomes of jobs.
 */
#include "support/bounded.h"
#include "support/many.h"

#include <errno.h>
#include <sched.h>

#define LONG (3600 * SOON_SEC)
#define SHORT SOON_MSEC

static soon_executor *pool;
static struct gate gate, stuck;
static struct tally ran;

static void setup(void)
{
	gate_init(&gate);
	gate_init(&stuck);
	tally_init(&ran);
}

static void teardown(void)
{
	gate_open(&stuck);
	gate_open(&gate);
	soon_executor_free(pool);
	tally_fini(&ran);
	gate_fini(&stuck);
	gate_fini(&gate);
}

static soon_stats stats(void)
{
	soon_stats s = SOON_STATS_INIT;

	ck_assert_int_eq(soon_executor_stats(pool, &s), 0);
	ck_assert_uint_le(s.succeeded + s.failed + s.cancelled, s.submitted);
	ck_assert_uint_le(s.expired, s.failed);
	return s;
}

/* Each future is dropped. */
static void finish(soon_future *f, int code)
{
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), code);
	soon_future_unref(f);
}

static void *fail_io(void *unused)
{
	(void)unused;
	return soon_fail(EIO, NULL);
}

static void *leave(void *unused)
{
	(void)unused;
	pthread_exit(NULL);
}

static void await_nobody_lost(void)
{
	while (stats().written_off > 0)
		sched_yield();
}

START_TEST(jobs_of_all_fates_add_up)
{
	soon_future *high, *low, *due, *early, *late, *gone;
	soon_stats s;

	pool = bounded_pool(4, SOON_CALLER_RUNS, 0);
	finish(submit_job(pool, SOON_JOB(.fn = gate_job, .arg = &stuck,
					 .run_within = SHORT)),
	       ETIMEDOUT);
	ck_assert_uint_eq(stats().written_off, 1);
	finish(submit(pool, leave, NULL), SOON_EEXITED);
	pool_hold(pool, &gate, 1);
	high = submit_job(pool, SOON_JOB(.fn = fail_io, .priority = SOON_HIGH));
	low = submit_job(pool,
			 SOON_JOB(.fn = return_arg, .priority = SOON_LOW));
	late = submit_job(pool,
			  SOON_JOB(.fn = return_arg, .start_within = SHORT));
	finish(late, ETIMEDOUT);
	gone = submit(pool, return_arg, NULL);
	ck_assert_int_eq(soon_future_cancel(gone), 0);
	soon_future_unref(gone);
	early = submit_job(pool, SOON_JOB(.fn = return_arg, .delay = LONG));
	s = stats();
	ck_assert_uint_eq(s.pending, 2);
	ck_assert_uint_eq(s.delayed, 1);
	ck_assert_int_eq(soon_future_cancel(early), 0);
	soon_future_unref(early);
	ck_assert_uint_eq(stats().delayed, 0);
	due = submit_job(pool, SOON_JOB(.fn = return_arg, .delay = SHORT));
	while (stats().delayed > 0)
		sched_yield();
	ck_assert_uint_eq(stats().pending, 3);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	ck_assert_uint_eq(tally_get(&ran), 0);
	/* The fifth: run here, and done. */
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
	s = stats();
	ck_assert_uint_eq(s.submitted, 11);
	ck_assert_uint_eq(s.succeeded, 1);
	ck_assert_uint_eq(s.failed, 3);
	ck_assert_uint_eq(s.cancelled, 2);
	ck_assert_uint_eq(s.pending, 4);
	gate_open(&gate);
	finish(high, EIO);
	finish(low, 0);
	finish(due, 0);
	gate_open(&stuck);
	await_nobody_lost();
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	s = stats();
	ck_assert_uint_eq(s.submitted, 11);
	ck_assert_uint_eq(s.succeeded, 5);
	ck_assert_uint_eq(s.failed, 4);
	ck_assert_uint_eq(s.expired, 2);
	ck_assert_uint_eq(s.cancelled, 2);
	ck_assert_uint_eq(s.rejected, 0);
	ck_assert_uint_eq(s.pending, 0);
	ck_assert_uint_eq(s.threads, 0);
	/* The first, that in its stead, and one for the one that left. */
	ck_assert_uint_eq(s.threads_started, 3);
}
END_TEST

START_TEST(what_is_refused_is_counted_as_that_alone)
{
	void *args[3] = { NULL };
	soon_stats s;

	pool = bounded_pool(2, SOON_REJECT, 0);
	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	ck_assert_int_eq(soon_submit_many(pool, SOON_JOB(.fn = return_arg),
					  args, COUNT_OF(args), NULL),
			 EAGAIN);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), EAGAIN);
	s = stats();
	ck_assert_uint_eq(s.submitted, 3);
	ck_assert_uint_eq(s.rejected, 4);
	ck_assert_uint_eq(s.pending, 2);
}
END_TEST

START_TEST(a_shutdown_that_cancels_counts_what_was_delayed)
{
	soon_stats s;

	pool = bounded_pool(9, SOON_BLOCK, 0);
	for (int i = 0; i < 5; i++)
		soon_future_unref(submit_job(pool, SOON_JOB(.fn = return_arg,
							    .delay = LONG)));
	ck_assert_uint_eq(stats().delayed, 5);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING,
						SOON_FOREVER),
			 0);
	s = stats();
	ck_assert_uint_eq(s.submitted, 5);
	ck_assert_uint_eq(s.cancelled, 5);
	ck_assert_uint_eq(s.delayed, 0);
	ck_assert_uint_eq(s.pending, 0);
}
END_TEST

/* While jobs become due nothing goes down, or above what there is. */
START_TEST(what_becomes_due_is_counted_once)
{
	enum { N = 200 };
	uint64_t most = 0;
	soon_stats s;

	pool = bounded_pool(N, SOON_BLOCK, 0);
	for (int i = 0; i < N; i++)
		soon_future_unref(submit_job(
			pool, SOON_JOB(.fn = tally_job, .arg = &ran,
				       .delay = (1 + i % 5) * SHORT)));
	do {
		s = stats();
		ck_assert_uint_ge(s.submitted, most);
		ck_assert_uint_le(s.submitted, N);
		most = s.submitted;
	} while (s.succeeded < N);
	ck_assert_uint_eq(stats().submitted, N);
}
END_TEST

static void count_end(void *unused)
{
	(void)unused;
	tally_add(&ran, 1);
}

static void count_report(soon_future *f, void *tally)
{
	tally_add(tally, soon_future_state(f) == SOON_FAILED);
}

static void *expire_many(void *count)
{
	soon_future *f[20];

	for (long i = unbox(count); i > 0; i--) {
		if (soon_submit_many(
			    pool, SOON_JOB(.fn = return_arg, .start_within = 1),
			    NULL, COUNT_OF(f), f) != 0)
			break;
		(void)soon_wait_all(f, COUNT_OF(f), SOON_FOREVER);
		unref_n(f, COUNT_OF(f));
	}
	return NULL;
}

START_TEST(no_more_have_expired_than_failed)
{
	unsigned n = test_scale(2000);
	struct actor actor;

	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	actor_start(&actor, expire_many, box((long)n));
	while (stats().expired < 20 * n)
		; /* each look checks it */
	actor_join(&actor);
	ck_assert_uint_eq(stats().failed, 20 * n);
}
END_TEST

START_TEST(the_failure_of_a_job_that_never_returns_is_reported)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_job job = SOON_JOB_INIT;
	struct tally told;

	tally_init(&told);
	o.unread_error = count_report;
	o.unread_ctx = &told;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	job.fn = gate_job;
	job.arg = &stuck;
	job.run_within = SHORT;
	job.free_result = count_end;
	if (_i == 0) { /* nobody has ever had its future */
		ck_assert_int_eq(soon_submit_many(pool, &job, NULL, 1, NULL),
				 0);
		tally_await(&told, 1);
	} else { /* or somebody drops it, who has looked or has not */
		soon_future *f = submit_job(pool, &job);

		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		if (_i == 2)
			ck_assert_int_eq(soon_future_error(f), ETIMEDOUT);
		soon_future_unref(f);
	}
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&told), _i < 2);
	gate_open(&stuck);
	tally_await(&ran, 1); /* it has returned */
	tally_fini(&told);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stats_fates");
	TCase *t = tcase_create("stats_fates");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, jobs_of_all_fates_add_up);
	tcase_add_test(t, what_is_refused_is_counted_as_that_alone);
	tcase_add_test(t, a_shutdown_that_cancels_counts_what_was_delayed);
	tcase_add_test(t, what_becomes_due_is_counted_once);
	tcase_add_test(t, no_more_have_expired_than_failed);
	tcase_add_loop_test(
		t, the_failure_of_a_job_that_never_returns_is_reported, 0, 3);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
