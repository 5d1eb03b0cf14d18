/*
 * api_compatible.c - programs that were compiled with the headers of 1.0, or with
 * headers that know more than this library, work with it.
 */
#include "support/fixture.h"
#include "support/headers_1_0.h"
#include "support/unread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct tally ran, args_freed, results_freed;
static soon_group *group;

static void setup(void)
{
	fixture_open(pool_of(1));
	group = soon_group_new(pool);
	ck_assert_ptr_nonnull(group);
	tally_init(&ran);
	tally_init(&args_freed);
	tally_init(&results_freed);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_group_free(group);
	fixture_close();
	tally_fini(&ran);
	tally_fini(&args_freed);
	tally_fini(&results_freed);
}

static void free_arg(void *arg)
{
	tally_add(arg, 1);
	tally_add(&args_freed, 1);
}

static void free_result(void *result)
{
	tally_add(result, 1);
}

static void *run(void *arg)
{
	tally_add(arg, 1);
	return &results_freed;
}

/* Each call that reads a job has it run once, and returns its code. */
typedef int give(const soon_job *job);

static int finish(soon_future *f)
{
	int code = soon_future_wait(f, SOON_FOREVER);

	soon_future_unref(f);
	return code;
}

static int give_submit(const soon_job *job)
{
	soon_future *f = soon_submit_job(pool, job);

	return f == NULL ? errno : finish(f);
}

static int give_many(const soon_job *job)
{
	soon_future *f;
	int code = soon_submit_many(pool, job, NULL, 1, &f);

	return code != 0 ? code : finish(f);
}

static int give_map(const soon_job *job)
{
	return soon_map(pool, job, NULL, 1, SOON_FOREVER, NULL, NULL);
}

static int draw_one(void *drawn, void **arg)
{
	if (*(bool *)drawn)
		return ENODATA;
	*(bool *)drawn = true;
	*arg = &ran;
	return 0;
}

static int give_imap(const soon_job *job)
{
	bool drawn = false;
	soon_future *f;
	soon_imap *m = soon_imap_new(pool, job, draw_one, &drawn, 1);

	int code = m == NULL ? errno : soon_imap_next(m, SOON_FOREVER, &f);

	soon_imap_free(m);
	return code;
}

static int give_group(const soon_job *job)
{
	int code = soon_group_submit_job(group, job);

	ck_assert_int_eq(soon_group_wait(group, SOON_FOREVER), 0);
	return code;
}

static give *const gives[] = { give_submit, give_many, give_map, give_imap,
			       give_group };
enum { GIVES = COUNT_OF(gives) };

/* A copy of which every byte beyond `size` is somebody else's. */
static void *copied(const void *from, size_t size)
{
	void *copy = malloc(size);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, from, size);
	memcpy(copy, &size, sizeof(size));
	return copy;
}

static int give_copy(give *call, const void *from, size_t size)
{
	void *copy = copied(from, size);
	int code = call(copy);

	free(copy);
	return code;
}

/* What a program had in memory before it set the members is in the padding. */
static struct job_1_0 job_of_1_0(void)
{
	struct job_1_0 job;

	memset(&job, 0x5a, sizeof(job));
	job.size = sizeof(job);
	job.fn = run;
	job.arg = &ran;
	job.name = "1.0";
	job.priority = 1;
	job.delay = 1;
	job.start_within = INT64_MAX;
	job.run_within = 0;
	job.free_arg = free_arg;
	job.free_result = free_result;
	return job;
}

START_TEST(a_job_of_1_0_runs_and_is_freed)
{
	struct job_1_0 job = job_of_1_0();

	ck_assert_int_eq(give_copy(gives[_i], &job, sizeof(job)), 0);
	soon_group_free(group);
	group = NULL;
	fixture_end_pool();
	ck_assert_uint_eq(tally_get(&ran), 2);
	ck_assert_uint_eq(tally_get(&args_freed), 1);
	ck_assert_uint_eq(tally_get(&results_freed), 1);
}
END_TEST

START_TEST(each_attribute_of_1_0_is_read_where_it_was)
{
	struct job_1_0 bad[5];

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		bad[i] = job_of_1_0();
	bad[0].fn = NULL;
	bad[1].priority = 2;
	bad[2].delay = -1;
	bad[3].start_within = 1;
	bad[4].run_within = -1;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ck_assert_int_eq(give_copy(gives[_i], &bad[i], sizeof(*bad)),
				 EINVAL);
	ck_assert_uint_eq(tally_get(&ran), 0);
}
END_TEST

/* It ends with any of the members that it has to have. */
START_TEST(a_job_may_be_as_short_as_an_older_programs)
{
	static const size_t sizes[] = {
		offsetof(struct job_1_0, name),
		offsetof(struct job_1_0, priority),
		offsetof(struct job_1_0, delay),
		offsetof(struct job_1_0, start_within),
		offsetof(struct job_1_0, run_within),
		offsetof(struct job_1_0, free_arg),
	};
	struct job_1_0 job = job_of_1_0();

	for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
		ck_assert_int_eq(give_copy(gives[_i], &job, sizes[i]), 0);
		ck_assert_uint_eq(tally_get(&ran), i + 1);
	}
	ck_assert_int_eq(give_copy(gives[_i], &job, sizeof(size_t)), EINVAL);
}
END_TEST

enum { MORE = 16 }; /* bytes that we do not know */

START_TEST(a_newer_programs_job_may_end_in_zeros_alone)
{
	struct {
		soon_job known;
		unsigned char more[MORE];
	} newer;

	memset(&newer, 0, sizeof(newer));
	newer.known.fn = run;
	newer.known.arg = &ran;
	ck_assert_int_eq(give_copy(gives[_i], &newer, sizeof(newer)), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
	newer.known.free_arg = free_arg;
	for (size_t i = 0; i < MORE; i++) {
		newer.more[i] = 1;
		ck_assert_int_eq(give_copy(gives[_i], &newer, sizeof(newer)),
				 EINVAL);
		newer.more[i] = 0;
	}
	ck_assert_uint_eq(tally_get(&ran), 1);
	ck_assert_uint_eq(tally_get(&args_freed), 0);
}
END_TEST

static struct tally begun, ended, unread;

static int begin(void *ctx)
{
	tally_add(ctx, 1);
	return 0;
}

static void end(void *ctx)
{
	fixture_expect(ctx == &begun);
	tally_add(&ended, 1);
}

static void note_unread(soon_future *f, void *ctx)
{
	fixture_expect(soon_future_error(f) == EIO);
	tally_add(ctx, 1);
}

static struct options_1_0 options_of_1_0(void)
{
	struct options_1_0 o;

	memset(&o, 0x5a, sizeof(o));
	o.size = sizeof(o);
	o.name = "1.0";
	o.workers = 1;
	o.max_workers = 1;
	o.idle_timeout = INT64_MAX;
	o.max_pending = 1;
	o.when_full = 1;
	o.stack_size = 1 << 20;
	o.worker_init = begin;
	o.worker_fini = end;
	o.worker_ctx = &begun;
	o.unread_error = note_unread;
	o.unread_ctx = &unread;
	o.flags = 0;
	return o;
}

/* The pool that these options make; NULL: they are refused. */
static soon_executor *opened(const void *from, size_t size)
{
	void *copy = copied(from, size);
	soon_executor *e;

	errno = 0;
	e = soon_executor_open(copy);
	ck_assert(e != NULL || errno == EINVAL);
	free(copy);
	return e;
}

START_TEST(options_of_1_0_say_what_they_said)
{
	struct options_1_0 o = options_of_1_0();
	soon_executor *e = opened(&o, sizeof(o));

	tally_init(&begun);
	tally_init(&ended);
	tally_init(&unread);
	ck_assert_ptr_nonnull(e);
	pool_hold(e, &gate, 1);
	ck_assert_uint_eq(tally_get(&begun), 1);
	ck_assert_int_eq(soon_execute(e, unread_fail, NULL), 0);
	ck_assert_int_eq(soon_execute(e, unread_fail, NULL), EAGAIN);
	gate_open(&gate);
	soon_executor_free(e);
	ck_assert_uint_eq(tally_get(&begun), 1);
	ck_assert_uint_eq(tally_get(&ended), 1);
	ck_assert_uint_eq(tally_get(&unread), 1);
}
END_TEST

START_TEST(each_option_of_1_0_is_read_where_it_was)
{
	struct options_1_0 bad[5];

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		bad[i] = options_of_1_0();
	bad[0].workers = 2;
	bad[1].max_workers = 65535;
	bad[2].idle_timeout = -1;
	bad[3].when_full = 3;
	bad[4].flags = 4;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ck_assert_ptr_null(opened(&bad[i], sizeof(*bad)));
	/* An older program has not heard of the flags. */
	soon_executor_free(
		opened(&bad[4], offsetof(struct options_1_0, flags)));
}
END_TEST

START_TEST(a_newer_programs_options_may_end_in_zeros_alone)
{
	struct {
		soon_executor_options known;
		unsigned char more[MORE];
	} newer;
	soon_executor *e;

	memset(&newer, 0, sizeof(newer));
	e = opened(&newer, sizeof(newer));
	ck_assert_ptr_nonnull(e);
	soon_executor_free(e);
	for (size_t i = 0; i < MORE; i++) {
		newer.more[i] = 1;
		ck_assert_ptr_null(opened(&newer, sizeof(newer)));
		newer.more[i] = 0;
	}
}
END_TEST

START_TEST(statistics_fill_the_struct_of_1_0_and_no_more)
{
	struct {
		struct stats_1_0 s;
		unsigned char beyond[MORE];
	} then;

	soon_future_unref(submit(pool, unread_fail, NULL));
	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_execute(pool, return_null, NULL), 0);
	memset(&then, 0x5a, sizeof(then));
	then.s.size = sizeof(then.s);
	ck_assert_int_eq(soon_executor_stats(pool, (soon_stats *)&then.s), 0);
	ck_assert_uint_eq(then.s.size, sizeof(then.s));
	ck_assert_uint_eq(then.s.submitted, 3);
	ck_assert_uint_eq(then.s.failed, 1);
	ck_assert_uint_eq(then.s.threads_started, 1);
	ck_assert_uint_eq(then.s.pending, 1);
	ck_assert_uint_eq(then.s.threads, 1);
	ck_assert_int_gt(then.s.oldest_pending, 0);
	for (size_t i = 0; i < MORE; i++)
		ck_assert_uint_eq(then.beyond[i], 0x5a);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("compatible");
	TCase *t = tcase_create("compatible");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_job_of_1_0_runs_and_is_freed, 0, GIVES);
	tcase_add_loop_test(t, each_attribute_of_1_0_is_read_where_it_was, 0,
			    GIVES);
	tcase_add_loop_test(t, a_job_may_be_as_short_as_an_older_programs, 0,
			    GIVES);
	tcase_add_loop_test(t, a_newer_programs_job_may_end_in_zeros_alone, 0,
			    GIVES);
	tcase_add_test(t, options_of_1_0_say_what_they_said);
	tcase_add_test(t, each_option_of_1_0_is_read_where_it_was);
	tcase_add_test(t, a_newer_programs_options_may_end_in_zeros_alone);
	tcase_add_test(t, statistics_fill_the_struct_of_1_0_and_no_more);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
