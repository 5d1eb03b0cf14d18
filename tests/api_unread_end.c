/*
 * api_unread_end.c - unread failures at the ends of things: of the executor, of
 * its threads, of the future itself.
 */
#include "support/support.h"

#include <errno.h>

static struct tally reported;
static pthread_t reporter; /* the first */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static soon_executor *pool;
static struct gate gate;
static soon_future *kept;

static void note(soon_future *f, void *ctx)
{
	(void)soon_future_error(f);
	(void)ctx;
	pthread_mutex_lock(&lock);
	if (tally_get(&reported) == 0)
		reporter = pthread_self();
	tally_add(&reported, 1);
	pthread_mutex_unlock(&lock);
}

static void keep(soon_future *f, void *ctx)
{
	note(f, ctx);
	kept = soon_future_ref(f);
}

static void hold(soon_future *f, void *ctx)
{
	gate_pass(&gate);
	note(f, ctx);
}

static soon_executor *open_with(void (*hook)(soon_future *f, void *ctx),
				unsigned workers, unsigned flags)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = workers;
	o.max_workers = workers;
	o.unread_error = hook;
	o.flags = flags;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void setup(void)
{
	tally_init(&reported);
	gate_init(&gate);
	kept = NULL;
	pool = open_with(note, 1, 0);
}

static void end_pool(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

static void teardown(void)
{
	end_pool();
	tally_fini(&reported);
	gate_fini(&gate);
}

static void *fail_io(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "read %s", "disk");
}

/* The worker has done with what it did before. */
static void pass_worker(void)
{
	soon_future *f = submit(pool, return_null, NULL);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

/* A future that has failed, and that nobody has read. */
static soon_future *failed(void)
{
	soon_future *f = submit(pool, fail_io, &reported);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	pass_worker();
	return f;
}

static void expect_reports(unsigned n)
{
	ck_assert_uint_eq(tally_get(&reported), n);
}

START_TEST(the_executor_may_be_gone)
{
	soon_future *f[2] = { failed(), failed() };

	end_pool();
	expect_reports(0);
	soon_future_unref(f[1]);
	expect_reports(1);
	(void)soon_future_error(f[0]);
	soon_future_unref(f[0]);
	expect_reports(1);
}
END_TEST

START_TEST(a_reference_that_the_hook_keeps_is_good_and_the_last)
{
	soon_future *f;

	end_pool();
	pool = open_with(keep, 1, 0);
	f = failed();
	end_pool();
	soon_future_unref(f);
	expect_reports(1);
	ck_assert_ptr_eq(kept, f);
	ck_assert_int_eq(soon_future_wait(kept, SOON_FOREVER), 0);
	ck_assert_str_eq(soon_future_message(kept), "read disk");
	soon_future_unref(soon_future_ref(kept));
	soon_future_unref(kept);
	expect_reports(1);
}
END_TEST

/* Nothing of the future was read, and the last reference was the worker's. */
static void keep_unread(soon_future *f, void *ctx)
{
	(void)ctx;
	kept = soon_future_ref(f);
	tally_add(&reported, 1);
}

START_TEST(it_is_reported_once_even_if_the_hook_reads_nothing)
{
	end_pool();
	pool = open_with(keep_unread, 1, 0);
	ck_assert_int_eq(soon_execute(pool, fail_io, NULL), 0);
	end_pool();
	expect_reports(1);
	soon_future_unref(kept);
	expect_reports(1);
}
END_TEST

START_TEST(a_shutdown_waits_for_the_hook_on_a_worker)
{
	end_pool();
	gate_shut(&gate);
	pool = open_with(hold, 1, 0);
	ck_assert_int_eq(soon_execute(pool, fail_io, NULL), 0);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_MSEC), ETIMEDOUT);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_reports(1);
}
END_TEST

static void submit_more(soon_future *f, void *ctx)
{
	note(f, ctx);
	if (tally_get(&reported) < 3) {
		soon_future *more = soon_submit(pool, fail_io, NULL);

		if (more != NULL)
			(void)soon_future_wait(more, SOON_FOREVER);
		soon_future_unref(more);
	}
}

START_TEST(the_hook_may_submit_and_wait_and_be_called_again)
{
	end_pool();
	pool = open_with(submit_more, 1, 0);
	ck_assert_int_eq(soon_execute(pool, fail_io, NULL), 0);
	tally_await(&reported, 3);
}
END_TEST

START_TEST(a_pool_without_threads_reports_in_the_submit)
{
	end_pool();
	pool = open_with(note, 0, SOON_INLINE);
	ck_assert_int_eq(soon_execute(pool, fail_io, NULL), 0);
	expect_reports(1);
	ck_assert(pthread_equal(reporter, pthread_self()));
	soon_future_unref(submit(pool, fail_io, NULL));
	expect_reports(2);
}
END_TEST

START_TEST(a_helping_thread_may_be_the_one)
{
	soon_future *f;

	end_pool();
	gate_shut(&gate);
	pool = open_with(note, 1, SOON_HELP);
	pool_hold(pool, &gate, 1);
	f = failed(); /* run here: the worker is held */
	soon_future_unref(f);
	expect_reports(0); /* the queue still leads to it */
	end_pool();
	expect_reports(1);
}
END_TEST

static int refuse(void *ctx)
{
	gate_pass(ctx);
	return 1;
}

START_TEST(what_a_broken_pool_fails_is_reported)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.worker_init = refuse;
	o.worker_ctx = &gate;
	o.unread_error = note;
	e = soon_executor_open(&o);
	ck_assert_int_eq(soon_execute(e, return_null, &gate), 0);
	gate_open(&gate);
	soon_executor_free(e);
	expect_reports(1);
	ck_assert(!pthread_equal(reporter, pthread_self()));
}
END_TEST

static void *unref_job(void *f)
{
	soon_future_unref(f);
	return NULL;
}

START_TEST(many_threads_that_drop_it_report_it_once)
{
	soon_executor *droppers = pool_of(2);

	for (unsigned i = 0; i < test_scale(2000); i++) {
		soon_future *f = submit(pool, fail_io, NULL);

		soon_future_ref(f);
		ck_assert_int_eq(soon_execute(droppers, unref_job, f), 0);
		soon_future_unref(f);
	}
	soon_executor_free(droppers);
	end_pool();
	expect_reports(test_scale(2000));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_unread_end");
	TCase *t = tcase_create("unread");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_executor_may_be_gone);
	tcase_add_test(t, a_reference_that_the_hook_keeps_is_good_and_the_last);
	tcase_add_test(t, it_is_reported_once_even_if_the_hook_reads_nothing);
	tcase_add_test(t, a_shutdown_waits_for_the_hook_on_a_worker);
	tcase_add_test(t, the_hook_may_submit_and_wait_and_be_called_again);
	tcase_add_test(t, a_pool_without_threads_reports_in_the_submit);
	tcase_add_test(t, a_helping_thread_may_be_the_one);
	tcase_add_test(t, what_a_broken_pool_fails_is_reported);
	tcase_add_test(t, many_threads_that_drop_it_report_it_once);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
