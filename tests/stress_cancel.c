/*
 * stress_cancel.c - jobs that are submitted, run, waited for, cancelled and
 * dropped at the same time.
 *
 * Whatever the order, each job ran or was cancelled, once; its argument was
 * freed once, its result once unless taken, and each callback ran once.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

enum { JOBS = 600, ACTORS = 3, ACTIONS = 1500 };

enum kind { SUCCEED, FAIL, WAIT_FOR_PREVIOUS, KINDS };

struct item {
	soon_future *_Atomic f;
	enum kind kind;
	atomic_uint ran;
	atomic_uint arg_freed;
	atomic_uint result_freed;
	atomic_uint registered;
	atomic_uint called;
	atomic_uint taken;
	atomic_uint cancelled;
};

static struct item items[JOBS];
static atomic_uint published;
static atomic_uint wrong;

static void expect(bool holds)
{
	if (!holds)
		atomic_fetch_add(&wrong, 1);
}

static void *work(void *arg)
{
	struct item *it = arg;
	int rc;

	atomic_fetch_add(&it->ran, 1);
	if (it->kind == FAIL)
		return soon_fail(EIO, "job %td", it - items);
	if (it->kind == WAIT_FOR_PREVIOUS && it > items) {
		rc = soon_future_wait(it[-1].f, SOON_FOREVER);
		expect(rc == 0 && soon_future_done(it[-1].f));
	}
	return it;
}

static void free_arg(void *arg)
{
	struct item *it = arg;

	atomic_fetch_add(&it->arg_freed, 1);
}

static void free_result(void *arg)
{
	struct item *it = arg;

	atomic_fetch_add(&it->result_freed, 1);
}

static void count_call(soon_future *f, void *ctx)
{
	struct item *it = ctx;

	expect(soon_future_done(f));
	atomic_fetch_add(&it->called, 1);
}

static soon_nsec short_time(struct rng *rng)
{
	return (soon_nsec)rng_below(rng, 50) * SOON_USEC;
}

static void read_one(struct item *it, soon_nsec timeout)
{
	void *result = NULL;
	int rc = soon_future_result(it->f, timeout, &result);

	expect(rc == 0 || rc == ETIMEDOUT || rc == EIO || rc == ECANCELED);
	if (rc == EIO)
		expect(it->kind == FAIL);
	if (rc != ETIMEDOUT)
		expect(soon_future_done(it->f));
	if (rc == ECANCELED)
		expect(soon_future_state(it->f) == SOON_CANCELLED);
}

static void wait_for_some(struct rng *rng, unsigned n)
{
	soon_future *some[4], *next = NULL;
	soon_completions *set;
	size_t index = 0;
	int rc;

	for (size_t i = 0; i < COUNT_OF(some); i++)
		some[i] = items[rng_below(rng, n)].f;
	if (rng_below(rng, 2) == 0) {
		rc = soon_wait_any(some, COUNT_OF(some), short_time(rng),
				   &index);
		expect(rc == ETIMEDOUT ||
		       (rc == 0 && soon_future_done(some[index])));
		return;
	}
	set = soon_as_completed(some, COUNT_OF(some));
	rc = soon_completions_next(set, short_time(rng), &next);
	expect(rc == ETIMEDOUT || (rc == 0 && soon_future_done(next)));
	soon_completions_free(set);
}

static void act(struct rng *rng, unsigned n)
{
	struct item *it = &items[rng_below(rng, n)];
	int rc;

	switch (rng_below(rng, 8)) {
	case 0:
	case 1:
		rc = soon_future_cancel(it->f);
		expect(rc == 0 || rc == EBUSY || rc == EALREADY);
		expect(rc == 0 || atomic_load(&it->cancelled) == 0);
		if (rc == 0)
			atomic_fetch_add(&it->cancelled, 1);
		break;
	case 2:
		rc = soon_future_wait(it->f, short_time(rng));
		expect(rc == 0 || rc == ETIMEDOUT);
		break;
	case 3:
		read_one(it, short_time(rng));
		break;
	case 4:
		if (soon_future_on_done(it->f, count_call, it) == 0)
			atomic_fetch_add(&it->registered, 1);
		break;
	case 5:
		if (soon_future_take(it->f) != NULL)
			atomic_fetch_add(&it->taken, 1);
		break;
	case 6:
		soon_future_unref(soon_future_ref(it->f));
		break;
	default:
		wait_for_some(rng, n);
	}
}

static void *act_much(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));

	for (int i = 0; i < ACTIONS; i++) {
		/* Those below n have their future. */
		unsigned n = atomic_load(&published);

		if (n > 0)
			act(&rng, n);
		else
			sched_yield();
	}
	return NULL;
}

/* Submit jobs from..to-1 alone or together. */
static void submit_some(soon_executor *e, unsigned from, unsigned to)
{
	const soon_job each = { .size = sizeof(each),
				.fn = work,
				.free_arg = free_arg,
				.free_result = free_result };
	soon_future *f[8];
	void *args[8] = { NULL };

	for (unsigned i = from; i < to; i++)
		args[i - from] = &items[i];
	ck_assert_int_eq(soon_submit_many(e, &each, args, to - from, f), 0);
	for (unsigned i = from; i < to; i++)
		atomic_store(&items[i].f, f[i - from]);
}

static void submit_all(soon_executor *e, struct rng *rng)
{
	for (unsigned from = 0, to; from < JOBS; from = to) {
		to = from + 1 + rng_below(rng, 8);
		to = to < JOBS ? to : JOBS;
		for (unsigned i = from; i < to; i++) {
			items[i].kind = (enum kind)rng_below(rng, KINDS);
			/* Within a batch the previous has no future yet. */
			if (i > from && items[i].kind == WAIT_FOR_PREVIOUS)
				items[i].kind = SUCCEED;
		}
		submit_some(e, from, to);
		atomic_store(&published, to);
	}
}

static void check_item(struct item *it, bool cancelled_by_shutdown)
{
	bool ran = atomic_load(&it->ran) == 1;
	bool cancelled = soon_future_state(it->f) == SOON_CANCELLED;
	unsigned called = atomic_load(&it->called);
	unsigned taken = atomic_load(&it->taken);

	ck_assert(soon_future_done(it->f));
	ck_assert_uint_le(atomic_load(&it->ran), 1);
	ck_assert_int_ne(ran, cancelled);
	if (!cancelled_by_shutdown)
		ck_assert_int_eq(atomic_load(&it->cancelled) > 0, cancelled);
	else if (atomic_load(&it->cancelled) > 0)
		ck_assert(cancelled);
	ck_assert_uint_eq(atomic_load(&it->arg_freed), 1);
	ck_assert_uint_eq(called, atomic_load(&it->registered));
	ck_assert_uint_le(taken, ran && it->kind != FAIL);
	ck_assert_uint_eq(atomic_load(&it->result_freed), 0);
	if (ran)
		ck_assert_int_eq(soon_future_error(it->f),
				 it->kind == FAIL ? EIO : 0);
	soon_future_unref(it->f);
	ck_assert_uint_eq(atomic_load(&it->result_freed),
			  ran && it->kind != FAIL && taken == 0);
	ck_assert_uint_eq(atomic_load(&it->arg_freed), 1);
	ck_assert_uint_eq(atomic_load(&it->called), called);
}

static void clear_items(void)
{
	for (int i = 0; i < JOBS; i++) {
		struct item *it = &items[i];

		atomic_store(&it->f, NULL);
		atomic_store(&it->ran, 0);
		atomic_store(&it->arg_freed, 0);
		atomic_store(&it->result_freed, 0);
		atomic_store(&it->registered, 0);
		atomic_store(&it->called, 0);
		atomic_store(&it->taken, 0);
		atomic_store(&it->cancelled, 0);
	}
	atomic_store(&published, 0);
	atomic_store(&wrong, 0);
}

START_TEST(each_job_runs_or_is_cancelled_once)
{
	struct rng rng = rng_seed((uint64_t)_i);
	soon_executor *e = pool_of(1 + rng_below(&rng, 3));
	struct actor actors[ACTORS];
	bool cancel = rng_below(&rng, 2) == 0;

	clear_items();
	for (int i = 0; i < ACTORS; i++)
		actor_start(&actors[i], act_much, box(_i * ACTORS + i));
	submit_all(e, &rng);
	if (cancel)
		ck_assert_int_eq(soon_executor_shutdown(e, SOON_CANCEL_PENDING,
							SOON_FOREVER),
				 0);
	for (int i = 0; i < ACTORS; i++)
		actor_join(&actors[i]);
	soon_executor_free(e);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	for (int i = 0; i < JOBS; i++)
		check_item(&items[i], cancel);
}
END_TEST

static void *cancel_it(void *arg)
{
	struct item *it = arg;
	int rc;

	/* Together, as near as threads come. */
	while (atomic_load(&published) == 0)
		sched_yield();
	rc = soon_future_cancel(it->f);
	expect(rc == 0 || rc == EBUSY || rc == EALREADY);
	if (rc == 0)
		atomic_fetch_add(&it->cancelled, 1);
	return NULL;
}

/* Several cancel one job while the worker is about to start it. */
START_TEST(of_several_who_cancel_all_or_none_succeed)
{
	soon_executor *e = pool_of(1);
	struct item *it = &items[0];

	for (unsigned round = 0; round < test_scale(300); round++) {
		struct actor actors[2];

		clear_items();
		it->kind = SUCCEED;
		for (int i = 0; i < 2; i++)
			actor_start(&actors[i], cancel_it, it);
		submit_some(e, 0, 1);
		ck_assert_int_eq(soon_future_on_done(it->f, count_call, it), 0);
		atomic_fetch_add(&it->registered, 1);
		atomic_store(&published, 1);
		for (int i = 0; i < 2; i++)
			actor_join(&actors[i]);
		ck_assert_int_eq(soon_future_wait(it->f, SOON_FOREVER), 0);
		ck_assert_uint_eq(atomic_load(&wrong), 0);
		ck_assert_uint_eq(atomic_load(&it->arg_freed), 1);
		if (atomic_load(&it->ran) == 1)
			ck_assert_uint_eq(atomic_load(&it->cancelled), 0);
		else
			ck_assert_uint_eq(atomic_load(&it->cancelled), 2);
		soon_future_unref(it->f);
	}
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stress_cancel");
	TCase *t = tcase_create("stress");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, each_job_runs_or_is_cancelled_once, 0,
			    (int)test_scale(25));
	tcase_add_test(t, of_several_who_cancel_all_or_none_succeed);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
