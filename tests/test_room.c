/*
 * test_room.c - places, and the line of those who wait for some.
 */
#include "room.h"

#include "support/support.h"

static struct sooni_room room;

enum { MOST = 4, ANSWER = SOONI_ADMITTED | SOONI_REFUSED };

static void setup(void)
{
	sooni_room_init(&room, MOST);
}

static void teardown(void)
{
	sooni_room_fini(&room);
}

static uint32_t answer_to(struct sooni_asker *a)
{
	return atomic_load(&a->word) & ANSWER;
}

static uint32_t await_answer(struct sooni_asker *a)
{
	sooni_sleep(&a->word, ANSWER, 0, INT64_MAX);
	return answer_to(a);
}

static uint64_t places_taken(void)
{
	return atomic_load(&room.taken) >> 1;
}

START_TEST(there_are_so_many_places_and_no_more)
{
	for (uint64_t i = 0; i < MOST; i++) {
		ck_assert_uint_eq(places_taken(), i);
		ck_assert(sooni_room_take(&room, 1));
	}
	ck_assert(!sooni_room_take(&room, 1));
	sooni_room_leave(&room, 2);
	ck_assert(!sooni_room_take(&room, 3));
	ck_assert(sooni_room_take(&room, 2));
	ck_assert_uint_eq(places_taken(), MOST);
	sooni_room_leave(&room, MOST);
	ck_assert_uint_eq(places_taken(), 0);
}
END_TEST

START_TEST(more_than_there_can_be_never_fit)
{
	ck_assert(!sooni_room_take(&room, MOST + 1));
	ck_assert(!sooni_room_take(&room, UINT64_MAX));
	ck_assert(!sooni_room_take(&room, UINT64_MAX / 2 + 1));
	ck_assert(sooni_room_take(&room, MOST));
}
END_TEST

START_TEST(places_may_be_taken_beyond_those_there_are)
{
	ck_assert(sooni_room_take(&room, MOST));
	sooni_room_overfill(&room, 2);
	ck_assert_uint_eq(places_taken(), MOST + 2);
	sooni_room_leave(&room, 2);
	ck_assert(!sooni_room_take(&room, 1));
	sooni_room_leave(&room, 1);
	ck_assert(sooni_room_take(&room, 1));
}
END_TEST

START_TEST(who_lines_up_where_there_is_room_is_admitted_at_once)
{
	struct sooni_asker a;

	ck_assert(sooni_room_take(&room, 1));
	sooni_room_line_up(&room, &a, 3);
	ck_assert_uint_eq(answer_to(&a), SOONI_ADMITTED);
	ck_assert_uint_eq(places_taken(), MOST);
	sooni_room_leave(&room, 1);
	ck_assert(sooni_room_take(&room, 1));
}
END_TEST

START_TEST(the_first_in_line_is_passed_by_nobody)
{
	struct sooni_asker many, one;

	ck_assert(sooni_room_take(&room, MOST));
	sooni_room_line_up(&room, &many, 3);
	sooni_room_line_up(&room, &one, 1);
	sooni_room_leave(&room, 2);
	ck_assert_uint_eq(answer_to(&many), 0);
	ck_assert_uint_eq(answer_to(&one), 0);
	ck_assert(!sooni_room_take(&room, 1));
	sooni_room_leave(&room, 1);
	ck_assert_uint_eq(answer_to(&many), SOONI_ADMITTED);
	ck_assert_uint_eq(answer_to(&one), 0);
	sooni_room_leave(&room, 1);
	ck_assert_uint_eq(answer_to(&one), SOONI_ADMITTED);
	/* The line is empty: others may pass again. */
	sooni_room_leave(&room, 1);
	ck_assert(sooni_room_take(&room, 1));
}
END_TEST

START_TEST(one_leaves_and_as_many_come_as_fit)
{
	struct sooni_asker a[5];

	ck_assert(sooni_room_take(&room, MOST));
	for (size_t i = 0; i < COUNT_OF(a); i++)
		sooni_room_line_up(&room, &a[i], 1);
	sooni_room_leave(&room, 3);
	for (size_t i = 0; i < COUNT_OF(a); i++)
		ck_assert_uint_eq(answer_to(&a[i]), i < 3 ? SOONI_ADMITTED : 0);
	sooni_room_leave(&room, MOST);
	ck_assert_uint_eq(answer_to(&a[4]), SOONI_ADMITTED);
	ck_assert_uint_eq(places_taken(), 2);
}
END_TEST

START_TEST(a_room_that_closes_refuses_all_who_wait_and_who_come)
{
	struct sooni_asker a[3], late;

	ck_assert(sooni_room_take(&room, MOST));
	for (size_t i = 0; i < COUNT_OF(a); i++)
		sooni_room_line_up(&room, &a[i], i + 1);
	sooni_room_close(&room);
	for (size_t i = 0; i < COUNT_OF(a); i++)
		ck_assert_uint_eq(answer_to(&a[i]), SOONI_REFUSED);
	sooni_room_line_up(&room, &late, 1);
	ck_assert_uint_eq(answer_to(&late), SOONI_REFUSED);
	sooni_room_leave(&room, MOST);
	ck_assert_uint_eq(places_taken(), 0);
	sooni_room_close(&room);
}
END_TEST

START_TEST(a_child_of_fork_has_an_empty_room_and_nobody_in_line)
{
	struct sooni_asker a[3];

	ck_assert(sooni_room_take(&room, MOST));
	for (size_t i = 0; i < COUNT_OF(a); i++)
		sooni_room_line_up(&room, &a[i], i + 1);
	sooni_room_after_fork(&room);
	for (size_t i = 0; i < COUNT_OF(a); i++)
		ck_assert_uint_eq(answer_to(&a[i]), SOONI_REFUSED);
	ck_assert_uint_eq(places_taken(), 0);
	ck_assert(sooni_room_take(&room, MOST));
}
END_TEST

enum { GUESTS = 4 };

static _Atomic unsigned inside;
static _Atomic unsigned wrong;

/* Comes with so many as chance has it, and goes again. */
static void *come_and_go(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));
	struct sooni_asker a;

	for (unsigned i = 0; i < test_scale(5000); i++) {
		unsigned n = 1 + rng_below(&rng, MOST);

		if (!sooni_room_take(&room, n)) {
			sooni_room_line_up(&room, &a, n);
			wrong += await_answer(&a) != SOONI_ADMITTED;
		}
		wrong += atomic_fetch_add(&inside, n) + n > MOST;
		atomic_fetch_sub(&inside, n);
		if (rng_below(&rng, 2) == 0)
			sooni_room_leave(&room, n);
		else
			while (n-- > 0)
				sooni_room_leave(&room, 1);
	}
	return NULL;
}

START_TEST(whoever_waits_is_admitted)
{
	struct actor a[GUESTS];

	atomic_store(&inside, 0);
	atomic_store(&wrong, 0);
	for (int i = 0; i < GUESTS; i++)
		actor_start(&a[i], come_and_go, box(_i * GUESTS + i));
	for (int i = 0; i < GUESTS; i++)
		actor_join(&a[i]);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(places_taken(), 0);
	ck_assert(sooni_room_take(&room, MOST));
}
END_TEST

static _Atomic unsigned refused;

static void *come_until_closed(void *unused)
{
	struct sooni_asker a;

	sooni_room_line_up(&room, &a, 2);
	while (await_answer(&a) == SOONI_ADMITTED) {
		sooni_room_leave(&room, 2);
		sooni_room_line_up(&room, &a, 2);
	}
	atomic_fetch_add(&refused, 1);
	return unused;
}

START_TEST(closing_leaves_nobody_waiting)
{
	struct actor a[GUESTS];

	atomic_store(&refused, 0);
	ck_assert(sooni_room_take(&room, (uint64_t)_i % 3));
	for (int i = 0; i < GUESTS; i++)
		actor_start(&a[i], come_until_closed, NULL);
	sooni_room_close(&room);
	for (int i = 0; i < GUESTS; i++)
		actor_join(&a[i]);
	ck_assert_uint_eq(atomic_load(&refused), GUESTS);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("room");
	TCase *t = tcase_create("room");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, there_are_so_many_places_and_no_more);
	tcase_add_test(t, more_than_there_can_be_never_fit);
	tcase_add_test(t, places_may_be_taken_beyond_those_there_are);
	tcase_add_test(t, who_lines_up_where_there_is_room_is_admitted_at_once);
	tcase_add_test(t, the_first_in_line_is_passed_by_nobody);
	tcase_add_test(t, one_leaves_and_as_many_come_as_fit);
	tcase_add_test(t, a_room_that_closes_refuses_all_who_wait_and_who_come);
	tcase_add_test(t, a_child_of_fork_has_an_empty_room_and_nobody_in_line);
	tcase_add_loop_test(t, whoever_waits_is_admitted, 0, 4);
	tcase_add_loop_test(t, closing_leaves_nobody_waiting, 0, 30);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
