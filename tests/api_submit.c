/*
 * api_submit.c - handing work over: submit, submit_job, submit_many, execute.
 */
#include "support/support.h"

#include <errno.h>
#include <string.h>

static soon_executor *pool;
static struct tally freed;

static void setup(void)
{
	pool = pool_of(2);
	tally_init(&freed);
}

static void teardown(void)
{
	soon_executor_free(pool);
	ck_assert_uint_eq(tally_get(&freed), 0);
	tally_fini(&freed);
}

/* One job through every call that takes one: all say `code`, none runs. */
static void expect_refused(soon_executor *e, const soon_job *job, int code)
{
	void *args[2] = { &freed, &freed };
	soon_future *f[2] = { (soon_future *)&freed, (soon_future *)&freed };

	errno = 0;
	ck_assert_ptr_null(soon_submit_job(e, job));
	ck_assert_int_eq(errno, code);
	ck_assert_int_eq(soon_submit_many(e, job, args, 2, f), code);
	ck_assert_ptr_null(f[0]);
	ck_assert_ptr_null(f[1]);
	ck_assert_int_eq(soon_submit_many(e, job, NULL, 2, NULL), code);
}

START_TEST(a_missing_function_is_an_error)
{
	errno = 0;
	ck_assert_ptr_null(soon_submit(pool, NULL, &freed));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(soon_execute(pool, NULL, &freed), EINVAL);
	expect_refused(pool, NULL, EINVAL);
	expect_refused(pool, SOON_JOB(.arg = &freed, .free_arg = tally_free),
		       EINVAL);
}
END_TEST

/* A job as a program would make it whose headers know more fields. */
struct later_job {
	soon_job job;
	unsigned char tail[sizeof(void *) * 4];
};

START_TEST(sizes_are_checked)
{
	struct later_job later;
	soon_job *job = &later.job;
	soon_future *f;

	memset(&later, 0, sizeof(later));
	*job = (soon_job)SOON_JOB_INIT;
	ck_assert_uint_eq(job->size, sizeof(*job));
	job->fn = return_arg;
	job->arg = &freed;
	job->free_arg = tally_free;
	job->size = 0;
	expect_refused(pool, job, EINVAL);
	job->size = sizeof(later);
	later.tail[sizeof(later.tail) - 1] = 1;
	expect_refused(pool, job, EINVAL);
	later.tail[sizeof(later.tail) - 1] = 0;
	later.tail[0] = 1;
	expect_refused(pool, job, EINVAL);
	later.tail[0] = 0;
	job->free_arg = NULL;
	f = submit_job(pool, job);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
}
END_TEST

START_TEST(fields_beyond_a_smaller_size_are_zero)
{
	soon_job job = SOON_JOB_INIT;
	void *result = NULL;
	soon_future *f;

	job.fn = return_arg;
	job.arg = &freed;
	job.priority = 99;
	job.delay = -1;
	job.free_arg = tally_free;
	job.free_result = tally_free;
	job.size = offsetof(soon_job, priority);
	f = submit_job(pool, &job);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &freed);
	soon_future_unref(f);
	job.size = offsetof(soon_job, fn);
	expect_refused(pool, &job, EINVAL);
}
END_TEST

START_TEST(unknown_values_are_errors)
{
	static const int priority[] = { -2, 2, 99, INT32_MIN, INT32_MAX };
	soon_job job = SOON_JOB_INIT;

	job.fn = return_arg;
	job.arg = &freed;
	job.free_arg = tally_free;
	for (size_t i = 0; i < COUNT_OF(priority); i++) {
		job.priority = priority[i];
		expect_refused(pool, &job, EINVAL);
	}
	job.priority = 0;
	job.delay = -1;
	expect_refused(pool, &job, EINVAL);
	job.delay = 0;
	job.start_within = -1;
	expect_refused(pool, &job, EINVAL);
	job.start_within = 0;
	job.run_within = -1;
	expect_refused(pool, &job, EINVAL);
}
END_TEST

START_TEST(after_a_shutdown_nothing_is_accepted)
{
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	errno = 0;
	ck_assert_ptr_null(soon_submit(pool, tally_job, &freed));
	ck_assert_int_eq(errno, ESHUTDOWN);
	ck_assert_int_eq(soon_execute(pool, tally_job, &freed), ESHUTDOWN);
	expect_refused(pool,
		       SOON_JOB(.fn = tally_job, .arg = &freed,
				.free_arg = tally_free,
				.free_result = tally_free),
		       ESHUTDOWN);
}
END_TEST

START_TEST(every_call_runs_its_job)
{
	struct tally ran;
	soon_job init = SOON_JOB_INIT;
	soon_future *f[3];

	tally_init(&ran);
	init.fn = tally_job;
	init.arg = &ran;
	init.name = "tally";
	f[0] = submit(pool, tally_job, &ran);
	f[1] = submit_job(pool, SOON_JOB(.fn = tally_job, .arg = &ran));
	f[2] = submit_job(pool, &init);
	init.fn = NULL;
	ck_assert_int_eq(soon_execute(pool, tally_job, &ran), 0);
	ck_assert_int_eq(
		soon_submit_many(pool, SOON_JOB(.fn = tally_job, .arg = &ran),
				 NULL, 3, NULL),
		0);
	for (int i = 0; i < 3; i++) {
		void *result = NULL;

		ck_assert_int_eq(
			soon_future_result(f[i], SOON_FOREVER, &result), 0);
		ck_assert_ptr_eq(result, &ran);
		ck_assert_ptr_eq(soon_future_arg(f[i]), &ran);
		soon_future_unref(f[i]);
	}
	tally_await(&ran, 7);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&ran), 7);
	tally_fini(&ran);
}
END_TEST

START_TEST(many_give_each_job_its_argument)
{
	enum { N = 3000 };
	static struct tally count[N];
	static void *args[N];
	static soon_future *f[N];

	for (size_t n = 0; n <= N; n = n < 4 ? n + 1 : n * 5) {
		for (size_t i = 0; i < n; i++) {
			tally_init(&count[i]);
			args[i] = &count[i];
			f[i] = NULL;
		}
		ck_assert_int_eq(
			soon_submit_many(pool,
					 SOON_JOB(.fn = return_arg,
						  .arg = &freed,
						  .free_arg = tally_free,
						  .free_result = tally_free),
					 args, n, f),
			0);
		memset(args, 0, sizeof(args));
		for (size_t i = 0; i < n; i++) {
			void *result = NULL;

			ck_assert_int_eq(soon_future_result(f[i], SOON_FOREVER,
							    &result),
					 0);
			ck_assert_ptr_eq(result, &count[i]);
			ck_assert_uint_eq(tally_get(&count[i]), 1);
			/* The pool may hold the last reference a bit longer. */
			soon_future_unref(f[i]);
			tally_await(&count[i], 2);
		}
		for (size_t i = 0; i < n; i++) {
			ck_assert_uint_eq(tally_get(&count[i]), 2);
			tally_fini(&count[i]);
		}
	}
}
END_TEST

START_TEST(many_without_arguments_give_each_job_the_same)
{
	soon_future *f[10] = { NULL };

	ck_assert_int_eq(
		soon_submit_many(pool, SOON_JOB(.fn = return_arg, .arg = &pool),
				 NULL, COUNT_OF(f), f),
		0);
	for (size_t i = 0; i < COUNT_OF(f); i++) {
		void *result = NULL;

		ck_assert_int_eq(
			soon_future_result(f[i], SOON_FOREVER, &result), 0);
		ck_assert_ptr_eq(result, &pool);
		for (size_t j = 0; j < i; j++)
			ck_assert_ptr_ne(f[i], f[j]);
	}
	for (size_t i = 0; i < COUNT_OF(f); i++)
		soon_future_unref(f[i]);
}
END_TEST

START_TEST(many_may_be_none)
{
	soon_future *f = (soon_future *)&freed;

	ck_assert_int_eq(
		soon_submit_many(pool, SOON_JOB(.fn = tally_job, .arg = &freed),
				 NULL, 0, NULL),
		0);
	ck_assert_int_eq(
		soon_submit_many(pool, SOON_JOB(.fn = tally_job, .arg = &freed),
				 NULL, 0, &f),
		0);
	ck_assert_ptr_eq(f, (soon_future *)&freed);
}
END_TEST

/* Forgotten results and arguments are freed like the others. */
START_TEST(many_may_be_forgotten)
{
	enum { N = 500 };
	static void *args[N];
	struct tally count;

	tally_init(&count);
	for (size_t i = 0; i < N; i++)
		args[i] = &count;
	ck_assert_int_eq(soon_submit_many(pool,
					  SOON_JOB(.fn = tally_job,
						   .free_arg = tally_free,
						   .free_result = tally_free),
					  args, N, NULL),
			 0);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&count), 3 * N);
	tally_fini(&count);
}
END_TEST

/* Each job adds one and submits the next until none is left. */
struct relay {
	struct tally ran;
	unsigned left;
};

static void *pass_on(void *arg)
{
	struct relay *r = arg;

	tally_add(&r->ran, 1);
	if (r->left-- > 1)
		soon_execute(pool, pass_on, r);
	return NULL;
}

START_TEST(jobs_may_submit_jobs)
{
	struct relay r = { .left = test_scale(5000) };
	unsigned n = r.left;

	tally_init(&r.ran);
	ck_assert_int_eq(soon_execute(pool, pass_on, &r), 0);
	tally_await(&r.ran, n);
	soon_executor_free(pool);
	pool = NULL;
	ck_assert_uint_eq(tally_get(&r.ran), n);
	tally_fini(&r.ran);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("submit");
	TCase *t = tcase_create("refused");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_missing_function_is_an_error);
	tcase_add_test(t, sizes_are_checked);
	tcase_add_test(t, fields_beyond_a_smaller_size_are_zero);
	tcase_add_test(t, unknown_values_are_errors);
	tcase_add_test(t, after_a_shutdown_nothing_is_accepted);
	suite_add_tcase(s, t);

	t = tcase_create("accepted");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, every_call_runs_its_job);
	tcase_add_test(t, many_give_each_job_its_argument);
	tcase_add_test(t, many_without_arguments_give_each_job_the_same);
	tcase_add_test(t, many_may_be_none);
	tcase_add_test(t, many_may_be_forgotten);
	tcase_add_test(t, jobs_may_submit_jobs);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
