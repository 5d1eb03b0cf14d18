/*
 * stress_completions.c - sets of futures under several threads that complete,
 * cancel, add, iterate and free: each comes exactly once.
 */
#include "support/many.h"

#include <errno.h>
#include <sched.h>

#define N 200
#define CONSUMERS 3

static soon_executor *pool;
static soon_completions *set;
static soon_future *f[N]; /* every third is a job, the others promises */
static soon_future *last; /* a promise in the set until the end */
static atomic_uint returned[N], last_returned, wrong;

static void setup(void)
{
	for (int i = 0; i < N; i++)
		atomic_store(&returned[i], 0);
	atomic_store(&last_returned, 0);
	atomic_store(&wrong, 0);
}

static void make_futures(struct rng *rng)
{
	pool = pool_of(1 + rng_below(rng, 3));
	for (int i = 0; i < N; i++)
		f[i] = i % 3 == 0 ? submit(pool, return_arg, NULL)
				  : must_promise();
	last = must_promise();
}

static void drop_futures(void)
{
	soon_executor_free(pool);
	unref_n(f, N);
	soon_future_unref(last);
}

/* In an order and in ways of chance. */
static void *complete_all(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));
	unsigned order[N];

	shuffled(&rng, order, N);
	for (int i = 0; i < N; i++) {
		soon_future *now = f[order[i]];

		switch (rng_below(&rng, 4)) {
		case 0:
			soon_future_cancel(now);
			break;
		case 1:
			soon_future_set_error(now, EIO, "%d", i);
			break;
		case 2:
			sched_yield();
			/* fall through */
		default:
			soon_future_set_result(now, NULL);
		}
	}
	return NULL;
}

static void *add_second_half(void *unused)
{
	for (int i = N / 2; i < N; i++) {
		if (soon_completions_add(set, f[i]) != 0 ||
		    soon_completions_add(set, last) != 0)
			atomic_fetch_add(&wrong, 1);
		if (i % 7 == 0)
			sched_yield();
	}
	return unused;
}

static void count_returned(soon_future *next)
{
	int i = 0;

	while (i < N && f[i] != next)
		i++;
	if (i < N)
		atomic_fetch_add(&returned[i], 1);
	else if (next == last)
		atomic_fetch_add(&last_returned, 1);
	else
		atomic_fetch_add(&wrong, 1);
}

/* As others iterate too, what comes may be gone at the next look. */
static void *consume(void *seed)
{
	static const soon_nsec limits[] = {
		0, 1, 10 * SOON_USEC, SOON_MSEC, SOON_FOREVER, SOON_FOREVER
	};
	struct rng rng = rng_seed((uint64_t)unbox(seed));
	soon_future *next;
	int rc;

	do {
		soon_nsec limit = limits[rng_below(&rng, COUNT_OF(limits))];

		rc = soon_completions_next(set, limit, &next);
		if (rc == 0)
			count_returned(next);
		else if (rc != ENODATA &&
			 (rc != ETIMEDOUT || limit == SOON_FOREVER))
			atomic_fetch_add(&wrong, 1);
		if (soon_completions_left(set) > N + 1)
			atomic_fetch_add(&wrong, 1);
	} while (rc != ENODATA);
	return NULL;
}

START_TEST(consumers_get_each_future_exactly_once)
{
	struct actor adder, completer, consumers[CONSUMERS];
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned missed = 0;

	make_futures(&rng);
	set = soon_as_completed(f, N / 2);
	ck_assert_ptr_nonnull(set);
	ck_assert_int_eq(soon_completions_add(set, last), 0);
	for (int i = 0; i < CONSUMERS; i++)
		actor_start(&consumers[i], consume,
			    box(_i * CONSUMERS + i + 1));
	actor_start(&adder, add_second_half, NULL);
	actor_start(&completer, complete_all, box(_i));
	actor_join(&adder);
	actor_join(&completer);
	soon_future_set_result(last, NULL);
	for (int i = 0; i < CONSUMERS; i++)
		actor_join(&consumers[i]);
	for (int i = 0; i < N; i++)
		missed += atomic_load(&returned[i]) != 1;
	ck_assert_uint_eq(missed, 0);
	ck_assert_uint_eq(atomic_load(&last_returned), 1);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(soon_completions_left(set), 0);
	soon_completions_free(set);
	drop_futures();
}
END_TEST

/* What came back goes in again, so many times. */
START_TEST(each_comes_as_often_as_it_is_added)
{
	enum { TIMES = 5 };
	struct rng rng = rng_seed((uint64_t)_i);
	struct actor completer;
	soon_future *next;
	unsigned missed = 0;

	make_futures(&rng);
	set = soon_as_completed(f, N);
	ck_assert_ptr_nonnull(set);
	actor_start(&completer, complete_all, box(_i));
	while (soon_completions_next(set, SOON_FOREVER, &next) == 0) {
		int i = 0;

		while (i < N && f[i] != next)
			i++;
		if (i == N)
			ck_abort_msg("an unknown future came");
		if (atomic_fetch_add(&returned[i], 1) + 1 < TIMES &&
		    soon_completions_add(set, next) != 0)
			ck_abort_msg("could not be added again");
	}
	actor_join(&completer);
	for (int i = 0; i < N; i++)
		missed += atomic_load(&returned[i]) != TIMES;
	ck_assert_uint_eq(missed, 0);
	soon_completions_free(set);
	drop_futures();
}
END_TEST

/* Completions arrive while the set is torn down. */
START_TEST(a_set_may_be_freed_amid_completions)
{
	struct rng rng = rng_seed((uint64_t)_i);

	for (unsigned round = 0; round < test_scale(100); round++) {
		struct actor completer;
		soon_future *next;

		make_futures(&rng);
		set = soon_as_completed(f, N);
		ck_assert_ptr_nonnull(set);
		actor_start(&completer, complete_all,
			    box((long)rng_below(&rng, 1000)));
		for (unsigned n = rng_below(&rng, N); n > 0; n--)
			if (soon_completions_next(set, SOON_FOREVER, &next) !=
			    0)
				ck_abort_msg("the set ended early");
		soon_completions_free(set);
		actor_join(&completer);
		ck_assert_int_eq(soon_wait_all(f, N, SOON_FOREVER), 0);
		drop_futures();
	}
}
END_TEST

static void *watch_all(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));
	soon_future *next;

	for (int round = 0; round < 20; round++) {
		soon_completions *own = soon_as_completed(f, N);
		unsigned n = 0, most = rng_below(&rng, N + 1);

		while (n < most &&
		       soon_completions_next(own, SOON_FOREVER, &next) == 0)
			n++;
		if (n != most || soon_completions_left(own) != (size_t)(N - n))
			atomic_fetch_add(&wrong, 1);
		soon_completions_free(own);
	}
	return NULL;
}

/* Sets that overlap neither miss nor disturb each other. */
START_TEST(many_sets_may_share_their_futures)
{
	struct actor watchers[CONSUMERS], completer;
	struct rng rng = rng_seed((uint64_t)_i);

	make_futures(&rng);
	for (int i = 0; i < CONSUMERS; i++)
		actor_start(&watchers[i], watch_all, box(_i * CONSUMERS + i));
	actor_start(&completer, complete_all, box(_i));
	for (int i = 0; i < CONSUMERS; i++)
		actor_join(&watchers[i]);
	actor_join(&completer);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	drop_futures();
}
END_TEST

static Suite *completions_suite(void)
{
	Suite *s = suite_create("stress_completions");
	TCase *tc = tcase_create("stress_completions");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, consumers_get_each_future_exactly_once, 0,
			    (int)test_scale(30));
	tcase_add_loop_test(tc, each_comes_as_often_as_it_is_added, 0,
			    (int)test_scale(10));
	tcase_add_loop_test(tc, a_set_may_be_freed_amid_completions, 0,
			    (int)test_scale(5));
	tcase_add_loop_test(tc, many_sets_may_share_their_futures, 0,
			    (int)test_scale(10));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(completions_suite());
}
