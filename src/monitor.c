/*
 * monitor.c - finding jobs that are blocked without having said so.
 *
 * One thread for the process watches the pools in which jobs are queued while
 * as many run as may; with none to watch it sleeps, and ends with the last
 * executor that needed it.  At each look it asks for every worker that holds a
 * place whether it has finished a job or used the CPU since the last look, and
 * if neither, whether its thread is asleep.  Then the job is blocked: the
 * worker's place is taken from it and given to another.
 *
 * A look that finds newly blocked ones starts as many threads as are blocked in
 * all: so their number doubles until jobs are no longer found blocked, and a
 * thousand blocking jobs have their threads after ten looks.  Threads that
 * compute are never taken for blocked.
 */
#include "pool.h"

enum {
	SHORTEST_NSEC = 100 * 1000, /* between looks that find something */
	LONGEST_NSEC = 10 * 1000 * 1000,
	CPU_SHARE = 10 /* a blocked one used less than 1/10 of the time */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock. */
static struct soon_executor *watched;
static unsigned users; /* executors that were ever watched and still exist */
static bool running;   /* there is a thread */
static bool ending;    /* it is about to end */
static pthread_t thread;

/* BELL asks the thread to look again from the start. */
enum { BELL = 2 };
static _Atomic uint32_t bell;

static void ring(void)
{
	/* release: the list is under lock; this only wakes. */
	sooni_wake(&bell, atomic_fetch_or_explicit(&bell, BELL,
						   memory_order_acq_rel));
}

/* Whether w's job has neither ended nor computed since the last look. */
static bool is_blocked(struct sooni_worker *w, int64_t elapsed)
{
	/* relaxed: guesses, which harm nobody if they are wrong. */
	uint32_t jobs = atomic_load_explicit(&w->jobs, memory_order_relaxed);
	int32_t id = atomic_load_explicit(&w->thread_id, memory_order_relaxed);
	int64_t cpu = sooni_thread_cpu_time(id);
	int64_t used = cpu - w->cpu_seen;
	bool known = w->cpu_seen >= 0 && jobs == w->jobs_seen;

	w->jobs_seen = jobs;
	w->cpu_seen = cpu;
	return known && used < elapsed / CPU_SHARE && sooni_thread_asleep(id);
}

static bool take(struct sooni_worker *w)
{
	uint32_t held = SOONI_PLACE_HELD;

	/* acq_rel: pairs with regain_place() in worker.c: one of them finds
	 * what the other did. */
	if (!atomic_compare_exchange_strong_explicit(
		    &w->place, &held, SOONI_PLACE_TAKEN, memory_order_acq_rel,
		    memory_order_relaxed))
		return false;
	sooni_park_block(&w->executor->park, true);
	return true;
}

static uint32_t place_of(struct sooni_worker *w)
{
	/* relaxed: take() makes sure. */
	return atomic_load_explicit(&w->place, memory_order_relaxed);
}

/* Whether anything new was found blocked. */
static bool look(struct soon_executor *e)
{
	int64_t now = sooni_now();
	int64_t elapsed = now - e->looked;
	uint32_t n = sooni_park_count(&e->park);
	uint32_t blocked = 0;
	uint32_t fresh = 0;
	uint32_t i;

	e->looked = now;
	for (i = 0; i < n; i++) {
		struct sooni_worker *w =
			sooni_worker_of(sooni_park_at(&e->park, i));

		if (place_of(w) == SOONI_PLACE_HELD &&
		    is_blocked(w, elapsed) && take(w))
			fresh++;
		if (place_of(w) == SOONI_PLACE_TAKEN)
			blocked++;
	}
	sooni_park_set_limit(&e->park, e->options.workers +
					       (fresh > 0 ? blocked - fresh : 0));
	for (i = 0; fresh > 0 && i < blocked && sooni_pool_has_work(e); i++)
		sooni_pool_call(e, SOONI_ONE_MORE);
	return fresh > 0;
}

/* Whether e still has jobs that wait for a place, and could have more. */
static bool needs_watch(struct soon_executor *e)
{
	return sooni_park_could_grow(&e->park) && sooni_pool_has_work(e);
}

/* Look at all; those that need no more looks are let go. */
static bool look_at_all(void)
{
	struct soon_executor **link = &watched;
	bool found = false;

	while (*link != NULL) {
		struct soon_executor *e = *link;

		found |= look(e);
		if (!needs_watch(e)) {
			/* seq_cst: pairs with the one in
			 * sooni_monitor_watch(): a call that comes too early
			 * is made up for here. */
			atomic_store_explicit(&e->watched, false,
					      memory_order_seq_cst);
			if (!needs_watch(e) ||
			    atomic_exchange_explicit(&e->watched, true,
						     memory_order_seq_cst)) {
				*link = e->next_watched;
				sooni_park_set_limit(&e->park,
						     e->options.workers);
				continue;
			}
		}
		link = &e->next_watched;
	}
	return found;
}

static void *watch(void *unused)
{
	int64_t interval = SHORTEST_NSEC;
	int64_t deadline;

	(void)unused;
	sooni_thread_name("soon-monitor");
	pthread_mutex_lock(&lock);
	while (!ending) {
		if (look_at_all())
			interval = SHORTEST_NSEC;
		deadline = watched != NULL ? sooni_deadline(interval)
					   : INT64_MAX;
		pthread_mutex_unlock(&lock);
		if (interval < LONGEST_NSEC)
			interval *= 2;
		if (sooni_sleep(&bell, BELL, 0, deadline) == 0) {
			/* relaxed: the list is under lock. */
			atomic_fetch_and_explicit(&bell, ~(uint32_t)BELL,
						  memory_order_relaxed);
			interval = SHORTEST_NSEC;
		}
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Under lock.  Without a thread, pools grow by hints only. */
static void start(void)
{
	if (!running && watched != NULL)
		running = sooni_thread_start(&thread, 0, watch, NULL) == 0;
}

void sooni_monitor_watch(struct soon_executor *e)
{
	/* relaxed: a glance; the exchange makes sure.  seq_cst: pairs with
	 * look_at_all(). */
	if (sooni_likely(!sooni_park_could_grow(&e->park)) ||
	    atomic_load_explicit(&e->watched, memory_order_relaxed) ||
	    atomic_exchange_explicit(&e->watched, true, memory_order_seq_cst))
		return;
	pthread_mutex_lock(&lock);
	if (!e->ever_watched)
		users++;
	e->ever_watched = true;
	e->looked = sooni_now();
	e->next_watched = watched;
	watched = e;
	start();
	pthread_mutex_unlock(&lock);
	ring();
}

static void unlink_watched(struct soon_executor *e)
{
	struct soon_executor **link = &watched;

	while (*link != NULL && *link != e)
		link = &(*link)->next_watched;
	if (*link != NULL)
		*link = e->next_watched;
}

void sooni_monitor_forget(struct soon_executor *e)
{
	pthread_mutex_lock(&lock);
	unlink_watched(e);
	if (e->ever_watched && --users == 0 && running && !ending) {
		ending = true;
		ring();
		pthread_mutex_unlock(&lock);
		pthread_join(thread, NULL);
		pthread_mutex_lock(&lock);
		ending = false;
		running = false;
		start(); /* for those that came meanwhile */
	}
	pthread_mutex_unlock(&lock);
}
