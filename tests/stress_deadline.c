/*
 * stress_deadline.c - jobs with delays and deadlines of next to nothing, that
 * fall due, expire, run, are waited for, cancelled and dropped at the same time.
 *
 * Whatever the order, each job ran, was cancelled or expired: one of the three.
 */
#include "support/support.h"

#include "pool.h"
#include "timer.h"

#include <errno.h>
#include <stdatomic.h>

enum { JOBS = 400, ACTORS = 3 };

static struct item {
	soon_future *f;
	soon_job job;
	soon_nsec submitted;
	atomic_uint ran, freed, called;
	atomic_bool early;
} items[JOBS];

static atomic_uint published;

static void *work(void *arg)
{
	struct item *it = arg;

	if (now() - it->submitted < it->job.delay)
		atomic_store(&it->early, true);
	atomic_fetch_add(&it->ran, 1);
	return it;
}

static void free_item(void *arg)
{
	struct item *it = arg;

	atomic_fetch_add(&it->freed, 1);
}

static void count_call(soon_future *f, void *ctx)
{
	struct item *it = ctx;

	(void)f;
	atomic_fetch_add(&it->called, 1);
}

static soon_nsec some_time(struct rng *rng)
{
	return (soon_nsec)rng_below(rng, 400) * SOON_USEC;
}

static void choose(struct item *it, struct rng *rng)
{
	it->job = (soon_job)SOON_JOB_INIT;
	it->job.fn = work;
	it->job.arg = it;
	it->job.free_arg = rng_below(rng, 8) > 0 ? free_item : NULL;
	if (rng_below(rng, 3) > 0)
		it->job.delay = some_time(rng);
	if (rng_below(rng, 3) > 0)
		it->job.start_within = it->job.delay + 1 + some_time(rng);
	atomic_store(&it->ran, 0);
	atomic_store(&it->freed, 0);
	atomic_store(&it->called, 0);
	atomic_store(&it->early, false);
}

static void act(struct item *it, struct rng *rng)
{
	switch (rng_below(rng, 4)) {
	case 0:
		soon_future_cancel(it->f);
		break;
	case 1:
		soon_future_wait(it->f, some_time(rng));
		break;
	case 2:
		soon_future_wait(it->f, SOON_FOREVER);
		break;
	default:
		soon_future_unref(soon_future_ref(it->f));
	}
}

static void *act_much(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));
	unsigned n = 0;

	while (n < JOBS) {
		n = atomic_load(&published);
		if (n > 0)
			act(&items[rng_below(&rng, n)], &rng);
	}
	return NULL;
}

/* In a job, so that it goes to the worker's own queue, and may run it. */
static void *submit_and_wait(void *arg)
{
	struct item *it = arg;
	soon_executor *e = (soon_executor *)it->f;

	it->f = soon_submit_job(e, &it->job);
	if (it->f != NULL)
		soon_future_wait(it->f, SOON_FOREVER);
	return NULL;
}

static void submit_inside(soon_executor *e, struct item *it)
{
	soon_future *outer;

	it->f = (soon_future *)e;
	outer = submit(e, submit_and_wait, it);
	soon_future_wait(outer, SOON_FOREVER);
	soon_future_unref(outer);
}

static void submit_one(soon_executor *e, struct item *it, bool inside)
{
	it->submitted = now();
	if (inside)
		submit_inside(e, it);
	else
		it->f = submit_job(e, &it->job);
	ck_assert_ptr_nonnull(it->f);
	ck_assert_int_eq(soon_future_on_done(it->f, count_call, it), 0);
}

static void check_item(struct item *it)
{
	enum soon_state state = soon_future_state(it->f);

	ck_assert(soon_future_done(it->f));
	ck_assert_int_eq(atomic_load(&it->ran), state == SOON_SUCCEEDED);
	if (state == SOON_FAILED) {
		ck_assert_int_eq(soon_future_error(it->f), ETIMEDOUT);
		ck_assert_int_gt(it->job.start_within, 0);
	}
	ck_assert(!atomic_load(&it->early));
	ck_assert_uint_eq(atomic_load(&it->freed), it->job.free_arg != NULL);
	ck_assert_uint_eq(atomic_load(&it->called), 1);
	soon_future_unref(it->f);
}

START_TEST(each_job_runs_or_is_cancelled_or_expires)
{
	struct rng rng = rng_seed((uint64_t)_i);
	soon_executor *e = pool_of(1 + rng_below(&rng, 3));
	struct actor actors[ACTORS];
	unsigned flags = rng_below(&rng, 2) ? SOON_CANCEL_PENDING : 0;

	atomic_store(&published, 0);
	for (int i = 0; i < ACTORS; i++)
		actor_start(&actors[i], act_much, box(_i * ACTORS + i));
	for (unsigned i = 0; i < JOBS; i++) {
		choose(&items[i], &rng);
		submit_one(e, &items[i], rng_below(&rng, 8) == 0);
		atomic_store(&published, i + 1);
	}
	ck_assert_int_eq(soon_executor_shutdown(e, flags, SOON_FOREVER), 0);
	/* No job is left to the clock. */
	ck_assert_uint_eq(atomic_load(&e->delayed), 0);
	ck_assert_ptr_null(e->early);
	for (int i = 0; i < ACTORS; i++)
		actor_join(&actors[i]);
	soon_executor_free(e);
	for (unsigned i = 0; i < JOBS; i++)
		check_item(&items[i]);
}
END_TEST

/*
 * The only worker is freed at the time at which the jobs expire, and half of them
 * are cancelled.
 */
START_TEST(claims_race_with_expiry)
{
	struct rng rng = rng_seed((uint64_t)_i);
	soon_executor *e = pool_of(1);
	struct gate gate;

	gate_init(&gate);
	for (unsigned from = 0; from + 4 <= JOBS; from += 4) {
		soon_nsec within = 1 + some_time(&rng) / 8;
		soon_future *holder = submit(e, gate_job, &gate);

		gate_await(&gate, from / 4 + 1);
		for (unsigned i = from; i < from + 4; i++) {
			choose(&items[i], &rng);
			items[i].job.delay = 0;
			items[i].job.start_within = within;
			submit_one(e, &items[i], false);
		}
		gate_open(&gate);
		soon_future_wait(holder, SOON_FOREVER);
		soon_future_unref(holder);
		gate_shut(&gate);
		for (unsigned i = from; i < from + 4; i++)
			if (i % 4 < 2 || soon_future_cancel(items[i].f) != 0)
				soon_future_wait(items[i].f, SOON_FOREVER);
	}
	soon_executor_free(e);
	for (unsigned i = 0; i < JOBS; i++)
		check_item(&items[i]);
	gate_fini(&gate);
}
END_TEST

static struct tally fallen;

static void *fall(void *unused)
{
	tally_add(&fallen, 1);
	return unused;
}

/* Pools that are closed, with or without cancelling, as their jobs fall due. */
START_TEST(pools_end_as_their_jobs_fall_due)
{
	struct rng rng = rng_seed((uint64_t)_i);

	for (unsigned round = 0; round < test_scale(150); round++) {
		soon_executor *e = pool_of(1 + rng_below(&rng, 2));
		unsigned n = 1 + rng_below(&rng, 6);
		bool cancel = rng_below(&rng, 3) == 0;
		soon_job job = SOON_JOB_INIT;

		tally_init(&fallen);
		job.fn = fall;
		for (unsigned i = 0; i < n; i++) {
			job.delay = 1 + some_time(&rng);
			ck_assert_int_eq(
				soon_submit_many(e, &job, NULL, 1, NULL), 0);
		}
		ck_assert_int_eq(soon_executor_shutdown(
					 e, cancel ? SOON_CANCEL_PENDING : 0,
					 0) &
					 ~EINPROGRESS,
				 0);
		soon_executor_free(e);
		if (!cancel)
			ck_assert_uint_eq(tally_get(&fallen), n);
		tally_fini(&fallen);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stress_deadline");
	TCase *t = tcase_create("stress");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, each_job_runs_or_is_cancelled_or_expires, 0,
			    (int)test_scale(30));
	tcase_add_loop_test(t, claims_race_with_expiry, 0, (int)test_scale(20));
	tcase_add_loop_test(t, pools_end_as_their_jobs_fall_due, 0,
			    (int)test_scale(20));
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
