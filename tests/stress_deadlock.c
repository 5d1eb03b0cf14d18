/*
 * stress_deadlock.c - jobs that wait for each other by chance: everything ends,
 * and only those are told that could never have gone on.
 */
#include "support/ring.h"

#include <errno.h>
#include <sched.h>

/* Who waits for whom. */
struct node {
	enum way way;
	unsigned member[4]; /* numbers of jobs */
	unsigned n;
	bool timed;
	unsigned yields; /* before it waits */
	int rc;
};

static struct node nodes[MOST];
static unsigned count;

static void *wait_for_members(void *arg)
{
	struct node *node = arg;
	soon_future *f[COUNT_OF(node->member)];

	gate_pass(&start);
	for (unsigned i = 0; i < node->yields; i++)
		sched_yield();
	for (unsigned i = 0; i < node->n; i++)
		f[i] = job[node->member[i]];
	node->rc = node->n == 0 ? 0
				: wait_by(node->way, f, node->n,
					  node->timed ? 50 * SOON_USEC
						      : SOON_FOREVER);
	return node;
}

/* The waits that need one only; no job fails here. */
static bool needs_one(const struct node *node)
{
	return node->way == ANY || node->way == FIRST_COMPLETED ||
	       node->way == SET;
}

static bool is_stuck(const struct node *node, unsigned stuck)
{
	/* These wait for the first alone. */
	unsigned n = node->way <= RESULT && node->n > 0 ? 1 : node->n;
	unsigned those = 0;

	for (unsigned i = 0; i < n; i++)
		those += stuck >> node->member[i] & 1;
	if (node->timed || n == 0)
		return false;
	return needs_one(node) ? those == n : those > 0;
}

/* A bit for each job that can never be done unless somebody is told. */
static unsigned stuck_jobs(void)
{
	unsigned stuck = (1U << count) - 1, before;

	do {
		before = stuck;
		for (unsigned i = 0; i < count; i++)
			if (!is_stuck(&nodes[i], stuck))
				stuck &= ~(1U << i);
	} while (stuck != before);
	return stuck;
}

/* Any job may wait for any, or only for those with a lower number. */
static void draw(struct rng *rng, bool acyclic)
{
	for (unsigned i = 0; i < count; i++) {
		struct node *node = &nodes[i];
		unsigned others = acyclic ? i : count;

		*node = (struct node){ .way = (enum way)rng_below(rng, WAYS) };
		node->timed = rng_below(rng, 8) == 0;
		node->yields = rng_below(rng, 8);
		if (others > 0 && rng_below(rng, 8) > 0)
			node->n = 1 + rng_below(rng, COUNT_OF(node->member));
		for (unsigned k = 0; k < node->n; k++)
			node->member[k] = rng_below(rng, others);
	}
}

/* Run them, in pools of n threads; held: all begin before the first waits. */
static void run(unsigned n, bool held)
{
	for (int i = 0; i < POOLS; i++)
		ring_pool[i] = pool_of(n);
	gate_init(&start);
	if (!held)
		gate_open(&start);
	for (unsigned i = 0; i < count; i++)
		job[i] = submit(ring_pool[i % POOLS], wait_for_members,
				&nodes[i]);
	if (held)
		gate_await(&start, count);
	gate_open(&start);
	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(soon_future_wait(job[i], SOON_FOREVER), 0);
	for (int i = 0; i < POOLS; i++)
		soon_executor_free(ring_pool[i]);
	unref_n(job, count);
	gate_fini(&start);
}

START_TEST(only_who_could_never_go_on_is_told)
{
	struct rng rng = rng_seed((uint64_t)_i);

	for (unsigned round = 0; round < test_scale(20); round++) {
		unsigned stuck, told = 0;

		count = 2 + rng_below(&rng, MOST - 1);
		draw(&rng, false);
		stuck = stuck_jobs();
		run(MOST, true);
		for (unsigned i = 0; i < count; i++)
			told |= (unsigned)(nodes[i].rc == EDEADLK) << i;
		ck_assert_msg((told & ~stuck) == 0 &&
				      (told != 0) == (stuck != 0),
			      "stuck %#x, told %#x, seed %d, round %u", stuck,
			      told, _i, round);
	}
}
END_TEST

START_TEST(a_ring_is_always_found)
{
	struct rng rng = rng_seed((uint64_t)_i + 1000);

	for (unsigned round = 0; round < test_scale(20); round++) {
		unsigned told = 0;

		count = 1 + rng_below(&rng, MOST);
		draw(&rng, true);
		for (unsigned i = 0; i < count; i++) {
			nodes[i].timed = false;
			nodes[i].n = 1;
			nodes[i].member[0] = (i + 1) % count;
		}
		run(MOST, true);
		for (unsigned i = 0; i < count; i++)
			told += nodes[i].rc == EDEADLK;
		ck_assert_uint_eq(told, 1);
	}
}
END_TEST

/* Also on few threads, where who waits runs what it waits for. */
START_TEST(without_a_ring_nobody_is_told)
{
	struct rng rng = rng_seed((uint64_t)_i + 2000);

	for (unsigned round = 0; round < test_scale(20); round++) {
		count = MOST;
		draw(&rng, true);
		run(1 + rng_below(&rng, 3), false);
		for (unsigned i = 0; i < count; i++)
			ck_assert_int_ne(nodes[i].rc, EDEADLK);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stress_deadlock");
	TCase *t = tcase_create("stress_deadlock");
	int seeds = (int)test_scale(10);

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, only_who_could_never_go_on_is_told, 0, seeds);
	tcase_add_loop_test(t, a_ring_is_always_found, 0, seeds);
	tcase_add_loop_test(t, without_a_ring_nobody_is_told, 0, seeds);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
