/*
 * worker.c - what a pool's thread does: find a job, run it, go idle.
 */
#include "crew.h"
#include "limit.h"
#include "pool.h"
#include "run.h"
#include "thread.h"

#include <soon/error.h>

#include <string.h>

enum { LINGER = 50 /* looks: a microsecond */ };

/* Searching */

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

/* The thread is about to run code of the user's that is no job. */
static void before_user(void)
{
	if (sooni_me.worker != NULL)
		stop_searching(sooni_me.worker);
}

/* Running jobs */

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
	sooni_hold_place(w);
}

/*
 * The job has returned.  Where there is nothing else to do, and no surplus of
 * those who run, the worker says that it searches before the result can be seen, so
 * that a submit that follows on the result calls nobody else.
 */
sooni_inline void end_job(struct sooni_worker *w)
{
	/* relaxed: the monitor only compares it with what it was. */
	atomic_store_explicit(
		&w->jobs,
		atomic_load_explicit(&w->jobs, memory_order_relaxed) + 1,
		memory_order_relaxed);
	tidy(w);
	if (!sooni_has_more(w) && !sooni_park_is_over(&w->executor->park)) {
		sooni_park_search(&w->executor->park);
		w->searching = true;
	}
}

/* Run and settle f.  In a child that the job or a callback forked, w is not touched
 * any more. */
static enum sooni_end run(struct sooni_worker *w, struct soon_future *f)
{
	struct sooni_outcome outcome;

	sooni_hold_place(w);
	outcome = sooni_job_call(f);
	if (sooni_unlikely(outcome.code == SOONI_FORKED))
		return SOONI_ORPHANED;
	end_job(w);
	sooni_job_settle(f, outcome);
	if (sooni_unlikely(!is_here(w)))
		return SOONI_ORPHANED;
	tidy(w); /* after callbacks */
	return SOONI_STAYS;
}

/* The same with a job that may run only so long; SOONI_LOST: the thread is not w's
 * any more, and the pool may have gone. */
static sooni_noinline enum sooni_end run_limited(struct sooni_worker *w,
						 struct soon_future *f)
{
	struct sooni_outcome outcome;
	enum sooni_limit_end end;

	sooni_hold_place(w);
	end = sooni_limit_call(f, &outcome);
	if (end == SOONI_WRITTEN_OFF)
		return SOONI_LOST;
	if (!is_here(w)) /* in a child that the job forked */
		return SOONI_ORPHANED;
	end_job(w);
	if (end == SOONI_IN_TIME)
		sooni_job_settle(f, outcome);
	if (is_here(w))
		sooni_limit_leave(f, end);
	if (!is_here(w))
		return SOONI_ORPHANED;
	tidy(w);
	return SOONI_STAYS;
}

/*
 * Look once more for a moment at where jobs came from last, as a searcher, whom
 * submitters need not call: the next job of a program that waits for one after
 * the other comes just now.
 */
static struct soon_future *linger(struct sooni_worker *w)
{
	unsigned looks;

	for (looks = 0; looks < LINGER && !sooni_has_more(w); looks++)
		sooni_relax();
	return looks < LINGER ? sooni_find(w) : NULL;
}

/* f's entry was taken from a queue. */
static enum sooni_end serve(struct sooni_worker *w, struct soon_future *f)
{
	stop_searching(w);
	if (!sooni_future_claim(f, true, false)) {
		sooni_future_drop_entry(f);
	} else if (sooni_unlikely(sooni_pool_phase(w->executor) ==
				  SOONI_BROKEN)) {
		sooni_job_fail(f, SOON_EBROKEN);
	} else if (sooni_unlikely(sooni_is_marked(f, SOONI_LIMITED))) {
		return run_limited(w, f);
	} else {
		return run(w, f);
	}
	return is_here(w) ? SOONI_STAYS : SOONI_ORPHANED;
}

static enum sooni_end work(struct sooni_worker *w)
{
	enum sooni_end end;

	while ((end = sooni_rest_if_surplus(w)) == SOONI_STAYS) {
		struct soon_future *f = sooni_find(w);

		if (f == NULL) {
			sooni_pool_no_jobs_wait(w->executor);
			if (w->searching)
				f = linger(w);
		}
		end = f != NULL ? serve(w, f) : sooni_rest(w);
		if (end != SOONI_STAYS)
			break;
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
	int old;

	if (o->worker_init == NULL)
		return true;
	/* relaxed: decides on one thread more or less. */
	starting = 1 + atomic_fetch_add_explicit(&e->starting, 1,
						 memory_order_relaxed);
	w->searching = false;
	if (sooni_park_found(&e->park) && sooni_pool_backlog(e) > starting)
		sooni_pool_call(e, SOONI_ANYBODY);
	old = sooni_uncancellable_begin();
	failed = sooni_pool_phase(e) == SOONI_BROKEN ||
		 o->worker_init(o->worker_ctx) != 0;
	sooni_uncancellable_end(old);
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
	int old = sooni_uncancellable_begin();

	sooni_me.worker = NULL;
	sooni_telling_push(&telling, &w->executor->home);
	if (o->worker_fini != NULL)
		o->worker_fini(o->worker_ctx);
	sooni_telling_pop(&telling);
	sooni_uncancellable_end(old);
}

static void introduce(struct sooni_worker *w)
{
	char name[SOONI_NAME_SIZE];

	sooni_worker_name(w, name);
	sooni_thread_name(name);
	sooni_worker_wakes(w);
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
	sooni_me.hooks = &sooni_worker_hooks;
	sooni_user_hook = before_user;
	sooni_me.counts = &w->counts;
	sooni_me.all = &w->executor->home.counts;
	sooni_thread_join_list();
}

/* The thread was written off: worker and pool are not its own any more. */
static void end_alone(void)
{
	sooni_thread_leave_list();
	pthread_detach(pthread_self());
}

/* A job has ended the thread: the last act of this stack. */
static void exited(void *worker)
{
	unsigned generation = sooni_generation;
	struct sooni_worker *w = worker;

	if (sooni_me.worker == NULL) {
		/* It was written off; or this is a child of fork. */
		if (sooni_me.listed)
			end_alone();
		return;
	}
	tidy(w);
	sooni_abandon(w);
	if (is_here(w))
		fini(w);
	if (generation != sooni_generation)
		return;
	sooni_thread_leave_list();
	sooni_me.all = NULL;
	sooni_crew_end_thread(w, true);
}

void *sooni_worker_main(void *worker)
{
	struct sooni_worker *w = worker;
	unsigned generation = sooni_generation;
	enum sooni_end end = SOONI_ORPHANED;

	introduce(w);
	if (init(w)) {
		pthread_cleanup_push(exited, w);
		end = work(w);
		pthread_cleanup_pop(0);
		if (end == SOONI_LOST) {
			end_alone();
			return NULL;
		}
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
	sooni_me.all = NULL;
	sooni_crew_end_thread(w, end == SOONI_LEFT);
	return NULL;
}
