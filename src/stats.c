/*
 * stats.c - what a pool has done, and what it is doing.
 */
#include "pool.h"

#include <soon/stats.h>

#include <errno.h>
#include <string.h>

/* A counter's sum, without what was pushed into shards. */
static uint64_t sum(struct soon_executor *e, enum sooni_counter which)
{
	uint64_t n = sooni_counts_get(&e->home.counts, which);
	uint32_t workers = sooni_park_count(&e->park);
	uint32_t i;

	for (i = 0; i < workers; i++)
		n += sooni_counts_get(&sooni_worker_at(e, i)->counts, which);
	return n;
}

static uint64_t at_least(uint64_t n, uint64_t least)
{
	return n > least ? n : least;
}

static uint64_t above(uint64_t n, uint64_t less)
{
	return n > less ? n - less : 0;
}

/* Those that were delayed are counted twice once they are due, and taken off. */
static uint64_t sum_submitted(struct soon_executor *e)
{
	unsigned shards = sooni_pool_shards(e);
	uint64_t n = 0;
	unsigned i;

	/* Nothing is ever popped there.  acquire: pairs with the push. */
	for (i = 0; i < shards; i++)
		n += (uint64_t)atomic_load_explicit(&e->shards[i].queue.bottom,
						    memory_order_acquire);
	n += sum(e, SOONI_SUBMITTED);
	/* relaxed: see push_due() in put.c. */
	return above(n,
		     atomic_load_explicit(&e->came_due, memory_order_relaxed));
}

/* What is told never goes down, though a job that is just becoming due may not be
 * counted for a moment. */
static uint64_t never_less(_Atomic uint64_t *most, uint64_t n)
{
	/* relaxed: all is in the word. */
	uint64_t told = atomic_load_explicit(most, memory_order_relaxed);

	while (told < n)
		if (atomic_compare_exchange_weak_explicit(most, &told, n,
							  memory_order_relaxed,
							  memory_order_relaxed))
			return n;
	return told;
}

/* Entries that still lead to a job. */
static size_t count_pending(struct soon_executor *e)
{
	uint64_t dropped = sum(e, SOONI_DROPPED);
	uint64_t stale = sum(e, SOONI_STALE);

	return (size_t)above(sooni_pool_backlog(e), above(stale, dropped));
}

/* Who is done with a job may be counted before who submitted it, and one that has
 * expired since the failures were summed up has failed too. */
static void count_jobs(struct soon_executor *e, soon_stats *s)
{
	uint64_t ended;

	s->succeeded = sum(e, SOONI_SUCCEEDED);
	s->expired = sum(e, SOONI_EXPIRED);
	s->failed = at_least(sum(e, SOONI_HAVE_FAILED), s->expired);
	s->cancelled = sum(e, SOONI_WERE_CANCELLED);
	ended = s->succeeded + s->failed + s->cancelled;
	s->submitted =
		never_less(&e->submitted, at_least(sum_submitted(e), ended));
	s->pending = count_pending(e);
	/* relaxed: as all counts. */
	s->delayed = atomic_load_explicit(&e->delayed, memory_order_relaxed);
	s->rejected = sum(e, SOONI_REJECTED);
	s->claimed_by_waiters = sum(e, SOONI_CLAIMED);
	s->stolen = sum(e, SOONI_STOLEN);
	s->wakeups = sum(e, SOONI_WAKEUPS);
}

/* Those that search have delivered their result, and count as idle. */
static void count_threads(struct soon_executor *e, soon_stats *s)
{
	struct sooni_park_view v = sooni_park_view(&e->park);
	/* relaxed: they are read one after the other anyhow. */
	uint32_t waiting =
		atomic_load_explicit(&e->waiting, memory_order_relaxed);
	uint32_t alive = atomic_load_explicit(&e->alive, memory_order_relaxed);

	s->threads_started =
		atomic_load_explicit(&e->started, memory_order_relaxed);
	s->running = v.running - v.searching;
	s->blocked = v.blocked + waiting;
	s->idle = (unsigned)above(alive, s->running + s->blocked);
	s->threads = s->running + s->blocked + s->idle;
	s->written_off = atomic_load_explicit(&e->home.written_off,
					      memory_order_relaxed);
}

int soon_executor_stats(soon_executor *executor, soon_stats *stats)
{
	struct soon_executor *e = executor;
	soon_stats s = SOON_STATS_INIT;
	size_t size;

	if (stats == NULL || stats->size < sizeof(stats->size))
		return EINVAL;
	size = stats->size;
	memset((char *)stats + sizeof(size), 0, size - sizeof(size));
	if (e == NULL)
		e = soon_default_executor();
	if (e == NULL)
		return ENOMEM;
	count_jobs(e, &s);
	count_threads(e, &s);
	if (s.pending > 0)
		s.oldest_pending = sooni_pool_oldest(e);
	s.size = size;
	memcpy(stats, &s, size < sizeof(s) ? size : sizeof(s));
	return 0;
}
