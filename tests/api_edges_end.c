/*
 * api_edges_end.c - calls at the beginning and the end: of workers, of a pool, of
 * the process.
 */
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static soon_executor *pool;
static soon_future *promise;
static struct gate gate;
static struct tally ran, ended;
static atomic_int wrong;

static void setup(void)
{
	promise = soon_future_new(NULL);
	ck_assert_ptr_nonnull(promise);
	gate_init(&gate);
	tally_init(&ran);
	tally_init(&ended);
}

static void teardown(void)
{
	soon_future_unref(promise);
	gate_fini(&gate);
	tally_fini(&ran);
	tally_fini(&ended);
}

static void *keep_promise(void *unused)
{
	(void)unused;
	return box(soon_future_set_result(promise, NULL));
}

static void expect(bool condition)
{
	if (!condition)
		atomic_fetch_add(&wrong, 1);
}

/* worker_init and worker_fini */

static void wait_in_fini(void *other)
{
	soon_future *f;

	tally_add(&ended, 1);
	expect(soon_sleep(SOON_USEC) == 0);
	soon_blocking_begin();
	expect(soon_sleep(SOON_USEC) == 0);
	soon_blocking_end();
	f = soon_submit(other, return_arg, NULL);
	expect(soon_future_wait(f, SOON_FOREVER) == 0);
	soon_future_unref(f);
	expect(soon_future_wait(promise, SOON_FOREVER) == 0);
}

START_TEST(worker_fini_may_sleep_and_wait)
{
	enum { N = 3 };
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *other = pool_of(1);

	o.workers = o.max_workers = N;
	o.worker_fini = wait_in_fini;
	o.worker_ctx = other;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	pool_hold(pool, &gate, N);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, 0), EINPROGRESS);
	tally_await(&ended, N);
	ck_assert_int_eq(soon_future_set_result(promise, NULL), 0);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_executor_free(pool);
	soon_executor_free(other);
	ck_assert_int_eq(atomic_load(&wrong), 0);
}
END_TEST

static atomic_uint inits;

/* The init that *ctx names, counted from 0, waits. */
static int wait_in_init(void *ctx)
{
	if (atomic_fetch_add(&inits, 1) == *(unsigned *)ctx) {
		tally_add(&ran, 1);
		expect(soon_sleep(SOON_USEC) == 0);
		expect(soon_future_wait(promise, SOON_FOREVER) == 0);
	}
	return 0;
}

static void open_init_waits(unsigned workers, unsigned *which)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = o.max_workers = workers;
	o.idle_timeout = SOON_FOREVER;
	o.worker_init = wait_in_init;
	o.worker_ctx = which;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
}

START_TEST(worker_init_may_wait_for_a_job_that_another_worker_runs)
{
	unsigned second = 1;
	soon_future *f;

	open_init_waits(2, &second);
	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(soon_execute(pool, return_arg, NULL), 0);
	tally_await(&ran, 1);
	gate_open(&gate);
	f = submit(pool, keep_promise, NULL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	soon_executor_free(pool);
	ck_assert_int_eq(atomic_load(&wrong), 0);
}
END_TEST

START_TEST(worker_init_of_the_only_worker_may_wait_for_a_job)
{
	unsigned first = 0;
	soon_future *f;

	open_init_waits(1, &first);
	f = submit(pool, keep_promise, NULL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	soon_executor_free(pool);
	ck_assert_uint_eq(tally_get(&ran), 1);
	ck_assert_int_eq(atomic_load(&wrong), 0);
}
END_TEST

/* The ends of idle threads */

static pthread_key_t key;

static void open_short_lived(unsigned workers)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.name = "edge";
	o.workers = o.max_workers = workers;
	o.idle_timeout = SOON_MSEC;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
}

#ifdef __linux__

/* The destructor of the thread's value says when the thread has left all but
 * its own end behind. */
static void *own_name(void *name)
{
	expect(pthread_setspecific(key, &ended) == 0);
	expect(pthread_getname_np(pthread_self(), name, 16) == 0);
	return NULL;
}

START_TEST(a_pool_whose_last_thread_ends_again_and_again_uses_one_worker)
{
	ck_assert_int_eq(pthread_key_create(&key, tally_free), 0);
	open_short_lived(1);
	for (unsigned i = 1; i <= 100; i++) {
		char name[16] = "";
		soon_future *f = submit(pool, own_name, name);

		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		soon_future_unref(f);
		tally_await(&ended, i);
		ck_assert_str_eq(name, "edge-1");
	}
	soon_executor_free(pool);
	pthread_key_delete(key);
	ck_assert_int_eq(atomic_load(&wrong), 0);
}
END_TEST

#endif

static struct gate leaving;

static void submit_at_end(void *unused)
{
	(void)unused;
	gate_pass(&leaving);
	expect(soon_execute(pool, tally_job, &ran) == 0);
	tally_add(&ended, 1);
}

static void *hold_value(void *unused)
{
	expect(pthread_setspecific(key, &wrong) == 0);
	gate_pass(&gate);
	return unused;
}

START_TEST(a_destructor_of_an_ended_thread_may_submit)
{
	enum { N = 4 };
	soon_future *f;

	gate_init(&leaving);
	ck_assert_int_eq(pthread_key_create(&key, submit_at_end), 0);
	open_short_lived(N);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(soon_execute(pool, hold_value, NULL), 0);
	gate_await(&gate, N);
	gate_open(&gate);
	gate_await(&leaving, 1);
	/* Whoever is held there holds up nobody else. */
	f = submit(pool, return_arg, NULL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	gate_open(&leaving);
	tally_await(&ended, N);
	tally_await(&ran, N);
	soon_executor_free(pool);
	pthread_key_delete(key);
	gate_fini(&leaving);
	ck_assert_int_eq(atomic_load(&wrong), 0);
}
END_TEST

/* The end of a pool */

static void pass_and_count(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	gate_pass(&leaving);
	tally_add(&ended, 1);
}

static void *cancel_pending(void *unused)
{
	soon_executor_shutdown(pool, SOON_CANCEL_PENDING, 0);
	return unused;
}

/* How many callbacks had ended when it returned. */
static void *shut_down(void *unused)
{
	(void)unused;
	if (soon_executor_shutdown(pool, 0, SOON_FOREVER) != 0)
		return box(-1);
	return box((long)tally_get(&ended));
}

START_TEST(a_shutdown_waits_for_callbacks_of_what_another_one_cancelled)
{
	struct actor canceller, waiter;
	soon_future *f;

	gate_init(&leaving);
	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	f = submit(pool, return_arg, NULL);
	ck_assert_int_eq(soon_future_on_done(f, pass_and_count, NULL), 0);
	actor_start(&canceller, cancel_pending, NULL);
	gate_await(&leaving, 1);
	gate_open(&gate);
	actor_start(&waiter, shut_down, NULL);
	actor_await_asleep(&waiter);
	gate_open(&leaving);
	ck_assert_int_eq(unbox(actor_join(&waiter)), 1);
	actor_join(&canceller);
	ck_assert_int_eq(soon_future_state(f), SOON_CANCELLED);
	soon_future_unref(f);
	soon_executor_free(pool);
	gate_fini(&leaving);
}
END_TEST

/* The end of the process */

enum { NOT_ENDED = 99 };

static int to_parent;

static void *tell_parent(void *unused)
{
	expect(write(to_parent, "x", 1) == 1);
	return unused;
}

static void *exit_with_jobs_queued(void *unused)
{
	for (int i = 0; i < 3; i++)
		expect(soon_execute(NULL, tell_parent, unused) == 0);
	exit(atomic_load(&wrong));
}

/* On one CPU the default pool runs one job at a time. */
static void stay_on_one_cpu(void)
{
#ifdef __linux__
	cpu_set_t all, one;
	size_t cpu = 0;

	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return;
	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
#endif
}

static void run_child(void)
{
	soon_future *f;

	stay_on_one_cpu();
	f = soon_submit(NULL, exit_with_jobs_queued, NULL);
	soon_future_wait(f, SOON_FOREVER);
	_exit(NOT_ENDED);
}

START_TEST(exit_in_the_only_running_job_finishes_what_was_queued)
{
	int status = -1, ends[2], n = 0;
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(ends[0]);
		to_parent = ends[1];
		run_child();
	}
	close(ends[1]);
	while (read(ends[0], &c, 1) == 1)
		n++;
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(n, 3);
	/* What a sanitizer may find at such an end is another matter. */
	ck_assert(WIFEXITED(status));
	ck_assert_int_ne(WEXITSTATUS(status), NOT_ENDED);
}
END_TEST

static TCase *threads(void)
{
	TCase *t = tcase_create("threads");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, worker_fini_may_sleep_and_wait);
	tcase_add_test(t,
		       worker_init_may_wait_for_a_job_that_another_worker_runs);
	tcase_add_test(t, worker_init_of_the_only_worker_may_wait_for_a_job);
#ifdef __linux__
	tcase_add_test(
		t,
		a_pool_whose_last_thread_ends_again_and_again_uses_one_worker);
#endif
	tcase_add_test(t, a_destructor_of_an_ended_thread_may_submit);
	return t;
}

static TCase *pools(void)
{
	TCase *t = tcase_create("pools");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(
		t,
		a_shutdown_waits_for_callbacks_of_what_another_one_cancelled);
	tcase_add_test(t,
		       exit_in_the_only_running_job_finishes_what_was_queued);
	return t;
}

int main(void)
{
	Suite *s = suite_create("edges_end");

	suite_add_tcase(s, threads());
	suite_add_tcase(s, pools());
	return test_run(s);
}
