/*
 * stress_completions_fd.c - event loops on a set's descriptor, under threads that
 * complete, add and take: nobody sleeps while there is something.
 */
#include "support/many.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#define N 200
#define LOOPS 6

static soon_completions *set;
static soon_future *f[N + 1]; /* the last is in the set until the others came */
static atomic_uint returned[N + 1], wrong;

static void setup(void)
{
	must_promise_n(f, N + 1);
	for (int i = 0; i <= N; i++)
		atomic_store(&returned[i], 0);
	atomic_store(&wrong, 0);
}

static void teardown(void)
{
	soon_future_cancel(f[N]);
	unref_n(f, N + 1);
}

static void *complete_all(void *seed)
{
	struct rng rng = rng_seed((uint64_t)unbox(seed));
	unsigned order[N];

	shuffled(&rng, order, N);
	for (int i = 0; i < N; i++) {
		if (rng_below(&rng, 3) == 0)
			sched_yield();
		if (rng_below(&rng, 3) == 0)
			soon_future_cancel(f[order[i]]);
		else
			soon_future_set_result(f[order[i]], NULL);
	}
	return NULL;
}

static void add_second_half(void)
{
	for (int i = N / 2; i < N; i++) {
		if (soon_completions_add(set, f[i]) != 0)
			atomic_fetch_add(&wrong, 1);
		if (i % 7 == 0)
			sched_yield();
	}
}

static void count_returned(const soon_future *next)
{
	int i = 0;

	while (i <= N && f[i] != next)
		i++;
	atomic_fetch_add(i <= N ? &returned[i] : &wrong, 1);
}

/* Take what there is; what ended it. */
static int take_all(void)
{
	soon_future *next;
	int rc;

	while ((rc = soon_completions_next(set, 0, &next)) == 0)
		count_returned(next);
	if (rc != ETIMEDOUT && rc != ENODATA)
		atomic_fetch_add(&wrong, 1);
	return rc;
}

/* Hears of edges only. */
static void *loop_on_edges(void *unused)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int rc = epoll_ctl(epoll, EPOLL_CTL_ADD, soon_completions_fd(set),
			   &event);

	while (rc != ENODATA) {
		if (epoll_wait(epoll, &event, 1, -1) != 1)
			atomic_fetch_add(&wrong, 1);
		rc = take_all();
	}
	close(epoll);
	return unused;
}

/* Takes one at a time. */
static void *loop_on_levels(void *unused)
{
	struct pollfd p = { .fd = soon_completions_fd(set), .events = POLLIN };
	int rc = 0;

	while (rc != ENODATA) {
		soon_future *next;

		if (poll(&p, 1, -1) != 1)
			atomic_fetch_add(&wrong, 1);
		rc = soon_completions_next(set, 0, &next);
		if (rc == 0)
			count_returned(next);
	}
	return unused;
}

static void *loop_in_next(void *unused)
{
	soon_future *next;

	while (soon_completions_next(set, SOON_FOREVER, &next) == 0)
		count_returned(next);
	return unused;
}

static void *(*const loops[])(void *) = { loop_on_edges, loop_on_levels,
					  loop_in_next };

static void expect_each_once(int n)
{
	unsigned missed = 0;

	for (int i = 0; i < n; i++)
		missed += atomic_load(&returned[i]) != 1;
	ck_assert_uint_eq(missed, 0);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(soon_completions_left(set), 0);
	soon_completions_free(set);
}

/* And nothing is shown that is not there. */
START_TEST(one_loop_is_told_of_everything_and_of_nothing_else)
{
	struct pollfd p = { .events = POLLIN };
	struct actor completer;
	soon_future *next;

	set = soon_as_completed(f, N);
	ck_assert_ptr_nonnull(set);
	p.fd = soon_completions_fd(set);
	actor_start(&completer, complete_all, box(_i));
	if (_i % 2 == 0) {
		loop_on_edges(NULL);
	} else {
		for (int i = 0; i < N; i++) {
			if (poll(&p, 1, -1) != 1 ||
			    soon_completions_next(set, 0, &next) != 0)
				ck_abort_msg("nothing was there");
			count_returned(next);
		}
	}
	actor_join(&completer);
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	expect_each_once(N);
}
END_TEST

/* Of all kinds, while more is added. */
START_TEST(several_loops_all_come_to_the_end)
{
	struct actor actors[LOOPS], completer;

	set = soon_as_completed(f, N / 2);
	ck_assert_ptr_nonnull(set);
	ck_assert_int_eq(soon_completions_add(set, f[N]), 0);
	for (int i = 0; i < LOOPS; i++)
		actor_start(&actors[i], loops[(unsigned)i % COUNT_OF(loops)],
			    NULL);
	actor_start(&completer, complete_all, box(_i));
	add_second_half();
	actor_join(&completer);
	while (soon_completions_left(set) > 1)
		sched_yield();
	ck_assert_int_eq(soon_future_set_result(f[N], NULL), 0);
	for (int i = 0; i < LOOPS; i++)
		actor_join(&actors[i]);
	expect_each_once(N + 1);
}
END_TEST

static atomic_int turn;

static void *complete_in_turn(void *unused)
{
	for (int i = 0; i < N; i++) {
		while (atomic_load(&turn) <= i)
			sched_yield();
		soon_future_set_result(f[i], NULL);
	}
	return unused;
}

/* It is made, or its set is freed, while the future gets done. */
START_TEST(a_descriptor_made_late_misses_nothing)
{
	struct actor completer;
	soon_future *two[2] = { NULL, f[N] };

	atomic_store(&turn, 0);
	actor_start(&completer, complete_in_turn, NULL);
	for (int i = 0; i < N; i++) {
		struct pollfd p = { .events = POLLIN };

		two[0] = f[i];
		set = soon_as_completed(two, 2);
		ck_assert_ptr_nonnull(set);
		atomic_store(&turn, i + 1);
		p.fd = soon_completions_fd(set);
		if ((i + _i) % 4 > 0)
			ck_assert_int_eq(poll(&p, 1, -1), 1);
		if ((i + _i) % 4 == 3)
			ck_assert_int_eq(take_all(), ETIMEDOUT);
		soon_completions_free(set);
	}
	actor_join(&completer);
}
END_TEST

static Suite *fd_suite(void)
{
	Suite *s = suite_create("stress_completions_fd");
	TCase *tc = tcase_create("stress_completions_fd");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc,
			    one_loop_is_told_of_everything_and_of_nothing_else,
			    0, (int)test_scale(60));
	tcase_add_loop_test(tc, several_loops_all_come_to_the_end, 0,
			    (int)test_scale(30));
	tcase_add_loop_test(tc, a_descriptor_made_late_misses_nothing, 0,
			    (int)test_scale(20));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(fd_suite());
}
