/*
 * test_park_race.c - workers that park and publishers that call them: no job
 * is left lying while somebody is idle who could run it.
 *
 * The queue is a count.  Publishers go on to the next round when all jobs of
 * the last are done; so workers park and are called all the time, and a call
 * that is lost hangs the test.
 */
#include "support/support.h"

#include "park.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#define WORKERS 4
#define PUBLISHERS 2

/* A thread's own word: between its lives it sleeps on this. */
enum { START = 2, END = 4 };

struct worker {
	struct sooni_parker parker;
	_Atomic uint32_t life;
	struct actor actor;
	struct rng rng;
};

static struct sooni_park park;
static struct worker workers[WORKERS];
static bool blocking; /* jobs may */
static bool patient;  /* idle threads do not leave */
static uint32_t limit;

static atomic_uint queued;
static _Atomic uint32_t done; /* by 2, bit 0 being SOONI_SLEEPERS */
static atomic_bool closed;
static atomic_uint computing, wrong;

static void change(_Atomic uint32_t *word, uint32_t bits)
{
	sooni_wake(word, atomic_fetch_or(word, bits));
}

/* There is work: as a pool does it. */
static void call(enum sooni_urge urge)
{
	struct sooni_parker *k;

	if (sooni_park_call(&park, urge, &k) != SOONI_CALL_START)
		return;
	if (k != NULL)
		change(&sooni_container_of(k, struct worker, parker)->life,
		       START);
	else /* no more threads can be had; those blocked will look */
		sooni_park_exit(&park, true);
}

static bool take(void)
{
	unsigned n = atomic_load(&queued);

	while (n > 0)
		if (atomic_compare_exchange_weak(&queued, &n, n - 1))
			return true;
	return false;
}

static void block_for_a_moment(struct worker *w)
{
	bool counted = rng_below(&w->rng, 2);

	sooni_park_block(&park, counted);
	if (atomic_load(&queued) > 0)
		call(SOONI_ANYBODY);
	sched_yield();
	sooni_park_unblock(&park, counted);
}

static void run_job(struct worker *w)
{
	/* Those who were blocked run again at once, however many do. */
	if (atomic_fetch_add(&computing, 1) >= limit && !blocking)
		atomic_fetch_add(&wrong, 1);
	if (rng_below(&w->rng, 8) == 0)
		sched_yield();
	atomic_fetch_sub(&computing, 1);
	if (blocking && rng_below(&w->rng, 2))
		block_for_a_moment(w);
}

static void finish_job(void)
{
	sooni_wake(&done, atomic_fetch_add(&done, 2));
}

/* Idle and on the stack: whether it was called, rather than left. */
static bool await_call(struct worker *w)
{
	if (rng_below(&w->rng, 2))
		sooni_park_look(&w->parker);
	for (;;) {
		int64_t patience = patient ? SOON_FOREVER
					   : rng_below(&w->rng, 200000);

		if (sooni_park_wait(&w->parker, sooni_deadline(patience)) == 0)
			return true;
		sched_yield(); /* just now it may be called */
		if (rng_below(&w->rng, 2) && sooni_park_leave(&w->parker))
			return false;
	}
}

/* Nothing was found.  Whether its life goes on. */
static bool rest(struct worker *w, bool searching)
{
	if (atomic_load(&closed)) {
		sooni_park_exit(&park, searching);
		return false;
	}
	sooni_park_announce(&park, &w->parker, searching);
	if (atomic_load(&closed))
		sooni_park_call_all(&park);
	else if (atomic_load(&queued) > 0)
		call(SOONI_ANYBODY);
	return await_call(w);
}

/* From a start or a call until it leaves. */
static void live(struct worker *w)
{
	bool searching = true;
	bool goes_on = true;

	while (goes_on) {
		if (!take()) {
			goes_on = rest(w, searching);
			searching = true;
			continue;
		}
		if (searching && sooni_park_found(&park) &&
		    atomic_load(&queued) > 0)
			call(SOONI_ANYBODY);
		searching = false;
		run_job(w);
		finish_job();
		if (sooni_park_is_over(&park) &&
		    sooni_park_surplus(&park, &w->parker)) {
			searching = true;
			if (atomic_load(&closed))
				sooni_park_call_all(&park);
			goes_on = await_call(w);
		}
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		uint32_t life;

		sooni_sleep(&w->life, START | END, 0, INT64_MAX);
		life = atomic_fetch_and(&w->life, ~(uint32_t)START);
		if (life & START)
			live(w);
		else
			return NULL;
	}
}

struct publisher {
	struct actor actor;
	unsigned number, rounds, seed;
};

/* How many jobs a publisher has in a round. */
static unsigned portion(unsigned seed, unsigned round, unsigned number)
{
	return 1 + (seed + round * 7 + number * (round / 3)) % 3;
}

static void *publish(void *arg)
{
	struct publisher *p = arg;
	uint32_t all = 0;

	for (unsigned round = 0; round < p->rounds; round++) {
		uint64_t word;
		uint32_t seen;

		for (unsigned i = 0; i < PUBLISHERS; i++)
			all += 2 * portion(p->seed, round, i);
		for (unsigned n = portion(p->seed, round, p->number); n > 0;
		     n--) {
			atomic_fetch_add(&queued, 1);
			if (sooni_park_glance(&park, &word) ==
				    SOONI_CALL_START ||
			    round % 2)
				call(SOONI_ANYBODY);
		}
		while ((seen = atomic_load(&done) & ~SOONI_SLEEPERS) < all)
			sooni_sleep(&done, ~SOONI_SLEEPERS, seen, INT64_MAX);
	}
	return NULL;
}

static void start_workers(unsigned seed)
{
	limit = 1 + seed % WORKERS;
	blocking = seed % 3 == 2;
	patient = seed / WORKERS % 2;
	atomic_store(&queued, 0);
	atomic_store(&done, 0);
	atomic_store(&closed, false);
	atomic_store(&wrong, 0);
	sooni_park_init(&park, limit, WORKERS);
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *w = &workers[i];

		ck_assert_int_eq(sooni_park_add(&park, &w->parker), 0);
		/* Begin as one whose thread has left. */
		sooni_park_unblock(&park, false);
		sooni_park_search(&park);
		sooni_park_announce(&park, &w->parker, true);
		ck_assert(sooni_park_leave(&w->parker));
		atomic_store(&w->life, 0);
		w->rng = rng_seed(seed * WORKERS + i);
		actor_start(&w->actor, work, w);
	}
}

static void end_workers(void)
{
	atomic_store(&closed, true);
	sooni_park_call_all(&park);
	for (unsigned i = 0; i < WORKERS; i++)
		change(&workers[i].life, END);
	for (unsigned i = 0; i < WORKERS; i++)
		actor_join(&workers[i].actor);
}

START_TEST(no_call_is_lost_and_none_too_many_run)
{
	struct publisher p[PUBLISHERS];
	unsigned rounds = test_scale(800);

	start_workers((unsigned)_i);
	for (unsigned i = 0; i < PUBLISHERS; i++) {
		p[i].number = i;
		p[i].rounds = rounds;
		p[i].seed = (unsigned)_i;
		actor_start(&p[i].actor, publish, &p[i]);
	}
	for (unsigned i = 0; i < PUBLISHERS; i++)
		actor_join(&p[i].actor);
	end_workers();
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(atomic_load(&queued), 0);
	ck_assert_uint_eq(atomic_load(&park.blocked), 0);
	/* Nobody runs, nobody searches. */
	ck_assert_uint_eq((uint32_t)atomic_load(&park.word), 0);
	sooni_park_fini(&park);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("park_race");
	TCase *t = tcase_create("park_race");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, no_call_is_lost_and_none_too_many_run, 0, 16);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
