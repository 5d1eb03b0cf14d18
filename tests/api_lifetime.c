/*
 * api_lifetime.c - references, and what is freed when: results, arguments, and
 * futures that outlive their executor.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>

static soon_executor *pool;
static struct gate gate;
static struct tally freed;
static atomic_int wrongly_freed;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&freed);
	atomic_store(&wrongly_freed, 0);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&freed);
}

/* Free the pool before the fixture does: nothing of it runs any more. */
static void end_pool(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

static void count_ten(void *tally)
{
	tally_add(tally, 10);
}

/* A destructor that nothing may call; its argument may be NULL. */
static void never_free(void *result)
{
	(void)result;
	atomic_fetch_add(&wrongly_freed, 1);
}

static void count_done(soon_future *f, void *tally)
{
	(void)f;
	tally_add(tally, 1);
}

static void *fail_io(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "read %s", "disk");
}

static void expect_success(soon_future *f, void *expected)
{
	void *result = NULL;

	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_result(f, 0, &result), 0);
	ck_assert_ptr_eq(result, expected);
	ck_assert_int_eq(soon_future_error(f), 0);
	ck_assert_str_eq(soon_future_message(f), "");
}

START_TEST(taking_gives_the_result_away_once)
{
	soon_future *f =
		submit_job(pool, SOON_JOB(.fn = return_arg, .arg = &freed,
					  .free_result = tally_free));

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_ptr_eq(soon_future_take(f), &freed);
	ck_assert_ptr_null(soon_future_take(f));
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert_int_eq(soon_future_error(f), 0);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
	end_pool();
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

START_TEST(a_result_is_freed_with_the_last_reference)
{
	soon_future *f =
		submit_job(pool, SOON_JOB(.fn = return_arg, .arg = &freed,
					  .free_result = tally_free));

	ck_assert_ptr_eq(soon_future_ref(f), f);
	ck_assert_ptr_eq(soon_future_ref(f), f);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	end_pool();
	soon_future_unref(f);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 0);
	expect_success(f, &freed);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 1);
}
END_TEST

START_TEST(a_result_without_any_reference_left_is_freed)
{
	for (int i = 0; i < 10; i++)
		soon_future_unref(submit_job(
			pool, SOON_JOB(.fn = return_arg, .arg = &freed,
				       .free_result = tally_free)));
	end_pool();
	ck_assert_uint_eq(tally_get(&freed), 10);
}
END_TEST

START_TEST(dropping_the_last_reference_does_not_cancel)
{
	struct tally ran;

	tally_init(&ran);
	pool_hold(pool, &gate, 1);
	for (int i = 0; i < 10; i++)
		soon_future_unref(submit(pool, tally_job, &ran));
	ck_assert_uint_eq(tally_get(&ran), 0);
	gate_open(&gate);
	tally_await(&ran, 10);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 10);
	tally_fini(&ran);
}
END_TEST

START_TEST(a_null_result_is_not_freed)
{
	soon_future *f = submit_job(pool, SOON_JOB(.fn = return_null,
						   .free_result = never_free));

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	end_pool();
	soon_future_unref(f);
	ck_assert_int_eq(atomic_load(&wrongly_freed), 0);
}
END_TEST

START_TEST(own_gives_a_destructor_where_there_was_none)
{
	soon_future *late = submit(pool, return_arg, &freed);
	soon_future *early, *taken, *null;

	ck_assert_int_eq(soon_future_wait(late, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_own(late, tally_free), 0);
	ck_assert_int_eq(soon_future_own(late, tally_free), EALREADY);
	pool_hold(pool, &gate, 1);
	early = submit(pool, return_arg, &freed);
	taken = submit(pool, return_arg, &freed);
	null = submit(pool, return_null, NULL);
	ck_assert_int_eq(soon_future_own(early, tally_free), 0);
	ck_assert_int_eq(soon_future_own(taken, tally_free), 0);
	ck_assert_int_eq(soon_future_own(null, tally_free), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(taken, SOON_FOREVER), 0);
	ck_assert_ptr_eq(soon_future_take(taken), &freed);
	end_pool();
	ck_assert_uint_eq(tally_get(&freed), 0);
	soon_future_unref(taken);
	soon_future_unref(null);
	ck_assert_uint_eq(tally_get(&freed), 0);
	soon_future_unref(late);
	ck_assert_uint_eq(tally_get(&freed), 1);
	soon_future_unref(early);
	ck_assert_uint_eq(tally_get(&freed), 2);
}
END_TEST

START_TEST(own_does_not_replace_a_destructor)
{
	soon_future *f =
		submit_job(pool, SOON_JOB(.fn = return_arg, .arg = &freed,
					  .free_result = tally_free));

	ck_assert_int_eq(soon_future_own(f, count_ten), EALREADY);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_own(f, count_ten), EALREADY);
	end_pool();
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 1);
}
END_TEST

/* What a destructor saw of the future to which its argument belongs. */
struct sight {
	soon_future *f;
	struct gate *gate;
	int freed;
	bool ended; /* the job's function had returned, or never ran */
	bool done;
};

static void *see_job(void *arg)
{
	struct sight *s = arg;

	gate_pass(s->gate);
	s->ended = true;
	return NULL;
}

static void see_free(void *arg)
{
	struct sight *s = arg;

	s->freed++;
	s->done = soon_future_done(s->f);
}

START_TEST(an_argument_is_freed_after_the_job_and_before_its_future_is_done)
{
	struct sight s = { .gate = &gate };

	s.f = submit_job(pool, SOON_JOB(.fn = see_job, .arg = &s,
					.free_arg = see_free));
	gate_open(&gate);
	/* A plain read: done is all that orders it. */
	ck_assert_int_eq(soon_future_wait(s.f, SOON_FOREVER), 0);
	ck_assert_int_eq(s.freed, 1);
	ck_assert(s.ended);
	ck_assert(!s.done);
	end_pool();
	soon_future_unref(s.f);
	ck_assert_int_eq(s.freed, 1);
}
END_TEST

START_TEST(a_failed_job_frees_its_argument_and_no_result)
{
	soon_future *f = submit_job(pool, SOON_JOB(.fn = fail_io, .arg = &freed,
						   .free_arg = tally_free,
						   .free_result = never_free));

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), EIO);
	ck_assert_uint_eq(tally_get(&freed), 1);
	end_pool();
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 1);
	ck_assert_int_eq(atomic_load(&wrongly_freed), 0);
}
END_TEST

START_TEST(a_cancelled_job_frees_its_argument_as_it_is_cancelled)
{
	soon_future *f;

	pool_hold(pool, &gate, 1);
	f = submit_job(pool, SOON_JOB(.fn = return_arg, .arg = &freed,
				      .free_arg = tally_free,
				      .free_result = never_free));
	ck_assert_uint_eq(tally_get(&freed), 0);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_uint_eq(tally_get(&freed), 1);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	end_pool();
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 1);
	ck_assert_int_eq(atomic_load(&wrongly_freed), 0);
}
END_TEST

START_TEST(argument_and_result_are_freed_once_each)
{
	soon_future *f =
		submit_job(pool, SOON_JOB(.fn = return_arg, .arg = &freed,
					  .free_arg = tally_free,
					  .free_result = count_ten));

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&freed), 1);
	end_pool();
	ck_assert_uint_eq(tally_get(&freed), 1);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&freed), 11);
}
END_TEST

START_TEST(futures_outlive_their_executor)
{
	soon_future *good = submit(pool, return_arg, &freed);
	soon_future *bad = submit(pool, fail_io, NULL);
	soon_future *gone;

	pool_hold(pool, &gate, 1);
	gone = submit(pool, return_arg, NULL);
	ck_assert_int_eq(soon_future_cancel(gone), 0);
	end_pool();
	expect_success(good, &freed);
	ck_assert_int_eq(soon_future_result(bad, SOON_FOREVER, NULL), EIO);
	ck_assert_int_eq(soon_future_error(bad), EIO);
	ck_assert_str_eq(soon_future_message(bad), "read disk");
	ck_assert_int_eq(soon_future_result(gone, SOON_FOREVER, NULL),
			 ECANCELED);
	ck_assert_int_eq(soon_future_cancel(good), EALREADY);
	ck_assert_int_eq(soon_future_cancel(bad), EALREADY);
	ck_assert_int_eq(soon_future_cancel(gone), 0);
	ck_assert(soon_future_cancel_requested(gone));
	ck_assert_int_eq(soon_future_on_done(bad, count_done, &freed), 0);
	ck_assert_uint_eq(tally_get(&freed), 1);
	ck_assert_int_eq(soon_future_own(good, tally_free), 0);
	ck_assert_ptr_eq(soon_future_ref(good), good);
	soon_future_unref(good);
	ck_assert_ptr_eq(soon_future_take(good), &freed);
	soon_future_unref(good);
	soon_future_unref(bad);
	soon_future_unref(gone);
	ck_assert_uint_eq(tally_get(&freed), 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("lifetime");
	TCase *t = tcase_create("results");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, taking_gives_the_result_away_once);
	tcase_add_test(t, a_result_is_freed_with_the_last_reference);
	tcase_add_test(t, a_result_without_any_reference_left_is_freed);
	tcase_add_test(t, a_null_result_is_not_freed);
	tcase_add_test(t, own_gives_a_destructor_where_there_was_none);
	tcase_add_test(t, own_does_not_replace_a_destructor);
	suite_add_tcase(s, t);

	t = tcase_create("jobs");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, dropping_the_last_reference_does_not_cancel);
	tcase_add_test(
		t,
		an_argument_is_freed_after_the_job_and_before_its_future_is_done);
	tcase_add_test(t, a_failed_job_frees_its_argument_and_no_result);
	tcase_add_test(t,
		       a_cancelled_job_frees_its_argument_as_it_is_cancelled);
	tcase_add_test(t, argument_and_result_are_freed_once_each);
	tcase_add_test(t, futures_outlive_their_executor);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
