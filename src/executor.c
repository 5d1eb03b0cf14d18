/*
 * executor.c - opening, shutting down and freeing pools.
 */
#include "crew.h"
#include "delay.h"
#include "limit.h"
#include "pool.h"
#include "sized.h"
#include "thread.h"

#include <soon/executor.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_MAX_WORKERS = 256,
	FLAGS = SOON_HELP | SOON_INLINE,
	SHUTDOWN_FLAGS = SOON_CANCEL_PENDING | SOON_CANCEL_RUNNING
};
#define DEFAULT_IDLE_TIMEOUT (10 * SOON_SEC)

static unsigned at_most(unsigned n, unsigned most)
{
	return n < most ? n : most;
}

/* What a program gave, in the form that this library knows. */
static int read_options(soon_executor_options *o,
			const soon_executor_options *given)
{
	int rc = sooni_read_struct(o, sizeof(*o), given, given->size);

	if (rc != 0)
		return rc;
	if (o->flags & ~(unsigned)FLAGS || o->idle_timeout < 0 ||
	    (unsigned)o->when_full > SOON_CALLER_RUNS ||
	    (o->workers > o->max_workers && o->max_workers > 0) ||
	    o->max_workers > SOONI_PARK_MOST || o->workers > SOONI_PARK_MOST)
		return EINVAL;
	return 0;
}

static void fill_in(soon_executor_options *o)
{
	unsigned cpus = o->workers == 0 ? at_most(sooni_cpus(), SOONI_PARK_MOST)
					: 0; /* not needed, and dear */

	if (o->max_workers == 0 && o->workers > DEFAULT_MAX_WORKERS)
		o->max_workers = o->workers;
	else if (o->max_workers == 0 && cpus > DEFAULT_MAX_WORKERS)
		/* On a large machine. */
		o->max_workers = cpus; /* LCOV_EXCL_LINE */
	else if (o->max_workers == 0)
		o->max_workers = DEFAULT_MAX_WORKERS;
	if (o->workers == 0)
		o->workers = at_most(cpus, o->max_workers);
	if (o->idle_timeout == 0)
		o->idle_timeout = DEFAULT_IDLE_TIMEOUT;
	if (o->name == NULL)
		o->name = "soon";
}

soon_executor *soon_executor_open(const soon_executor_options *given)
{
	static const soon_executor_options defaults =
		SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor_options o;
	struct soon_executor *e;
	int rc = read_options(&o, given != NULL ? given : &defaults);

	if (rc != 0)
		goto failed;
	fill_in(&o);
	rc = ENOMEM;
	e = aligned_alloc(SOONI_APART, sizeof(*e));
	if (e == NULL)
		goto failed;
	e->options = o;
	e->options.name = e->name;
	strncpy(e->name, o.name, sizeof(e->name) - 1);
	e->name[sizeof(e->name) - 1] = '\0';
	e->home.unread = NULL;
	if (o.unread_error != NULL) {
		e->home.unread = sooni_unread_new(o.unread_error, o.unread_ctx);
		if (e->home.unread == NULL)
			goto undo_alloc;
	}
	rc = sooni_pool_init(e);
	if (rc != 0)
		goto undo_alloc;
	rc = sooni_fork_enlist(e);
	if (rc == 0)
		return e;
	sooni_pool_fini(e);
undo_alloc:
	sooni_unread_drop(e->home.unread);
	free(e);
failed:
	errno = rc;
	return NULL;
}

soon_executor *soon_executor_new(unsigned max_workers)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.max_workers = max_workers;
	return soon_executor_open(&o);
}

/* stop: those that turn out to be running are asked to stop. */
static void cancel_pending(struct soon_executor *e, bool stop)
{
	unsigned generation = sooni_generation;
	struct soon_future *f;
	uint32_t s;

	/* These first: when one is due it goes to the others. */
	while ((f = sooni_delay_take(e)) != NULL) {
		sooni_future_cancel_idle(f);
		/* In a child that a callback forked that is over. */
		if (sooni_unlikely(generation != sooni_generation))
			return;
		sooni_future_drop_entry(f);
		/* If it had expired just then, and that went unread. */
		if (generation != sooni_generation) /* LCOV_EXCL_BR_LINE */
			return;			    /* LCOV_EXCL_LINE */
		sooni_home_leave(&e->home);
	}
	while ((f = sooni_pool_take_any(e)) != NULL) {
		/* The entry taken keeps f until it is dropped. */
		s = sooni_future_cancel_idle(f);
		if (sooni_unlikely(generation != sooni_generation))
			return;
		if (s & SOONI_RUNNING && stop)
			sooni_future_ask(f);
		sooni_future_drop_entry(f);
	}
}

struct asking {
	struct sooni_home *home;
	struct sooni_cancel *later;
};

static void ask_if_home(struct soon_future *job, void *asking)
{
	struct asking *a = asking;

	if (job->home == a->home)
		sooni_future_ask_later(job, &a->later);
}

static void cancel_running(struct soon_executor *e)
{
	struct asking a = { &e->home, NULL };

	sooni_threads_look(ask_if_home, &a);
	sooni_cancel_deliver(a.later);
}

static void cancel(struct soon_executor *e, unsigned flags)
{
	/* relaxed: shutdowns that come one after the other add up. */
	unsigned all = flags |
		       atomic_fetch_or_explicit(&e->shutdown_flags, flags,
						memory_order_relaxed);
	/* If what was pending before has been cancelled, all that runs from now
	 * on runs already. */
	bool stop = flags & SOON_CANCEL_RUNNING && all & SOON_CANCEL_PENDING;

	if (stop) /* seq_cst: see sooni_is_asked() */
		atomic_store_explicit(&e->home.stopping, true,
				      memory_order_seq_cst);
	if (flags & SOON_CANCEL_PENDING)
		cancel_pending(e, stop);
	if (flags & SOON_CANCEL_RUNNING)
		cancel_running(e);
}

int soon_executor_shutdown(soon_executor *e, unsigned flags, soon_nsec timeout)
{
	unsigned generation = sooni_generation;
	int64_t deadline;
	int rc;

	if (e == NULL || flags & ~(unsigned)SHUTDOWN_FLAGS)
		return EINVAL;
	if (timeout > 0 && sooni_pool_is_inside(e))
		return EDEADLK;
	deadline = sooni_deadline(timeout);
	sooni_pool_close(e, SOONI_CLOSED);
	/* Who waits for the pool's end waits for the callbacks of what this
	 * cancels.  relaxed: the pool is not over, as the caller uses it. */
	atomic_fetch_add_explicit(&e->home.guests, 2, memory_order_relaxed);
	cancel(e, flags);
	if (generation == sooni_generation)
		sooni_home_leave(&e->home);
	rc = sooni_crew_join(e, deadline);
	return rc != 0 && timeout <= 0 ? EINPROGRESS : rc;
}

void soon_executor_free(soon_executor *e)
{
	if (e == NULL || sooni_is_default(e))
		return;
	assert(!sooni_pool_is_inside(e));
	soon_executor_shutdown(e, 0, SOON_FOREVER);
	sooni_monitor_forget(e);
	sooni_limit_forget(&e->home);
	sooni_fork_delist(e);
	sooni_pool_fini(e);
	sooni_unread_drop(e->home.unread);
	free(e);
	sooni_timer_forget();
}
