/*
 * stress_imap.c - maps over a source, in pools of all kinds, that are read in all
 * ways and given up at any point: everything comes in order, and is freed once.
 */
#include "support/bounded.h"
#include "support/source.h"

#include <errno.h>
#include <sched.h>

#define N 300

static struct item items[N];
static struct drawn from;
static soon_executor *pool;
static atomic_bool stop;

static void open_pool(struct rng *rng)
{
	enum soon_overflow when_full = (enum soon_overflow)rng_below(rng, 3);

	pool = rng_below(rng, 3) == 0
		       ? pool_of(1 + rng_below(rng, 3))
		       : bounded_pool(1 + rng_below(rng, 5), when_full, 0);
}

/* Others want a place in the queue, too. */
static void *crowd(void *unused)
{
	while (!atomic_load(&stop)) {
		soon_execute(pool, return_null, NULL);
		sched_yield();
	}
	return unused;
}

/* What came is item i, or what kept it from coming. */
static bool is_right(int rc, soon_future *f, size_t i)
{
	struct item *item = &items[i];

	if (rc == from.code && f == NULL)
		return from.nth > 0 && i % from.nth == from.nth - 1;
	if (rc == EAGAIN && f == NULL)
		return atomic_load(&item->ran) == 0;
	return rc == 0 && soon_future_error(f) == item->fails &&
	       atomic_load(&item->ran) == 1;
}

/* So many, in ways of chance. */
static void take(soon_imap *m, size_t n, struct rng *rng)
{
	static const soon_nsec limits[] = { 0, 1, 20 * SOON_USEC,
					    SOON_FOREVER };
	soon_future *f;

	for (size_t i = 0; i < n;) {
		soon_nsec limit = limits[rng_below(rng, COUNT_OF(limits))];
		int rc = soon_imap_next(m, limit, &f);

		if (rc == ETIMEDOUT && limit != SOON_FOREVER)
			continue;
		if (!is_right(rc, f, i))
			ck_abort_msg("%d in place of %zu", rc, i);
		i++;
	}
	if (n == N)
		ck_assert_int_eq(soon_imap_next(m, SOON_FOREVER, &f), ENODATA);
}

/* All drawn arguments were freed once, and so were the results. */
static void expect_freed(void)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < N; i++) {
		bool drawn = i < from.calls &&
			     (from.nth == 0 || i % from.nth != from.nth - 1);
		unsigned ran = atomic_load(&items[i].ran);

		wrong += atomic_load(&items[i].arg_freed) != drawn;
		wrong += ran > drawn;
		wrong += atomic_load(&items[i].result_freed) !=
			 (items[i].fails == 0 ? ran : 0);
	}
	ck_assert_uint_eq(wrong, 0);
}

START_TEST(everything_comes_in_order_and_is_freed_once)
{
	struct rng rng = rng_seed((uint64_t)_i);
	bool is_crowded = rng_below(&rng, 2) == 0;
	struct actor other;
	soon_imap *m;

	items_init(items, NULL, N);
	for (int i = 0; i < N; i++)
		items[i].fails = rng_below(&rng, 5) == 0 ? EIO : 0;
	from = (struct drawn){ .items = items, .n = N, .code = EPROTO };
	from.nth = rng_below(&rng, 2) == 0 ? 0 : 1 + rng_below(&rng, 20);
	open_pool(&rng);
	atomic_store(&stop, !is_crowded);
	actor_start(&other, crowd, NULL);
	m = must_imap(pool, &from, 1 + rng_below(&rng, 40));
	take(m, rng_below(&rng, 3) == 0 ? N : rng_below(&rng, N), &rng);
	soon_imap_free(m);
	atomic_store(&stop, true);
	actor_join(&other);
	soon_executor_free(pool);
	expect_freed();
}
END_TEST

static Suite *imap_suite(void)
{
	Suite *s = suite_create("stress_imap");
	TCase *tc = tcase_create("stress_imap");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, everything_comes_in_order_and_is_freed_once, 0,
			    (int)test_scale(150));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(imap_suite());
}
