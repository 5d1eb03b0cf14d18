/*
 * api_unread.c - failures that nobody has looked at are reported.
 */
#include "support/support.h"

#include <errno.h>
#include <string.h>

enum { MOST = 16 };

/* What the hook was told. */
static struct {
	void *arg;
	int code;
	char message[32];
	enum soon_state state;
	pthread_t thread;
	void *ctx;
} reports[MOST];
static struct tally reported;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static soon_executor *pool;
static struct gate gate;

static void note(soon_future *f, void *ctx)
{
	unsigned i;

	pthread_mutex_lock(&lock);
	i = tally_get(&reported);
	if (i < MOST) {
		reports[i].arg = soon_future_arg(f);
		reports[i].code = soon_future_error(f);
		strncpy(reports[i].message, soon_future_message(f),
			sizeof(reports[i].message) - 1);
		reports[i].state = soon_future_state(f);
		reports[i].thread = pthread_self();
		reports[i].ctx = ctx;
	}
	tally_add(&reported, 1);
	pthread_mutex_unlock(&lock);
}

static soon_executor *open_with(void (*hook)(soon_future *f, void *ctx),
				unsigned workers, unsigned flags)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = workers;
	o.max_workers = workers;
	o.unread_error = hook;
	o.unread_ctx = &reports;
	o.flags = flags;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void setup(void)
{
	tally_init(&reported);
	gate_init(&gate);
	memset(reports, 0, sizeof(reports));
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

static void *fail_behind_gate(void *arg)
{
	gate_pass(arg);
	return soon_fail(ENOENT, NULL);
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

START_TEST(a_failure_that_nobody_read_is_reported_with_all_that_it_says)
{
	soon_future *f = failed();

	expect_reports(0);
	soon_future_unref(soon_future_ref(f));
	expect_reports(0);
	soon_future_unref(f);
	expect_reports(1);
	ck_assert_ptr_eq(reports[0].arg, &reported);
	ck_assert_int_eq(reports[0].code, EIO);
	ck_assert_str_eq(reports[0].message, "read disk");
	ck_assert_int_eq(reports[0].state, SOON_FAILED);
	ck_assert_ptr_eq(reports[0].ctx, &reports);
	ck_assert(pthread_equal(reports[0].thread, pthread_self()));
	end_pool();
	expect_reports(1);
}
END_TEST

static void read_result(soon_future *f)
{
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), EIO);
}

static void read_error(soon_future *f)
{
	ck_assert_int_eq(soon_future_error(f), EIO);
}

static void read_message(soon_future *f)
{
	ck_assert_str_eq(soon_future_message(f), "read disk");
}

static void read_gather(soon_future *f)
{
	ck_assert_int_eq(soon_gather(&f, 1, SOON_FOREVER, NULL, NULL), EIO);
}

static void read_gather_errors(soon_future *f)
{
	int error = 0;

	ck_assert_int_eq(soon_gather(&f, 1, SOON_FOREVER, NULL, &error), 0);
	ck_assert_int_eq(error, EIO);
}

static void (*const reads[])(soon_future *f) = { read_result, read_error,
						 read_message, read_gather,
						 read_gather_errors };

START_TEST(a_failure_that_was_read_is_not_reported)
{
	soon_future *f = failed();

	reads[_i](f);
	soon_future_unref(f);
	expect_reports(0);
}
END_TEST

START_TEST(looking_at_the_state_or_waiting_is_no_read)
{
	soon_future *f = failed();
	soon_completions *set = soon_as_completed(&f, 1);
	soon_future *next = NULL;
	size_t index = 1;

	ck_assert(soon_future_done(f));
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_wait_all(&f, 1, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_wait_any(&f, 1, SOON_FOREVER, &index), 0);
	ck_assert_ptr_null(soon_future_take(f));
	ck_assert_int_eq(soon_completions_next(set, 0, &next), 0);
	soon_completions_free(set);
	soon_future_unref(f);
	expect_reports(1);
}
END_TEST

START_TEST(asking_before_it_failed_is_no_read)
{
	soon_future *f = submit(pool, fail_behind_gate, &gate);
	int error = 0;

	ck_assert_int_eq(soon_future_error(f), EBUSY);
	ck_assert_str_eq(soon_future_message(f), "");
	ck_assert_int_eq(soon_future_result(f, 0, NULL), ETIMEDOUT);
	ck_assert_int_eq(soon_gather(&f, 1, 0, NULL, NULL), ETIMEDOUT);
	ck_assert_int_eq(soon_gather(&f, 1, 0, NULL, &error), ETIMEDOUT);
	ck_assert_int_eq(error, EBUSY);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	pass_worker();
	soon_future_unref(f);
	expect_reports(1);
	ck_assert_int_eq(reports[0].code, ENOENT);
}
END_TEST

START_TEST(a_gather_that_fails_has_read_all_that_had_failed)
{
	soon_future *f[3] = { failed(), submit(pool, return_null, NULL),
			      failed() };

	ck_assert_int_eq(soon_future_wait(f[1], SOON_FOREVER), 0);
	ck_assert_int_eq(soon_gather(f, 3, SOON_FOREVER, NULL, NULL), EIO);
	for (int i = 0; i < 3; i++)
		soon_future_unref(f[i]);
	expect_reports(0);
}
END_TEST

START_TEST(what_fails_after_a_gather_has_returned_is_reported)
{
	soon_future *f[2];

	f[0] = failed();
	f[1] = submit(pool, fail_behind_gate, &gate);
	ck_assert_int_eq(soon_gather(f, 2, SOON_FOREVER, NULL, NULL), EIO);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(f[1], SOON_FOREVER), 0);
	pass_worker();
	soon_future_unref(f[0]);
	expect_reports(0);
	soon_future_unref(f[1]);
	expect_reports(1);
}
END_TEST

START_TEST(a_map_has_read_all_its_jobs_also_those_that_fail_later)
{
	void *args[3] = { &gate, &gate, &gate };
	int errors[3];

	ck_assert_int_eq(soon_map(pool, SOON_JOB(.fn = fail_behind_gate), args,
				  3, 1, NULL, NULL),
			 ETIMEDOUT);
	gate_open(&gate);
	ck_assert_int_eq(soon_map(pool, SOON_JOB(.fn = fail_io), args, 3,
				  SOON_FOREVER, NULL, NULL),
			 EIO);
	ck_assert_int_eq(soon_map(pool, SOON_JOB(.fn = fail_io), args, 3,
				  SOON_FOREVER, NULL, errors),
			 0);
	ck_assert_int_eq(errors[2], EIO);
	end_pool();
	expect_reports(0);
}
END_TEST

START_TEST(fire_and_forget_is_reported_on_the_worker_before_the_pool_ends)
{
	ck_assert_int_eq(soon_execute(pool, fail_io, &gate), 0);
	ck_assert_int_eq(soon_submit_many(pool, SOON_JOB(.fn = fail_io), NULL,
					  3, NULL),
			 0);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	end_pool();
	expect_reports(4);
	ck_assert_ptr_eq(reports[0].arg, &gate);
	ck_assert_ptr_null(reports[3].arg);
	for (int i = 0; i < 4; i++)
		ck_assert(!pthread_equal(reports[i].thread, pthread_self()));
}
END_TEST

START_TEST(what_was_dropped_before_it_failed_is_reported_on_the_worker)
{
	soon_future_unref(submit(pool, fail_behind_gate, &gate));
	gate_open(&gate);
	tally_await(&reported, 1);
	ck_assert(!pthread_equal(reports[0].thread, pthread_self()));
}
END_TEST

static void read_in_callback(soon_future *f, void *ctx)
{
	(void)ctx;
	(void)soon_future_error(f);
}

START_TEST(a_callback_can_read_it_for_nobody)
{
	soon_future *f = submit(pool, fail_behind_gate, &gate);

	ck_assert_int_eq(soon_future_on_done(f, read_in_callback, NULL), 0);
	soon_future_unref(f);
	end_pool();
	expect_reports(0);
}
END_TEST

START_TEST(success_and_cancellation_are_no_errors)
{
	soon_future *ok = submit(pool, return_null, NULL);
	soon_future *f;

	pool_hold(pool, &gate, 1);
	f = submit(pool, fail_io, NULL);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	soon_future_unref(f);
	soon_future_unref(ok);
	f = submit(pool, fail_io, NULL);
	soon_future_unref(f);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	end_pool();
	expect_reports(0);
}
END_TEST

START_TEST(a_promise_is_nobodys)
{
	soon_future *f = soon_future_new(NULL);

	ck_assert_int_eq(soon_future_set_error(f, EIO, NULL), 0);
	soon_future_unref(f);
	soon_future_unref(soon_future_new(NULL));
	expect_reports(0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_unread");
	TCase *t = tcase_create("unread");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(
		t,
		a_failure_that_nobody_read_is_reported_with_all_that_it_says);
	tcase_add_loop_test(t, a_failure_that_was_read_is_not_reported, 0,
			    COUNT_OF(reads));
	tcase_add_test(t, looking_at_the_state_or_waiting_is_no_read);
	tcase_add_test(t, asking_before_it_failed_is_no_read);
	tcase_add_test(t, a_gather_that_fails_has_read_all_that_had_failed);
	tcase_add_test(t, what_fails_after_a_gather_has_returned_is_reported);
	tcase_add_test(t,
		       a_map_has_read_all_its_jobs_also_those_that_fail_later);
	tcase_add_test(
		t,
		fire_and_forget_is_reported_on_the_worker_before_the_pool_ends);
	tcase_add_test(
		t, what_was_dropped_before_it_failed_is_reported_on_the_worker);
	tcase_add_test(t, a_callback_can_read_it_for_nobody);
	tcase_add_test(t, success_and_cancellation_are_no_errors);
	tcase_add_test(t, a_promise_is_nobodys);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
