/*
 * fault_sweep.c - the calls of the system that the library needs fail at every
 * place in turn: the n-th of a kind, for n = 1, 2, ... until a scenario gets
 * through without one failing; that one alone, or all from it on.
 *
 * Whatever fails, the scenario holds, and what it used is given back.
 */
#include "support/scenario.h"
#include "timer.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* Repetitions of each failure, so that a leak differs from a cache. */
#define TIMES 4

/* A scenario with a kind of fault, once or for good. */
struct sweep {
	const struct scenario *scenario;
	enum fault kind;
	bool persistent;
	long n; /* the call that fails */
};

static struct sweep sweep_of(int i)
{
	return (struct sweep){
		.scenario = &scenarios[i / (2 * FAULTS)],
		.kind = (enum fault)(i / 2 % FAULTS),
		.persistent = i % 2 != 0,
	};
}

static void must(bool holds, const struct sweep *s, const char *what)
{
	if (!holds)
		ck_abort_msg("%s, %s %ld%s: %s", s->scenario->name,
			     fault_name(s->kind), s->n,
			     s->persistent ? " and on" : "", what);
}

static void run(const struct sweep *s)
{
	const char *claim = s->scenario->run();

	if (claim != NULL)
		ck_abort_msg("%s, %s %ld%s: not %s", s->scenario->name,
			     fault_name(s->kind), s->n,
			     s->persistent ? " and on" : "", claim);
}

/* Whether there is no more than that.  A thread that was written off, for which
 * nobody can wait, may be about to free some; but not for long. */
static bool await_most(long held(void), long most)
{
	soon_nsec end = now() + 60 * SOON_SEC;

	while (held() > most && now() < end)
		sched_yield();
	return held() <= most;
}

/* How often the n-th call was made and failed. */
static unsigned fail_nth(const struct sweep *s)
{
	long blocks = fault_blocks();
	unsigned failed = 0;

	for (int i = 0; i < TIMES; i++) {
		fault_arm(s->kind, s->n, s->persistent);
		run(s);
		failed += fault_disarm();
	}
	must(await_most(fault_blocks, blocks + TIMES / 2), s, "leaks");
	return failed;
}

static long threads(void)
{
	return (long)thread_count();
}

static void run_times(struct sweep *s, int times)
{
	s->n = 0;
	for (int i = 0; i < times; i++)
		run(s);
	sooni_timer_forget();
}

START_TEST(whatever_fails_a_call_does_all_it_says_or_nothing)
{
	struct sweep s = sweep_of(_i);
	long blocks, descriptors, running, places;

	run_times(&s, TIMES);
	blocks = fault_blocks();
	descriptors = fault_descriptors();
	running = threads();
	run_times(&s, 2 * TIMES);
	must(await_most(fault_blocks, blocks + TIMES / 2), &s, "leaks");
	do
		s.n++;
	while (fail_nth(&s) > 0);
	places = s.n - 1;
	must(places > 0 || s.kind != FAULT_MEMORY || s.scenario != scenarios,
	     &s, "nothing was asked for");
	run_times(&s, 1);
	must(await_most(fault_descriptors, descriptors), &s,
	     "leaks descriptors");
	must(await_most(threads, running), &s, "leaves threads behind");
	printf("%s, %s%s: %ld places\n", s.scenario->name, fault_name(s.kind),
	       s.persistent ? " and on" : "", places);
}
END_TEST

/* Made once in a process: the index is the call that fails. */
START_TEST(the_default_executor_can_be_had_later)
{
	enum fault kind = (enum fault)(_i % FAULTS);
	void *result = NULL;
	soon_executor *e;
	soon_future *f;

	fault_arm(kind, _i / FAULTS + 1, false);
	f = soon_submit(NULL, return_arg, &result);
	ck_assert(f != NULL || fault_explains(errno));
	if (f != NULL)
		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	fault_disarm();
	soon_future_unref(f);
	e = soon_default_executor();
	ck_assert_ptr_nonnull(e);
	f = submit(e, return_arg, &result);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &result);
	soon_future_unref(f);
}
END_TEST

static Suite *sweep_suite(void)
{
	Suite *s = suite_create("fault_sweep");
	TCase *tc = tcase_create("fault_sweep");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc,
			    whatever_fails_a_call_does_all_it_says_or_nothing,
			    0, 2 * FAULTS * (int)scenario_count);
	tcase_add_loop_test(tc, the_default_executor_can_be_had_later, 0,
			    FAULTS * 30);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return fault_run(sweep_suite());
}
