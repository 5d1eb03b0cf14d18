/*
 * test_sized.c - option structs of older and newer programs.
 */
#include "support/support.h"

#include "sized.h"

#include <errno.h>
#include <string.h>

struct options {
	size_t size;
	int number;
	void *pointer;
	long last;
};

/* What a newer program might pass: the same, and more. */
struct newer {
	struct options known;
	unsigned char more[16];
};

static struct newer given;
static struct options read;

static void setup(void)
{
	memset(&given, 0, sizeof(given));
	memset(&given.known, 0x5a, sizeof(given.known));
	memset(&read, 0xff, sizeof(read));
}

START_TEST(a_size_that_lacks_itself_is_refused)
{
	for (size_t size = 0; size < sizeof(size_t); size++)
		ck_assert_int_eq(sooni_read_struct(&read, sizeof(read), &given,
						   size),
				 EINVAL);
}
END_TEST

START_TEST(the_same_size_is_copied_whole)
{
	ck_assert_int_eq(sooni_read_struct(&read, sizeof(read), &given,
					   sizeof(read)),
			 0);
	ck_assert_mem_eq(&read, &given, sizeof(read));
}
END_TEST

START_TEST(what_an_older_program_lacks_is_zero)
{
	const unsigned char *bytes = (const unsigned char *)&read;

	for (size_t size = sizeof(size_t); size < sizeof(read); size++) {
		setup();
		ck_assert_int_eq(sooni_read_struct(&read, sizeof(read), &given,
						   size),
				 0);
		ck_assert_mem_eq(&read, &given, size);
		for (size_t i = size; i < sizeof(read); i++)
			ck_assert_uint_eq(bytes[i], 0);
	}
}
END_TEST

START_TEST(a_newer_program_may_pass_zeros_at_the_end)
{
	for (size_t i = 0; i <= sizeof(given.more); i++) {
		setup();
		ck_assert_int_eq(sooni_read_struct(&read, sizeof(read), &given,
						   sizeof(read) + i),
				 0);
		ck_assert_mem_eq(&read, &given, sizeof(read));
	}
}
END_TEST

START_TEST(any_other_byte_at_the_end_is_refused)
{
	for (size_t i = 0; i < sizeof(given.more); i++) {
		setup();
		given.more[i] = 1;
		ck_assert_int_eq(sooni_read_struct(&read, sizeof(read), &given,
						   sizeof(given)),
				 EINVAL);
		/* Beyond the size that is given it is nobody's business. */
		ck_assert_int_eq(sooni_read_struct(&read, sizeof(read), &given,
						   sizeof(read) + i),
				 0);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sized");
	TCase *t = tcase_create("sized");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_size_that_lacks_itself_is_refused);
	tcase_add_test(t, the_same_size_is_copied_whole);
	tcase_add_test(t, what_an_older_program_lacks_is_zero);
	tcase_add_test(t, a_newer_program_may_pass_zeros_at_the_end);
	tcase_add_test(t, any_other_byte_at_the_end_is_refused);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
