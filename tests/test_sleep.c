/*
 * test_sleep.c - a change of a word wakes those who sleep on it.
 *
 * Here each change replaces the whole word, and so clears SOONI_SLEEPERS.
 */
#include "support/support.h"

#include "sleep.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#define MASK (~SOONI_SLEEPERS)

static _Atomic uint32_t word;
static _Atomic uint32_t back;
static atomic_uint wrong;

static void setup(void)
{
	atomic_store(&word, 0);
	atomic_store(&back, 0);
	atomic_store(&wrong, 0);
}

/* The n-th value of a word. */
static uint32_t value(unsigned n)
{
	return (uint32_t)n << 1;
}

static void change(_Atomic uint32_t *w, uint32_t to)
{
	sooni_wake(w, atomic_exchange_explicit(w, to, memory_order_acq_rel));
}

/* Until w is no longer `was`: in one sleep, or with looks and deadlines. */
static void await(_Atomic uint32_t *w, uint32_t was, struct rng *rng)
{
	if (rng_below(rng, 3) == 0 && sooni_spin(w, MASK, was))
		return;
	while (rng_below(rng, 3) == 0) {
		int64_t end = sooni_deadline(rng_below(rng, 100000));
		int rc = sooni_sleep(w, MASK, was, end);

		if (rc == 0)
			return;
		if (rc != ETIMEDOUT || sooni_now() < end)
			atomic_fetch_add(&wrong, 1);
	}
	if (sooni_sleep(w, MASK, was, INT64_MAX) != 0)
		atomic_fetch_add(&wrong, 1);
}

/* Plain, so that ThreadSanitizer sees what is not ordered. */
static unsigned ball;

struct player {
	struct actor actor;
	_Atomic uint32_t *hears, *tells;
	unsigned rounds;
	unsigned parity; /* of the ball when it comes */
	struct rng rng;
};

static void *play(void *arg)
{
	struct player *p = arg;

	for (unsigned i = 0; i < p->rounds; i++) {
		await(p->hears, value(i), &p->rng);
		if (ball != 2 * i + p->parity)
			atomic_fetch_add(&wrong, 1);
		ball++;
		change(p->tells, value(i + 1 + p->parity));
	}
	return NULL;
}

START_TEST(no_wake_up_is_lost_between_two_threads)
{
	unsigned rounds = test_scale(6000);
	struct player a = { .hears = &word, .tells = &back };
	struct player b = { .hears = &back, .tells = &word, .parity = 1 };

	a.rounds = rounds;
	a.rng = rng_seed((uint64_t)_i);
	b.rounds = rounds - 1; /* it does not serve again after the last */
	b.rng = rng_seed((uint64_t)_i + 1000);
	ball = 0;
	actor_start(&a.actor, play, &a);
	actor_start(&b.actor, play, &b);
	change(&word, value(1));
	actor_join(&a.actor);
	actor_join(&b.actor);
	ck_assert_uint_eq(ball, 2 * rounds - 1);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

#define SLEEPERS 4

struct sleeper {
	struct actor actor;
	unsigned rounds;
	struct rng rng;
};

static void *sleep_in_rounds(void *arg)
{
	struct sleeper *s = arg;

	for (unsigned i = 0; i < s->rounds; i++) {
		await(&word, value(i), &s->rng);
		/* Nobody changes it again before all are back. */
		if ((atomic_load(&word) & MASK) != value(i + 1))
			atomic_fetch_add(&wrong, 1);
		sooni_wake(&back, atomic_fetch_add(&back, value(1)));
	}
	return NULL;
}

START_TEST(a_change_wakes_all_sleepers)
{
	unsigned rounds = test_scale(2000);
	struct sleeper s[SLEEPERS];

	for (unsigned i = 0; i < SLEEPERS; i++) {
		s[i].rounds = rounds;
		s[i].rng = rng_seed((uint64_t)(_i * SLEEPERS) + i);
		actor_start(&s[i].actor, sleep_in_rounds, &s[i]);
	}
	for (unsigned i = 1; i <= rounds; i++) {
		uint32_t seen;

		change(&word, value(i));
		while ((seen = atomic_load(&back) & MASK) !=
		       value(i * SLEEPERS))
			ck_assert_int_eq(
				sooni_sleep(&back, MASK, seen, INT64_MAX), 0);
	}
	for (unsigned i = 0; i < SLEEPERS; i++)
		actor_join(&s[i].actor);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

enum { AWAITED = 2, OTHER = 4 };

static atomic_bool returned;

static void *await_one_bit(void *unused)
{
	int rc = sooni_sleep(&word, AWAITED, 0, INT64_MAX);
	bool there = atomic_load(&word) & AWAITED;

	(void)unused;
	atomic_store(&returned, true);
	return box(rc == 0 && there);
}

START_TEST(other_bits_and_idle_wake_ups_end_no_sleep)
{
	struct actor sleeper;

	atomic_store(&returned, false);
	actor_start(&sleeper, await_one_bit, NULL);
	actor_await_asleep(&sleeper);
	for (unsigned i = test_scale(3000); i > 0; i--) {
		sooni_wake(&word, atomic_fetch_xor(&word, OTHER));
		sooni_futex_wake(&word);
		if (i % 64 == 0)
			actor_await_asleep(&sleeper);
		ck_assert(!atomic_load(&returned));
	}
	sooni_wake(&word, atomic_fetch_or(&word, AWAITED));
	ck_assert_int_eq(unbox(actor_join(&sleeper)), 1);
}
END_TEST

static void *disturb(void *unused)
{
	while (!atomic_load(&returned)) {
		sooni_futex_wake(&word);
		sched_yield();
	}
	return unused;
}

START_TEST(a_sleep_without_a_change_ends_at_its_deadline_and_no_sooner)
{
	struct actor disturber;

	atomic_store(&returned, false);
	actor_start(&disturber, disturb, NULL);
	for (int64_t n = 1; n <= 2000000; n *= 2) {
		int64_t end = sooni_deadline(n);

		ck_assert_int_eq(sooni_sleep(&word, MASK, 0, end), ETIMEDOUT);
		ck_assert_int_ge(sooni_now(), end);
	}
	atomic_store(&returned, true);
	actor_join(&disturber);
}
END_TEST

static void *await_until(void *end)
{
	return box(sooni_sleep(&word, MASK, 0, *(const int64_t *)end));
}

/* Seconds of 32 bits, with a sign or without, make some of these the past. */
START_TEST(a_sleep_until_centuries_later_lasts)
{
	int64_t end = sooni_now() + (INT64_C(1000000000) << (31 + _i));
	struct actor sleeper;

	actor_start(&sleeper, await_until, &end);
	actor_await_asleep(&sleeper);
	change(&word, value(1));
	ck_assert_int_eq(unbox(actor_join(&sleeper)), 0);
}
END_TEST

START_TEST(a_deadline_that_has_passed_does_not_hide_a_change)
{
	ck_assert_int_eq(sooni_sleep(&word, MASK, 0, 0), ETIMEDOUT);
	atomic_store(&word, AWAITED);
	ck_assert_int_eq(sooni_sleep(&word, MASK, 0, 0), 0);
	ck_assert_int_eq(sooni_sleep(&word, AWAITED, 0, INT64_MAX), 0);
	ck_assert_int_eq(sooni_sleep(&word, OTHER, 0, 0), ETIMEDOUT);
}
END_TEST

START_TEST(a_look_sees_a_change_and_gives_up_without_one)
{
	ck_assert(!sooni_spin(&word, MASK, 0));
	ck_assert(sooni_spin(&word, MASK, AWAITED));
	atomic_store(&word, AWAITED);
	ck_assert(sooni_spin(&word, MASK, 0));
	ck_assert(!sooni_spin(&word, OTHER, 0));
	/* Also while more threads are busy than there are CPUs. */
	sooni_busy(1000000);
	ck_assert(!sooni_spin(&word, OTHER, 0));
	ck_assert(sooni_spin(&word, AWAITED, 0));
	sooni_busy(-1000000);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sleep");
	TCase *t = tcase_create("sleep");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, no_wake_up_is_lost_between_two_threads, 0, 3);
	tcase_add_loop_test(t, a_change_wakes_all_sleepers, 0, 2);
	tcase_add_test(t, other_bits_and_idle_wake_ups_end_no_sleep);
	tcase_add_test(
		t, a_sleep_without_a_change_ends_at_its_deadline_and_no_sooner);
	tcase_add_loop_test(t, a_sleep_until_centuries_later_lasts, 0, 3);
	tcase_add_test(t, a_deadline_that_has_passed_does_not_hide_a_change);
	tcase_add_test(t, a_look_sees_a_change_and_gives_up_without_one);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
