/*
 * stress_shutdown.c - shutdown and free against submits, waits and cancels from
 * other threads: what was accepted runs or is cancelled, what was refused does
 * neither.
 */
#include "support/many.h"

#include "pool.h"

#include <errno.h>
#include <sched.h>

#define PRODUCERS 3
#define EACH 2000

/* One submission: what was asked and what came of it. */
static struct entry {
	struct item item;
	_Atomic(soon_future *) future;
	int refusal; /* 0: accepted */
	bool forgotten;
} entries[PRODUCERS][EACH];

static soon_executor *pool;
static atomic_bool over;
static atomic_uint wrong;

static void setup(void)
{
	atomic_store(&over, false);
	atomic_store(&wrong, 0);
	for (int p = 0; p < PRODUCERS; p++)
		for (int i = 0; i < EACH; i++) {
			struct entry *e = &entries[p][i];

			items_init(&e->item, NULL, 1);
			atomic_store(&e->future, NULL);
			e->refusal = -1;
			e->forgotten = false;
		}
}

static void teardown(void)
{
	for (int p = 0; p < PRODUCERS; p++)
		for (int i = 0; i < EACH; i++)
			soon_future_unref(entries[p][i].future);
}

/* Submit entries i..i+n-1, all or none; how is a matter of chance. */
static void submit_entries(struct entry *e, unsigned n, unsigned how)
{
	soon_future *f[8] = { NULL };
	soon_job job = item_job;
	void *args[8];
	int rc = 0;

	job.arg = &e->item;
	for (unsigned k = 0; k < n; k++)
		args[k] = &e[k].item;
	if (n == 1 && how > 0)
		rc = (f[0] = soon_submit_job(pool, &job)) != NULL ? 0 : errno;
	else
		rc = soon_submit_many(pool, &item_job, args, n,
				      how == 1 ? NULL : f);
	for (unsigned k = 0; k < n; k++) {
		e[k].refusal = rc;
		e[k].forgotten = rc == 0 && f[k] == NULL;
		atomic_store(&e[k].future, f[k]);
	}
}

struct producer {
	struct actor actor;
	struct entry *entries;
	struct rng rng;
};

/* Goes on after the first refusal: the pool must not change its mind. */
static void *produce(void *arg)
{
	struct producer *p = arg;
	int refused = 0;

	for (unsigned i = 0; i < EACH && refused < 20;) {
		unsigned n = 1 + rng_below(&p->rng, 8);

		if (n > EACH - i || rng_below(&p->rng, 2) == 0)
			n = 1;
		submit_entries(&p->entries[i], n, rng_below(&p->rng, 3));
		if (p->entries[i].refusal != 0)
			refused++;
		else if (refused > 0)
			atomic_fetch_add(&wrong, 1);
		i += n;
	}
	return NULL;
}

static struct entry *any_entry(struct rng *rng)
{
	return &entries[rng_below(rng, PRODUCERS)][rng_below(rng, EACH)];
}

/* Cancels futures here and there until it is over. */
static void *cancel_some(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));

	while (!atomic_load(&over)) {
		soon_future *f = atomic_load(&any_entry(&rng)->future);
		int rc = f != NULL ? soon_future_cancel(f) : 0;

		if (rc != 0 && rc != EBUSY && rc != EALREADY)
			atomic_fetch_add(&wrong, 1);
		sched_yield();
	}
	return NULL;
}

/* Waits for futures here and there until it is over. */
static void *wait_for_some(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));

	while (!atomic_load(&over)) {
		soon_future *f = atomic_load(&any_entry(&rng)->future);
		int rc = 0;

		if (f == NULL)
			sched_yield();
		else if (rng_below(&rng, 2) == 0)
			rc = soon_future_wait(f, SOON_FOREVER);
		else if (soon_future_wait(f, SOON_USEC) == 0)
			rc = !soon_future_done(f);
		if (rc != 0)
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

/* What a call to shutdown may say to somebody who is no worker. */
static bool allowed(int rc, soon_nsec timeout)
{
	return rc == 0 || (timeout <= 0 && rc == EINPROGRESS) ||
	       (timeout > 0 && timeout < SOON_FOREVER && rc == ETIMEDOUT);
}

static void *shut_down(void *seed)
{
	static const soon_nsec limits[] = { 0, -1, SOON_USEC, 100 * SOON_USEC,
					    SOON_FOREVER };
	struct rng rng = rng_seed((uint64_t)unbox(seed));
	soon_nsec start = clock_now();
	soon_nsec pause = rng_below(&rng, 1000) * SOON_USEC;

	while (clock_now() - start < pause)
		sched_yield();
	for (int i = 0; i < 4; i++) {
		soon_nsec limit = limits[rng_below(&rng, COUNT_OF(limits))];
		unsigned flags = rng_below(&rng, 4);

		if (!allowed(soon_executor_shutdown(pool, flags, limit), limit))
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

/* Ran, or cancelled, or refused: one of them, and whole. */
static void expect_one_fate(struct entry *e)
{
	soon_future *f = atomic_load(&e->future);
	unsigned ran = atomic_load(&e->item.ran);
	enum soon_state state = ran ? SOON_SUCCEEDED : SOON_CANCELLED;

	if (e->refusal != 0) {
		if (f != NULL || (e->refusal > 0 && e->refusal != ESHUTDOWN))
			ck_abort_msg("refused with %d", e->refusal);
		items_expect(&e->item, 1, 0, 0, 0);
		return;
	}
	if (ran > 1 || (!e->forgotten && soon_future_state(f) != state))
		ck_abort_msg("ran %u times, state %d", ran,
			     (int)soon_future_state(f));
	if (!e->forgotten)
		items_expect(&e->item, 1, ran, 1, 0);
	soon_future_unref(f);
	atomic_store(&e->future, NULL);
	items_expect(&e->item, 1, ran, 1, ran);
}

static void expect_fates(void)
{
	for (int p = 0; p < PRODUCERS; p++)
		for (int i = 0; i < EACH; i++)
			expect_one_fate(&entries[p][i]);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}

static void start_producers(struct producer *p, struct rng *rng)
{
	for (int i = 0; i < PRODUCERS; i++) {
		p[i].entries = entries[i];
		p[i].rng = rng_seed(rng_next(rng));
		actor_start(&p[i].actor, produce, &p[i]);
	}
}

static void join_producers(struct producer *p)
{
	for (int i = 0; i < PRODUCERS; i++)
		actor_join(&p[i].actor);
}

/*
 * The pool is freed only when nobody can submit to it any more; those who wait
 * and cancel need not know.
 */
START_TEST(what_is_submitted_meets_exactly_one_fate)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct actor canceller, waiter, closers[2];
	struct producer p[PRODUCERS];
	unsigned undone = 0;

	pool = pool_of(1 + rng_below(&rng, 3));
	start_producers(p, &rng);
	actor_start(&canceller, cancel_some, box(_i));
	actor_start(&waiter, wait_for_some, box(_i));
	for (int i = 0; i < 2; i++)
		actor_start(&closers[i], shut_down, box(2 * _i + i));
	join_producers(p);
	for (int i = 0; i < 2; i++)
		actor_join(&closers[i]);
	soon_executor_free(pool);
	for (int i = 0; i < PRODUCERS * EACH; i++)
		undone += !soon_future_done(entries[i / EACH][i % EACH].future);
	ck_assert_uint_eq(undone, 0);
	atomic_store(&over, true);
	actor_join(&canceller);
	actor_join(&waiter);
	expect_fates();
}
END_TEST

static void *close_from_inside(void *flags)
{
	int rc = soon_executor_shutdown(pool, (unsigned)unbox(flags), 0);

	if (rc != EINPROGRESS ||
	    soon_executor_shutdown(pool, 0, SOON_FOREVER) != EDEADLK)
		atomic_fetch_add(&wrong, 1);
	return NULL;
}

/* One of the pool's own jobs closes it, amid the submits of others. */
START_TEST(a_job_may_close_its_pool)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct producer p[PRODUCERS];

	pool = pool_of(1 + rng_below(&rng, 3));
	start_producers(p, &rng);
	ck_assert_int_eq(soon_execute(pool, close_from_inside, box(_i % 4)), 0);
	join_producers(p);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_executor_free(pool);
	expect_fates();
}
END_TEST

#define CLOSERS 6

/* Whoever waits without end sees the end, with all the flags there are. */
START_TEST(many_may_shut_down_at_once)
{
	struct actor closers[CLOSERS];

	for (unsigned round = 0; round < test_scale(100); round++) {
		struct tally ran;

		tally_init(&ran);
		pool = pool_of(1 + round % 3);
		for (int i = 0; i < 20; i++)
			ck_assert_int_eq(soon_execute(pool, tally_job, &ran),
					 0);
		for (int i = 0; i < CLOSERS; i++)
			actor_start(&closers[i], shut_down,
				    box((_i + 1) * 1000 + i));
		for (int i = 0; i < CLOSERS; i++)
			actor_join(&closers[i]);
		ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER),
				 0);
		ck_assert_uint_le(tally_get(&ran), 20);
		soon_executor_free(pool);
		tally_fini(&ran);
	}
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

/* Without flags every job that was accepted runs, however it is closed. */
START_TEST(a_plain_free_runs_whatever_was_accepted)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct producer p[PRODUCERS];
	unsigned missing = 0;

	pool = pool_of(1 + rng_below(&rng, 3));
	start_producers(p, &rng);
	for (unsigned i = rng_below(&rng, 2000); i > 0; i--)
		sched_yield();
	soon_executor_shutdown(pool, 0, _i % 2 == 0 ? 0 : SOON_FOREVER);
	join_producers(p);
	soon_executor_free(pool);
	for (int i = 0; i < PRODUCERS * EACH; i++) {
		struct entry *e = &entries[i / EACH][i % EACH];

		missing += (atomic_load(&e->item.ran) == 1) !=
			   (e->refusal == 0);
	}
	ck_assert_uint_eq(missing, 0);
	expect_fates();
}
END_TEST

static void *look_once(void *g)
{
	gate_pass(g);
	return box(soon_cancel_requested());
}

/* On its way from the queue as the shutdown asks those that run: made by hand. */
START_TEST(a_job_that_was_missed_learns_of_it_at_its_first_look)
{
	soon_executor *e = pool_of(1);
	struct gate g;
	soon_future *f;

	gate_init(&g);
	f = submit(e, look_once, &g);
	gate_await(&g, 1);
	atomic_store(&e->home.stopping, true);
	gate_open(&g);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(unbox(soon_future_take(f)), true);
	ck_assert(soon_future_cancel_requested(f));
	soon_future_unref(f);
	soon_executor_free(e);
	gate_fini(&g);
}
END_TEST

static Suite *shutdown_suite(void)
{
	Suite *s = suite_create("stress_shutdown");
	TCase *tc = tcase_create("stress_shutdown");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, what_is_submitted_meets_exactly_one_fate, 0,
			    (int)test_scale(20));
	tcase_add_loop_test(tc, a_job_may_close_its_pool, 0,
			    (int)test_scale(8));
	tcase_add_loop_test(tc, many_may_shut_down_at_once, 0, 2);
	tcase_add_loop_test(tc, a_plain_free_runs_whatever_was_accepted, 0,
			    (int)test_scale(8));
	tcase_add_test(tc,
		       a_job_that_was_missed_learns_of_it_at_its_first_look);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(shutdown_suite());
}
