/*
 * api_completions_fd_fork.c - a set's descriptor in a child of fork, which shares
 * with its parent all that was open.
 */
#include "support/child.h"

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>

static struct stuck stuck;
static soon_completions *set;
static soon_future *promise, *job, *done;
static int fd;

static void setup(void)
{
	soon_future *f[2];

	stuck_init(&stuck, 1);
	f[0] = promise = must_promise();
	f[1] = job = submit(stuck.pool, return_arg, NULL);
	done = succeeded_with(NULL);
	set = soon_as_completed(f, 2);
	ck_assert_ptr_nonnull(set);
	fd = soon_completions_fd(set);
	ck_assert_int_ge(fd, 0);
}

static void teardown(void)
{
	stuck_fini(&stuck);
	soon_completions_free(set);
	soon_future_set_result(promise, NULL);
	soon_future_unref(promise);
	soon_future_unref(job);
	soon_future_unref(done);
}

static bool is_readable(void)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

/* The fork has failed the job; what is to come comes. */
static const char *goes_on(void *unused)
{
	soon_future *f;

	(void)unused;
	CLAIM(soon_completions_fd(set) == fd);
	CLAIM(is_readable());
	CLAIM(soon_completions_next(set, 0, &f) == 0 && f == job);
	CLAIM(!is_readable());
	CLAIM(soon_completions_add(set, done) == 0);
	CLAIM(is_readable());
	CLAIM(soon_completions_next(set, 0, &f) == 0 && f == done);
	CLAIM(!is_readable());
	CLAIM(soon_future_set_result(promise, NULL) == 0);
	CLAIM(is_readable());
	CLAIM(soon_completions_next(set, 0, &f) == 0 && f == promise);
	CLAIM(soon_completions_next(set, 0, &f) == ENODATA);
	CLAIM(is_readable());
	soon_completions_free(set);
	CLAIM(!is_readable());
	return NULL;
}

START_TEST(what_a_child_does_with_its_own_is_not_seen_in_the_parent)
{
	soon_future *f;

	in_child(goes_on, NULL);
	ck_assert(!is_readable());
	ck_assert_int_eq(soon_completions_add(set, done), 0);
	ck_assert(is_readable());
	ck_assert_int_eq(soon_completions_next(set, 0, &f), 0);
	ck_assert(!is_readable());
}
END_TEST

static const char *empties(void *unused)
{
	soon_future *f;

	(void)unused;
	CLAIM(is_readable());
	while (soon_completions_next(set, 0, &f) == 0)
		;
	CLAIM(!is_readable());
	return NULL;
}

START_TEST(a_child_that_empties_its_set_leaves_the_parents_readable)
{
	soon_future *f;

	ck_assert_int_eq(soon_completions_add(set, done), 0);
	ck_assert(is_readable());
	in_child(empties, NULL);
	ck_assert(is_readable());
	ck_assert_int_eq(soon_completions_next(set, 0, &f), 0);
	ck_assert_ptr_eq(f, done);
	ck_assert(!is_readable());
}
END_TEST

static struct rlimit limit;

static const char *gets_a_new_one(void *unused)
{
	(void)unused;
	CLAIM(!is_readable());
	CLAIM(soon_completions_fd(set) == -1 && errno == EMFILE);
	CLAIM(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	fd = soon_completions_fd(set);
	CLAIM(fd >= 0);
	return goes_on(NULL);
}

/* Whatever was open may be used; nothing more may be opened. */
START_TEST(without_descriptors_a_child_has_none_until_it_asks_again)
{
	struct rlimit none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	in_child(gets_a_new_one, NULL);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(!is_readable());
}
END_TEST

static Suite *fork_suite(void)
{
	Suite *s = suite_create("api_completions_fd_fork");
	TCase *tc = tcase_create("api_completions_fd_fork");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(
		tc, what_a_child_does_with_its_own_is_not_seen_in_the_parent);
	tcase_add_test(
		tc, a_child_that_empties_its_set_leaves_the_parents_readable);
	tcase_add_test(
		tc, without_descriptors_a_child_has_none_until_it_asks_again);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(fork_suite());
}
