/*
 * api_executor.c - making pools: options, sizes, threads.
 */
#include "support/support.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

/* It works: runs one job, and ends. */
static void expect_works(soon_executor *e)
{
	soon_future *f;

	ck_assert_ptr_nonnull(e);
	f = submit(e, return_arg, &f);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
	soon_executor_free(e);
}

static void expect_refused(const soon_executor_options *o, int code)
{
	errno = 0;
	ck_assert_ptr_null(soon_executor_open(o));
	ck_assert_int_eq(errno, code);
}

START_TEST(defaults_and_small_sizes_work)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	ck_assert_uint_eq(o.size, sizeof(o));
	expect_works(soon_executor_new(0));
	expect_works(soon_executor_new(1));
	expect_works(soon_executor_new(100));
	expect_works(soon_executor_open(NULL));
	expect_works(soon_executor_open(&o));
}
END_TEST

START_TEST(every_option_offered_is_accepted)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = 2;
	expect_works(soon_executor_open(&o));
	o.workers = 300;
	expect_works(soon_executor_open(&o));
	o.workers = 3;
	o.max_workers = 3;
	o.name = "";
	o.idle_timeout = SOON_FOREVER;
	o.stack_size = 64 * 1024;
	o.flags = SOON_HELP;
	expect_works(soon_executor_open(&o));
	o.workers = 0;
	o.max_workers = 1;
	expect_works(soon_executor_open(&o));
	o.flags = SOON_INLINE;
	expect_works(soon_executor_open(&o));
	o.flags = SOON_INLINE | SOON_HELP;
	expect_works(soon_executor_open(&o));
}
END_TEST

START_TEST(bad_values_are_errors)
{
	const soon_executor_options init = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor_options o = init;

	o.size = 0;
	expect_refused(&o, EINVAL);
	o = init;
	o.workers = 3;
	o.max_workers = 2;
	expect_refused(&o, EINVAL);
	o = init;
	for (unsigned flag = 4; flag != 0; flag <<= 1) {
		o.flags = flag | SOON_HELP;
		expect_refused(&o, EINVAL);
	}
	o = init;
	o.when_full = (enum soon_overflow)99;
	expect_refused(&o, EINVAL);
	o = init;
	o.idle_timeout = -1;
	expect_refused(&o, EINVAL);
	o.idle_timeout = INT64_MIN;
	expect_refused(&o, EINVAL);
}
END_TEST

START_TEST(more_threads_than_can_be_are_an_error)
{
	static const unsigned many[] = { 65535,	  65536,	1000000,
					 INT_MAX, UINT_MAX - 1, UINT_MAX };
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	for (size_t i = 0; i < COUNT_OF(many); i++) {
		errno = 0;
		ck_assert_ptr_null(soon_executor_new(many[i]));
		ck_assert_int_eq(errno, EINVAL);
		o.max_workers = many[i];
		o.workers = 0;
		expect_refused(&o, EINVAL);
		o.workers = 1;
		expect_refused(&o, EINVAL);
		o.workers = many[i];
		expect_refused(&o, EINVAL);
		o.max_workers = 0;
		expect_refused(&o, EINVAL);
	}
	expect_works(soon_executor_new(65534));
	o.workers = 65534;
	expect_works(soon_executor_open(&o));
}
END_TEST

/* Nothing is known of a stack before a thread is to have it. */
START_TEST(a_stack_that_cannot_be_had_refuses_the_job)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 4096,
					SIZE_MAX / 2 + 1 };
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.stack_size = sizes[_i];
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	errno = 0;
	ck_assert_ptr_null(soon_submit(e, return_arg, NULL));
	ck_assert(errno == EAGAIN || errno == EINVAL || errno == ENOMEM);
	ck_assert_int_ne(soon_execute(e, return_arg, NULL), 0);
	ck_assert_int_eq(soon_executor_shutdown(e, 0, SOON_FOREVER), 0);
	soon_executor_free(e);
}
END_TEST

/* Options as a program would give them whose headers know more. */
struct later_options {
	soon_executor_options o;
	unsigned char tail[sizeof(void *) * 4];
};

START_TEST(sizes_are_checked)
{
	struct later_options later;

	memset(&later, 0, sizeof(later));
	later.o = (soon_executor_options)SOON_EXECUTOR_OPTIONS_INIT;
	later.o.size = sizeof(later);
	expect_works(soon_executor_open(&later.o));
	for (size_t i = 0; i < sizeof(later.tail); i++) {
		later.tail[i] = 1;
		expect_refused(&later.o, EINVAL);
		later.tail[i] = 0;
	}
	/* What a smaller size leaves out does not count. */
	later.o.workers = 5;
	later.o.max_workers = 2;
	later.o.max_pending = 7;
	later.o.flags = UINT_MAX;
	expect_refused(&later.o, EINVAL);
	later.o.size = offsetof(soon_executor_options, workers);
	expect_works(soon_executor_open(&later.o));
	later.o.size = sizeof(size_t);
	expect_works(soon_executor_open(&later.o));
}
END_TEST

START_TEST(null_pools_are_ignored_or_errors)
{
	soon_executor_free(NULL);
	ck_assert_int_eq(soon_executor_shutdown(NULL, 0, SOON_FOREVER), EINVAL);
	ck_assert_int_eq(soon_executor_shutdown(NULL, 0, 0), EINVAL);
}
END_TEST

/* Nobody passes before all are there: ends only if n run at once. */
static void *meet(void *barrier)
{
	pthread_barrier_wait(barrier);
	return NULL;
}

START_TEST(as_many_jobs_block_at_once_as_the_pool_was_made_for)
{
	static const unsigned sizes[] = { 1, 2, 8, 40 };
	unsigned n = sizes[_i];
	soon_executor *e = soon_executor_new(n);
	pthread_barrier_t barrier;

	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, n), 0);
	for (int round = 0; round < 3; round++) {
		soon_future *f[40];

		for (unsigned i = 0; i < n; i++)
			f[i] = submit(e, meet, &barrier);
		for (unsigned i = 0; i < n; i++) {
			ck_assert_int_eq(soon_future_wait(f[i], SOON_FOREVER),
					 0);
			soon_future_unref(f[i]);
		}
	}
	soon_executor_free(e);
	pthread_barrier_destroy(&barrier);
}
END_TEST

static atomic_uint inside, most;

static void *count_inside(void *arg)
{
	unsigned n = atomic_fetch_add(&inside, 1) + 1;
	unsigned seen = atomic_load(&most);

	while (seen < n && !atomic_compare_exchange_weak(&most, &seen, n))
		;
	sched_yield();
	atomic_fetch_sub(&inside, 1);
	return arg;
}

START_TEST(no_more_jobs_run_at_once_than_max_workers)
{
	unsigned w = 1 + (unsigned)_i;
	soon_executor *e = pool_of(w);

	for (unsigned i = 0; i < test_scale(5000); i++)
		ck_assert_int_eq(soon_execute(e, count_inside, NULL), 0);
	soon_executor_free(e);
	ck_assert_uint_le(atomic_load(&most), w);
	ck_assert_uint_eq(atomic_load(&inside), 0);
	atomic_store(&most, 0);
}
END_TEST

/* What several threads need to begin with a new pool at the same moment. */
struct beginning {
	pthread_barrier_t barrier;
	soon_executor *e;
};

static void *begin(void *arg)
{
	struct beginning *b = arg;
	int rc = 0;

	pthread_barrier_wait(&b->barrier);
	for (int i = 0; i < 20 && rc == 0; i++)
		rc = soon_execute(b->e, count_inside, NULL);
	return box(rc);
}

START_TEST(nor_do_they_when_several_threads_submit_the_first)
{
	struct actor actors[3];
	struct beginning b;

	ck_assert_int_eq(
		pthread_barrier_init(&b.barrier, NULL, COUNT_OF(actors)), 0);
	for (unsigned round = 0; round < test_scale(200); round++) {
		b.e = pool_of(1);
		for (size_t i = 0; i < COUNT_OF(actors); i++)
			actor_start(&actors[i], begin, &b);
		for (size_t i = 0; i < COUNT_OF(actors); i++)
			ck_assert_int_eq(unbox(actor_join(&actors[i])), 0);
		soon_executor_free(b.e);
		ck_assert_uint_eq(atomic_load(&most), 1);
		atomic_store(&most, 0);
	}
	pthread_barrier_destroy(&b.barrier);
}
END_TEST

/* The actor stays so that whatever comes with a first thread is there before. */
START_TEST(threads_start_on_demand_and_are_gone_with_the_pool)
{
	struct actor actor;
	struct gate gate;
	soon_executor *e;
	soon_future *f;
	unsigned before;

	gate_init(&gate);
	actor_start(&actor, gate_job, &gate);
	before = thread_count();
	e = pool_of(4);
	ck_assert_uint_eq(thread_count(), before);
	f = submit(e, return_null, NULL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	soon_executor_free(e);
	/* A joined thread may be listed a moment longer. */
	while (thread_count() > before)
		sched_yield();
	gate_open(&gate);
	actor_join(&actor);
	gate_fini(&gate);
}
END_TEST

static void count_end(void *tally)
{
	tally_add(tally, 1);
}

START_TEST(an_idle_thread_ends_and_the_next_job_starts_another)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	struct tally ended;
	soon_executor *e;

	tally_init(&ended);
	o.workers = 1;
	o.max_workers = 1;
	o.idle_timeout = SOON_MSEC;
	o.worker_fini = count_end;
	o.worker_ctx = &ended;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	for (unsigned i = 1; i <= 20; i++) {
		soon_future *f = submit(e, return_null, NULL);

		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		soon_future_unref(f);
		tally_await(&ended, i);
		ck_assert_uint_eq(tally_get(&ended), i);
	}
	soon_executor_free(e);
	ck_assert_uint_eq(tally_get(&ended), 20);
	tally_fini(&ended);
}
END_TEST

START_TEST(pools_are_made_and_freed_without_being_used)
{
	for (unsigned i = 0; i < test_scale(200); i++) {
		soon_executor_free(soon_executor_new(i));
		expect_works(pool_of(1 + i % 3));
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("executor");
	TCase *t = tcase_create("options");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, defaults_and_small_sizes_work);
	tcase_add_test(t, every_option_offered_is_accepted);
	tcase_add_test(t, bad_values_are_errors);
	tcase_add_test(t, more_threads_than_can_be_are_an_error);
	tcase_add_loop_test(t, a_stack_that_cannot_be_had_refuses_the_job, 0,
			    3);
	tcase_add_test(t, sizes_are_checked);
	tcase_add_test(t, null_pools_are_ignored_or_errors);
	suite_add_tcase(s, t);

	t = tcase_create("threads");
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(
		t, as_many_jobs_block_at_once_as_the_pool_was_made_for, 0, 4);
	tcase_add_loop_test(t, no_more_jobs_run_at_once_than_max_workers, 0, 4);
	tcase_add_test(t, nor_do_they_when_several_threads_submit_the_first);
	tcase_add_test(t, threads_start_on_demand_and_are_gone_with_the_pool);
	tcase_add_test(t, an_idle_thread_ends_and_the_next_job_starts_another);
	tcase_add_test(t, pools_are_made_and_freed_without_being_used);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
