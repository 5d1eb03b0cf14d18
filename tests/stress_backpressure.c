/*
 * stress_backpressure.c - many submit to pools that have room for few: no more
 * wait than should, each job that was taken runs or is cancelled once, no place
 * is lost, and nobody hangs.
 */
#include "pool.h"

#include "support/bounded.h"
#include "support/many.h"

#include <errno.h>
#include <sched.h>
#include <soon/error.h>
#include <stdlib.h>

#define SUBMITTERS 4
#define MOST_AT_ONCE 6

static soon_executor *pools[2];
static unsigned workers;
static size_t max_pending;
static bool cancels; /* then what came of a job is not what was asked for */

/* Of all jobs, once each: taken; started or cancelled; and their arguments. */
static atomic_uint taken, ran, called_off, freed, wrong;

static void free_one(void *arg)
{
	(void)arg;
	atomic_fetch_add(&freed, 1);
}

static uint64_t places_taken(soon_executor *e)
{
	return atomic_load(&e->home.room.taken) >> 1;
}

/* Neither more than the limit, nor less than nothing. */
static void check_room(soon_executor *e)
{
	if (places_taken(e) > max_pending)
		atomic_fetch_add(&wrong, 1);
}

static void *work(void *arg);

static soon_job job_of(uint64_t chance)
{
	soon_job job = SOON_JOB_INIT;

	job.fn = work;
	/* How many jobs it submits in turn, mostly none, and its own chance. */
	job.arg = box((long)(chance >> 24 & ~UINT64_C(3)) +
		      (chance % 8 == 0 ? (long)(chance >> 8 & 3) : 0));
	job.free_arg = free_one;
	job.priority = (int)(chance >> 16 & 0xff) % 3 - 1;
	return job;
}

static bool may_be_refused(soon_executor *e, int rc)
{
	return (rc == EAGAIN && e->options.when_full == SOON_REJECT) ||
	       (rc == EINVAL && e->options.when_full == SOON_BLOCK &&
		max_pending < MOST_AT_ONCE) ||
	       (rc == ESHUTDOWN && cancels);
}

/* One call for n jobs; then some are waited for, cancelled, or let go. */
static void submit_some(struct rng *rng, soon_executor *e, unsigned n)
{
	soon_job job = job_of(rng_next(rng));
	soon_future *f[MOST_AT_ONCE] = { NULL };
	unsigned what = rng_below(rng, 8);
	int rc = 0;

	/* Before the job can count itself. */
	atomic_fetch_add(&taken, n);
	if (n > 1) {
		rc = soon_submit_many(e, &job, NULL, n, f);
	} else {
		f[0] = soon_submit_job(e, &job);
		rc = f[0] == NULL ? errno : 0;
	}
	if (rc != 0) {
		atomic_fetch_sub(&taken, n);
		if (!may_be_refused(e, rc))
			atomic_fetch_add(&wrong, 1);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (what == 0)
			soon_future_cancel(f[i]);
		else if (what == 1)
			soon_future_wait(f[i], SOON_FOREVER);
		if (soon_future_state(f[i]) == SOON_CANCELLED && what == 0)
			atomic_fetch_add(&called_off, 1);
		soon_future_unref(f[i]);
	}
}

static void *work(void *arg)
{
	struct rng rng = rng_seed((uint64_t)unbox(arg));
	long n = unbox(arg) & 3;

	atomic_fetch_add(&ran, 1);
	for (long i = 0; i < n; i++)
		submit_some(&rng, pools[rng_below(&rng, 2)],
			    1 + rng_below(&rng, 3));
	return NULL;
}

struct source {
	struct actor actor;
	struct rng rng;
};

static void *submit_all(void *arg)
{
	struct source *s = arg;

	for (unsigned i = 0; i < test_scale(300); i++) {
		soon_executor *e = pools[rng_below(&s->rng, 2)];

		submit_some(&s->rng, e,
			    rng_below(&s->rng, 4) > 0
				    ? 1
				    : 1 + rng_below(&s->rng, MOST_AT_ONCE));
		check_room(e);
	}
	return NULL;
}

static soon_executor *open_any(struct rng *rng, enum soon_overflow when_full)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	workers = 1 + rng_below(rng, 3);
	o.workers = o.max_workers = workers;
	o.max_pending = max_pending;
	o.when_full = when_full;
	o.flags = rng_below(rng, 2) ? SOON_HELP : 0;
	o.idle_timeout = rng_below(rng, 2) ? SOON_FOREVER : 50 * SOON_USEC;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void begin(struct rng *rng, struct source *s)
{
	max_pending = 1 + rng_below(rng, 8);
	atomic_store(&taken, 0);
	atomic_store(&ran, 0);
	atomic_store(&called_off, 0);
	atomic_store(&freed, 0);
	atomic_store(&wrong, 0);
	for (int i = 0; i < 2; i++)
		pools[i] = open_any(rng, (enum soon_overflow)rng_below(rng, 3));
	for (int i = 0; i < SUBMITTERS; i++) {
		s[i].rng = rng_seed(rng_next(rng));
		actor_start(&s[i].actor, submit_all, &s[i]);
	}
}

START_TEST(every_job_is_accounted_for)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct source s[SUBMITTERS];

	cancels = false;
	begin(&rng, s);
	for (int i = 0; i < SUBMITTERS; i++)
		actor_join(&s[i].actor);
	/* Jobs submit to the other pool too: await all before either ends. */
	while (atomic_load(&freed) < atomic_load(&taken) ||
	       places_taken(pools[0]) > 0 || places_taken(pools[1]) > 0)
		sched_yield();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			soon_executor_shutdown(pools[i], 0, SOON_FOREVER), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(places_taken(pools[i]), 0);
		soon_executor_free(pools[i]);
	}
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(atomic_load(&freed), atomic_load(&taken));
	ck_assert_uint_eq(atomic_load(&ran) + atomic_load(&called_off),
			  atomic_load(&taken));
}
END_TEST

/* Closed while many wait for room, at any moment. */
START_TEST(a_shutdown_at_any_moment_leaves_nothing_behind)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct source s[SUBMITTERS];
	unsigned flags = rng_below(&rng, 4);

	cancels = true;
	begin(&rng, s);
	for (unsigned i = rng_below(&rng, 2000); i > 0; i--)
		sched_yield();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(soon_executor_shutdown(pools[i], flags,
							SOON_FOREVER),
				 0);
	for (int i = 0; i < SUBMITTERS; i++)
		actor_join(&s[i].actor);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(places_taken(pools[i]), 0);
		soon_executor_free(pools[i]);
	}
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(atomic_load(&freed), atomic_load(&taken));
}
END_TEST

/* Who is in line is a guest of the pool: freeing waits until they have left. */
START_TEST(a_pool_may_be_freed_while_they_wait_in_line)
{
	struct submitter s[3];
	struct gate gate;
	struct tally tally;
	soon_executor *e = bounded_pool(1, SOON_BLOCK, 0);

	gate_init(&gate);
	tally_init(&tally);
	pool_hold(e, &gate, 1);
	ck_assert_int_eq(soon_execute(e, tally_job, &tally), 0);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		submitter_start(&s[i], e, _i, &tally);
	while (atomic_load(&e->home.guests) >> 1 < COUNT_OF(s))
		sched_yield();
	ck_assert_int_eq(soon_executor_shutdown(e, 0, 0), EINPROGRESS);
	gate_open(&gate);
	soon_executor_free(e);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		ck_assert_int_eq(submitter_join(&s[i]), ESHUTDOWN);
	ck_assert_uint_eq(tally_get(&tally), 1);
	gate_fini(&gate);
	tally_fini(&tally);
}
END_TEST

/* As a job is that falls due on a full queue. */
START_TEST(what_is_placed_is_queued_though_there_is_no_room)
{
	struct gate gate;
	soon_executor *e = bounded_pool(1, SOON_REJECT, 0);
	soon_future *f;

	gate_init(&gate);
	pool_hold(e, &gate, 1);
	soon_future_unref(submit(e, return_null, NULL));
	f = sooni_future_new(SOONI_QUEUED | SOONI_REF, 0);
	ck_assert_ptr_nonnull(f);
	f->fn = return_arg;
	f->arg = NULL;
	f->home = &e->home;
	sooni_future_place(f);
	ck_assert_int_eq(sooni_pool_put(e, &f, 1), 0);
	ck_assert_uint_eq(places_taken(e), 2);
	if (_i == 0)
		ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_uint_eq(places_taken(e), _i == 0 ? 1 : 2);
	gate_open(&gate);
	soon_executor_free(e);
	ck_assert_int_eq(soon_future_state(f),
			 _i == 0 ? SOON_CANCELLED : SOON_SUCCEEDED);
	soon_future_unref(f);
	gate_fini(&gate);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stress_backpressure");
	TCase *t = tcase_create("stress_backpressure");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, every_job_is_accounted_for, 0,
			    (int)test_scale(20));
	tcase_add_loop_test(t, a_shutdown_at_any_moment_leaves_nothing_behind,
			    0, (int)test_scale(40));
	tcase_add_loop_test(t, a_pool_may_be_freed_while_they_wait_in_line, 0,
			    CALLS);
	tcase_add_loop_test(t, what_is_placed_is_queued_though_there_is_no_room,
			    0, 2);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
