/*
 * api_cancel_hooks.c - what a running job has called when it is asked to stop.
 */
#include "support/support.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static soon_executor *pool;
static struct gate gate;
static struct logbook book;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	logbook_init(&book, 10000);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	logbook_fini(&book);
}

/* Hooks */

static pthread_t last_thread; /* on which note() ran; read after the call */

static void note(void *number)
{
	last_thread = pthread_self();
	logbook_add(&book, (int)unbox(number));
}

/* The log is from, then one less each time, down to to. */
static void expect_countdown(int from, int to)
{
	ck_assert_uint_eq(logbook_size(&book), (size_t)(from - to + 1));
	for (int i = from; i >= to; i--)
		ck_assert_int_eq(logbook_at(&book, (size_t)(from - i)), i);
}

/* Pushes 1 to the number given, passes the gate. */
static void *push_some(void *number)
{
	int rc = 0;

	for (long i = 1; i <= unbox(number); i++)
		rc |= soon_on_cancel(note, box(i));
	gate_pass(&gate);
	return box(rc);
}

static void expect_null(soon_future *f)
{
	void *result = &book;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_int_eq((int)unbox(result), 0);
	soon_future_unref(f);
}

START_TEST(hooks_run_newest_first_on_the_thread_that_cancels)
{
	soon_future *f = submit(pool, push_some, box(5));

	gate_await(&gate, 1);
	ck_assert_uint_eq(logbook_size(&book), 0);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	expect_countdown(5, 1);
	ck_assert(pthread_equal(last_thread, pthread_self()));
	gate_open(&gate);
	expect_null(f);
}
END_TEST

START_TEST(they_run_once_however_often_it_is_cancelled)
{
	soon_future *f = submit(pool, push_some, box(5));

	gate_await(&gate, 1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_RUNNING, 0),
			 EINPROGRESS);
	expect_countdown(5, 1);
	gate_open(&gate);
	expect_null(f);
	expect_countdown(5, 1);
}
END_TEST

static void *push_late(void *unused)
{
	long rc;

	gate_pass(&gate);
	rc = soon_on_cancel(note, box(3));
	rc |= logbook_size(&book) != 1;
	rc |= !pthread_equal(last_thread, pthread_self());
	rc |= soon_on_cancel(note, box(2));
	rc |= logbook_size(&book) != 2;
	soon_off_cancel();
	rc |= soon_on_cancel(note, box(1));
	(void)unused;
	return box(rc);
}

START_TEST(a_hook_runs_at_once_in_a_job_that_was_asked)
{
	soon_future *f = submit(pool, push_late, NULL);

	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert_uint_eq(logbook_size(&book), 0);
	gate_open(&gate);
	expect_null(f);
	expect_countdown(3, 1);
}
END_TEST

static void *push_and_pop(void *unused)
{
	long rc = soon_on_cancel(note, box(1));

	rc |= soon_on_cancel(note, box(2));
	rc |= soon_on_cancel(note, box(7));
	rc |= soon_on_cancel(note, box(8));
	soon_off_cancel();
	soon_off_cancel();
	gate_pass(&gate);
	/* What has run is popped like any other. */
	soon_off_cancel();
	soon_off_cancel();
	soon_off_cancel();
	(void)unused;
	return box(rc);
}

START_TEST(the_newest_is_taken_off_whether_or_not_it_has_run)
{
	soon_future *f = submit(pool, push_and_pop, NULL);

	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	expect_countdown(2, 1);
	gate_open(&gate);
	expect_null(f);
	expect_countdown(2, 1);
}
END_TEST

/* free_arg: the hooks of the job that ends are off; new ones may be pushed. */
static void cancel_own_job(void *code)
{
	*(int *)code = soon_future_cancel(soon_self());
	soon_on_cancel(note, box(1));
	soon_on_cancel(note, box(2));
}

static void *push_and_return(void *code)
{
	soon_on_cancel(note, box(7));
	return code;
}

START_TEST(the_jobs_end_takes_off_the_rest_before_free_arg_runs)
{
	int code = -1;
	soon_future *f =
		submit_job(pool, SOON_JOB(.fn = push_and_return, .arg = &code,
					  .free_arg = cancel_own_job));

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(code, EBUSY);
	ck_assert_int_eq(soon_future_cancel(f), EALREADY);
	ck_assert_uint_eq(logbook_size(&book), 2);
	ck_assert_int_eq(logbook_at(&book, 0), 1);
	ck_assert_int_eq(logbook_at(&book, 1), 2);
	soon_future_unref(f);
}
END_TEST

static void pop_from_inside(void *number)
{
	note(number);
	soon_off_cancel();
}

static void *cancel_itself(void *unused)
{
	long rc = soon_on_cancel(note, box(1));

	rc |= soon_on_cancel(note, box(2));
	rc |= soon_on_cancel(pop_from_inside, box(3));
	rc |= soon_future_cancel(soon_self()) != EBUSY;
	rc |= logbook_size(&book) != 3;
	rc |= soon_on_cancel(pop_from_inside, box(0));
	(void)unused;
	return box(rc);
}

START_TEST(a_hook_may_take_itself_off)
{
	expect_null(submit(pool, cancel_itself, NULL));
	expect_countdown(3, 0);
}
END_TEST

/* The parent's hook is 1, the child's 2; each cancels the other. */
static void *child(void *parent)
{
	long rc = soon_on_cancel(note, box(2));

	rc |= soon_future_cancel(parent) != EBUSY;
	rc |= logbook_size(&book) != 1;
	rc |= soon_cancel_requested();
	rc |= soon_future_cancel(soon_self()) != EBUSY;
	rc |= logbook_size(&book) != 2;
	soon_off_cancel();
	soon_off_cancel(); /* not the parent's */
	return box(rc);
}

static void *parent(void *unused)
{
	long rc = soon_on_cancel(note, box(1));
	soon_future *f = submit(pool, child, soon_self());
	void *result = &book;

	rc |= soon_future_result(f, SOON_FOREVER, &result);
	rc |= unbox(result);
	soon_future_unref(f);
	(void)unused;
	return box(rc);
}

START_TEST(hooks_belong_to_the_innermost_job_of_a_stack)
{
	expect_null(submit(pool, parent, NULL));
	ck_assert_uint_eq(logbook_size(&book), 2);
	ck_assert_int_eq(logbook_at(&book, 0), 1);
	ck_assert_int_eq(logbook_at(&book, 1), 2);
}
END_TEST

START_TEST(outside_a_job_there_are_none)
{
	ck_assert_int_eq(soon_on_cancel(note, NULL), EINVAL);
	soon_off_cancel();
	gate_open(&gate);
	expect_null(submit(pool, push_some, box(0)));
	ck_assert_uint_eq(logbook_size(&book), 0);
}
END_TEST

static void *push_nothing(void *unused)
{
	(void)unused;
	soon_off_cancel();
	return box(soon_on_cancel(NULL, NULL) == EINVAL ? 0 : 1);
}

START_TEST(a_hook_must_be_given)
{
	expect_null(submit(pool, push_nothing, NULL));
}
END_TEST

static void shut(void *fd)
{
	shutdown((int)unbox(fd), SHUT_RDWR);
}

static void *read_for_ever(void *fd)
{
	long rc = soon_on_cancel(shut, fd);
	char byte;

	gate_pass(&gate);
	rc |= read((int)unbox(fd), &byte, 1);
	soon_off_cancel();
	return box(rc);
}

START_TEST(a_hook_gets_a_job_out_of_a_blocking_call)
{
	soon_future *f;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	gate_open(&gate);
	f = submit(pool, read_for_ever, box(fds[0]));
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	expect_null(f);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static Suite *hooks_suite(void)
{
	Suite *s = suite_create("api_cancel_hooks");
	TCase *tc = tcase_create("hooks");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, hooks_run_newest_first_on_the_thread_that_cancels);
	tcase_add_test(tc, they_run_once_however_often_it_is_cancelled);
	tcase_add_test(tc, a_hook_runs_at_once_in_a_job_that_was_asked);
	tcase_add_test(tc, the_newest_is_taken_off_whether_or_not_it_has_run);
	tcase_add_test(tc,
		       the_jobs_end_takes_off_the_rest_before_free_arg_runs);
	tcase_add_test(tc, a_hook_may_take_itself_off);
	tcase_add_test(tc, hooks_belong_to_the_innermost_job_of_a_stack);
	tcase_add_test(tc, outside_a_job_there_are_none);
	tcase_add_test(tc, a_hook_must_be_given);
	tcase_add_test(tc, a_hook_gets_a_job_out_of_a_blocking_call);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(hooks_suite());
}
