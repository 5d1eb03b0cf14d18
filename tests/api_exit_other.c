/*
 * api_exit_other.c - jobs that end a thread which has lost its place, or is no
 * worker of their pool.
 */
#include "support/fixture.h"

static struct tally freed;

static void setup(void)
{
	fixture_open(pool_of(1));
	tally_init(&freed);
}

static void teardown(void)
{
	fixture_close();
	tally_fini(&freed);
}

static void expect_code(soon_future *f, int code)
{
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), code);
	soon_future_unref(f);
}

static void *leave(void *value)
{
	pthread_exit(value);
}

static void *pass_and_leave(void *unused)
{
	gate_pass(&gate);
	return leave(unused);
}

/* The second runs because the pool has found the first asleep. */
START_TEST(a_worker_whose_place_was_taken_goes_with_it)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	soon_future *f;

	o.workers = 1;
	o.max_workers = 2;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	f = submit(e, pass_and_leave, NULL);
	gate_await(&gate, 1);
	expect_code(submit(e, return_null, NULL), 0);
	gate_open(&gate);
	expect_code(f, SOON_EEXITED);
	expect_code(submit(e, return_null, NULL), 0);
	soon_executor_free(e);
}
END_TEST

static soon_executor *pool_with(unsigned flag)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = 1;
	o.max_workers = 1;
	o.flags = flag;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void *wait_for(void *f)
{
	return box(soon_future_wait(f, SOON_FOREVER));
}

START_TEST(a_thread_that_helps_goes_with_it)
{
	soon_executor *e = pool_with(SOON_HELP);
	struct actor helper;
	soon_future *f;

	pool_hold(e, &gate, 1);
	f = submit(e, leave, box(7));
	actor_start(&helper, wait_for, f);
	ck_assert_int_eq((int)unbox(actor_join(&helper)), 7);
	expect_code(f, SOON_EEXITED);
	gate_open(&gate);
	expect_code(submit(e, return_null, NULL), 0);
	soon_executor_free(e);
}
END_TEST

/* Submits to a pool without threads in some way. */
static void *submit_inline(void *way)
{
	soon_executor *e = pool_with(SOON_INLINE);
	soon_future *f[3] = { NULL };
	void *args[3] = { box(7), box(7), box(7) };
	soon_job job = SOON_JOB_INIT;

	job.fn = leave;
	job.arg = box(7);
	pthread_cleanup_push((void (*)(void *))soon_executor_free, e);
	switch (unbox(way)) {
	case 0:
		soon_submit(e, leave, box(7));
		break;
	case 1:
		soon_execute(e, leave, box(7));
		break;
	case 2:
		soon_submit_many(e, &job, NULL, 3, f);
		break;
	case 3:
		soon_submit_many(e, &job, NULL, 3, NULL);
		break;
	default:
		soon_map(e, &job, args, 3, SOON_FOREVER, NULL, NULL);
	}
	pthread_cleanup_pop(0);
	return NULL;
}

START_TEST(a_thread_that_submits_to_a_pool_without_threads_goes_with_it)
{
	struct actor submitter;

	actor_start(&submitter, submit_inline, box(_i));
	ck_assert_int_eq((int)unbox(actor_join(&submitter)), 7);
}
END_TEST

/* The first of many leaves; the rest can no longer run. */
static void *leave_inline(void *futures)
{
	soon_executor *e = pool_with(SOON_INLINE);
	soon_job job = SOON_JOB_INIT;

	job.fn = leave;
	job.arg = &freed;
	job.free_arg = tally_free;
	pthread_cleanup_push((void (*)(void *))soon_executor_free, e);
	soon_submit_many(e, &job, NULL, 3, futures);
	pthread_cleanup_pop(0);
	return NULL;
}

START_TEST(the_rest_of_such_a_submit_fails_as_well)
{
	soon_future *f[3] = { NULL };
	struct actor submitter;

	actor_start(&submitter, leave_inline, f);
	actor_join(&submitter);
	ck_assert_uint_eq(tally_get(&freed), 3);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_null(f[i]);
}
END_TEST

static void note_report(soon_future *f, void *reports)
{
	(void)f;
	tally_add(reports, 1);
}

/* To a full pool; with a limit that the jobs keep, as they start at once. */
static void *leave_in_time(void *e)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f[3];

	job.fn = leave;
	job.start_within = SOON_FOREVER;
	soon_submit_many(e, &job, NULL, 3, f);
	return NULL;
}

START_TEST(nobody_keeps_their_futures)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	struct actor submitter;
	struct tally reports;
	soon_executor *e;

	tally_init(&reports);
	o.workers = 1;
	o.max_workers = 1;
	o.max_pending = 1;
	o.when_full = SOON_CALLER_RUNS;
	o.unread_error = note_report;
	o.unread_ctx = &reports;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	pool_hold(e, &gate, 1);
	actor_start(&submitter, leave_in_time, e);
	actor_join(&submitter);
	ck_assert_uint_eq(tally_get(&reports), 3);
	gate_open(&gate);
	soon_executor_free(e);
	tally_fini(&reports);
}
END_TEST

START_TEST(a_worker_of_another_pool_goes_with_it)
{
	soon_executor *other = pool_of(1);
	soon_future *inner, *outer;

	pool_hold(other, &gate, 1);
	inner = submit(other, leave, NULL);
	outer = submit(pool, wait_for, inner);
	expect_code(outer, SOON_EEXITED);
	expect_code(inner, SOON_EEXITED);
	gate_open(&gate);
	expect_code(submit(pool, return_null, NULL), 0);
	expect_code(submit(other, return_null, NULL), 0);
	soon_executor_free(other);
}
END_TEST

static Suite *exit_suite(void)
{
	Suite *s = suite_create("api_exit_other");
	TCase *tc = tcase_create("exit");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_worker_whose_place_was_taken_goes_with_it);
	tcase_add_test(tc, a_thread_that_helps_goes_with_it);
	tcase_add_loop_test(
		tc,
		a_thread_that_submits_to_a_pool_without_threads_goes_with_it, 0,
		5);
	tcase_add_test(tc, the_rest_of_such_a_submit_fails_as_well);
	tcase_add_test(tc, nobody_keeps_their_futures);
	tcase_add_test(tc, a_worker_of_another_pool_goes_with_it);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(exit_suite());
}
