/*
 * stress_compose.c - random graphs of futures made of others, while their inputs
 * are completed, parts of them cancelled and dropped, and executors closed.
 *
 * All of it gets done, each callback runs once, each continuation at most once,
 * and each result is freed once.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

enum { PROMISES = 4, MADE = 24, MEDDLERS = 3, ROUNDS = 150 };

struct round {
	pthread_barrier_t start;
	uint64_t seed;
	soon_executor *pool;
	soon_executor *other; /* shut down meanwhile */
	soon_executor *here;  /* without threads */
	soon_future *f[PROMISES + MADE];
	atomic_uint results; /* given to the library */
	atomic_uint freed;
	atomic_uint called;
	atomic_uint ran[MADE];
	atomic_uint wrong;
};

static struct round round_now;

static void expect(bool holds)
{
	if (!holds)
		atomic_fetch_add(&round_now.wrong, 1);
}

static void free_result(void *unused)
{
	(void)unused;
	atomic_fetch_add(&round_now.freed, 1);
}

static void count_done(soon_future *f, void *unused)
{
	(void)unused;
	expect(soon_future_done(f));
	atomic_fetch_add(&round_now.called, 1);
}

static void *run(soon_future *done, void *ran)
{
	expect(soon_future_done(done));
	expect(atomic_fetch_add((atomic_uint *)ran, 1) == 0);
	return soon_future_error(done) == 0 ? ran : soon_fail(EIO, "as it did");
}

/* One more future, made of some of the n there are. */
static soon_future *make(struct round *r, struct rng *rng, unsigned n)
{
	soon_future *in[4];
	unsigned k = 1 + rng_below(rng, 4);

	for (unsigned i = 0; i < k; i++)
		in[i] = r->f[rng_below(rng, n)];
	switch (rng_below(rng, 9)) {
	case 0:
		return soon_when_all(in, k);
	case 1:
		return soon_when_any(in, k);
	case 2:
		return soon_first_success(in, k);
	case 3:
		return soon_within(in[0], rng_below(rng, 200) * SOON_USEC);
	case 4:
		return soon_shield(in[0]);
	case 5:
		return soon_then(in[0], r->here, run, &r->ran[n - PROMISES]);
	case 6:
		return soon_then(in[0], r->other, run, &r->ran[n - PROMISES]);
	default:
		return soon_then(in[0], r->pool, run, &r->ran[n - PROMISES]);
	}
}

/* Complete, cancel, wait for, or hang something on this one. */
static void meddle_with(struct round *r, struct rng *rng, soon_future *f)
{
	soon_future *more;

	switch (rng_below(rng, 8)) {
	case 0:
		soon_future_cancel(f);
		break;
	case 1:
		soon_future_wait(f, rng_below(rng, 50) * SOON_USEC);
		break;
	case 2:
		more = soon_shield(f);
		expect(more != NULL);
		soon_future_cancel(more);
		soon_future_unref(more);
		break;
	case 3:
		more = soon_when_any(r->f, PROMISES);
		expect(more != NULL);
		soon_future_unref(more);
		break;
	default:
		f = r->f[rng_below(rng, PROMISES)];
		if (soon_future_set_result(f, r) == 0)
			atomic_fetch_add(&r->results, 1);
	}
}

struct meddler {
	struct actor actor;
	unsigned number;
};

static void *meddle(void *meddler)
{
	const struct meddler *m = meddler;
	struct round *r = &round_now;
	struct rng rng = rng_seed(r->seed * MEDDLERS + m->number);

	pthread_barrier_wait(&r->start);
	for (int i = 0; i < 20; i++)
		meddle_with(r, &rng, r->f[rng_below(&rng, PROMISES + MADE)]);
	if (m->number == 0)
		soon_executor_shutdown(
			r->other, rng_below(&rng, 2) ? SOON_CANCEL_PENDING : 0,
			0);
	return NULL;
}

static void begin_round(struct round *r, uint64_t seed)
{
	struct rng rng = rng_seed(seed);
	unsigned n;

	atomic_store(&r->results, 0);
	atomic_store(&r->freed, 0);
	atomic_store(&r->called, 0);
	r->seed = seed;
	r->other = pool_of(1);
	for (n = 0; n < PROMISES + MADE; n++) {
		if (n >= PROMISES)
			atomic_store(&r->ran[n - PROMISES], 0);
		r->f[n] = n < PROMISES ? soon_future_new(free_result)
				       : make(r, &rng, n);
		ck_assert_ptr_nonnull(r->f[n]);
		ck_assert_int_eq(soon_future_on_done(r->f[n], count_done, NULL),
				 0);
	}
}

/* What is not done yet gets so, since all inputs do. */
static void end_round(struct round *r)
{
	for (unsigned i = 0; i < PROMISES; i++)
		if (soon_future_set_result(r->f[i], r) == 0)
			atomic_fetch_add(&r->results, 1);
	ck_assert_int_eq(soon_wait_all(r->f, PROMISES + MADE, SOON_FOREVER), 0);
	for (unsigned i = 0; i < PROMISES + MADE; i++)
		soon_future_unref(r->f[i]);
	soon_executor_free(r->other);
	soon_executor_free(r->pool);
}

START_TEST(all_gets_done_once)
{
	unsigned rounds = test_scale(ROUNDS);
	struct round *r = &round_now;
	struct meddler m[MEDDLERS];

	r->here = inline_pool();
	pthread_barrier_init(&r->start, NULL, MEDDLERS);
	for (unsigned i = 0; i < rounds; i++) {
		r->pool = pool_of(2);
		begin_round(r, (uint64_t)_i * rounds + i);
		for (unsigned k = 0; k < MEDDLERS; k++) {
			m[k].number = k;
			actor_start(&m[k].actor, meddle, &m[k]);
		}
		for (unsigned k = 0; k < MEDDLERS; k++)
			actor_join(&m[k].actor);
		end_round(r);
		/* The clock may still have callbacks to run. */
		while (atomic_load(&r->called) < PROMISES + MADE ||
		       atomic_load(&r->freed) < atomic_load(&r->results))
			sched_yield();
		ck_assert_uint_eq(atomic_load(&r->called), PROMISES + MADE);
		ck_assert_uint_eq(atomic_load(&r->freed),
				  atomic_load(&r->results));
		ck_assert_uint_eq(atomic_load(&r->wrong), 0);
	}
	pthread_barrier_destroy(&r->start);
	soon_executor_free(r->here);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stress_compose");
	TCase *t = tcase_create("stress");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, all_gets_done_once, 0, 8);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
