/*
 * crew.c - a pool's threads: starting and ending them, and waiting for their
 * end.
 */
#include "crew.h"

#include "limit.h"
#include "thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_NSEC (10 * SOON_MSEC)

/* Starting and ending: under e->lock. */

static void put_spare(struct soon_executor *e, struct sooni_worker *w)
{
	w->next_spare = e->spares;
	e->spares = w;
}

static void thread_ended(struct soon_executor *e)
{
	/* release: all that it did comes before the pool's end.  Pairs with
	 * await_count().  Who waits there joins the thread before *e goes. */
	sooni_wake(&e->threads, atomic_fetch_sub_explicit(
					&e->threads, 2, memory_order_acq_rel));
}

/*
 * Each thread that ends joins the one before it, so that of any number only the
 * last keeps its stack; that one the pool's end joins.  Not under the lock: the
 * thread joined may still run the user's thread-specific destructors.
 */
void sooni_crew_end_thread(struct sooni_worker *w, bool off_stack)
{
	struct soon_executor *e = w->executor;
	pthread_t before = pthread_self();
	bool is_first;

	pthread_mutex_lock(&e->lock);
	is_first = !e->has_last_ended;
	if (!is_first)
		before = e->last_ended;
	e->last_ended = pthread_self();
	e->has_last_ended = true;
	w->ended = true;
	if (off_stack)
		w->off_stack = true;
	if (w->off_stack)
		put_spare(e, w);
	pthread_mutex_unlock(&e->lock);
	if (!is_first)
		sooni_thread_join(before);
	thread_ended(e);
}

void sooni_worker_name(const struct sooni_worker *w, char name[SOONI_NAME_SIZE])
{
	const char *prefix = w->executor->name;
	char number[12];

	snprintf(number, sizeof(number), "-%u", w->parker.index + 1);
	snprintf(name, SOONI_NAME_SIZE, "%.*s%s",
		 (int)(SOONI_NAME_SIZE - 1 - strlen(number)), prefix, number);
}

static struct sooni_worker *new_worker(struct soon_executor *e)
{
	struct sooni_worker *w = aligned_alloc(SOONI_APART, sizeof(*w));

	if (w == NULL)
		return NULL;
	if (sooni_deque_init(&w->queue) != 0)
		goto undo_alloc;
	w->executor = e;
	w->ended = false;
	w->off_stack = false;
	w->shard = 0;
	w->steal_is_next = true;
	w->ranked_turn = 0;
	w->low_is_next = false;
	atomic_init(&w->place, SOONI_PLACE_NONE);
	atomic_init(&w->jobs, 0);
	atomic_init(&w->thread_id, 0);
	atomic_init(&w->woke, 0);
	sooni_counts_init(&w->counts);
	sooni_moments_init(&w->moments);
	w->cpu_seen = -1;
	w->slept = false;
	if (sooni_park_add(&e->park, &w->parker) != 0)
		goto undo_deque;
	return w;
undo_deque:
	sooni_deque_fini(&w->queue);
undo_alloc:
	free(w);
	return NULL;
}

void sooni_crew_leave(struct soon_executor *e)
{
	pthread_mutex_lock(&e->lock);
	/* relaxed: ensure_alive() sees it by a shard's lock. */
	atomic_fetch_sub_explicit(&e->alive, 1, memory_order_relaxed);
	pthread_mutex_unlock(&e->lock);
}

/* A worker without a thread: k's if its thread has ended, a spare, or a new
 * one. */
static struct sooni_worker *free_worker(struct soon_executor *e,
					struct sooni_parker *k)
{
	struct sooni_worker *w = k != NULL ? sooni_worker_of(k) : NULL;

	if (w != NULL && w->ended)
		return w;
	if (w != NULL)
		w->off_stack = true;
	w = e->spares;
	if (w == NULL)
		return new_worker(e);
	e->spares = w->next_spare;
	return w;
}

/* How many threads do not sleep in the library. */
static uint32_t busy_threads(struct soon_executor *e)
{
	/* relaxed: both only grow a pool a moment later or earlier. */
	uint32_t alive = atomic_load_explicit(&e->alive, memory_order_relaxed);
	uint32_t waiting =
		atomic_load_explicit(&e->waiting, memory_order_relaxed);

	return alive > waiting ? alive - waiting : 0;
}

bool sooni_crew_is_over(struct soon_executor *e)
{
	return busy_threads(e) > e->options.max_workers;
}

/* Whether no thread may start any more: who waits for the end of a closed pool
 * has seen the last one leave, unless a job is due; and a broken one would only
 * break again. */
static bool is_over(struct soon_executor *e, bool due)
{
	enum sooni_phase phase = sooni_pool_phase(e);

	/* relaxed: it changes under the lock. */
	return phase == SOONI_BROKEN ||
	       (phase == SOONI_CLOSED && !due &&
		atomic_load_explicit(&e->alive, memory_order_relaxed) == 0);
}

static int start_locked(struct soon_executor *e, struct sooni_parker *k,
			bool due)
{
	struct sooni_worker *w;
	pthread_t thread;
	int rc;

	w = free_worker(e, k);
	if (w == NULL)
		return EAGAIN;
	if (is_over(e, due)) {
		put_spare(e, w);
		return EAGAIN;
	}
	w->ended = false;
	w->off_stack = false;
	/* relaxed: its end, which pairs with await_count(), comes later. */
	atomic_fetch_add_explicit(&e->threads, 2, memory_order_relaxed);
	rc = sooni_thread_start(&thread, e->options.stack_size,
				sooni_worker_main, w);
	if (rc == 0) {
		/* relaxed, both: before the thread can leave, which needs the
		 * lock. */
		atomic_fetch_add_explicit(&e->alive, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&e->started, 1, memory_order_relaxed);
		return 0;
	}
	thread_ended(e);
	put_spare(e, w);
	return EAGAIN;
}

/* A thread that park.h counts as running and searching already. */
int sooni_crew_start(struct soon_executor *e, struct sooni_parker *k)
{
	int rc;

	pthread_mutex_lock(&e->lock);
	rc = start_locked(e, k, false);
	pthread_mutex_unlock(&e->lock);
	if (rc != 0)
		sooni_park_exit(&e->park, true);
	return rc;
}

/* Where none needs to be started one that has just left counts as running still:
 * it will look at the queues, but for a due job it may be unable to start the
 * thread that it would need. */
static int start_first(struct soon_executor *e, bool due)
{
	struct sooni_parker *k = NULL;
	int rc;

	if (sooni_park_call(&e->park, SOONI_ONE_MORE, &k) != SOONI_CALL_START)
		return due ? EAGAIN : 0;
	rc = start_locked(e, k, due);
	if (rc != 0)
		sooni_park_exit(&e->park, true);
	return rc;
}

int sooni_crew_ensure(struct soon_executor *e, bool due)
{
	int rc = 0;

	pthread_mutex_lock(&e->lock);
	/* relaxed: it changes under the lock.  Other shards' submitters may be
	 * here as well. */
	if (atomic_load_explicit(&e->alive, memory_order_relaxed) == 0)
		rc = start_first(e, due);
	pthread_mutex_unlock(&e->lock);
	return rc;
}

static void *replace_main(void *worker)
{
	struct sooni_worker *w = worker;

	pthread_mutex_lock(&w->executor->lock);
	pthread_mutex_unlock(&w->executor->lock);
	return sooni_worker_main(w);
}

/* One thread goes and another comes: their number is the same. */
bool sooni_crew_replace(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;
	pthread_t thread;

	if (sooni_thread_start(&thread, e->options.stack_size, replace_main,
			       w) != 0)
		return false;
	/* relaxed: it changes under the lock. */
	atomic_fetch_add_explicit(&e->started, 1, memory_order_relaxed);
	return true;
}

/* Wait until a counter by 2 is down to n. */
static int await_count(_Atomic uint32_t *counter, uint32_t n, int64_t deadline)
{
	uint32_t by_two = ~SOONI_SLEEPERS;
	uint32_t now;

	/* acquire: pairs with the release of each that leaves. */
	while ((now = atomic_load_explicit(counter, memory_order_acquire) &
		      by_two) > 2 * n) {
		if (deadline != 0 && sooni_spin(counter, by_two, now))
			continue;
		if (sooni_wait(counter, by_two, now, deadline) != 0)
			return ETIMEDOUT;
	}
	return 0;
}

/* No thread starts any more.  Of several that come here, each returns when the
 * last has been joined. */
static void join_last(struct soon_executor *e)
{
	pthread_mutex_lock(&e->joining);
	if (e->has_last_ended)
		sooni_thread_join(e->last_ended);
	e->has_last_ended = false;
	pthread_mutex_unlock(&e->joining);
}

int sooni_crew_join(struct soon_executor *e, int64_t deadline)
{
	/* Delayed jobs are among the guests, and will need threads. */
	if (await_count(&e->home.guests, 0, deadline) != 0 ||
	    await_count(&e->threads, 0, deadline) != 0)
		return ETIMEDOUT;
	join_last(e);
	return await_count(&e->home.guests, 0, deadline);
}

bool sooni_pool_is_inside(struct soon_executor *e)
{
	const struct sooni_context *c;
	const struct sooni_telling *t;

	if (sooni_pool_has_caller(e))
		return true;
	for (t = sooni_me.telling; t != NULL; t = t->below)
		if (t->home == &e->home)
			return true;
	for (c = sooni_running(); c != NULL; c = c->below)
		if (c->job->home == &e->home && !sooni_limit_has_lost(c->job))
			return true;
	return false;
}

/* How many of the pool's threads the calling one is, by 2. */
static uint32_t mine(struct soon_executor *e)
{
	return sooni_pool_has_caller(e) ? 2 : 0;
}

/* A job of the pool ends the process: it is not waited for, but all others. */
static void drain_from_inside(struct soon_executor *e)
{
	uint32_t by_two = ~SOONI_SLEEPERS;
	uint32_t now;

	/* acquire: as in await_count(); of `delayed`, pairs with unlist() in
	 * delay.c.  It looks again now and then, since threads may begin and
	 * end without a change in their number.  Whether this one was written
	 * off it looks afterwards: until then it was one of them. */
	for (;;) {
		size_t delayed =
			atomic_load_explicit(&e->delayed, memory_order_acquire);

		now = atomic_load_explicit(&e->threads, memory_order_acquire) &
		      by_two;
		if (delayed == 0 && now <= mine(e) && !sooni_pool_has_work(e))
			break;
		sooni_wait(&e->threads, by_two, now, sooni_deadline(LOOK_NSEC));
	}
	join_last(e);
}

void sooni_pool_drain(struct soon_executor *e)
{
	sooni_pool_close(e, SOONI_CLOSED);
	if (sooni_pool_is_inside(e))
		drain_from_inside(e);
	else
		sooni_crew_join(e, INT64_MAX);
}

/* The record on which the calling thread still stands must not be used again. */
void sooni_crew_after_fork(struct soon_executor *e)
{
	uint32_t n = sooni_park_count(&e->park);
	uint32_t i;

	pthread_mutex_init(&e->lock, NULL);
	pthread_mutex_init(&e->joining, NULL);
	/* relaxed, all: nobody else is there. */
	atomic_store_explicit(&e->threads, 0, memory_order_relaxed);
	atomic_store_explicit(&e->alive, 0, memory_order_relaxed);
	atomic_store_explicit(&e->starting, 0, memory_order_relaxed);
	atomic_store_explicit(&e->waiting, 0, memory_order_relaxed);
	atomic_store_explicit(&e->spinning, 0, memory_order_relaxed);
	atomic_store_explicit(&e->started, 0, memory_order_relaxed);
	e->has_last_ended = false;
	e->spares = NULL;
	for (i = 0; i < n; i++) {
		struct sooni_worker *w = sooni_worker_at(e, i);

		sooni_deque_reset(&w->queue);
		sooni_counts_init(&w->counts);
		sooni_moments_init(&w->moments);
		atomic_store_explicit(&w->place, SOONI_PLACE_NONE,
				      memory_order_relaxed);
		w->cpu_seen = -1;
		w->slept = false;
		w->ended = w != sooni_me.worker;
		w->off_stack = true;
		if (w->ended)
			put_spare(e, w);
	}
}
