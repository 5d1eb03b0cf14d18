/*
 * sleep.c - threads that sleep on the bits of one word: sleep.c.
 */
#include "scene.h"

#include "sleep.h"

#include <errno.h>

enum { A = 2, B = 4 };

static _Atomic uint32_t word;

static void set(uint32_t bit)
{
	sooni_wake(&word,
		   atomic_fetch_or_explicit(&word, bit, memory_order_acq_rel));
}

static void clear(uint32_t bit)
{
	sooni_wake(&word, atomic_fetch_and_explicit(&word, ~bit,
						    memory_order_acq_rel));
}

static void *sleep_for_a(void *unused)
{
	(void)unused;
	sched_check(sooni_sleep(&word, A, 0, INT64_MAX) == 0);
	return NULL;
}

static void *sleep_for_b(void *unused)
{
	(void)unused;
	sched_check(sooni_sleep(&word, B, 0, INT64_MAX) == 0);
	sched_check(word & B);
	return NULL;
}

/* Two sleep for bits of their own; A is set for good, B after it. */
static void two_bits(void)
{
	unsigned a;
	unsigned b;

	atomic_init(&word, 0);
	a = sched_spawn("for A", sleep_for_a, NULL);
	b = sched_spawn("for B", sleep_for_b, NULL);
	set(A);
	set(B);
	sched_join(a);
	sched_join(b);
}

static void *sleep_for_a_again(void *unused)
{
	sleep_for_a(unused);
	clear(A);
	sched_check(sooni_sleep(&word, B, 0, INT64_MAX) == 0);
	return NULL;
}

/* One waits for the other and the other for it. */
static void to_and_fro(void)
{
	unsigned a;

	atomic_init(&word, 0);
	a = sched_spawn("for A", sleep_for_a_again, NULL);
	set(A);
	sched_check(sooni_sleep(&word, A, A, INT64_MAX) == 0);
	set(B);
	sched_join(a);
}

static void *sleep_for_a_moment(void *unused)
{
	int rc = sooni_sleep(&word, A, 0, sooni_deadline(1));

	(void)unused;
	/* Nobody ran since it looked for the last time. */
	sched_check(rc == (word & A ? 0 : ETIMEDOUT));
	return NULL;
}

/* A sleeper that times out looks once more. */
static void timeout(void)
{
	unsigned a;
	unsigned b;

	atomic_init(&word, 0);
	a = sched_spawn("moment", sleep_for_a_moment, NULL);
	b = sched_spawn("for A", sleep_for_a, NULL);
	set(B);
	set(A);
	sched_join(a);
	sched_join(b);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "sleep: two bits", two_bits, 3, 0, 0, false },
		{ "sleep: to and fro", to_and_fro, 3, 0, 0, false },
		{ "sleep: timeout", timeout, 3, 1, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
