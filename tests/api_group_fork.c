/*
 * api_group_fork.c - groups in a child of fork.
 */
#include "support/forker.h"
#include "support/group.h"

#include <errno.h>
#include <sched.h>
#include <soon/error.h>

#define N 10

static soon_group *group;
static struct item items[N];

static void setup(void)
{
	forker_setup();
	items_init(items, NULL, N);
	group = group_of(pool);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_group_free(group);
	forker_teardown();
}

/* It takes members, and sees to them. */
static const char *works(soon_group *g)
{
	items_init(items, NULL, N);
	for (int i = 0; i < N; i++)
		CLAIM(submit_item(g, &items[i]) == 0);
	CLAIM(soon_group_wait(g, SOON_FOREVER) == 0);
	CLAIM(soon_group_error(g) == 0);
	for (int i = 0; i < N; i++)
		CLAIM(atomic_load(&items[i].result_freed) == 1);
	return NULL;
}

static const char *has_stopped(int code)
{
	CLAIM(soon_group_wait(group, 0) == 0);
	CLAIM(soon_group_wait(group, SOON_FOREVER) == 0);
	CLAIM(soon_group_error(group) == code);
	CLAIM(strcmp(soon_group_message(group), "") != 0);
	CLAIM(soon_group_submit(group, return_arg, NULL) == ECANCELED);
	soon_group_cancel(group);
	CLAIM(soon_group_error(group) == code);
	soon_group_free(group);
	group = soon_group_new(pool);
	CLAIM(group != NULL);
	return works(group);
}

static const char *has_failed(void *code)
{
	const char *wrong = has_stopped((int)unbox(code));

	/* No destructor of the parent's has run. */
	CLAIM(shared->a == 0);
	return wrong;
}

/* One runs, the others are pending. */
START_TEST(members_that_had_not_ended_have_failed)
{
	soon_job job = SOON_JOB_INIT;

	job.fn = gate_job;
	job.arg = &gate;
	job.free_arg = count_a;
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	gate_await(&gate, 2);
	in_child(has_failed, box(SOON_EFORKED));
	gate_open(&gate);
	expect_end(group, 0, "");
	ck_assert_uint_eq(shared->a, N);
}
END_TEST

static const char *goes_on(void *unused)
{
	(void)unused;
	CLAIM(soon_group_wait(group, SOON_FOREVER) == 0);
	CLAIM(soon_group_error(group) == 0);
	CLAIM(works(group) == NULL);
	soon_group_cancel(group);
	CLAIM(soon_group_error(group) == ECANCELED);
	soon_group_free(group);
	return NULL;
}

START_TEST(a_group_of_which_nothing_is_left_goes_on)
{
	for (int round = 0; round < 3; round++) {
		join_items(group, items, round == 0 ? 0 : N);
		expect_end(group, 0, "");
		in_child(goes_on, NULL);
		items_init(items, NULL, N);
	}
}
END_TEST

static void *hold_and_fail(void *code)
{
	return code != NULL ? fail_job(code) : gate_job(&gate);
}

START_TEST(what_has_stopped_a_group_stays)
{
	int code = _i == 0 ? EIO : ECANCELED;

	join(group, hold_and_fail, NULL);
	gate_await(&gate, 1);
	if (_i == 0)
		join(group, hold_and_fail, box(EIO));
	else
		soon_group_cancel(group);
	while (soon_group_error(group) == 0)
		sched_yield();
	in_child(has_failed, box(code));
	gate_open(&gate);
	ck_assert_int_eq(soon_group_wait(group, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_group_error(group), code);
}
END_TEST

static const char *own_group_has_failed(void)
{
	return has_stopped(SOON_EFORKED);
}

/* A member, or the destructor of one that ran or was cancelled. */
START_TEST(a_member_may_fork_and_use_its_group)
{
	soon_job job = SOON_JOB_INIT;

	in_the_child = own_group_has_failed;
	if (_i == 2) {
		in_the_child = NULL;
		join(group, gate_job, &gate);
		join(group, gate_job, &gate);
		gate_await(&gate, 2);
	}
	job.fn = _i == 0 ? fork_job : return_arg;
	job.arg = box(1);
	job.free_arg = _i == 1 ? fork_destructor : NULL;
	if (_i == 2)
		job.free_arg = fork_destructor;
	ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	if (_i < 2) {
		expect_end(group, 0, "");
		child_ended_with_its_thread();
		return;
	}
	/* Here the main thread forks, and in the child comes back. */
	soon_group_cancel(group);
	if (atomic_load(&forked) == -1)
		child_end(has_stopped(ECANCELED));
	ck_assert(child_ended(atomic_load(&forked), ENDED_WELL));
	gate_open(&gate);
	expect_end(group, ECANCELED, soon_strerror(ECANCELED));
}
END_TEST

/* A destructor of a result, which the group calls. */
START_TEST(a_result_may_fork)
{
	soon_job job = SOON_JOB_INIT;

	in_the_child = own_group_has_failed;
	job.fn = return_arg;
	job.arg = box(1);
	job.free_result = fork_destructor;
	ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	expect_end(group, 0, "");
	child_ended_with_its_thread();
}
END_TEST

static const char *inline_has_failed(void)
{
	CLAIM(soon_group_wait(group, SOON_FOREVER) == 0);
	CLAIM(soon_group_error(group) == SOON_EFORKED);
	soon_group_free(group);
	return NULL;
}

static void *submit_forker(void *own)
{
	soon_group_free(group);
	group = soon_group_new(own);
	soon_group_submit(group, fork_job, box(1));
	return NULL;
}

/* The thread ends in the child, below the submit. */
START_TEST(a_member_that_its_submitter_runs_may_fork)
{
	soon_executor *own = inline_pool();
	struct actor actor;

	in_the_child = inline_has_failed;
	actor_start(&actor, submit_forker, own);
	actor_join(&actor);
	child_ended_with_its_thread();
	expect_end(group, 0, "");
	soon_group_free(group);
	soon_executor_free(own);
	group = group_of(pool);
}
END_TEST

static void *submit_result(void *own)
{
	soon_job job = SOON_JOB_INIT;

	soon_group_free(group);
	group = soon_group_new(own);
	job.fn = return_arg;
	job.arg = box(1);
	job.free_result = fork_destructor;
	return box(soon_group_submit_job(group, &job) == 0);
}

/* In the child the submit returns. */
START_TEST(a_result_that_its_submitter_destroys_may_fork)
{
	soon_executor *own = inline_pool();
	struct actor actor;

	in_the_child = inline_has_failed;
	actor_start(&actor, submit_result, own);
	ck_assert(unbox(actor_join(&actor)));
	child_ended_with_its_thread();
	expect_end(group, 0, "");
	soon_group_free(group);
	soon_executor_free(own);
	group = group_of(pool);
}
END_TEST

/* It runs its only member, which forks. */
static void *free_group(void *own)
{
	soon_group *g = soon_group_new(own);

	soon_group_submit(g, fork_job, box(1));
	soon_group_free(g);
	atomic_fetch_add(&shared->c, 1);
	return NULL;
}

START_TEST(a_member_that_is_run_at_the_end_of_its_group_may_fork)
{
	soon_executor *narrow = pool_of(1);
	soon_future *f;

	choose(_i);
	f = submit(narrow, free_group, narrow);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	child_ended_with_its_thread();
	ck_assert_uint_eq(shared->c, 1);
	soon_future_unref(f);
	soon_executor_free(narrow);
}
END_TEST

/* It runs the members of which one's result forks, and others are left. */
static void *wait_for_group(void *own)
{
	soon_group *g = soon_group_new(own);
	soon_job job = SOON_JOB_INIT;

	job.fn = return_arg;
	job.arg = box(1);
	job.free_result = fork_destructor;
	soon_group_submit(g, return_arg, NULL);
	soon_group_submit_job(g, &job);
	soon_group_submit(g, return_arg, NULL);
	fixture_expect(soon_group_wait(g, SOON_FOREVER) == 0);
	atomic_fetch_add(&shared->c, 1);
	soon_group_free(g);
	return NULL;
}

START_TEST(a_wait_in_which_a_result_forks_ends_in_the_child)
{
	soon_executor *narrow = pool_of(1);
	soon_future *f;

	choose(0);
	f = submit(narrow, wait_for_group, narrow);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	child_ended_with_its_thread();
	if (CHILDREN_LIVE && !CHILDREN_MAY_HANG)
		ck_assert_uint_eq(shared->c, 2);
	soon_future_unref(f);
	soon_executor_free(narrow);
}
END_TEST

static atomic_bool over;

static void *use_groups(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));

	while (!atomic_load(&over)) {
		soon_group *g = soon_group_new(pool);

		for (unsigned n = rng_below(&rng, 20); n > 0; n--)
			soon_group_submit(g,
					  rng_below(&rng, 20) == 0 ? fail_job
								   : return_arg,
					  box(EIO));
		if (rng_below(&rng, 4) == 0)
			soon_group_cancel(g);
		soon_group_free(g);
	}
	return NULL;
}

static const char *nothing_hangs(void *unused)
{
	int code = soon_group_error(group);

	(void)unused;
	CLAIM(soon_group_wait(group, SOON_FOREVER) == 0);
	CLAIM(code == 0 || code == SOON_EFORKED);
	if (code == 0)
		CLAIM(works(group) == NULL);
	soon_group_free(group);
	group = soon_group_new(pool);
	CLAIM(works(group) == NULL);
	soon_group_free(group);
	return NULL;
}

static void *use_one_group(void *unused)
{
	while (!atomic_load(&over))
		if (soon_group_submit(group, return_null, NULL) != 0 ||
		    soon_group_wait(group, 0) == EINVAL)
			return group;
	return unused;
}

/* Whatever other threads are doing at that moment. */
START_TEST(a_fork_finds_groups_in_any_state)
{
	struct actor actors[3];
	unsigned n = test_scale(60);

	atomic_store(&over, false);
	for (int i = 0; i < 2; i++)
		actor_start(&actors[i], use_groups, box(i));
	actor_start(&actors[2], use_one_group, NULL);
	while (n-- > 0)
		in_child(nothing_hangs, NULL);
	atomic_store(&over, true);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_null(actor_join(&actors[i]));
	expect_end(group, 0, "");
}
END_TEST

static Suite *fork_suite(void)
{
	Suite *s = suite_create("api_group_fork");
	TCase *tc = tcase_create("api_group_fork");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, a_result_that_its_submitter_destroys_may_fork);
	tcase_add_loop_test(
		tc, a_member_that_is_run_at_the_end_of_its_group_may_fork, 0,
		2);
	tcase_add_test(tc, members_that_had_not_ended_have_failed);
	tcase_add_test(tc, a_group_of_which_nothing_is_left_goes_on);
	tcase_add_loop_test(tc, what_has_stopped_a_group_stays, 0, 2);
	tcase_add_loop_test(tc, a_member_may_fork_and_use_its_group, 0, 3);
	tcase_add_test(tc, a_result_may_fork);
	tcase_add_test(tc, a_member_that_its_submitter_runs_may_fork);
	tcase_add_test(tc, a_wait_in_which_a_result_forks_ends_in_the_child);
	tcase_add_test(tc, a_fork_finds_groups_in_any_state);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(fork_suite());
}
