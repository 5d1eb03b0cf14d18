/*
 * future.c - one job between the thread that took it from a queue, those who
 * wait for it, those who cancel it and the end of its executor: future.c,
 * await.c, run.c, callback.c and promise.c.
 *
 * The executor is only its home here.  It is freed as soon as the worker has
 * left and no guest is counted, so that whoever relies on it later is caught.
 */
#include "scene.h"

#include "count.h"
#include "job.h"
#include "run.h"
#include "thread.h"

#include <errno.h>
#include <soon/error.h>
#include <stdint.h>
#include <stdlib.h>

static struct soon_future *future;
static struct sooni_home *home;
static count worker_left;
static unsigned ran;
static unsigned cancelled;
static unsigned called_back;
static unsigned freed_args;
static unsigned freed_results;
static bool sleepy; /* the job sleeps until it is asked to stop */

/* The executor does not end under a job, nor under what is told for one: this
 * faults if it did. */
static void expect_home(void)
{
	sched_check(home->guests != 1);
}

static void *job(void *arg)
{
	expect_home();
	sched_check(arg == &ran && ran == 0 && freed_args == 0);
	ran++;
	if (sleepy)
		sched_check(soon_sleep(SOON_FOREVER) == ECANCELED);
	return &ran;
}

static void free_arg(void *arg)
{
	expect_home();
	sched_check(arg == &ran);
	freed_args++;
}

static void free_result(void *result)
{
	sched_check(result == &ran);
	freed_results++;
}

static void call_back(soon_future *f, void *ctx)
{
	sched_check(f == future && soon_future_done(f));
	/* Told, not called at once because it was done already. */
	if (sched_me()->telling != NULL && f->home != NULL) {
		expect_home();
		sched_check(ctx == NULL || freed_args == 1);
	}
	called_back++;
}

/* A queued job with so many references. */
static void open_job(uint32_t refs, uint32_t marks)
{
	home = malloc(sizeof(*home));
	atomic_init(&home->guests, 0);
	atomic_init(&home->stopping, false);
	home->unread = NULL;
	sooni_counts_init(&home->counts);
	atomic_init(&worker_left, 0);
	ran = 0;
	cancelled = 0;
	called_back = 0;
	freed_args = 0;
	freed_results = 0;
	sleepy = false;
	future = sooni_future_new(SOONI_QUEUED | refs * SOONI_REF, marks);
	future->fn = job;
	future->arg = &ran;
	future->home = home;
}

static void give_destructors(void)
{
	struct sooni_side *side = sooni_future_side(future);

	side->free_arg = free_arg;
	atomic_init(&side->free_result, free_result);
}

/* It has taken the only queue entry, as a worker does. */
static void *work(void *unused)
{
	struct soon_future *f = future;

	(void)unused;
	if (sooni_future_claim(f, true, false))
		sooni_job_run(f);
	else
		sooni_future_drop_entry(f);
	count_up(&worker_left);
	return NULL;
}

/* The end of the executor. */
static void close_home(void)
{
	uint32_t by_two = ~SOONI_SLEEPERS;
	uint32_t now;

	count_await(&worker_left, 1);
	while ((now = atomic_load_explicit(&home->guests,
					   memory_order_acquire) &
		      by_two) != 0)
		sooni_sleep(&home->guests, by_two, now, INT64_MAX);
	free(home);
}

static void *wait_and_unref(void *unused)
{
	(void)unused;
	sched_check(soon_future_wait(future, SOON_FOREVER) == 0);
	sched_check(soon_future_done(future));
	soon_future_unref(future);
	return NULL;
}

static void *wait_a_moment_and_unref(void *unused)
{
	int rc = soon_future_wait(future, 1);

	(void)unused;
	sched_check(rc == ETIMEDOUT || (rc == 0 && soon_future_done(future)));
	soon_future_unref(future);
	return NULL;
}

static void *cancel_and_unref(void *unused)
{
	int rc = soon_future_cancel(future);

	(void)unused;
	sched_check(rc == 0 || rc == EBUSY || rc == EALREADY);
	cancelled += rc == 0;
	soon_future_unref(future);
	return NULL;
}

static void *watch_and_unref(void *ctx)
{
	sched_check(soon_future_on_done(future, call_back, ctx) == 0);
	soon_future_unref(future);
	return NULL;
}

/* Two threads with a reference each, while the worker has the entry. */
static void between(void *(*one)(void *), void *(*other)(void *), void *ctx)
{
	unsigned a = sched_spawn("A", one, ctx);
	unsigned b = sched_spawn("B", other, ctx);
	unsigned w = sched_spawn("worker", work, NULL);

	close_home();
	sched_join(a);
	sched_join(b);
	sched_join(w);
	sched_check(ran + (cancelled > 0) == 1);
}

static void cancelling(void)
{
	open_job(2, 0);
	between(wait_and_unref, cancel_and_unref, NULL);
}

static void cancelling_twice(void)
{
	open_job(2, 0);
	give_destructors();
	between(cancel_and_unref, cancel_and_unref, NULL);
	sched_check(freed_args == 1 && freed_results == ran);
}

/* A waiting thread may run the job; the executor must wait for that. */
static void helping(void)
{
	open_job(2, SOONI_HELPED);
	give_destructors();
	between(wait_and_unref, watch_and_unref, NULL);
	sched_check(ran == 1 && called_back == 1);
	sched_check(freed_args == 1 && freed_results == 1);
}

static void helping_or_cancelling(void)
{
	open_job(2, SOONI_HELPED);
	between(wait_and_unref, cancel_and_unref, NULL);
}

static void calling_back(void)
{
	static char frees_first;

	open_job(2, 0);
	give_destructors();
	between(watch_and_unref, cancel_and_unref, &frees_first);
	sched_check(called_back == 1);
	sched_check(freed_args == 1 && freed_results == ran);
}

static void timeout(void)
{
	open_job(2, 0);
	between(wait_and_unref, wait_a_moment_and_unref, NULL);
}

static void *ask_and_unref(void *unused)
{
	(void)unused;
	cancelled += soon_future_cancel(future) == 0;
	return wait_and_unref(NULL);
}

/* The job ends only when it is asked to. */
static void asking(void)
{
	open_job(2, 0);
	sleepy = true;
	between(wait_and_unref, ask_and_unref, NULL);
}

/* Promises */

static void *set_and_unref(void *unused)
{
	int rc = soon_future_set_result(future, &ran);

	(void)unused;
	sched_check(rc == 0 || rc == ECANCELED || rc == EALREADY);
	ran += rc == 0;
	soon_future_unref(future);
	return NULL;
}

static void *call_back_and_unref(void *unused)
{
	(void)unused;
	return watch_and_unref(NULL);
}

static void *just_unref(void *unused)
{
	(void)unused;
	soon_future_unref(future);
	return NULL;
}

static void promise_between(void *(*one)(void *), void *(*other)(void *))
{
	unsigned a;
	unsigned b;

	open_job(0, 0);
	sooni_future_discard(future);
	future = soon_future_new(NULL);
	soon_future_ref(future);
	soon_future_ref(future);
	a = sched_spawn("A", one, NULL);
	b = sched_spawn("B", other, NULL);
	call_back_and_unref(NULL);
	sched_join(a);
	sched_join(b);
	sched_check(called_back == 1);
	free(home);
}

/* Whoever sets it first wins; without anybody it fails with its last
 * reference. */
static void promise(void)
{
	promise_between(set_and_unref, set_and_unref);
	sched_check(ran == 1);
}

static void cancelled_promise(void)
{
	promise_between(set_and_unref, cancel_and_unref);
	sched_check(ran + cancelled == 1);
}

static void dropped_promise(void)
{
	promise_between(just_unref, just_unref);
}

static void *own_and_unref(void *unused)
{
	int rc = soon_future_own(future, free_result);

	(void)unused;
	sched_check(rc == 0 || rc == EALREADY);
	cancelled += rc == 0;
	soon_future_unref(future);
	return NULL;
}

/* One of two gives it its destructor. */
static void owned_promise(void)
{
	promise_between(own_and_unref, own_and_unref);
	sched_check(cancelled == 1);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "future: cancelling", cancelling, 2, 0, 0, false },
		{ "future: cancelling twice", cancelling_twice, 2, 0, 0,
		  false },
		{ "future: helping", helping, 2, 0, 0, false },
		{ "future: helping or cancelling", helping_or_cancelling, 2, 0,
		  0, false },
		{ "future: calling back", calling_back, 2, 0, 0, false },
		{ "future: timeout", timeout, 2, 1, 0, false },
		{ "future: asking", asking, 2, 0, 0, false },
		{ "future: promise", promise, 2, 0, 0, false },
		{ "future: cancelled promise", cancelled_promise, 2, 0, 0,
		  false },
		{ "future: dropped promise", dropped_promise, 2, 0, 0, false },
		{ "future: owned promise", owned_promise, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
