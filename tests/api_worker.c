/*
 * api_worker.c - the threads of a pool: init and fini, names, signals, stacks.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "support/support.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct gate gate;

static void setup(void)
{
	gate_init(&gate);
}

static void teardown(void)
{
	gate_fini(&gate);
}

/* What init and fini of one pool saw; a thread is initialised while `live`. */
struct hooks {
	struct tally inits;
	struct tally finis;
	atomic_int wrong;
};

static _Thread_local struct hooks *live;

static int count_init(void *ctx)
{
	struct hooks *h = ctx;

	if (live != NULL)
		atomic_fetch_add(&h->wrong, 1);
	live = h;
	tally_add(&h->inits, 1);
	return 0;
}

static void count_fini(void *ctx)
{
	struct hooks *h = ctx;

	if (live != h)
		atomic_fetch_add(&h->wrong, 1);
	live = NULL;
	tally_add(&h->finis, 1);
}

static void *check_live(void *hooks)
{
	struct hooks *h = hooks;

	if (live != h)
		atomic_fetch_add(&h->wrong, 1);
	return NULL;
}

static soon_executor *hooked_pool(unsigned n, struct hooks *h)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	tally_init(&h->inits);
	tally_init(&h->finis);
	atomic_init(&h->wrong, 0);
	o.workers = n;
	o.max_workers = n;
	o.worker_init = count_init;
	o.worker_fini = count_fini;
	o.worker_ctx = h;
	o.idle_timeout = SOON_FOREVER;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

START_TEST(init_comes_first_and_fini_last_on_each_worker)
{
	unsigned n = 1 + (unsigned)_i;
	struct hooks h;
	soon_executor *e = hooked_pool(n, &h);

	ck_assert_uint_eq(tally_get(&h.inits), 0);
	pool_hold(e, &gate, n);
	ck_assert_uint_eq(tally_get(&h.inits), n);
	ck_assert_uint_eq(tally_get(&h.finis), 0);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(soon_execute(e, check_live, &h), 0);
	gate_open(&gate);
	ck_assert_int_eq(soon_executor_shutdown(e, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(tally_get(&h.inits), n);
	ck_assert_uint_eq(tally_get(&h.finis), n);
	ck_assert_int_eq(atomic_load(&h.wrong), 0);
	soon_executor_free(e);
	ck_assert_uint_eq(tally_get(&h.finis), n);
}
END_TEST

START_TEST(without_jobs_there_is_nothing_to_initialise)
{
	struct hooks h;

	soon_executor_free(hooked_pool(2, &h));
	ck_assert_uint_eq(tally_get(&h.inits), 0);
	ck_assert_uint_eq(tally_get(&h.finis), 0);
}
END_TEST

enum { NAMED = 12, NAME_ROOM = 16, LONG_NAME = 4096 };

static char in_init[NAMED][NAME_ROOM];
static char in_job[NAMED][NAME_ROOM];
static atomic_uint n_init, n_job;

static int name_init(void *ctx)
{
	unsigned i = atomic_fetch_add(&n_init, 1) % NAMED;

	(void)ctx;
	return pthread_getname_np(pthread_self(), in_init[i], NAME_ROOM);
}

static void *name_job(void *arg)
{
	unsigned i = atomic_fetch_add(&n_job, 1) % NAMED;

	pthread_getname_np(pthread_self(), in_job[i], NAME_ROOM);
	gate_pass(arg);
	return NULL;
}

/* Both lists hold each of the names that `n` workers must have, once. */
static void expect_names(char list[NAMED][NAME_ROOM], const char *name,
			 unsigned n)
{
	for (unsigned number = 1; number <= n; number++) {
		char suffix[NAME_ROOM], expected[64];
		unsigned found = 0;

		snprintf(suffix, sizeof(suffix), "-%u", number);
		snprintf(expected, sizeof(expected), "%.*s%s",
			 (int)(NAME_ROOM - 1 - strlen(suffix)), name, suffix);
		for (unsigned i = 0; i < n; i++)
			found += strcmp(list[i], expected) == 0;
		ck_assert_msg(found == 1, "%u threads are called %s", found,
			      expected);
	}
}

/* The caller's copy of the name changes as soon as the pool is open. */
static void run_named(const char *name, const char *expected)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	static char copy[LONG_NAME + 1];
	soon_executor *e;

	atomic_store(&n_init, 0);
	atomic_store(&n_job, 0);
	snprintf(copy, sizeof(copy), "%s", name != NULL ? name : "");
	o.name = name != NULL ? copy : NULL;
	o.workers = NAMED;
	o.max_workers = NAMED;
	o.worker_init = name_init;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	memset(copy, 'y', sizeof(copy) - 1);
	for (unsigned i = 0; i < NAMED; i++)
		ck_assert_int_eq(soon_execute(e, name_job, &gate), 0);
	gate_await(&gate, NAMED);
	gate_open(&gate);
	soon_executor_free(e);
	expect_names(in_init, expected, NAMED);
	expect_names(in_job, expected, NAMED);
}

START_TEST(threads_are_called_by_the_pools_name_and_a_number)
{
	static const char *const names[] = {
		"crawl", "a-very-long-pool-name", "exactly-13-ch",  "%s%n",
		"soon",	 "\xff\xfe\xc3(\x80",	  "a\nb\t\x1b[31m", ""
	};

	run_named(names[_i], names[_i]);
}
END_TEST

START_TEST(a_very_long_name_is_cut)
{
	static char name[LONG_NAME + 1];

	memset(name, 'x', LONG_NAME);
	run_named(name, name);
}
END_TEST

START_TEST(without_a_name_threads_are_called_soon)
{
	run_named(NULL, "soon");
}
END_TEST

static void *get_mask(void *set)
{
	pthread_sigmask(SIG_SETMASK, NULL, set);
	return set;
}

/* These stay open: they come from what the thread itself does, or a profiler. */
static bool stays_open(int sig)
{
	static const int open[] = { SIGILL,  SIGTRAP, SIGFPE, SIGBUS,
				    SIGSEGV, SIGSYS,  SIGPROF };

	for (size_t i = 0; i < COUNT_OF(open); i++)
		if (sig == open[i])
			return true;
	return false;
}

START_TEST(workers_block_signals)
{
	soon_executor *e = pool_of(1);
	sigset_t before, set, after;
	soon_future *f;

	get_mask(&before);
	f = submit(e, get_mask, &set);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	soon_executor_free(e);
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP ||
		    (sig >= 32 && sig < SIGRTMIN))
			continue;
		ck_assert_msg(sigismember(&set, sig) == !stays_open(sig),
			      "signal %d", sig);
	}
	get_mask(&after);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		ck_assert_int_eq(sigismember(&after, sig),
				 sigismember(&before, sig));
}
END_TEST

static void *get_stack(void *arg)
{
	pthread_attr_t attr;
	size_t size = 0;

	(void)arg;
	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		pthread_attr_getstacksize(&attr, &size);
		pthread_attr_destroy(&attr);
	}
	return box((long)size);
}

START_TEST(stacks_are_as_large_as_asked_for)
{
	static const size_t sizes[] = { 64 << 10, 256 << 10, 300 << 10,
					32 << 20 };
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	void *size = NULL;
	soon_executor *e;
	soon_future *f;

	o.workers = 1;
	o.stack_size = sizes[_i];
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	f = submit(e, get_stack, NULL);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &size), 0);
	soon_future_unref(f);
	soon_executor_free(e);
	ck_assert_int_ge(unbox(size), (long)sizes[_i]);
	ck_assert_int_le(unbox(size), (long)sizes[_i] + (1 << 20));
}
END_TEST

static int block_init(void *unused)
{
	(void)unused;
	soon_blocking_begin();
	soon_blocking_begin();
	return 0;
}

START_TEST(what_init_said_of_blocking_is_over_with_it)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_stats stats = SOON_STATS_INIT;
	soon_executor *e;

	o.workers = 1;
	o.max_workers = 1;
	o.worker_init = block_init;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	pool_hold(e, &gate, 1);
	ck_assert_int_eq(soon_executor_stats(e, &stats), 0);
	ck_assert_uint_eq(stats.running, 1);
	ck_assert_uint_eq(stats.blocked, 0);
	gate_open(&gate);
	soon_executor_free(e);
}
END_TEST

#ifdef __linux__

static void *is_plain(void *unused)
{
	cpu_set_t mine, first;

	(void)unused;
	if (sched_getaffinity(0, sizeof(mine), &mine) != 0 ||
	    sched_getaffinity(getpid(), sizeof(first), &first) != 0)
		return soon_fail(errno, "sched_getaffinity()");
	return box(CPU_EQUAL(&mine, &first) &&
		   sched_getscheduler(0) <= SCHED_OTHER);
}

/* Pinned to one CPU, and scheduled in its own way. */
static void *submit_as_special(void *pool)
{
	const struct sched_param none = { .sched_priority = 0 };
	cpu_set_t all, one;
	size_t cpu = 0;

	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return NULL;
	while (cpu + 1 < CPU_SETSIZE && !CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0 ||
	    sched_setscheduler(0, SCHED_BATCH, &none) != 0)
		return NULL;
	return soon_submit(pool, is_plain, NULL);
}

START_TEST(threads_do_not_inherit_how_their_submitter_is_scheduled)
{
	soon_executor *e = pool_of(1);
	struct actor special;
	void *plain = NULL;
	soon_future *f;

	actor_start(&special, submit_as_special, e);
	f = actor_join(&special);
	if (f != NULL) { /* else it may not be special here */
		ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &plain),
				 0);
		ck_assert(unbox(plain));
	}
	soon_future_unref(f);
	soon_executor_free(e);
}
END_TEST

#endif

static Suite *suite(void)
{
	Suite *s = suite_create("worker");
	TCase *t = tcase_create("worker");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, init_comes_first_and_fini_last_on_each_worker, 0,
			    4);
	tcase_add_test(t, without_jobs_there_is_nothing_to_initialise);
	tcase_add_loop_test(
		t, threads_are_called_by_the_pools_name_and_a_number, 0, 8);
	tcase_add_test(t, a_very_long_name_is_cut);
	tcase_add_test(t, without_a_name_threads_are_called_soon);
	tcase_add_test(t, workers_block_signals);
	tcase_add_loop_test(t, stacks_are_as_large_as_asked_for, 0, 4);
	tcase_add_test(t, what_init_said_of_blocking_is_over_with_it);
#ifdef __linux__
	tcase_add_test(t,
		       threads_do_not_inherit_how_their_submitter_is_scheduled);
#endif
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
