/*
 * test_moments.c - when the items of a queue came, about.
 */
#include "moments.h"

#include "support/support.h"

#include <stdatomic.h>

static struct sooni_moments m;

static void setup(void)
{
	sooni_moments_init(&m);
}

/* As a queue's owner does: n pushes, the i-th at the time of its place; what
 * lies before `gone` is taken by then. */
static void push(int64_t from, int64_t to, int64_t gone)
{
	for (int64_t i = from; i < to; i++)
		if (i + 1 >= m.next)
			sooni_moments_note(&m, i + 1, gone, i + 1);
}

/* Each item comes at the time of its place: so what is said of it must not be
 * later, nor earlier by more than this. */
static void expect_all(int64_t from, int64_t to, int64_t precision)
{
	unsigned wrong = 0;

	for (int64_t i = from; i < to; i++) {
		int64_t when = sooni_moments_before(&m, i);

		wrong += when > i || when < i - precision;
	}
	ck_assert_uint_eq(wrong, 0);
}

START_TEST(nothing_is_known_of_the_first)
{
	ck_assert_int_eq(sooni_moments_before(&m, 0), 0);
	ck_assert_int_eq(sooni_moments_before(&m, INT64_MAX), 0);
	push(0, SOONI_MOMENT_PUSHES - 1, 0);
	ck_assert_int_eq(sooni_moments_before(&m, INT64_MAX), 0);
}
END_TEST

START_TEST(what_is_begun_anew_knows_nothing)
{
	push(0, SOONI_MOMENT_PUSHES * SOONI_MOMENTS, 0);
	sooni_moments_init(&m);
	ck_assert_int_eq(sooni_moments_before(&m, INT64_MAX), 0);
}
END_TEST

START_TEST(an_item_came_no_earlier_than_the_moment_before_it)
{
	int64_t n = SOONI_MOMENT_PUSHES * SOONI_MOMENTS;

	push(0, n, 0);
	expect_all(0, n, SOONI_MOMENT_PUSHES);
}
END_TEST

START_TEST(a_long_queue_is_known_to_a_sixteenth)
{
	for (int64_t n = SOONI_MOMENT_PUSHES; n < 100000; n = n * 3 / 2) {
		sooni_moments_init(&m);
		push(0, n, 0);
		expect_all(0, n, n / 16 + SOONI_MOMENT_PUSHES);
	}
}
END_TEST

START_TEST(a_queue_that_is_kept_short_is_known_well_for_ever)
{
	int64_t length = 100;

	push(0, 100000, 0); /* was long once */
	for (int64_t i = 100000; i < 300000; i++) {
		push(i, i + 1, i + 1 - length);
		if (i > 200000 && i % 97 == 0)
			expect_all(i + 1 - length, i + 1, SOONI_MOMENT_PUSHES);
	}
}
END_TEST

START_TEST(many_pushed_at_once_share_a_moment)
{
	sooni_moments_note(&m, 1000, 0, 7);
	ck_assert_int_eq(sooni_moments_before(&m, 999), 0);
	ck_assert_int_eq(sooni_moments_before(&m, 1000), 7);
	ck_assert_int_eq(m.next, 1000 + SOONI_MOMENT_PUSHES);
	sooni_moments_note(&m, 1001, 0, 8);
	ck_assert_int_eq(sooni_moments_before(&m, 5000), 7);
}
END_TEST

static atomic_bool done;
static _Atomic int64_t pushed;

static void *keep_pushing(void *arg)
{
	for (int64_t i = 0; !atomic_load(&done); i++) {
		push(i, i + 1, i > 500 ? i - 500 : 0);
		atomic_store(&pushed, i);
	}
	return arg;
}

START_TEST(a_reader_is_never_told_too_late_a_time)
{
	struct actor owner;
	unsigned wrong = 0;

	atomic_store(&done, false);
	atomic_store(&pushed, 0);
	actor_start(&owner, keep_pushing, NULL);
	for (unsigned i = 0; i < test_scale(200000); i++) {
		int64_t place = atomic_load(&pushed);

		wrong += sooni_moments_before(&m, place) > place;
		wrong += sooni_moments_before(&m, place / 2) > place / 2;
	}
	atomic_store(&done, true);
	actor_join(&owner);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("moments");
	TCase *t = tcase_create("moments");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, nothing_is_known_of_the_first);
	tcase_add_test(t, what_is_begun_anew_knows_nothing);
	tcase_add_test(t, an_item_came_no_earlier_than_the_moment_before_it);
	tcase_add_test(t, a_long_queue_is_known_to_a_sixteenth);
	tcase_add_test(t, a_queue_that_is_kept_short_is_known_well_for_ever);
	tcase_add_test(t, many_pushed_at_once_share_a_moment);
	tcase_add_test(t, a_reader_is_never_told_too_late_a_time);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
