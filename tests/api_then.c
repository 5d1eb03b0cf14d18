/*
 * api_then.c - continuations: when they run, with what, and cancelling them.
 */
#include "support/support.h"

#include <errno.h>
#include <string.h>

static soon_executor *pool; /* of one */
static struct gate gate;
static struct tally ran;
static struct tally freed;
static soon_future *promise;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&ran);
	tally_init(&freed);
	promise = soon_future_new(tally_free);
	ck_assert_ptr_nonnull(promise);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_future_unref(promise);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&ran);
	tally_fini(&freed);
}

static soon_future *then(soon_future *f, soon_then_fn *fn, void *ctx)
{
	soon_future *g = soon_then(f, pool, fn, ctx);

	ck_assert_ptr_nonnull(g);
	return g;
}

/* The result and the code of one that gets done, whose reference this takes. */
static int outcome(soon_future *f, void **result)
{
	int rc = soon_future_result(f, SOON_FOREVER, result);

	soon_future_unref(f);
	return rc;
}

/* What became of the input, as a number. */
static void *code_of(soon_future *done, void *ctx)
{
	tally_add(&ran, 1);
	if (!soon_future_done(done) || ctx != &gate)
		return box(-1);
	return box(soon_future_error(done));
}

/* The gate stands in the way of it. */
static void *pass_gate(soon_future *done, void *ctx)
{
	gate_pass(ctx);
	return done;
}

static void *one_more(soon_future *done, void *ctx)
{
	void *result = NULL;

	if (soon_future_result(done, 0, &result) != 0)
		return soon_fail(EPROTO, "no result");
	return box(unbox(result) + unbox(ctx));
}

/* Complete the promise in the i-th of four ways; the code it then has. */
static int complete(int i)
{
	switch (i) {
	case 0:
		ck_assert_int_eq(soon_future_set_result(promise, &freed), 0);
		return 0;
	case 1:
		ck_assert_int_eq(soon_future_set_error(promise, EIO, "x"), 0);
		return EIO;
	case 2:
		ck_assert_int_eq(soon_future_cancel(promise), 0);
		return ECANCELED;
	default:
		ck_assert_int_eq(soon_future_set_running(promise), 0);
		ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
		return 0;
	}
}

START_TEST(null_is_an_error)
{
	errno = 0;
	ck_assert_ptr_null(soon_then(NULL, pool, code_of, NULL));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_then(promise, pool, NULL, NULL));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(it_runs_when_the_input_is_done_whatever_its_outcome)
{
	soon_future *f = then(promise, code_of, &gate);
	void *result = NULL;
	int code;

	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_int_eq(soon_future_wait(f, SOON_MSEC), ETIMEDOUT);
	ck_assert_uint_eq(tally_get(&ran), 0);
	code = complete(_i);
	ck_assert_int_eq(outcome(f, &result), 0);
	ck_assert_int_eq(unbox(result), code);
}
END_TEST

START_TEST(it_runs_when_the_input_was_done_before)
{
	int code = complete(_i);
	void *result = NULL;

	ck_assert_int_eq(outcome(then(promise, code_of, &gate), &result), 0);
	ck_assert_int_eq(unbox(result), code);
	ck_assert_uint_eq(tally_get(&ran), 1);
}
END_TEST

START_TEST(it_runs_after_a_job)
{
	soon_future *job = submit(pool, return_arg, box(40));
	void *result = NULL;

	ck_assert_int_eq(outcome(then(job, one_more, box(2)), &result), 0);
	ck_assert_int_eq(unbox(result), 42);
	soon_future_unref(job);
}
END_TEST

START_TEST(null_is_the_default_executor)
{
	soon_future *f = soon_then(promise, NULL, one_more, box(1));
	void *result = NULL;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(soon_future_set_result(promise, box(1)), 0);
	ck_assert_int_eq(outcome(f, &result), 0);
	ck_assert_int_eq(unbox(result), 2);
	ck_assert_ptr_nonnull(soon_future_take(promise));
}
END_TEST

static void *fail_here(soon_future *done, void *ctx)
{
	(void)done;
	return soon_fail((int)unbox(ctx), "code %ld", unbox(ctx));
}

START_TEST(it_may_fail_and_its_continuation_sees_that)
{
	soon_future *f = then(promise, fail_here, box(ERANGE));
	soon_future *g = then(f, one_more, NULL);

	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_future_wait(g, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_error(f), ERANGE);
	ck_assert_str_eq(soon_future_message(f), "code 34");
	ck_assert_int_eq(soon_future_error(g), EPROTO);
	soon_future_unref(f);
	soon_future_unref(g);
}
END_TEST

static void *self(soon_future *done, void *ctx)
{
	(void)done;
	return soon_self() == *(soon_future **)ctx ? soon_self() : NULL;
}

START_TEST(it_is_a_job_with_a_future_of_its_own)
{
	soon_future *f;
	void *result = NULL;

	f = then(promise, self, &f);
	ck_assert_ptr_eq(soon_future_arg(f), &f);
	ck_assert_int_eq(soon_future_set_result(f, NULL), EINVAL);
	ck_assert_int_eq(soon_future_set_error(f, EIO, NULL), EINVAL);
	ck_assert_int_eq(soon_future_set_running(f), EINVAL);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, f);
	ck_assert_ptr_eq(soon_future_arg(f), &f);
	soon_future_unref(f);
}
END_TEST

static void *take(soon_future *done, void *ctx)
{
	(void)ctx;
	return soon_future_take(done);
}

START_TEST(the_input_ends_with_it_unless_it_is_held)
{
	soon_future *f = then(promise, _i != 0 ? take : code_of, &gate);
	void *result = NULL;

	ck_assert_int_eq(soon_future_set_result(promise, &freed), 0);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&freed), 0);
	soon_future_unref(promise);
	ck_assert_uint_eq(tally_get(&freed), _i == 0);
	promise = NULL;
	ck_assert_int_eq(outcome(f, &result), 0);
	ck_assert_ptr_eq(result, _i != 0 ? (void *)&freed : NULL);
	ck_assert_uint_eq(tally_get(&freed), _i == 0);
}
END_TEST

/* Cancelling */

START_TEST(cancelled_before_the_input_is_done_it_never_runs)
{
	soon_future *f = then(promise, code_of, &gate);
	soon_future *g = then(f, code_of, &gate);
	void *result = NULL;

	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	ck_assert_int_eq(soon_future_state(promise), SOON_PENDING);
	ck_assert_int_eq(outcome(g, &result), 0);
	ck_assert_int_eq(unbox(result), ECANCELED);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	soon_future_unref(f);
	ck_assert_uint_eq(tally_get(&ran), 1);
}
END_TEST

START_TEST(a_running_one_is_asked_to_stop)
{
	soon_future *f = then(promise, pass_gate, &gate);
	void *result = NULL;

	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_state(f), SOON_RUNNING);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert(soon_future_cancel_requested(f));
	gate_open(&gate);
	ck_assert_int_eq(outcome(f, &result), 0);
	ck_assert_ptr_eq(result, promise);
}
END_TEST

START_TEST(dropping_it_cancels_nothing)
{
	soon_future_unref(then(promise, code_of, &gate));
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	tally_await(&ran, 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_then");
	TCase *t = tcase_create("then");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, null_is_an_error);
	tcase_add_loop_test(
		t, it_runs_when_the_input_is_done_whatever_its_outcome, 0, 4);
	tcase_add_loop_test(t, it_runs_when_the_input_was_done_before, 0, 4);
	tcase_add_test(t, it_runs_after_a_job);
	tcase_add_test(t, null_is_the_default_executor);
	tcase_add_test(t, it_may_fail_and_its_continuation_sees_that);
	tcase_add_test(t, it_is_a_job_with_a_future_of_its_own);
	tcase_add_loop_test(t, the_input_ends_with_it_unless_it_is_held, 0, 2);
	tcase_add_test(t, cancelled_before_the_input_is_done_it_never_runs);
	tcase_add_test(t, a_running_one_is_asked_to_stop);
	tcase_add_test(t, dropping_it_cancels_nothing);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
