/*
 * api_full_inside.c - jobs that submit to their own pool while it is full, and
 * full pools that submit to each other.
 */
#include "support/bounded.h"

#include <errno.h>

static soon_executor *pool;
static struct gate gate; /* at which its worker is held */
static struct tally ran;

static void setup(void)
{
	pool = NULL;
	gate_init(&gate);
	tally_init(&ran);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&ran);
}

static void end_pool(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

/* Returns whether it runs on the thread given, as the job it should be. */
static void *runs_here(void *thread)
{
	return box(pthread_equal(*(pthread_t *)thread, pthread_self()) &&
		   soon_future_state(soon_self()) == SOON_RUNNING &&
		   soon_future_arg(soon_self()) == thread);
}

/* Jobs of a pool that submit to it while it is full: the only worker runs them
 * and two more are queued. */

struct own {
	enum soon_overflow when_full;
	long wrong;
};

static void *submit_from_worker(void *arg)
{
	struct own *own = arg;
	bool rejects = own->when_full == SOON_REJECT;
	pthread_t me = pthread_self();
	soon_future *self = soon_self(), *f[2] = { NULL };
	void *result = NULL;

	gate_pass(&gate);
	for (int how = 0; how < CALLS; how++)
		own->wrong += submit_tally(pool, how, &ran) !=
			      (rejects ? EAGAIN : 0);
	own->wrong += tally_get(&ran) != (rejects ? 0 : (unsigned)CALLS);
	own->wrong += soon_submit_many(pool,
				       SOON_JOB(.fn = runs_here, .arg = &me),
				       NULL, 2, f) != (rejects ? EAGAIN : 0);
	for (int i = 0; i < 2 && !rejects; i++) {
		own->wrong += !soon_future_done(f[i]);
		soon_future_result(f[i], 0, &result);
		own->wrong += unbox(result) != 1;
		soon_future_unref(f[i]);
	}
	own->wrong += soon_self() != self;
	return arg;
}

START_TEST(a_worker_never_sleeps_on_its_own_full_pool)
{
	struct own own = { (enum soon_overflow)_i, 0 };
	soon_future *f;

	pool = bounded_pool(2, own.when_full, 0);
	f = submit(pool, submit_from_worker, &own);
	gate_await(&gate, 1);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	ck_assert_int_eq(own.wrong, 0);
}
END_TEST

static void *submit_two(void *unused)
{
	return box(soon_submit_many(pool,
				    SOON_JOB(.fn = return_arg, .arg = unused),
				    NULL, 2, NULL));
}

START_TEST(more_than_ever_fit_are_an_error_on_a_worker_too)
{
	void *rc = NULL;
	soon_future *f;

	pool = bounded_pool(1, SOON_BLOCK, 0);
	f = submit(pool, submit_two, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), EINVAL);
	soon_future_unref(f);
}
END_TEST

static void submit_on_done(soon_future *f, void *how)
{
	(void)f;
	submit_tally(pool, (int)unbox(how), &ran);
}

START_TEST(nor_do_its_callbacks)
{
	soon_future *f;

	pool = bounded_pool(1, _i % 2 == 0 ? SOON_BLOCK : SOON_CALLER_RUNS, 0);
	f = submit(pool, gate_job, &gate);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	ck_assert_int_eq(soon_future_on_done(f, submit_on_done, box(_i / 2)),
			 0);
	gate_open(&gate);
	tally_await(&ran, 1);
	soon_future_unref(f);
}
END_TEST

/* Nested as deeply as it goes. */

static long left; /* each job is over before the next changes it */
static long depth, deepest;
static soon_nsec within; /* may each run; 0: no limit */

static void *nest(void *unused)
{
	volatile char used[1000];

	used[sizeof(used) - 1] = used[0] = 0;
	if (++depth > deepest)
		deepest = depth;
	if (left-- > 0)
		submit_tally(pool, 2, &ran);
	if (left > 0)
		soon_future_unref(soon_submit_job(
			pool, SOON_JOB(.fn = nest, .arg = unused,
				       .run_within = within)));
	depth--;
	return NULL;
}

static void *nest_at_gate(void *unused)
{
	gate_pass(&gate);
	return nest(unused);
}

START_TEST(a_chain_of_own_jobs_does_not_use_up_the_stack)
{
	long n = (long)test_scale(300000);
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	left = n;
	depth = deepest = 0;
	within = _i < 2 ? 0 : 3600 * SOON_SEC;
	o.workers = o.max_workers = 1;
	o.max_pending = 1;
	o.when_full = _i % 2 == 0 ? SOON_BLOCK : SOON_CALLER_RUNS;
	o.stack_size = 64 << 10;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	soon_future_unref(submit_job(pool, SOON_JOB(.fn = nest_at_gate,
						    .run_within = within)));
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	gate_open(&gate);
	tally_await(&ran, (unsigned)n);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), (unsigned)n);
}
END_TEST

START_TEST(nor_does_one_on_another_thread)
{
	left = 1000;
	depth = deepest = 0;
	within = 0;
	pool = bounded_pool(1, SOON_CALLER_RUNS, 0);
	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	/* Its first job submits 64 levels deep, then the pool has it. */
	ck_assert_int_eq(soon_execute(pool, nest, NULL), 0);
	ck_assert_int_gt(deepest, 10);
	ck_assert_int_lt(deepest, 100);
	gate_open(&gate);
	tally_await(&ran, 1001);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 1001);
}
END_TEST

/* Pools that submit to each other. */

static soon_executor *other;

static void *submit_to_other(void *unused)
{
	return box(unused == NULL ? soon_execute(other, tally_job, &ran) : -1);
}

START_TEST(a_worker_gives_its_place_away_while_it_waits_for_room_elsewhere)
{
	void *rc = box(-1);
	soon_future *f;

	other = bounded_pool(1, SOON_BLOCK, 0);
	pool_hold(other, &gate, 1);
	ck_assert_int_eq(soon_execute(other, return_null, NULL), 0);
	pool = pool_of(1);
	f = submit(pool, submit_to_other, NULL);
	/* Its pool of one goes on with the next while it waits. */
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	tally_await(&ran, 3);
	ck_assert(!soon_future_done(f));
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), 0);
	soon_future_unref(f);
	end_pool();
	soon_executor_free(other);
	ck_assert_uint_eq(tally_get(&ran), 4);
}
END_TEST

/* Submits three of the next level to the other pool, and counts itself. */
struct cross {
	soon_executor **here, **there;
	struct cross *next;
};

static void *cross_over(void *arg)
{
	struct cross *c = arg;

	for (int i = 0; i < 3 && c->next != NULL; i++)
		if (soon_execute(*c->there, cross_over, c->next) != 0)
			tally_add(&ran, 1000000);
	tally_add(&ran, 1);
	return NULL;
}

START_TEST(two_full_pools_that_submit_to_each_other_come_to_an_end)
{
	enum { LEVELS = 5, ROOTS = 5 };
	struct cross ab[LEVELS], ba[LEVELS];
	unsigned each = 0;

	for (int i = 0; i < LEVELS; i++) {
		struct cross *next_of_ab = i > 0 ? &ba[i - 1] : NULL;
		struct cross *next_of_ba = i > 0 ? &ab[i - 1] : NULL;

		ab[i] = (struct cross){ &pool, &other, next_of_ab };
		ba[i] = (struct cross){ &other, &pool, next_of_ba };
		each = 3 * each + 1;
	}
	pool = bounded_pool(1 + (size_t)_i, SOON_BLOCK, 0);
	other = bounded_pool(1 + (size_t)_i, SOON_BLOCK, 0);
	for (int i = 0; i < ROOTS; i++) {
		ck_assert_int_eq(
			soon_execute(pool, cross_over, &ab[LEVELS - 1]), 0);
		ck_assert_int_eq(
			soon_execute(other, cross_over, &ba[LEVELS - 1]), 0);
	}
	tally_await(&ran, 2 * ROOTS * each);
	end_pool();
	soon_executor_free(other);
	ck_assert_uint_eq(tally_get(&ran), 2 * ROOTS * each);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("full_inside");
	TCase *t = tcase_create("full_inside");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_worker_never_sleeps_on_its_own_full_pool, 0,
			    3);
	tcase_add_test(t, more_than_ever_fit_are_an_error_on_a_worker_too);
	tcase_add_loop_test(t, nor_do_its_callbacks, 0, 2 * CALLS);
	tcase_add_loop_test(t, a_chain_of_own_jobs_does_not_use_up_the_stack, 0,
			    4);
	tcase_add_test(t, nor_does_one_on_another_thread);
	tcase_add_test(
		t,
		a_worker_gives_its_place_away_while_it_waits_for_room_elsewhere);
	tcase_add_loop_test(
		t, two_full_pools_that_submit_to_each_other_come_to_an_end, 0,
		3);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
