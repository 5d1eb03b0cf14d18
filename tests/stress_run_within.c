/*
 * stress_run_within.c - jobs that return about when their time is up, hanging
 * in whatever a job may hang in; and that nothing is left of it afterwards.
 */
#include "support/many.h"

#include "pool.h"

#include <errno.h>
#include <sched.h>

#define JOBS 200

/* What a job does in its time. */
struct task {
	struct item item;
	unsigned kind;
	soon_nsec within, length;
	soon_future *other; /* to wait for */
};

static struct task tasks[JOBS];
static soon_future *futures[JOBS];
static soon_executor *pool;
static atomic_uint wrong;

static void expect(bool condition)
{
	if (!condition)
		atomic_fetch_add(&wrong, 1);
}

static void spend(soon_nsec length)
{
	soon_nsec end = now() + length;

	while (now() < end)
		sched_yield();
}

static void submit_one(struct tally *t)
{
	soon_future *f = soon_submit(pool, tally_job, t);

	expect(f != NULL && soon_future_wait(f, SOON_FOREVER) == 0);
	soon_future_unref(f);
}

static struct tally done;

static void *work(void *arg)
{
	struct task *t = arg;

	atomic_fetch_add(&t->item.ran, 1);
	expect(soon_future_arg(soon_self()) == t);
	switch (t->kind) {
	case 0:
		spend(t->length);
		break;
	case 1:
		expect(soon_sleep(t->length) == 0 || soon_cancel_requested());
		break;
	case 2:
		soon_blocking_begin();
		spend(t->length);
		soon_blocking_end();
		break;
	case 3:
		soon_future_wait(t->other, t->length);
		break;
	case 4:
		while (soon_sleep(10 * SOON_USEC) == 0)
			;
		break;
	case 5:
		for (int i = 0; i < 3; i++) {
			soon_blocking_begin();
			submit_one(&done);
			soon_blocking_end();
			soon_blocking_begin();
		}
		break;
	default:
		submit_one(&done);
	}
	return t->item.fails != 0 ? soon_fail(t->item.fails, "%d", 1) : arg;
}

static void free_arg(void *arg)
{
	struct task *t = arg;

	atomic_fetch_add(&t->item.arg_freed, 1);
}

static void free_result(void *result)
{
	struct task *t = result;

	atomic_fetch_add(&t->item.result_freed, 1);
}

static void count(soon_future *f, void *told)
{
	expect(soon_future_done(f));
	tally_add(told, 1);
}

/* Its time is up about when it returns. */
static void choose(struct task *t, struct rng *rng, soon_future *promise)
{
	soon_nsec scale = SOON_USEC << rng_below(rng, 9);

	*t = (struct task){ .kind = rng_below(rng, 7), .other = promise };
	t->within = 1 + rng_below(rng, (unsigned)scale);
	t->length = 1 + rng_below(rng, (unsigned)scale);
	t->item.fails = rng_below(rng, 8) == 0 ? EIO : 0;
}

/* One outcome each, and the destructors that belong to it. */
static void expect_one_outcome(struct task *t, soon_future *f)
{
	int rc = soon_future_result(f, SOON_FOREVER, NULL);
	void *result = soon_future_take(f);
	unsigned freed = t->item.fails != 0 || result != NULL ? 0 : 1;

	ck_assert(rc == ETIMEDOUT || rc == t->item.fails);
	ck_assert_ptr_eq(result, rc == 0 ? t : NULL);
	ck_assert(rc != ETIMEDOUT || soon_future_cancel_requested(f));
	soon_future_unref(f);
	while (atomic_load(&t->item.result_freed) < freed ||
	       atomic_load(&t->item.arg_freed) < 1)
		sched_yield();
	items_expect(&t->item, 1, 1, 1, freed);
}

/* All accounts of the pool come to nothing once it has nothing to do. */
static void expect_at_rest(void)
{
	struct sooni_park *p = &pool->park;

	while ((atomic_load(&p->word) & UINT32_MAX) != 0 ||
	       atomic_load(&p->blocked) != 0 ||
	       atomic_load(&pool->waiting) != 0 ||
	       atomic_load(&pool->home.guests) >= 2 ||
	       atomic_load(&pool->home.written_off) != 0)
		sched_yield();
}

static void submit_all(struct rng *rng, soon_future *promise,
		       struct tally *told)
{
	for (unsigned i = 0; i < JOBS; i++) {
		soon_job job = { .size = sizeof(job), .fn = work };

		choose(&tasks[i], rng, promise);
		job.arg = &tasks[i];
		job.free_arg = free_arg;
		job.free_result = free_result;
		job.run_within = tasks[i].within;
		futures[i] = submit_job(pool, &job);
		if (i % 2 == 0)
			ck_assert_int_eq(soon_future_on_done(futures[i], count,
							     told),
					 0);
	}
}

START_TEST(each_job_has_one_outcome_however_late_it_returns)
{
	struct rng rng = rng_seed((uint64_t)_i);
	soon_future *promise = must_promise();
	struct tally told;

	pool = pool_of(1 + (unsigned)_i % 3);
	tally_init(&told);
	tally_init(&done);
	submit_all(&rng, promise, &told);
	for (unsigned i = 0; i < JOBS; i++)
		expect_one_outcome(&tasks[i], futures[i]);
	tally_await(&told, JOBS / 2);
	if (_i % 2 == 0)
		expect_at_rest();
	soon_executor_free(pool);
	soon_future_unref(promise);
	ck_assert_uint_eq(tally_get(&told), JOBS / 2);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	tally_fini(&done);
	tally_fini(&told);
}
END_TEST

static void *return_at_once(void *arg)
{
	return arg;
}

/* With as much chance as can be had: the limit is what the job takes. */
START_TEST(a_job_that_returns_just_then_is_in_time_or_late)
{
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned late = 0;

	pool = pool_of(1);
	for (unsigned i = 0; i < JOBS; i++) {
		struct task *t = &tasks[i];
		soon_job job = { .size = sizeof(job), .fn = return_at_once };
		int rc;

		items_init(&t->item, NULL, 1);
		job.arg = t;
		job.free_arg = free_arg;
		job.free_result = free_result;
		job.run_within = 1 + rng_below(&rng, 20000);
		futures[i] = submit_job(pool, &job);
		rc = soon_future_result(futures[i], SOON_FOREVER, NULL);
		ck_assert(rc == 0 || rc == ETIMEDOUT);
		late += rc == ETIMEDOUT;
		soon_future_unref(futures[i]);
	}
	expect_at_rest();
	soon_executor_free(pool);
	for (unsigned i = 0; i < JOBS; i++)
		items_expect(&tasks[i].item, 1, 0, 1, 1);
	ck_assert_uint_le(late, JOBS);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stress_run_within");
	TCase *t = tcase_create("stress_run_within");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, each_job_has_one_outcome_however_late_it_returns,
			    0, (int)test_scale(30));
	tcase_add_loop_test(t, a_job_that_returns_just_then_is_in_time_or_late,
			    0, (int)test_scale(10));
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
