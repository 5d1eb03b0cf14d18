/*
 * limit.c - one job that may run only so long, between the thread that runs it, the
 * clock and the end of its executor: limit.c, lost.c and timer.c.
 *
 * The executor is only its home here, and the worker one that another thread can
 * take over at once.  The home is freed as soon as the worker has left and no guest
 * is counted, so that whoever relies on it later is caught.
 */
#include "scene.h"

#include "count.h"
#include "limit.h"
#include "run.h"
#include "thread.h"

#include <errno.h>
#include <soon/error.h>
#include <stdlib.h>

static struct soon_future *future;
static struct sooni_home *home;
static count worker_left;
static unsigned places; /* that the worker has */
static unsigned ran;
static unsigned settled; /* by the worker */
static unsigned freed_results;
static unsigned called_back;
static unsigned refusals; /* to replace the thread */
static bool replaced;
static bool stops;
static bool left; /* the worker has; for checks */
static count called;
static count released; /* a job that waits for this */
static count reports;  /* of a failure that nobody read */
static bool seen;      /* somebody has read it */

static char worker; /* only its address matters */
static struct sooni_counts counts;

/* This faults if the executor is gone. */
static void expect_home(void)
{
	sched_check(home->guests != 1);
}

/* The worker, in the hands of one thread or the other */

static void leave_worker(void)
{
	sched_check(!left && places == 1);
	left = true;
	count_up(&worker_left);
}

static void give_place(struct sooni_worker *w)
{
	sched_check((char *)w == &worker && !left);
	places--;
}

static void take_place(struct sooni_worker *w)
{
	sched_check((char *)w == &worker && !left);
	places++;
}

static bool is_short(struct sooni_worker *w)
{
	sched_check((char *)w == &worker);
	sooni_yield();
	expect_home();
	return false;
}

/* The other thread finds nothing to do. */
static bool replace(struct sooni_worker *w, unsigned waits)
{
	sched_check(!replaced);
	if (refusals > 0) {
		refusals--;
		return false;
	}
	replaced = true;
	while (waits-- > 0)
		take_place(w);
	leave_worker();
	return true;
}

static const struct sooni_hooks hooks = {
	.begin_blocking = give_place,
	.end_blocking = take_place,
	.begin_wait = give_place,
	.end_wait = take_place,
	.is_short = is_short,
	.replace = replace,
};

static void *work(void *unused)
{
	struct soon_future *f = future;
	struct sooni_outcome outcome;
	enum sooni_limit_end end;

	(void)unused;
	sched_me()->worker = (struct sooni_worker *)&worker;
	sched_me()->hooks = &hooks;
	sched_me()->counts = &counts;
	sooni_thread_join_list();
	end = sooni_limit_call(f, &outcome);
	sched_check((end == SOONI_WRITTEN_OFF) == replaced);
	if (end == SOONI_IN_TIME) {
		settled++;
		sooni_job_settle(f, outcome);
	}
	if (end != SOONI_WRITTEN_OFF) {
		sooni_limit_leave(f, end);
		leave_worker();
	}
	sooni_thread_leave_list();
	return NULL;
}

/* The job */

static void free_result(void *result)
{
	sched_check(result == &ran);
	freed_results++;
}

static void *look(void *unused)
{
	(void)unused;
	soon_cancel_requested();
	ran++;
	return &ran;
}

static void *sleep_until_asked(void *unused)
{
	sched_check(soon_sleep(SOON_FOREVER) == ECANCELED);
	return look(unused);
}

static void hook(void *unused)
{
	(void)unused;
	sched_check(count_now(&called) == 0);
	count_up(&called);
}

/* If the request is not delivered it waits for ever. */
static void *await_call(void *unused)
{
	sched_check(soon_on_cancel(hook, NULL) == 0);
	count_await(&called, 1);
	return look(unused);
}

static void *stay(void *unused)
{
	count_await(&released, 1);
	return look(unused);
}

static void report(soon_future *f, void *unused)
{
	(void)unused;
	sched_check(f == future && count_now(&reports) == 0 && !seen);
	soon_future_unref(soon_future_ref(f));
	count_up(&reports);
}

static void call_back(soon_future *f, void *unused)
{
	(void)unused;
	sched_check(f == future);
	expect_home();
	called_back++;
}

/* A job that its worker has claimed, with one reference beside. */
static void open_job(soon_fn *fn)
{
	home = calloc(1, sizeof(*home));
	home->unread = sooni_unread_new(report, NULL);
	places = 1;
	ran = 0;
	settled = 0;
	freed_results = 0;
	called_back = 0;
	refusals = 0;
	replaced = false;
	stops = false;
	left = false;
	seen = false;
	sooni_counts_init(&counts);
	atomic_init(&worker_left, 0);
	atomic_init(&called, 0);
	atomic_init(&released, 0);
	atomic_init(&reports, 0);
	future = sooni_future_new(SOONI_RUNNING | SOONI_REF, 0);
	future->fn = fn;
	future->arg = NULL;
	future->home = home;
	atomic_init(&sooni_future_side(future)->free_result, free_result);
	sched_check(sooni_limit_new(future, 1) == 0);
}

/* The end of the executor, which may stop all jobs first. */
static void close_home(void)
{
	uint32_t by_two = ~SOONI_SLEEPERS;
	uint32_t now;

	if (stops)
		atomic_store_explicit(&home->stopping, true,
				      memory_order_seq_cst);
	count_await(&worker_left, 1);
	while ((now = atomic_load_explicit(&home->guests,
					   memory_order_acquire) &
		      by_two) != 0)
		sooni_sleep(&home->guests, by_two, now, INT64_MAX);
	sooni_limit_forget(home);
	sooni_unread_drop(home->unread);
	free(home);
	sooni_timer_forget();
}

static void *wait_and_unref(void *unused)
{
	(void)unused;
	sched_check(soon_future_wait(future, SOON_FOREVER) == 0);
	seen = true;
	sched_check(soon_future_error(future) == (settled > 0 ? 0 : ETIMEDOUT));
	soon_future_unref(future);
	return NULL;
}

static void *just_unref(void *unused)
{
	soon_future_unref(future);
	return unused;
}

static void *wait_and_unref_unread(void *unused)
{
	sched_check(soon_future_wait(future, SOON_FOREVER) == 0);
	soon_future_unref(future);
	return unused;
}

static void *cancel_and_unref(void *unused)
{
	int rc = soon_future_cancel(future);

	sched_check(rc == EBUSY || rc == EALREADY);
	soon_future_unref(future);
	return unused;
}

/* A thread with the reference, beside the worker; and another, if the job waits
 * for both. */
static void beside(void *(*one)(void *), void *(*other)(void *))
{
	unsigned w = sched_spawn("worker", work, NULL);
	unsigned a = sched_spawn("A", one, NULL);
	unsigned b = 0;

	if (other != NULL)
		b = sched_spawn("B", other, NULL);
	close_home();
	sched_join(a);
	if (other != NULL)
		sched_join(b);
	count_up(&released);
	sched_join(w);
	sched_check(ran == 1 && freed_results == 1);
	sched_check(settled == 0 || !replaced);
	sched_check(count_now(&reports) == (settled == 0 && !seen));
}

static void returning(void)
{
	open_job(look);
	beside(wait_and_unref, NULL);
}

/* The executor's end waits for the callback. */
static void calling_back(void)
{
	open_job(look);
	sched_check(soon_future_on_done(future, call_back, NULL) == 0);
	beside(just_unref, NULL);
	sched_check(called_back == 1);
}

/* The job looks whether its executor is stopping, which may be gone. */
static void stopping(void)
{
	open_job(look);
	stops = true;
	beside(wait_and_unref, NULL);
}

/* Nothing but the clock wakes the job. */
static void sleeping(void)
{
	open_job(sleep_until_asked);
	beside(wait_and_unref, NULL);
	sched_check(settled == 0);
}

/* The job returns before its thread could be replaced, or after. */
static void replaced_later(void)
{
	open_job(sleep_until_asked);
	refusals = 1;
	beside(wait_and_unref, NULL);
}

/* Clock and canceller ask, and one of them runs the hook. */
static void asking(void)
{
	open_job(await_call);
	beside(cancel_and_unref, NULL);
}

/* Failures that nobody reads; one more has a reference */

static void open_shared_job(soon_fn *fn)
{
	open_job(fn);
	soon_future_ref(future);
}

static void dropping(void)
{
	open_shared_job(look);
	beside(wait_and_unref_unread, just_unref);
}

/* It is reported though the job may never return. */
static void *drop_and_await_report(void *unused)
{
	soon_future_unref(future);
	count_await(&reports, 1);
	return unused;
}

static void dropping_for_good(void)
{
	open_shared_job(stay);
	beside(wait_and_unref_unread, drop_and_await_report);
}

/* The clock has the last reference but the job's. */
static void dropping_early(void)
{
	open_shared_job(stay);
	beside(just_unref, drop_and_await_report);
}

/* Whoever reads it may be the last or not. */
static void reading(void)
{
	open_shared_job(look);
	beside(wait_and_unref, wait_and_unref_unread);
	sched_check(count_now(&reports) == 0);
}

static void reading_for_good(void)
{
	open_shared_job(stay);
	beside(wait_and_unref, wait_and_unref_unread);
	sched_check(count_now(&reports) == 0);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "limit: returning", returning, 2, 1, 0, false },
		{ "limit: calling back", calling_back, 2, 1, 0, false },
		{ "limit: stopping", stopping, 2, 1, 0, false },
		{ "limit: sleeping", sleeping, 2, 1, 0, false },
		{ "limit: replaced later", replaced_later, 2, 2, 0, false },
		{ "limit: asking", asking, 2, 1, 0, false },
		{ "limit: dropping", dropping, 2, 1, 0, false },
		{ "limit: dropping for good", dropping_for_good, 2, 1, 0,
		  false },
		{ "limit: dropping early", dropping_early, 2, 1, 0, false },
		{ "limit: reading", reading, 2, 1, 0, false },
		{ "limit: reading for good", reading_for_good, 2, 1, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
