/*
 * stress_promise.c - promises completed, cancelled, waited for and dropped by
 * several threads at once.
 *
 * One completion wins, what the others brought stays theirs, every waiter comes
 * back, and destructors and callbacks run once.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>

enum { THREADS = 4 };

/* One promise and what happened to it; result i is &freed[i]. */
struct race {
	pthread_barrier_t *start;
	soon_future *f;
	uint64_t seed;
	atomic_uint won;
	atomic_uint results; /* of those who won */
	atomic_uint cancelled;
	atomic_uint called;
	atomic_uint dropped;
	atomic_uint taken;
	atomic_uint wrong;
	atomic_uint freed[THREADS];
	atomic_uint kept[THREADS];
};

struct racer {
	struct race *race;
	unsigned number;
};

static void expect(struct race *r, bool holds)
{
	if (!holds)
		atomic_fetch_add(&r->wrong, 1);
}

static void free_result(void *counter)
{
	atomic_fetch_add((atomic_uint *)counter, 1);
}

static void on_done(soon_future *f, void *ctx)
{
	struct race *r = ctx;

	expect(r, soon_future_done(f));
	if (soon_future_error(f) == SOON_EDROPPED)
		atomic_fetch_add(&r->dropped, 1);
	atomic_fetch_add(&r->called, 1);
}

/* An attempt to complete; a result that is refused is still the caller's. */
static void attempt(struct race *r, struct rng *rng, unsigned number)
{
	int rc;

	switch (rng_below(rng, 5)) {
	case 0:
		rc = soon_future_cancel(r->f);
		expect(r, rc == 0 || rc == EBUSY || rc == EALREADY);
		if (rc == 0)
			atomic_store(&r->cancelled, 1);
		return;
	case 1:
		rc = soon_future_set_error(r->f, EIO, "by %u", number);
		break;
	default:
		if (rng_below(rng, 2) == 0) {
			rc = soon_future_set_running(r->f);
			expect(r, rc == 0 || rc == EALREADY || rc == ECANCELED);
		}
		rc = soon_future_set_result(r->f, &r->freed[number]);
		atomic_store(rc == 0 ? &r->results : &r->kept[number], 1);
	}
	/* Who comes too late finds it done, now and not in a moment. */
	if (rc == EALREADY)
		expect(r, soon_future_done(r->f) &&
				  soon_future_state(r->f) != SOON_CANCELLED);
	else if (rc == ECANCELED)
		expect(r, soon_future_state(r->f) == SOON_CANCELLED);
	else
		expect(r, rc == 0);
	if (rc == 0)
		atomic_fetch_add(&r->won, 1);
}

static void *race_to_complete(void *arg)
{
	struct racer *racer = arg;
	struct race *r = racer->race;
	struct rng rng = rng_seed(r->seed * THREADS + racer->number);
	int rc;

	pthread_barrier_wait(r->start);
	for (unsigned spin = rng_below(&rng, 200); spin > 0; spin--)
		(void)soon_future_done(r->f);
	attempt(r, &rng, racer->number);
	rc = soon_future_wait(r->f, (soon_nsec)rng_below(&rng, 3));
	expect(r, rc == 0 ? soon_future_done(r->f) : rc == ETIMEDOUT);
	if (soon_future_take(r->f) != NULL)
		atomic_fetch_add(&r->taken, 1);
	soon_future_unref(r->f);
	return NULL;
}

/* One race; main holds no reference while it runs. */
static void run_race(struct race *r, soon_fn *fn)
{
	struct racer racers[THREADS];
	struct actor actors[THREADS];
	pthread_barrier_t start;

	ck_assert_int_eq(pthread_barrier_init(&start, NULL, THREADS), 0);
	r->start = &start;
	r->f = soon_future_new(free_result);
	ck_assert_ptr_nonnull(r->f);
	ck_assert_int_eq(soon_future_on_done(r->f, on_done, r), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ r, i };
		if (i > 0)
			soon_future_ref(r->f);
	}
	for (unsigned i = 0; i < THREADS; i++)
		actor_start(&actors[i], fn, &racers[i]);
	for (unsigned i = 0; i < THREADS; i++)
		actor_join(&actors[i]);
	pthread_barrier_destroy(&start);
}

static unsigned total(atomic_uint *counters)
{
	unsigned sum = 0;

	for (int i = 0; i < THREADS; i++)
		sum += atomic_load(&counters[i]);
	return sum;
}

START_TEST(one_completion_wins)
{
	for (unsigned round = 0; round < test_scale(150); round++) {
		struct race r = { .seed = (uint64_t)_i * 1000000 + round };

		run_race(&r, race_to_complete);
		ck_assert_uint_eq(atomic_load(&r.wrong), 0);
		ck_assert_uint_eq(atomic_load(&r.called), 1);
		ck_assert_uint_eq(atomic_load(&r.dropped), 0);
		ck_assert_uint_eq(
			atomic_load(&r.won) + atomic_load(&r.cancelled), 1);
		/* Only the winner's result is gone, freed or taken. */
		ck_assert_uint_eq(total(r.freed) + atomic_load(&r.taken),
				  atomic_load(&r.results));
		for (int i = 0; i < THREADS; i++)
			ck_assert(atomic_load(&r.kept[i]) == 0 ||
				  atomic_load(&r.freed[i]) == 0);
	}
}
END_TEST

static void *race_to_drop(void *arg)
{
	struct racer *racer = arg;
	struct race *r = racer->race;
	struct rng rng = rng_seed(r->seed * THREADS + racer->number);

	pthread_barrier_wait(r->start);
	if (rng_below(&rng, THREADS * 2) == 0 &&
	    soon_future_set_result(r->f, &r->freed[racer->number]) == 0)
		atomic_fetch_add(&r->won, 1);
	soon_future_unref(r->f);
	return NULL;
}

START_TEST(a_promise_is_kept_or_dropped_once)
{
	for (unsigned round = 0; round < test_scale(150); round++) {
		struct race r = { .seed = (uint64_t)_i * 1000000 + round };
		unsigned won;

		run_race(&r, race_to_drop);
		won = atomic_load(&r.won);
		ck_assert_uint_eq(atomic_load(&r.wrong), 0);
		ck_assert_uint_eq(atomic_load(&r.called), 1);
		ck_assert_uint_le(won, 1);
		ck_assert_uint_eq(atomic_load(&r.dropped), 1 - won);
		ck_assert_uint_eq(total(r.freed), won);
	}
}
END_TEST

enum { TURNS = 4000 };

static soon_future *ball[TURNS][THREADS];
static unsigned turns;

/* Wait in one of the ways there are, again and again until it is done. */
static int wait_by_chance(struct rng *rng, soon_future *f)
{
	size_t index;
	int rc;

	do {
		soon_nsec timeout = (soon_nsec)rng_below(rng, 30) * SOON_USEC;

		switch (rng_below(rng, 4)) {
		case 0:
			rc = soon_future_wait(f, SOON_FOREVER);
			break;
		case 1:
			rc = soon_wait_any(&f, 1, timeout, &index);
			break;
		case 2:
			rc = soon_future_result(f, timeout, NULL);
			break;
		default:
			rc = soon_future_wait(f, timeout);
		}
	} while (rc == ETIMEDOUT);
	return rc;
}

/* Thread 0 serves, each gives the ball to the next; both drop it at once. */
static void *play(void *arg)
{
	unsigned me = (unsigned)unbox(arg) % THREADS;
	struct rng rng = rng_seed((uint64_t)unbox(arg));
	long wrong = 0;

	for (unsigned t = 0; t < turns; t++) {
		soon_future *mine = ball[t][me];
		soon_future *next = ball[t][(me + 1) % THREADS];

		if (me > 0) {
			wrong += wait_by_chance(&rng, mine) != 0;
			soon_future_unref(mine);
		}
		wrong += soon_future_set_result(next, NULL) != 0;
		soon_future_unref(next);
		if (me == 0) {
			wrong += wait_by_chance(&rng, mine) != 0;
			soon_future_unref(mine);
		}
	}
	return box(wrong);
}

START_TEST(no_wake_up_is_lost)
{
	struct actor players[THREADS];

	turns = test_scale(TURNS / 4);
	turns = turns < TURNS ? turns : TURNS;
	for (unsigned t = 0; t < turns; t++)
		for (int i = 0; i < THREADS; i++) {
			ball[t][i] = soon_future_new(NULL);
			ck_assert_ptr_nonnull(ball[t][i]);
			soon_future_ref(ball[t][i]);
		}
	for (int i = 0; i < THREADS; i++)
		actor_start(&players[i], play, box(_i * THREADS + i));
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(unbox(actor_join(&players[i])), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stress_promise");
	TCase *t = tcase_create("stress");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, one_completion_wins, 0, 4);
	tcase_add_loop_test(t, a_promise_is_kept_or_dropped_once, 0, 4);
	tcase_add_loop_test(t, no_wake_up_is_lost, 0, 4);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
