/*
 * stress_wait.c - waits of every kind, over subsets of chance, against
 * completions and cancels: what they report was true.
 */
#include "support/many.h"

#include <errno.h>
#include <sched.h>

#define N 24	   /* futures */
#define MEMBERS 12 /* of a subset, with repetition */
#define WAITERS 4
#define FAILURE 1000 /* and above: codes that mean nothing else */

static const enum soon_when modes[MODES] = { SOON_ALL_COMPLETED,
					     SOON_FIRST_COMPLETED,
					     SOON_FIRST_ERROR };

static soon_executor *pool;
static soon_future *f[N];
static atomic_uint wrong;

/* What chance picked, and what was known of it before the wait. */
struct pick {
	soon_future *members[MEMBERS];
	unsigned index[MEMBERS]; /* in f */
	bool was_done[MEMBERS];
	size_t n;
	soon_nsec timeout;
};

static void pick(struct pick *p, struct rng *rng)
{
	static const soon_nsec limits[] = { SOON_FOREVER,   SOON_FOREVER, 0, 1,
					    20 * SOON_USEC, SOON_MSEC };

	p->n = 1 + rng_below(rng, MEMBERS);
	p->timeout = limits[rng_below(rng, COUNT_OF(limits))];
	for (size_t i = 0; i < p->n; i++) {
		p->index[i] = rng_below(rng, N);
		p->members[i] = f[p->index[i]];
		p->was_done[i] = soon_future_done(p->members[i]);
	}
}

/* Distinct members that are done: before the wait, or now. */
static size_t count_done(const struct pick *p, bool before)
{
	unsigned seen = 0, bit;
	size_t done = 0;

	for (size_t i = 0; i < p->n; i++) {
		bit = 1U << p->index[i];
		if (before ? p->was_done[i] : soon_future_done(p->members[i]))
			done += (seen & bit) == 0;
		seen |= bit;
	}
	return done;
}

static size_t count_distinct(const struct pick *p)
{
	unsigned seen = 0;

	for (size_t i = 0; i < p->n; i++)
		seen |= 1U << p->index[i];
	return (size_t)__builtin_popcount(seen);
}

/* A member has failed or was cancelled: before the wait, or by now. */
static bool any_error(const struct pick *p, bool before)
{
	bool error = false;

	for (size_t i = 0; i < p->n; i++)
		if (p->was_done[i] ||
		    (!before && soon_future_done(p->members[i])))
			error |= soon_future_error(p->members[i]) != 0;
	return error;
}

static bool try_wait(const struct pick *p, enum soon_when when)
{
	size_t before = count_done(p, true), all = count_distinct(p);
	size_t done = SIZE_MAX;
	int rc = soon_wait(p->members, p->n, when, p->timeout, &done);

	if (done < before || done > count_done(p, false))
		return false;
	if (rc == ETIMEDOUT)
		return p->timeout != SOON_FOREVER && before < all &&
		       (when != SOON_FIRST_COMPLETED || before == 0) &&
		       (when != SOON_FIRST_ERROR || !any_error(p, true));
	if (when == SOON_FIRST_COMPLETED)
		return rc == 0 && done > 0;
	if (when == SOON_FIRST_ERROR)
		return rc == 0 && (done == all || any_error(p, false));
	return rc == 0 && done == all;
}

static bool try_wait_any(const struct pick *p)
{
	size_t index = SIZE_MAX;
	int rc = soon_wait_any(p->members, p->n, p->timeout, &index);

	if (rc == ETIMEDOUT)
		return p->timeout != SOON_FOREVER && index == 0 &&
		       count_done(p, true) == 0;
	if (rc != 0 || index >= p->n || !soon_future_done(p->members[index]))
		return false;
	for (size_t i = 0; i < index; i++)
		if (p->was_done[i])
			return false;
	return true;
}

/* One slot of a gather that may have timed out. */
static bool slot_is_true(soon_future *future, int error, void *result)
{
	void *real = NULL;

	if (error == EBUSY)
		return result == NULL;
	return soon_future_done(future) && soon_future_error(future) == error &&
	       soon_future_result(future, 0, &real) == error && real == result;
}

static bool try_gather(const struct pick *p)
{
	void *results[MEMBERS];
	int errors[MEMBERS];
	int rc = soon_gather(p->members, p->n, p->timeout, results, errors);
	bool busy = false;

	for (size_t i = 0; i < p->n; i++) {
		busy |= errors[i] == EBUSY;
		if (!slot_is_true(p->members[i], errors[i], results[i]))
			return false;
		if (p->was_done[i] && errors[i] == EBUSY)
			return false;
	}
	return rc == 0 ? !busy : rc == ETIMEDOUT && p->timeout != SOON_FOREVER;
}

static bool try_gather_fast(const struct pick *p)
{
	void *results[MEMBERS];
	int rc = soon_gather(p->members, p->n, p->timeout, results, NULL);

	if (rc == ETIMEDOUT)
		return p->timeout != SOON_FOREVER && !any_error(p, true);
	for (size_t i = 0; i < p->n; i++) {
		int error = soon_future_error(p->members[i]);

		if (rc == 0 && !slot_is_true(p->members[i], 0, results[i]))
			return false;
		if (rc != 0 && error == rc)
			return true;
		/* Of those failed before, no later one may be told. */
		if (p->was_done[i] && error != 0)
			return false;
	}
	return rc == 0;
}

static bool try_iterate(const struct pick *p)
{
	soon_completions *set = soon_as_completed(p->members, p->n);
	size_t n = count_distinct(p), got = 0;
	soon_future *next;
	int rc = 0;
	bool good = set != NULL && soon_completions_left(set) == n;

	while (good &&
	       (rc = soon_completions_next(set, p->timeout, &next)) == 0) {
		good = soon_future_done(next);
		got++;
	}
	good = good && got >= count_done(p, true) &&
	       (rc == ENODATA ? got == n
			      : rc == ETIMEDOUT && p->timeout != SOON_FOREVER &&
					got < n);
	soon_completions_free(set);
	return good;
}

/* Wait for chance subsets until everything is done. */
static void *wait_for_subsets(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));
	bool last = false, good;
	struct pick p;

	while (!last) {
		unsigned kind = rng_below(&rng, 7);

		last = soon_future_done(f[0]);
		pick(&p, &rng);
		if (kind < MODES)
			good = try_wait(&p, modes[kind]);
		else if (kind == 3)
			good = try_wait_any(&p);
		else if (kind == 4)
			good = try_gather(&p);
		else if (kind == 5)
			good = try_gather_fast(&p);
		else
			good = try_iterate(&p);
		if (!good)
			atomic_fetch_add(&wrong, 1U << (4 * kind));
	}
	return NULL;
}

/* Promises at odd places, jobs at even ones; f[0] is a promise, done last. */
static void complete(unsigned i, unsigned how)
{
	if (how == 0)
		soon_future_cancel(f[i]);
	else if (i % 2 == 0 && i > 0)
		soon_execute(pool, return_null, NULL);
	else if (how == 1)
		soon_future_set_error(f[i], FAILURE + (int)i, NULL);
	else
		soon_future_set_result(f[i], box((long)i + 1));
}

static void make_futures(struct gate *gate, struct rng *rng)
{
	pool_hold(pool, gate, 1);
	for (unsigned i = 0; i < N; i++)
		if (i % 2 == 1 || i == 0)
			f[i] = must_promise();
		else if (rng_below(rng, 4) == 0)
			f[i] = submit(pool, fail_job, box(FAILURE + (long)i));
		else
			f[i] = submit(pool, return_arg, box((long)i + 1));
}

START_TEST(what_a_wait_reports_is_true)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct actor waiters[WAITERS];
	unsigned order[N];
	struct gate gate;

	atomic_store(&wrong, 0);
	for (unsigned round = 0; round < test_scale(30); round++) {
		unsigned open = rng_below(&rng, N);

		gate_init(&gate);
		pool = pool_of(1);
		make_futures(&gate, &rng);
		for (int i = 0; i < WAITERS; i++)
			actor_start(&waiters[i], wait_for_subsets,
				    box((long)(rng_next(&rng) >> 40)));
		shuffled(&rng, order, N);
		for (unsigned i = 0; i < N; i++) {
			if (i == open)
				gate_open(&gate);
			for (unsigned k = rng_below(&rng, 20); k > 0; k--)
				sched_yield();
			if (order[i] > 0)
				complete(order[i], rng_below(&rng, 4));
		}
		complete(0, rng_below(&rng, 4));
		for (int i = 0; i < WAITERS; i++)
			actor_join(&waiters[i]);
		soon_executor_free(pool);
		unref_n(f, N);
		gate_fini(&gate);
		/* A digit for each kind of wait, in the order tried. */
		ck_assert_msg(atomic_load(&wrong) == 0, "wrong: %#x",
			      atomic_load(&wrong));
	}
}
END_TEST

static Suite *wait_suite(void)
{
	Suite *s = suite_create("stress_wait");
	TCase *tc = tcase_create("stress_wait");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, what_a_wait_reports_is_true, 0,
			    (int)test_scale(10));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(wait_suite());
}
