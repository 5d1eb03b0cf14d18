/*
 * stress_group.c - groups whose members submit, fail, cancel, expire and wait for
 * groups of their own, while others wait: each job has one end, and its group
 * ends after it.
 */
#include "support/group.h"

#include <errno.h>
#include <sched.h>
#include <soon/error.h>

#define MOST 400
#define SUBMITTERS 3

/* In the seed of a job that may run only so long. */
#define LIMITED 1L

static soon_executor *pool;
static soon_group *group;
static atomic_uint accepted, ran, arg_freed, result_made, result_freed, wrong;
static atomic_bool may_fail;

static void setup(void)
{
	atomic_uint *all[] = { &accepted,    &ran,	    &arg_freed,
			       &result_made, &result_freed, &wrong };

	for (size_t i = 0; i < COUNT_OF(all); i++)
		atomic_store(all[i], 0);
	atomic_store(&may_fail, false);
}

static void free_arg(void *unused)
{
	(void)unused;
	atomic_fetch_add(&arg_freed, 1);
}

static void free_result(void *unused)
{
	(void)unused;
	atomic_fetch_add(&result_freed, 1);
}

static void submit_by_chance(struct rng *rng);

static void *run(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));

	atomic_fetch_add(&ran, 1);
	switch (rng_below(&rng, 12)) {
	case 0:
		if (atomic_load(&may_fail))
			return soon_fail(EIO, "by chance");
		break;
	case 1:
		if (atomic_load(&may_fail))
			soon_group_cancel(group);
		break;
	case 2:
	case 3:
		submit_by_chance(&rng);
		submit_by_chance(&rng);
		break;
	case 4:
		soon_sleep(1 + rng_below(&rng, 100 * 1000));
		break;
	case 5:
		/* One with a limit would wait for that. */
		if (!(unbox(seed) & LIMITED) &&
		    soon_group_wait(group, SOON_FOREVER) != EDEADLK)
			atomic_fetch_add(&wrong, 1);
		break;
	default:
		break;
	}
	if (rng_below(&rng, 2) == 0)
		return NULL;
	atomic_fetch_add(&result_made, 1);
	return &accepted;
}

static void submit_by_chance(struct rng *rng)
{
	soon_job job = SOON_JOB_INIT;
	int rc;

	job.fn = run;
	job.arg = box((long)(rng_next(rng) >> 2) & ~LIMITED);
	job.free_arg = free_arg;
	job.free_result = free_result;
	job.priority = (int)rng_below(rng, 3) - 1;
	if (rng_below(rng, 8) == 0)
		job.delay = 1 + rng_below(rng, 100 * 1000);
	if (rng_below(rng, 8) == 0)
		job.start_within = 3600 * SOON_SEC;
	if (rng_below(rng, 8) == 0) {
		job.run_within = 3600 * SOON_SEC;
		job.arg = box(unbox(job.arg) | LIMITED);
	}
	rc = soon_group_submit_job(group, &job);
	if (rc == 0)
		atomic_fetch_add(&accepted, 1);
	else if (rc != ECANCELED || !atomic_load(&may_fail))
		atomic_fetch_add(&wrong, 1);
}

static void *submit_some(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));

	for (unsigned n = rng_below(&rng, MOST); n > 0; n--) {
		submit_by_chance(&rng);
		if (rng_below(&rng, 20) == 0)
			sched_yield();
	}
	return NULL;
}

static void *wait_some(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));

	for (int i = 0; i < 20; i++) {
		soon_nsec limit = i % 2 == 0 ? SOON_FOREVER
					     : rng_below(&rng, 100 * 1000);
		int rc = soon_group_wait(group, limit);

		if (rc != 0 && (rc != ETIMEDOUT || limit == SOON_FOREVER))
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

static soon_executor *pool_by_chance(struct rng *rng)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = 1 + rng_below(rng, 3);
	o.max_workers = o.workers;
	if (rng_below(rng, 3) == 0)
		o.max_pending = 1 + rng_below(rng, 5);
	if (rng_below(rng, 2) == 0)
		o.when_full = SOON_CALLER_RUNS;
	if (rng_below(rng, 4) == 0)
		o.flags = rng_below(rng, 2) == 0 ? SOON_HELP : SOON_INLINE;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void expect_accounted(bool all_ran)
{
	ck_assert_int_eq(soon_group_wait(group, SOON_FOREVER), 0);
	ck_assert_uint_eq(atomic_load(&arg_freed), atomic_load(&accepted));
	ck_assert_uint_le(atomic_load(&ran), atomic_load(&accepted));
	ck_assert(!all_ran || atomic_load(&ran) == atomic_load(&accepted));
	ck_assert_uint_eq(atomic_load(&result_freed),
			  atomic_load(&result_made));
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}

static void use_group(struct rng *rng)
{
	struct actor submitters[SUBMITTERS], waiter;

	for (int i = 0; i < SUBMITTERS; i++)
		actor_start(&submitters[i], submit_some,
			    box((long)(rng_next(rng) >> 2)));
	actor_start(&waiter, wait_some, box((long)(rng_next(rng) >> 2)));
	for (int i = 0; i < SUBMITTERS; i++)
		actor_join(&submitters[i]);
	actor_join(&waiter);
}

START_TEST(every_member_ends_once_and_before_the_wait)
{
	struct rng rng = rng_seed((uint64_t)_i);

	pool = pool_by_chance(&rng);
	group = group_of(pool);
	for (int round = 0; round < 3; round++) {
		use_group(&rng);
		expect_accounted(true);
		ck_assert_int_eq(soon_group_error(group), 0);
	}
	soon_group_free(group);
	soon_executor_free(pool);
}
END_TEST

START_TEST(so_it_does_in_a_group_that_stops)
{
	struct rng rng = rng_seed((uint64_t)_i);

	atomic_store(&may_fail, true);
	for (unsigned round = 0; round < 5; round++) {
		int code;

		pool = pool_by_chance(&rng);
		group = group_of(pool);
		use_group(&rng);
		expect_accounted(false);
		code = soon_group_error(group);
		ck_assert(code == 0 || code == EIO || code == ECANCELED);
		soon_executor_free(pool);
		soon_group_free(group);
	}
}
END_TEST

static Suite *group_suite(void)
{
	Suite *s = suite_create("stress_group");
	TCase *tc = tcase_create("stress_group");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, every_member_ends_once_and_before_the_wait, 0,
			    (int)test_scale(30));
	tcase_add_loop_test(tc, so_it_does_in_a_group_that_stops, 0,
			    (int)test_scale(30));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(group_suite());
}
