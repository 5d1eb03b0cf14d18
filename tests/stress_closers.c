/*
 * stress_closers.c - sixteen threads submit while eight close the pool, each in its
 * own way: what was accepted has one end, and who is told that it is over is told
 * the truth.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

enum { SUBMITTERS = 16, CLOSERS = 8, EACH = 200 };

/* What a round's closers may do. */
enum { DRAIN, CANCEL, MIXED, KINDS };

static struct {
	soon_executor *pool;
	struct gate start;
	unsigned kind;
	atomic_uint ran, freed, accepted, succeeded, cancelled, wrong;
} it;

struct thread {
	struct actor actor;
	struct rng rng;
	soon_future *f[EACH];
	unsigned n;
};

static void expect(bool holds)
{
	if (!holds)
		atomic_fetch_add(&it.wrong, 1);
}

static void count(void *tally)
{
	atomic_fetch_add((atomic_uint *)tally, 1);
}

static void *job(void *unused)
{
	(void)unused;
	count(&it.ran);
	return NULL;
}

/* Until it is refused, and then once more. */
static void submit_some(struct thread *t)
{
	const soon_job *counted =
		SOON_JOB(.fn = job, .arg = &it.freed, .free_arg = count);
	soon_future *f = NULL;

	while (t->n < EACH && (f = soon_submit_job(it.pool, counted)) != NULL) {
		t->f[t->n++] = f;
		if (rng_below(&t->rng, 16) == 0)
			sched_yield();
	}
	atomic_fetch_add(&it.accepted, t->n);
	if (f != NULL)
		return;
	expect(errno == ESHUTDOWN);
	expect(soon_execute(it.pool, job, NULL) == ESHUTDOWN);
}

static void *submit_and_wait(void *thread)
{
	struct thread *t = thread;

	gate_pass(&it.start);
	submit_some(t);
	for (unsigned i = 0; i < t->n; i++) {
		expect(soon_future_wait(t->f[i], SOON_FOREVER) == 0);
		if (soon_future_state(t->f[i]) == SOON_SUCCEEDED)
			count(&it.succeeded);
		else if (soon_future_state(t->f[i]) == SOON_CANCELLED)
			count(&it.cancelled);
		soon_future_unref(t->f[i]);
	}
	return NULL;
}

/* Nothing is left of it. */
static void expect_over(void)
{
	soon_stats s = SOON_STATS_INIT;

	expect(soon_executor_stats(it.pool, &s) == 0);
	expect(s.submitted == s.succeeded + s.cancelled);
	expect(s.threads == 0 && s.pending == 0 && s.failed == 0);
	expect(atomic_load(&it.ran) == s.succeeded);
	expect(atomic_load(&it.freed) == s.submitted);
}

static soon_nsec any_limit(struct rng *rng)
{
	switch (rng_below(rng, 3)) {
	case 0:
		return 0;
	case 1:
		return 1 + rng_below(rng, 200) * SOON_USEC;
	default:
		return SOON_FOREVER;
	}
}

static void *close_pool(void *thread)
{
	struct thread *t = thread;
	bool cancels = it.kind == CANCEL ||
		       (it.kind == MIXED && rng_below(&t->rng, 2) == 0);
	int rc;

	gate_pass(&it.start);
	for (unsigned i = rng_below(&t->rng, 50); i > 0; i--)
		sched_yield();
	do {
		soon_nsec limit = any_limit(&t->rng);
		unsigned flags = cancels ? 1 + rng_below(&t->rng, 3) : 0;

		rc = soon_executor_shutdown(it.pool, flags, limit);
		expect(rc == 0 || (limit == 0 && rc == EINPROGRESS) ||
		       (limit > 0 && limit < SOON_FOREVER && rc == ETIMEDOUT));
	} while (rc != 0 && rng_below(&t->rng, 4) > 0);
	if (rc == 0)
		expect_over();
	return NULL;
}

static void begin(unsigned kind, unsigned workers)
{
	it.kind = kind;
	it.pool = pool_of(workers);
	gate_init(&it.start);
	atomic_store(&it.ran, 0);
	atomic_store(&it.freed, 0);
	atomic_store(&it.accepted, 0);
	atomic_store(&it.succeeded, 0);
	atomic_store(&it.cancelled, 0);
	atomic_store(&it.wrong, 0);
}

static void expect_account(void)
{
	unsigned accepted = atomic_load(&it.accepted);
	unsigned ran = atomic_load(&it.ran);

	ck_assert_uint_eq(atomic_load(&it.wrong), 0);
	ck_assert_uint_eq(atomic_load(&it.freed), accepted);
	ck_assert_uint_eq(atomic_load(&it.succeeded), ran);
	ck_assert_uint_eq(atomic_load(&it.cancelled), accepted - ran);
	if (it.kind == DRAIN)
		ck_assert_uint_eq(ran, accepted);
}

START_TEST(all_that_was_accepted_has_one_end)
{
	static struct thread threads[SUBMITTERS + CLOSERS];
	struct rng rng = rng_seed((uint64_t)_i);

	begin((unsigned)_i % KINDS, 1 + rng_below(&rng, 4));
	for (unsigned i = 0; i < COUNT_OF(threads); i++) {
		struct thread *t = &threads[i];

		t->n = 0;
		t->rng = rng_seed(rng_next(&rng));
		actor_start(&t->actor,
			    i < SUBMITTERS ? submit_and_wait : close_pool, t);
	}
	gate_await(&it.start, COUNT_OF(threads));
	gate_open(&it.start);
	for (unsigned i = 0; i < COUNT_OF(threads); i++)
		actor_join(&threads[i].actor);
	ck_assert_int_eq(soon_executor_shutdown(it.pool, 0, SOON_FOREVER), 0);
	expect_over();
	soon_executor_free(it.pool);
	gate_fini(&it.start);
	expect_account();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stress_closers");
	TCase *tc = tcase_create("stress_closers");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, all_that_was_accepted_has_one_end, 0,
			    (int)test_scale(90));
	suite_add_tcase(s, tc);
	return test_run(s);
}
