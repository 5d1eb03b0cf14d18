/*
 * api_error.c - codes, their texts and names, soon_fail, and the version.
 */
#include "support/support.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int own_codes[] = { SOON_EBROKEN, SOON_EFORKED, SOON_EEXITED,
				 SOON_EDROPPED };
static const char *const own_names[] = { "SOON_EBROKEN", "SOON_EFORKED",
					 "SOON_EEXITED", "SOON_EDROPPED" };

static soon_executor *pool;

static void setup(void)
{
	pool = pool_of(1);
}

static void teardown(void)
{
	soon_executor_free(pool);
}

START_TEST(own_codes_lie_outside_errnos)
{
	for (size_t i = 0; i < COUNT_OF(own_codes); i++) {
		ck_assert_int_gt(own_codes[i], 4096);
		for (size_t j = 0; j < i; j++)
			ck_assert_int_ne(own_codes[i], own_codes[j]);
	}
}
END_TEST

START_TEST(every_own_code_has_a_text_and_a_name)
{
	for (size_t i = 0; i < COUNT_OF(own_codes); i++) {
		const char *text = soon_strerror(own_codes[i]);

		ck_assert_ptr_nonnull(text);
		ck_assert_uint_gt(strlen(text), 4);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(text, soon_strerror(own_codes[j]));
		ck_assert_str_ne(text, soon_strerror(4095));
		ck_assert_str_eq(soon_error_name(own_codes[i]), own_names[i]);
	}
}
END_TEST

START_TEST(errnos_codes_have_names)
{
	static const struct {
		int code;
		const char *name;
	} known[] = {
		{ EPERM, "EPERM" },	    { ENOENT, "ENOENT" },
		{ EINTR, "EINTR" },	    { EIO, "EIO" },
		{ EBADF, "EBADF" },	    { EAGAIN, "EAGAIN" },
		{ ENOMEM, "ENOMEM" },	    { EACCES, "EACCES" },
		{ EBUSY, "EBUSY" },	    { EEXIST, "EEXIST" },
		{ EINVAL, "EINVAL" },	    { EPIPE, "EPIPE" },
		{ EDEADLK, "EDEADLK" },	    { ENODATA, "ENODATA" },
		{ ENOTSUP, "ENOTSUP" },	    { ESHUTDOWN, "ESHUTDOWN" },
		{ ETIMEDOUT, "ETIMEDOUT" }, { EALREADY, "EALREADY" },
		{ ECANCELED, "ECANCELED" }, { EINPROGRESS, "EINPROGRESS" },
	};

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		const char *name = soon_error_name(known[i].code);

		/* Where two names have one value either may be given. */
		if (known[i].code == ENOTSUP && ENOTSUP == EOPNOTSUPP)
			ck_assert_ptr_nonnull(name);
		else
			ck_assert_str_eq(name, known[i].name);
		ck_assert_str_eq(soon_strerror(known[i].code),
				 strerror(known[i].code));
	}
	ck_assert_str_eq(soon_error_name(0), "0");
}
END_TEST

START_TEST(unknown_codes_have_a_text_and_no_name)
{
	static const int unknown[] = { -1,	INT_MIN, INT_MAX, 4095,
				       0x50000, 0x50005, 999999 };

	for (size_t i = 0; i < COUNT_OF(unknown); i++) {
		ck_assert_ptr_null(soon_error_name(unknown[i]));
		ck_assert_ptr_nonnull(soon_strerror(unknown[i]));
		ck_assert_uint_gt(strlen(soon_strerror(unknown[i])), 0);
	}
	ck_assert_ptr_nonnull(soon_strerror(0));
	ck_assert_uint_gt(strlen(soon_strerror(0)), 0);
}
END_TEST

/* The text stays what it is while other threads ask for others. */
static void *ask_texts(void *arg)
{
	int code = (int)unbox(arg);
	char *mine = strdup(soon_strerror(code));
	long wrong = mine == NULL;

	for (int i = 0; i < 2000 && mine != NULL; i++)
		wrong += strcmp(soon_strerror(code), mine) != 0;
	free(mine);
	return box(wrong);
}

START_TEST(texts_belong_to_the_thread_that_asks)
{
	static const int codes[] = { EIO, SOON_EBROKEN, 70001, 70002, -7, 0 };
	struct actor actors[COUNT_OF(codes)];

	for (size_t i = 0; i < COUNT_OF(codes); i++)
		actor_start(&actors[i], ask_texts, box(codes[i]));
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		ck_assert_int_eq(unbox(actor_join(&actors[i])), 0);
}
END_TEST

START_TEST(library_and_headers_say_the_same_version)
{
	char start[64];
	int n = snprintf(start, sizeof(start), "%d.%d.%d", SOON_VERSION_MAJOR,
			 SOON_VERSION_MINOR, SOON_VERSION_PATCH);

	ck_assert_str_eq(soon_version(), SOON_VERSION_STRING);
	ck_assert_int_eq(strncmp(soon_version(), start, (size_t)n), 0);
}
END_TEST

/* Run fn once; it must fail like this. */
static void expect_failure(soon_fn *fn, void *arg, int code,
			   const char *message)
{
	soon_future *f = submit(pool, fn, arg);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), code);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert_int_eq(soon_future_error(f), code);
	ck_assert_str_eq(soon_future_message(f), message);
	soon_future_unref(f);
}

static void expect_success(soon_fn *fn, void *arg, void *expected)
{
	soon_future *f = submit(pool, fn, arg);
	void *result = NULL;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, expected);
	ck_assert_str_eq(soon_future_message(f), "");
	soon_future_unref(f);
}

static void *fail_formatted(void *arg)
{
	return soon_fail(EIO, "read %s: sector %ld", "disk", unbox(arg));
}

static void *fail_with(void *arg)
{
	return soon_fail((int)unbox(arg), NULL);
}

static void *fail_with_empty(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "%s", "");
}

static void *fail_long(void *text)
{
	return soon_fail(EIO, "%s", (char *)text);
}

START_TEST(a_failure_keeps_its_code_and_message)
{
	char text[20001];

	memset(text, 't', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect_failure(fail_formatted, box(7), EIO, "read disk: sector 7");
	expect_failure(fail_with, box(EPERM), EPERM, soon_strerror(EPERM));
	expect_failure(fail_with_empty, NULL, EIO, "");
	expect_failure(fail_long, text, EIO, text);
}
END_TEST

START_TEST(an_empty_message_is_one_too)
{
	soon_future *f = soon_future_new(NULL);

	ck_assert_int_eq(soon_future_set_error(f, EIO, "%s", ""), 0);
	ck_assert_str_eq(soon_future_message(f), "");
	soon_future_unref(f);
}
END_TEST

START_TEST(code_zero_counts_as_einval)
{
	expect_failure(fail_with, box(0), EINVAL, soon_strerror(EINVAL));
}
END_TEST

static void *fail_in_vain(void *arg)
{
	(void)soon_fail(EIO, "not returned");
	return arg;
}

static void *fail_twice(void *arg)
{
	(void)arg;
	(void)soon_fail(EIO, "first");
	return soon_fail(ENOENT, "second");
}

START_TEST(a_failure_that_is_not_returned_has_no_effect)
{
	expect_success(fail_in_vain, &pool, &pool);
	expect_success(fail_in_vain, NULL, NULL);
	expect_success(return_null, NULL, NULL);
	expect_failure(fail_twice, NULL, ENOENT, "second");
	expect_success(return_arg, &pool, &pool);
}
END_TEST

START_TEST(outside_a_job_failing_has_no_effect)
{
	(void)soon_fail(EIO, "nobody's");
	(void)soon_fail(0, NULL);
	expect_success(return_null, NULL, NULL);
}
END_TEST

/* Waits for a job that fails and that it runs itself; 0 if that went right. */
static int nest(void)
{
	soon_future *f = soon_submit(pool, fail_formatted, box(3));
	int rc = soon_future_result(f, SOON_FOREVER, NULL);
	int wrong = rc != EIO ||
		    strcmp(soon_future_message(f), "read disk: sector 3") != 0;

	soon_future_unref(f);
	return wrong;
}

static void *succeed_around(void *arg)
{
	return nest() == 0 ? arg : NULL;
}

static void *fail_after(void *arg)
{
	(void)arg;
	return nest() == 0 ? soon_fail(EPERM, "outer") : NULL;
}

static void *fail_before(void *arg)
{
	void *failure = soon_fail(EPERM, "outer %d", 1);

	(void)arg;
	return nest() == 0 ? failure : NULL;
}

static void *fail_before_without_message(void *arg)
{
	void *failure = soon_fail(EPERM, NULL);

	(void)arg;
	return nest() == 0 ? failure : NULL;
}

/* What the job below does must not become the failure of the one that waits. */
START_TEST(a_nested_failure_is_the_nested_jobs_own)
{
	expect_success(succeed_around, &pool, &pool);
	expect_failure(fail_after, NULL, EPERM, "outer");
	expect_failure(fail_before, NULL, EPERM, "outer 1");
	expect_failure(fail_before_without_message, NULL, EPERM,
		       soon_strerror(EPERM));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("error");
	TCase *t = tcase_create("codes");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, own_codes_lie_outside_errnos);
	tcase_add_test(t, every_own_code_has_a_text_and_a_name);
	tcase_add_test(t, errnos_codes_have_names);
	tcase_add_test(t, unknown_codes_have_a_text_and_no_name);
	tcase_add_test(t, texts_belong_to_the_thread_that_asks);
	tcase_add_test(t, library_and_headers_say_the_same_version);
	suite_add_tcase(s, t);

	t = tcase_create("failing");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_failure_keeps_its_code_and_message);
	tcase_add_test(t, an_empty_message_is_one_too);
	tcase_add_test(t, code_zero_counts_as_einval);
	tcase_add_test(t, a_failure_that_is_not_returned_has_no_effect);
	tcase_add_test(t, outside_a_job_failing_has_no_effect);
	tcase_add_test(t, a_nested_failure_is_the_nested_jobs_own);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
