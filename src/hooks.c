/*
 * hooks.c - what a worker does for a job that blocks or waits: it lets another
 * thread take its place, or runs what the job waits for.
 */
#include "crew.h"
#include "limit.h"
#include "pool.h"
#include "thread.h"

/*
 * A worker whose stack is used up but for a quarter, within these bounds, runs no
 * awaited jobs on top.
 */
enum { LEAST_STACK_LEFT = 16 << 10, MOST_STACK_LEFT = 256 << 10 };

/* Blocking and waiting */

/*
 * A place is free.  Whether jobs need it, but no thread can be started; those of
 * a broken pool need none.
 */
static bool is_short(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;

	if (sooni_pool_phase(e) == SOONI_BROKEN)
		sooni_pool_fail_all(e);
	return sooni_pool_has_work(e) && !sooni_pool_call(e, SOONI_ANYBODY);
}

/* soon_blocking_begin(): the thread counts against max_workers all the same. */
static void begin_blocking(struct sooni_worker *w)
{
	sooni_regain_place(w);
	w->blocking = true;
	sooni_park_block(&w->executor->park, true);
}

static void end_blocking(struct sooni_worker *w)
{
	w->blocking = false;
	sooni_park_unblock(&w->executor->park, true);
	sooni_hold_place(w);
}

/* A wait in the library: another may take its place above max_workers. */
static void begin_wait(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;

	/* relaxed: see busy_threads() in crew.c. */
	atomic_fetch_add_explicit(&e->waiting, 1, memory_order_relaxed);
	if (w->blocking) {
		sooni_park_uncount(&e->park);
		return;
	}
	sooni_regain_place(w);
	sooni_park_block(&e->park, false);
}

static void end_wait(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;

	if (w->blocking) {
		sooni_park_recount(&e->park);
	} else {
		sooni_park_unblock(&e->park, false);
		sooni_hold_place(w);
	}
	/* relaxed: see busy_threads() in crew.c. */
	atomic_fetch_sub_explicit(&e->waiting, 1, memory_order_relaxed);
}

/* The new thread counts as running and searching. */
static bool replace(struct sooni_worker *w, unsigned waits)
{
	struct soon_executor *e = w->executor;
	bool started;

	pthread_mutex_lock(&e->lock);
	started = sooni_crew_replace(w);
	if (started) {
		while (waits-- > 0)
			end_wait(w);
		if (w->blocking)
			end_blocking(w);
		sooni_regain_place(w);
		sooni_park_search(&e->park);
	}
	pthread_mutex_unlock(&e->lock);
	return started;
}

/* Running what is waited for */

/* Take the job that the worker waits for out of its own queue, if it is at
 * either end; elsewhere its entry stays, and is dropped when it is met. */
static bool take_own(struct sooni_worker *w, struct soon_future *f)
{
	return sooni_deque_pop_if(&w->queue, f) ||
	       sooni_deque_take_if(&w->queue, f);
}

/* Asking for the stack takes longer than starting many a job; so only a worker
 * that waits for jobs does it, once. */
static sooni_noinline void find_stack_limit(void)
{
	size_t size = 0;
	char *stack = sooni_thread_stack(&size);
	size_t left = size / 4;

	if (left < LEAST_STACK_LEFT)
		left = LEAST_STACK_LEFT;
	if (left > MOST_STACK_LEFT)
		left = MOST_STACK_LEFT;
	/* Unknown: the smallest stack has as much below this frame. */
	sooni_me.stack_limit =
		stack != NULL ? stack + left
			      : (char *)__builtin_frame_address(0) - left / 2;
}

bool sooni_worker_has_stack(void)
{
	if (sooni_unlikely(sooni_me.stack_limit == NULL))
		find_stack_limit();
	return (char *)__builtin_frame_address(0) >= sooni_me.stack_limit;
}

/* The entry stays in a queue of this pool or of another. */
static bool claim_only(struct sooni_worker *w, struct soon_future *f)
{
	bool guest = f->home != &w->executor->home;

	if (!sooni_future_claim(f, false, guest))
		return false;
	sooni_count(&f->home->counts, SOONI_CLAIMED);
	sooni_count(&f->home->counts, SOONI_STALE);
	return true;
}

static bool claim(struct sooni_worker *w, struct soon_future *f)
{
	if (!sooni_worker_has_stack())
		return false;
	if (f->home != &w->executor->home || !take_own(w, f))
		return claim_only(w, f);
	if (sooni_future_claim(f, true, false)) {
		sooni_counts_bump(&w->counts, SOONI_CLAIMED, 1);
		return true;
	}
	/* It was cancelled, or claimed by others, since the caller looked. */
	sooni_future_drop_entry(f); /* LCOV_EXCL_LINE */
	return false;		    /* LCOV_EXCL_LINE */
}

const struct sooni_hooks sooni_worker_hooks = {
	.begin_blocking = begin_blocking,
	.end_blocking = end_blocking,
	.begin_wait = begin_wait,
	.end_wait = end_wait,
	.is_short = is_short,
	.claim = claim,
	.replace = replace,
};
