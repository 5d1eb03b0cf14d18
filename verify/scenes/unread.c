/*
 * unread.c - failures that are reported if nobody reads them, between the worker,
 * those who hold the future, and the end of its executor: unread.c, refs.c and
 * future.c.
 *
 * The executor is only its home here, as in future.c, but for two scenes with a
 * whole pool.
 */
#include "pools.h"

#include "run.h"

#include <stdlib.h>

static struct soon_future *future;
static struct sooni_home *home;
static count worker_left;
static unsigned reports;
static soon_future *kept;
static bool keeps; /* the hook keeps the future */
static bool seen;  /* somebody has read the failure */
static bool was_cancelled;

static void report(soon_future *f, void *unused)
{
	(void)unused;
	sched_check(reports == 0 && !seen && soon_future_error(f) == EIO);
	reports++;
	if (keeps)
		kept = soon_future_ref(f);
}

static void *fail(void *unused)
{
	(void)unused;
	return soon_fail(EIO, NULL);
}

static void open_reports(void)
{
	reports = 0;
	kept = NULL;
	keeps = false;
	seen = false;
	was_cancelled = false;
}

/* A queued job with so many references. */
static void open_job(uint32_t refs)
{
	open_reports();
	home = calloc(1, sizeof(*home));
	home->unread = sooni_unread_new(report, NULL);
	atomic_init(&worker_left, 0);
	future = sooni_future_new(SOONI_QUEUED | refs * SOONI_REF, 0);
	future->fn = fail;
	future->arg = NULL;
	future->home = home;
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
	sooni_unread_drop(home->unread);
	free(home);
}

static void *just_unref(void *unused)
{
	soon_future_unref(future);
	return unused;
}

static void *wait_and_unref(void *unused)
{
	sched_check(soon_future_wait(future, SOON_FOREVER) == 0);
	soon_future_unref(future);
	return unused;
}

/* A look at one that is not done reads nothing. */
static void *look_and_unref(void *unused)
{
	int code = soon_future_error(future);

	sched_check(code == EBUSY || code == EIO);
	seen = code == EIO;
	soon_future_unref(future);
	return unused;
}

static void *cancel_and_unref(void *unused)
{
	was_cancelled = soon_future_cancel(future) == 0;
	soon_future_unref(future);
	return unused;
}

static void call_back(soon_future *f, void *unused)
{
	(void)unused;
	sched_check(soon_future_error(f) == EIO);
	seen = true;
}

/* Two threads with a reference each, while the worker has the entry. */
static void between(void *(*one)(void *), void *(*other)(void *))
{
	unsigned a = sched_spawn("A", one, NULL);
	unsigned b = sched_spawn("B", other, NULL);
	unsigned w = sched_spawn("worker", work, NULL);

	close_home();
	sched_join(a);
	sched_join(b);
	sched_join(w);
	sched_check(reports == !(seen || was_cancelled));
}

static void dropping(void)
{
	open_job(2);
	between(wait_and_unref, just_unref);
	sched_check(reports == 1);
}

static void reading(void)
{
	open_job(2);
	between(look_and_unref, just_unref);
}

/* Cancellation is no failure. */
static void cancelling(void)
{
	open_job(2);
	between(cancel_and_unref, just_unref);
}

static void calling_back(void)
{
	open_job(2);
	sched_check(soon_future_on_done(future, call_back, NULL) == 0);
	between(just_unref, just_unref);
	sched_check(reports == 0);
}

/* The hook keeps it, and nobody hears of it again. */
static void keeping(void)
{
	open_job(2);
	keeps = true;
	between(just_unref, just_unref);
	soon_future_unref(kept);
	sched_check(reports == 1);
}

/* Nobody but the pool ever has it. */
static void executing(void)
{
	open_reports();
	options.unread_error = report;
	open_pool(1, 1);
	execute(fail);
	end_pool();
	sched_check(reports == 1);
}

static void *wait_and_unref_it(void *f)
{
	sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
	soon_future_unref(f);
	return NULL;
}

/* The pool may go first. */
static void outliving(void)
{
	unsigned a;

	open_reports();
	options.unread_error = report;
	open_pool(1, 1);
	a = sched_spawn("A", wait_and_unref_it, submit(fail));
	end_pool();
	sched_join(a);
	sched_check(reports == 1);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "unread: dropping", dropping, 2, 0, 0, false },
		{ "unread: reading", reading, 2, 0, 0, false },
		{ "unread: cancelling", cancelling, 2, 0, 0, false },
		{ "unread: calling back", calling_back, 2, 0, 0, false },
		{ "unread: keeping", keeping, 2, 0, 0, false },
		{ "unread: executing", executing, 2, 0, 0, false },
		{ "unread: outliving", outliving, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
