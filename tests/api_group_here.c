/*
 * api_group_here.c - members that their submitter runs, and what becomes of them if
 * the group is stopped before the submit returns.
 */
#include "support/group.h"

#include <errno.h>
#include <sched.h>

static soon_executor *pool; /* without threads */
static soon_group *group;
static struct gate gate;
static struct item item;
static struct tally tally;

static void setup(void)
{
	pool = inline_pool();
	group = group_of(pool);
	gate_init(&gate);
	tally_init(&tally);
	items_init(&item, NULL, 1);
}

static void teardown(void)
{
	soon_group_free(group);
	soon_executor_free(pool);
	tally_fini(&tally);
	gate_fini(&gate);
}

static void *run_until_asked(void *unused)
{
	gate_pass(&gate);
	while (soon_sleep(SOON_FOREVER) != ECANCELED)
		;
	tally_add(&tally, 1);
	return unused;
}

static void *cancel_from_inside(void *hooked)
{
	soon_on_cancel(tally_free, hooked);
	soon_group_cancel(group);
	return run_until_asked(NULL);
}

static void *join_run_until_asked(void *unused)
{
	(void)unused;
	return box(soon_group_submit(group, run_until_asked, NULL));
}

/* By another thread, or by itself.  Its submit has not returned. */
START_TEST(a_member_that_its_submitter_runs_is_asked_to_stop)
{
	struct actor submitter;

	if (_i == 0) {
		actor_start(&submitter, join_run_until_asked, NULL);
		gate_await(&gate, 1);
		gate_open(&gate);
		soon_group_cancel(group);
		ck_assert_int_eq((int)unbox(actor_join(&submitter)), 0);
		ck_assert_uint_eq(tally_get(&tally), 1);
	} else {
		gate_open(&gate);
		join(group, cancel_from_inside, &tally);
		ck_assert_uint_eq(tally_get(&tally), 2);
	}
	expect_end(group, ECANCELED, soon_strerror(ECANCELED));
}
END_TEST

static void *join_for_later(void *arg)
{
	soon_job job = item_job;

	job.arg = arg;
	job.delay = SOON_FOREVER;
	return box(soon_group_submit_job(group, &job));
}

START_TEST(a_member_whose_delay_its_submitter_sleeps_is_cancelled)
{
	struct actor submitter;

	actor_start(&submitter, join_for_later, &item);
	while (soon_group_wait(group, 0) == 0)
		sched_yield();
	if (_i == 1)
		actor_await_asleep(&submitter);
	soon_group_cancel(group);
	ck_assert_int_eq((int)unbox(actor_join(&submitter)), 0);
	expect_end(group, ECANCELED, soon_strerror(ECANCELED));
	items_expect(&item, 1, 0, 1, 0);
}
END_TEST

static void use_group(void *result)
{
	if (soon_group_error(group) == 0)
		tally_add(result, 1);
}

static void own_it(soon_future *f, void *unused)
{
	(void)unused;
	soon_future_own(f, use_group);
}

static void *have_it_owned(void *result)
{
	soon_future_on_done(soon_self(), own_it, NULL);
	return result;
}

/* Else it would be called whenever the group comes to drop the future. */
static void *leave(void *unused)
{
	pthread_exit(unused);
}

static void *join_leaver(void *unused)
{
	soon_group_submit(group, leave, unused);
	return box(1);
}

START_TEST(a_member_that_ends_its_submitters_thread_ends)
{
	struct actor submitter;

	actor_start(&submitter, join_leaver, NULL);
	ck_assert_ptr_null(actor_join(&submitter));
	expect_end(group, SOON_EEXITED, soon_strerror(SOON_EEXITED));
}
END_TEST

START_TEST(a_destructor_that_a_callback_sets_comes_too_late)
{
	soon_group *g = group_of(pool);

	for (int i = 0; i < 200; i++)
		join(_i == 0 ? g : group, have_it_owned, &tally);
	soon_group_free(g);
	ck_assert_uint_eq(tally_get(&tally), 0);
	soon_group_free(group);
	ck_assert_uint_eq(tally_get(&tally), 0);
	group = group_of(pool);
}
END_TEST

static Suite *here_suite(void)
{
	Suite *s = suite_create("api_group_here");
	TCase *tc = tcase_create("api_group_here");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, a_member_that_ends_its_submitters_thread_ends);
	tcase_add_loop_test(
		tc, a_member_that_its_submitter_runs_is_asked_to_stop, 0, 2);
	tcase_add_loop_test(
		tc, a_member_whose_delay_its_submitter_sleeps_is_cancelled, 0,
		2);
	tcase_add_loop_test(
		tc, a_destructor_that_a_callback_sets_comes_too_late, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(here_suite());
}
