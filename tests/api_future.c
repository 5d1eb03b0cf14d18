/*
 * api_future.c - reading an outcome: state, wait, result, error, message, arg.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>

static soon_executor *pool;
static struct gate gate;
static struct tally elsewhere;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&elsewhere);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&elsewhere);
}

static void *fail_io(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "read %s: sector %d", "disk", 7);
}

static void *fail_bare(void *arg)
{
	return soon_fail((int)unbox(arg), NULL);
}

static void never(soon_future *f, void *ctx)
{
	(void)f;
	tally_add(ctx, 1);
}

START_TEST(null_is_an_error_or_has_its_documented_answer)
{
	void *result = &gate;

	ck_assert_int_eq(soon_future_state(NULL), SOON_FAILED);
	ck_assert(soon_future_done(NULL));
	ck_assert_int_eq(soon_future_wait(NULL, SOON_FOREVER), EINVAL);
	ck_assert_int_eq(soon_future_result(NULL, SOON_FOREVER, &result),
			 EINVAL);
	ck_assert_ptr_null(result);
	ck_assert_int_eq(soon_future_result(NULL, 0, NULL), EINVAL);
	ck_assert_ptr_null(soon_future_take(NULL));
	ck_assert_int_eq(soon_future_own(NULL, tally_free), EINVAL);
	ck_assert_int_eq(soon_future_error(NULL), EINVAL);
	ck_assert_ptr_nonnull(soon_future_message(NULL));
	ck_assert_int_eq(soon_future_cancel(NULL), EINVAL);
	ck_assert(!soon_future_cancel_requested(NULL));
	ck_assert_int_eq(soon_future_on_done(NULL, never, &elsewhere), EINVAL);
	ck_assert_ptr_null(soon_future_arg(NULL));
	ck_assert_ptr_null(soon_future_ref(NULL));
	soon_future_unref(NULL);
	ck_assert_uint_eq(tally_get(&elsewhere), 0);
}
END_TEST

START_TEST(a_missing_function_is_an_error)
{
	soon_future *f = submit(pool, return_arg, &gate);

	ck_assert_int_eq(soon_future_on_done(f, NULL, NULL), EINVAL);
	ck_assert_int_eq(soon_future_own(f, NULL), EINVAL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_on_done(f, NULL, NULL), EINVAL);
	ck_assert_int_eq(soon_future_own(f, NULL), EINVAL);
	soon_future_unref(f);
}
END_TEST

/* Every way to ask a future that is not done, without changing it. */
static void expect_not_done(soon_future *f, enum soon_state state, void *arg)
{
	static const soon_nsec poll[] = { 0, -1, INT64_MIN, 1, SOON_MSEC };

	ck_assert_int_eq(soon_future_state(f), state);
	ck_assert(!soon_future_done(f));
	ck_assert_int_eq(soon_future_error(f), EBUSY);
	ck_assert_str_eq(soon_future_message(f), "");
	ck_assert_ptr_null(soon_future_take(f));
	ck_assert(!soon_future_cancel_requested(f));
	ck_assert_ptr_eq(soon_future_arg(f), arg);
	for (size_t i = 0; i < COUNT_OF(poll); i++) {
		void *result = &gate;

		ck_assert_int_eq(soon_future_wait(f, poll[i]), ETIMEDOUT);
		ck_assert_int_eq(soon_future_result(f, poll[i], &result),
				 ETIMEDOUT);
		ck_assert_ptr_null(result);
		ck_assert_int_eq(soon_future_result(f, poll[i], NULL),
				 ETIMEDOUT);
	}
	ck_assert_int_eq(soon_future_state(f), state);
}

START_TEST(an_unfinished_job_says_so_and_timeouts_cancel_nothing)
{
	soon_future *running = submit(pool, gate_job, &gate);
	soon_future *pending = submit(pool, return_arg, &elsewhere);
	void *result = NULL;

	gate_await(&gate, 1);
	expect_not_done(running, SOON_RUNNING, &gate);
	expect_not_done(pending, SOON_PENDING, &elsewhere);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(pending, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &elsewhere);
	ck_assert_int_eq(soon_future_result(running, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &gate);
	soon_future_unref(running);
	soon_future_unref(pending);
}
END_TEST

static void expect_success(soon_future *f, void *expected)
{
	static const soon_nsec any[] = { INT64_MIN, -1, 0, 1, SOON_FOREVER };

	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert(soon_future_done(f));
	ck_assert_int_eq(soon_future_error(f), 0);
	ck_assert_str_eq(soon_future_message(f), "");
	for (size_t i = 0; i < COUNT_OF(any); i++) {
		void *result = &pool;

		ck_assert_int_eq(soon_future_wait(f, any[i]), 0);
		ck_assert_int_eq(soon_future_result(f, any[i], &result), 0);
		ck_assert_ptr_eq(result, expected);
		ck_assert_int_eq(soon_future_result(f, any[i], NULL), 0);
	}
}

START_TEST(a_result_is_read_any_number_of_times)
{
	soon_future *f = submit(pool, return_arg, &gate);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	for (int i = 0; i < 3; i++)
		expect_success(f, &gate);
	soon_future_unref(f);
}
END_TEST

START_TEST(null_is_a_result)
{
	soon_future *f = submit(pool, return_null, NULL);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	expect_success(f, NULL);
	ck_assert_ptr_null(soon_future_take(f));
	soon_future_unref(f);
}
END_TEST

static void expect_failure(soon_future *f, int code, const char *message)
{
	void *result = &gate;

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert(soon_future_done(f));
	ck_assert_int_eq(soon_future_result(f, 0, &result), code);
	ck_assert_ptr_null(result);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), code);
	ck_assert_int_eq(soon_future_error(f), code);
	ck_assert_str_eq(soon_future_message(f), message);
	ck_assert_ptr_null(soon_future_take(f));
}

START_TEST(a_failure_has_its_code_and_message)
{
	soon_future *f = submit(pool, fail_io, NULL);

	expect_failure(f, EIO, "read disk: sector 7");
	expect_failure(f, EIO, "read disk: sector 7");
	soon_future_unref(f);
}
END_TEST

START_TEST(a_failure_without_message_has_its_codes_text)
{
	static const int codes[] = { EIO, ENOENT, SOON_EBROKEN, 1234567 };

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		soon_future *f = submit(pool, fail_bare, box(codes[i]));

		expect_failure(f, codes[i], soon_strerror(codes[i]));
		soon_future_unref(f);
	}
}
END_TEST

/* Codes that have no static text, so that it must be kept with the future. */
START_TEST(a_message_lives_as_long_as_its_future)
{
	soon_future *f[3];
	const char *message[3];
	char copy[3][200];

	for (int i = 0; i < 3; i++) {
		f[i] = submit(pool, fail_bare, box(1234567 + i));
		ck_assert_int_eq(soon_future_wait(f[i], SOON_FOREVER), 0);
		message[i] = soon_future_message(f[i]);
		snprintf(copy[i], sizeof(copy[i]), "%s", message[i]);
	}
	(void)soon_strerror(7654321);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(message[i], copy[i]);
		ck_assert_str_eq(message[i], soon_strerror(1234567 + i));
		soon_future_unref(f[i]);
	}
}
END_TEST

/* The codes that a wait may return too: the state tells them apart. */
START_TEST(a_job_may_fail_with_a_code_of_the_waits)
{
	static const int codes[] = { ETIMEDOUT, ECANCELED, EDEADLK, EBUSY,
				     EINVAL };

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		soon_future *f = submit(pool, fail_bare, box(codes[i]));

		expect_failure(f, codes[i], soon_strerror(codes[i]));
		soon_future_unref(f);
	}
}
END_TEST

static int note[64];

static void *write_notes(void *arg)
{
	for (size_t i = 0; i < COUNT_OF(note); i++)
		note[i] = (int)unbox(arg);
	return NULL;
}

START_TEST(what_the_job_wrote_is_seen_once_it_is_done)
{
	for (int round = 1; round <= 400; round++) {
		soon_future *f = submit(pool, write_notes, box(round));

		switch (round % 4) {
		case 0:
			while (!soon_future_done(f))
				sched_yield();
			break;
		case 1:
			while (soon_future_state(f) != SOON_SUCCEEDED)
				sched_yield();
			break;
		case 2:
			while (soon_future_error(f) == EBUSY)
				sched_yield();
			break;
		default:
			while (soon_future_wait(f, 0) != 0)
				sched_yield();
		}
		for (size_t i = 0; i < COUNT_OF(note); i++)
			ck_assert_int_eq(note[i], round);
		soon_future_unref(f);
	}
}
END_TEST

/* Reads a future until it is done and on; counts what came out wrong. */
static void *read_much(void *arg)
{
	soon_future *f = arg;
	long wrong = 0;

	for (int i = 0; i < 1000; i++) {
		void *result = NULL;
		int rc = soon_future_result(f, i % 3 ? SOON_FOREVER : 0,
					    &result);

		if (rc == 0 ? result != &gate : rc != ETIMEDOUT)
			wrong++;
		if (i > 0 && rc != 0)
			wrong++;
	}
	return box(wrong);
}

START_TEST(many_threads_read_one_result)
{
	soon_future *f = submit(pool, gate_job, &gate);
	struct actor readers[8];

	for (size_t i = 0; i < COUNT_OF(readers); i++)
		actor_start(&readers[i], read_much, f);
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		actor_await_asleep(&readers[i]);
	gate_open(&gate);
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		ck_assert_int_eq(unbox(actor_join(&readers[i])), 0);
	soon_future_unref(f);
}
END_TEST

struct timed_wait {
	soon_future *f;
	soon_nsec timeout;
};

static void *wait_timed(void *arg)
{
	struct timed_wait *w = arg;

	return box(soon_future_wait(w->f, w->timeout));
}

/* An overflowing deadline would make these return ETIMEDOUT at once. */
START_TEST(timeouts_near_the_limit_do_not_overflow)
{
	static const soon_nsec limit[] = { INT64_MAX,
					   INT64_MAX - 1,
					   INT64_MAX - SOON_SEC,
					   INT64_MAX / 2,
					   (INT64_C(1) << 31) * SOON_SEC,
					   (INT64_C(1) << 32) * SOON_SEC };
	soon_future *f = submit(pool, gate_job, &gate);
	struct timed_wait waits[COUNT_OF(limit)];
	struct actor waiters[COUNT_OF(limit)];

	for (size_t i = 0; i < COUNT_OF(limit); i++) {
		waits[i] = (struct timed_wait){ f, limit[i] };
		actor_start(&waiters[i], wait_timed, &waits[i]);
	}
	for (size_t i = 0; i < COUNT_OF(limit); i++)
		actor_await_asleep(&waiters[i]);
	gate_open(&gate);
	for (size_t i = 0; i < COUNT_OF(limit); i++)
		ck_assert_int_eq(unbox(actor_join(&waiters[i])), 0);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_timed_wait_does_not_end_early)
{
	soon_future *f = submit(pool, gate_job, &gate);

	for (int i = 0; i < 5; i++) {
		soon_nsec start = now();

		ck_assert_int_eq(soon_future_wait(f, 5 * SOON_MSEC), ETIMEDOUT);
		ck_assert_int_ge(now() - start, 5 * SOON_MSEC);
	}
	soon_future_unref(f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("future");
	TCase *t = tcase_create("outcome");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, null_is_an_error_or_has_its_documented_answer);
	tcase_add_test(t, a_missing_function_is_an_error);
	tcase_add_test(t,
		       an_unfinished_job_says_so_and_timeouts_cancel_nothing);
	tcase_add_test(t, a_result_is_read_any_number_of_times);
	tcase_add_test(t, null_is_a_result);
	tcase_add_test(t, a_failure_has_its_code_and_message);
	tcase_add_test(t, a_failure_without_message_has_its_codes_text);
	tcase_add_test(t, a_message_lives_as_long_as_its_future);
	tcase_add_test(t, a_job_may_fail_with_a_code_of_the_waits);
	tcase_add_test(t, what_the_job_wrote_is_seen_once_it_is_done);
	tcase_add_test(t, many_threads_read_one_result);
	tcase_add_test(t, timeouts_near_the_limit_do_not_overflow);
	tcase_add_test(t, a_timed_wait_does_not_end_early);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
