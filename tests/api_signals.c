/*
 * api_signals.c - signals to the process, to threads that wait and to workers: no
 * worker gets one that is for the program, and no call ends for one.
 */
#include "support/fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static pthread_t main_thread;
static atomic_uint handled;   /* by the main thread */
static atomic_uint elsewhere; /* by any other */
static atomic_bool enough;

static void handle(int sig)
{
	(void)sig;
	if (pthread_equal(pthread_self(), main_thread))
		atomic_fetch_add(&handled, 1);
	else
		atomic_fetch_add(&elsewhere, 1);
}

/* Without SA_RESTART: calls of the system end with EINTR. */
static void catch (int sig)
{
	struct sigaction action = { .sa_handler = handle };

	sigemptyset(&action.sa_mask);
	ck_assert_int_eq(sigaction(sig, &action, NULL), 0);
}

static void setup(void)
{
	main_thread = pthread_self();
	atomic_store(&handled, 0);
	atomic_store(&elsewhere, 0);
	atomic_store(&enough, false);
	catch (SIGUSR1);
	catch (SIGPROF);
	fixture_open(pool_of(2));
}

/* A storm comes from a thread that takes no part in it. */
static struct actor sender;

static void storm(void *(*send)(void *), void *arg)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	actor_start(&sender, send, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void end_storm(void)
{
	atomic_store(&enough, true);
	actor_join(&sender);
}

static void *send_to_process(void *unused)
{
	while (!atomic_load(&enough)) {
		kill(getpid(), SIGUSR1);
		sched_yield();
	}
	return unused;
}

/* Timed waits of all kinds for what does not come: never early, never EINTR. */
static void wait_in_vain(soon_future *f)
{
	soon_nsec limit = 3 * SOON_MSEC;
	soon_completions *set = soon_as_completed(&f, 1);
	soon_future *next;
	soon_nsec start;
	int error;

	ck_assert_ptr_nonnull(set);
	for (int way = 0; way < 6; way++) {
		int rc = ETIMEDOUT;

		start = now();
		switch (way) {
		case 0:
			rc = soon_future_wait(f, limit);
			break;
		case 1:
			rc = soon_wait(&f, 1, SOON_ALL_COMPLETED, limit, NULL);
			break;
		case 2:
			rc = soon_completions_next(set, limit, &next);
			break;
		case 3:
			rc = soon_gather(&f, 1, limit, NULL, &error);
			break;
		case 4:
			rc = soon_executor_shutdown(pool, 0, limit);
			break;
		default:
			ck_assert_int_eq(soon_sleep(limit), 0);
		}
		ck_assert_int_eq(rc, ETIMEDOUT);
		ck_assert_int_ge(now() - start, limit);
	}
	soon_completions_free(set);
}

START_TEST(signals_to_the_process_come_to_no_worker_and_end_no_wait)
{
	unsigned rounds = test_scale(5000);
	soon_future *f;

	storm(send_to_process, NULL);
	for (unsigned i = 0; i < rounds; i++) {
		f = submit(pool, return_arg, &pool);
		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		soon_future_unref(f);
	}
	f = submit(pool, gate_job, &gate);
	wait_in_vain(f);
	/* A slow machine may have had little of it. */
	while (atomic_load(&handled) < rounds)
		sched_yield();
	end_storm();
	gate_open(&gate);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	ck_assert_int_eq(soon_executor_shutdown(pool, 0, SOON_FOREVER), 0);
	ck_assert_uint_eq(atomic_load(&elsewhere), 0);
}
END_TEST

/* A worker's own thread, to which a profiler's signals come. */
static struct gate hit;
static atomic_uint wrong;
static pthread_t worker;

static void *send_to_worker(void *unused)
{
	while (!atomic_load(&enough)) {
		pthread_kill(worker, SIGPROF);
		sched_yield();
	}
	return unused;
}

/* Waits and sleeps while it is hit. */
static void *be_hit(void *promise)
{
	soon_nsec limit = 3 * SOON_MSEC;
	soon_nsec start;

	worker = pthread_self();
	gate_pass(&hit);
	for (int i = 0; i < 5; i++) {
		start = now();
		if (soon_future_wait(promise, limit) != ETIMEDOUT ||
		    now() - start < limit)
			atomic_fetch_add(&wrong, 1);
		start = now();
		if (soon_sleep(limit) != 0 || now() - start < limit)
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

START_TEST(a_profilers_signals_disturb_no_worker)
{
	soon_future *promise = soon_future_new(NULL);
	soon_future *f;

	ck_assert_ptr_nonnull(promise);
	gate_init(&hit);
	f = submit(pool, be_hit, promise);
	gate_await(&hit, 1);
	storm(send_to_worker, NULL);
	gate_open(&hit);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	/* Idle it is hit, too. */
	for (unsigned before = atomic_load(&elsewhere);
	     atomic_load(&elsewhere) < before + 100;)
		sched_yield();
	f = submit(pool, return_null, NULL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	end_storm();
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(atomic_load(&handled), 0);
	soon_future_unref(promise);
	gate_fini(&hit);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("signals");
	TCase *t = tcase_create("signals");

	tcase_add_checked_fixture(t, setup, fixture_close);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(
		t, signals_to_the_process_come_to_no_worker_and_end_no_wait);
	tcase_add_test(t, a_profilers_signals_disturb_no_worker);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
