/*
 * api_limited_waits.c - jobs that wait for each other, one of which has a limit:
 * that is no deadlock.
 */
#include "support/limited.h"

#include <errno.h>

static struct tally ended;

static void setup(void)
{
	limited_setup();
	soon_executor_free(pool);
	pool = pool_of(2);
	tally_init(&ended);
}

static void teardown(void)
{
	limited_teardown();
	tally_fini(&ended);
}

static soon_future *ring[2];

static void *wait_for_next(void *next)
{
	gate_pass(&limited_start);
	fixture_expect(soon_future_wait(ring[unbox(next)], SOON_FOREVER) == 0);
	tally_add(&ended, 1);
	return NULL;
}

START_TEST(a_ring_of_waits_is_no_deadlock_if_one_has_a_limit)
{
	ring[0] = submit_job(pool, SOON_JOB(.fn = wait_for_next, .arg = box(1),
					    .run_within = 20 * SHORT));
	ring[1] = submit(pool, wait_for_next, box(0));
	gate_open(&limited_start);
	ck_assert_int_eq(soon_future_result(ring[1], SOON_FOREVER, NULL), 0);
	ck_assert_int_eq(soon_future_error(ring[0]), ETIMEDOUT);
	tally_await(&ended, 2);
	soon_future_unref(ring[0]);
	soon_future_unref(ring[1]);
}
END_TEST

static int wait_for_self(int how)
{
	soon_future *self = soon_self();
	size_t index;

	switch (how) {
	case 0:
		return soon_future_wait(self, SOON_FOREVER);
	case 1:
		return soon_wait_all(&self, 1, SOON_FOREVER);
	default:
		return soon_wait_any(&self, 1, SOON_FOREVER, &index);
	}
}

static void *be_alone(void *how)
{
	fixture_expect(wait_for_self((int)unbox(how)) == 0);
	fixture_expect(soon_future_error(soon_self()) == ETIMEDOUT);
	tally_add(&ended, 1);
	return NULL;
}

START_TEST(nor_is_the_wait_of_a_job_with_a_limit_for_itself)
{
	soon_future *f =
		submit_job(pool, SOON_JOB(.fn = be_alone, .arg = box(_i),
					  .run_within = SHORT));

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	tally_await(&ended, 1);
	soon_future_unref(f);
}
END_TEST

static void *be_told(void *how)
{
	fixture_expect(wait_for_self((int)unbox(how)) == EDEADLK);
	tally_add(&ended, 1);
	return NULL;
}

/* Destroys the result of a job with a limit, on its thread. */
static void run_ring(void *e)
{
	for (long how = 0; how < 3; how++)
		soon_future_unref(soon_submit_job(
			e, SOON_JOB(.fn = be_told, .arg = box(how),
				    .run_within = LONG)));
}

static void *return_late(void *e)
{
	gate_pass(&gate);
	return e;
}

START_TEST(but_one_that_nobody_settles_is_told)
{
	soon_executor *e = inline_pool();
	soon_future *f = submit_job(pool, SOON_JOB(.fn = return_late, .arg = e,
						   .run_within = SHORT,
						   .free_result = run_ring));

	run_ring(e);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), ETIMEDOUT);
	gate_open(&gate);
	tally_await(&ended, 6);
	soon_future_unref(f);
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("limited_waits");
	TCase *t = tcase_create("limited_waits");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_ring_of_waits_is_no_deadlock_if_one_has_a_limit);
	tcase_add_loop_test(t, nor_is_the_wait_of_a_job_with_a_limit_for_itself,
			    0, 3);
	tcase_add_test(t, but_one_that_nobody_settles_is_told);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
