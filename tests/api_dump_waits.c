/*
 * api_dump_waits.c - what a dump says of jobs that wait, and for whom.
 */
#include "support/dump.h"

#include <errno.h>
#include <sched.h>

START_TEST(a_stuck_program_names_the_culprit)
{
	soon_future *culprit = submit_named("culprit", gate_job, &gate);
	soon_future *victim;

	gate_await(&gate, 1);
	expect("pool-1: \"culprit\"");
	victim = submit_named("victim", wait_for, culprit);
	await_saying("pool-2: \"victim\", waiting ");
	expect(" for \"culprit\" (on pool-1)\n");
	expect("pool: 2 threads (");
	await_saying(" 2 blocked, 0 idle), about 0 jobs pending\n");
	expect("\"culprit\", blocked, running for ");
	gate_open(&gate);
	finish(victim);
	finish(culprit);
	await_saying("0 running, 0 blocked, 2 idle");
	expect("pool-1: idle\n");
	expect("pool-2: idle\n");
}
END_TEST

START_TEST(a_thread_of_another_pool_that_others_wait_for_is_shown)
{
	soon_executor *other = named_pool("other", 1, 0);
	soon_future *f[2], *outer;

	f[0] = submit_job(other, SOON_JOB(.fn = wait_for, .arg = promise,
					  .name = "middle"));
	/* Or else the first would run it itself. */
	while (!says(other, "other-1: \"middle\", waiting "))
		sched_yield();
	f[1] = submit_named("first", wait_for, f[0]);
	await_saying("other-1: \"middle\", waiting ");
	await_saying(" for \"middle\" (on other-1)\n");
	expect(" for promise 0x");
	/* The counts are of the pool's own. */
	expect("pool: 1 threads (0 running, 1 blocked, 0 idle)");
	outer = f[1];
	soon_future_set_result(promise, NULL);
	finish(outer);
	finish(f[0]);
	soon_executor_free(other);
}
END_TEST

static void *submit_and_wait(void *arg)
{
	soon_future *f = submit_job(pool, SOON_JOB(.fn = wait_for, .arg = arg,
						   .name = "inner"));

	soon_future_wait(f, SOON_FOREVER);
	soon_future_unref(f);
	return NULL;
}

START_TEST(jobs_on_one_stack_share_a_line)
{
	soon_future *f;

	/* With no other thread to take the inner one. */
	soon_executor_free(pool);
	pool = named_pool("one", 1, 0);
	f = submit_named("outer", submit_and_wait, promise);
	await_saying("one-1: \"inner\" on top of \"outer\", waiting ");
	soon_future_set_result(promise, NULL);
	finish(f);
}
END_TEST

/* What is waited for, in every way. */
struct wait {
	soon_future *f[6];
	int kind;
};

static void *wait_by_kind(void *arg)
{
	struct wait *w = arg;
	soon_completions *set;
	soon_future *next;
	size_t index;

	switch (w->kind) {
	case 0:
		return box(soon_wait_all(w->f, 6, TEST_TIMEOUT * SOON_SEC));
	case 1:
		return box(soon_wait_any(w->f, 6, SOON_FOREVER, &index));
	case 2:
		return box(soon_wait(w->f, 6, SOON_FIRST_ERROR,
				     TEST_TIMEOUT * SOON_SEC, NULL));
	default:
		set = soon_as_completed(w->f, 6);
		soon_completions_next(set, SOON_FOREVER, &next);
		soon_completions_free(set);
		return NULL;
	}
}

START_TEST(a_wait_for_several_names_some)
{
	static const char *const which[] = {
		" for all of \"job 0\"", " for one of \"job 0\"",
		" for an error or all of \"job 0\"", " for one of \"job 0\""
	};
	static const char *const names[] = { "job 0", "job 1", "job 2", "job 3",
					     "job 4" };
	struct wait w = { .kind = _i };
	soon_future *waiter;

	pool_hold(pool, &gate, 1);
	for (int i = 0; i < 5; i++)
		w.f[i] = submit_named(names[i], gate_job, &gate);
	/* Two of the three have begun; the others are pending. */
	gate_await(&gate, 3);
	w.f[5] = promise;
	soon_executor_free(NULL);
	{
		soon_executor *mine = named_pool("mine", 1, 0);

		waiter = submit_job(mine, SOON_JOB(.fn = wait_by_kind,
						   .arg = &w, .name = "many"));
		do
			says(mine, which[_i]);
		while (strstr(text, which[_i]) == NULL);
		ck_assert_ptr_nonnull(
			strstr(text, "mine-1: \"many\", waiting "));
		ck_assert_ptr_nonnull(strstr(text, ", \"job 1\" (on pool-"));
		ck_assert_ptr_nonnull(strstr(
			text, ", \"job 2\" (not started), \"job 3\" (not "
			      "started) and 2 more\n"));
		gate_open(&gate);
		soon_future_set_result(promise, NULL);
		finish(waiter);
		soon_executor_free(mine);
	}
	for (int i = 0; i < 5; i++)
		finish(w.f[i]);
}
END_TEST

static void *sleep_long(void *unused)
{
	(void)unused;
	return box(soon_sleep(TEST_TIMEOUT * SOON_SEC));
}

static void wait_for_promise(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	soon_future_wait(promise, SOON_FOREVER);
}

START_TEST(a_callback_that_waits_is_said_to)
{
	soon_future *f = submit_named("job", gate_job, &gate);

	ck_assert_int_eq(soon_future_on_done(f, wait_for_promise, NULL), 0);
	gate_open(&gate);
	await_saying("pool-1: in a callback, waiting ");
	expect(" for promise 0x");
	soon_future_set_result(promise, NULL);
	finish(f);
}
END_TEST

START_TEST(a_job_that_sleeps_is_said_to)
{
	soon_future *f = submit_named("sleeper", sleep_long, NULL);

	await_saying("pool-1: \"sleeper\", asleep for ");
	soon_future_cancel(f);
	finish(f);
}
END_TEST

/* Two that wait for each other; the one that is told stays at the gate. */
static soon_future *pair[2];
static struct gate begin;

static void *wait_for_other(void *i)
{
	int rc;

	gate_pass(&begin);
	rc = soon_future_wait(pair[1 - unbox(i)], SOON_FOREVER);
	if (rc == EDEADLK) {
		gate_pass(&gate);
		soon_future_wait(promise, SOON_FOREVER);
		gate_pass(&begin);
	}
	return NULL;
}

START_TEST(who_was_told_of_a_deadlock_has_the_chain_on_its_line)
{
	bool first;

	gate_init(&begin);
	pair[0] = submit_named("a", wait_for_other, box(0));
	pair[1] = submit_named("b", wait_for_other, box(1));
	gate_await(&begin, 2);
	expect_not("deadlock");
	gate_open(&begin);
	gate_await(&gate, 1);
	first = says(pool, "; deadlock: \"a\" -> \"b\" -> \"a\"\n");
	if (first)
		ck_assert_ptr_nonnull(strstr(text, "-1: \"a\", "));
	else
		expect("; deadlock: \"b\" -> \"a\" -> \"b\"\n");
	/* Until it waits again. */
	gate_shut(&begin);
	gate_open(&gate);
	await_saying(" for promise ");
	expect_not("deadlock");
	soon_future_set_result(promise, NULL);
	gate_await(&begin, 3);
	expect_not("deadlock");
	gate_open(&begin);
	/* Each is needed until the other has ended too. */
	ck_assert_int_eq(soon_wait_all(pair, 2, SOON_FOREVER), 0);
	unref_n(pair, 2);
	gate_fini(&begin);
}
END_TEST

static void *deadlock_alone(void *unused)
{
	(void)unused;
	return box(soon_future_wait(soon_self(), SOON_FOREVER));
}

static void *deadlock_then_stay(void *unused)
{
	deadlock_alone(unused);
	gate_pass(&gate);
	return NULL;
}

START_TEST(the_chain_goes_with_its_job)
{
	soon_future *f = submit_named("self", deadlock_then_stay, NULL);

	gate_await(&gate, 1);
	expect("; deadlock: \"self\" -> \"self\"\n");
	gate_open(&gate);
	finish(f);
	expect_not("deadlock");
	finish(submit_named("self", deadlock_alone, NULL));
	expect_not("deadlock");
}
END_TEST

static void *nest(void *depth)
{
	long left = unbox(depth);
	soon_future *f = left > 0 ? soon_submit(pool, nest, box(left - 1))
				  : soon_future_ref(promise);

	soon_future_wait(f, SOON_FOREVER);
	soon_future_unref(f);
	return NULL;
}

START_TEST(of_a_deep_stack_some_jobs_are_shown_and_the_others_counted)
{
	soon_future *f;

	/* With no other thread to take the inner ones. */
	soon_executor_free(pool);
	pool = named_pool("one", 1, 0);
	f = submit_named("outer", nest, box(20));
	await_saying(" more, waiting ");
	expect(" on top of ");
	expect_not("outer");
	soon_future_set_result(promise, NULL);
	finish(f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("dump_waits");
	TCase *t = tcase_create("dump_waits");

	tcase_add_checked_fixture(t, dump_setup, dump_teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_stuck_program_names_the_culprit);
	tcase_add_test(t,
		       a_thread_of_another_pool_that_others_wait_for_is_shown);
	tcase_add_test(t, jobs_on_one_stack_share_a_line);
	tcase_add_loop_test(t, a_wait_for_several_names_some, 0, 4);
	tcase_add_test(t, a_callback_that_waits_is_said_to);
	tcase_add_test(t, a_job_that_sleeps_is_said_to);
	tcase_add_test(t, who_was_told_of_a_deadlock_has_the_chain_on_its_line);
	tcase_add_test(t, the_chain_goes_with_its_job);
	tcase_add_test(
		t, of_a_deep_stack_some_jobs_are_shown_and_the_others_counted);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
