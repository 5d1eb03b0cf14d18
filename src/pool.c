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
	unsigned i;

	e->shards = aligned_alloc(SOONI_APART, n * sizeof(*e->shards));
	if (e->shards == NULL)
		return ENOMEM;
	e->shard_mask = n - 1;
	for (i = 0; i < n; i++) {
		if (sooni_deque_init(&e->shards[i].queue) != 0)
			goto undo;
		pthread_mutex_init(&e->shards[i].lock, NULL);
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
	atomic_init(&e->home.guests, 0);
	atomic_init(&e->home.stopping, false);
	atomic_init(&e->shutdown_flags, 0);
	atomic_init(&e->phase, SOONI_OPEN);
	atomic_init(&e->threads, 0);
	atomic_init(&e->alive, 0);
	atomic_init(&e->starting, 0);
	atomic_init(&e->waiting, 0);
	atomic_init(&e->spinning, 0);
	atomic_init(&e->watched, false);
	e->ever_watched = false;
	e->next_watched = NULL;
	pthread_mutex_init(&e->lock, NULL);
	pthread_mutex_init(&e->joining, NULL);
	e->spares = NULL;
	e->has_last_ended = false;
	atomic_init(&e->is_short, false);
	sooni_park_init(&e->park, e->options.workers, e->options.max_workers);
	return 0;
}

void sooni_pool_after_fork(struct soon_executor *e)
{
	unsigned i;

	for (i = 0; i <= e->shard_mask; i++) {
		sooni_deque_reset(&e->shards[i].queue);
		pthread_mutex_init(&e->shards[i].lock, NULL);
	}
	/* relaxed, all: nobody else is there. */
	atomic_store_explicit(&e->home.guests, 0, memory_order_relaxed);
	atomic_store_explicit(&e->watched, false, memory_order_relaxed);
	atomic_store_explicit(&e->is_short, false, memory_order_relaxed);
	e->ever_watched = false;
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
	for (i = 0; i <= e->shard_mask; i++) {
		sooni_deque_fini(&e->shards[i].queue);
		pthread_mutex_destroy(&e->shards[i].lock);
	}
	free(e->shards);
	sooni_park_fini(&e->park);
	pthread_mutex_destroy(&e->lock);
	pthread_mutex_destroy(&e->joining);
}

bool sooni_pool_call(struct soon_executor *e, enum sooni_urge urge)
{
	struct sooni_parker *k = NULL;

	for (;;) {
		switch (sooni_park_call(&e->park, urge, &k)) {
		case SOONI_CALLED:
			return true;
		case SOONI_CALL_FULL:
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
	}
}

bool sooni_pool_has_work(struct soon_executor *e)
{
	uint32_t n = sooni_park_count(&e->park);
	unsigned i;

	for (i = 0; i <= e->shard_mask; i++)
		if (!sooni_deque_is_empty(&e->shards[i].queue))
			return true;
	for (i = 0; i < n; i++)
		if (!sooni_deque_is_empty(&sooni_worker_at(e, i)->queue))
			return true;
	return false;
}

size_t sooni_pool_backlog(struct soon_executor *e)
{
	uint32_t n = sooni_park_count(&e->park);
	size_t sum = 0;
	unsigned i;

	for (i = 0; i <= e->shard_mask; i++)
		sum += sooni_deque_count(&e->shards[i].queue);
	for (i = 0; i < n; i++)
		sum += sooni_deque_count(&sooni_worker_at(e, i)->queue);
	return sum;
}

void sooni_pool_fail_all(struct soon_executor *e)
{
	struct soon_future *f;

	while ((f = sooni_pool_take_any(e)) != NULL) {
		if (sooni_future_claim(f, true, false))
			sooni_job_fail(f, SOON_EBROKEN);
		else
			sooni_future_drop_entry(f);
	}
}

struct soon_future *sooni_pool_take_any(struct soon_executor *e)
{
	uint32_t n = sooni_park_count(&e->park);
	struct soon_future *f;
	unsigned i;

	for (i = 0; i <= e->shard_mask; i++)
		if ((f = sooni_queue_take(&e->shards[i].queue)) != NULL)
			return f;
	for (i = 0; i < n; i++)
		if ((f = sooni_queue_take(&sooni_worker_at(e, i)->queue)) !=
		    NULL)
			return f;
	return NULL;
}

/* Submitting */

static int refusal(struct soon_executor *e)
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
	/* relaxed: leave() in idle.c lowers it under this shard's lock. */
	if (sooni_likely(atomic_load_explicit(&e->alive, memory_order_relaxed) >
			 0))
		return 0;
	return sooni_crew_ensure(e);
}

/* From a thread that is none of the pool's workers. */
static int put_from_outside(struct soon_executor *e,
			    struct soon_future *const *jobs, size_t n)
{
	struct sooni_shard *shard = my_shard(e);
	int rc;

	pthread_mutex_lock(&shard->lock);
	rc = refusal(e);
	if (rc == 0)
		rc = ensure_alive(e);
	if (rc == 0)
		rc = n == 1 ? sooni_deque_push_one(&shard->queue, jobs[0])
			    : sooni_deque_push(&shard->queue, jobs, n);
	pthread_mutex_unlock(&shard->lock);
	return rc;
}

static int put_from_worker(struct sooni_worker *w,
			   struct soon_future *const *jobs, size_t n)
{
	int rc = refusal(w->executor);

	if (sooni_unlikely(rc != 0))
		return rc;
	return n == 1 ? sooni_deque_push_one(&w->queue, jobs[0])
		      : sooni_deque_push(&w->queue, jobs, n);
}

int sooni_pool_put(struct soon_executor *e, struct soon_future *const *jobs,
		   size_t n)
{
	struct sooni_worker *w = sooni_worker_self(e);
	struct sooni_deque *q = w != NULL ? &w->queue : &my_shard(e)->queue;
	int rc = w != NULL ? put_from_worker(w, jobs, n)
			   : put_from_outside(e, jobs, n);

	/* A worker that was searching may have taken them already, and search
	 * no more: then nobody is needed. */
	if (rc == 0 && !sooni_park_is_busy(&e->park) &&
	    !sooni_deque_is_empty(q))
		sooni_pool_call(e, SOONI_ANYBODY);
	return rc;
}

int sooni_pool_enter(struct soon_executor *e)
{
	struct sooni_shard *shard = my_shard(e);
	int rc;

	pthread_mutex_lock(&shard->lock);
	rc = refusal(e);
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

	for (i = 0; i <= e->shard_mask; i++)
		pthread_mutex_lock(&e->shards[i].lock);
}

void sooni_pool_unlock_shards(struct soon_executor *e)
{
	unsigned i;

	for (i = 0; i <= e->shard_mask; i++)
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
	for (i = 0; i <= e->shard_mask; i++) {
		pthread_mutex_lock(&e->shards[i].lock);
		pthread_mutex_unlock(&e->shards[i].lock);
	}
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
