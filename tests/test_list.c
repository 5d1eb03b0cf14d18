/*
 * test_list.c - the intrusive list, against an array.
 */
#include "support/sanitized.h"
#include "support/support.h"

#include "list.h"

#include <signal.h>

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

static void model_prepend(struct sooni_link *link)
{
	for (unsigned i = length++; i > 0; i--)
		model[i] = model[i - 1];
	model[0] = link;
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
	sooni_list_repair(first);
}
END_TEST

START_TEST(the_way_back_is_mended_by_the_way_forward)
{
	struct sooni_link *first = NULL;

	length = 0;
	for (unsigned i = 0; i < LINKS; i++) {
		sooni_list_append(&first, &links[i]);
		model[length++] = &links[i];
		for (unsigned k = 0; k <= i; k++)
			links[k].prev = NULL;
		sooni_list_repair(first);
		expect_model(first);
	}
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

		if (at == length && rng_below(&rng, 3) == 0) {
			sooni_list_prepend(&first, link);
			model_prepend(link);
		} else if (at == length) {
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

/* The thread sanitizer's own code would be stepped through as well, with its locks
 * held. */
#if defined(__x86_64__) && !TEST_THREAD_SANITIZED
#define IN_STEPS 1
#else
#define IN_STEPS 0
#endif
#if IN_STEPS

/*
 * After each instruction of a change the processor traps, and the way forward is
 * looked at, as a child of fork finds it.
 */
static struct sooni_link *stepped;
static struct sooni_link *must_have[LINKS];
static unsigned must_have_count;
static volatile unsigned steps;
static volatile bool went_wrong;

static void look(int unused)
{
	struct sooni_link *first = stepped;
	struct sooni_link *link = first;
	unsigned seen = 0;
	unsigned n = 0;

	(void)unused;
	steps++;
	while (link != NULL && n++ <= LINKS) {
		for (unsigned i = 0; i < must_have_count; i++)
			seen += link == must_have[i];
		link = link->next;
		if (link == first)
			break;
	}
	if (n > LINKS || seen != must_have_count)
		went_wrong = true;
}

/* Set or clear the processor's trap flag, below what the caller may keep under
 * its stack pointer. */
#define TRAP(change)                                                   \
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\t" change \
			 "\n\tpopfq\n\tlea 128(%%rsp), %%rsp" ::       \
				 : "cc", "memory")

static sooni_noinline void append_in_steps(struct sooni_link *link)
{
	TRAP("orq $0x100, (%%rsp)");
	sooni_list_append(&stepped, link);
	TRAP("andq $~0x100, (%%rsp)");
}

static sooni_noinline void remove_in_steps(struct sooni_link *link)
{
	TRAP("orq $0x100, (%%rsp)");
	sooni_list_remove(&stepped, link);
	TRAP("andq $~0x100, (%%rsp)");
}

/* Of the model, all but the link at this place, which is to go. */
static void must_have_all_but(unsigned at)
{
	must_have_count = 0;
	for (unsigned i = 0; i < length; i++)
		if (i != at)
			must_have[must_have_count++] = model[i];
}

START_TEST(at_any_moment_the_way_forward_leads_through_all_and_back)
{
	struct rng rng = rng_seed((uint64_t)_i);

	signal(SIGTRAP, look);
	stepped = NULL;
	length = 0;
	for (unsigned n = 200; n > 0; n--) {
		struct sooni_link *link = &links[rng_below(&rng, LINKS / 4)];
		unsigned at = model_find(link);

		must_have_all_but(at);
		if (at == length) {
			append_in_steps(link);
			model[length++] = link;
		} else {
			remove_in_steps(link);
			model_remove(at);
		}
		ck_assert(!went_wrong);
		/* The way back is mended by what the way forward is. */
		for (unsigned i = 0; i < length; i++)
			model[i]->prev = NULL;
		sooni_list_repair(stepped);
		expect_model(stepped);
	}
	ck_assert_uint_gt(steps, 200);
}
END_TEST

#endif

static Suite *suite(void)
{
	Suite *s = suite_create("list");
	TCase *t = tcase_create("list");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, an_empty_list_is_null_and_gives_null);
	tcase_add_test(t, the_way_back_is_mended_by_the_way_forward);
	tcase_add_test(t, links_are_shifted_in_the_order_of_their_appends);
	tcase_add_loop_test(t, any_history_agrees_with_an_array, 0, 8);
#if IN_STEPS
	tcase_add_loop_test(
		t, at_any_moment_the_way_forward_leads_through_all_and_back, 0,
		4);
#endif
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
