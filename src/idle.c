/*
 * idle.c - how a worker that finds no job goes idle, or leaves.
 */
#include "crew.h"
#include "pool.h"

/* Places: who counts as running.  See enum sooni_place. */

void sooni_hold_place(struct sooni_worker *w)
{
	/* relaxed, both: nobody else changes NONE. */
	if (sooni_likely(
		    atomic_load_explicit(&w->place, memory_order_relaxed) ==
		    SOONI_PLACE_HELD))
		return;
	sooni_regain_place(w);
	atomic_store_explicit(&w->place, SOONI_PLACE_HELD,
			      memory_order_relaxed);
}

/* The worker is running, whatever the monitor found. */
void sooni_regain_place(struct sooni_worker *w)
{
	/* acq_rel: the monitor, which takes what is HELD, has taken it before
	 * or never will.  Pairs with its compare-and-swap. */
	if (atomic_exchange_explicit(&w->place, SOONI_PLACE_NONE,
				     memory_order_acq_rel) == SOONI_PLACE_TAKEN)
		sooni_park_unblock(&w->executor->park, true);
}

/*
 * Whether the thread may leave, with its parker on the stack or not.  With every
 * shard locked nobody can be between looking at `alive` and publishing: so either
 * a job is seen here, or its submitter sees that this thread has left.
 */
static bool leave(struct sooni_worker *w, bool on_stack)
{
	struct soon_executor *e = w->executor;
	bool over;
	bool left;

	sooni_pool_lock_shards(e);
	over = sooni_crew_is_over(e) || sooni_pool_phase(e) != SOONI_OPEN;
	left = on_stack
		       ? !sooni_pool_has_work(e) && sooni_park_leave(&w->parker)
		       : over && !sooni_pool_has_work(e);
	if (left)
		sooni_crew_leave(e);
	sooni_pool_unlock_shards(e);
	return left;
}

static enum sooni_end wait_for_call(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;
	int64_t deadline;

	/* A few look for a moment before they sleep.  relaxed: a rough count.*/
	if (atomic_fetch_add_explicit(&e->spinning, 1, memory_order_relaxed) <
	    1 + e->shard_mask / 4)
		sooni_park_look(&w->parker);
	atomic_fetch_sub_explicit(&e->spinning, 1, memory_order_relaxed);
	for (;;) {
		deadline = sooni_deadline(e->options.idle_timeout);
		if (sooni_park_wait(&w->parker, deadline) == 0) {
			w->searching = true;
			sooni_worker_wakes(w);
			sooni_counts_bump(&w->counts, SOONI_WAKEUPS, 1);
			return SOONI_STAYS;
		}
		if (leave(w, true))
			return SOONI_RETIRED;
		if (sooni_pool_has_work(e))
			sooni_pool_call(e, SOONI_ANYBODY);
	}
}

/* Go idle, or leave.  Running, and searching or not, before; running and
 * searching after SOONI_STAYS. */
static enum sooni_end rest(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;
	bool closed = sooni_pool_phase(e) != SOONI_OPEN;

	sooni_regain_place(w);
	if ((closed || sooni_crew_is_over(e)) && leave(w, false)) {
		sooni_park_exit(&e->park, w->searching);
		if (sooni_pool_has_work(e))
			sooni_pool_call(e, SOONI_ANYBODY);
		return SOONI_LEFT;
	}
	sooni_park_announce(&e->park, &w->parker, w->searching);
	/* Whoever closes the pool calls all who are idle by then. */
	if (sooni_pool_phase(e) != SOONI_OPEN)
		sooni_pool_call_all(e);
	else if (sooni_pool_has_work(e))
		sooni_pool_call(e, SOONI_ANYBODY);
	return wait_for_call(w);
}

enum sooni_end sooni_rest(struct sooni_worker *w)
{
	struct sooni_park *park = &w->executor->park;
	uint32_t workers = w->executor->options.workers;

	/* What the monitor raised for blocking jobs is not for the next ones. */
	if (sooni_park_limit(park) > workers)
		sooni_park_set_limit(park, workers);
	return rest(w);
}

/* The worker does not search, so nobody relies on it. */
static enum sooni_end rest_at_once(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;

	sooni_regain_place(w);
	if (!sooni_park_surplus(&e->park, &w->parker))
		return SOONI_STAYS;
	/* As in rest(); but as many run as may, and they will look. */
	if (sooni_pool_phase(e) != SOONI_OPEN)
		sooni_pool_call_all(e);
	return wait_for_call(w);
}

/*
 * A worker may have been called, or started, when more could run.  In a pool that
 * ends all are called to look around once more, however many run.
 */
enum sooni_end sooni_rest_if_surplus(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;
	enum sooni_end end = SOONI_STAYS;

	/* relaxed: a hint.  The place was taken just between two jobs, for
	 * instance as the worker slept for a lock: it counts again, before it
	 * is asked who is too many. */
	if (sooni_unlikely(
		    atomic_load_explicit(&w->place, memory_order_relaxed) ==
		    SOONI_PLACE_TAKEN))
		sooni_regain_place(w); /* LCOV_EXCL_LINE */
	while (end == SOONI_STAYS &&
	       sooni_unlikely(sooni_park_is_over(&e->park))) {
		if (!w->searching)
			end = rest_at_once(w);
		else if (sooni_pool_phase(e) == SOONI_OPEN)
			end = rest(w);
		else
			break;
	}
	return end;
}

/* Between tries to start a thread. */
#define RETRY_NSEC (10 * SOON_MSEC)

/* Fail the jobs of a broken pool; for others', call a worker. */
static bool is_taken_over(struct soon_executor *e)
{
	if (sooni_pool_phase(e) == SOONI_BROKEN)
		sooni_pool_fail_all(e);
	return !sooni_pool_has_work(e) || sooni_pool_call(e, SOONI_ANYBODY);
}

/*
 * As in leave(): with every shard locked, either a job is seen here, or its
 * submitter sees that this thread has left.  Others that are alive look by
 * themselves, or have been called.
 */
static bool leave_to_others(struct soon_executor *e)
{
	bool left;

	sooni_pool_lock_shards(e);
	/* relaxed: it changes under the lock of sooni_crew_leave(); of two that
	 * leave, the second sees the first by the shards' locks. */
	left = atomic_load_explicit(&e->alive, memory_order_relaxed) > 1 ||
	       !sooni_pool_has_work(e);
	if (left)
		sooni_crew_leave(e);
	sooni_pool_unlock_shards(e);
	return left;
}

void sooni_abandon(struct sooni_worker *w)
{
	static _Atomic uint32_t nothing; /* to sleep on */
	struct soon_executor *e = w->executor;

	sooni_regain_place(w);
	sooni_park_exit(&e->park, false);
	/* In a child that a destructor forked the thread is no worker. */
	do {
		while (!is_taken_over(e) && sooni_me.worker == w)
			sooni_sleep(&nothing, ~SOONI_SLEEPERS, 0,
				    sooni_deadline(RETRY_NSEC));
	} while (sooni_me.worker == w && !leave_to_others(e));
}
