/*
 * api_cancel_fd.c - the descriptor that tells a running job to stop.
 */
#include "support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static soon_executor *pool;
static struct gate gate;

static void setup(void)
{
	pool = pool_of(1);
	gate_init(&gate);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void expect(soon_future *f, int value)
{
	void *result = NULL;

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_int_eq((int)unbox(result), value);
	soon_future_unref(f);
}

/* Passes the gate with the descriptor in *fd; what did not hold. */
static void *hold_with_fd(void *fd)
{
	int *mine = fd;
	long wrong = 0;

	*mine = soon_cancel_fd();
	wrong |= *mine < 0;
	wrong |= is_readable(*mine) ? 2 : 0;
	wrong |= soon_cancel_fd() != *mine ? 4 : 0;
	gate_pass(&gate);
	wrong |= soon_cancel_fd() != *mine ? 8 : 0;
	wrong |= !is_readable(*mine) ? 16 : 0;
	return box(wrong);
}

START_TEST(it_is_one_and_readable_from_the_request_on)
{
	int fd = -1;
	soon_future *f = submit(pool, hold_with_fd, &fd);

	gate_await(&gate, 1);
	ck_assert(!is_readable(fd));
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert(is_readable(fd));
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	ck_assert(is_readable(fd));
	gate_open(&gate);
	expect(f, 0);
}
END_TEST

static void *ask_late(void *unused)
{
	gate_pass(&gate);
	(void)unused;
	return box(is_readable(soon_cancel_fd()));
}

START_TEST(it_is_readable_at_once_in_a_job_that_was_asked)
{
	soon_future *f = submit(pool, ask_late, NULL);

	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	gate_open(&gate);
	expect(f, 1);
}
END_TEST

/* Counts the bytes that come until it is asked to stop. */
static void *serve(void *socket)
{
	struct pollfd p[2] = {
		{ .fd = (int)unbox(socket), .events = POLLIN },
		{ .fd = soon_cancel_fd(), .events = POLLIN },
	};
	char answer = '!';
	long bytes = 0;

	for (;;) {
		char byte;

		if (poll(p, 2, -1) < 0)
			return box(-1);
		if (p[1].revents != 0)
			return box(bytes);
		bytes += read(p[0].fd, &byte, 1);
		if (write(p[0].fd, &answer, 1) != 1)
			return box(-2);
	}
}

START_TEST(a_job_polls_it_beside_a_socket)
{
	soon_future *f;
	int fds[2];
	char byte;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	f = submit(pool, serve, box(fds[0]));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq((int)write(fds[1], "?", 1), 1);
		ck_assert_int_eq((int)read(fds[1], &byte, 1), 1);
	}
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	expect(f, 3);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_shutdown_makes_it_readable)
{
	soon_executor *other = pool_of(1);
	soon_future *f;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	f = submit(other, serve, box(fds[0]));
	while (soon_future_state(f) == SOON_PENDING)
		sched_yield();
	ck_assert_int_eq(soon_executor_shutdown(other, SOON_CANCEL_RUNNING,
						SOON_FOREVER),
			 0);
	soon_executor_free(other);
	expect(f, 0);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static void *return_fd(void *unused)
{
	(void)unused;
	return box(soon_cancel_fd());
}

static int of_destructor;

static void ask_in_destructor(void *unused)
{
	(void)unused;
	of_destructor = soon_cancel_fd();
	if (!is_open(of_destructor) || is_readable(of_destructor))
		of_destructor = -1;
}

static void *ask_for_fd(void *fd)
{
	*(int *)fd = soon_cancel_fd();
	return NULL;
}

START_TEST(a_jobs_destructor_gets_one_of_its_own)
{
	int of_job = -1;
	soon_future *f =
		submit_job(pool, SOON_JOB(.fn = ask_for_fd, .arg = &of_job,
					  .free_arg = ask_in_destructor));

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_int_ge(of_job, 0);
	ck_assert_int_ge(of_destructor, 0);
	ck_assert(!is_open(of_job) && !is_open(of_destructor));
	soon_future_unref(f);
}
END_TEST

START_TEST(it_is_closed_at_the_jobs_end)
{
	int before = dup(0);

	close(before);
	for (int i = 0; i < 3; i++) {
		soon_future *f = submit(pool, return_fd, NULL);
		void *fd = NULL;

		ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &fd), 0);
		ck_assert(!is_open((int)unbox(fd)));
		soon_future_unref(f);
	}
	ck_assert_int_eq(dup(0), before);
	close(before);
}
END_TEST

START_TEST(programs_that_are_executed_do_not_inherit_it)
{
	int fd = -1;
	soon_future *f = submit(pool, hold_with_fd, &fd);

	gate_await(&gate, 1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	soon_future_cancel(f);
	gate_open(&gate);
	expect(f, 0);
}
END_TEST

static void set_flag(void *flag)
{
	*(bool *)flag = true;
}

/* The hook older than the descriptor is popped, the descriptor is not. */
static void *pop_past_it(void *flag)
{
	long wrong = soon_on_cancel(set_flag, flag);
	int fd = soon_cancel_fd();

	soon_off_cancel();
	soon_off_cancel();
	gate_pass(&gate);
	wrong |= !is_readable(fd);
	soon_off_cancel();
	wrong |= !is_readable(fd) || soon_cancel_fd() != fd;
	return box(wrong);
}

START_TEST(taking_hooks_off_leaves_it_alone)
{
	bool called = false;
	soon_future *f = submit(pool, pop_past_it, &called);

	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	gate_open(&gate);
	expect(f, 0);
	ck_assert(!called);
}
END_TEST

static void *child(void *parent)
{
	long wrong = soon_cancel_fd() < 0;

	wrong |= soon_future_cancel(parent) != EBUSY;
	wrong |= is_readable(soon_cancel_fd());
	return box(wrong);
}

static void *parent(void *unused)
{
	int fd = soon_cancel_fd();
	soon_future *f = submit(pool, child, soon_self());
	void *result = &pool;
	long wrong = soon_future_result(f, SOON_FOREVER, &result);

	wrong |= unbox(result);
	wrong |= !is_readable(fd);
	soon_future_unref(f);
	(void)unused;
	return box(wrong);
}

START_TEST(each_job_of_a_stack_has_its_own)
{
	expect(submit(pool, parent, NULL), 0);
}
END_TEST

/* No descriptor is to be had; then one is. */
static void *without_descriptors(void *unused)
{
	struct rlimit old, none;
	long wrong = getrlimit(RLIMIT_NOFILE, &old);
	int fd;

	none = old;
	none.rlim_cur = 0;
	wrong |= setrlimit(RLIMIT_NOFILE, &none);
	errno = 0;
	wrong |= soon_cancel_fd() != -1;
	wrong |= errno != EMFILE ? 2 : 0;
	wrong |= setrlimit(RLIMIT_NOFILE, &old);
	soon_off_cancel();
	wrong |= soon_future_cancel(soon_self()) != EBUSY;
	fd = soon_cancel_fd();
	wrong |= fd < 0 || !is_readable(fd) ? 4 : 0;
	(void)unused;
	return box(wrong);
}

START_TEST(without_descriptors_it_says_so_and_works_later)
{
	expect(submit(pool, without_descriptors, NULL), 0);
}
END_TEST

START_TEST(outside_a_job_there_is_none)
{
	errno = 0;
	ck_assert_int_eq(soon_cancel_fd(), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

static Suite *fd_suite(void)
{
	Suite *s = suite_create("api_cancel_fd");
	TCase *tc = tcase_create("fd");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_is_one_and_readable_from_the_request_on);
	tcase_add_test(tc, it_is_readable_at_once_in_a_job_that_was_asked);
	tcase_add_test(tc, a_job_polls_it_beside_a_socket);
	tcase_add_test(tc, a_shutdown_makes_it_readable);
	tcase_add_test(tc, it_is_closed_at_the_jobs_end);
	tcase_add_test(tc, a_jobs_destructor_gets_one_of_its_own);
	tcase_add_test(tc, programs_that_are_executed_do_not_inherit_it);
	tcase_add_test(tc, taking_hooks_off_leaves_it_alone);
	tcase_add_test(tc, each_job_of_a_stack_has_its_own);
	tcase_add_test(tc, without_descriptors_it_says_so_and_works_later);
	tcase_add_test(tc, outside_a_job_there_is_none);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(fd_suite());
}
