/*
 * fault_timer.c - timers without memory or threads for the clock.
 */
#include "support/fault.h"
#include "thread.h"
#include "timer.h"

#include <errno.h>
#include <sched.h>

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

static void fire_at_clock(struct sooni_timer *t)
{
	(void)t;
	gate_pass(&at_clock);
}

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

/* As soon as it is to end, or some seconds after the last timer; one that is
 * stopped does not wake it. */
START_TEST(the_clock_that_ends_gives_its_memory_back)
{
	struct sooni_timer t = { .when = _i == 0 ? INT64_MAX : 0,
				 .fire = fire };
	long before = fault_blocks();

	tally_init(&fired);
	ck_assert_int_eq(sooni_timer_start(&t), 0);
	if (_i == 0) {
		ck_assert_int_gt(fault_blocks(), before);
		ck_assert(sooni_timer_stop(&t));
		sooni_timer_forget();
	} else {
		tally_await(&fired, 1);
		while (fault_blocks() > before)
			sched_yield();
	}
	ck_assert_int_eq(fault_blocks(), before);
	sooni_timer_forget();
	tally_fini(&fired);
}
END_TEST

enum { MANY = 3000 };

/* The clock stands at a gate until there is none; the queue is to grow. */
START_TEST(jobs_that_fall_due_without_memory_are_queued_once_there_is_some)
{
	struct sooni_timer held = { .fire = fire_at_clock };
	soon_executor *e = pool_of(1);

	gate_init(&at_clock);
	gate_init(&at_user);
	tally_init(&fired);
	pool_hold(e, &at_user, 1);
	ck_assert_int_eq(sooni_timer_start(&held), 0);
	gate_await(&at_clock, 1);
	ck_assert_int_eq(soon_submit_many(e,
					  SOON_JOB(.fn = tally_job,
						   .arg = &fired, .delay = 1),
					  NULL, MANY, NULL),
			 0);
	fault_arm(FAULT_MEMORY, 1, true);
	gate_open(&at_clock);
	while (fault_count() < 2)
		sched_yield();
	fault_disarm();
	gate_open(&at_user);
	tally_await(&fired, MANY);
	soon_executor_free(e);
	ck_assert_uint_eq(tally_get(&fired), MANY);
	tally_fini(&fired);
}
END_TEST

/* Each look at it takes a millisecond then: too long for a round of looks at all
 * pools without other timers in between. */
START_TEST(pools_with_blocked_jobs_grow_by_a_clock_that_fails)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e[4];

	gate_init(&at_user);
	o.workers = 1;
	o.max_workers = 4;
	for (size_t i = 0; i < COUNT_OF(e); i++) {
		e[i] = soon_executor_open(&o);
		ck_assert_ptr_nonnull(e[i]);
	}
	fault_arm(FAULT_CLOCK, 1, true);
	for (size_t i = 0; i < COUNT_OF(e); i++)
		for (unsigned k = 0; k < 4; k++)
			ck_assert_int_eq(soon_execute(e[i], gate_job, &at_user),
					 0);
	gate_await(&at_user, 4 * COUNT_OF(e));
	gate_open(&at_user);
	for (size_t i = 0; i < COUNT_OF(e); i++)
		soon_executor_free(e[i]);
	fault_disarm();
	gate_fini(&at_user);
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
	tcase_add_loop_test(tc, the_clock_that_ends_gives_its_memory_back, 0,
			    2);
	tcase_add_test(
		tc,
		jobs_that_fall_due_without_memory_are_queued_once_there_is_some);
	tcase_add_test(tc, pools_with_blocked_jobs_grow_by_a_clock_that_fails);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return fault_run(timer_suite());
}
