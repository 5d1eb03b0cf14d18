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

static uint64_t sum_submitted(struct soon_executor *e)
{
	uint64_t n = sum(e, SOONI_SUBMITTED);
	unsigned i;

	/* Nothing is ever popped there.  relaxed: as all counts. */
	for (i = 0; i <= e->shard_mask; i++)
		n += (uint64_t)atomic_load_explicit(&e->shards[i].queue.bottom,
						    memory_order_relaxed);
	return n;
}

static uint64_t above(uint64_t n, uint64_t less)
{
	return n > less ? n - less : 0;
}

/* Entries that still lead to a job. */
static size_t count_pending(struct soon_executor *e)
{
	uint64_t dropped = sum(e, SOONI_DROPPED);
	uint64_t stale = sum(e, SOONI_STALE);

	return (size_t)above(sooni_pool_backlog(e), above(stale, dropped));
}

/* Who is done with a job may be counted before who submitted it. */
static void count_jobs(struct soon_executor *e, soon_stats *s)
{
	uint64_t ended;

	s->succeeded = sum(e, SOONI_SUCCEEDED);
	s->failed = sum(e, SOONI_HAVE_FAILED);
	s->expired = sum(e, SOONI_EXPIRED);
	s->cancelled = sum(e, SOONI_WERE_CANCELLED);
	ended = s->succeeded + s->failed + s->cancelled;
	s->submitted = sum_submitted(e);
	if (s->submitted < ended)
		s->submitted = ended;
	s->pending = count_pending(e);
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
