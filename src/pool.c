/*
 * pool.c - see pool.h.
 */
#include "pool.h"

#include "thread.h"

#include <soon/error.h>

#include <errno.h>
#include <stdlib.h>

static unsigned shard_count(void)
{
	static _Atomic unsigned counted; /* 0: not yet; asking is dear */
	/* relaxed: whoever comes first counts, or several. */
	unsigned cpus = atomic_load_explicit(&counted, memory_order_relaxed);
	unsigned n = 2;

	if (cpus == 0) {
		cpus = sooni_cpus();
		atomic_store_explicit(&counted, cpus, memory_order_relaxed);
	}
	while (n < 2 * cpus && n < SOONI_MOST_SHARDS)
		n *= 2;
	return n;
}

static int init_shards(struct soon_executor *e)
{
	unsigned n = shard_count();
	unsigned all = n + SOONI_RANKS;
	unsigned i;

	e->shards = aligned_alloc(SOONI_APART, all * sizeof(*e->shards));
	if (e->shards == NULL)
		return ENOMEM;
	e->shard_mask = n - 1;
	for (i = 0; i < all; i++) {
		if (sooni_deque_init(&e->shards[i].queue) != 0)
			goto undo;
		pthread_mutex_init(&e->shards[i].lock, NULL);
		sooni_moments_init(&e->shards[i].moments);
	}
	return 0;
undo:
	while (i-- > 0) {
		sooni_deque_fini(&e->shards[i].queue);
		pthread_mutex_destroy(&e->shards[i].lock);
	}
	free(e->shards);
	return ENOMEM;
}

int sooni_pool_init(struct soon_executor *e)
{
	int rc = init_shards(e);

	if (rc != 0)
		return rc;
	sooni_room_init(&e->home.room, e->options.max_pending);
	atomic_init(&e->home.guests, 0);
	atomic_init(&e->home.stopping, false);
	atomic_init(&e->home.written_off, 0);
	e->home.lost = NULL;
	sooni_counts_init(&e->home.counts);
	atomic_init(&e->shutdown_flags, 0);
	pthread_mutex_init(&e->early_lock, NULL);
	e->early = NULL;
	atomic_init(&e->delayed, 0);
	atomic_init(&e->phase, SOONI_OPEN);
	atomic_init(&e->ranked, false);
	atomic_init(&e->submitted, 0);
	atomic_init(&e->came_due, 0);
	e->born = SOONI_QUEUED;
	if (e->options.max_pending > 0 || e->options.flags & SOON_INLINE)
		e->born |= SOONI_PLACED;
	atomic_init(&e->threads, 0);
	atomic_init(&e->alive, 0);
	atomic_init(&e->starting, 0);
	atomic_init(&e->waiting, 0);
	atomic_init(&e->spinning, 0);
	atomic_init(&e->started, 0);
	atomic_init(&e->watched, false);
	atomic_init(&e->since, 0);
	e->next_watched = NULL;
	pthread_mutex_init(&e->lock, NULL);
	pthread_mutex_init(&e->joining, NULL);
	e->spares = NULL;
	e->has_last_ended = false;
	atomic_init(&e->is_short, false);
	sooni_park_init(&e->park, e->options.workers, e->options.max_workers);
	return 0;
}

static void home_after_fork(struct sooni_home *home)
{
	sooni_room_after_fork(&home->room);
	home->lost = NULL;
	sooni_counts_init(&home->counts);
	/* relaxed, both: nobody else is there. */
	atomic_store_explicit(&home->guests, 0, memory_order_relaxed);
	atomic_store_explicit(&home->written_off, 0, memory_order_relaxed);
}

void sooni_pool_after_fork(struct soon_executor *e)
{
	unsigned i;

	for (i = 0; i <= e->shard_mask + SOONI_RANKS; i++) {
		sooni_deque_reset(&e->shards[i].queue);
		sooni_moments_init(&e->shards[i].moments);
		pthread_mutex_init(&e->shards[i].lock, NULL);
	}
	home_after_fork(&e->home);
	pthread_mutex_init(&e->early_lock, NULL);
	e->early = NULL;
	/* relaxed, all: nobody else is there. */
	atomic_store_explicit(&e->delayed, 0, memory_order_relaxed);
	atomic_store_explicit(&e->since, 0, memory_order_relaxed);
	atomic_store_explicit(&e->came_due, 0, memory_order_relaxed);
	atomic_store_explicit(&e->submitted, 0, memory_order_relaxed);
	atomic_store_explicit(&e->watched, false, memory_order_relaxed);
	atomic_store_explicit(&e->is_short, false, memory_order_relaxed);
	e->next_watched = NULL;
	sooni_park_reset(&e->park, e->options.workers);
	sooni_crew_after_fork(e);
}

void sooni_pool_fini(struct soon_executor *e)
{
	uint32_t n = sooni_park_count(&e->park);
	unsigned i;

	for (i = 0; i < n; i++) {
		struct sooni_worker *w = sooni_worker_at(e, i);

		sooni_deque_fini(&w->queue);
		free(w);
	}
	for (i = 0; i <= e->shard_mask + SOONI_RANKS; i++) {
		sooni_deque_fini(&e->shards[i].queue);
		pthread_mutex_destroy(&e->shards[i].lock);
	}
	free(e->shards);
	sooni_park_fini(&e->park);
	sooni_room_fini(&e->home.room);
	pthread_mutex_destroy(&e->early_lock);
	pthread_mutex_destroy(&e->lock);
	pthread_mutex_destroy(&e->joining);
}

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

bool sooni_pool_has_work(struct soon_executor *e)
{
	unsigned shards = sooni_pool_shards(e);
	uint32_t n = sooni_park_count(&e->park);
	unsigned i;

	for (i = 0; i < shards; i++)
		if (!sooni_deque_is_empty(&e->shards[i].queue))
			return true;
	for (i = 0; i < n; i++)
		if (!sooni_deque_is_empty(&sooni_worker_at(e, i)->queue))
			return true;
	return false;
}

size_t sooni_pool_backlog(struct soon_executor *e)
{
	unsigned shards = sooni_pool_shards(e);
	uint32_t n = sooni_park_count(&e->park);
	size_t sum = 0;
	unsigned i;

	for (i = 0; i < shards; i++)
		sum += sooni_deque_count(&e->shards[i].queue);
	for (i = 0; i < n; i++)
		sum += sooni_deque_count(&sooni_worker_at(e, i)->queue);
	return sum;
}

static void fail(struct soon_future *f)
{
	if (sooni_future_claim(f, true, false))
		sooni_job_fail(f, SOON_EBROKEN);
	else
		sooni_future_drop_entry(f);
}

void sooni_pool_fail_all(struct soon_executor *e)
{
	unsigned generation = sooni_generation;
	struct soon_future *f;

	/* These first: when one is due it goes to the others. */
	while ((f = sooni_delay_take(e)) != NULL) {
		fail(f);
		/* In a child that a destructor forked all have failed. */
		if (generation != sooni_generation)
			return;
		sooni_home_leave(&e->home);
	}
	while ((f = sooni_pool_take_any(e)) != NULL)
		fail(f);
}

struct soon_future *sooni_pool_take_any(struct soon_executor *e)
{
	unsigned shards = sooni_pool_shards(e);
	uint32_t n = sooni_park_count(&e->park);
	struct soon_future *f;
	unsigned i;

	for (i = 0; i < shards; i++)
		if ((f = sooni_queue_take(&e->shards[i].queue)) != NULL)
			return f;
	for (i = 0; i < n; i++)
		if ((f = sooni_queue_take(&sooni_worker_at(e, i)->queue)) !=
		    NULL)
			return f;
	return NULL;
}

/* Submitting */

int sooni_pool_refusal(struct soon_executor *e)
{
	enum sooni_phase phase = sooni_pool_phase(e);

	if (sooni_likely(phase == SOONI_OPEN))
		return 0;
	return phase == SOONI_BROKEN ? SOON_EBROKEN : ESHUTDOWN;
}

/* The calling thread's; threads are dealt out in turn. */
static struct sooni_shard *my_shard(struct soon_executor *e)
{
	static _Atomic unsigned dealt;

	/* relaxed: any number will do. */
	if (sooni_me.shard == 0)
		sooni_me.shard = 1 + atomic_fetch_add_explicit(
					     &dealt, 1, memory_order_relaxed);
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

/* Ending */

void sooni_pool_lock_shards(struct soon_executor *e)
{
	unsigned i;

	for (i = 0; i <= e->shard_mask + SOONI_RANKS; i++)
		pthread_mutex_lock(&e->shards[i].lock);
}

void sooni_pool_unlock_shards(struct soon_executor *e)
{
	unsigned i;

	for (i = 0; i <= e->shard_mask + SOONI_RANKS; i++)
		pthread_mutex_unlock(&e->shards[i].lock);
}

void sooni_pool_close(struct soon_executor *e, enum sooni_phase phase)
{
	uint32_t open = SOONI_OPEN;
	unsigned i;

	/* seq_cst: comes before the look at who is idle.  The first close
	 * decides what later submits are told. */
	atomic_compare_exchange_strong_explicit(&e->phase, &open, phase,
						memory_order_seq_cst,
						memory_order_seq_cst);
	for (i = 0; i <= e->shard_mask + SOONI_RANKS; i++) {
		pthread_mutex_lock(&e->shards[i].lock);
		pthread_mutex_unlock(&e->shards[i].lock);
	}
	sooni_room_close(&e->home.room);
	pthread_mutex_lock(&e->early_lock);
	pthread_mutex_unlock(&e->early_lock);
	sooni_pool_call_all(e);
}

void sooni_pool_call_all(struct soon_executor *e)
{
	sooni_park_call_all(&e->park);
	/* A parker without a thread that was met counted as searching for a
	 * moment, and others may have relied on that. */
	if (sooni_pool_has_work(e))
		sooni_pool_call(e, SOONI_ANYBODY);
}
