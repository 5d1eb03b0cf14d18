/*
 * api_imap_fork.c - soon_imap_*() in children of fork.
 */
#include "support/child.h"
#include "support/source.h"

#include <errno.h>

#define MOST 40

static struct item items[MOST];
static struct drawn from;
static soon_executor *pool; /* of one */
static struct gate gate;
static soon_imap *map;

/* The first job is held. */
static void setup(void)
{
	gate_init(&gate);
	items_init(items, NULL, MOST);
	items[0].gate = &gate;
	from = (struct drawn){ .items = items, .n = MOST };
	pool = pool_of(1);
	map = must_imap(pool, &from, 4);
}

static void teardown(void)
{
	soon_imap_free(map);
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
}

static const char *goes_on(void *unused)
{
	soon_future *f;

	(void)unused;
	for (int i = 0; i < MOST; i++) {
		int code = i < 4 ? SOON_EFORKED : 0;

		CLAIM(soon_imap_next(map, SOON_FOREVER, &f) == 0);
		CLAIM(soon_future_arg(f) == &items[i]);
		CLAIM(soon_future_error(f) == code);
	}
	CLAIM(soon_imap_next(map, 0, &f) == ENODATA);
	soon_imap_free(map);
	return NULL;
}

START_TEST(in_a_child_of_fork_it_goes_on)
{
	expect_code(map, 0, ETIMEDOUT);
	in_child(goes_on, NULL);
	gate_open(&gate);
	for (int i = 0; i < MOST; i++)
		expect_item(map, &items[i]);
}
END_TEST

static const char *is_lost(void *unused)
{
	soon_future *f;

	(void)unused;
	CLAIM(soon_imap_next(map, SOON_FOREVER, &f) == SOON_EFORKED);
	CLAIM(f == NULL);
	soon_imap_free(map);
	return pool_works(pool);
}

static void *take_first(void *unused)
{
	soon_future *f = NULL;

	(void)unused;
	return box(soon_imap_next(map, SOON_FOREVER, &f));
}

START_TEST(in_a_child_that_another_thread_forked_amid_next_it_is_lost)
{
	struct actor other;

	actor_start(&other, take_first, NULL);
	gate_await(&gate, 1);
	in_child(is_lost, NULL);
	gate_open(&gate);
	ck_assert_int_eq((int)unbox(actor_join(&other)), 0);
	for (int i = 1; i < MOST; i++)
		expect_item(map, &items[i]);
}
END_TEST

static pid_t child;

/* The third argument is drawn by two processes. */
static int fork_once(void)
{
	if (from.calls == 3)
		child = fork_child();
	return 0;
}

static const char *goes_on_from_the_source(int rc, soon_future *f)
{
	CLAIM(rc == 0 && soon_future_arg(f) == &items[0]);
	for (int i = 1; i < MOST; i++) {
		CLAIM(soon_imap_next(map, SOON_FOREVER, &f) == 0);
		CLAIM(soon_future_arg(f) == &items[i]);
		CLAIM(i < 2 || soon_future_error(f) == 0);
	}
	CLAIM(soon_imap_next(map, 0, &f) == ENODATA);
	soon_imap_free(map);
	return NULL;
}

START_TEST(a_source_may_fork)
{
	soon_future *f;
	int rc;

	from.before = fork_once;
	rc = soon_imap_next(map, 0, &f);
	if (child == 0)
		child_end(goes_on_from_the_source(rc, f));
	ck_assert_int_eq(rc, ETIMEDOUT);
	ck_assert(child_ended(child, ENDED_WELL));
	gate_open(&gate);
	for (int i = 0; i < MOST; i++)
		expect_item(map, &items[i]);
}
END_TEST

static Suite *imap_suite(void)
{
	Suite *s = suite_create("api_imap_fork");
	TCase *tc = tcase_create("api_imap_fork");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, in_a_child_of_fork_it_goes_on);
	tcase_add_test(
		tc, in_a_child_that_another_thread_forked_amid_next_it_is_lost);
	tcase_add_test(tc, a_source_may_fork);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(imap_suite());
}
