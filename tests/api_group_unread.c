/*
 * api_group_unread.c - of the failures in a group one at most is reported.
 */
#include "support/group.h"

#include <errno.h>

static soon_executor *pool;
static soon_group *group;
static struct gate gate;
static struct tally reported;
static atomic_int code;

static void note(soon_future *f, void *unused)
{
	(void)unused;
	atomic_store(&code, soon_future_error(f));
	tally_add(&reported, 1);
}

static void setup(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = 3;
	o.max_workers = 3;
	o.unread_error = note;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	group = group_of(pool);
	gate_init(&gate);
	tally_init(&reported);
	atomic_store(&code, 0);
}

static void teardown(void)
{
	gate_open(&gate);
	tally_fini(&reported);
	gate_fini(&gate);
}

/* The pool has ended: who would report has. */
static void end(unsigned reports)
{
	soon_group_free(group);
	soon_executor_free(pool);
	ck_assert_uint_eq(tally_get(&reported), reports);
}

static void *fail_at_once(void *unused)
{
	(void)unused;
	gate_await(&gate, 2);
	return soon_fail(EIO, "the first");
}

static void *fail_when_asked(void *unused)
{
	(void)unused;
	gate_pass(&gate);
	soon_sleep(SOON_FOREVER);
	return soon_fail(ENOENT, "a later one");
}

/* Three failures. */
static void fail_all(void)
{
	join(group, fail_when_asked, NULL);
	join(group, fail_when_asked, NULL);
	join(group, fail_at_once, NULL);
	gate_await(&gate, 2);
	gate_open(&gate);
	ck_assert_int_eq(soon_group_wait(group, SOON_FOREVER), 0);
}

START_TEST(the_first_failure_is_reported_when_the_group_goes)
{
	ck_assert_int_eq(soon_group_error(group), 0);
	ck_assert_str_eq(soon_group_message(group), "");
	fail_all();
	ck_assert_uint_eq(tally_get(&reported), 0);
	end(1);
	ck_assert_int_eq(atomic_load(&code), EIO);
}
END_TEST

START_TEST(a_failure_that_was_read_is_not_reported)
{
	fail_all();
	if (_i == 0)
		ck_assert_int_eq(soon_group_error(group), EIO);
	else
		ck_assert_str_eq(soon_group_message(group), "the first");
	end(0);
}
END_TEST

START_TEST(failures_in_a_cancelled_group_are_not_reported)
{
	join(group, fail_when_asked, NULL);
	gate_await(&gate, 1);
	gate_open(&gate);
	soon_group_cancel(group);
	ck_assert_int_eq(soon_group_wait(group, SOON_FOREVER), 0);
	end(0);
}
END_TEST

START_TEST(a_group_may_report_after_its_executor)
{
	fail_all();
	soon_executor_free(pool);
	ck_assert_uint_eq(tally_get(&reported), 0);
	soon_group_free(group);
	ck_assert_uint_eq(tally_get(&reported), 1);
}
END_TEST

static Suite *unread_suite(void)
{
	Suite *s = suite_create("api_group_unread");
	TCase *tc = tcase_create("api_group_unread");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, the_first_failure_is_reported_when_the_group_goes);
	tcase_add_loop_test(tc, a_failure_that_was_read_is_not_reported, 0, 2);
	tcase_add_test(tc, failures_in_a_cancelled_group_are_not_reported);
	tcase_add_test(tc, a_group_may_report_after_its_executor);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(unread_suite());
}
