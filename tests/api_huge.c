/*
 * api_huge.c - as many futures at once as anybody has, the same one many times, and
 * more than there can be.
 */
#include "support/many.h"

#include <errno.h>
#include <stdlib.h>

static soon_future *f[1]; /* a promise */

static void setup(void)
{
	f[0] = must_promise();
}

static void teardown(void)
{
	soon_future_unref(f[0]);
}

/* No array is that long, so none is looked at or written to. */
START_TEST(more_futures_than_memory_could_hold_are_refused)
{
	size_t n = _i == 0 ? SIZE_MAX : SIZE_MAX / sizeof(f[0]) + 1;
	void *result = &result;
	int error = -1;
	size_t index, done;

	ck_assert_int_eq(soon_wait(f, n, SOON_FIRST_COMPLETED, 0, &done),
			 EINVAL);
	ck_assert_int_eq(soon_wait_all(f, n, 0), EINVAL);
	ck_assert_int_eq(soon_wait_any(f, n, 0, &index), EINVAL);
	ck_assert_int_eq(soon_gather(f, n, 0, &result, NULL), EINVAL);
	ck_assert_int_eq(soon_gather(f, n, 0, NULL, &error), EINVAL);
	ck_assert_ptr_eq(result, &result);
	ck_assert_int_eq(error, -1);
	errno = 0;
	ck_assert_ptr_null(soon_as_completed(f, n));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(soon_when_all(f, n));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(soon_when_any(f, n));
	ck_assert_ptr_null(soon_first_success(f, n));
}
END_TEST

static void refuse_jobs(size_t n)
{
	soon_executor *e = pool_of(1);
	const soon_job *job = SOON_JOB(.fn = return_null, .arg = &n);
	soon_future *future = f[0];
	void *result = &result;
	int error = -1;

	ck_assert_int_eq(soon_submit_many(e, job, NULL, n, NULL), ENOMEM);
	if (n > SIZE_MAX / sizeof(f[0])) {
		ck_assert_int_eq(soon_submit_many(e, job, NULL, n, &future),
				 ENOMEM);
		ck_assert_int_eq(soon_map(e, job, NULL, n, SOON_FOREVER,
					  &result, &error),
				 ENOMEM);
	}
	ck_assert_int_eq(soon_map(e, job, NULL, n, SOON_FOREVER, NULL, NULL),
			 ENOMEM);
	ck_assert_ptr_eq(future, f[0]);
	ck_assert_ptr_eq(result, &result);
	ck_assert_int_eq(error, -1);
	soon_executor_free(e);
}

START_TEST(more_jobs_than_memory_could_hold_are_refused)
{
	refuse_jobs(SIZE_MAX);
	refuse_jobs(SIZE_MAX / sizeof(f[0]) + 1);
	/* Sanitizers end a program that asks for so much. */
	if (!TEST_SANITIZED)
		refuse_jobs(SIZE_MAX / sizeof(f[0]) / 2);
}
END_TEST

static int draw_null(void *unused, void **arg)
{
	(void)unused;
	*arg = NULL;
	return 0;
}

START_TEST(a_window_larger_than_memory_is_refused)
{
	static const size_t windows[] = { SIZE_MAX, SIZE_MAX / 8,
					  SIZE_MAX / 32 };
	soon_executor *e = pool_of(1);

	for (size_t i = 0; i < COUNT_OF(windows) - TEST_SANITIZED; i++) {
		errno = 0;
		ck_assert_ptr_null(soon_imap_new(e, SOON_JOB(.fn = return_null),
						 draw_null, NULL, windows[i]));
		ck_assert_int_eq(errno, ENOMEM);
	}
	soon_executor_free(e);
}
END_TEST

static void *complete(void *promise)
{
	return box(soon_future_set_result(promise, &f));
}

/* The same in each place, before it is done and while it gets done. */
static void wait_for_one(size_t n)
{
	soon_future **all = malloc(n * sizeof(*all));
	struct waiting waiting[MODES];
	soon_completions *set;
	soon_future *next, *both;
	struct actor actor;

	ck_assert_ptr_nonnull(all);
	for (size_t i = 0; i < n; i++)
		all[i] = f[0];
	ck_assert_int_eq(soon_gather(all, n, 1, NULL, NULL), ETIMEDOUT);
	set = soon_as_completed(all, n);
	ck_assert_ptr_nonnull(set);
	ck_assert_uint_eq(soon_completions_left(set), 1);
	both = soon_when_all(all, n);
	ck_assert_ptr_nonnull(both);
	for (unsigned i = 0; i < MODES; i++)
		waiting_start(&waiting[i], all, n, (enum soon_when)i,
			      SOON_FOREVER);
	actor_start(&actor, complete, f[0]);
	for (unsigned i = 0; i < MODES; i++) {
		ck_assert_int_eq(waiting_join(&waiting[i]), 0);
		ck_assert_uint_eq(waiting[i].done, 1);
	}
	ck_assert_int_eq(unbox(actor_join(&actor)), 0);
	ck_assert_int_eq(soon_completions_next(set, SOON_FOREVER, &next), 0);
	ck_assert_ptr_eq(next, f[0]);
	ck_assert_int_eq(soon_completions_next(set, SOON_FOREVER, &next),
			 ENODATA);
	soon_completions_free(set);
	ck_assert_int_eq(soon_future_result(both, SOON_FOREVER, NULL), 0);
	soon_future_unref(both);
	free(all);
}

START_TEST(a_future_may_be_given_a_thousand_times)
{
	wait_for_one(1000);
}
END_TEST

START_TEST(a_future_may_be_given_a_million_times)
{
	wait_for_one(test_scale(1000000));
}
END_TEST

struct many {
	soon_future **futures;
	size_t n;
};

static void *complete_all(void *many)
{
	struct many *m = many;

	for (size_t i = 0; i < m->n; i++)
		if (soon_future_set_result(m->futures[i], &m->futures[i]) != 0)
			return box(1);
	return box(0);
}

/* By the same array: its outcomes in order, and as they came. */
static void expect_all(const struct many *m, soon_completions *set)
{
	void **results = malloc(m->n * sizeof(*results));
	soon_future *next;

	ck_assert_ptr_nonnull(results);
	ck_assert_int_eq(soon_gather(m->futures, m->n, 0, results, NULL), 0);
	for (size_t i = 0; i < m->n; i++) {
		if (results[i] != &m->futures[i])
			ck_abort_msg("result %zu", i);
		if (soon_completions_next(set, 0, &next) != 0)
			ck_abort_msg("completion %zu", i);
	}
	ck_assert_int_eq(soon_completions_next(set, 0, &next), ENODATA);
	free(results);
}

START_TEST(a_million_futures_are_waited_for_at_once)
{
	struct many m = { .n = test_scale(1000000) };
	soon_completions *set;
	struct actor actor;
	size_t done = 1;

	m.futures = malloc(m.n * sizeof(soon_future *));
	ck_assert_ptr_nonnull(m.futures);
	must_promise_n(m.futures, m.n);
	for (int when = 0; when < MODES; when++) {
		ck_assert_int_eq(soon_wait(m.futures, m.n, (enum soon_when)when,
					   1, &done),
				 ETIMEDOUT);
		ck_assert_uint_eq(done, 0);
	}
	set = soon_as_completed(m.futures, m.n);
	ck_assert_ptr_nonnull(set);
	actor_start(&actor, complete_all, &m);
	ck_assert_int_eq(soon_wait(m.futures, m.n, (enum soon_when)_i,
				   SOON_FOREVER, &done),
			 0);
	if (_i == SOON_FIRST_COMPLETED)
		ck_assert_uint_ge(done, 1);
	else
		ck_assert_uint_eq(done, m.n);
	ck_assert_int_eq(unbox(actor_join(&actor)), 0);
	expect_all(&m, set);
	soon_completions_free(set);
	unref_n(m.futures, m.n);
	free(m.futures);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("huge");
	TCase *t = tcase_create("huge");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, more_futures_than_memory_could_hold_are_refused,
			    0, 2);
	tcase_add_test(t, more_jobs_than_memory_could_hold_are_refused);
	tcase_add_test(t, a_window_larger_than_memory_is_refused);
	tcase_add_test(t, a_future_may_be_given_a_thousand_times);
	tcase_add_test(t, a_future_may_be_given_a_million_times);
	tcase_add_loop_test(t, a_million_futures_are_waited_for_at_once, 0,
			    MODES);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
