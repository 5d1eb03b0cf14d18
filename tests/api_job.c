/*
 * api_job.c - what a job may call about itself: soon_self, soon_sleep,
 * soon_cancel_requested and the hints around a call that blocks.
 */
#include "support/support.h"

#include <errno.h>

static soon_executor *pool;

static void setup(void)
{
	pool = pool_of(1);
}

static void teardown(void)
{
	soon_executor_free(pool);
}

struct introspect {
	struct gate gate;
	soon_future *self;
};

static void *look_at_myself(void *arg)
{
	struct introspect *in = arg;

	gate_pass(&in->gate);
	in->self = soon_self();
	return in;
}

static void *keep_myself(void *arg)
{
	struct introspect *in = arg;

	in->self = soon_future_ref(soon_self());
	gate_pass(&in->gate);
	return in;
}

START_TEST(a_job_knows_its_own_future)
{
	struct introspect in = { .self = NULL };
	soon_future *f;

	ck_assert_ptr_null(soon_self());
	gate_init(&in.gate);
	gate_open(&in.gate);
	f = submit(pool, look_at_myself, &in);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_ptr_eq(in.self, f);
	ck_assert_ptr_null(soon_self());
	soon_future_unref(f);
	gate_fini(&in.gate);
}
END_TEST

/* Fire and forget has a future too, which the job may hand out. */
START_TEST(a_job_may_keep_its_own_future)
{
	struct introspect in = { .self = NULL };
	void *result = NULL;

	gate_init(&in.gate);
	ck_assert_int_eq(soon_execute(pool, keep_myself, &in), 0);
	gate_await(&in.gate, 1);
	ck_assert_ptr_nonnull(in.self);
	ck_assert_int_eq(soon_future_state(in.self), SOON_RUNNING);
	ck_assert_ptr_eq(soon_future_arg(in.self), &in);
	gate_open(&in.gate);
	ck_assert_int_eq(soon_future_result(in.self, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &in);
	soon_future_unref(in.self);
	gate_fini(&in.gate);
}
END_TEST

START_TEST(outside_a_job_the_calls_of_a_job_do_nothing)
{
	ck_assert_ptr_null(soon_self());
	ck_assert(!soon_cancel_requested());
	soon_blocking_begin();
	soon_blocking_begin();
	soon_blocking_end();
	soon_blocking_end();
	soon_blocking_end();
	ck_assert_int_eq(soon_sleep(1), 0);
}
END_TEST

struct sleeper {
	struct gate gate;
	soon_nsec length;
	soon_nsec slept;
};

static void *sleep_job(void *arg)
{
	struct sleeper *s = arg;
	soon_nsec start = now();
	int rc;

	gate_pass(&s->gate);
	rc = soon_sleep(s->length);
	s->slept = now() - start;
	return box(rc);
}

/* How one job sleeps that is asked to stop before or while it does. */
static long cancelled_sleep(soon_nsec length, bool before)
{
	struct sleeper s = { .length = length };
	void *rc = NULL;
	soon_future *f;

	gate_init(&s.gate);
	f = submit(pool, sleep_job, &s);
	gate_await(&s.gate, 1);
	if (!before)
		gate_open(&s.gate);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	gate_open(&s.gate);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	soon_future_unref(f);
	gate_fini(&s.gate);
	return unbox(rc);
}

START_TEST(a_sleeping_job_wakes_when_it_is_asked_to_stop)
{
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(cancelled_sleep(SOON_FOREVER, true),
				 ECANCELED);
		ck_assert_int_eq(cancelled_sleep(SOON_FOREVER, false),
				 ECANCELED);
		ck_assert_int_eq(cancelled_sleep(3600 * SOON_SEC, false),
				 ECANCELED);
	}
}
END_TEST

START_TEST(an_undisturbed_sleep_lasts_as_long_as_it_should)
{
	struct sleeper s = { .length = 5 * SOON_MSEC };
	soon_nsec start = now();
	void *rc = &s;
	soon_future *f;

	ck_assert_int_eq(soon_sleep(s.length), 0);
	ck_assert_int_ge(now() - start, s.length);
	ck_assert_int_eq(soon_sleep(0), 0);
	ck_assert_int_eq(soon_sleep(-1), 0);
	ck_assert_int_eq(soon_sleep(INT64_MIN), 0);
	gate_init(&s.gate);
	gate_open(&s.gate);
	f = submit(pool, sleep_job, &s);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), 0);
	ck_assert_int_ge(s.slept, s.length);
	soon_future_unref(f);
	gate_fini(&s.gate);
}
END_TEST

static void *cancel_job(void *f)
{
	return box(soon_future_cancel(f));
}

/* In a pool of one the second job runs only in the place of the sleeper. */
START_TEST(a_sleeping_job_gives_its_place_away)
{
	struct sleeper s = { .length = SOON_FOREVER };
	soon_future *asleep, *waker;
	void *rc = NULL;

	gate_init(&s.gate);
	gate_open(&s.gate);
	asleep = submit(pool, sleep_job, &s);
	gate_await(&s.gate, 1);
	waker = submit(pool, cancel_job, asleep);
	ck_assert_int_eq(soon_future_result(waker, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), EBUSY);
	ck_assert_int_eq(soon_future_result(asleep, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), ECANCELED);
	soon_future_unref(asleep);
	soon_future_unref(waker);
	gate_fini(&s.gate);
}
END_TEST

/* Blocks in the middle of hints that are nested depth deep. */
struct nesting {
	struct gate *gate;
	int depth;
};

static void *block_nested(void *arg)
{
	struct nesting *n = arg;

	for (int i = 0; i < n->depth; i++)
		soon_blocking_begin();
	gate_pass(n->gate);
	for (int i = 0; i < n->depth; i++)
		soon_blocking_end();
	return arg;
}

static void *open_gate(void *gate)
{
	gate_open(gate);
	return NULL;
}

/* The job behind it opens the gate: only in the place given away. */
START_TEST(a_blocking_job_gives_its_place_away)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = 1;
	o.max_workers = 2;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	for (int depth = 1; depth <= 3; depth++) {
		struct gate gate;
		struct nesting n = { &gate, depth };
		soon_future *blocked, *opener;

		gate_init(&gate);
		blocked = submit(e, block_nested, &n);
		gate_await(&gate, 1);
		opener = submit(e, open_gate, &gate);
		ck_assert_int_eq(soon_future_wait(blocked, SOON_FOREVER), 0);
		ck_assert_int_eq(soon_future_wait(opener, SOON_FOREVER), 0);
		soon_future_unref(blocked);
		soon_future_unref(opener);
		gate_fini(&gate);
	}
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("job");
	TCase *t = tcase_create("itself");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_job_knows_its_own_future);
	tcase_add_test(t, a_job_may_keep_its_own_future);
	tcase_add_test(t, outside_a_job_the_calls_of_a_job_do_nothing);
	tcase_add_test(t, a_sleeping_job_wakes_when_it_is_asked_to_stop);
	tcase_add_test(t, an_undisturbed_sleep_lasts_as_long_as_it_should);
	tcase_add_test(t, a_sleeping_job_gives_its_place_away);
	tcase_add_test(t, a_blocking_job_gives_its_place_away);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
