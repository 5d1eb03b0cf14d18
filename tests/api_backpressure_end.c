/*
 * api_backpressure_end.c - pools that take so many jobs and no more: their
 * ends, and their limits' own.
 */
#include "support/bounded.h"

#include <errno.h>
#include <stdint.h>

static soon_executor *pool;
static struct gate gate; /* at which its workers are held */
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

/* A pool of one worker, which is held at the gate. */
static void open_pool(size_t max_pending, enum soon_overflow when_full,
		      unsigned flags)
{
	pool = bounded_pool(max_pending, when_full, flags);
	pool_hold(pool, &gate, 1);
}

/* Queue n jobs, for which there must be room. */
static void fill(unsigned n)
{
	while (n-- > 0)
		ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
}

static const soon_job counted = {
	.size = sizeof(soon_job),
	.fn = tally_job,
	.arg = &ran,
};

static void *submit_three(void *unused)
{
	(void)unused;
	return box(soon_submit_many(pool, &counted, NULL, 3, NULL));
}

START_TEST(a_shutdown_sends_the_waiting_away)
{
	unsigned flags = _i < CALLS ? 0 : SOON_CANCEL_PENDING;
	struct submitter s[3];
	struct actor many;

	open_pool(3, SOON_BLOCK, 0);
	fill(3);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		submitter_start(&s[i], pool, _i % CALLS, &ran);
	actor_start(&many, submit_three, NULL);
	actor_await_asleep(&many);
	ck_assert_int_eq(soon_executor_shutdown(pool, flags, 0), EINPROGRESS);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		ck_assert_int_eq(submitter_join(&s[i]), ESHUTDOWN);
	ck_assert_int_eq(unbox(actor_join(&many)), ESHUTDOWN);
	ck_assert_int_eq(submit_tally(pool, _i % CALLS, &ran), ESHUTDOWN);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), flags == 0 ? 3 : 0);
}
END_TEST

static int fail_at_gate(void *unused)
{
	(void)unused;
	gate_pass(&gate);
	return -1;
}

START_TEST(a_pool_that_breaks_sends_the_waiting_away)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	struct submitter s[3];

	o.max_workers = 1;
	o.max_pending = 2;
	o.worker_init = fail_at_gate;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	fill(2);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		submitter_start(&s[i], pool, _i, &ran);
	gate_open(&gate);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		ck_assert_int_eq(submitter_join(&s[i]), SOON_EBROKEN);
	ck_assert_uint_eq(tally_get(&ran), 0);
}
END_TEST

START_TEST(a_closed_pool_says_so_also_when_it_is_full)
{
	static const enum soon_overflow when_full[] = { SOON_BLOCK, SOON_REJECT,
							SOON_CALLER_RUNS };

	open_pool(1, when_full[_i], 0);
	fill(1);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	for (int how = 0; how < CALLS; how++)
		ck_assert_int_eq(submit_tally(pool, how, &ran), ESHUTDOWN);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 1);
}
END_TEST

START_TEST(without_a_limit_it_does_not_matter_what_a_full_pool_does)
{
	static const enum soon_overflow when_full[] = { SOON_BLOCK, SOON_REJECT,
							SOON_CALLER_RUNS };

	open_pool(0, when_full[_i], 0);
	fill(1000);
	ck_assert_uint_eq(tally_get(&ran), 0);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 1000);
}
END_TEST

START_TEST(the_largest_limit_is_none)
{
	open_pool(SIZE_MAX, SOON_REJECT, 0);
	fill(1000);
	ck_assert_int_eq(soon_submit_many(pool, &counted, NULL, 1000, NULL), 0);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 2000);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("backpressure_end");
	TCase *t = tcase_create("ends");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_shutdown_sends_the_waiting_away, 0, 2 * CALLS);
	tcase_add_loop_test(t, a_pool_that_breaks_sends_the_waiting_away, 0,
			    CALLS);
	tcase_add_loop_test(t, a_closed_pool_says_so_also_when_it_is_full, 0,
			    3);
	tcase_add_loop_test(
		t, without_a_limit_it_does_not_matter_what_a_full_pool_does, 0,
		3);
	tcase_add_test(t, the_largest_limit_is_none);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
