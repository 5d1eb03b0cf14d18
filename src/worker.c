/*
 * worker.c - what a pool's thread does: find a job, run it, go idle.
 */
#include "pool.h"
#include "thread.h"

#include <soon/error.h>

#include <stdio.h>
#include <string.h>

enum {
	/* Jobs from its own queue before a worker looks at the shards, so that
	 * one that feeds itself does not starve what comes from outside. */
	TURNS = 61,
	/* A worker whose stack is used up but for a quarter, within these
	 * bounds, runs no awaited jobs on top. */
	LEAST_STACK_LEFT = 16 << 10,
	MOST_STACK_LEFT = 256 << 10,
	LINGER = 50 /* looks: a microsecond */
};

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
	is_short(w);
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

	/* relaxed: see busy_threads(). */
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
	/* relaxed: see busy_threads(). */
	atomic_fetch_sub_explicit(&e->waiting, 1, memory_order_relaxed);
}

/* Finding jobs */

static struct soon_future *find_in_shards(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;
	unsigned i;

	for (i = 0; i <= e->shard_mask; i++) {
		unsigned at = (w->shard + i) & e->shard_mask;
		void *item;

		do
			item = sooni_deque_take_pushed(&e->shards[at].queue,
						       &w->seen[at]);
		while (item == SOONI_DEQUE_RETRY);
		if (item != NULL) {
			w->shard = at;
			return item;
		}
	}
	return NULL;
}

/* xorshift: G. Marsaglia, "Xorshift RNGs", 2003. */
static uint32_t next_random(struct sooni_worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return w->random;
}

static struct soon_future *steal_from(struct sooni_worker *w,
				      struct sooni_worker *victim)
{
	struct soon_future *f = sooni_queue_take(&victim->queue);

	w->victim = f != NULL ? victim : NULL;
	return f;
}

static struct soon_future *steal(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;
	uint32_t n = sooni_park_count(&e->park);
	uint32_t start = next_random(w) % n;
	struct soon_future *f = NULL;
	uint32_t i;

	if (w->victim != NULL)
		f = steal_from(w, w->victim);
	for (i = 0; i < n && f == NULL; i++)
		f = steal_from(w, sooni_worker_at(e, (start + i) % n));
	return f;
}

/* The worker's own jobs begin in the order in which it submitted them. */
static struct soon_future *find(struct sooni_worker *w)
{
	struct soon_future *f;

	if (++w->turn >= TURNS) {
		w->turn = 0;
		f = find_in_shards(w);
		if (f != NULL)
			return f;
	}
	f = sooni_queue_take(&w->queue);
	if (f == NULL)
		f = find_in_shards(w);
	return f != NULL ? f : steal(w);
}

/* Whether there is more where the last came from; a hint. */
static bool has_more(struct sooni_worker *w)
{
	return !sooni_deque_is_empty(&w->queue) ||
	       (w->victim != NULL &&
		!sooni_deque_is_empty(&w->victim->queue)) ||
	       !sooni_deque_is_empty(&w->executor->shards[w->shard].queue);
}

/* The worker, if it searches, does so no more. */
static void stop_searching(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;

	if (!w->searching)
		return;
	w->searching = false;
	if (sooni_park_found(&e->park) && sooni_pool_has_work(e))
		sooni_pool_call(e, SOONI_ANYBODY);
}

/* Running them */

/* Take the job that the worker waits for out of its own queue, if it is at
 * either end; elsewhere its entry stays, and is dropped when it is met. */
static bool take_own(struct sooni_worker *w, struct soon_future *f)
{
	return sooni_deque_pop_if(&w->queue, f) ||
	       sooni_deque_take_if(&w->queue, f);
}

/* Asking for the stack takes longer than starting many a job; so only a worker
 * that waits for jobs does it, once. */
static sooni_noinline void find_stack_limit(struct sooni_worker *w)
{
	size_t size = 0;
	char *stack = sooni_thread_stack(&size);
	size_t left = size / 4;

	if (left < LEAST_STACK_LEFT)
		left = LEAST_STACK_LEFT;
	if (left > MOST_STACK_LEFT)
		left = MOST_STACK_LEFT;
	/* Unknown: the smallest stack has as much below this frame. */
	w->stack_limit =
		stack != NULL ? stack + left
			      : (char *)__builtin_frame_address(0) - left / 2;
}

static bool claim(struct sooni_worker *w, struct soon_future *f)
{
	if (sooni_unlikely(w->stack_limit == NULL))
		find_stack_limit(w);
	if ((char *)__builtin_frame_address(0) < w->stack_limit)
		return false;
	if (f->home != &w->executor->home)
		return sooni_future_claim(f, false, true);
	if (!take_own(w, f))
		return sooni_future_claim(f, false, false);
	if (sooni_future_claim(f, true, false))
		return true;
	sooni_future_drop_entry(f);
	return false;
}

static const struct sooni_hooks hooks = {
	.begin_blocking = begin_blocking,
	.end_blocking = end_blocking,
	.begin_wait = begin_wait,
	.end_wait = end_wait,
	.is_short = is_short,
	.claim = claim,
	.before_user = stop_searching,
};

/* Whether the user's code that ran has not forked, or this is the parent. */
static bool is_here(const struct sooni_worker *w)
{
	return sooni_me.worker == w;
}

/* What a job left undone; then the worker counts as running again. */
static void tidy(struct sooni_worker *w)
{
	while (sooni_me.blocking > 0)
		soon_blocking_end();
	/* relaxed: the worker's own; TAKEN is seen a job later if not now. */
	if (sooni_unlikely(
		    atomic_load_explicit(&w->place, memory_order_relaxed) !=
		    SOONI_PLACE_HELD)) {
		sooni_regain_place(w);
		sooni_hold_place(w);
	}
}

/*
 * Run and settle f.  Where there is nothing else to do the worker says that it
 * searches before the result can be seen, so that a submit that follows on the
 * result calls nobody else.  In a child that the job or a callback forked, w is
 * not touched any more.
 */
static void run(struct sooni_worker *w, struct soon_future *f)
{
	struct sooni_outcome outcome;

	sooni_hold_place(w);
	outcome = sooni_job_call(f);
	if (sooni_unlikely(outcome.code == SOONI_FORKED))
		return;
	/* relaxed: the monitor only compares it with what it was. */
	atomic_store_explicit(
		&w->jobs,
		atomic_load_explicit(&w->jobs, memory_order_relaxed) + 1,
		memory_order_relaxed);
	tidy(w);
	if (!has_more(w)) {
		sooni_park_search(&w->executor->park);
		w->searching = true;
	}
	sooni_job_settle(f, outcome);
	if (sooni_likely(is_here(w)))
		tidy(w); /* after callbacks */
}

/*
 * Look once more for a moment at where jobs came from last, as a searcher, whom
 * submitters need not call: the next job of a program that waits for one after
 * the other comes just now.
 */
static struct soon_future *linger(struct sooni_worker *w)
{
	unsigned looks;

	for (looks = 0; looks < LINGER && !has_more(w); looks++)
		sooni_relax();
	return looks < LINGER ? find(w) : NULL;
}

/* Do what is to be done with an entry taken. */
static enum sooni_end serve(struct sooni_worker *w, struct soon_future *f)
{
	bool ran = false;

	stop_searching(w);
	if (!sooni_future_claim(f, true, false)) {
		sooni_future_drop_entry(f);
	} else if (sooni_unlikely(sooni_pool_phase(w->executor) ==
				  SOONI_BROKEN)) {
		sooni_job_fail(f, SOON_EBROKEN);
	} else {
		run(w, f);
		ran = true;
	}
	if (sooni_unlikely(!is_here(w)))
		return SOONI_ORPHANED;
	return ran && !w->searching ? sooni_rest_if_surplus(w) : SOONI_STAYS;
}

static enum sooni_end work(struct sooni_worker *w)
{
	enum sooni_end end = SOONI_STAYS;

	while (end == SOONI_STAYS) {
		struct soon_future *f = find(w);

		if (f == NULL && w->searching)
			f = linger(w);
		end = f != NULL ? serve(w, f) : sooni_rest(w);
	}
	return end;
}

/* Beginning and ending */

/* worker_init failed: no job of this pool starts any more. */
static enum sooni_end break_pool(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;

	sooni_pool_close(e, SOONI_BROKEN);
	sooni_pool_fail_all(e);
	if (!is_here(w))
		return SOONI_ORPHANED;
	sooni_regain_place(w);
	sooni_park_exit(&e->park, false);
	sooni_pool_lock_shards(e);
	sooni_crew_leave(e);
	sooni_pool_unlock_shards(e);
	/* What a job submitted meanwhile. */
	sooni_pool_fail_all(e);
	return SOONI_LEFT;
}

/*
 * Run worker_init.  A thread that runs the user's code must not count as
 * searching, or else nobody would be called meanwhile; but each that is just
 * starting will take one of the queued jobs.
 */
static bool init(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;
	const soon_executor_options *o = &e->options;
	size_t starting;
	bool failed;

	if (o->worker_init == NULL)
		return true;
	/* relaxed: decides on one thread more or less. */
	starting = 1 + atomic_fetch_add_explicit(&e->starting, 1,
						 memory_order_relaxed);
	w->searching = false;
	if (sooni_park_found(&e->park) && sooni_pool_backlog(e) > starting)
		sooni_pool_call(e, SOONI_ANYBODY);
	failed = sooni_pool_phase(e) == SOONI_BROKEN ||
		 o->worker_init(o->worker_ctx) != 0;
	if (!is_here(w))
		return false;
	while (sooni_me.blocking > 0)
		soon_blocking_end();
	sooni_regain_place(w);
	atomic_fetch_sub_explicit(&e->starting, 1, memory_order_relaxed);
	if (failed)
		return false;
	sooni_park_search(&e->park);
	w->searching = true;
	return true;
}

/* Run worker_fini, as a thread that belongs to the pool no more, but may not wait
 * for its end. */
static void fini(struct sooni_worker *w)
{
	const soon_executor_options *o = &w->executor->options;
	struct sooni_telling telling;

	sooni_me.worker = NULL;
	sooni_telling_push(&telling, &w->executor->home);
	if (o->worker_fini != NULL)
		o->worker_fini(o->worker_ctx);
	sooni_telling_pop(&telling);
}

static void introduce(struct sooni_worker *w)
{
	const char *prefix = w->executor->name;
	char number[12];
	char name[16];

	snprintf(number, sizeof(number), "-%u", w->parker.index + 1);
	snprintf(name, sizeof(name), "%.*s%s",
		 (int)(sizeof(name) - 1 - strlen(number)), prefix, number);
	sooni_thread_name(name);
	w->stack_limit = NULL;
	w->turn = 0;
	w->victim = NULL;
	w->blocking = false;
	w->searching = true; /* a new thread counts as that */
	w->random = w->parker.index + 1;
	memset(w->seen, 0, sizeof(w->seen));
	/* relaxed: the monitor reads it once the worker holds a place. */
	atomic_store_explicit(&w->thread_id, sooni_thread_id(),
			      memory_order_relaxed);
	sooni_me.worker = w;
	sooni_me.hooks = &hooks;
	sooni_thread_join_list();
}

void *sooni_worker_main(void *worker)
{
	struct sooni_worker *w = worker;
	unsigned generation = sooni_generation;
	enum sooni_end end = SOONI_ORPHANED;

	introduce(w);
	if (init(w)) {
		end = work(w);
		if (end != SOONI_ORPHANED)
			fini(w);
	} else if (is_here(w)) {
		end = break_pool(w);
		sooni_me.worker = NULL;
	}
	/* In a child of fork that is all. */
	if (generation != sooni_generation)
		return NULL;
	sooni_thread_leave_list();
	sooni_crew_end_thread(w, end == SOONI_LEFT);
	return NULL;
}
