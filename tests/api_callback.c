/*
 * api_callback.c - soon_future_on_done: order, thread, and what a callback may
 * do.
 */
#include "support/support.h"

#include <errno.h>

static soon_executor *pool;
static struct gate gate;
static struct logbook book;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	logbook_init(&book, test_scale(50000) + 100);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	logbook_fini(&book);
}

static void end_pool(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

static void note(soon_future *f, void *number)
{
	(void)f;
	logbook_add(&book, (int)unbox(number));
}

/* 0, 1, 2... n-1 and nothing else. */
static void expect_counted_to(size_t n)
{
	ck_assert_uint_eq(logbook_size(&book), n);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(logbook_at(&book, i), (int)i);
}

static void add_notes(soon_future *f, int from, int to)
{
	for (int i = from; i < to; i++)
		ck_assert_int_eq(soon_future_on_done(f, note, box(i)), 0);
}

START_TEST(callbacks_run_once_each_in_order_of_registration)
{
	int n = (int)test_scale(50000);
	soon_future *f = submit(pool, gate_job, &gate);

	add_notes(f, 0, n);
	ck_assert_uint_eq(logbook_size(&book), 0);
	end_pool();
	expect_counted_to((size_t)n);
	add_notes(f, n, n + 3);
	expect_counted_to((size_t)n + 3);
	soon_future_unref(f);
}
END_TEST

START_TEST(cancelling_runs_the_callbacks_before_it_returns)
{
	soon_future *f;

	pool_hold(pool, &gate, 1);
	f = submit(pool, return_arg, NULL);
	add_notes(f, 0, 5);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	expect_counted_to(5);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	add_notes(f, 5, 7);
	expect_counted_to(7);
	end_pool();
	expect_counted_to(7);
	soon_future_unref(f);
}
END_TEST

/* What a callback saw, and on which thread. */
struct sight {
	pthread_t thread;
	enum soon_state state;
	int code;
	void *result;
	soon_future *f;
};

static void look(soon_future *f, void *ctx)
{
	struct sight *s = ctx;

	s->thread = pthread_self();
	s->state = soon_future_state(f);
	s->code = soon_future_result(f, SOON_FOREVER, &s->result);
	s->f = f;
}

START_TEST(on_a_done_future_the_callback_runs_at_once_on_the_caller)
{
	soon_future *f = submit(pool, return_arg, &gate);
	struct sight s = { .f = NULL };

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_on_done(f, look, &s), 0);
	ck_assert_ptr_eq(s.f, f);
	ck_assert(pthread_equal(s.thread, pthread_self()));
	ck_assert_int_eq(s.state, SOON_SUCCEEDED);
	ck_assert_int_eq(s.code, 0);
	ck_assert_ptr_eq(s.result, &gate);
	soon_future_unref(f);
}
END_TEST

static void *fail_on_thread(void *arg)
{
	gate_pass(&gate);
	*(pthread_t *)arg = pthread_self();
	return soon_fail(EIO, NULL);
}

START_TEST(callbacks_run_on_the_completing_thread_once_the_state_is_final)
{
	pthread_t worker;
	soon_future *f = submit(pool, fail_on_thread, &worker);
	struct sight s = { .f = NULL };

	ck_assert_int_eq(soon_future_on_done(f, look, &s), 0);
	end_pool();
	ck_assert_ptr_eq(s.f, f);
	ck_assert(pthread_equal(s.thread, worker));
	ck_assert_int_eq(s.state, SOON_FAILED);
	ck_assert_int_eq(s.code, EIO);
	ck_assert_ptr_null(s.result);
	soon_future_unref(f);
}
END_TEST

static void pass_gate(soon_future *f, void *ctx)
{
	note(f, ctx);
	gate_pass(&gate);
	note(f, box(unbox(ctx) + 1));
}

START_TEST(a_result_may_be_read_before_the_callbacks_ran)
{
	struct gate start;
	soon_future *f;

	gate_init(&start);
	f = submit(pool, gate_job, &start);
	ck_assert_int_eq(soon_future_on_done(f, pass_gate, box(0)), 0);
	gate_open(&start);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	expect_counted_to(1);
	end_pool();
	expect_counted_to(2);
	soon_future_unref(f);
	gate_fini(&start);
}
END_TEST

START_TEST(a_shutdown_waits_for_callbacks)
{
	struct gate start;
	soon_future *f;

	gate_init(&start);
	f = submit(pool, gate_job, &start);
	ck_assert_int_eq(soon_future_on_done(f, pass_gate, box(0)), 0);
	gate_open(&start);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 5 * SOON_MSEC),
			 ETIMEDOUT);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_counted_to(2);
	soon_future_unref(f);
	gate_fini(&start);
}
END_TEST

static void drop(soon_future *f, void *ctx)
{
	note(f, ctx);
	soon_future_unref(f);
}

START_TEST(a_callback_may_drop_the_last_reference)
{
	struct tally freed;
	soon_future *f = submit(pool, gate_job, &gate);

	tally_init(&freed);
	ck_assert_int_eq(soon_future_on_done(f, drop, box(0)), 0);
	ck_assert_int_eq(soon_future_on_done(f, note, box(1)), 0);
	gate_open(&gate);
	soon_executor_free(pool);
	pool = pool_of(1);
	expect_counted_to(2);

	/* And of one that is done already, or cancelled. */
	f = submit_job(pool, SOON_JOB(.fn = return_arg, .arg = &freed,
				      .free_result = tally_free));
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_on_done(f, drop, box(2)), 0);
	gate_shut(&gate);
	pool_hold(pool, &gate, 1);
	f = submit(pool, return_arg, NULL);
	ck_assert_int_eq(soon_future_on_done(f, drop, box(3)), 0);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	end_pool();
	expect_counted_to(4);
	ck_assert_uint_eq(tally_get(&freed), 1);
	tally_fini(&freed);
}
END_TEST

static void add_more(soon_future *f, void *ctx)
{
	note(f, ctx);
	if (soon_future_on_done(f, note, box(unbox(ctx) + 1)) != 0)
		note(f, box(-1));
}

START_TEST(a_callback_may_add_callbacks)
{
	soon_future *f = submit(pool, gate_job, &gate);

	ck_assert_int_eq(soon_future_on_done(f, add_more, box(0)), 0);
	ck_assert_int_eq(soon_future_on_done(f, note, box(2)), 0);
	end_pool();
	expect_counted_to(3);
	soon_future_unref(f);
}
END_TEST

static void *note_job(void *number)
{
	note(NULL, number);
	return NULL;
}

/* Submits, and waits for what it submitted, to the pool of one it runs in. */
static void submit_and_wait(soon_future *f, void *ctx)
{
	soon_nsec timeout = ctx == NULL ? SOON_FOREVER : 3600 * SOON_SEC;
	soon_future *next = soon_submit(pool, note_job, box(1));

	note(f, box(0));
	if (soon_future_wait(next, timeout) != 0)
		note(f, box(-1));
	note(f, box(2));
	soon_future_unref(next);
}

START_TEST(a_callback_may_submit_and_wait)
{
	void *timed = _i == 0 ? NULL : &gate;
	soon_future *f = submit(pool, gate_job, &gate);

	ck_assert_int_eq(soon_future_on_done(f, submit_and_wait, timed), 0);
	gate_open(&gate);
	/* A shutdown that began before its submit would refuse it. */
	logbook_await(&book, 3);
	end_pool();
	expect_counted_to(3);
	soon_future_unref(f);
}
END_TEST

static void cancel_other(soon_future *f, void *other)
{
	note(f, box(soon_future_cancel(f) == EALREADY ? 0 : -1));
	note(f, box(soon_future_cancel(other) == 0 ? 2 : -1));
}

START_TEST(a_callback_may_cancel)
{
	soon_future *f = submit(pool, gate_job, &gate);
	soon_future *other = submit(pool, note_job, box(-1));

	ck_assert_int_eq(soon_future_on_done(other, note, box(1)), 0);
	ck_assert_int_eq(soon_future_on_done(f, cancel_other, other), 0);
	end_pool();
	expect_counted_to(3);
	ck_assert_int_eq(soon_future_state(other), SOON_CANCELLED);
	soon_future_unref(f);
	soon_future_unref(other);
}
END_TEST

static void complete_next(soon_future *f, void *next)
{
	soon_future_set_result(next, soon_future_take(f));
}

START_TEST(callbacks_make_chains)
{
	enum { N = 500 };
	static soon_future *link[N];
	void *result = NULL;

	for (int i = 0; i < N; i++) {
		link[i] = soon_future_new(NULL);
		ck_assert_ptr_nonnull(link[i]);
		if (i > 0)
			ck_assert_int_eq(soon_future_on_done(link[i - 1],
							     complete_next,
							     link[i]),
					 0);
	}
	ck_assert_int_eq(soon_future_set_result(link[0], &gate), 0);
	ck_assert_int_eq(soon_future_result(link[N - 1], 0, &result), 0);
	ck_assert_ptr_eq(result, &gate);
	for (int i = 0; i < N; i++)
		soon_future_unref(link[i]);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("callback");
	TCase *t = tcase_create("order");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, callbacks_run_once_each_in_order_of_registration);
	tcase_add_test(t, cancelling_runs_the_callbacks_before_it_returns);
	tcase_add_test(
		t, on_a_done_future_the_callback_runs_at_once_on_the_caller);
	tcase_add_test(
		t,
		callbacks_run_on_the_completing_thread_once_the_state_is_final);
	tcase_add_test(t, a_result_may_be_read_before_the_callbacks_ran);
	tcase_add_test(t, a_shutdown_waits_for_callbacks);
	suite_add_tcase(s, t);

	t = tcase_create("freedom");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_callback_may_drop_the_last_reference);
	tcase_add_test(t, a_callback_may_add_callbacks);
	tcase_add_loop_test(t, a_callback_may_submit_and_wait, 0, 2);
	tcase_add_test(t, a_callback_may_cancel);
	tcase_add_test(t, callbacks_make_chains);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
