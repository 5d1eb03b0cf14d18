/*
 * put.c - how jobs get into a pool's queues, and a worker is called for them.
 */
#include "pool.h"

#include "crew.h"
#include "thread.h"

#include <soon/error.h>

#include <errno.h>
#include <limits.h>

/* Calling */

/* Do what a call leaves to be done. */
static bool end_call(struct soon_executor *e, enum sooni_urge urge,
		     enum sooni_called called, struct sooni_parker *k)
{
	for (;;) {
		switch (called) {
		case SOONI_CALLED:
		case SOONI_CALL_LATE:
			return true;
		case SOONI_CALL_FULL:
			sooni_pool_jobs_wait(e);
			sooni_monitor_watch(e);
			return urge != SOONI_ONLY_IDLE;
		case SOONI_CALL_START:
			if (sooni_crew_start(e, k) == 0)
				return true;
		}
		/* Others may have relied on the thread that did not start. */
		urge = SOONI_ONLY_IDLE;
		if (!sooni_pool_has_work(e))
			return true;
		/* relaxed: for the monitor, which tries again. */
		atomic_store_explicit(&e->is_short, true, memory_order_relaxed);
		sooni_monitor_watch(e);
		called = sooni_park_call(&e->park, urge, &k);
	}
}

bool sooni_pool_call(struct soon_executor *e, enum sooni_urge urge)
{
	struct sooni_parker *k = NULL;
	enum sooni_called called = sooni_park_call(&e->park, urge, &k);

	return end_call(e, urge, called, k);
}

void sooni_pool_call_all(struct soon_executor *e)
{
	sooni_park_call_all(&e->park);
	/* A parker without a thread that was met counted as searching for a
	 * moment, and others may have relied on that. */
	if (sooni_pool_has_work(e))
		sooni_pool_call(e, SOONI_ANYBODY);
}

/* Submitting */

int sooni_pool_refusal(struct soon_executor *e)
{
	enum sooni_phase phase = sooni_pool_phase(e);

	if (sooni_likely(phase == SOONI_OPEN))
		return 0;
	return phase == SOONI_BROKEN ? SOON_EBROKEN : ESHUTDOWN;
}

/* Threads that have a shard, dealt out in turn. */
static _Atomic unsigned dealt;

/* The calling thread's, which it keeps. */
static struct sooni_shard *my_shard(struct soon_executor *e)
{
	/* relaxed: any number will do, but 0, which is none. */
	if (sooni_me.shard == 0)
		sooni_me.shard = 1 + atomic_fetch_add_explicit(
					     &dealt, 1, memory_order_relaxed) %
					     INT_MAX;
	return &e->shards[sooni_me.shard & e->shard_mask];
}

/*
 * A pool whose last thread has retired starts one before it takes work, so that
 * it never holds a job that nobody will run.
 */
static int ensure_alive(struct soon_executor *e)
{
	int rc;
	int refusal;

	/* relaxed: leave() in idle.c lowers it under this shard's lock. */
	if (sooni_likely(atomic_load_explicit(&e->alive, memory_order_relaxed) >
			 0))
		return 0;
	rc = sooni_crew_ensure(e, false);
	/* It may have been closed just now, and therefore get no thread. */
	refusal = rc != 0 ? sooni_pool_refusal(e) : 0;
	return refusal != 0 ? refusal : rc;
}

static inline void note_push(struct sooni_deque *q, struct sooni_moments *m)
{
	/* relaxed: the owner's. */
	int64_t end = atomic_load_explicit(&q->bottom, memory_order_relaxed);

	if (sooni_unlikely(end >= m->next))
		sooni_pool_note_push(q, m, end);
}

sooni_inline int put_into_shard(struct soon_executor *e,
				struct sooni_shard *shard,
				struct soon_future *const *jobs, size_t n)
{
	int rc;

	pthread_mutex_lock(&shard->lock);
	rc = sooni_pool_refusal(e);
	if (rc == 0)
		rc = ensure_alive(e);
	if (rc == 0)
		rc = n == 1 ? sooni_deque_push_one(&shard->queue, jobs[0])
			    : sooni_deque_push(&shard->queue, jobs, n);
	if (rc == 0)
		note_push(&shard->queue, &shard->moments);
	pthread_mutex_unlock(&shard->lock);
	return rc;
}

static int put_from_worker(struct sooni_worker *w,
			   struct soon_future *const *jobs, size_t n)
{
	int rc = sooni_pool_refusal(w->executor);

	if (sooni_unlikely(rc != 0))
		return rc;
	rc = n == 1 ? sooni_deque_push_one(&w->queue, jobs[0])
		    : sooni_deque_push(&w->queue, jobs, n);
	if (rc == 0) {
		sooni_counts_bump(&w->counts, SOONI_SUBMITTED, n);
		note_push(&w->queue, &w->moments);
	}
	return rc;
}

/*
 * Call a worker for what was just put into q, unless somebody searches.  One that
 * was searching may have taken it already, and search no more: then nobody is
 * needed.  The word is read before the look: a worker that was idle, and takes what
 * is seen in the queue, has changed the word by then.
 */
sooni_inline void call_for(struct soon_executor *e, struct sooni_deque *q)
{
	enum sooni_called called = SOONI_CALL_LATE;
	struct sooni_parker *k = NULL;
	uint64_t seen;

	while (called == SOONI_CALL_LATE) {
		called = sooni_park_glance(&e->park, &seen);
		if (called == SOONI_CALL_FULL)
			sooni_pool_jobs_wait(e);
		if (called != SOONI_CALL_START || sooni_deque_is_empty(q))
			return;
		called = sooni_park_call_seen(&e->park, seen, &k);
	}
	end_call(e, SOONI_ANYBODY, called, k);
}

int sooni_pool_put(struct soon_executor *e, struct soon_future *const *jobs,
		   size_t n)
{
	struct sooni_worker *w = sooni_worker_self(e);
	struct sooni_shard *shard = w == NULL ? my_shard(e) : NULL;
	int rc = w != NULL ? put_from_worker(w, jobs, n)
			   : put_into_shard(e, shard, jobs, n);

	if (rc == 0)
		call_for(e, w != NULL ? &w->queue : &shard->queue);
	return rc;
}

/* For jobs of a priority, before one is pushed. */
static struct sooni_shard *rank_shard(struct soon_executor *e, int priority)
{
	/* seq_cst, both: comes before the push.  Whoever looks through all
	 * queues after that looks through these as well. */
	if (!atomic_load_explicit(&e->ranked, memory_order_seq_cst))
		atomic_store_explicit(&e->ranked, true, memory_order_seq_cst);
	return &e->shards[sooni_pool_rank(e, priority)];
}

/*
 * All threads share the queue of a priority, so that among the few jobs that
 * have one the order is that of their submission, whoever submits them.
 */
int sooni_pool_put_ranked(struct soon_executor *e, int priority,
			  struct soon_future *const *jobs, size_t n)
{
	struct sooni_shard *shard;
	int rc;

	if (sooni_likely(priority == SOON_NORMAL))
		return sooni_pool_put(e, jobs, n);
	shard = rank_shard(e, priority);
	rc = put_into_shard(e, shard, jobs, n);
	if (rc == 0)
		call_for(e, &shard->queue);
	return rc;
}

/* It was counted as submitted when it was. */
static int push_due(struct soon_executor *e, struct sooni_shard *shard,
		    struct soon_future *f)
{
	int rc;

	/* relaxed: pairs with sum_submitted() by the release of the push, which
	 * is after it, so that the job is never counted twice. */
	atomic_fetch_add_explicit(&e->came_due, 1, memory_order_relaxed);
	rc = sooni_deque_push_one(&shard->queue, f);
	if (rc == 0)
		note_push(&shard->queue, &shard->moments);
	else
		atomic_fetch_sub_explicit(&e->came_due, 1,
					  memory_order_relaxed);
	return rc;
}

/* Always the same shard, so that they start in the order in which they are due. */
int sooni_pool_put_due(struct soon_executor *e, int priority,
		       struct soon_future *f)
{
	struct sooni_shard *shard = priority == SOON_NORMAL
					    ? &e->shards[0]
					    : rank_shard(e, priority);
	int rc;

	if (e->options.max_pending > 0 && !(sooni_state(f) & SOONI_PLACED))
		sooni_future_place(f);

	pthread_mutex_lock(&shard->lock);
	rc = sooni_crew_ensure(e, true);
	if (rc == 0)
		rc = push_due(e, shard, f);
	pthread_mutex_unlock(&shard->lock);
	return rc;
}

int sooni_pool_enter(struct soon_executor *e)
{
	struct sooni_shard *shard = my_shard(e);
	int rc;

	pthread_mutex_lock(&shard->lock);
	rc = sooni_pool_refusal(e);
	/* relaxed: under the lock, which comes before the pool's end. */
	if (rc == 0)
		atomic_fetch_add_explicit(&e->home.guests, 2,
					  memory_order_relaxed);
	pthread_mutex_unlock(&shard->lock);
	return rc;
}
