/*
 * api_deadlock_near.c - jobs that only seem to wait for each other: nobody is
 * told.
 */
#include "support/ring.h"

#include <errno.h>

/* The others are told only of all. */
START_TEST(who_needs_one_is_not_told_while_one_may_come)
{
	soon_future *promise = must_promise();
	struct waiter *w = add((enum way)(GATHER_FAST + _i / 2), NULL);

	if (_i % 2)
		also(w, promise);
	add(WAIT, job[0]);
	also(w, job[1]);
	also(w, promise);
	gate_open(&start);
	see_asleep();
	ck_assert_uint_eq(tally_get(&waited), 0);
	if (w->way == GATHER_FAST || w->way == FIRST_ERROR)
		soon_future_cancel(promise);
	else
		soon_future_set_result(promise, NULL);
	if (w->way == GATHER_FAST) {
		soon_future_wait(job[0], SOON_FOREVER);
		ck_assert_int_eq(w->rc, ECANCELED);
		w->rc = 0;
	}
	ck_assert_uint_eq(go(), 0);
	soon_future_unref(promise);
}
END_TEST

/* The first waits for a moment, the second for the first. */
START_TEST(who_waits_for_a_time_is_never_told)
{
	struct waiter *w = add((enum way)_i, NULL);

	add((enum way)(_i % WAYS), job[0]);
	also(w, job[1]);
	w->timeout = SOON_MSEC;
	gate_open(&start);
	ck_assert_int_eq(soon_future_wait(job[0], SOON_FOREVER), 0);
	ck_assert_int_eq(w->rc, ETIMEDOUT);
	w->rc = 0;
	ck_assert_uint_eq(go(), 0);
}
END_TEST

static void *sleep_and_wait_timed(void *arg)
{
	struct waiter *w = arg;

	w->rc = soon_sleep(SOON_MSEC);
	if (soon_future_wait(w->awaited[0], SOON_MSEC) != ETIMEDOUT)
		w->rc = -1;
	return w;
}

START_TEST(who_sleeps_will_wake)
{
	struct waiter *w = add(WAIT, NULL);

	w->fn = sleep_and_wait_timed;
	for (int i = 1; i < MOST; i++)
		add((enum way)_i, job[i - 1]);
	also(w, job[MOST - 1]);
	ck_assert_uint_eq(go(), 0);
}
END_TEST

/* A tree of waits with shared leaves, and a promise that nobody in it sets. */
START_TEST(waits_without_a_ring_are_no_deadlock)
{
	soon_future *promise = must_promise();

	add((enum way)_i, promise);
	add(WAIT, promise);
	add(WAIT_ALL, job[0]);
	also(&waiters[2], job[1]);
	add(GATHER, job[0]);
	also(&waiters[3], job[2]);
	also(&waiters[3], job[2]);
	add(SET, job[3]);
	add(ANY, job[4]);
	also(&waiters[5], job[3]);
	gate_open(&start);
	see_asleep();
	ck_assert_uint_eq(tally_get(&waited), 0);
	soon_future_set_result(promise, NULL);
	ck_assert_uint_eq(go(), 0);
	soon_future_unref(promise);
}
END_TEST

/* A promise that a job has begun to keep is no job. */
START_TEST(a_promise_that_runs_may_be_kept_by_anybody)
{
	soon_future *promise = must_promise();

	ck_assert_int_eq(soon_future_set_running(promise), 0);
	add((enum way)_i, promise);
	add((enum way)_i, job[0]);
	gate_open(&start);
	see_asleep();
	ck_assert_uint_eq(tally_get(&waited), 0);
	soon_future_set_result(promise, NULL);
	ck_assert_uint_eq(go(), 0);
	soon_future_unref(promise);
}
END_TEST

static soon_executor *deep;
static pid_t deepest;
static struct gate hold;

/* Jobs that wait one for the other, the last for the first of the ring's. */
static void *descend(void *depth)
{
	soon_future *f = NULL;
	int rc;

	if (unbox(depth) > 0) {
		f = soon_submit(deep, descend, box(unbox(depth) - 1));
	} else {
		deepest = thread_id();
		gate_pass(&hold);
	}
	rc = soon_future_wait(f != NULL ? f : job[0], SOON_FOREVER);
	soon_future_unref(f);
	return box(rc);
}

/* Those that run are found among all that wait, however many these are. */
START_TEST(many_that_wait_are_not_taken_for_those_that_run)
{
	soon_future *running[MOST], *f;
	struct waiter *w = add(WAIT_ALL, NULL);
	void *rc = NULL;
	struct gate busy;

	gate_init(&busy);
	gate_init(&hold);
	gate_open(&hold);
	deep = pool_of(1);
	for (int i = 0; i < MOST; i++) {
		running[i] = submit(ring_pool[1], gate_job, &busy);
		also(w, running[i]);
	}
	gate_await(&busy, MOST);
	f = submit(deep, descend, box((long)test_scale(8000)));
	gate_await(&hold, 1);
	thread_await_asleep(deepest);
	gate_open(&start);
	see_asleep();
	ck_assert_uint_eq(tally_get(&waited), 0);
	gate_open(&busy);
	ck_assert_uint_eq(go(), 0);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq((int)unbox(rc), 0);
	soon_future_unref(f);
	unref_n(running, MOST);
	soon_executor_free(deep);
	gate_fini(&hold);
	gate_fini(&busy);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("deadlock_near");
	TCase *t;

	t = tcase_create("near rings");
	tcase_add_checked_fixture(t, ring_setup, ring_teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, who_needs_one_is_not_told_while_one_may_come, 0,
			    2 * (WAYS - GATHER_FAST));
	tcase_add_loop_test(t, who_waits_for_a_time_is_never_told, 0, WAYS);
	tcase_add_loop_test(t, who_sleeps_will_wake, 0, WAYS);
	tcase_add_loop_test(t, waits_without_a_ring_are_no_deadlock, 0, WAYS);
	tcase_add_loop_test(t, a_promise_that_runs_may_be_kept_by_anybody, 0,
			    WAYS);
	tcase_add_test(t, many_that_wait_are_not_taken_for_those_that_run);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
