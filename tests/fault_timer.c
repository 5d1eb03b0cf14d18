/*
 * fault_timer.c - timers without memory or threads for the clock.
 */
#include "support/fault.h"
#include "thread.h"
#include "timer.h"

#include <errno.h>

/* A timer that runs the user's code, at one gate before it and at one in it. */
static struct gate at_clock, at_user;

static void fire_user(struct sooni_timer *t)
{
	(void)t;
	gate_pass(&at_clock);
	sooni_before_user();
	gate_pass(&at_user);
}

static struct tally fired;

static void fire(struct sooni_timer *t)
{
	(void)t;
	tally_add(&fired, 1);
}

START_TEST(a_timer_without_a_thread_is_refused)
{
	struct sooni_timer t = { .fire = fire };

	tally_init(&fired);
	fault_arm(FAULT_THREAD, 1, true);
	ck_assert_int_eq(sooni_timer_start(&t), EAGAIN);
	ck_assert(!sooni_timer_stop(&t));
	ck_assert_uint_ge(fault_disarm(), 1);
	ck_assert_int_eq(sooni_timer_start(&t), 0);
	tally_await(&fired, 1);
	ck_assert(!sooni_timer_stop(&t));
	ck_assert_uint_eq(tally_get(&fired), 1);
	sooni_timer_forget();
	tally_fini(&fired);
}
END_TEST

/* One is due as the clock finds nobody to pass to, one is started then; they wait
 * for the user's code to end, or for the next that can start a thread. */
START_TEST(timers_that_the_user_holds_up_for_want_of_threads_are_not_lost)
{
	struct sooni_timer user = { .fire = fire_user };
	struct sooni_timer due = { .fire = fire };
	struct sooni_timer later = { .fire = fire };
	struct sooni_timer last = { .fire = fire };

	gate_init(&at_clock);
	gate_init(&at_user);
	tally_init(&fired);
	ck_assert_int_eq(sooni_timer_start(&user), 0);
	gate_await(&at_clock, 1);
	ck_assert_int_eq(sooni_timer_start(&due), 0);
	fault_arm(FAULT_THREAD, 1, true);
	gate_open(&at_clock);
	gate_await(&at_user, 1);
	ck_assert_int_eq(sooni_timer_start(&later), 0);
	ck_assert_uint_ge(fault_disarm(), 2);
	ck_assert_uint_eq(tally_get(&fired), 0);
	if (_i == 0) {
		gate_open(&at_user);
		tally_await(&fired, 2);
	}
	ck_assert_int_eq(sooni_timer_start(&last), 0);
	tally_await(&fired, 3);
	gate_open(&at_user);
	sooni_timer_stop(&last);
	sooni_timer_forget();
	tally_fini(&fired);
}
END_TEST

static void no_fire(struct sooni_timer *t)
{
	(void)t;
}

/* More than the clock has memory for at first. */
START_TEST(a_timer_without_memory_is_refused)
{
	static struct sooni_timer timers[100];
	size_t refusals = 0;

	for (size_t i = 0; i < COUNT_OF(timers); i++) {
		struct sooni_timer *t = &timers[i];
		int rc;

		t->when = INT64_MAX;
		t->fire = no_fire;
		fault_arm(FAULT_MEMORY, 1, true);
		rc = sooni_timer_start(t);
		fault_disarm();
		refusals += rc != 0;
		ck_assert(rc == 0 || rc == ENOMEM);
		ck_assert(rc == 0 || !sooni_timer_stop(t));
		if (rc != 0)
			ck_assert_int_eq(sooni_timer_start(t), 0);
	}
	ck_assert_uint_ge(refusals, 2);
	for (size_t i = 0; i < COUNT_OF(timers); i++)
		ck_assert(sooni_timer_stop(&timers[i]));
	sooni_timer_forget();
}
END_TEST

static Suite *timer_suite(void)
{
	Suite *s = suite_create("fault_timer");
	TCase *tc = tcase_create("fault_timer");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, a_timer_without_a_thread_is_refused);
	tcase_add_loop_test(
		tc,
		timers_that_the_user_holds_up_for_want_of_threads_are_not_lost,
		0, 2);
	tcase_add_test(tc, a_timer_without_memory_is_refused);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return fault_run(timer_suite());
}
