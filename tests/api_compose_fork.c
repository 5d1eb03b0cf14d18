/*
 * api_compose_fork.c - continuations and combinators in a child of fork.
 */
#include "support/child.h"

#include <errno.h>

enum { N = 6 };

static soon_executor *pool; /* of one */
static struct gate gate;
static struct tally ran;
static soon_future *promise;
static soon_future *job; /* behind the gate */
static soon_future *made[2 * N];

static void *count(soon_future *done, void *tally)
{
	tally_add(tally, 1);
	return done;
}

static void count_done(soon_future *f, void *tally)
{
	(void)f;
	tally_add(tally, 1);
}

/* One of each on f. */
static void make(soon_future **to, soon_future *f)
{
	to[0] = soon_then(f, pool, count, &ran);
	to[1] = soon_when_all(&f, 1);
	to[2] = soon_when_any(&f, 1);
	to[3] = soon_first_success(&f, 1);
	to[4] = soon_within(f, 1000 * SOON_SEC);
	to[5] = soon_shield(f);
	for (int i = 0; i < N; i++) {
		ck_assert_ptr_nonnull(to[i]);
		ck_assert_int_eq(soon_future_on_done(to[i], count_done, &ran),
				 0);
	}
}

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	tally_init(&ran);
	pool_hold(pool, &gate, 1);
	promise = soon_future_new(NULL);
	ck_assert_ptr_nonnull(promise);
	job = submit(pool, return_null, NULL);
	make(made, promise);
	make(made + N, job);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_future_unref(promise);
	soon_future_unref(job);
	for (int i = 0; i < 2 * N; i++)
		soon_future_unref(made[i]);
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&ran);
}

static const char *all_have_failed(void)
{
	for (int i = 0; i < 2 * N; i++) {
		CLAIM(soon_future_wait(made[i], SOON_FOREVER) == 0);
		CLAIM(soon_future_state(made[i]) == SOON_FAILED);
		CLAIM(soon_future_error(made[i]) == SOON_EFORKED);
		CLAIM(soon_future_cancel(made[i]) == EALREADY);
	}
	return NULL;
}

static const char *inputs_may_be_completed(void *unused)
{
	const char *wrong = all_have_failed();

	(void)unused;
	if (wrong != NULL)
		return wrong;
	CLAIM(soon_future_state(promise) == SOON_PENDING);
	CLAIM(soon_future_set_result(promise, &gate) == 0);
	CLAIM(tally_get(&ran) == 0);
	for (int i = 0; i < 2 * N; i++)
		soon_future_unref(made[i]);
	return pool_works(pool);
}

static const char *all_may_go_first(void *unused)
{
	soon_future *f;

	(void)unused;
	for (int i = 0; i < 2 * N; i++)
		soon_future_unref(made[i]);
	CLAIM(soon_future_set_error(promise, EIO, NULL) == 0);
	CLAIM(tally_get(&ran) == 0);
	f = soon_then(promise, pool, count, &ran);
	CLAIM(f != NULL && soon_future_wait(f, SOON_FOREVER) == 0);
	CLAIM(soon_future_error(f) == 0 && tally_get(&ran) == 1);
	soon_future_unref(f);
	f = soon_within(promise, SOON_SEC);
	CLAIM(f != NULL && soon_future_error(f) == EIO);
	soon_future_unref(f);
	return NULL;
}

START_TEST(what_was_not_done_has_failed_in_the_child)
{
	in_child(_i == 0 ? inputs_may_be_completed : all_may_go_first, NULL);
	for (int i = 0; i < 2 * N; i++)
		ck_assert_int_eq(soon_future_state(made[i]), SOON_PENDING);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	for (int i = 0; i < 2 * N; i++) {
		ck_assert_int_eq(soon_future_wait(made[i], SOON_FOREVER), 0);
		ck_assert_int_eq(soon_future_error(made[i]), 0);
	}
}
END_TEST

static _Atomic pid_t child;

/* Both processes go on with what is left to be told. */
static void fork_once(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	if (atomic_load(&child) == 0)
		atomic_store(&child, fork_child());
}

START_TEST(a_callback_that_forks_goes_on_in_both)
{
	ck_assert_int_eq(soon_future_on_done(promise, fork_once, NULL), 0);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	if (atomic_load(&child) == 0) {
		/* The continuation was in a queue, or in the parent's. */
		for (int i = 1; i < N; i++)
			if (soon_future_error(made[i]) != 0)
				child_end("all was done before it");
		if (tally_get(&ran) != N - 1)
			child_end("each is called once");
		for (int i = 0; i < 2 * N; i++)
			soon_future_unref(made[i]);
		child_end(NULL);
	}
	ck_assert(child_ended(atomic_load(&child), ENDED_WELL));
	ck_assert_uint_eq(tally_get(&ran), N - 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_compose_fork");
	TCase *t = tcase_create("fork");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, what_was_not_done_has_failed_in_the_child, 0, 2);
	tcase_add_test(t, a_callback_that_forks_goes_on_in_both);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
