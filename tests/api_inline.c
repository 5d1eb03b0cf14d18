/*
 * api_inline.c - pools without threads: SOON_INLINE.
 */
#include "support/support.h"

#include <errno.h>

static soon_executor *pool;
static struct gate gate;
static struct logbook book;
static struct tally freed;

static void setup(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.flags = SOON_INLINE;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
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

static void *note(void *number)
{
	logbook_add(&book, (int)unbox(number));
	return number;
}

static void note_done(soon_future *f, void *number)
{
	(void)f;
	logbook_add(&book, (int)unbox(number));
}

static void *own_thread(void *arg)
{
	*(pthread_t *)arg = pthread_self();
	return arg;
}

static void *fail_io(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "read %s", "disk");
}

START_TEST(a_submit_runs_the_job_at_once_on_the_caller)
{
	unsigned before = thread_count();
	pthread_t thread;
	soon_future *f = submit(pool, own_thread, &thread);
	void *result = NULL;

	ck_assert(soon_future_done(f));
	ck_assert(pthread_equal(thread, pthread_self()));
	ck_assert_int_eq(soon_future_wait(f, 0), 0);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &thread);
	ck_assert_int_eq(soon_future_cancel(f), EALREADY);
	ck_assert_uint_eq(thread_count(), before);
	soon_future_unref(f);
}
END_TEST

START_TEST(every_submit_runs_in_its_place)
{
	void *args[3] = { box(2), box(3), box(4) };
	soon_future *f[3] = { NULL };

	ck_assert_int_eq(soon_execute(pool, note, box(0)), 0);
	soon_future_unref(
		submit_job(pool, SOON_JOB(.fn = note, .arg = box(1))));
	ck_assert_int_eq(
		soon_submit_many(pool, SOON_JOB(.fn = note), args, 3, f), 0);
	ck_assert_uint_eq(logbook_size(&book), 5);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(logbook_at(&book, (size_t)i), i);
	for (int i = 0; i < 3; i++) {
		void *result = NULL;

		ck_assert_int_eq(soon_future_result(f[i], 0, &result), 0);
		ck_assert_ptr_eq(result, args[i]);
		soon_future_unref(f[i]);
	}
}
END_TEST

START_TEST(errors_and_destructors_are_as_elsewhere)
{
	soon_future *bad =
		submit_job(pool, SOON_JOB(.fn = fail_io, .arg = &freed,
					  .free_arg = tally_free,
					  .free_result = tally_free));
	soon_future *good =
		submit_job(pool, SOON_JOB(.fn = return_arg, .arg = &freed,
					  .free_arg = tally_free,
					  .free_result = tally_free));

	ck_assert_uint_eq(tally_get(&freed), 2);
	ck_assert_int_eq(soon_future_error(bad), EIO);
	ck_assert_str_eq(soon_future_message(bad), "read disk");
	ck_assert_int_eq(soon_future_on_done(bad, note_done, box(5)), 0);
	ck_assert_int_eq(logbook_at(&book, 0), 5);
	soon_future_unref(bad);
	ck_assert_uint_eq(tally_get(&freed), 2);
	soon_future_unref(good);
	ck_assert_uint_eq(tally_get(&freed), 3);
	ck_assert_int_eq(soon_execute(pool, fail_io, NULL), 0);
}
END_TEST

/* 3 2 1 0 go in, 0 1 2 3 come out; each knows itself before and after. */
static void *nest(void *number)
{
	long n = unbox(number);
	soon_future *self = soon_self(), *f;
	void *result = NULL;

	if (self == NULL || soon_future_state(self) != SOON_RUNNING)
		return soon_fail(EINVAL, "lost at %ld", n);
	if (n > 0) {
		f = soon_submit(pool, nest, box(n - 1));
		if (soon_future_result(f, SOON_FOREVER, &result) != 0 ||
		    unbox(result) != n - 1 || soon_self() != self)
			return soon_fail(EINVAL, "lost after %ld", n);
		soon_future_unref(f);
	}
	return note(number);
}

START_TEST(nested_submits_nest)
{
	soon_future *f = submit(pool, nest, box(20));

	ck_assert_str_eq(soon_future_message(f), "");
	ck_assert_int_eq(soon_future_result(f, 0, NULL), 0);
	ck_assert_ptr_null(soon_self());
	ck_assert_uint_eq(logbook_size(&book), 21);
	for (int i = 0; i <= 20; i++)
		ck_assert_int_eq(logbook_at(&book, (size_t)i), i);
	soon_future_unref(f);
}
END_TEST

static void *wait_for_myself(void *arg)
{
	(void)arg;
	return box(soon_future_wait(soon_self(), SOON_FOREVER));
}

static void *wait_for_promise(void *promise)
{
	return box(soon_future_wait(promise, SOON_MSEC));
}

START_TEST(waits_in_inline_jobs_work)
{
	soon_future *promise = soon_future_new(NULL);
	soon_future *self = submit(pool, wait_for_myself, NULL);
	soon_future *timed = submit(pool, wait_for_promise, promise);
	void *rc = NULL;

	ck_assert_int_eq(soon_future_result(self, 0, &rc), 0);
	ck_assert_int_eq(unbox(rc), EDEADLK);
	ck_assert_int_eq(soon_future_result(timed, 0, &rc), 0);
	ck_assert_int_eq(unbox(rc), ETIMEDOUT);
	soon_future_unref(promise);
	soon_future_unref(self);
	soon_future_unref(timed);
}
END_TEST

static void *sleep_until_asked(void *arg)
{
	(void)arg;
	gate_pass(&gate);
	return box(soon_sleep(SOON_FOREVER) == ECANCELED &&
				   soon_cancel_requested()
			   ? 0
			   : -1);
}

static void *submit_sleeper(void *arg)
{
	soon_future *f = soon_submit(pool, sleep_until_asked, arg);
	void *result = box(-2);

	soon_future_result(f, 0, &result);
	soon_future_unref(f);
	return result;
}

START_TEST(a_shutdown_waits_for_jobs_on_their_callers)
{
	struct actor actor;

	gate_open(&gate);
	actor_start(&actor, submit_sleeper, NULL);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING,
						SOON_MSEC),
			 ETIMEDOUT);
	ck_assert_int_eq(soon_execute(pool, note, NULL), ESHUTDOWN);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	ck_assert_int_eq(unbox(actor_join(&actor)), 0);
	ck_assert_uint_eq(logbook_size(&book), 0);
}
END_TEST

static void *shut_down(void *timeout)
{
	return box(soon_executor_shutdown(pool, 0, *(soon_nsec *)timeout));
}

START_TEST(an_inline_job_cannot_wait_for_its_pool_to_end)
{
	soon_nsec timeout = SOON_FOREVER;
	soon_future *f = submit(pool, shut_down, &timeout);
	void *rc = NULL;

	ck_assert_int_eq(soon_future_result(f, 0, &rc), 0);
	ck_assert_int_eq(unbox(rc), EDEADLK);
	soon_future_unref(f);
	timeout = 0;
	f = submit(pool, shut_down, &timeout);
	ck_assert_int_eq(soon_future_result(f, 0, &rc), 0);
	ck_assert_int_eq(unbox(rc), EINPROGRESS);
	soon_future_unref(f);
	ck_assert_int_eq(soon_execute(pool, note, NULL), ESHUTDOWN);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
}
END_TEST

static void *submit_many_notes(void *arg)
{
	long wrong = 0;

	for (int i = 0; i < 1000; i++) {
		soon_future *f = soon_submit(pool, note, box(i));
		void *result = NULL;

		wrong += soon_future_result(f, 0, &result) != 0;
		wrong += unbox(result) != i;
		soon_future_unref(f);
	}
	return arg == NULL ? box(wrong) : NULL;
}

START_TEST(many_threads_share_an_inline_pool)
{
	struct actor actors[4];

	for (size_t i = 0; i < COUNT_OF(actors); i++)
		actor_start(&actors[i], submit_many_notes, NULL);
	for (size_t i = 0; i < COUNT_OF(actors); i++)
		ck_assert_int_eq(unbox(actor_join(&actors[i])), 0);
	ck_assert_uint_eq(logbook_size(&book), 1000 * COUNT_OF(actors));
}
END_TEST

static soon_future *several[3], *seen[3];

/* The second is cancelled by the first, which ends its thread. */
static void *cancel_next_and_leave(void *unused)
{
	for (size_t i = 0; i < COUNT_OF(several); i++)
		seen[i] = soon_future_ref(several[i]);
	soon_future_cancel(seen[1]);
	pthread_exit(unused);
}

static void *submit_several(void *unused)
{
	(void)unused;
	soon_submit_many(pool, SOON_JOB(.fn = cancel_next_and_leave), NULL,
			 COUNT_OF(several), several);
	return box(1);
}

START_TEST(jobs_after_one_that_ends_the_thread_fail_unless_cancelled)
{
	static const int codes[] = { SOON_EEXITED, ECANCELED, SOON_EEXITED };
	struct actor submitter;

	actor_start(&submitter, submit_several, NULL);
	ck_assert_ptr_null(actor_join(&submitter));
	for (size_t i = 0; i < COUNT_OF(several); i++) {
		ck_assert_ptr_null(several[i]);
		ck_assert_int_eq(soon_future_result(seen[i], 0, NULL),
				 codes[i]);
		soon_future_unref(seen[i]);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("inline");
	TCase *t = tcase_create("inline");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_submit_runs_the_job_at_once_on_the_caller);
	tcase_add_test(t, every_submit_runs_in_its_place);
	tcase_add_test(t, errors_and_destructors_are_as_elsewhere);
	tcase_add_test(t, nested_submits_nest);
	tcase_add_test(t, waits_in_inline_jobs_work);
	tcase_add_test(t, a_shutdown_waits_for_jobs_on_their_callers);
	tcase_add_test(t, an_inline_job_cannot_wait_for_its_pool_to_end);
	tcase_add_test(t, many_threads_share_an_inline_pool);
	tcase_add_test(
		t, jobs_after_one_that_ends_the_thread_fail_unless_cancelled);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
