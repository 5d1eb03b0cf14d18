/*
 * api_cancel.c - cancelling jobs in every state, and who is told.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>

static soon_executor *pool;
static struct gate gate;
static struct tally seen;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&seen);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&seen);
}

/* A job that is pending and stays so: the only worker is stuck. */
static soon_future *stuck_job(void)
{
	if (gate_arrived(&gate) == 0)
		pool_hold(pool, &gate, 1);
	return submit(pool, tally_job, &seen);
}

static void *fail_io(void *arg)
{
	(void)arg;
	return soon_fail(EIO, NULL);
}

START_TEST(a_pending_job_is_cancelled_for_good)
{
	soon_future *f = stuck_job();
	void *result = &gate;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(soon_future_cancel(f), 0);
		ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
		ck_assert(soon_future_done(f));
		ck_assert(soon_future_cancel_requested(f));
		ck_assert_int_eq(soon_future_error(f), ECANCELED);
		ck_assert_str_eq(soon_future_message(f),
				 soon_strerror(ECANCELED));
		ck_assert_int_eq(soon_future_wait(f, 0), 0);
		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result),
				 ECANCELED);
		ck_assert_ptr_null(result);
		ck_assert_ptr_null(soon_future_take(f));
	}
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&seen), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	soon_future_unref(f);
}
END_TEST

struct watch {
	struct gate gate;
	bool before;
	bool after;
};

static void *watch_requests(void *arg)
{
	struct watch *w = arg;

	w->before = soon_cancel_requested();
	gate_pass(&w->gate);
	w->after = soon_cancel_requested();
	return w;
}

START_TEST(a_running_job_is_asked_and_may_still_succeed)
{
	struct watch w;
	soon_future *f;
	void *result = NULL;

	gate_init(&w.gate);
	f = submit(pool, watch_requests, &w);
	gate_await(&w.gate, 1);
	ck_assert(!soon_future_cancel_requested(f));
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert(soon_future_cancel_requested(f));
	ck_assert_int_eq(soon_future_state(f), SOON_RUNNING);
	ck_assert_int_eq(soon_future_error(f), EBUSY);
	gate_open(&w.gate);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &w);
	ck_assert(!w.before);
	ck_assert(w.after);
	ck_assert(soon_future_cancel_requested(f));
	ck_assert_int_eq(soon_future_cancel(f), EALREADY);
	soon_future_unref(f);
	gate_fini(&w.gate);
}
END_TEST

START_TEST(a_finished_job_is_left_alone)
{
	soon_future *good = submit(pool, return_arg, &gate);
	soon_future *bad = submit(pool, fail_io, NULL);

	ck_assert_int_eq(soon_future_wait(good, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_wait(bad, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_cancel(good), EALREADY);
	ck_assert_int_eq(soon_future_cancel(bad), EALREADY);
	ck_assert(!soon_future_cancel_requested(good));
	ck_assert(!soon_future_cancel_requested(bad));
	ck_assert_int_eq(soon_future_state(good), SOON_SUCCEEDED);
	ck_assert_int_eq(soon_future_state(bad), SOON_FAILED);
	soon_future_unref(good);
	soon_future_unref(bad);
}
END_TEST

/* One way to wait for the two futures of a pair; box(code) or box(-1). */
struct pair {
	soon_future *f[2];
};

static void *by_wait(void *arg)
{
	return box(soon_future_wait(((struct pair *)arg)->f[1], SOON_FOREVER));
}

static void *by_result(void *arg)
{
	struct pair *p = arg;

	return box(soon_future_result(p->f[1], 3600 * SOON_SEC, NULL) ==
				   ECANCELED
			   ? 0
			   : -1);
}

static void *by_wait_any(void *arg)
{
	size_t index = 9;
	int rc =
		soon_wait_any(((struct pair *)arg)->f, 2, SOON_FOREVER, &index);

	return box(rc == 0 && index == 1 ? 0 : -1);
}

static void *by_first_completed(void *arg)
{
	size_t done = 0;
	int rc = soon_wait(((struct pair *)arg)->f, 2, SOON_FIRST_COMPLETED,
			   3600 * SOON_SEC, &done);

	return box(rc == 0 && done == 1 ? 0 : -1);
}

static void *by_first_error(void *arg)
{
	return box(soon_wait(((struct pair *)arg)->f, 2, SOON_FIRST_ERROR,
			     SOON_FOREVER, NULL));
}

static void *by_all(void *arg)
{
	return box(soon_wait_all(((struct pair *)arg)->f + 1, 1, SOON_FOREVER));
}

static void *by_set(void *arg)
{
	struct pair *p = arg;
	soon_completions *set = soon_as_completed(p->f, 2);
	soon_future *next = NULL;
	int rc = soon_completions_next(set, SOON_FOREVER, &next);
	bool right = rc == 0 && next == p->f[1];

	soon_completions_free(set);
	return box(right ? 0 : -1);
}

static void *by_gather(void *arg)
{
	int rc = soon_gather(((struct pair *)arg)->f, 2, SOON_FOREVER, NULL,
			     NULL);

	return box(rc == ECANCELED ? 0 : -1);
}

static void *by_gather_errors(void *arg)
{
	int errors[1] = { 0 };
	int rc = soon_gather(((struct pair *)arg)->f + 1, 1, SOON_FOREVER, NULL,
			     errors);

	return box(rc == 0 && errors[0] == ECANCELED ? 0 : -1);
}

static soon_fn *const ways[] = {
	by_wait, by_result, by_wait_any, by_first_completed, by_first_error,
	by_all,	 by_set,    by_gather,	 by_gather_errors
};

static void count_cancelled(soon_future *f, void *tally)
{
	if (soon_future_state(f) == SOON_CANCELLED)
		tally_add(tally, 1);
}

/* The worker stays stuck until all of them have returned. */
START_TEST(cancelling_wakes_every_kind_of_waiter_at_once)
{
	struct actor waiters[COUNT_OF(ways)];
	struct tally told;
	struct pair p;

	tally_init(&told);
	p.f[0] = stuck_job();
	p.f[1] = stuck_job();
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		actor_start(&waiters[i], ways[i], &p);
	ck_assert_int_eq(soon_future_on_done(p.f[1], count_cancelled, &told),
			 0);
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		actor_await_asleep(&waiters[i]);
	ck_assert_int_eq(soon_future_cancel(p.f[1]), 0);
	ck_assert_uint_eq(tally_get(&told), 1);
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		ck_assert_msg(actor_join(&waiters[i]) == NULL, "way %zu", i);
	ck_assert_int_eq(soon_future_state(p.f[0]), SOON_PENDING);
	soon_future_unref(p.f[0]);
	soon_future_unref(p.f[1]);
	tally_fini(&told);
}
END_TEST

/* The pool of the waiting jobs is smaller than their number. */
START_TEST(cancelling_a_promise_wakes_the_jobs_that_wait_for_it)
{
	soon_executor *other = pool_of(2);
	soon_future *waiting[COUNT_OF(ways)];
	struct pair p;
	void *wrong = NULL;

	p.f[0] = soon_future_new(NULL);
	p.f[1] = soon_future_new(NULL);
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		waiting[i] = submit(other, ways[i], &p);
	ck_assert_int_eq(soon_future_cancel(p.f[1]), 0);
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		ck_assert_int_eq(soon_future_result(waiting[i], SOON_FOREVER,
						    &wrong),
				 0);
		ck_assert_msg(wrong == NULL, "way %zu", i);
		soon_future_unref(waiting[i]);
	}
	soon_executor_free(other);
	soon_future_unref(p.f[0]);
	soon_future_unref(p.f[1]);
}
END_TEST

START_TEST(cancelled_jobs_in_the_queue_hinder_no_other)
{
	enum { N = 1000 };
	static soon_future *f[N];
	struct tally ran;

	tally_init(&ran);
	pool_hold(pool, &gate, 1);
	for (int i = 0; i < N; i++)
		f[i] = submit(pool, tally_job, &ran);
	for (int i = 0; i < N; i++) {
		if (i % 3 == 0)
			ck_assert_int_eq(soon_future_cancel(f[i]), 0);
		if (i % 2 == 0)
			soon_future_unref(f[i]);
	}
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&ran), N - (N + 2) / 3);
	for (int i = 1; i < N; i += 2) {
		ck_assert_int_eq(soon_future_state(f[i]),
				 i % 3 == 0 ? SOON_CANCELLED : SOON_SUCCEEDED);
		soon_future_unref(f[i]);
	}
	tally_fini(&ran);
}
END_TEST

static void *cancel_myself(void *arg)
{
	struct watch *w = arg;

	w->before = soon_cancel_requested();
	if (soon_future_cancel(soon_self()) != EBUSY)
		return NULL;
	w->after = soon_cancel_requested();
	return soon_fail(ECANCELED, "gave up");
}

START_TEST(a_job_that_gives_up_has_failed_and_is_not_cancelled)
{
	struct watch w = { .before = true };
	soon_future *f = submit(pool, cancel_myself, &w);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ECANCELED);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert_str_eq(soon_future_message(f), "gave up");
	ck_assert(!w.before);
	ck_assert(w.after);
	ck_assert_int_eq(soon_future_cancel(f), EALREADY);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_request_goes_to_one_job_only)
{
	struct watch w;
	soon_future *asked = submit(pool, gate_job, &gate);
	soon_future *next;

	gate_init(&w.gate);
	gate_open(&w.gate);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(asked), EBUSY);
	next = submit(pool, watch_requests, &w);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(next, SOON_FOREVER), 0);
	ck_assert(!w.before);
	ck_assert(!w.after);
	ck_assert(!soon_future_cancel_requested(next));
	soon_future_unref(asked);
	soon_future_unref(next);
	gate_fini(&w.gate);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("cancel");
	TCase *t = tcase_create("states");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_pending_job_is_cancelled_for_good);
	tcase_add_test(t, a_running_job_is_asked_and_may_still_succeed);
	tcase_add_test(t, a_finished_job_is_left_alone);
	tcase_add_test(t, a_job_that_gives_up_has_failed_and_is_not_cancelled);
	tcase_add_test(t, a_request_goes_to_one_job_only);
	tcase_add_test(t, cancelled_jobs_in_the_queue_hinder_no_other);
	suite_add_tcase(s, t);

	t = tcase_create("waking");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, cancelling_wakes_every_kind_of_waiter_at_once);
	tcase_add_test(t, cancelling_a_promise_wakes_the_jobs_that_wait_for_it);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
