/*
 * api_shutdown_inside.c - ending a pool from its own jobs, callbacks and
 * destructors, and from another pool's.
 */
#include "support/support.h"

#include <errno.h>

static soon_executor *pool;
static struct gate gate;
static struct tally ran;
static struct tally ended;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&ran);
	tally_init(&ended);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&ran);
	tally_fini(&ended);
}

static void expect_closed(soon_executor *e)
{
	errno = 0;
	ck_assert_ptr_null(soon_submit(e, return_null, NULL));
	ck_assert_int_eq(errno, ESHUTDOWN);
}

static void expect_open(soon_executor *e)
{
	soon_future *f = submit(e, return_null, NULL);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

/* What a shutdown and then a submit from inside the pool returned; `ended`
 * counts it when both have. */
struct inner {
	soon_nsec timeout;
	int shutdown;
	int submit;
};

static void *shut_down_inside(void *arg)
{
	struct inner *in = arg;

	in->shutdown = soon_executor_shutdown(pool, 0, in->timeout);
	in->submit = soon_execute(pool, tally_job, &ran);
	tally_add(&ended, 1);
	return NULL;
}

static void shut_down_callback(soon_future *f, void *ctx)
{
	(void)f;
	shut_down_inside(ctx);
}

static void shut_down_destructor(void *ctx)
{
	shut_down_inside(ctx);
}

/* In a job, a callback or a destructor that the pool's own worker runs. */
static struct inner inside(int place, soon_nsec timeout)
{
	struct inner in = { timeout, -1, -1 };
	unsigned before = tally_get(&ended);
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	job.fn = place == 0 ? shut_down_inside : gate_job;
	job.arg = place == 0 ? (void *)&in : (void *)&gate;
	if (place == 2) {
		job.fn = return_null;
		job.arg = &in;
		job.free_arg = shut_down_destructor;
	}
	f = submit_job(pool, &job);
	if (place == 1)
		ck_assert_int_eq(
			soon_future_on_done(f, shut_down_callback, &in), 0);
	gate_open(&gate);
	tally_await(&ended, before + 1);
	soon_future_unref(f);
	return in;
}

START_TEST(a_worker_cannot_wait_for_its_own_pool_to_end)
{
	static const soon_nsec timeout[] = { 1, SOON_SEC, SOON_FOREVER };

	for (size_t i = 0; i < COUNT_OF(timeout); i++) {
		struct inner in = inside(_i, timeout[i]);

		ck_assert_int_eq(in.shutdown, EDEADLK);
		ck_assert_int_eq(in.submit, 0);
		gate_shut(&gate);
	}
	expect_open(pool);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&ran), COUNT_OF(timeout));
}
END_TEST

START_TEST(a_worker_may_begin_the_end_of_its_own_pool)
{
	struct inner in = inside(_i, -_i);

	ck_assert_int_eq(in.shutdown, EINPROGRESS);
	ck_assert_int_eq(in.submit, ESHUTDOWN);
	expect_closed(pool);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&ran), 0);
}
END_TEST

static soon_executor *other;

/* With a timeout, so that it does not run the job itself. */
static void *wait_long(void *f)
{
	return box(soon_future_wait(f, 3600 * SOON_SEC));
}

static void *end_other(void *arg)
{
	(void)arg;
	return box(soon_executor_shutdown(other, 0, SOON_FOREVER));
}

/* The other pool's job can end only in the place that the waiter gives up. */
START_TEST(a_worker_that_ends_another_pool_gives_its_place_away)
{
	soon_future *end, *next;
	void *rc = &ran;

	other = pool_of(1);
	pool_hold(pool, &gate, 1);
	end = submit(pool, end_other, NULL);
	next = submit(pool, tally_job, &ran);
	ck_assert_int_eq(soon_execute(other, wait_long, next), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_result(end, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), 0);
	ck_assert_uint_eq(tally_get(&ran), 1);
	soon_future_unref(end);
	soon_future_unref(next);
	soon_executor_free(other);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("shutdown_inside");
	TCase *t = tcase_create("inside");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_worker_cannot_wait_for_its_own_pool_to_end, 0,
			    3);
	tcase_add_loop_test(t, a_worker_may_begin_the_end_of_its_own_pool, 0,
			    3);
	tcase_add_test(t, a_worker_that_ends_another_pool_gives_its_place_away);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
