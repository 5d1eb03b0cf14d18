/*
 * stress_hooks.c - hooks pushed and taken off while many cancel their job.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

enum { HOOKS = 200, CANCELLERS = 4 };

static atomic_int runs[HOOKS];

static soon_executor *pool;
static struct gate gate;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
	for (int i = 0; i < HOOKS; i++)
		atomic_store(&runs[i], 0);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
}

static void count(void *number)
{
	atomic_fetch_add(&runs[unbox(number)], 1);
}

/* Pushes and pops at random; how often a popped hook ran after its pop. */
static void *push_and_pop(void *seed)
{
	struct rng r = rng_seed((uint64_t)unbox(seed));
	int popped[HOOKS], stack[HOOKS];
	int top = 0, pushed = 0;
	long wrong = 0;

	for (int i = 0; i < HOOKS; i++)
		popped[i] = -1;
	gate_pass(&gate);
	while (pushed < HOOKS) {
		if (top > 0 && rng_below(&r, 3) == 0) {
			soon_off_cancel();
			top--;
			popped[stack[top]] = atomic_load(&runs[stack[top]]);
		} else {
			wrong += soon_on_cancel(count, box(pushed)) != 0;
			stack[top++] = pushed++;
		}
	}
	/* The oldest runs last, if it is not off. */
	while (top > 0 && atomic_load(&runs[stack[0]]) == 0)
		sched_yield();
	for (; top > 0; top--) {
		soon_off_cancel();
		wrong += atomic_load(&runs[stack[top - 1]]) != 1;
	}
	for (int i = 0; i < HOOKS; i++)
		wrong += popped[i] >= 0 && popped[i] != atomic_load(&runs[i]);
	return box(wrong);
}

struct canceller {
	soon_future *f;
	uint64_t seed;
};

static void *cancel_at_random(void *arg)
{
	struct canceller *c = arg;
	struct rng r = rng_seed(c->seed);

	gate_pass(&gate);
	for (volatile unsigned i = rng_below(&r, 20000); i > 0; i--)
		;
	return box(soon_future_cancel(c->f));
}

START_TEST(of_many_cancellers_one_runs_each_hook_once)
{
	struct canceller c[CANCELLERS];
	struct actor actors[CANCELLERS];
	soon_future *f;
	void *result = NULL;

	f = submit(pool, push_and_pop, box(_i + 1));
	for (int i = 0; i < CANCELLERS; i++) {
		c[i].f = f;
		c[i].seed = (uint64_t)(_i * CANCELLERS + i);
		actor_start(&actors[i], cancel_at_random, &c[i]);
	}
	gate_await(&gate, CANCELLERS + 1);
	gate_open(&gate);
	for (int i = 0; i < CANCELLERS; i++) {
		int rc = (int)unbox(actor_join(&actors[i]));

		ck_assert(rc == EBUSY || rc == EALREADY);
	}
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_int_eq((int)unbox(result), 0);
	for (int i = 0; i < HOOKS; i++)
		ck_assert_int_le(atomic_load(&runs[i]), 1);
	soon_future_unref(f);
}
END_TEST

static Suite *hooks_suite(void)
{
	Suite *s = suite_create("stress_hooks");
	TCase *tc = tcase_create("hooks");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, of_many_cancellers_one_runs_each_hook_once, 0,
			    (int)test_scale(200));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(hooks_suite());
}
