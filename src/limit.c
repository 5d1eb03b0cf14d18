/*
 * limit.c - see limit.h; the proof is in doc/protocols.md.
 *
 * Worker and clock race to settle the job, by SETTING.  If the clock wins, it
 * has the worker replaced, and then settles.  The thread that comes back and
 * has lost waits until the clock is through with that, which is soon, and finds
 * out whether it was replaced.
 */
#include "limit.h"

#include "os.h"
#include "sleep.h"

#include <soon/error.h>

#include <errno.h>
#include <stdlib.h>

/* Between tries to start a thread in place of one. */
#define RETRY_NSEC (10 * SOON_MSEC)

static struct sooni_limit *limit_of(struct sooni_timer *t)
{
	return sooni_container_of(t, struct sooni_limit, timer);
}

/* Become a guest of a pool that cannot end just now. */
static void enter(struct sooni_home *home)
{
	/* relaxed: what keeps it from ending goes later, with a release. */
	atomic_fetch_add_explicit(&home->guests, 2, memory_order_relaxed);
}

/* The clock's side */

static void try_again(struct sooni_timer *t);

/* If no thread can be started, this one stays the pool's for the time being. */
static void write_off(struct sooni_limit *l)
{
	pthread_mutex_lock(&l->lock);
	if (l->hooks->replace(l->worker, l->waits)) {
		l->worker = NULL;
		/* Dumps tell of the worker on its new thread only. */
		sooni_threads_lock();
		l->thread->member = NULL;
		sooni_threads_unlock();
		sooni_lost_add(l);
	} else {
		l->timer.when = sooni_deadline(RETRY_NSEC);
		l->timer.fire = try_again;
		sooni_timer_start(&l->timer); /* cannot fail: see timer.h */
	}
	pthread_mutex_unlock(&l->lock);
}

/* The pool is there as long as the thread is its own, then until its guest
 * leaves. */
static void try_again(struct sooni_timer *t)
{
	struct sooni_limit *l = limit_of(t);
	struct sooni_home *home = l->job->home;

	enter(home);
	write_off(l);
	sooni_home_leave(home);
}

/* The clock has run the user's code, and is a guest no more.  In a child that this
 * forked it is neither clock nor guest. */
static void leave(struct sooni_home *home, unsigned generation)
{
	if (generation != sooni_generation)
		return;
	sooni_timer_back();
	sooni_home_leave(home);
}

static void run_hooks(struct sooni_waiter *w, struct soon_future *f)
{
	(void)f;
	sooni_cancel_deliver(
		sooni_container_of(w, struct sooni_limit, asker)->asked);
}

/*
 * The job's hooks, the user's code, run when it is settled: a job that they bring to
 * return ends alone.  But they come before the callbacks, which may wait for that.
 */
static void ask_to_stop(struct sooni_limit *l)
{
	sooni_future_ask_later(l->job, &l->asked);
	if (l->asked == NULL)
		return;
	l->asker.fire = run_hooks;
	l->asker.user = true;
	l->asker.composed = false;
	sooni_waiter_add_first(l->job, &l->asker);
}

/*
 * The pool is there until its guest leaves, and *l until the future is settled.
 * The job is asked to stop before it is written off: from then on it finds that
 * request, and does not look at its pool for one.
 */
static void expire(struct sooni_timer *t)
{
	struct sooni_limit *l = limit_of(t);
	struct soon_future *f = l->job;
	struct sooni_home *home = f->home;
	unsigned generation = sooni_generation;

	if (!sooni_future_begin_settling(f))
		return;
	soon_future_ref(f);
	ask_to_stop(l);
	write_off(l);
	sooni_count(&home->counts, SOONI_HAVE_FAILED);
	sooni_count(&home->counts, SOONI_EXPIRED);
	sooni_future_fail(f, ETIMEDOUT, NULL);
	/* Nobody may have another: then this reports the failure. */
	if (generation == sooni_generation)
		soon_future_unref(f);
	leave(home, generation);
}

/* The job cannot end before this has returned or comes to run its hooks, and then
 * not before these have. */
static void ask(struct sooni_timer *t)
{
	struct soon_future *f = limit_of(t)->job;
	struct sooni_home *home = f->home;
	unsigned generation = sooni_generation;

	enter(home);
	sooni_future_ask(f);
	leave(home, generation);
}

/* The job's side */

int sooni_limit_new(struct soon_future *f, int64_t within)
{
	struct sooni_limit *l = malloc(sizeof(*l));
	int rc;

	if (l == NULL)
		return ENOMEM;
	*l = (struct sooni_limit){ .job = f, .within = within };
	l->timer.when = INT64_MAX;
	l->timer.fire = expire;
	rc = sooni_timer_start(&l->timer);
	if (rc != 0) {
		free(l);
		return rc;
	}
	pthread_mutex_init(&l->lock, NULL);
	sooni_side(f)->limit = l;
	/* relaxed: nobody else has seen f yet. */
	atomic_fetch_or_explicit(&f->marks, SOONI_LIMITED,
				 memory_order_relaxed);
	return 0;
}

/* Nothing that is the pool's is touched from here on, but as a guest. */
void sooni_limit_start(struct sooni_limit *l)
{
	sooni_timer_hasten(&l->timer, sooni_deadline(l->within));
}

void sooni_limit_stop(struct sooni_limit *l)
{
	sooni_timer_stop(&l->timer);
}

void sooni_limit_free(struct sooni_limit *l)
{
	if (l == NULL)
		return;
	sooni_timer_stop(&l->timer);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void begin(struct sooni_limit *l, struct soon_future *f)
{
	/* The job's, for as long as it runs. */
	soon_future_ref(f);
	/* relaxed: whoever settles f orders it. */
	atomic_fetch_or_explicit(&f->marks, SOONI_HELD, memory_order_relaxed);
	enter(f->home);
	l->worker = sooni_me.worker;
	l->hooks = sooni_me.hooks;
	l->thread = &sooni_me;
	sooni_me.worker = NULL;
	sooni_me.all = NULL;
	sooni_me.limit = l;
}

/* The clock does not look at *l any more.  Whether the thread has a worker. */
static bool resume(struct sooni_limit *l)
{
	sooni_me.limit = NULL;
	sooni_me.worker = l->worker;
	if (l->worker != NULL)
		sooni_me.all = &l->job->home->counts;
	return l->worker != NULL;
}

/* The job's reference, which it does not need any more. */
static void let_go(struct soon_future *f)
{
	/* relaxed: whoever drops another reference finds this gone, or there. */
	atomic_fetch_and_explicit(&f->marks, ~(uint32_t)SOONI_HELD,
				  memory_order_relaxed);
	soon_future_unref(f);
}

/* What comes of a job after it was settled without it. */
static void discard(struct soon_future *f, struct sooni_outcome outcome,
		    void *result)
{
	/* relaxed: as in soon_future_own(). */
	void (*free_result)(void *) = atomic_load_explicit(
		&sooni_side(f)->free_result, memory_order_relaxed);

	free(outcome.message);
	if (outcome.code == 0 && result != NULL && free_result != NULL) {
		int old = sooni_uncancellable_begin();

		sooni_before_user();
		free_result(result);
		sooni_uncancellable_end(old);
	}
}

/* The job has returned, or has ended its thread. */
static enum sooni_limit_end end(struct soon_future *f,
				struct sooni_outcome outcome, void *result)
{
	struct sooni_limit *l = sooni_side(f)->limit;
	bool in_time = sooni_future_begin_settling(f);

	sooni_timer_stop(&l->timer);
	if (in_time) {
		if (outcome.code == 0)
			f->result = result;
		resume(l);
		return SOONI_IN_TIME;
	}
	discard(f, outcome, result);
	if (sooni_me.limit == NULL) /* in a child that free_result forked */
		return SOONI_LATE;
	if (resume(l))
		return SOONI_LATE;
	sooni_me.blocking = 0;
	sooni_lost_remove(l);
	let_go(f);
	return SOONI_WRITTEN_OFF;
}

/* The job has ended its thread, which is still the worker's or is not. */
static void exited(void *job)
{
	struct sooni_outcome outcome = { SOON_EEXITED, NULL };
	struct soon_future *f = job;
	enum sooni_limit_end how;

	if (sooni_me.limit == NULL) /* in a child that the job forked */
		return;
	how = end(f, outcome, NULL);
	if (how == SOONI_WRITTEN_OFF || sooni_me.worker == NULL)
		return;
	if (how == SOONI_IN_TIME)
		sooni_job_settle(f, outcome);
	if (sooni_me.worker != NULL)
		sooni_limit_leave(f, how);
}

enum sooni_limit_end sooni_limit_call(struct soon_future *f,
				      struct sooni_outcome *outcome)
{
	struct sooni_limit *l = sooni_side(f)->limit;
	void *result = NULL;

	begin(l, f);
	pthread_cleanup_push(exited, f);
	*outcome = sooni_job_call_limited(f, l, &result);
	pthread_cleanup_pop(0);
	if (sooni_unlikely(outcome->code == SOONI_FORKED))
		return SOONI_LATE; /* the caller finds out */
	return end(f, *outcome, result);
}

void sooni_limit_leave(struct soon_future *f, enum sooni_limit_end end)
{
	/* If the job was late the clock leaves, when it has told everybody. */
	if (end == SOONI_IN_TIME)
		sooni_home_leave(f->home);
	let_go(f);
}

struct here {
	struct soon_future *job;
	unsigned generation;
};

static void exited_here(void *here)
{
	struct here *h = here;

	if (h->generation != sooni_generation) /* in a child that it forked */
		return;
	sooni_limit_stop(sooni_side(h->job)->limit);
	sooni_job_settle(h->job, (struct sooni_outcome){ SOON_EEXITED, NULL });
}

void sooni_limit_run_here(struct soon_future *f)
{
	struct sooni_limit *l = sooni_side(f)->limit;
	struct here h = { f, sooni_generation };
	struct sooni_outcome outcome;

	l->timer.fire = ask;
	pthread_cleanup_push(exited_here, &h);
	outcome = sooni_job_call_limited(f, l, &f->result);
	if (sooni_unlikely(outcome.code == SOONI_FORKED))
		pthread_exit(NULL); /* as in sooni_job_run() */
	pthread_cleanup_pop(0);
	sooni_timer_stop(&l->timer);
	sooni_job_settle(f, outcome);
}
