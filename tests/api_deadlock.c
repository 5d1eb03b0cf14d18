/*
 * api_deadlock.c - jobs that wait for each other, on several threads and in
 * several pools: one is told, the others go on.
 */
#include "support/ring.h"

#include <errno.h>

START_TEST(of_two_that_wait_for_each_other_one_is_told)
{
	struct waiter *w = add((enum way)(_i % WAYS), NULL);

	add((enum way)(_i / WAYS), job[0]);
	also(w, job[1]);
	ck_assert_uint_eq(go(), 1);
}
END_TEST

START_TEST(of_a_ring_over_three_pools_one_is_told)
{
	struct waiter *w = add((enum way)(_i % WAYS), NULL);

	add((enum way)((_i + 1) % WAYS), job[0]);
	add((enum way)((_i + 2) % WAYS), job[1]);
	also(w, job[2]);
	ck_assert_uint_eq(go(), 1);
}
END_TEST

START_TEST(of_a_long_ring_one_is_told)
{
	struct waiter *w = add((enum way)_i, NULL);

	while (jobs < MOST)
		add((enum way)_i, job[jobs - 1]);
	also(w, job[jobs - 1]);
	ck_assert_uint_eq(go(), 1);
}
END_TEST

START_TEST(who_waits_for_itself_is_told)
{
	struct waiter *w = add((enum way)_i, NULL);

	also(w, job[0]);
	also(w, job[0]);
	ck_assert_uint_eq(go(), 1);
}
END_TEST

struct parent {
	soon_executor *pool;
	soon_future *child;
	int rc;
	enum soon_state then; /* the child's, after the wait */
};

static void *wait_for_both(void *arg)
{
	struct parent *p = arg;
	soon_future *f[2] = { soon_self() };

	p->child = f[1] = soon_submit(p->pool, return_arg, NULL);
	p->rc = soon_wait_all(f, 2, SOON_FOREVER);
	p->then = soon_future_state(p->child);
	return NULL;
}

START_TEST(who_waits_for_itself_is_told_before_it_runs_others)
{
	struct parent p = { .pool = soon_executor_new(1) };
	soon_future *f;

	ck_assert_ptr_nonnull(p.pool);
	f = soon_submit(p.pool, wait_for_both, &p);
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	ck_assert_ptr_nonnull(p.child);
	ck_assert_int_eq(p.rc, EDEADLK);
	ck_assert_int_eq(p.then, SOON_PENDING);
	soon_future_unref(p.child);
	soon_future_unref(f);
	soon_executor_free(p.pool);
}
END_TEST

/* The second waits for both others, of which one waits for it. */
START_TEST(two_rings_with_a_common_job_are_both_broken)
{
	struct waiter *w[2] = { add(WAIT, NULL), add(WAIT_ALL, NULL) };

	add(WAIT, job[1]);
	also(w[0], job[1]);
	also(w[1], job[0]);
	also(w[1], job[2]);
	ck_assert_uint_ge(go(), 1);
}
END_TEST

/* All but the first way; each waits for all others. */
START_TEST(everybody_waits_for_everybody_else)
{
	struct waiter *w[4];

	for (int i = 0; i < 4; i++)
		w[i] = add((enum way)(WAIT_ALL + (_i + i) % (WAYS - WAIT_ALL)),
			   NULL);
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 4; k++)
			if (k != i)
				also(w[i], job[k]);
	ck_assert_uint_ge(go(), 1);
}
END_TEST

/* A job on whose stack another one waits. */
static void *wait_by_child(void *arg)
{
	struct waiter *w = arg;
	soon_future *child;

	w->fn = NULL;
	child = submit(ring_pool[0], pass_and_wait, w);
	soon_future_wait(child, SOON_FOREVER);
	soon_future_unref(child);
	return w;
}

START_TEST(who_is_waited_for_further_down_on_the_stack_is_in_the_ring)
{
	struct waiter *w;

	/* With no second thread to take the child. */
	soon_executor_free(ring_pool[0]);
	ring_pool[0] = pool_of(1);
	w = add((enum way)_i, NULL);
	w->fn = wait_by_child;
	add((enum way)(WAYS - 1 - _i), job[0]);
	add(WAIT, job[1]);
	also(w, job[2]);
	ck_assert_uint_eq(go(), 1);
}
END_TEST

/* Ways that need all are told although one of these is free. */
START_TEST(who_needs_all_is_told_of_one)
{
	soon_future *promise = must_promise();
	struct waiter *w = add(_i % 2 ? WAIT_ALL : GATHER, NULL);

	/* Whichever it sleeps on first. */
	if (_i < 2)
		also(w, promise);
	add(WAIT, job[0]);
	also(w, job[1]);
	if (_i >= 2)
		also(w, promise);
	gate_open(&start);
	/* Then the promise, lest a new ring is made by who goes on. */
	tally_await(&ended, 1);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_uint_eq(go(), 1);
	soon_future_unref(promise);
}
END_TEST

/* What succeeds does not end a wait for an error; then nothing else can. */
START_TEST(who_waits_for_an_error_is_told_when_the_rest_succeeded)
{
	soon_future *promise[3] = { must_promise(), must_promise(),
				    must_promise() };
	struct waiter *w = add(_i % 2 ? GATHER_FAST : FIRST_ERROR, NULL);

	also(w, promise[0]);
	add(_i % 4 < 2 ? WAIT : GATHER_FAST, job[0]);
	also(w, job[1]);
	also(w, promise[1]);
	also(w, promise[2]);
	if (_i >= 4)
		gate_open(&start);
	for (int i = 0; i < 3; i++) {
		see_asleep();
		ck_assert_uint_eq(tally_get(&waited), 0);
		soon_future_set_result(promise[i], NULL);
	}
	ck_assert_uint_eq(go(), 1);
	unref_n(promise, 3);
}
END_TEST

static void *iterate(void *arg)
{
	struct waiter *w = arg;
	soon_completions *set = soon_as_completed(w->awaited, w->n);
	soon_future *next;

	while ((w->rc = soon_completions_next(set, SOON_FOREVER, &next)) == 0)
		tally_add(&waited, 1);
	w->again = soon_completions_next(set, SOON_FOREVER, &next);
	soon_completions_free(set);
	if (w->rc == ENODATA)
		w->rc = 0;
	return w;
}

START_TEST(what_is_done_comes_out_of_a_set_before_its_deadlock)
{
	soon_future *promise[2] = { must_promise(), must_promise() };
	struct waiter *w = add(SET, promise[0]);

	w->fn = iterate;
	add(WAIT, job[0]);
	also(w, job[1]);
	also(w, promise[1]);
	gate_open(&start);
	see_asleep();
	ck_assert_uint_eq(tally_get(&waited), 0);
	for (unsigned i = 0; i < 2; i++) {
		soon_future_set_result(promise[i], NULL);
		tally_await(&waited, i + 1);
		soon_future_unref(promise[i]);
	}
	ck_assert_uint_eq(go(), 1);
}
END_TEST

static void *wait_for_parent(void *parent)
{
	return box(soon_future_wait(parent, SOON_FOREVER));
}

static void *map_waiters_for_oneself(void *told)
{
	void *results[4], *args[4];
	int errors[4];
	long n = 0;

	for (int i = 0; i < 4; i++)
		args[i] = soon_self();
	if (soon_map(ring_pool[1], SOON_JOB(.fn = wait_for_parent), args, 4,
		     SOON_FOREVER, results, told == NULL ? NULL : errors) != 0)
		return box(1);
	for (int i = 0; i < 4; i++)
		n += unbox(results[i]) == EDEADLK;
	return box(n);
}

START_TEST(children_that_wait_for_their_parent_do_not_stop_it)
{
	void *told = NULL;

	job[jobs++] = submit(ring_pool[0], map_waiters_for_oneself,
			     _i == 0 ? NULL : &told);
	ck_assert_int_eq(soon_future_result(job[0], SOON_FOREVER, &told), 0);
	ck_assert_int_ge(unbox(told), 1);
}
END_TEST

/* The main thread, which is no worker, runs a job of the ring. */
START_TEST(a_thread_that_runs_a_job_for_another_is_in_the_ring)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	struct waiter w = { .way = (enum way)_i, .timeout = SOON_FOREVER };
	soon_executor *helped;
	struct gate hold;
	soon_future *f;

	o.workers = o.max_workers = 1;
	o.flags = SOON_HELP;
	helped = soon_executor_open(&o);
	ck_assert_ptr_nonnull(helped);
	gate_init(&hold);
	pool_hold(helped, &hold, 1);
	f = submit(helped, pass_and_wait, &w);
	add(WAIT, f);
	w.awaited[w.n++] = job[0];
	gate_open(&start);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert(w.rc == 0 || w.rc == EDEADLK);
	ck_assert_uint_eq(go() + (w.rc == EDEADLK), 1);
	soon_future_unref(f);
	gate_open(&hold);
	soon_executor_free(helped);
	gate_fini(&hold);
}
END_TEST

static struct gate last;

static void *wait_last(void *arg)
{
	struct waiter *w = arg;

	gate_pass(&last);
	w->rc = wait_by(w->way, w->awaited, w->n, w->timeout);
	tally_add(&waited, 1);
	return w;
}

/*
 * Each arrow is a wait, of one for all of those on its right, of LAST for any:
 *
 *	LAST -> BACK, HALF, PATH	BACK -> LAST	HALF -> TAIL, BACK
 *	PATH -> NEAR -> TAIL -> ENDS -> promise
 *
 * TAIL is found on the way to HALF, before NEAR is; so one view of all sees that
 * it can end, which is no use to LAST, and only the next one what follows from it.
 */
START_TEST(who_can_end_only_by_a_long_path_is_not_told)
{
	enum { LAST, BACK, HALF, PATH, NEAR, TAIL, ENDS, JOBS };
	soon_future *promise = must_promise();
	struct waiter *w[JOBS];

	gate_init(&last);
	for (int i = 0; i < JOBS; i++)
		w[i] = add(i == LAST ? FIRST_COMPLETED : WAIT_ALL, NULL);
	w[LAST]->fn = wait_last;
	also(w[LAST], job[BACK]);
	also(w[LAST], job[HALF]);
	also(w[LAST], job[PATH]);
	also(w[BACK], job[LAST]);
	also(w[HALF], job[TAIL]);
	also(w[HALF], job[BACK]);
	also(w[PATH], job[NEAR]);
	also(w[NEAR], job[TAIL]);
	also(w[TAIL], job[ENDS]);
	also(w[ENDS], promise);
	gate_open(&start);
	see_asleep();
	gate_open(&last);
	see_asleep();
	ck_assert_uint_eq(tally_get(&waited), 0);
	soon_future_set_result(promise, NULL);
	ck_assert_uint_eq(go(), 0);
	soon_future_unref(promise);
	gate_fini(&last);
}
END_TEST

/* Nothing is told of a wait that can end, however many wait and sleep. */
START_TEST(who_was_told_may_go_on_and_wait_for_others)
{
	struct waiter *w = add(WAIT, NULL);

	add(WAIT, job[0]);
	also(w, job[1]);
	ck_assert_uint_eq(go(), 1);
	gate_shut(&start);
	add(WAIT, job[0]);
	add(WAIT_ALL, job[1]);
	also(&waiters[3], job[2]);
	gate_open(&start);
	ck_assert_int_eq(soon_future_wait(job[3], SOON_FOREVER), 0);
	ck_assert_int_eq(waiters[2].rc, 0);
	ck_assert_int_eq(waiters[3].rc, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("deadlock");
	TCase *t = tcase_create("rings");

	tcase_add_checked_fixture(t, ring_setup, ring_teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, of_two_that_wait_for_each_other_one_is_told, 0,
			    WAYS * WAYS);
	tcase_add_loop_test(t, of_a_ring_over_three_pools_one_is_told, 0, WAYS);
	tcase_add_loop_test(t, of_a_long_ring_one_is_told, 0, WAYS);
	tcase_add_loop_test(t, who_waits_for_itself_is_told, 0, WAYS);
	tcase_add_test(t, who_waits_for_itself_is_told_before_it_runs_others);
	tcase_add_test(t, two_rings_with_a_common_job_are_both_broken);
	tcase_add_loop_test(t, everybody_waits_for_everybody_else, 0, WAYS);
	tcase_add_loop_test(
		t, who_is_waited_for_further_down_on_the_stack_is_in_the_ring,
		0, WAYS);
	tcase_add_loop_test(t, who_needs_all_is_told_of_one, 0, 4);
	tcase_add_loop_test(
		t, who_waits_for_an_error_is_told_when_the_rest_succeeded, 0,
		8);
	tcase_add_test(t, what_is_done_comes_out_of_a_set_before_its_deadlock);
	tcase_add_test(t, who_can_end_only_by_a_long_path_is_not_told);
	tcase_add_loop_test(
		t, children_that_wait_for_their_parent_do_not_stop_it, 0, 2);
	tcase_add_loop_test(t,
			    a_thread_that_runs_a_job_for_another_is_in_the_ring,
			    0, WAYS);
	tcase_add_test(t, who_was_told_may_go_on_and_wait_for_others);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
