/*
 * api_reuse.c - a worker is idle again before its result can be seen.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>

static void *write_thread(void *tid)
{
	*(long *)tid = thread_id();
	return NULL;
}

static void *write_thread_and_fail(void *tid)
{
	write_thread(tid);
	return soon_fail(EIO, "on purpose");
}

static void free_nothing(void *arg)
{
	(void)arg;
}

static void wait_by_set(soon_future *f)
{
	soon_completions *set = soon_as_completed(&f, 1);
	soon_future *next = NULL;

	ck_assert_ptr_nonnull(set);
	ck_assert_int_eq(soon_completions_next(set, SOON_FOREVER, &next), 0);
	ck_assert_ptr_eq(next, f);
	soon_completions_free(set);
}

/* Every way to learn of the end, one after the other. */
static void learn_of_end(soon_future *f, unsigned way)
{
	switch (way % 4) {
	case 0:
		while (!soon_future_done(f))
			sched_yield();
		break;
	case 1:
		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		break;
	case 2:
		ck_assert_int_eq(
			soon_wait_any(&f, 1, SOON_FOREVER, &(size_t){ 0 }), 0);
		break;
	default:
		wait_by_set(f);
	}
}

START_TEST(submits_one_after_another_reuse_one_thread)
{
	static const soon_job kinds[] = {
		{ .size = sizeof(soon_job), .fn = write_thread },
		{ .size = sizeof(soon_job), .fn = write_thread_and_fail },
		{ .size = sizeof(soon_job),
		  .fn = write_thread,
		  .free_arg = free_nothing },
	};
	soon_executor *e = pool_of(4);
	soon_job job = kinds[_i];
	long first = 0;
	long tid = 0;

	job.arg = &tid;
	for (unsigned i = 0; i < test_scale(20000); i++) {
		soon_future *f = soon_submit_job(e, &job);

		ck_assert_ptr_nonnull(f);
		learn_of_end(f, i);
		if (i == 0)
			first = tid;
		ck_assert_int_eq(tid, first);
		soon_future_unref(f);
	}
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("reuse");
	TCase *t = tcase_create("reuse");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, submits_one_after_another_reuse_one_thread, 0,
			    3);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
