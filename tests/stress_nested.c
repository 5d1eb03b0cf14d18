/*
 * stress_nested.c - jobs that wait for jobs that wait, in every way there is,
 * on pools too small for all of them.
 */
#include "support/many.h"

#include <errno.h>

static atomic_uint wrong;
static soon_executor *pools[2];

#define CHILDREN 4

/* A node of a tree of jobs: what chance gives it follows from its seed. */
struct node {
	uint64_t seed;
	unsigned depth;
	atomic_uint ran;
};

static void *tree(void *arg);

/* What tree() counts, without a pool. */
static long size_of_tree(uint64_t seed, unsigned depth)
{
	struct rng rng = rng_seed(seed);
	long size = 1;

	if (depth == 0)
		return 1;
	for (unsigned n = 1 + rng_below(&rng, CHILDREN); n > 0; n--)
		size += size_of_tree(rng_next(&rng), depth - 1);
	return size;
}

/* Wait for all n, in a way that chance picks. */
static int wait_somehow(soon_future **c, unsigned n, struct rng *rng)
{
	soon_nsec limit = rng_below(rng, 2) ? SOON_FOREVER : 50 * SOON_USEC;
	unsigned kind = rng_below(rng, 6);
	soon_completions *set;
	soon_future *next;
	size_t index;
	int rc = 0;

	switch (kind) {
	case 0:
		while ((rc = soon_wait_all(c, n, limit)) == ETIMEDOUT)
			;
		return rc;
	case 1:
		while ((rc = soon_gather(c, n, limit, NULL, NULL)) == ETIMEDOUT)
			;
		return rc;
	case 2:
		for (unsigned i = n; rc == 0 && i > 0; i--)
			rc = soon_wait_any(c, i, SOON_FOREVER, &index);
		return rc != 0 ? rc : soon_wait_all(c, n, SOON_FOREVER);
	case 3:
		set = soon_as_completed(c, n);
		while ((rc = soon_completions_next(set, limit, &next)) == 0 ||
		       rc == ETIMEDOUT)
			;
		soon_completions_free(set);
		return rc == ENODATA ? 0 : rc;
	case 4:
		return soon_wait(c, n, SOON_FIRST_ERROR, SOON_FOREVER, NULL);
	default:
		for (unsigned i = n; rc == 0 && i > 0; i--)
			rc = soon_future_wait(c[i - 1], SOON_FOREVER);
		return rc;
	}
}

static void *tree(void *arg)
{
	struct node *node = arg, child[CHILDREN];
	struct rng rng = rng_seed(node->seed), ways = rng_seed(~node->seed);
	soon_future *c[CHILDREN];
	long size = 1;
	unsigned n;

	if (atomic_fetch_add(&node->ran, 1) != 0)
		atomic_fetch_add(&wrong, 1);
	if (node->depth == 0)
		return box(1);
	n = 1 + rng_below(&rng, CHILDREN);
	for (unsigned i = 0; i < n; i++) {
		child[i].seed = rng_next(&rng);
		child[i].depth = node->depth - 1;
		atomic_init(&child[i].ran, 0);
		c[i] = soon_submit(pools[rng_below(&ways, 2)], tree, &child[i]);
	}
	if (wait_somehow(c, n, &ways) != 0)
		atomic_fetch_add(&wrong, 1);
	for (unsigned i = 0; i < n; i++) {
		size += unbox(soon_future_take(c[i]));
		soon_future_unref(c[i]);
	}
	return box(size);
}

/* Two small pools, whose jobs wait for each other's. */
START_TEST(jobs_may_wait_for_their_children_in_every_way)
{
	struct rng rng = rng_seed((uint64_t)_i);

	atomic_store(&wrong, 0);
	for (unsigned round = 0; round < test_scale(20); round++) {
		struct node root = { rng_next(&rng), 1 + round % 6, 0 };
		void *size = NULL;
		soon_future *top;

		pools[0] = pool_of(1);
		pools[1] = pool_of(1 + rng_below(&rng, 3));
		top = submit(pools[0], tree, &root);
		ck_assert_int_eq(soon_future_result(top, SOON_FOREVER, &size),
				 0);
		ck_assert_int_eq(unbox(size),
				 size_of_tree(root.seed, root.depth));
		ck_assert_uint_eq(atomic_load(&wrong), 0);
		soon_future_unref(top);
		soon_executor_free(pools[0]);
		soon_executor_free(pools[1]);
	}
}
END_TEST

static Suite *nested_suite(void)
{
	Suite *s = suite_create("stress_nested");
	TCase *tc = tcase_create("stress_nested");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, jobs_may_wait_for_their_children_in_every_way,
			    0, (int)test_scale(6));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(nested_suite());
}
