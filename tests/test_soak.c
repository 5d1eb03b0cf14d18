/*
 * test_soak.c - the soak notices memory that grows, and no other.
 */
#include "support/sanitized.h"
#include "support/soak.h"

enum { SECONDS = 90, KIB = 20000 };

/* From `first` to `last`, with a round every second. */
static void grow(unsigned seconds, uint64_t first, uint64_t last)
{
	soak_figures_start(seconds, seconds);
	for (unsigned i = 0; i < seconds; i++)
		soak_figures_memory(i * SOON_SEC,
				    (first * (seconds - i) + last * i) /
					    seconds);
}

/* In a step, at such a second. */
static void step(unsigned at, uint64_t more)
{
	soak_figures_start(SECONDS, SECONDS);
	for (unsigned i = 0; i < SECONDS; i++)
		soak_figures_memory(i * SOON_SEC, i < at ? KIB : KIB + more);
}

START_TEST(memory_that_stays_is_flat)
{
	grow(SECONDS, KIB, KIB);
	ck_assert(soak_is_flat());
	grow(SECONDS, KIB, KIB / 2);
	ck_assert(soak_is_flat());
	step(SECONDS / 2, SOAK_SLACK_KIB);
	ck_assert(soak_is_flat());
}
END_TEST

/* A sanitizer's own memory does, so there it is not looked at. */
START_TEST(memory_that_grows_is_not)
{
	step(SECONDS / 2, SOAK_SLACK_KIB + 1);
	ck_assert_int_eq(soak_is_flat(), TEST_SANITIZED);
	grow(SECONDS, KIB, KIB + 2 * SOAK_SLACK_KIB);
	ck_assert_int_eq(soak_is_flat(), TEST_SANITIZED);
}
END_TEST

/* The library has not had all that it needs by then. */
START_TEST(at_first_memory_may_grow)
{
	step(10, SOAK_SLACK_KIB + 1);
	ck_assert(soak_is_flat());
	grow(30, KIB, KIB + 4 * SOAK_SLACK_KIB);
	ck_assert(soak_is_flat());
}
END_TEST

int main(void)
{
	Suite *s = suite_create("soak");
	TCase *t = tcase_create("figures");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, memory_that_stays_is_flat);
	tcase_add_test(t, memory_that_grows_is_not);
	tcase_add_test(t, at_first_memory_may_grow);
	suite_add_tcase(s, t);
	return test_run(s);
}
