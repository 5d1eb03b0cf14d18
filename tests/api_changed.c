/*
 * api_changed.c - jobs that change their thread and leave it so: its signal mask,
 * cancelability, locale, rounding mode, name.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "support/fixture.h"

#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <string.h>

#ifdef FE_UPWARD
#define ROUNDING FE_UPWARD
#else
#define ROUNDING fegetround()
#endif

static locale_t other;
static pthread_t changed; /* that thread */

static void setup(void)
{
	fixture_open(pool_of(1));
	other = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	ck_assert(other != (locale_t)0);
}

static void teardown(void)
{
	fixture_close();
	freelocale(other);
}

static void *change(void *unused)
{
	sigset_t none;
	int old;

	sigemptyset(&none);
	fixture_expect(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
	fixture_expect(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old) ==
		       0);
	fixture_expect(uselocale(other) != (locale_t)0);
	fixture_expect(fesetround(ROUNDING) == 0);
	fixture_expect(pthread_setname_np(pthread_self(), "changed") == 0);
	soon_blocking_begin();
	changed = pthread_self();
	errno = EIO;
	return unused;
}

static void run(soon_fn *fn, void *arg)
{
	soon_future *f = submit(pool, fn, arg);

	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_future_unref(f);
}

static bool blocks(int sig)
{
	sigset_t set;

	pthread_sigmask(SIG_SETMASK, NULL, &set);
	return sigismember(&set, sig) == 1;
}

static void *find_changed(void *unused)
{
	char name[16];
	int state;

	fixture_expect(pthread_equal(pthread_self(), changed) != 0);
	fixture_expect(!blocks(SIGUSR1));
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	fixture_expect(state == PTHREAD_CANCEL_DISABLE);
	fixture_expect(uselocale((locale_t)0) == other);
	fixture_expect(fegetround() == ROUNDING);
	fixture_expect(pthread_getname_np(pthread_self(), name, sizeof(name)) ==
		       0);
	fixture_expect(strcmp(name, "changed") == 0);
	return unused;
}

START_TEST(what_a_job_changed_the_next_finds)
{
	run(change, NULL);
	run(find_changed, NULL);
}
END_TEST

static void ignore(int sig)
{
	(void)sig;
}

/* Waits of each kind, with signals that the thread takes now. */
static void *wait_in_ways(void *promise)
{
	soon_nsec limit = 2 * SOON_MSEC;

	for (int i = 0; i < 5; i++) {
		soon_nsec start = now();

		pthread_kill(pthread_self(), SIGUSR1);
		fixture_expect(soon_future_wait(promise, limit) == ETIMEDOUT);
		fixture_expect(now() - start >= limit);
		fixture_expect(soon_sleep(limit) == 0);
		fixture_expect(now() - start >= 2 * limit);
	}
	return NULL;
}

static void *wait_for_child(void *unused)
{
	soon_future *f = soon_submit(pool, return_arg, &pool);
	void *result = NULL;

	fixture_expect(soon_future_result(f, SOON_FOREVER, &result) == 0);
	fixture_expect(result == &pool);
	soon_future_unref(f);
	return unused;
}

START_TEST(a_changed_thread_serves_its_pool_as_before)
{
	struct sigaction action = { .sa_handler = ignore };
	soon_future *promise = soon_future_new(NULL);
	soon_future *f;

	ck_assert_ptr_nonnull(promise);
	sigaction(SIGUSR1, &action, NULL);
	run(change, NULL);
	run(wait_in_ways, promise);
	run(wait_for_child, NULL);
	/* It delays, expires and is asked to stop. */
	f = submit_job(pool, SOON_JOB(.fn = return_null, .delay = SOON_MSEC));
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	f = submit(pool, gate_job, &gate);
	gate_await(&gate, 1);
	ck_assert_int_eq(soon_future_cancel(f), EBUSY);
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	soon_future_unref(promise);
}
END_TEST

static void *find_new(void *unused)
{
	char name[16];
	int state;

	fixture_expect(pthread_equal(pthread_self(), changed) == 0);
	fixture_expect(blocks(SIGUSR1) && !blocks(SIGSEGV));
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	fixture_expect(state == PTHREAD_CANCEL_ENABLE);
	fixture_expect(uselocale((locale_t)0) == LC_GLOBAL_LOCALE);
	fixture_expect(pthread_getname_np(pthread_self(), name, sizeof(name)) ==
		       0);
	fixture_expect(strcmp(name, "soon-2") == 0);
	return unused;
}

/* As a job whose submit starts another thread. */
static void *change_and_submit(void *unused)
{
	soon_future *f;

	change(NULL);
	f = soon_submit(pool, find_new, NULL);
	/* Not untimed: it would run it itself. */
	fixture_expect(soon_future_wait(f, 1000 * SOON_SEC) == 0);
	soon_future_unref(f);
	return unused;
}

START_TEST(a_new_thread_is_unchanged_whoever_starts_it)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = 2;
	o.max_workers = 2;
	fixture_use(&o);
	run(change_and_submit, NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("changed");
	TCase *t = tcase_create("changed");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, what_a_job_changed_the_next_finds);
	tcase_add_test(t, a_changed_thread_serves_its_pool_as_before);
	tcase_add_test(t, a_new_thread_is_unchanged_whoever_starts_it);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
