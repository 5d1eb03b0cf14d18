/*
 * api_completions_fd.c - the descriptor that is readable while
 * soon_completions_next() would not block.
 */
#include "support/many.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define N 16
#define BURST 10000

static soon_completions *set;
static soon_future *f[N];

static void setup(void)
{
	must_promise_n(f, N);
	set = soon_as_completed(NULL, 0);
	ck_assert_ptr_nonnull(set);
}

static void teardown(void)
{
	soon_completions_free(set);
	unref_n(f, N);
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

static int must_fd(soon_completions *of)
{
	int fd = soon_completions_fd(of);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(soon_completions_fd(of), fd);
	return fd;
}

static void add(soon_future *future)
{
	ck_assert_int_eq(soon_completions_add(set, future), 0);
}

static void complete(soon_future *future)
{
	ck_assert_int_eq(soon_future_set_result(future, NULL), 0);
}

/* How many come without waiting; then next() says code. */
static unsigned drain(int code)
{
	soon_future *next;
	unsigned n = 0;
	int rc;

	while ((rc = soon_completions_next(set, 0, &next)) == 0)
		n++;
	ck_assert_int_eq(rc, code);
	return n;
}

START_TEST(bad_arguments_are_refused)
{
	errno = 0;
	ck_assert_int_eq(soon_completions_fd(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(it_goes_with_the_set_and_not_to_other_programs)
{
	soon_completions *own = soon_as_completed(f, 2);
	int fd = must_fd(own);

	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert(!is_readable(fd));
	soon_completions_free(own);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	complete(f[0]);
}
END_TEST

START_TEST(it_is_readable_from_the_outset_if_something_is_done_or_none_left)
{
	soon_completions *own;

	ck_assert(is_readable(must_fd(set)));
	complete(f[0]);
	own = soon_as_completed(f, 2);
	ck_assert(is_readable(must_fd(own)));
	soon_completions_free(own);
	own = soon_as_completed(f + 1, 2);
	complete(f[1]);
	ck_assert(is_readable(must_fd(own)));
	soon_completions_free(own);
	add(f[0]);
	ck_assert(is_readable(must_fd(set)));
}
END_TEST

/* What has been done to the futures of a set, one step after the other. */
struct model {
	bool done[N];
	bool inside[N];
};

static bool model_would_block(const struct model *m)
{
	bool left = false;

	for (int i = 0; i < N; i++) {
		if (m->inside[i] && m->done[i])
			return false;
		left |= m->inside[i];
	}
	return left;
}

static void model_next(struct model *m)
{
	soon_future *next;
	int rc = soon_completions_next(set, 0, &next);

	ck_assert_int_eq(rc == ETIMEDOUT, model_would_block(m));
	for (int i = 0; i < N && rc == 0; i++)
		if (f[i] == next)
			m->inside[i] = false;
}

static void model_step(struct model *m, struct rng *rng)
{
	unsigned i = rng_below(rng, N);

	switch (rng_below(rng, 8)) {
	case 0:
		soon_future_cancel(f[i]);
		m->done[i] = true;
		break;
	case 1:
		soon_future_set_result(f[i], NULL);
		m->done[i] = true;
		break;
	case 2:
		if (m->done[i] && !m->inside[i]) {
			soon_future_unref(f[i]);
			f[i] = must_promise();
			m->done[i] = false;
		}
		break;
	case 3:
	case 4:
		add(f[i]);
		m->inside[i] = true;
		break;
	default:
		model_next(m);
	}
}

START_TEST(it_is_readable_exactly_while_next_would_not_block)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct model m = { .done = { false } };
	unsigned begin = rng_below(&rng, 20);
	int fd = -1;

	for (unsigned step = 0; step < 1000; step++) {
		if (step == begin)
			fd = must_fd(set);
		model_step(&m, &rng);
		if (fd >= 0)
			ck_assert_int_eq(is_readable(fd),
					 !model_would_block(&m));
	}
}
END_TEST

/* Watches fd for edges. */
static int watch_edges(int fd)
{
	struct epoll_event want = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ck_assert_int_ge(epoll, 0);
	ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &want), 0);
	return epoll;
}

/* Whether one has come since the last time. */
static bool had_edge(int epoll)
{
	struct epoll_event event;
	int n = epoll_wait(epoll, &event, 1, 0);

	ck_assert_int_ge(n, 0);
	return n == 1;
}

/* Several at a time; not a second edge for what comes while there is more. */
START_TEST(an_edge_comes_whenever_there_is_something_again)
{
	int epoll = watch_edges(must_fd(set));

	ck_assert(had_edge(epoll));
	for (int i = 0; i < N; i++)
		add(f[i]);
	for (int i = 0; i < N; i += 4) {
		soon_future *next;

		ck_assert(!had_edge(epoll));
		complete(f[i]);
		ck_assert(had_edge(epoll));
		complete(f[i + 1]);
		complete(f[i + 2]);
		ck_assert_int_eq(soon_completions_next(set, 0, &next), 0);
		complete(f[i + 3]);
		ck_assert(!had_edge(epoll));
		ck_assert_uint_eq(drain(i + 4 < N ? ETIMEDOUT : ENODATA), 3);
	}
	close(epoll);
}
END_TEST

START_TEST(an_edge_comes_for_what_is_added_after_the_end)
{
	int epoll = watch_edges(must_fd(set));

	complete(f[0]);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(drain(ENODATA), i > 0);
		had_edge(epoll);
		add(f[0]); /* done */
		ck_assert(had_edge(epoll));
		ck_assert_uint_eq(drain(ENODATA), 1);
		add(f[i + 1]);
		ck_assert(!had_edge(epoll));
		complete(f[i + 1]);
		ck_assert(had_edge(epoll));
	}
	close(epoll);
}
END_TEST

/* Of an eventfd, what was written; of a pipe, how many bytes. */
static unsigned long writes(int fd)
{
	uint64_t buf[8];
	ssize_t n = read(fd, buf, sizeof(buf));

	ck_assert_int_gt(n, 0);
	return n == sizeof(buf[0]) ? (unsigned long)buf[0] : (unsigned long)n;
}

static soon_future *burst[BURST];

static void *complete_burst(void *unused)
{
	for (int i = 0; i < BURST; i++)
		soon_future_set_result(burst[i], NULL);
	return unused;
}

START_TEST(a_burst_of_completions_is_one_wake_up_and_one_write)
{
	struct epoll_event event;
	soon_completions *own;
	struct actor completer;
	int epoll;

	must_promise_n(burst, BURST);
	own = soon_as_completed(burst, BURST);
	ck_assert_ptr_nonnull(own);
	epoll = watch_edges(must_fd(own));
	actor_start(&completer, complete_burst, NULL);
	ck_assert_int_eq(epoll_wait(epoll, &event, 1, -1), 1);
	while (!soon_future_done(burst[BURST - 1]))
		ck_assert_int_eq(epoll_wait(epoll, &event, 1, 0), 0);
	actor_join(&completer);
	ck_assert(!had_edge(epoll));
	ck_assert_uint_eq(writes(soon_completions_fd(own)), 1);
	for (int i = 0; i < BURST; i++) {
		soon_future *next;

		ck_assert_int_eq(soon_completions_next(own, 0, &next), 0);
		ck_assert_ptr_eq(next, burst[i]);
	}
	close(epoll);
	soon_completions_free(own);
	unref_n(burst, BURST);
}
END_TEST

static void *iterate(void *unused)
{
	soon_future *next;

	while (soon_completions_next(set, SOON_FOREVER, &next) == 0)
		;
	return unused;
}

START_TEST(threads_asleep_in_next_take_nothing_from_it)
{
	struct actor a[2];
	int fd = must_fd(set);

	for (int i = 0; i < N; i++)
		add(f[i]);
	for (int i = 0; i < 2; i++) {
		actor_start(&a[i], iterate, NULL);
		actor_await_asleep(&a[i]);
	}
	ck_assert(!is_readable(fd));
	for (int i = 0; i < N; i++)
		complete(f[i]);
	for (int i = 0; i < 2; i++)
		actor_join(&a[i]);
	ck_assert(is_readable(fd));
	ck_assert_uint_eq(drain(ENODATA), 0);
}
END_TEST

START_TEST(without_descriptors_it_says_so_and_works_later)
{
	struct rlimit old, none;
	int rc, code;

	add(f[0]);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	rc = soon_completions_fd(set);
	code = errno;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(code, EMFILE);
	ck_assert(!is_readable(must_fd(set)));
	complete(f[0]);
	ck_assert(is_readable(must_fd(set)));
	ck_assert_uint_eq(drain(ENODATA), 1);
}
END_TEST

static Suite *fd_suite(void)
{
	Suite *s = suite_create("api_completions_fd");
	TCase *tc = tcase_create("api_completions_fd");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, bad_arguments_are_refused);
	tcase_add_test(tc, it_goes_with_the_set_and_not_to_other_programs);
	tcase_add_test(
		tc,
		it_is_readable_from_the_outset_if_something_is_done_or_none_left);
	tcase_add_loop_test(
		tc, it_is_readable_exactly_while_next_would_not_block, 0, 20);
	tcase_add_test(tc, an_edge_comes_whenever_there_is_something_again);
	tcase_add_test(tc, an_edge_comes_for_what_is_added_after_the_end);
	tcase_add_test(tc, a_burst_of_completions_is_one_wake_up_and_one_write);
	tcase_add_test(tc, threads_asleep_in_next_take_nothing_from_it);
	tcase_add_test(tc, without_descriptors_it_says_so_and_works_later);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(fd_suite());
}
