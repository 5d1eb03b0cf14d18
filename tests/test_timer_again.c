/*
 * test_timer_again.c - timers that are started again and again: for each start
 * they fire once or are stopped.
 */
#include "support/support.h"

#include "thread.h"
#include "timer.h"

#include <string.h>

static void teardown(void)
{
	sooni_timer_forget();
}

static void start(struct sooni_timer *t)
{
	ck_assert_int_eq(sooni_timer_start(t), 0);
}

struct again {
	struct sooni_timer timer;
	unsigned left;
	struct tally fired;
};

static void fire_again(struct sooni_timer *t)
{
	struct again *a = sooni_container_of(t, struct again, timer);

	t->when = sooni_now() + 1000;
	if (--a->left > 0 && sooni_timer_start(t) != 0)
		a->left = 1000000;
	tally_add(&a->fired, 1);
}

START_TEST(a_timer_may_start_itself_again)
{
	struct again a = { .left = test_scale(500) };
	unsigned n = a.left;

	tally_init(&a.fired);
	a.timer.fire = fire_again;
	start(&a.timer);
	tally_await(&a.fired, n);
	ck_assert(!sooni_timer_stop(&a.timer));
	ck_assert_uint_eq(tally_get(&a.fired), n);
	tally_fini(&a.fired);
}
END_TEST

START_TEST(stop_ends_one_that_starts_itself_again)
{
	struct again a = { .left = 1000000000 };

	tally_init(&a.fired);
	a.timer.fire = fire_again;
	for (unsigned i = 1; i < test_scale(300); i++) {
		unsigned before = tally_get(&a.fired);

		a.timer.when = 0;
		start(&a.timer);
		tally_await(&a.fired, before + 1 + i % 3);
		ck_assert(sooni_timer_stop(&a.timer));
		before = tally_get(&a.fired);
		ck_assert(!sooni_timer_stop(&a.timer));
		ck_assert_uint_eq(tally_get(&a.fired), before);
	}
	tally_fini(&a.fired);
}
END_TEST

static struct gate at_clock;

static void fire_at_gate(struct sooni_timer *t)
{
	(void)t;
	gate_pass(&at_clock);
}

static void *forget(void *unused)
{
	sooni_timer_forget();
	return unused;
}

static void no_fire(struct sooni_timer *t)
{
	(void)t;
}

START_TEST(who_awaits_the_clocks_end_does_not_once_a_timer_is_started)
{
	struct sooni_timer held = { .fire = fire_at_gate };
	struct sooni_timer never = { .fire = no_fire, .when = INT64_MAX };
	struct actor forgetting;

	gate_init(&at_clock);
	start(&held);
	gate_await(&at_clock, 1);
	actor_start(&forgetting, forget, NULL);
	actor_await_asleep(&forgetting);
	start(&never);
	gate_open(&at_clock);
	actor_join(&forgetting);
	ck_assert(sooni_timer_stop(&never));
	gate_fini(&at_clock);
}
END_TEST

/* Threads that start and stop timers of their own, many a time. */

enum { PER_ACTOR = 64, ACTORS = 4 };

struct counted {
	struct sooni_timer timer;
	unsigned starts, stops; /* plain: ordered by the clock */
	unsigned fires;
	bool user;
};

struct juggler {
	struct actor actor;
	struct rng rng;
	struct counted timers[PER_ACTOR];
	unsigned wrong;
};

static void count(struct sooni_timer *t)
{
	struct counted *c = sooni_container_of(t, struct counted, timer);

	c->fires++;
	if (c->user)
		sooni_before_user();
}

static void settle(struct juggler *j, struct counted *c)
{
	c->stops += sooni_timer_stop(&c->timer);
	j->wrong += c->starts != c->stops + c->fires;
}

static void *juggle(void *arg)
{
	struct juggler *j = arg;
	unsigned rounds = test_scale(20000);

	for (unsigned i = 0; i < rounds; i++) {
		struct counted *c = &j->timers[rng_below(&j->rng, PER_ACTOR)];

		settle(j, c);
		c->timer.when = sooni_now() + rng_below(&j->rng, 200000);
		c->timer.fire = count;
		c->user = rng_below(&j->rng, 200) == 0;
		c->starts++;
		j->wrong += sooni_timer_start(&c->timer) != 0;
		if (rng_below(&j->rng, 4) == 0)
			sooni_timer_hasten(&c->timer, sooni_now());
		if (rng_below(&j->rng, 1000) == 0)
			sooni_timer_forget();
	}
	for (unsigned i = 0; i < PER_ACTOR; i++)
		settle(j, &j->timers[i]);
	return NULL;
}

START_TEST(each_timer_fires_once_or_was_stopped)
{
	static struct juggler j[ACTORS];

	memset(j, 0, sizeof(j));
	for (unsigned i = 0; i < ACTORS; i++) {
		j[i].rng = rng_seed((uint64_t)_i * ACTORS + i);
		actor_start(&j[i].actor, juggle, &j[i]);
	}
	for (unsigned i = 0; i < ACTORS; i++) {
		actor_join(&j[i].actor);
		ck_assert_uint_eq(j[i].wrong, 0);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("timer_again");
	TCase *t = tcase_create("timer_again");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(
		t, who_awaits_the_clocks_end_does_not_once_a_timer_is_started);
	tcase_add_test(t, a_timer_may_start_itself_again);
	tcase_add_test(t, stop_ends_one_that_starts_itself_again);
	tcase_add_loop_test(t, each_timer_fires_once_or_was_stopped, 0, 10);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
