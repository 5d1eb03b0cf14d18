/*
 * api_fork.c - what a child of fork finds of the parent's pools and futures.
 */
#include "support/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static soon_executor *pool;
static struct gate gate;
static struct shared *shared;

/* A pool of two whose workers stand at the gate, and so run. */
static soon_future *running[2];

static void setup(void)
{
	shared = shared_new();
	gate_init(&gate);
	pool = pool_of(2);
	for (size_t i = 0; i < COUNT_OF(running); i++)
		running[i] = submit(pool, gate_job, &gate);
	gate_await(&gate, 2);
}

static void teardown(void)
{
	gate_open(&gate);
	for (size_t i = 0; i < COUNT_OF(running); i++) {
		void *result;

		/* Whatever a child did, the parent's jobs end as they should.*/
		ck_assert_int_eq(soon_future_result(running[i], SOON_FOREVER,
						    &result),
				 0);
		ck_assert_ptr_eq(result, &gate);
	}
	unref_n(running, COUNT_OF(running));
	soon_executor_free(pool);
	gate_fini(&gate);
	shared_free(shared);
}

static void count_a(void *unused)
{
	(void)unused;
	atomic_fetch_add(&shared->a, 1);
}

static void count_b(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	atomic_fetch_add(&shared->b, 1);
}

static void *count_c(void *arg)
{
	atomic_fetch_add(&shared->c, 1);
	return arg;
}

static const char *both_work(void *unused)
{
	const char *wrong = pool_works(pool);

	(void)unused;
	return wrong != NULL ? wrong : pool_works(NULL);
}

START_TEST(pools_begin_empty_and_work_in_the_child)
{
	/* The queue is not empty, and the default pool has a thread. */
	soon_future *f = submit(pool, return_arg, box(1));

	ck_assert_ptr_null(pool_works(NULL));
	in_child(both_work, NULL);
	ck_assert_int_eq(soon_future_done(f), false);
	ck_assert_ptr_null(pool_works(NULL));
	soon_future_unref(f);
}
END_TEST

/* Whether f failed as the parent's. */
static const char *is_forked(soon_future *f)
{
	void *result = box(1);

	CLAIM(soon_future_done(f));
	CLAIM(soon_future_state(f) == SOON_FAILED);
	CLAIM(soon_future_error(f) == SOON_EFORKED);
	CLAIM(soon_future_wait(f, SOON_FOREVER) == 0);
	CLAIM(soon_future_wait(f, SOON_SEC) == 0);
	CLAIM(soon_future_wait(f, 0) == 0);
	CLAIM(soon_future_result(f, SOON_FOREVER, &result) == SOON_EFORKED);
	CLAIM(result == NULL);
	CLAIM(soon_future_take(f) == NULL);
	CLAIM(soon_future_cancel(f) == EALREADY);
	CLAIM(strcmp(soon_future_message(f), soon_strerror(SOON_EFORKED)) == 0);
	CLAIM(strcmp(soon_error_name(SOON_EFORKED), "SOON_EFORKED") == 0);
	return NULL;
}

static const char *are_forked(void *futures)
{
	soon_future **f = futures;
	const char *wrong = NULL;

	for (; *f != NULL && wrong == NULL; f++) {
		wrong = is_forked(*f);
		soon_future_unref(*f);
	}
	return wrong;
}

static struct item item;

static const char *drop_last(void *f)
{
	CLAIM(atomic_load(&item.result_freed) == 0);
	soon_future_unref(f);
	CLAIM(atomic_load(&item.result_freed) == 1);
	return NULL;
}

/* Who waited ran it, and what is left of it in the queue holds nothing there. */
START_TEST(what_was_done_while_it_was_queued_can_be_freed_in_the_child)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *helped;
	void *arg;
	soon_future *f;

	o.workers = 1;
	o.max_workers = 1;
	o.flags = SOON_HELP;
	helped = soon_executor_open(&o);
	ck_assert_ptr_nonnull(helped);
	items_init(&item, &arg, 1);
	pool_hold(helped, &gate, 1);
	f = soon_submit_job(helped,
			    SOON_JOB(.fn = item_job.fn, .arg = arg,
				     .free_result = item_job.free_result));
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	in_child(drop_last, f);
	soon_future_unref(f);
	gate_open(&gate);
	soon_executor_free(helped);
	items_expect(&item, 1, 1, 0, 1);
}
END_TEST

START_TEST(what_was_pending_or_running_has_failed_in_the_child)
{
	soon_future *f[4] = { running[0], running[1],
			      submit(pool, return_arg, NULL), NULL };

	in_child(are_forked, f);
	ck_assert_int_eq(soon_future_state(f[2]), SOON_PENDING);
	ck_assert_int_eq(soon_future_state(f[0]), SOON_RUNNING);
	soon_future_unref(f[2]);
}
END_TEST

static const char *all_waits_return(void *futures)
{
	soon_future **f = futures;
	size_t index = 9;
	size_t done = 9;
	void *results[3];
	int errors[3];

	CLAIM(soon_wait_all(f, 3, SOON_FOREVER) == 0);
	CLAIM(soon_wait_any(f, 3, SOON_FOREVER, &index) == 0 && index == 0);
	CLAIM(soon_wait(f, 3, SOON_FIRST_ERROR, SOON_FOREVER, &done) == 0);
	CLAIM(done == 3);
	CLAIM(soon_gather(f, 3, SOON_FOREVER, results, NULL) == SOON_EFORKED);
	CLAIM(soon_gather(f, 3, SOON_FOREVER, results, errors) == 0);
	CLAIM(errors[0] == SOON_EFORKED && errors[2] == SOON_EFORKED);
	return NULL;
}

START_TEST(all_kinds_of_waits_return_in_the_child)
{
	soon_future *f[3] = { running[0], submit(pool, return_arg, NULL),
			      running[1] };

	in_child(all_waits_return, f);
	soon_future_unref(f[1]);
}
END_TEST

static const char *is_seven(void *f)
{
	void *result;

	CLAIM(soon_future_result(f, 0, &result) == 0);
	CLAIM(result == box(7));
	CLAIM(soon_future_take(f) == box(7));
	return NULL;
}

START_TEST(what_was_done_keeps_its_result)
{
	soon_future *f = submit(NULL, return_arg, box(7));

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	in_child(is_seven, f);
	ck_assert_ptr_null(is_seven(f));
	soon_future_unref(f);
}
END_TEST

static const char *nothing_is_called(void *f)
{
	soon_future **futures = f;

	CLAIM(soon_future_wait(futures[0], SOON_FOREVER) == 0);
	CLAIM(soon_future_wait(futures[1], SOON_FOREVER) == 0);
	soon_future_unref(futures[0]);
	soon_future_unref(futures[1]);
	CLAIM(pool_works(pool) == NULL);
	soon_executor_free(pool);
	CLAIM(shared->a == 0 && shared->b == 0 && shared->c == 0);
	return NULL;
}

START_TEST(jobs_callbacks_and_destructors_run_in_the_parent_only)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f[2] = { NULL, running[0] };

	job.fn = count_c;
	job.arg = box(1);
	job.free_arg = count_a;
	job.free_result = count_a;
	f[0] = submit_job(pool, &job);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(soon_future_on_done(f[i], count_b, NULL), 0);
	in_child(nothing_is_called, f);
	gate_open(&gate);
	ck_assert_int_eq(soon_wait_all(f, 2, SOON_FOREVER), 0);
	soon_future_unref(f[0]);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(shared->a, 2);
	ck_assert_uint_eq(shared->b, 2);
	ck_assert_uint_eq(shared->c, 1);
}
END_TEST

static const char *keep_promise(void *f)
{
	CLAIM(!soon_future_done(f));
	CLAIM(soon_future_wait(f, 0) == ETIMEDOUT);
	CLAIM(soon_future_set_running(f) == 0);
	CLAIM(soon_future_set_result(f, box(7)) == 0);
	CLAIM(shared->b == 1);
	return is_seven(f);
}

START_TEST(promises_are_left_as_they_are)
{
	soon_future *f = must_promise();

	ck_assert_int_eq(soon_future_on_done(f, count_b, NULL), 0);
	in_child(keep_promise, f);
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_int_eq(soon_future_set_result(f, NULL), 0);
	ck_assert_uint_eq(shared->b, 1 + CHILDREN_LIVE);
	soon_future_unref(f);
}
END_TEST

struct promised {
	soon_completions *set;
	soon_future *promise;
};

static const char *set_goes_on(void *arg)
{
	struct promised *p = arg;
	soon_future *f;
	soon_future *new;

	for (int i = 0; i < 2; i++) {
		CLAIM(soon_completions_next(p->set, SOON_FOREVER, &f) == 0);
		CLAIM(f == running[0] || f == running[1]);
		CLAIM(soon_future_error(f) == SOON_EFORKED);
	}
	CLAIM(soon_completions_left(p->set) == 1);
	CLAIM(soon_completions_next(p->set, 0, &f) == ETIMEDOUT);
	new = soon_submit(pool, return_arg, NULL);
	CLAIM(soon_completions_add(p->set, new) == 0);
	CLAIM(soon_completions_next(p->set, SOON_FOREVER, &f) == 0 && f == new);
	CLAIM(soon_future_set_result(p->promise, NULL) == 0);
	CLAIM(soon_completions_next(p->set, SOON_FOREVER, &f) == 0);
	CLAIM(f == p->promise);
	CLAIM(soon_completions_next(p->set, SOON_FOREVER, &f) == ENODATA);
	soon_completions_free(p->set);
	return NULL;
}

START_TEST(a_set_returns_what_the_fork_has_failed_and_goes_on)
{
	struct promised p = { NULL, must_promise() };
	soon_future *f[3] = { running[0], p.promise, running[1] };

	p.set = soon_as_completed(f, 3);
	ck_assert_ptr_nonnull(p.set);
	in_child(set_goes_on, &p);
	ck_assert_uint_eq(soon_completions_left(p.set), 3);
	ck_assert_int_eq(soon_completions_next(p.set, 0, &f[0]), ETIMEDOUT);
	soon_completions_free(p.set);
	soon_future_unref(p.promise);
}
END_TEST

static void *sleep_in_next(void *set)
{
	soon_future *f;

	return box(soon_completions_next(set, SOON_FOREVER, &f));
}

START_TEST(a_set_in_which_another_thread_sleeps_goes_on_as_well)
{
	struct promised p = { NULL, must_promise() };
	soon_future *f[3] = { running[0], p.promise, running[1] };
	struct actor actor;

	p.set = soon_as_completed(f, 3);
	ck_assert_ptr_nonnull(p.set);
	actor_start(&actor, sleep_in_next, p.set);
	actor_await_asleep(&actor);
	in_child(set_goes_on, &p);
	ck_assert_int_eq(soon_future_set_result(p.promise, NULL), 0);
	ck_assert_int_eq(unbox(actor_join(&actor)), 0);
	soon_completions_free(p.set);
	soon_future_unref(p.promise);
}
END_TEST

static const char *fork_again(void *f)
{
	struct gate inner;
	soon_future *mine;
	const char *wrong;
	pid_t pid;

	gate_init(&inner);
	mine = soon_submit(pool, gate_job, &inner);
	CLAIM(mine != NULL);
	gate_await(&inner, 1);
	pid = fork_child();
	if (pid == 0) {
		wrong = is_forked(f);
		if (wrong == NULL)
			wrong = is_forked(mine);
		child_end(wrong != NULL ? wrong : both_work(NULL));
	}
	CLAIM(child_ended(pid, ENDED_WELL));
	CLAIM(!soon_future_done(mine));
	gate_open(&inner);
	CLAIM(soon_future_result(mine, SOON_FOREVER, NULL) == 0);
	return both_work(NULL);
}

START_TEST(a_child_can_fork_again)
{
	in_child(fork_again, running[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork");
	TCase *tc = tcase_create("fork");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, pools_begin_empty_and_work_in_the_child);
	tcase_add_test(tc, what_was_pending_or_running_has_failed_in_the_child);
	tcase_add_test(tc, all_kinds_of_waits_return_in_the_child);
	tcase_add_test(tc, what_was_done_keeps_its_result);
	tcase_add_test(
		tc,
		what_was_done_while_it_was_queued_can_be_freed_in_the_child);
	tcase_add_test(tc,
		       jobs_callbacks_and_destructors_run_in_the_parent_only);
	tcase_add_test(tc, promises_are_left_as_they_are);
	tcase_add_test(tc, a_set_returns_what_the_fork_has_failed_and_goes_on);
	tcase_add_test(tc,
		       a_set_in_which_another_thread_sleeps_goes_on_as_well);
	tcase_add_test(tc, a_child_can_fork_again);
	suite_add_tcase(suite, tc);
	return test_run(suite);
}
