/*
 * test_ptrset.c - the set of pointers, against an array of what is in it.
 */
#include "support/support.h"

#include "ptrset.h"

#include <errno.h>

#define MOST 600

static struct sooni_ptrset set;

/* Of so many pointers each is in the set or not. */
static const void *pointers[MOST];
static bool in[MOST];
static unsigned universe;
static size_t members;

/* Distinct pointers, never followed: neighbours, far apart, or any at all. */
static void choose_pointers(struct rng *rng, unsigned n)
{
	static const unsigned strides[] = { 1, 8, 64, 4096, 1u << 20 };
	uint64_t stride = strides[rng_below(rng, COUNT_OF(strides))];
	uint64_t start = rng_next(rng) >> 20;

	if (rng_below(rng, 3) == 0)
		stride = rng_next(rng) | 1;
	universe = n;
	members = 0;
	for (unsigned i = 0; i < n; i++) {
		pointers[i] = (const void *)(uintptr_t)(start + 1 + i * stride);
		in[i] = false;
	}
}

static void add(unsigned i)
{
	ck_assert_int_eq(sooni_ptrset_reserve(&set), 0);
	ck_assert_int_eq(sooni_ptrset_add(&set, pointers[i]), !in[i]);
	members += !in[i];
	in[i] = true;
}

static void drop(unsigned i)
{
	sooni_ptrset_remove(&set, pointers[i]);
	members -= in[i];
	in[i] = false;
}

/* What is in the set is in it, and nothing else. */
static void expect_model(void)
{
	ck_assert_uint_eq(set.count, members);
	ck_assert_uint_le(2 * set.count, set.mask + 1);
	for (unsigned i = 0; i < universe; i++) {
		bool was_in = in[i];

		add(i);
		if (!was_in)
			drop(i);
		ck_assert_uint_eq(set.count, members);
	}
}

/* A history in which at most so many are in the set at once. */
static void live(struct rng *rng, unsigned steps, unsigned most)
{
	for (; steps > 0; steps--) {
		unsigned i = rng_below(rng, universe);

		if (members < most && rng_below(rng, 5) < 3)
			add(i);
		else
			drop(i);
		ck_assert_uint_eq(set.count, members);
		if (steps % 64 == 0)
			expect_model();
	}
	expect_model();
}

/* Eight of sixteen slots: long runs, often across the end of the table. */
START_TEST(a_small_full_set_agrees_with_an_array)
{
	struct rng rng = rng_seed((uint64_t)_i);
	size_t mask;

	choose_pointers(&rng, 7 + rng_below(&rng, 20));
	ck_assert_int_eq(sooni_ptrset_init(&set, 0), 0);
	mask = set.mask;
	live(&rng, test_scale(4000), 7);
	ck_assert_uint_eq(set.mask, mask);
	sooni_ptrset_fini(&set);
}
END_TEST

START_TEST(a_set_that_grows_agrees_with_an_array)
{
	struct rng rng = rng_seed((uint64_t)_i);

	choose_pointers(&rng, 100 + rng_below(&rng, MOST - 100));
	ck_assert_int_eq(sooni_ptrset_init(&set, 0), 0);
	live(&rng, test_scale(4000), universe);
	sooni_ptrset_fini(&set);
}
END_TEST

START_TEST(there_is_room_for_as_many_as_were_asked_for)
{
	struct rng rng = rng_seed((uint64_t)_i);

	choose_pointers(&rng, MOST);
	for (unsigned n = 0; n <= MOST; n += 1 + n / 4) {
		const void **slots;

		ck_assert_int_eq(sooni_ptrset_init(&set, n), 0);
		slots = set.slots;
		members = 0;
		for (unsigned i = 0; i < n; i++) {
			in[i] = false;
			add(i);
		}
		ck_assert_ptr_eq(set.slots, slots);
		for (unsigned i = 0; i < n; i++)
			drop(i);
		ck_assert_uint_eq(set.count, 0);
		sooni_ptrset_fini(&set);
	}
}
END_TEST

START_TEST(more_than_the_memory_could_hold_is_refused)
{
	ck_assert_int_eq(sooni_ptrset_init(&set, SIZE_MAX), ENOMEM);
	ck_assert_int_eq(sooni_ptrset_init(&set, SIZE_MAX / 2), ENOMEM);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ptrset");
	TCase *t = tcase_create("ptrset");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_small_full_set_agrees_with_an_array, 0, 12);
	tcase_add_loop_test(t, a_set_that_grows_agrees_with_an_array, 0, 6);
	tcase_add_loop_test(t, there_is_room_for_as_many_as_were_asked_for, 0,
			    4);
	tcase_add_test(t, more_than_the_memory_could_hold_is_refused);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
