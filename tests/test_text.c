/*
 * test_text.c - text that is composed of pieces.
 */
#include "support/support.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

START_TEST(a_length_of_time_has_three_digits_behind_the_point)
{
	static const struct {
		int64_t nsec;
		const char *text;
	} rows[] = {
		{ 0, "0.000 ms" },
		{ 999, "0.000 ms" },
		{ 1234567, "1.234 ms" },
		{ SOON_SEC - 1, "999.999 ms" },
		{ SOON_SEC, "1.000 s" },
		{ 3600 * SOON_SEC + 5 * SOON_MSEC, "3600.005 s" },
	};
	struct sooni_text t = { .start = NULL };

	ck_assert_int_eq(sooni_text_grow(&t), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		t.used = 0;
		sooni_text_add_time(&t, rows[i].nsec);
		ck_assert_str_eq(t.start, rows[i].text);
		ck_assert_uint_eq(t.used, strlen(rows[i].text));
	}
	free(t.start);
}
END_TEST

/* What does not fit is counted, so that twice as much room is asked for. */
START_TEST(text_that_is_cut_says_how_long_it_is)
{
	struct sooni_text t = { .start = NULL };
	size_t room;

	ck_assert_int_eq(sooni_text_grow(&t), 0);
	room = t.room;
	for (size_t i = 0; i < room + 10; i++)
		sooni_text_add(&t, "x");
	ck_assert_uint_eq(t.used, room + 10);
	ck_assert_uint_eq(strlen(t.start), room - 1);
	ck_assert_int_eq(sooni_text_grow(&t), 0);
	ck_assert_uint_ge(t.room, room + 10);
	ck_assert_uint_eq(t.used, 0);
	free(t.start);
}
END_TEST

static Suite *text_suite(void)
{
	Suite *s = suite_create("test_text");
	TCase *tc = tcase_create("test_text");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, a_length_of_time_has_three_digits_behind_the_point);
	tcase_add_test(tc, text_that_is_cut_says_how_long_it_is);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(text_suite());
}
