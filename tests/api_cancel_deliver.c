/*
 * api_cancel_deliver.c - who runs the hooks of a job that is asked to stop, how
 * often, and who waits for them.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>

static soon_executor *pool;
static struct gate gate, inside;
static struct logbook book;

static void setup(void)
{
	pool = pool_of(2);
	gate_init(&gate);
	gate_init(&inside);
	logbook_init(&book, 10000);
}

static void teardown(void)
{
	gate_open(&gate);
	gate_open(&inside);
	soon_executor_free(pool);
	gate_fini(&gate);
	gate_fini(&inside);
	logbook_fini(&book);
}

static void note(void *number)
{
	logbook_add(&book, (int)unbox(number));
}

static void note_inside(void *number)
{
	gate_pass(&inside);
	note(number);
}

static void note_done(soon_future *f, void *number)
{
	(void)f;
	note(number);
}

static void expect_null(soon_future *f)
{
	void *result = &book;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_int_eq((int)unbox(result), 0);
	soon_future_unref(f);
}

/* Waiting for a hook */

static void *cancel(void *f)
{
	return box(soon_future_cancel(f));
}

static _Atomic(pid_t) job_thread;

/* Returns, or pops first, while another thread is in its hook. */
static void *leave_hook(void *pops)
{
	atomic_store(&job_thread, thread_id());
	soon_on_cancel(note_inside, box(3));
	gate_pass(&gate);
	if (pops != NULL)
		soon_off_cancel();
	note(box(pops != NULL ? 2 : 9));
	return NULL;
}

START_TEST(taking_a_hook_off_waits_while_another_thread_runs_it)
{
	soon_future *f = submit(pool, leave_hook, &book);
	struct actor canceller;

	gate_await(&gate, 1);
	actor_start(&canceller, cancel, f);
	gate_await(&inside, 1);
	gate_open(&gate);
	thread_await_asleep(atomic_load(&job_thread));
	ck_assert_uint_eq(logbook_size(&book), 0);
	/* The worker has given its place away. */
	expect_null(submit(pool, return_null, NULL));
	/* Who asks again does not wait. */
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	gate_open(&inside);
	ck_assert_int_eq((int)unbox(actor_join(&canceller)), EBUSY);
	expect_null(f);
	ck_assert_uint_eq(logbook_size(&book), 2);
	ck_assert_int_eq(logbook_at(&book, 0), 3);
	ck_assert_int_eq(logbook_at(&book, 1), 2);
}
END_TEST

START_TEST(the_jobs_end_waits_while_another_thread_runs_a_hook)
{
	soon_future *f = submit(pool, leave_hook, NULL);
	struct actor canceller;

	soon_future_on_done(f, note_done, box(2));
	gate_await(&gate, 1);
	actor_start(&canceller, cancel, f);
	gate_await(&inside, 1);
	gate_open(&gate);
	logbook_await(&book, 1); /* the job is through but for its end */
	thread_await_asleep(atomic_load(&job_thread));
	ck_assert(!soon_future_done(f));
	expect_null(submit(pool, return_null, NULL));
	ck_assert(!soon_future_done(f));
	gate_open(&inside);
	ck_assert_int_eq((int)unbox(actor_join(&canceller)), EBUSY);
	expect_null(f);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_int_eq(logbook_at(&book, 0), 9);
	ck_assert_int_eq(logbook_at(&book, 1), 3);
	ck_assert_int_eq(logbook_at(&book, 2), 2);
}
END_TEST

/* Shutdowns */

static void *hold_with_hook(void *number)
{
	int rc = soon_on_cancel(note, number);

	gate_pass(&gate);
	return box(rc);
}

START_TEST(a_shutdown_runs_the_hooks_of_all_that_runs)
{
	soon_executor *wide = pool_of(16);
	int seen[16] = { 0 };

	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(soon_execute(wide, hold_with_hook, box(i)), 0);
	gate_await(&gate, 16);
	ck_assert_int_eq(soon_executor_shutdown(wide, SOON_CANCEL_RUNNING, 0),
			 EINPROGRESS);
	ck_assert_uint_eq(logbook_size(&book), 16);
	for (size_t i = 0; i < 16; i++)
		seen[logbook_at(&book, i)]++;
	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(seen[i], 1);
	ck_assert_int_eq(soon_executor_shutdown(wide, SOON_CANCEL_RUNNING, 0),
			 EINPROGRESS);
	gate_open(&gate);
	soon_executor_free(wide);
	ck_assert_uint_eq(logbook_size(&book), 16);
}
END_TEST

START_TEST(a_shutdown_leaves_the_jobs_of_other_pools_alone)
{
	soon_future *f = submit(pool, hold_with_hook, box(1));
	soon_executor *other = pool_of(1);

	gate_await(&gate, 1);
	ck_assert_int_eq(soon_executor_shutdown(other, SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	soon_executor_free(other);
	ck_assert_uint_eq(logbook_size(&book), 0);
	gate_open(&gate);
	expect_null(f);
}
END_TEST

static void note_and_open(void *mine)
{
	note(box(1));
	gate_open(mine);
}

/* Its hook is pushed before, while or after the pool is told to stop. */
static void *await_hook(void *unused)
{
	struct gate mine;

	gate_init(&mine);
	gate_pass(&gate);
	soon_on_cancel(note_and_open, &mine);
	gate_pass(&mine);
	soon_off_cancel();
	gate_fini(&mine);
	return unused;
}

START_TEST(a_job_that_starts_in_a_pool_told_to_stop_hears_of_it)
{
	soon_executor *wide = pool_of(4);
	unsigned both = SOON_CANCEL_PENDING | SOON_CANCEL_RUNNING;
	struct rng r = rng_seed((uint64_t)_i);
	soon_future *f[8];
	size_t ran = 0;

	gate_open(&gate);
	for (int i = 0; i < 8; i++)
		f[i] = submit(wide, await_hook, NULL);
	gate_await(&gate, rng_below(&r, 5));
	ck_assert_int_eq(soon_executor_shutdown(wide, both, SOON_FOREVER), 0);
	for (int i = 0; i < 8; i++) {
		ran += soon_future_state(f[i]) == SOON_SUCCEEDED;
		soon_future_unref(f[i]);
	}
	soon_executor_free(wide);
	ck_assert_uint_eq(logbook_size(&book), ran);
}
END_TEST

/* What a hook may do */

struct doing {
	soon_future *other;
	soon_executor *executor;
	int cancel, on, shutdown, wait;
	soon_future *self;
};

static void do_all(void *doing)
{
	struct doing *d = doing;
	soon_future *f = soon_submit(NULL, return_null, NULL);

	d->self = soon_self();
	d->on = soon_on_cancel(note, box(9));
	soon_off_cancel();
	d->cancel = soon_future_cancel(d->other);
	d->wait = soon_future_wait(f, SOON_FOREVER);
	d->shutdown = soon_executor_shutdown(d->executor, 0, SOON_SEC);
	soon_future_unref(f);
}

static void *hold_with_doing(void *doing)
{
	soon_on_cancel(do_all, doing);
	soon_on_cancel(note, box(1));
	gate_pass(&gate);
	return NULL;
}

START_TEST(a_hook_may_submit_wait_cancel_and_push)
{
	struct doing d = { .executor = pool };
	soon_future *f;

	d.other = submit(pool, hold_with_hook, box(2));
	f = submit(pool, hold_with_doing, &d);
	gate_await(&gate, 2);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert_int_eq(d.on, EINVAL);
	ck_assert_ptr_null(d.self);
	ck_assert_int_eq(d.cancel, EBUSY);
	ck_assert_int_eq(d.wait, 0);
	/* The pool's end would wait for the job, whose end for the hook. */
	ck_assert_int_eq(d.shutdown, EDEADLK);
	ck_assert_uint_eq(logbook_size(&book), 2);
	ck_assert_int_eq(logbook_at(&book, 0), 1);
	ck_assert_int_eq(logbook_at(&book, 1), 2);
	soon_future_unref(submit(pool, return_null, NULL));
	gate_open(&gate);
	expect_null(f);
	expect_null(d.other);
}
END_TEST

static void drop(void *f)
{
	soon_future_unref(f);
}

static void *hold_with_drop(void *unused)
{
	soon_on_cancel(note, box(1));
	soon_on_cancel(drop, soon_self());
	gate_pass(&gate);
	(void)unused;
	return NULL;
}

START_TEST(a_hook_may_drop_the_last_reference)
{
	soon_future *f = submit(pool, hold_with_drop, NULL);

	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert_uint_eq(logbook_size(&book), 1);
}
END_TEST

static void *hook_then_sleep(void *unused)
{
	int rc;

	soon_on_cancel(note, box(1));
	gate_pass(&gate);
	rc = soon_sleep(SOON_FOREVER);
	/* At its end it would be taken off, whether or not it has run. */
	logbook_await(&book, 1);
	(void)unused;
	return box(rc == ECANCELED ? 0 : 1);
}

START_TEST(a_job_that_sleeps_is_woken_as_well)
{
	soon_future *f = submit(pool, hook_then_sleep, NULL);

	gate_open(&gate);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert_uint_eq(logbook_size(&book), 1);
	expect_null(f);
}
END_TEST

static Suite *deliver_suite(void)
{
	Suite *s = suite_create("api_cancel_deliver");
	TCase *tc = tcase_create("deliver");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       taking_a_hook_off_waits_while_another_thread_runs_it);
	tcase_add_test(tc, the_jobs_end_waits_while_another_thread_runs_a_hook);
	tcase_add_test(tc, a_shutdown_runs_the_hooks_of_all_that_runs);
	tcase_add_test(tc, a_shutdown_leaves_the_jobs_of_other_pools_alone);
	tcase_add_loop_test(
		tc, a_job_that_starts_in_a_pool_told_to_stop_hears_of_it, 0,
		(int)test_scale(50));
	tcase_add_test(tc, a_hook_may_submit_wait_cancel_and_push);
	tcase_add_test(tc, a_hook_may_drop_the_last_reference);
	tcase_add_test(tc, a_job_that_sleeps_is_woken_as_well);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(deliver_suite());
}
