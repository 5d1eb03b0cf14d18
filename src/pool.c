/*
 * pool.c - see pool.h.
 */
#include "pool.h"

#include "crew.h"
#include "delay.h"
#include "door.h"
#include "run.h"
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
	int rc;

	e->door = sooni_door_new(e);
	if (e->door == NULL)
		return ENOMEM;
	rc = init_shards(e);
	if (rc != 0) {
		sooni_door_drop(e->door);
		return rc;
	}
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
	sooni_door_after_fork(e->door);
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
	sooni_door_drop(e->door);
	sooni_park_fini(&e->park);
	sooni_room_fini(&e->home.room);
	pthread_mutex_destroy(&e->early_lock);
	pthread_mutex_destroy(&e->lock);
	pthread_mutex_destroy(&e->joining);
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
	sooni_door_close(e->door, sooni_pool_refusal(e));
	sooni_pool_call_all(e);
}
