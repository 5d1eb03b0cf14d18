/*
 * api_map.c - soon_map(): one job for every argument, outcomes in order, and
 * who owns what afterwards.
 */
#include "support/many.h"

#include <errno.h>

#define MOST 1000

static struct item items[MOST];
static void *args[MOST], *results[MOST];
static int errors[MOST];
static int junk;
static soon_executor *pool;
static struct gate gate;

static void setup(void)
{
	gate_init(&gate);
	pool = pool_of(2);
	items_init(items, args, MOST);
	for (int i = 0; i < MOST; i++) {
		results[i] = &junk;
		errors[i] = -7;
	}
}

/* End the pool: after this nothing runs and nothing is freed any more. */
static void finish(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

static void teardown(void)
{
	finish();
	gate_fini(&gate);
}

static void expect_results(int n, const void *value)
{
	for (int i = 0; i < n; i++)
		ck_assert_ptr_eq(results[i], value);
	ck_assert(n == MOST || results[n] == &junk);
}

START_TEST(results_come_in_order_and_are_the_callers)
{
	static const int sizes[] = { 1, 2, 3, 63, 64, 65, 127, MOST };
	int n = sizes[_i];

	ck_assert_int_eq(soon_map(pool, &item_job, args, (size_t)n,
				  SOON_FOREVER, results, NULL),
			 0);
	for (int i = 0; i < n; i++)
		ck_assert_ptr_eq(results[i], &items[i]);
	finish();
	items_expect(items, (size_t)n, 1, 1, 0);
	items_expect(items + n, (size_t)(MOST - n), 0, 0, 0);
	ck_assert(n == MOST || results[n] == &junk);
}
END_TEST

START_TEST(nothing_is_mapped_at_once)
{
	ck_assert_int_eq(soon_map(pool, &item_job, NULL, 0, SOON_FOREVER, NULL,
				  NULL),
			 0);
	ck_assert_int_eq(soon_map(pool, &item_job, args, 0, 0, results, errors),
			 0);
	ck_assert_ptr_eq(results[0], &junk);
	ck_assert_int_eq(errors[0], -7);
}
END_TEST

START_TEST(results_that_are_not_stored_are_freed)
{
	ck_assert_int_eq(soon_map(pool, &item_job, args, 100, SOON_FOREVER,
				  NULL, _i == 0 ? NULL : errors),
			 0);
	finish();
	items_expect(items, 100, 1, 1, 1);
	ck_assert_int_eq(errors[99], _i == 0 ? -7 : 0);
}
END_TEST

START_TEST(without_args_every_job_gets_the_jobs_own)
{
	soon_job same = item_job;

	same.arg = &items[3];
	ck_assert_int_eq(soon_map(pool, &same, NULL, 10, SOON_FOREVER, results,
				  NULL),
			 0);
	expect_results(10, &items[3]);
	finish();
	items_expect(items, 3, 0, 0, 0);
	items_expect(items + 3, 1, 10, 10, 0);
}
END_TEST

START_TEST(no_pool_means_the_default_one)
{
	ck_assert_int_eq(soon_map(NULL, &item_job, args, 50, SOON_FOREVER,
				  results, NULL),
			 0);
	for (int i = 0; i < 50; i++)
		ck_assert_ptr_eq(results[i], &items[i]);
	items_expect(items, 50, 1, 1, 0);
}
END_TEST

START_TEST(a_pool_without_threads_maps_too)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *none;

	o.flags = SOON_INLINE;
	none = soon_executor_open(&o);
	ck_assert_ptr_nonnull(none);
	ck_assert_int_eq(soon_map(none, &item_job, args, 5, 0, results, errors),
			 0);
	items_expect(items, 5, 1, 1, 0);
	items[4].fails = EIO;
	ck_assert_int_eq(soon_map(none, &item_job, args, 5, 0, results, NULL),
			 EIO);
	expect_results(5, NULL);
	soon_executor_free(none);
	items_expect(items, 4, 2, 2, 1);
	items_expect(items + 4, 1, 2, 2, 0);
}
END_TEST

/* With errors a failure is an answer like any other. */
START_TEST(errors_collects_every_outcome)
{
	for (int i = 0; i < 100; i += 3)
		items[i].fails = i % 2 == 0 ? EIO : ETIMEDOUT;
	ck_assert_int_eq(soon_map(pool, &item_job, args, 100, SOON_FOREVER,
				  results, errors),
			 0);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(errors[i], items[i].fails);
		ck_assert_ptr_eq(results[i], i % 3 == 0 ? NULL : &items[i]);
	}
	finish();
	items_expect(items, 100, 1, 1, 0);
}
END_TEST

/*
 * Item 0 stands at the gate until the end; however the jobs are batched, the
 * failure must get past it, and item 0 must not write when nobody looks.
 */
START_TEST(a_failure_is_told_at_once_although_a_neighbour_is_stuck)
{
	static const int failing[] = { 1, 2, 63, MOST - 1 };
	int bad = failing[_i];

	items[0].gate = &gate;
	items[bad].fails = EIO;
	items[bad].await = &gate;
	ck_assert_int_eq(soon_map(pool, &item_job, args, MOST, SOON_FOREVER,
				  results, NULL),
			 EIO);
	expect_results(MOST, NULL);
	items_expect(items, 1, 1, 0, 0);
	for (int i = 0; i < MOST; i++)
		results[i] = &junk;
	finish();
	expect_results(MOST, &junk);
	items_expect(items, 1, 1, 1, 1);
	for (int i = 1; i < MOST; i++) {
		unsigned ran = atomic_load(&items[i].ran);

		ck_assert_uint_le(ran, 1);
		items_expect(&items[i], 1, ran, 1, i == bad ? 0 : ran);
	}
}
END_TEST

/* The only worker fails the first and at most starts one more. */
START_TEST(after_a_failure_what_has_not_started_never_does)
{
	soon_executor *one = pool_of(1);
	unsigned ran = 0, freed = 0;

	for (int i = 1; i < MOST; i++)
		items[i].gate = &gate;
	items[0].fails = ENOENT;
	ck_assert_int_eq(soon_map(one, &item_job, args, MOST, SOON_FOREVER,
				  results, NULL),
			 ENOENT);
	expect_results(MOST, NULL);
	for (int i = 1; i < MOST; i++)
		freed += atomic_load(&items[i].arg_freed);
	ck_assert_uint_ge(freed, MOST - 2);
	gate_open(&gate);
	soon_executor_free(one);
	items_expect(items, 1, 1, 1, 0);
	for (int i = 1; i < MOST; i++) {
		unsigned now = atomic_load(&items[i].ran);

		items_expect(&items[i], 1, now, 1, now);
		ran += now;
	}
	ck_assert_uint_le(ran, 1);
}
END_TEST

START_TEST(a_timeout_cancels_what_has_not_started)
{
	static const soon_nsec limits[] = { 0, INT64_MIN, 20 * SOON_MSEC };
	soon_nsec start = clock_now();

	pool_hold(pool, &gate, 2);
	ck_assert_int_eq(soon_map(pool, &item_job, args, 100, limits[_i],
				  results, errors),
			 ETIMEDOUT);
	ck_assert_int_ge(clock_now() - start, limits[_i]);
	expect_results(100, NULL);
	items_expect(items, 100, 0, 1, 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(errors[i], EBUSY);
	ck_assert_int_eq(soon_map(pool, &item_job, args, 100, limits[_i],
				  results, NULL),
			 ETIMEDOUT);
	finish();
	items_expect(items, 100, 0, 2, 0);
}
END_TEST

/* What runs or ran at the timeout: its result goes to free_result. */
START_TEST(a_timeout_abandons_what_runs)
{
	items[5].gate = items[6].gate = &gate;
	ck_assert_int_eq(soon_map(pool, &item_job, args, 20, 50 * SOON_MSEC,
				  results, errors),
			 ETIMEDOUT);
	expect_results(20, NULL);
	for (int i = 0; i < 20; i++)
		ck_assert(errors[i] == 0 || errors[i] == EBUSY);
	ck_assert_int_eq(errors[5], EBUSY);
	finish();
	for (int i = 0; i < 20; i++) {
		unsigned ran = atomic_load(&items[i].ran);

		ck_assert(ran == 1 || (ran == 0 && errors[i] == EBUSY));
		items_expect(&items[i], 1, ran, 1, ran);
	}
}
END_TEST

/* Nothing runs, and what was passed in stays the caller's. */
static void expect_refusal(const soon_job *bad, int *errs, int code)
{
	for (int i = 0; i < 10; i++) {
		results[i] = &junk;
		errors[i] = -1;
	}
	ck_assert_int_eq(soon_map(pool, bad, args, 10, SOON_FOREVER, results,
				  errs),
			 code);
	expect_results(10, NULL);
	for (int i = 0; i < 10 && errs != NULL; i++)
		ck_assert_int_eq(errs[i], 0);
}

START_TEST(a_refused_map_did_nothing)
{
	int *errs = _i == 0 ? NULL : errors;
	soon_job bad = item_job;

	expect_refusal(NULL, errs, EINVAL);
	bad.fn = NULL;
	expect_refusal(&bad, errs, EINVAL);
	bad = item_job;
	bad.size = 0;
	expect_refusal(&bad, errs, EINVAL);
	bad = item_job;
	bad.delay = -1;
	expect_refusal(&bad, errs, EINVAL);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	expect_refusal(&item_job, errs, ESHUTDOWN);
	finish();
	items_expect(items, 10, 0, 0, 0);
}
END_TEST

static void *mapper(void *errs)
{
	return box(soon_map(pool, &item_job, args, 10, SOON_FOREVER, results,
			    errs));
}

START_TEST(a_shutdown_that_cancels_wakes_the_mapper)
{
	struct actor a;
	unsigned accepted = 1;

	pool_hold(pool, &gate, 2);
	actor_start(&a, mapper, _i == 0 ? NULL : errors);
	actor_await_asleep(&a);
	ck_assert_int_eq(soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0),
			 EINPROGRESS);
	switch (unbox(actor_join(&a))) {
	case 0:
		ck_assert_int_eq(_i, 1);
		for (int i = 0; i < 10; i++)
			ck_assert_int_eq(errors[i], ECANCELED);
		break;
	case ECANCELED:
		ck_assert_int_eq(_i, 0);
		break;
	case ESHUTDOWN: /* it was closed before the mapper came */
		accepted = 0;
		break;
	default:
		ck_abort_msg("neither cancelled nor refused");
	}
	items_expect(items, 10, 0, accepted, 0);
	expect_results(10, NULL);
}
END_TEST

static soon_executor *one;

static void *sum_of_parts(void *n)
{
	long all = unbox(n);
	void *parts[4], *sums[4] = { NULL, NULL, NULL, NULL };
	int rc;

	if (all < 4)
		return box(all);
	for (int i = 0; i < 4; i++)
		parts[i] = box(all / 4 + (i < all % 4));
	rc = soon_map(one, SOON_JOB(.fn = sum_of_parts), parts, 4, SOON_FOREVER,
		      sums, NULL);
	all = 0;
	for (int i = 0; i < 4; i++)
		all += unbox(sums[i]);
	return rc != 0 ? soon_fail(rc, NULL) : box(all);
}

START_TEST(jobs_of_a_pool_of_one_map_on_it)
{
	soon_future *f;
	void *sum = NULL;

	one = pool_of(1);
	f = submit(one, sum_of_parts, box(1000));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &sum), 0);
	ck_assert_int_eq(unbox(sum), 1000);
	soon_future_unref(f);
	soon_executor_free(one);
}
END_TEST

static Suite *map_suite(void)
{
	Suite *s = suite_create("map");
	TCase *tc = tcase_create("map");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, results_come_in_order_and_are_the_callers, 0,
			    8);
	tcase_add_test(tc, nothing_is_mapped_at_once);
	tcase_add_loop_test(tc, results_that_are_not_stored_are_freed, 0, 2);
	tcase_add_test(tc, without_args_every_job_gets_the_jobs_own);
	tcase_add_test(tc, no_pool_means_the_default_one);
	tcase_add_test(tc, a_pool_without_threads_maps_too);
	tcase_add_test(tc, errors_collects_every_outcome);
	tcase_add_loop_test(
		tc, a_failure_is_told_at_once_although_a_neighbour_is_stuck, 0,
		4);
	tcase_add_test(tc, after_a_failure_what_has_not_started_never_does);
	tcase_add_loop_test(tc, a_timeout_cancels_what_has_not_started, 0, 3);
	tcase_add_test(tc, a_timeout_abandons_what_runs);
	tcase_add_loop_test(tc, a_refused_map_did_nothing, 0, 2);
	tcase_add_loop_test(tc, a_shutdown_that_cancels_wakes_the_mapper, 0, 2);
	tcase_add_test(tc, jobs_of_a_pool_of_one_map_on_it);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(map_suite());
}
