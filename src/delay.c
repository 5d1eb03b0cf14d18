/*
 * delay.c - jobs that the clock queues when they are due, and those that it
 * fails because they have not started in time.
 *
 * A job that is not due yet stands in its executor's list of early ones, and in
 * the clock's heap.  That is its queue entry: whoever takes it off the list has
 * to queue the job, or to drop the entry.  While it is in the list it counts as
 * a guest, so that the executor does not end.
 *
 * Whoever claims or cancels a timed job calls stop(), and so has waited for the
 * clock before he goes on: fire() may use the job and its executor.
 */
#include "delay.h"

#include "timer.h"

#include <errno.h>
#include <stdlib.h>

/* Between tries to queue what is due. */
#define RETRY_NSEC (10 * SOON_MSEC)

static struct soon_executor *executor_of(const struct soon_future *f)
{
	return sooni_container_of(f->home, struct soon_executor, home);
}

static struct sooni_timing *timing_of(const struct soon_future *f)
{
	return sooni_side(f)->timing;
}

/* The list: under its lock */

static void enlist(struct soon_executor *e, struct sooni_timing *t)
{
	t->is_early = true;
	sooni_list_append(&e->early, &t->link);
	/* relaxed, both: before the pool's end, which takes the lock first. */
	atomic_fetch_add_explicit(&e->delayed, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&e->home.guests, 2, memory_order_relaxed);
}

/* Whether it was in the list: then entry and guest are the caller's now. */
static bool unlist(struct soon_executor *e, struct sooni_timing *t)
{
	if (!t->is_early)
		return false;
	t->is_early = false;
	sooni_list_remove(&e->early, &t->link);
	/* release: it was queued before.  Pairs with drain_from_inside(). */
	atomic_fetch_sub_explicit(&e->delayed, 1, memory_order_release);
	return true;
}

struct soon_future *sooni_delay_take(struct soon_executor *e)
{
	struct sooni_timing *t = NULL;

	pthread_mutex_lock(&e->early_lock);
	if (e->early != NULL) {
		t = sooni_container_of(e->early, struct sooni_timing, link);
		unlist(e, t);
	}
	pthread_mutex_unlock(&e->early_lock);
	return t != NULL ? t->job : NULL;
}

/* The job needs no timer any more. */
static void stop(struct soon_future *f)
{
	struct soon_executor *e = executor_of(f);
	struct sooni_timing *t = timing_of(f);
	bool was_early;

	sooni_timer_stop(&t->timer);
	if (t->due == 0)
		return;
	pthread_mutex_lock(&e->early_lock);
	was_early = unlist(e, t);
	pthread_mutex_unlock(&e->early_lock);
	if (was_early) {
		sooni_future_drop_entry(f);
		sooni_home_leave(&e->home);
	}
}

/* On the clock's thread */

static void expire(struct soon_executor *e, struct soon_future *f)
{
	unsigned generation = sooni_generation;

	/* relaxed: something else still keeps the executor. */
	atomic_fetch_add_explicit(&e->home.guests, 2, memory_order_relaxed);
	sooni_future_expire(f);
	/* In a child that a callback forked nothing of this is left. */
	if (generation != sooni_generation)
		return;
	sooni_timer_back();
	sooni_home_leave(&e->home);
}

/* Under the list's lock.  Whether the job was queued; else the clock tries again,
 * or it is too late. */
static bool queue(struct soon_executor *e, struct sooni_timing *t)
{
	bool queued = sooni_pool_put_due(e, t->priority, t->job) == 0;
	int64_t retry = sooni_deadline(RETRY_NSEC);

	t->timer.when = t->expires;
	if (queued) {
		unlist(e, t);
		/* relaxed: a hint, to those who would wait for it. */
		atomic_fetch_and_explicit(&t->job->marks,
					  ~(uint32_t)SOONI_EARLY,
					  memory_order_relaxed);
	} else if (retry < t->expires) {
		t->timer.when = retry;
	}
	/* In its fire(), so it cannot fail. */
	if (t->timer.when != INT64_MAX)
		sooni_timer_start(&t->timer);
	return queued;
}

static void fall_due(struct soon_executor *e, struct sooni_timing *t)
{
	bool queued = false;

	pthread_mutex_lock(&e->early_lock);
	/* Whoever breaks a pool fails what is in the list. */
	if (t->is_early && sooni_pool_phase(e) != SOONI_BROKEN)
		queued = queue(e, t);
	pthread_mutex_unlock(&e->early_lock);
	if (!queued)
		return;
	sooni_pool_call(e, SOONI_ANYBODY);
	sooni_home_leave(&e->home);
}

static void fire(struct sooni_timer *timer)
{
	struct sooni_timing *t =
		sooni_container_of(timer, struct sooni_timing, timer);
	struct soon_executor *e = executor_of(t->job);

	if (t->expires <= sooni_now())
		expire(e, t->job);
	else
		fall_due(e, t);
}

/* Submitting */

int sooni_delay_dress(struct soon_future *f, const soon_job *job)
{
	struct sooni_side *side = sooni_side(f);
	struct sooni_timing *t = calloc(1, sizeof(*t));
	uint32_t marks = SOONI_TIMED | (job->delay > 0 ? SOONI_EARLY : 0);

	if (t == NULL)
		return ENOMEM;
	t->timer.fire = fire;
	t->job = f;
	t->due = sooni_deadline(job->delay);
	t->expires = job->start_within > 0 ? sooni_deadline(job->start_within)
					   : INT64_MAX;
	t->priority = job->priority;
	t->stop = stop;
	side->timing = t;
	/* relaxed: it is published by its queue. */
	atomic_fetch_or_explicit(&f->marks, marks, memory_order_relaxed);
	return 0;
}

static void stop_timers(struct soon_future *const *jobs, size_t n)
{
	while (n-- > 0)
		sooni_timer_stop(&timing_of(jobs[n])->timer);
}

/* They are started for never, so that none fires before all else has gone well,
 * and then hastened, which always does. */
static int start_timers(struct soon_future *const *jobs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct sooni_timer *timer = &timing_of(jobs[i])->timer;
		int rc;

		timer->when = INT64_MAX;
		rc = sooni_timer_start(timer);
		if (rc != 0) {
			stop_timers(jobs, i);
			return rc;
		}
	}
	return 0;
}

static int put_early(struct soon_executor *e, struct soon_future *const *jobs,
		     size_t n)
{
	size_t i;
	int rc;

	pthread_mutex_lock(&e->early_lock);
	rc = sooni_pool_refusal(e);
	if (rc == 0)
		sooni_counts_add(&e->home.counts, SOONI_SUBMITTED, n);
	for (i = 0; rc == 0 && i < n; i++) {
		struct sooni_timing *t = timing_of(jobs[i]);

		enlist(e, t);
		sooni_timer_hasten(&t->timer, t->due);
	}
	pthread_mutex_unlock(&e->early_lock);
	return rc;
}

int sooni_delay_put(struct soon_executor *e, struct soon_future *const *jobs,
		    size_t n)
{
	int rc = start_timers(jobs, n);

	if (rc != 0)
		return rc;
	rc = put_early(e, jobs, n);
	if (rc != 0)
		stop_timers(jobs, n);
	return rc;
}

int sooni_delay_begin_put(const struct sooni_delayed *d)
{
	size_t i;
	int rc = start_timers(d->jobs, d->n);

	for (i = 0; rc == 0 && i < d->n; i++)
		soon_future_ref(d->jobs[i]);
	return rc;
}

void sooni_delay_end_put(const struct sooni_delayed *d, bool queued)
{
	size_t i;

	if (!queued)
		stop_timers(d->jobs, d->n);
	for (i = 0; queued && i < d->n; i++) {
		struct sooni_timing *t = timing_of(d->jobs[i]);

		sooni_timer_hasten(&t->timer, t->expires);
		soon_future_unref(d->jobs[i]);
	}
}

void sooni_delay_exited_put(void *delayed)
{
	sooni_delay_end_put(delayed, true);
}
