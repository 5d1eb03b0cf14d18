/*
 * test_list.c - the intrusive list, against an array.
 */
#include "support/support.h"

#include "list.h"

#define LINKS 24

static struct sooni_link links[LINKS];

/* What the list should be. */
static struct sooni_link *model[LINKS];
static unsigned length;

static void model_remove(unsigned at)
{
	length--;
	for (unsigned i = at; i < length; i++)
		model[i] = model[i + 1];
}

/* Where the model has it; length: nowhere. */
static unsigned model_find(const struct sooni_link *link)
{
	unsigned at = 0;

	while (at < length && model[at] != link)
		at++;
	return at;
}

/* The list is the model, read forwards and backwards. */
static void expect_model(struct sooni_link *first)
{
	const struct sooni_link *link = first;

	if (length == 0) {
		ck_assert_ptr_null(first);
		return;
	}
	for (unsigned i = 0; i < length; i++, link = link->next)
		ck_assert_ptr_eq(link, model[i]);
	ck_assert_ptr_eq(link, first);
	for (unsigned i = length; i-- > 0;) {
		link = link->prev;
		ck_assert_ptr_eq(link, model[i]);
	}
}

START_TEST(an_empty_list_is_null_and_gives_null)
{
	struct sooni_link *first = NULL;

	ck_assert_ptr_null(sooni_list_shift(&first));
	sooni_list_append(&first, &links[0]);
	sooni_list_remove(&first, &links[0]);
	ck_assert_ptr_null(first);
	ck_assert_ptr_null(sooni_list_shift(&first));
}
END_TEST

START_TEST(links_are_shifted_in_the_order_of_their_appends)
{
	struct sooni_link *first = NULL;

	for (unsigned i = 0; i < LINKS; i++)
		sooni_list_append(&first, &links[i]);
	for (unsigned i = 0; i < LINKS; i++)
		ck_assert_ptr_eq(sooni_list_shift(&first), &links[i]);
	ck_assert_ptr_null(first);
}
END_TEST

START_TEST(any_history_agrees_with_an_array)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct sooni_link *first = NULL;

	length = 0;
	for (unsigned n = test_scale(1000); n > 0; n--) {
		struct sooni_link *link = &links[rng_below(&rng, LINKS)];
		unsigned at = model_find(link);

		if (at == length) {
			sooni_list_append(&first, link);
			model[length++] = link;
		} else if (rng_below(&rng, 3) > 0) {
			sooni_list_remove(&first, link);
			model_remove(at);
		} else {
			ck_assert_ptr_eq(sooni_list_shift(&first), model[0]);
			model_remove(0);
		}
		expect_model(first);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("list");
	TCase *t = tcase_create("list");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, an_empty_list_is_null_and_gives_null);
	tcase_add_test(t, links_are_shifted_in_the_order_of_their_appends);
	tcase_add_loop_test(t, any_history_agrees_with_an_array, 0, 8);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
