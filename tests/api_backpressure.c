/*
 * api_backpressure.c - pools that take so many jobs and no more: what a submit
 * does when there is no room.
 */
#include "support/bounded.h"
#include "support/many.h"

#include <errno.h>
#include <stdatomic.h>

static soon_executor *pool;
static struct gate gate; /* at which its workers are held */
static struct tally ran;
static struct tally freed;

static void setup(void)
{
	pool = NULL;
	gate_init(&gate);
	tally_init(&ran);
	tally_init(&freed);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&ran);
	tally_fini(&freed);
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

static void free_tally_arg(void *arg)
{
	tally_free(arg == &ran ? &freed : NULL);
}

START_TEST(a_full_pool_rejects)
{
	open_pool(3, SOON_REJECT, 0);
	fill(3);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), EAGAIN);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), EAGAIN);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 3);
}
END_TEST

START_TEST(a_rejected_job_stays_the_callers)
{
	soon_job job = SOON_JOB_INIT;

	job.fn = tally_job;
	job.arg = &ran;
	job.free_arg = free_tally_arg;
	open_pool(1, SOON_REJECT, 0);
	fill(1);
	errno = 0;
	ck_assert_ptr_null(soon_submit_job(pool, &job));
	ck_assert_int_eq(errno, EAGAIN);
	end_pool();
	ck_assert_uint_eq(tally_get(&freed), 0);
}
END_TEST

START_TEST(jobs_that_run_take_no_room)
{
	struct gate more;

	gate_init(&more);
	open_pool(1, SOON_REJECT, 0);
	ck_assert_int_eq(soon_execute(pool, gate_job, &more), 0);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), EAGAIN);
	gate_open(&gate);
	gate_await(&more, 1);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), 0);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), EAGAIN);
	gate_open(&more);
	end_pool();
	gate_fini(&more);
	ck_assert_uint_eq(tally_get(&ran), 1);
}
END_TEST

START_TEST(a_cancelled_job_makes_room_at_once)
{
	soon_future *f;

	open_pool(2, SOON_REJECT, 0);
	f = submit(pool, tally_job, &ran);
	fill(1);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), EAGAIN);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), 0);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), EAGAIN);
	soon_future_unref(f);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 2);
}
END_TEST

START_TEST(a_job_that_a_waiter_claims_makes_room_at_once)
{
	soon_future *f;

	open_pool(2, SOON_REJECT, SOON_HELP);
	fill(1);
	f = submit(pool, tally_job, &ran);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), EAGAIN);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), 0);
	ck_assert_int_eq(submit_tally(pool, _i, &ran), EAGAIN);
	soon_future_unref(f);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 3);
}
END_TEST

START_TEST(priorities_share_the_room)
{
	soon_job job = counted;

	open_pool(3, SOON_REJECT, 0);
	for (job.priority = SOON_LOW; job.priority <= SOON_HIGH; job.priority++)
		soon_future_unref(submit_job(pool, &job));
	for (job.priority = SOON_LOW; job.priority <= SOON_HIGH;
	     job.priority++) {
		errno = 0;
		ck_assert_ptr_null(soon_submit_job(pool, &job));
		ck_assert_int_eq(errno, EAGAIN);
	}
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 3);
}
END_TEST

START_TEST(many_are_rejected_together_when_they_do_not_all_fit)
{
	soon_future *f[4];

	open_pool(3, SOON_REJECT, 0);
	fill(1);
	ck_assert_int_eq(soon_submit_many(pool, &counted, NULL, 3, f), EAGAIN);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_null(f[i]);
	ck_assert_int_eq(soon_submit_many(pool, &counted, NULL, 4, f), EAGAIN);
	ck_assert_int_eq(soon_map(pool, &counted, NULL, 3, 0, NULL, NULL),
			 EAGAIN);
	ck_assert_int_eq(soon_submit_many(pool, &counted, NULL, 2, f), 0);
	unref_n(f, 2);
	ck_assert_int_eq(soon_submit_many(pool, &counted, NULL, 0, f), 0);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 3);
}
END_TEST

START_TEST(a_submitter_sleeps_until_there_is_room)
{
	struct submitter s;

	open_pool(2, SOON_BLOCK, 0);
	fill(2);
	submitter_start(&s, pool, _i, &ran);
	ck_assert(!atomic_load(&s.returned));
	ck_assert_uint_eq(tally_get(&ran), 0);
	gate_open(&gate);
	ck_assert_int_eq(submitter_join(&s), 0);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 3);
}
END_TEST

START_TEST(a_cancelled_job_lets_a_submitter_in)
{
	struct submitter s;
	soon_future *f;

	open_pool(2, SOON_BLOCK, 0);
	f = submit(pool, tally_job, &ran);
	fill(1);
	submitter_start(&s, pool, _i, &ran);
	ck_assert(!atomic_load(&s.returned));
	ck_assert_int_eq(soon_future_cancel(f), 0);
	ck_assert_int_eq(submitter_join(&s), 0);
	soon_future_unref(f);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 2);
}
END_TEST

START_TEST(a_claimed_job_lets_a_submitter_in)
{
	struct submitter s;
	soon_future *f;

	open_pool(2, SOON_BLOCK, SOON_HELP);
	fill(1);
	f = submit(pool, tally_job, &ran);
	submitter_start(&s, pool, _i, &ran);
	ck_assert(!atomic_load(&s.returned));
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(submitter_join(&s), 0);
	soon_future_unref(f);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 3);
}
END_TEST

START_TEST(each_of_several_submitters_gets_in)
{
	struct submitter s[6];

	open_pool(1, SOON_BLOCK, 0);
	fill(1);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		submitter_start(&s[i], pool, (int)i % CALLS, &ran);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		ck_assert(!atomic_load(&s[i].returned));
	gate_open(&gate);
	for (size_t i = 0; i < COUNT_OF(s); i++)
		ck_assert_int_eq(submitter_join(&s[i]), 0);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 1 + COUNT_OF(s));
}
END_TEST

static void *submit_three(void *unused)
{
	(void)unused;
	return box(soon_submit_many(pool, &counted, NULL, 3, NULL));
}

START_TEST(many_wait_until_there_is_room_for_all)
{
	struct actor actor;
	struct submitter s;
	soon_future *f[3];

	open_pool(3, SOON_BLOCK, 0);
	for (int i = 0; i < 3; i++)
		f[i] = submit(pool, tally_job, &ran);
	actor_start(&actor, submit_three, NULL);
	actor_await_asleep(&actor);
	ck_assert_int_eq(soon_future_cancel(f[0]), 0);
	ck_assert_int_eq(soon_future_cancel(f[1]), 0);
	submitter_start(&s, pool, _i, &ran);
	/* Whoever is first; then there is none left for the other. */
	ck_assert_int_eq(soon_future_cancel(f[2]), 0);
	gate_open(&gate);
	ck_assert_int_eq(unbox(actor_join(&actor)), 0);
	ck_assert_int_eq(submitter_join(&s), 0);
	unref_n(f, 3);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 4);
}
END_TEST

START_TEST(more_than_ever_fit_are_an_error)
{
	void *results[4];
	soon_future *f[4];

	open_pool(3, SOON_BLOCK, 0);
	ck_assert_int_eq(soon_submit_many(pool, &counted, NULL, 4, f), EINVAL);
	for (int i = 0; i < 4; i++)
		ck_assert_ptr_null(f[i]);
	ck_assert_int_eq(soon_submit_many(pool, &counted, NULL, 4, NULL),
			 EINVAL);
	ck_assert_int_eq(soon_map(pool, &counted, NULL, 4, SOON_FOREVER,
				  results, NULL),
			 EINVAL);
	ck_assert_int_eq(soon_submit_many(pool, &counted, NULL, 3, NULL), 0);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 3);
}
END_TEST

/* Two that submit one after the other all the time. */
static atomic_bool enough;

static void *submit_singles(void *unused)
{
	long rc = 0;

	while (!atomic_load(&enough) && rc == 0)
		rc = soon_execute(pool, return_null, NULL);
	return unused == NULL ? box(rc) : NULL;
}

START_TEST(singles_do_not_starve_many)
{
	struct actor singles[2];

	atomic_store(&enough, false);
	open_pool(4, SOON_BLOCK, 0);
	for (size_t i = 0; i < COUNT_OF(singles); i++)
		actor_start(&singles[i], submit_singles, NULL);
	gate_open(&gate);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(
			soon_submit_many(pool, &counted, NULL, 4, NULL), 0);
	atomic_store(&enough, true);
	for (size_t i = 0; i < COUNT_OF(singles); i++)
		ck_assert_int_eq(unbox(actor_join(&singles[i])), 0);
	end_pool();
	ck_assert_uint_eq(tally_get(&ran), 200);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("backpressure");
	TCase *t = tcase_create("reject");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_full_pool_rejects, 0, CALLS);
	tcase_add_test(t, a_rejected_job_stays_the_callers);
	tcase_add_loop_test(t, jobs_that_run_take_no_room, 0, CALLS);
	tcase_add_loop_test(t, a_cancelled_job_makes_room_at_once, 0, CALLS);
	tcase_add_loop_test(t, a_job_that_a_waiter_claims_makes_room_at_once, 0,
			    CALLS);
	tcase_add_test(t, priorities_share_the_room);
	tcase_add_test(t, many_are_rejected_together_when_they_do_not_all_fit);
	suite_add_tcase(s, t);

	t = tcase_create("block");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_submitter_sleeps_until_there_is_room, 0,
			    CALLS);
	tcase_add_loop_test(t, a_cancelled_job_lets_a_submitter_in, 0, CALLS);
	tcase_add_loop_test(t, a_claimed_job_lets_a_submitter_in, 0, CALLS);
	tcase_add_test(t, each_of_several_submitters_gets_in);
	tcase_add_loop_test(t, many_wait_until_there_is_room_for_all, 0, CALLS);
	tcase_add_test(t, more_than_ever_fit_are_an_error);
	tcase_add_test(t, singles_do_not_starve_many);
	suite_add_tcase(s, t);

	return s;
}

int main(void)
{
	return test_run(suite());
}
