/*
 * api_caller_runs.c - full pools whose submitters run the jobs themselves.
 */
#include "support/bounded.h"
#include "support/many.h"

#include <errno.h>
#include <stdatomic.h>

static soon_executor *pool;
static struct gate gate; /* at which its worker is held */
static struct tally ran;

static void setup(void)
{
	pool = NULL;
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

static void end_pool(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

/* A pool of one worker, held at the gate, that has room for so many more. */
static void open_pool(size_t max_pending, unsigned room)
{
	pool = bounded_pool(max_pending, SOON_CALLER_RUNS, 0);
	pool_hold(pool, &gate, 1);
	for (size_t i = room; i < max_pending; i++)
		ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
}

/* Returns whether it runs on the thread given, as the job it should be. */
static void *runs_here(void *thread)
{
	return box(pthread_equal(*(pthread_t *)thread, pthread_self()) &&
		   soon_future_state(soon_self()) == SOON_RUNNING &&
		   soon_future_arg(soon_self()) == thread);
}

static void expect_ran_here(soon_future *f)
{
	void *result = NULL;

	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert_int_eq(soon_future_result(f, 0, &result), 0);
	ck_assert_int_eq(unbox(result), 1);
	soon_future_unref(f);
}

START_TEST(a_full_pools_submitter_runs_the_job_itself)
{
	pthread_t me = pthread_self();
	soon_future *many[1];

	open_pool(2, 0);
	expect_ran_here(submit(pool, runs_here, &me));
	expect_ran_here(submit_job(pool, SOON_JOB(.fn = runs_here, .arg = &me,
						  .priority = SOON_HIGH)));
	ck_assert_int_eq(soon_submit_many(pool,
					  SOON_JOB(.fn = runs_here, .arg = &me),
					  NULL, 1, many),
			 0);
	expect_ran_here(many[0]);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
	ck_assert_ptr_null(soon_self());
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 3);
}
END_TEST

START_TEST(with_room_the_pool_runs_it)
{
	pthread_t me = pthread_self();
	void *result = box(-1);
	soon_future *f;

	open_pool(2, 1);
	f = submit(pool, runs_here, &me);
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	end_pool();
	ck_assert_int_eq(soon_future_result(f, 0, &result), 0);
	ck_assert_int_eq(unbox(result), 0);
	soon_future_unref(f);
}
END_TEST

START_TEST(outcomes_and_destructors_are_as_elsewhere)
{
	soon_job job = item_job;
	struct item items[2];
	soon_future *f;

	open_pool(1, 0);
	items_init(items, NULL, 2);
	items[1].fails = EIO;
	for (int i = 0; i < 2; i++) {
		job.arg = &items[i];
		f = submit_job(pool, &job);
		ck_assert(soon_future_done(f));
		ck_assert_int_eq(soon_future_error(f), i == 0 ? 0 : EIO);
		ck_assert_int_eq(soon_future_cancel(f), EALREADY);
		ck_assert_uint_eq(items[i].ran, 1);
		ck_assert_uint_eq(items[i].arg_freed, 1);
		ck_assert_uint_eq(items[i].result_freed, 0);
		soon_future_unref(f);
		ck_assert_uint_eq(items[i].result_freed, i == 0);
	}
}
END_TEST

START_TEST(many_are_run_all_or_none)
{
	unsigned n = _i == 0 ? 3 : 7; /* of which 2 or 4 would fit, or never */
	pthread_t me = pthread_self();
	soon_future *f[7];

	open_pool(4, 2);
	ck_assert_int_eq(soon_submit_many(pool,
					  SOON_JOB(.fn = runs_here, .arg = &me),
					  NULL, n, f),
			 0);
	for (unsigned i = 0; i < n; i++)
		expect_ran_here(f[i]);
	/* And those that fit are queued. */
	ck_assert_int_eq(soon_submit_many(pool,
					  SOON_JOB(.fn = runs_here, .arg = &me),
					  NULL, 2, f),
			 0);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(soon_future_state(f[i]), SOON_PENDING);
	end_pool();
	unref_n(f, 2);
}
END_TEST

START_TEST(map_runs_what_does_not_fit)
{
	pthread_t me = pthread_self();
	void *results[7];

	open_pool(4, 2);
	ck_assert_int_eq(soon_map(pool, SOON_JOB(.fn = runs_here, .arg = &me),
				  NULL, 7, SOON_FOREVER, results, NULL),
			 0);
	for (int i = 0; i < 7; i++)
		ck_assert_int_eq(unbox(results[i]), 1);
}
END_TEST

static void *shut_down(void *flags)
{
	return box(soon_executor_shutdown(pool, (unsigned)unbox(flags), 0));
}

/* Of several that the submitter runs the first closes the pool. */
START_TEST(a_shutdown_among_many_cancels_the_rest_if_it_should)
{
	unsigned flags = _i == 0 ? 0 : SOON_CANCEL_PENDING;
	void *args[3] = { box((long)flags), box((long)flags),
			  box((long)flags) };
	soon_future *f[3];

	open_pool(1, 0);
	ck_assert_int_eq(soon_submit_many(pool, SOON_JOB(.fn = shut_down), args,
					  3, f),
			 0);
	ck_assert_int_eq(soon_future_state(f[0]), SOON_SUCCEEDED);
	for (int i = 1; i < 3; i++)
		ck_assert_int_eq(soon_future_state(f[i]),
				 _i == 0 ? SOON_SUCCEEDED : SOON_CANCELLED);
	unref_n(f, 3);
}
END_TEST

static void *sleep_until_asked(void *unused)
{
	struct tally *asleep = unused;

	tally_add(asleep, 1);
	return box(soon_sleep(SOON_FOREVER));
}

static void *submit_sleeper(void *asleep)
{
	soon_future *f = soon_submit(pool, sleep_until_asked, asleep);
	void *result = NULL;

	soon_future_result(f, 0, &result);
	soon_future_unref(f);
	return result;
}

START_TEST(a_shutdown_waits_for_and_asks_what_a_caller_runs)
{
	struct tally asleep;
	struct actor actor;

	tally_init(&asleep);
	open_pool(1, 0);
	actor_start(&actor, submit_sleeper, &asleep);
	tally_await(&asleep, 1);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_MSEC), ETIMEDOUT);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	ck_assert_int_eq(unbox(actor_join(&actor)), ECANCELED);
	tally_fini(&asleep);
}
END_TEST

START_TEST(a_pool_without_threads_has_no_limit)
{
	pthread_t me = pthread_self();

	pool = bounded_pool(1, (enum soon_overflow)(_i % 3), SOON_INLINE);
	for (int i = 0; i < 10; i++)
		expect_ran_here(submit(pool, runs_here, &me));
	ck_assert_int_eq(
		soon_submit_many(pool, SOON_JOB(.fn = tally_job, .arg = &ran),
				 NULL, 10, NULL),
		0);
	ck_assert_uint_eq(tally_get(&ran), 10);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("caller_runs");
	TCase *t = tcase_create("caller");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_full_pools_submitter_runs_the_job_itself);
	tcase_add_test(t, with_room_the_pool_runs_it);
	tcase_add_test(t, outcomes_and_destructors_are_as_elsewhere);
	tcase_add_loop_test(t, many_are_run_all_or_none, 0, 2);
	tcase_add_test(t, map_runs_what_does_not_fit);
	tcase_add_loop_test(
		t, a_shutdown_among_many_cancels_the_rest_if_it_should, 0, 2);
	tcase_add_test(t, a_shutdown_waits_for_and_asks_what_a_caller_runs);
	tcase_add_loop_test(t, a_pool_without_threads_has_no_limit, 0, 3);
	suite_add_tcase(s, t);

	return s;
}

int main(void)
{
	return test_run(suite());
}
