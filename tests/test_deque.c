/*
 * test_deque.c - one owner, many thieves: every item is taken exactly once.
 */
#include "support/support.h"

#include "deque.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THIEVES 3
#define MODEL 4000

struct item {
	atomic_uint taken;
};

static struct sooni_deque deque;
static struct item *items;
static unsigned nitems;

static void setup(void)
{
	nitems = test_scale(20000);
	if (nitems < MODEL)
		nitems = MODEL;
	items = calloc(nitems, sizeof(*items));
	ck_assert_ptr_nonnull(items);
	ck_assert_int_eq(sooni_deque_init(&deque), 0);
}

static void teardown(void)
{
	sooni_deque_fini(&deque);
	free(items);
}

/* Items from..from+n-1, in one step. */
static int push(unsigned from, unsigned n)
{
	struct item *batch[512];

	if (n == 1)
		return sooni_deque_push_one(&deque, &items[from]);
	for (unsigned i = 0; i < n; i++)
		batch[i] = &items[from + i];
	return sooni_deque_push(&deque, batch, n);
}

/* Usually few, sometimes more than a ring holds. */
static unsigned batch_size(struct rng *rng, unsigned left)
{
	unsigned n = 1 + rng_below(rng, rng_below(rng, 8) == 0 ? 300 : 4);

	return n < left ? n : left;
}

START_TEST(an_empty_deque_gives_nothing)
{
	int64_t seen = 0;

	for (int round = 0; round < 3; round++) {
		ck_assert(sooni_deque_is_empty(&deque));
		ck_assert_ptr_null(sooni_deque_take(&deque));
		ck_assert_ptr_null(sooni_deque_take_pushed(&deque, &seen));
		ck_assert(!sooni_deque_pop_if(&deque, &items[0]));
		ck_assert(!sooni_deque_take_if(&deque, &items[0]));
		ck_assert_int_eq(push(0, 1), 0);
		ck_assert(!sooni_deque_is_empty(&deque));
		if (round == 0)
			ck_assert(sooni_deque_pop_if(&deque, &items[0]));
		else
			ck_assert(sooni_deque_take_if(&deque, &items[0]));
	}
}
END_TEST

START_TEST(one_taker_gets_the_items_in_order)
{
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned pushed = 0, taken = 0;
	int64_t seen = 0;

	while (taken < nitems) {
		unsigned n = batch_size(&rng, nitems - pushed);

		ck_assert_int_eq(push(pushed, n), 0);
		pushed += n;
		for (n = batch_size(&rng, pushed - taken); n > 0; n--) {
			void *item =
				_i % 2 ? sooni_deque_take(&deque)
				       : sooni_deque_take_pushed(&deque, &seen);

			ck_assert_ptr_eq(item, &items[taken++]);
		}
		ck_assert_int_eq(sooni_deque_is_empty(&deque), taken == pushed);
	}
	ck_assert_ptr_null(sooni_deque_take_pushed(&deque, &seen));
}
END_TEST

/* What should be in the deque: numbers of items, the oldest at `top`. */
static unsigned model[MODEL];
static unsigned top, bottom;

/* One that is there, wherever it is; or one that is not. */
static void *any_item(struct rng *rng)
{
	unsigned at = top;

	if (bottom > top)
		at += rng_below(rng, bottom - top);
	return &items[rng_below(rng, 4) > 0 && bottom > top ? model[at] : 0];
}

static void step(struct rng *rng, unsigned *next)
{
	unsigned how = rng_below(rng, 8);
	void *oldest = top < bottom ? &items[model[top]] : NULL;
	void *newest = top < bottom ? &items[model[bottom - 1]] : NULL;
	void *any = any_item(rng);

	if (how < 3) {
		unsigned n = batch_size(rng, MODEL - bottom);

		ck_assert_int_eq(n == 0 ? 0 : push(*next, n), 0);
		while (n-- > 0)
			model[bottom++] = (*next)++;
	} else if (how == 3) {
		ck_assert_ptr_eq(sooni_deque_take(&deque), oldest);
		top += oldest != NULL;
	} else if (how < 6) {
		any = how == 4 && oldest != NULL ? oldest : any;
		ck_assert_int_eq(sooni_deque_take_if(&deque, any),
				 any == oldest);
		top += any == oldest;
	} else {
		any = how == 6 && newest != NULL ? newest : any;
		ck_assert_int_eq(sooni_deque_pop_if(&deque, any),
				 any == newest);
		bottom -= any == newest;
	}
	ck_assert_int_eq(sooni_deque_is_empty(&deque), top == bottom);
	ck_assert_uint_eq(sooni_deque_count(&deque), bottom - top);
}

START_TEST(any_history_agrees_with_an_array)
{
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned next = 1; /* item 0 is never in it */

	top = bottom = 0;
	while (next + 300 < nitems && bottom < MODEL)
		step(&rng, &next);
	while (top < bottom)
		ck_assert_ptr_eq(sooni_deque_take(&deque),
				 &items[model[top++]]);
	ck_assert_ptr_null(sooni_deque_take(&deque));
}
END_TEST

/* Thieves that race the owner, which is the main thread. */
struct thief {
	struct actor actor;
	bool only_pushed; /* take_pushed */
	unsigned n;	  /* how many it took */
	unsigned wrong;	  /* not in the order of pushes */
};

static atomic_bool over; /* nothing will be pushed any more */
static atomic_uint owner_wrong;

static void *steal(void *arg)
{
	struct thief *t = arg;
	struct item *last = NULL;
	int64_t seen = 0;

	for (;;) {
		bool was_over = atomic_load(&over);
		void *p = t->only_pushed
				  ? sooni_deque_take_pushed(&deque, &seen)
				  : sooni_deque_take(&deque);
		struct item *item = p;

		if (p == NULL && was_over)
			return NULL;
		if (p == NULL)
			sched_yield();
		if (p == NULL || p == SOONI_DEQUE_RETRY)
			continue;
		atomic_fetch_add(&item->taken, 1);
		t->wrong += last != NULL && item <= last;
		last = item;
		t->n++;
	}
}

/* Start them, let the owner own, and see that each item was taken once. */
static void race(void (*own)(struct rng *rng), unsigned seed, bool only_pushed)
{
	struct rng rng = rng_seed(seed);
	struct thief thieves[THIEVES];
	unsigned wrong = 0;

	atomic_store(&over, false);
	atomic_store(&owner_wrong, 0);
	for (unsigned i = 0; i < THIEVES; i++) {
		thieves[i] = (struct thief){ .only_pushed = only_pushed };
		actor_start(&thieves[i].actor, steal, &thieves[i]);
	}
	own(&rng);
	atomic_store(&over, true);
	for (unsigned i = 0; i < THIEVES; i++) {
		actor_join(&thieves[i].actor);
		ck_assert_uint_eq(thieves[i].wrong, 0);
	}
	for (unsigned i = 0; i < nitems; i++)
		wrong += atomic_load(&items[i].taken) != 1;
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(atomic_load(&owner_wrong), 0);
}

static void owner_pushes(struct rng *rng)
{
	for (unsigned i = 0, n; i < nitems; i += n) {
		n = batch_size(rng, nitems - i);
		ck_assert_int_eq(push(i, n), 0);
	}
}

START_TEST(each_thief_gets_its_items_in_order)
{
	race(owner_pushes, (unsigned)_i, _i % 2);
}
END_TEST

/* The owner goes for the newest, as a worker does for the job it awaits. */
static void owner_pops(struct rng *rng)
{
	unsigned burst = 1 + rng_below(rng, 3) * 40;

	for (unsigned i = 0, n; i < nitems; i += n) {
		n = 1 + rng_below(rng, burst);
		n = n < nitems - i ? n : nitems - i;
		for (unsigned k = 0; k < n; k++)
			ck_assert_int_eq(push(i + k, 1), 0);
		for (unsigned k = n; k-- > 0;)
			if (sooni_deque_pop_if(&deque, &items[i + k]))
				atomic_fetch_add(&items[i + k].taken, 1);
	}
}

START_TEST(each_item_goes_to_its_owner_or_a_thief)
{
	race(owner_pops, (unsigned)_i, false);
}
END_TEST

/* The owner wants one of a batch, and tries both ends. */
static void owner_wants(struct rng *rng)
{
	for (unsigned i = 0, n; i < nitems; i += n) {
		unsigned want;

		n = 1 + rng_below(rng, 3);
		n = n < nitems - i ? n : nitems - i;
		ck_assert_int_eq(push(i, n), 0);
		want = i + rng_below(rng, n);
		if (sooni_deque_pop_if(&deque, &items[want]) ||
		    sooni_deque_take_if(&deque, &items[want]))
			atomic_fetch_add(&items[want].taken, 1);
	}
}

START_TEST(each_item_is_had_once_from_either_end)
{
	race(owner_wants, (unsigned)_i, false);
}
END_TEST

/* Nothing but takes, again and again until some were lost to others. */
enum { MOST_LAPS = 100, ENOUGH_LOST = 20 };

static struct gate start;

static void *take_all(void *unused)
{
	struct item *item;
	long lost = 0;

	(void)unused;
	gate_pass(&start);
	while ((item = sooni_deque_take(&deque)) != NULL)
		if ((void *)item == SOONI_DEQUE_RETRY)
			lost++;
		else
			atomic_fetch_add(&item->taken, 1);
	return box(lost);
}

/* Whoever is told to try again has lost; how many were. */
static long lap(void)
{
	struct actor thieves[THIEVES];
	unsigned failed = 0;
	long lost = 0;

	gate_init(&start);
	for (unsigned i = 0; i < nitems; i++)
		failed += push(i, 1) != 0;
	ck_assert_uint_eq(failed, 0);
	for (unsigned i = 0; i < THIEVES; i++)
		actor_start(&thieves[i], take_all, NULL);
	gate_await(&start, THIEVES);
	gate_open(&start);
	for (unsigned i = 0; i < THIEVES; i++)
		lost += unbox(actor_join(&thieves[i]));
	gate_fini(&start);
	return lost;
}

START_TEST(of_many_takers_one_gets_the_item)
{
	unsigned laps = 0, wrong = 0;
	long lost = 0;

	for (; laps < MOST_LAPS && lost < ENOUGH_LOST; laps++)
		lost += lap();
	for (unsigned i = 0; i < nitems; i++)
		wrong += atomic_load(&items[i].taken) != laps;
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* Of what a taker knows to be pushed it finds all, if nobody else takes. */
static atomic_uint known;

static void *take_known(void *arg)
{
	int64_t seen = 0;
	bool hint = arg != NULL;
	long wrong = 0;

	for (unsigned n = 0; n < nitems;) {
		bool must = n < atomic_load(&known);
		bool empty = sooni_deque_is_empty(&deque);
		void *p = hint ? sooni_deque_take_pushed(&deque, &seen)
			       : sooni_deque_take(&deque);

		wrong += must && (empty || p == NULL);
		wrong += p == SOONI_DEQUE_RETRY || (!empty && p == NULL);
		if (p != NULL)
			wrong += p != &items[n++];
		else
			sched_yield();
	}
	return box(wrong);
}

START_TEST(what_is_known_to_be_pushed_is_found)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct actor taker;

	atomic_store(&known, 0);
	actor_start(&taker, take_known, _i % 2 ? &rng : NULL);
	for (unsigned i = 0, n; i < nitems; i += n) {
		n = batch_size(&rng, nitems - i);
		ck_assert_int_eq(push(i, n), 0);
		atomic_store(&known, i + n);
	}
	ck_assert_int_eq(unbox(actor_join(&taker)), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("deque");
	TCase *t = tcase_create("deque");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, an_empty_deque_gives_nothing);
	tcase_add_loop_test(t, one_taker_gets_the_items_in_order, 0, 4);
	tcase_add_loop_test(t, any_history_agrees_with_an_array, 0, 12);
	tcase_add_loop_test(t, of_many_takers_one_gets_the_item, 0, 2);
	tcase_add_loop_test(t, each_thief_gets_its_items_in_order, 0, 8);
	tcase_add_loop_test(t, each_item_goes_to_its_owner_or_a_thief, 0, 10);
	tcase_add_loop_test(t, each_item_is_had_once_from_either_end, 0, 10);
	tcase_add_loop_test(t, what_is_known_to_be_pushed_is_found, 0, 6);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
