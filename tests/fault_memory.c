/*
 * fault_memory.c - calls when there is nothing left, and first uses in a process.
 */
#include "support/fault.h"
#include "support/many.h"

#include <errno.h>
#include <stdio.h>

enum { MOST = 1 << 16, N = 5 };

static soon_future *hoard[MOST];

/* Take all the library has in store; how many. */
static size_t take_all(void)
{
	size_t n = 0;

	while (n < MOST && (hoard[n] = soon_future_new(NULL)) != NULL)
		n++;
	return n;
}

static struct item items[N];
static void *args[N];

static void expect_refusals(soon_executor *e, soon_future *f[N])
{
	void *results[N];
	int errors[N];

	ck_assert_ptr_null(soon_future_new(NULL));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(soon_submit(e, item_job.fn, args[0]));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(soon_submit_job(e, &item_job));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(soon_execute(e, item_job.fn, args[0]), ENOMEM);
	ck_assert_int_eq(soon_submit_many(e, &item_job, args, N, NULL), ENOMEM);
	ck_assert_int_eq(soon_submit_many(e, &item_job, args, N, f), ENOMEM);
	ck_assert_int_eq(soon_map(e, &item_job, args, N, SOON_FOREVER, results,
				  errors),
			 ENOMEM);
	for (size_t i = 0; i < N; i++) {
		ck_assert_ptr_null(f[i]);
		ck_assert_ptr_null(results[i]);
	}
}

/* The last block is another's: of several jobs one could be had, but not all. */
START_TEST(without_memory_every_call_refuses_the_whole)
{
	soon_executor *e = _i == 0 ? pool_of(1) : inline_pool();
	soon_future *f[N], *destroyed;
	size_t n;

	items_init(items, args, N);
	soon_future_unref(must_promise()); /* so that there is a store */
	fault_arm(FAULT_MEMORY, 1, true);
	n = take_all();
	ck_assert_uint_lt(n, MOST);
	expect_refusals(e, f);
	for (int i = 0; i < 2 && n > 0; i++) {
		soon_future_unref(hoard[--n]);
		ck_assert_int_eq(soon_submit_many(e, &item_job, args, N, f),
				 ENOMEM);
		destroyed = soon_future_new(item_job.free_result);
		ck_assert(destroyed != NULL || errno == ENOMEM);
		soon_future_unref(destroyed);
	}
	fault_disarm();
	items_expect(items, N, 0, 0, 0);
	unref_n(hoard, n);
	ck_assert_int_eq(soon_submit_many(e, &item_job, args, N, NULL), 0);
	soon_executor_free(e);
	items_expect(items, N, 1, 1, 1);
}
END_TEST

static void *return_ctx(soon_future *done, void *ctx)
{
	(void)done;
	return ctx;
}

/* The index is the call that fails: for the block of its own, then for what is to
 * be a future, of which the store is empty. */
START_TEST(without_memory_nothing_is_composed_and_no_group_grows)
{
	soon_executor *e = pool_of(1);
	soon_group *g = soon_group_new(e);
	soon_future *in = must_promise();
	size_t n;

	fault_arm(FAULT_MEMORY, 1, true);
	n = take_all();
	ck_assert_int_eq(soon_group_submit(g, return_null, NULL), ENOMEM);
	fault_arm(FAULT_MEMORY, _i, true);
	ck_assert_ptr_null(soon_when_all(&in, 1));
	ck_assert_int_eq(errno, ENOMEM);
	fault_arm(FAULT_MEMORY, _i, true);
	ck_assert_ptr_null(soon_then(in, e, return_ctx, NULL));
	ck_assert_int_eq(errno, ENOMEM);
	fault_disarm();
	unref_n(hoard, n);
	ck_assert_int_eq(soon_group_wait(g, 0), 0);
	ck_assert_int_eq(soon_group_error(g), 0);
	ck_assert_int_eq(soon_future_set_result(in, NULL), 0);
	soon_future_unref(in);
	soon_group_free(g);
	soon_executor_free(e);
}
END_TEST

/* None of these was used before in this process. */
START_TEST(without_memory_there_is_no_default_executor_for_any_call)
{
	soon_stats s = SOON_STATS_INIT;
	soon_future *f[N];

	items_init(items, args, N);
	fault_arm(FAULT_MEMORY, 1, true);
	ck_assert_ptr_null(soon_default_executor());
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(soon_executor_stats(NULL, &s), ENOMEM);
	ck_assert_int_eq(soon_executor_dump(NULL, stderr), ENOMEM);
	expect_refusals(NULL, f);
	fault_disarm();
	ck_assert_int_eq(soon_executor_stats(NULL, &s), 0);
	items_expect(items, N, 0, 0, 0);
}
END_TEST

/* As the program is loaded, before the library's own. */
__attribute__((constructor(101))) static void refuse_at_first(void)
{
	fault_arm(FAULT_SYSTEM, 1, true);
}

static unsigned refused_at_first;

/* Those of fork, without which no pool may be made. */
START_TEST(handlers_that_were_refused_at_first_are_tried_again)
{
	soon_executor *e;

	ck_assert_uint_ge(refused_at_first, 1);
	fault_arm(FAULT_SYSTEM, 1, true);
	for (int i = 0; i < 2; i++) {
		ck_assert_ptr_null(soon_executor_new(1));
		ck_assert_int_eq(errno, ENOMEM);
	}
	fault_disarm();
	e = soon_executor_new(1);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(soon_execute(e, return_null, NULL), 0);
	soon_executor_free(e);
}
END_TEST

/* The index is the call that fails, in a process that has used nothing yet. */
START_TEST(the_first_executor_can_be_had_later)
{
	enum fault kind = (enum fault)(_i % FAULTS);
	soon_executor *e;
	soon_future *f;

	fault_arm(kind, _i / FAULTS + 1, false);
	e = soon_executor_new(1);
	ck_assert(e != NULL || fault_explains(errno));
	fault_disarm();
	if (e == NULL)
		e = soon_executor_new(1);
	f = submit(e, return_null, NULL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	soon_executor_free(e);
}
END_TEST

/* Whose array of futures would be larger than any memory. */
START_TEST(more_jobs_than_can_be_counted_are_refused)
{
	soon_executor *e = pool_of(1);

	ck_assert_int_eq(soon_submit_many(e, SOON_JOB(.fn = return_null), NULL,
					  SIZE_MAX, NULL),
			 ENOMEM);
	ck_assert_int_eq(soon_submit_many(e, SOON_JOB(.fn = return_null), NULL,
					  SIZE_MAX / sizeof(void *) + 1, NULL),
			 ENOMEM);
	soon_executor_free(e);
}
END_TEST

static Suite *memory_suite(void)
{
	Suite *s = suite_create("fault_memory");
	TCase *tc = tcase_create("fault_memory");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, without_memory_every_call_refuses_the_whole, 0,
			    2);
	tcase_add_loop_test(
		tc, without_memory_nothing_is_composed_and_no_group_grows, 1,
		3);
	tcase_add_test(
		tc, without_memory_there_is_no_default_executor_for_any_call);
	tcase_add_test(tc, handlers_that_were_refused_at_first_are_tried_again);
	tcase_add_loop_test(tc, the_first_executor_can_be_had_later, 0,
			    FAULTS * 15);
	tcase_add_test(tc, more_jobs_than_can_be_counted_are_refused);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	refused_at_first = fault_disarm();
	return fault_run(memory_suite());
}
