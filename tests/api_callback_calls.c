/*
 * api_callback_calls.c - what a callback calls about another future: each call, in
 * each state of that one, on each kind of thread that runs callbacks.
 */
#include "support/fixture.h"

#include <errno.h>
#include <string.h>

enum { STATES = SOON_CANCELLED + 1, CODE = EIO };

/* In the fixture's pool a job runs, at the gate, and others are queued; it has but
 * one worker. */
static soon_executor *free_pool;
static soon_future *running;
static struct tally told;

static void *fail_job(void *unused)
{
	(void)unused;
	return soon_fail(CODE, "no luck");
}

static void setup(void)
{
	fixture_open(pool_of(1));
	running = submit(pool, gate_job, &gate);
	gate_await(&gate, 1);
	free_pool = pool_of(1);
	tally_init(&told);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(free_pool);
	soon_future_unref(running);
	fixture_close();
	tally_fini(&told);
}

/* The calls; each returns a number that the table knows. */

static int by_state(soon_future *f)
{
	return (int)soon_future_state(f);
}

static int by_done(soon_future *f)
{
	return soon_future_done(f);
}

static int by_poll(soon_future *f)
{
	return soon_future_wait(f, 0);
}

static int by_wait(soon_future *f)
{
	return soon_future_wait(f, SOON_USEC);
}

static int by_wait_all(soon_future *f)
{
	return soon_wait_all(&f, 1, SOON_USEC);
}

static int by_wait_any(soon_future *f)
{
	size_t index;

	return soon_wait_any(&f, 1, SOON_USEC, &index);
}

static int by_result(soon_future *f)
{
	return soon_future_result(f, SOON_USEC, NULL);
}

static int by_gather(soon_future *f)
{
	return soon_gather(&f, 1, SOON_USEC, NULL, NULL);
}

static int by_error(soon_future *f)
{
	return soon_future_error(f);
}

static int by_message(soon_future *f)
{
	return strlen(soon_future_message(f)) > 0;
}

static int by_arg(soon_future *f)
{
	return soon_future_arg(f) == &gate;
}

static int by_asking(soon_future *f)
{
	return soon_future_cancel_requested(f);
}

static int by_set(soon_future *f)
{
	soon_completions *set = soon_as_completed(&f, 1);
	soon_future *next;
	int rc = set != NULL ? soon_completions_next(set, SOON_USEC, &next)
			     : -1;

	soon_completions_free(set);
	return rc;
}

static void note(soon_future *f, void *called)
{
	(void)f;
	if (called != NULL)
		++*(int *)called;
}

/* How often it is called back at once. */
static int by_callback(soon_future *f)
{
	int called = 0;

	if (!soon_future_done(f))
		return soon_future_on_done(f, note, NULL);
	return soon_future_on_done(f, note, &called) == 0 ? called : -1;
}

static int by_completing(soon_future *f)
{
	int rc = soon_future_set_running(f);

	if (rc != soon_future_set_result(f, NULL))
		return -1;
	return rc == soon_future_set_error(f, CODE, NULL) ? rc : -1;
}

/* The code of what is made of it, which goes. */
static int made(soon_future *g)
{
	int code = soon_future_error(g);

	soon_future_unref(g);
	return code;
}

static int by_when_all(soon_future *f)
{
	return made(soon_when_all(&f, 1));
}

static int by_when_any(soon_future *f)
{
	return made(soon_when_any(&f, 1));
}

static int by_first_success(soon_future *f)
{
	return made(soon_first_success(&f, 1));
}

static int by_within(soon_future *f)
{
	return made(soon_within(f, SOON_FOREVER));
}

static int by_shield(soon_future *f)
{
	return made(soon_shield(f));
}

static void *return_ctx(soon_future *done, void *ctx)
{
	(void)done;
	return ctx;
}

/* In a pool that is busy: so it does not start. */
static int by_then(soon_future *f)
{
	soon_future *g = soon_then(f, pool, return_ctx, NULL);
	int rc = soon_future_cancel(g);

	soon_future_unref(g);
	return rc;
}

static int by_ref(soon_future *f)
{
	soon_future_unref(soon_future_ref(f));
	return 0;
}

static int by_taking(soon_future *f)
{
	return soon_future_take(f) != NULL;
}

static void free_none(void *unused)
{
	(void)unused;
}

static int by_owning(soon_future *f)
{
	return soon_future_own(f, free_none);
}

static int by_cancelling(soon_future *f)
{
	return soon_future_cancel(f);
}

#define LATE ETIMEDOUT
#define GONE ECANCELED
#define OVER EALREADY

/* The last ones change it. */
static const struct {
	const char *name;
	int (*call)(soon_future *f);
	int codes[STATES]; /* pending, running, succeeded, failed, cancelled */
} table[] = {
	{ "state", by_state, { 0, 1, 2, 3, 4 } },
	{ "done", by_done, { 0, 0, 1, 1, 1 } },
	{ "poll", by_poll, { LATE, LATE, 0, 0, 0 } },
	{ "wait", by_wait, { LATE, LATE, 0, 0, 0 } },
	{ "wait all", by_wait_all, { LATE, LATE, 0, 0, 0 } },
	{ "wait any", by_wait_any, { LATE, LATE, 0, 0, 0 } },
	{ "result", by_result, { LATE, LATE, 0, CODE, GONE } },
	{ "gather", by_gather, { LATE, LATE, 0, CODE, GONE } },
	{ "error", by_error, { EBUSY, EBUSY, 0, CODE, GONE } },
	{ "message", by_message, { 0, 0, 0, 1, 1 } },
	{ "arg", by_arg, { 1, 1, 1, 1, 1 } },
	{ "cancel requested", by_asking, { 0, 0, 0, 0, 1 } },
	{ "set", by_set, { LATE, LATE, 0, 0, 0 } },
	{ "on done", by_callback, { 0, 0, 1, 1, 1 } },
	{ "complete",
	  by_completing,
	  { EINVAL, EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "when all", by_when_all, { EBUSY, EBUSY, 0, CODE, GONE } },
	{ "when any", by_when_any, { EBUSY, EBUSY, 0, 0, 0 } },
	{ "first success", by_first_success, { EBUSY, EBUSY, 0, CODE, GONE } },
	{ "within", by_within, { EBUSY, EBUSY, 0, CODE, GONE } },
	{ "shield", by_shield, { EBUSY, EBUSY, 0, CODE, GONE } },
	{ "then", by_then, { 0, 0, 0, 0, 0 } },
	{ "ref", by_ref, { 0, 0, 0, 0, 0 } },
	{ "take", by_taking, { 0, 0, 1, 0, 0 } },
	{ "own", by_owning, { 0, 0, 0, 0, 0 } },
	{ "own again", by_owning, { OVER, OVER, OVER, OVER, OVER } },
	{ "cancel", by_cancelling, { 0, EBUSY, OVER, OVER, 0 } },
	{ "cancel again", by_cancelling, { 0, EBUSY, OVER, OVER, 0 } },
	{ "state then", by_state, { 4, 1, 2, 3, 4 } },
	{ "cancel requested then", by_asking, { 1, 1, 0, 0, 1 } },
};

/* What came instead, if anything. */
static struct {
	const char *name;
	int code;
} odd;

static void call_all(soon_future *self, void *other)
{
	soon_future *f = other;
	enum soon_state state = soon_future_state(f);

	for (size_t i = 0; i < COUNT_OF(table) && odd.name == NULL; i++) {
		odd.code = table[i].call(f);
		if (odd.code != table[i].codes[state])
			odd.name = table[i].name;
	}
	if (soon_future_wait(self, SOON_FOREVER) != 0)
		odd.name = "wait for what the callback is on";
	tally_add(&told, 1);
}

/* One in that state. */
static soon_future *subject(enum soon_state state)
{
	soon_future *f;

	odd.name = NULL;
	if (state == SOON_RUNNING)
		return soon_future_ref(running);
	if (state == SOON_PENDING || state == SOON_CANCELLED)
		f = submit(pool, return_arg, &gate);
	else
		f = submit(free_pool,
			   state == SOON_FAILED ? fail_job : return_arg, &gate);
	if (state == SOON_CANCELLED)
		ck_assert_int_eq(soon_future_cancel(f), 0);
	else if (state != SOON_PENDING)
		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	return f;
}

static void expect_all_right(soon_future *f, enum soon_state state)
{
	tally_await(&told, 1);
	ck_assert_msg(odd.name == NULL, "%s, state %d: %d", odd.name,
		      (int)state, odd.code);
	ck_assert_uint_eq(tally_get(&told), 1);
	soon_future_unref(f);
}

static void call_back(soon_future *self, soon_future *f)
{
	ck_assert_int_eq(soon_future_on_done(self, call_all, f), 0);
}

START_TEST(on_a_thread_that_completes_a_promise)
{
	soon_future *f = subject((enum soon_state)_i);
	soon_future *self = soon_future_new(NULL);

	call_back(self, f);
	ck_assert_int_eq(soon_future_set_result(self, NULL), 0);
	expect_all_right(f, (enum soon_state)_i);
	soon_future_unref(self);
}
END_TEST

START_TEST(on_a_thread_that_adds_it_late)
{
	soon_future *f = subject((enum soon_state)_i);
	soon_future *self = subject(SOON_FAILED);

	call_back(self, f);
	expect_all_right(f, (enum soon_state)_i);
	soon_future_unref(self);
}
END_TEST

START_TEST(on_a_thread_that_cancels)
{
	soon_future *f = subject((enum soon_state)_i);
	soon_future *self = subject(SOON_PENDING);

	call_back(self, f);
	ck_assert_int_eq(soon_future_cancel(self), 0);
	expect_all_right(f, (enum soon_state)_i);
	soon_future_unref(self);
}
END_TEST

START_TEST(on_a_worker)
{
	soon_future *f = subject((enum soon_state)_i);
	struct gate start;
	soon_future *self;

	gate_init(&start);
	self = submit(free_pool, gate_job, &start);
	call_back(self, f);
	gate_open(&start);
	expect_all_right(f, (enum soon_state)_i);
	soon_future_unref(self);
	gate_fini(&start);
}
END_TEST

START_TEST(on_the_thread_of_the_clock)
{
	soon_future *f = subject((enum soon_state)_i);
	soon_future *self = submit_job(
		pool, SOON_JOB(.fn = return_null, .start_within = SOON_MSEC));

	call_back(self, f);
	expect_all_right(f, (enum soon_state)_i);
	soon_future_unref(self);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("callback_calls");
	TCase *t = tcase_create("callback_calls");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, on_a_thread_that_completes_a_promise, 0, STATES);
	tcase_add_loop_test(t, on_a_thread_that_adds_it_late, 0, STATES);
	tcase_add_loop_test(t, on_a_thread_that_cancels, 0, STATES);
	tcase_add_loop_test(t, on_a_worker, 0, STATES);
	tcase_add_loop_test(t, on_the_thread_of_the_clock, 0, STATES);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
