/*
 * test_timer.c - each timer fires in its turn, unless it was stopped; and the
 * user's code does not hold up the clock.
 */
#include "support/support.h"

#include "thread.h"
#include "timer.h"

#include <sched.h>
#include <string.h>

static const int64_t never = INT64_MAX;

static void teardown(void)
{
	sooni_timer_forget();
}

/* Writes its number into a log when it fires. */
struct noted {
	struct sooni_timer timer;
	struct logbook *log;
	int number;
};

static void note(struct sooni_timer *t)
{
	struct noted *n = sooni_container_of(t, struct noted, timer);

	logbook_add(n->log, n->number);
}

static struct noted noted(struct logbook *l, int number, int64_t when)
{
	struct noted n = { .log = l, .number = number };

	n.timer.when = when;
	n.timer.fire = note;
	return n;
}

static void start(struct sooni_timer *t)
{
	ck_assert_int_eq(sooni_timer_start(t), 0);
}

/* A timer stands at the gate as it fires, and counts when it is through. */
struct held {
	struct sooni_timer timer;
	struct gate gate;
	struct tally through;
	bool user; /* what it does is the user's code */
	bool own;  /* what stop() of itself said */
};

static void hold(struct sooni_timer *t)
{
	struct held *h = sooni_container_of(t, struct held, timer);

	if (h->user)
		sooni_before_user();
	else
		h->own = sooni_timer_stop(t);
	gate_pass(&h->gate);
	tally_add(&h->through, 1);
}

static void held_init(struct held *h, bool user)
{
	memset(h, 0, sizeof(*h));
	h->timer.fire = hold;
	h->user = user;
	h->own = true;
	gate_init(&h->gate);
	tally_init(&h->through);
}

static void held_fini(struct held *h)
{
	gate_fini(&h->gate);
	tally_fini(&h->through);
}

enum { MANY = 500 };
static struct noted many[MANY];

/* With the clock at a gate, so that all are in the heap before one fires. */
START_TEST(timers_fire_in_order_of_time_and_of_their_start)
{
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned times = 1 + rng_below(&rng, 200);
	int64_t last_when = -1;
	int last_number = -1;
	struct logbook log;
	struct held held;

	held_init(&held, false);
	logbook_init(&log, MANY);
	start(&held.timer);
	gate_await(&held.gate, 1);
	for (int i = 0; i < MANY; i++) {
		many[i] = noted(&log, i, 1 + rng_below(&rng, times));
		start(&many[i].timer);
	}
	gate_open(&held.gate);
	logbook_await(&log, MANY);
	for (size_t i = 0; i < MANY; i++) {
		int number = logbook_at(&log, i);
		int64_t when = many[number].timer.when;

		ck_assert_int_ge(when, last_when);
		if (when == last_when)
			ck_assert_int_gt(number, last_number);
		last_when = when;
		last_number = number;
	}
	sooni_timer_stop(&many[last_number].timer);
	logbook_fini(&log);
	held_fini(&held);
}
END_TEST

static void look_at_clock(struct sooni_timer *t)
{
	struct noted *n = sooni_container_of(t, struct noted, timer);

	logbook_add(n->log, sooni_now() >= t->when);
}

START_TEST(a_timer_fires_no_earlier_than_it_says)
{
	static const int64_t delays[] = { 0, 1, 1000, 100000, 3000000 };
	struct logbook log;
	struct noted n[COUNT_OF(delays)];

	logbook_init(&log, COUNT_OF(delays));
	for (size_t i = 0; i < COUNT_OF(delays); i++) {
		n[i] = noted(&log, 0, sooni_now() + delays[i]);
		n[i].timer.fire = look_at_clock;
		start(&n[i].timer);
	}
	logbook_await(&log, COUNT_OF(delays));
	for (size_t i = 0; i < COUNT_OF(delays); i++) {
		ck_assert_int_eq(logbook_at(&log, i), true);
		ck_assert(!sooni_timer_stop(&n[i].timer));
	}
	logbook_fini(&log);
}
END_TEST

START_TEST(a_sooner_timer_does_not_wait_for_a_later_one)
{
	struct logbook log;
	struct noted late, soon;

	logbook_init(&log, 2);
	late = noted(&log, 1, sooni_deadline(1000 * SOON_SEC));
	soon = noted(&log, 2, sooni_deadline(SOON_MSEC));
	start(&late.timer);
	start(&soon.timer);
	logbook_await(&log, 1);
	ck_assert_int_eq(logbook_at(&log, 0), 2);
	ck_assert(sooni_timer_stop(&late.timer));
	ck_assert(!sooni_timer_stop(&soon.timer));
	logbook_fini(&log);
}
END_TEST

START_TEST(a_stopped_timer_does_not_fire)
{
	struct logbook log;
	struct noted n[10], end;

	logbook_init(&log, COUNT_OF(n) + 1);
	for (size_t i = 0; i < COUNT_OF(n); i++) {
		n[i] = noted(&log, 1, never - (int64_t)i);
		start(&n[i].timer);
	}
	for (size_t i = 0; i < COUNT_OF(n); i++) {
		size_t k = (i * 7 + 3) % COUNT_OF(n);

		ck_assert(sooni_timer_stop(&n[k].timer));
		ck_assert(!sooni_timer_stop(&n[k].timer));
	}
	end = noted(&log, 2, 0);
	start(&end.timer);
	logbook_await(&log, 1);
	ck_assert_int_eq(logbook_at(&log, 0), 2);
	ck_assert(!sooni_timer_stop(&end.timer));
	ck_assert_uint_eq(logbook_size(&log), 1);
	logbook_fini(&log);
}
END_TEST

START_TEST(a_hastened_timer_fires_then)
{
	struct logbook log;
	struct noted a, b;

	logbook_init(&log, 2);
	a = noted(&log, 1, never);
	b = noted(&log, 2, never - 1);
	sooni_timer_hasten(&a.timer, 0); /* not started */
	start(&a.timer);
	start(&b.timer);
	sooni_timer_hasten(&a.timer, never);
	sooni_timer_hasten(&a.timer, 0);
	logbook_await(&log, 1);
	ck_assert_int_eq(logbook_at(&log, 0), 1);
	ck_assert(!sooni_timer_stop(&a.timer));
	sooni_timer_hasten(&a.timer, 0); /* it has fired */
	ck_assert(sooni_timer_stop(&b.timer));
	ck_assert_uint_eq(logbook_size(&log), 1);
	logbook_fini(&log);
}
END_TEST

static void *stop_held(void *arg)
{
	struct held *h = arg;
	bool stopped = sooni_timer_stop(&h->timer);

	return box(stopped ? -1 : (long)tally_get(&h->through));
}

START_TEST(stop_waits_for_a_timer_that_is_being_fired)
{
	struct actor stopper;
	struct held held;

	held_init(&held, false);
	start(&held.timer);
	gate_await(&held.gate, 1);
	actor_start(&stopper, stop_held, &held);
	actor_await_asleep(&stopper);
	gate_open(&held.gate);
	ck_assert_int_eq(unbox(actor_join(&stopper)), 1);
	ck_assert(!held.own);
	held_fini(&held);
}
END_TEST

/* Each at the gate with the user's code, while the next one fires. */
START_TEST(the_users_code_holds_up_no_other_timer)
{
	struct held held[4];
	struct logbook log;
	struct noted last;

	logbook_init(&log, 1);
	for (size_t i = 0; i < COUNT_OF(held); i++) {
		held_init(&held[i], true);
		held[i].timer.when = sooni_now();
		start(&held[i].timer);
	}
	for (size_t i = 0; i < COUNT_OF(held); i++) {
		gate_await(&held[i].gate, 1);
		ck_assert(!sooni_timer_stop(&held[i].timer));
	}
	last = noted(&log, 1, sooni_now());
	start(&last.timer);
	logbook_await(&log, 1);
	ck_assert(!sooni_timer_stop(&last.timer));
	sooni_timer_forget(); /* waits for none of them */
	for (size_t i = 0; i < COUNT_OF(held); i++) {
		ck_assert_uint_eq(tally_get(&held[i].through), 0);
		gate_open(&held[i].gate);
	}
	for (size_t i = 0; i < COUNT_OF(held); i++) {
		tally_await(&held[i].through, 1);
		held_fini(&held[i]);
	}
	logbook_fini(&log);
}
END_TEST

/*
 * With an actor at a gate all the while, so that a sanitizer has started the
 * thread of its own.  A joined thread may be listed a moment longer.
 */
static struct gate gate;
static struct actor actor;
static unsigned before;

static void count_threads(void)
{
	gate_init(&gate);
	actor_start(&actor, gate_job, &gate);
	before = thread_count();
}

static void await_threads_before(void)
{
	while (thread_count() > before)
		sched_yield();
	gate_open(&gate);
	actor_join(&actor);
	gate_fini(&gate);
}

START_TEST(forgotten_the_clock_ends)
{
	struct logbook log;
	struct noted n, late;

	count_threads();
	logbook_init(&log, 1);
	n = noted(&log, 1, 0);
	late = noted(&log, 2, never);
	start(&n.timer);
	logbook_await(&log, 1);
	start(&late.timer);
	sooni_timer_forget(); /* leaves one that has a timer */
	ck_assert(sooni_timer_stop(&late.timer));
	sooni_timer_forget();
	await_threads_before();
	sooni_timer_forget();
	logbook_fini(&log);
}
END_TEST

START_TEST(after_some_seconds_with_nothing_to_do_the_clock_ends)
{
	struct logbook log;
	struct noted n;

	count_threads();
	logbook_init(&log, 2);
	n = noted(&log, 1, 0);
	start(&n.timer);
	logbook_await(&log, 1);
	await_threads_before();
	start(&n.timer);
	logbook_await(&log, 2);
	logbook_fini(&log);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("timer");
	TCase *t = tcase_create("timer");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(t, timers_fire_in_order_of_time_and_of_their_start,
			    0, 20);
	tcase_add_test(t, a_timer_fires_no_earlier_than_it_says);
	tcase_add_test(t, a_sooner_timer_does_not_wait_for_a_later_one);
	tcase_add_test(t, a_stopped_timer_does_not_fire);
	tcase_add_test(t, a_hastened_timer_fires_then);
	tcase_add_test(t, stop_waits_for_a_timer_that_is_being_fired);
	tcase_add_test(t, the_users_code_holds_up_no_other_timer);
	tcase_add_test(t, forgotten_the_clock_ends);
	tcase_add_test(t, after_some_seconds_with_nothing_to_do_the_clock_ends);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
