/*
 * api_compose_deep.c - chains as long as memory allows, which neither need the
 * stack nor stay behind; and inputs that outlive all that hung on them.
 */
#include "support/sanitized.h"
#include "support/support.h"

#include <errno.h>
#if defined(__GLIBC__) && __GLIBC_MINOR__ >= 33
#include <malloc.h>
#define MALLOC_SAYS 1 /* by mallinfo2() */
#else
#define MALLOC_SAYS 0
#endif

static soon_executor *pool; /* of one, with a small stack */
static soon_executor *without_threads;
static soon_executor *closed;
static soon_future *promise;
static struct tally called;

static void setup(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = 1;
	o.max_workers = 1;
	o.stack_size = 64 << 10;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	without_threads = inline_pool();
	closed = pool_of(1);
	promise = soon_future_new(NULL);
	ck_assert_ptr_nonnull(promise);
	tally_init(&called);
}

static void teardown(void)
{
	soon_future_unref(promise);
	soon_executor_free(pool);
	soon_executor_free(without_threads);
	soon_executor_free(closed);
	tally_fini(&called);
}

/* More than a stack holds, of whatever calls itself; the more, the larger it is. */
enum { LONGEST = 1000000, LONG = 250000, SHORT = 20000 };

static unsigned scaled(unsigned most)
{
	unsigned n = test_scale(most);

	return n < most ? n : most;
}

static void *one_more(soon_future *done, void *ctx)
{
	void *result = ctx;

	if (soon_future_result(done, 0, &result) != 0)
		return soon_fail(soon_future_error(done), NULL);
	return box(unbox(result) + 1);
}

static soon_future *all_of(soon_future *f)
{
	return soon_when_all(&f, 1);
}

static soon_future *any_of(soon_future *f)
{
	return soon_when_any(&f, 1);
}

static soon_future *success_of(soon_future *f)
{
	return soon_first_success(&f, 1);
}

static soon_future *within_ever(soon_future *f)
{
	return soon_within(f, SOON_FOREVER);
}

static soon_future *then_on_pool(soon_future *f)
{
	return soon_then(f, pool, one_more, NULL);
}

static soon_future *then_here(soon_future *f)
{
	return soon_then(f, without_threads, one_more, NULL);
}

static soon_future *then_closed(soon_future *f)
{
	return soon_then(f, closed, one_more, NULL);
}

/* Some of each. */
static soon_future *mixed(soon_future *f)
{
	static soon_future *(*const links[])(soon_future *) = {
		soon_shield, all_of, then_here, any_of, within_ever, success_of
	};
	static unsigned next;

	return links[next++ % COUNT_OF(links)](f);
}

static soon_future *(*const links[])(soon_future *) = {
	all_of,	      any_of,	 success_of,  within_ever, soon_shield,
	then_on_pool, then_here, then_closed, mixed
};

/* The end of a chain that begins with the promise and has no other reference. */
static soon_future *make_chain(soon_future *(*link)(soon_future *), unsigned n)
{
	soon_future *f = soon_future_ref(promise);

	for (unsigned i = 0; i < n; i++) {
		soon_future *g = link(f);

		ck_assert_ptr_nonnull(g);
		soon_future_unref(f);
		f = g;
	}
	ck_assert_int_eq(soon_executor_shutdown(closed, 0, SOON_FOREVER), 0);
	return f;
}

/* Continuations are what programs chain most. */
static unsigned length_of(soon_future *(*link)(soon_future *))
{
	bool longest = link == then_on_pool || link == then_here;

	return scaled(longest ? LONGEST : LONG);
}

static void count_done(soon_future *f, void *tally)
{
	tally_add(tally, soon_future_done(f));
}

START_TEST(a_chain_is_told_and_freed_without_recursion)
{
	unsigned n = length_of(links[_i]);
	soon_future *f = make_chain(links[_i], n);
	void *result = NULL;
	int rc;

	ck_assert_int_eq(soon_future_on_done(f, count_done, &called), 0);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	rc = soon_future_result(f, SOON_FOREVER, &result);
	ck_assert_int_eq(rc, links[_i] == then_closed ? ESHUTDOWN : 0);
	if (links[_i] == then_on_pool || links[_i] == then_here)
		ck_assert_int_eq(unbox(result), n);
	soon_future_unref(f);
	tally_await(&called, 1);
}
END_TEST

static void *set_promise(void *end)
{
	void *result = NULL;

	soon_future_set_result(promise, NULL);
	soon_future_result(end, SOON_FOREVER, &result);
	soon_future_unref(end);
	return result;
}

START_TEST(a_small_stack_suffices)
{
	soon_future *f = make_chain(links[_i], scaled(SHORT));
	soon_future *job = submit(pool, set_promise, f);

	ck_assert_int_eq(soon_future_wait(job, SOON_FOREVER), 0);
	soon_future_unref(job);
	ck_assert(soon_future_done(promise));
}
END_TEST

/* From the end, where that goes on to the inputs, and else from the beginning. */
START_TEST(a_chain_is_cancelled_without_recursion)
{
	soon_future *f = make_chain(links[_i], scaled(SHORT));
	bool backwards = links[_i] == all_of || links[_i] == within_ever;

	ck_assert_int_eq(soon_future_cancel(backwards ? f : promise), 0);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(promise), SOON_CANCELLED);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_chain_is_dropped_without_recursion)
{
	soon_future *f = make_chain(links[_i], scaled(SHORT));

	soon_future_unref(f);
	ck_assert_int_eq(soon_future_set_error(promise, EIO, NULL), 0);
	soon_executor_free(pool);
	pool = NULL;
}
END_TEST

/* What is hung on the promise, and comes off it again. */

static soon_future *race_with_done(soon_future *done)
{
	soon_future *const two[] = { promise, done };

	return soon_when_any(two, 2);
}

static soon_future *lost_race(soon_future *pending)
{
	soon_future *const two[] = { promise, pending };
	soon_future *f = soon_when_any(two, 2);

	ck_assert_int_eq(soon_future_set_result(pending, NULL), 0);
	return f;
}

static soon_future *cancelled_then(soon_future *unused)
{
	soon_future *f = soon_then(promise, pool, one_more, unused);

	ck_assert_int_eq(soon_future_cancel(f), 0);
	return f;
}

static soon_future *cancelled_shield(soon_future *unused)
{
	soon_future *f = soon_shield(promise);

	(void)unused;
	ck_assert_int_eq(soon_future_cancel(f), 0);
	return f;
}

static soon_future *late_shield(soon_future *unused)
{
	soon_future *shield = soon_shield(promise);
	soon_future *f = soon_within(shield, 0);

	(void)unused;
	soon_future_unref(shield);
	return f;
}

static soon_future *(*const hangers[])(soon_future *) = {
	race_with_done, lost_race, cancelled_then, cancelled_shield, late_shield
};

static void hang_often(soon_future *(*hang)(soon_future *), unsigned n)
{
	while (n-- > 0) {
		soon_future *other = soon_future_new(NULL);
		soon_future *f;

		if (hang == race_with_done)
			soon_future_set_result(other, NULL);
		f = hang(other);
		ck_assert_ptr_nonnull(f);
		ck_assert(soon_future_done(f));
		soon_future_unref(f);
		soon_future_unref(other);
	}
}

/* Bytes from malloc; 0 where the C library does not say, and with a sanitizer,
 * whose leak detection sees to it. */
static size_t bytes(void)
{
#if MALLOC_SAYS && !TEST_SANITIZED
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}

START_TEST(nothing_stays_on_what_lives_long)
{
	unsigned n = scaled(LONG) / 5;
	size_t before;

	hang_often(hangers[_i], 100);
	before = bytes();
	hang_often(hangers[_i], n);
	ck_assert_uint_lt(bytes(), before + n);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api_compose_deep");
	TCase *t = tcase_create("deep");
	int n = (int)COUNT_OF(links);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_chain_is_told_and_freed_without_recursion, 0,
			    n);
	tcase_add_loop_test(t, a_small_stack_suffices, 0, n);
	tcase_add_loop_test(t, a_chain_is_cancelled_without_recursion, 0, n);
	tcase_add_loop_test(t, a_chain_is_dropped_without_recursion, 0, n);
	tcase_add_loop_test(t, nothing_stays_on_what_lives_long, 0,
			    (int)COUNT_OF(hangers));
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
