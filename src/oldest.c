/*
 * oldest.c - how long jobs have been waiting in a pool.
 *
 * No submit reads a clock.  Whoever finds that jobs wait and nobody is there who
 * could take them notes the time, unless that is noted already; a worker that
 * finds all queues empty puts it back.  So a job that came in between has waited
 * no longer than since then.  Each queue's moments say more where jobs come all
 * the time.
 */
#include "pool.h"

void sooni_pool_jobs_wait(struct soon_executor *e)
{
	/* relaxed, here and below: it orders nothing, and of two times that are
	 * noted at once either will do. */
	if (sooni_unlikely(
		    atomic_load_explicit(&e->since, memory_order_relaxed) == 0))
		atomic_store_explicit(&e->since, sooni_now_coarse(),
				      memory_order_relaxed);
}

void sooni_pool_note_push(struct sooni_deque *q, struct sooni_moments *m,
			  int64_t place)
{
	int64_t top = atomic_load_explicit(&q->top, memory_order_relaxed);

	sooni_moments_note(m, place, top, sooni_now_coarse());
}

/* Since when the oldest of a queue may be waiting; `none` if it is empty. */
static int64_t since(struct sooni_deque *q, const struct sooni_moments *m,
		     int64_t all, int64_t none)
{
	int64_t top = atomic_load_explicit(&q->top, memory_order_relaxed);
	int64_t came;

	if (sooni_deque_count(q) == 0)
		return none;
	came = sooni_moments_before(m, top);
	return came > all ? came : all;
}

int64_t sooni_pool_oldest(struct soon_executor *e)
{
	int64_t all = atomic_load_explicit(&e->since, memory_order_relaxed);
	unsigned shards = sooni_pool_shards(e);
	uint32_t n = sooni_park_count(&e->park);
	int64_t now = sooni_now();
	int64_t oldest = INT64_MAX;
	uint32_t i;

	if (all == 0)
		all = now; /* somebody is about to take them */
	for (i = 0; i < shards; i++) {
		struct sooni_shard *s = &e->shards[i];
		int64_t at = since(&s->queue, &s->moments, all, INT64_MAX);

		oldest = at < oldest ? at : oldest;
	}
	for (i = 0; i < n; i++) {
		struct sooni_worker *w = sooni_worker_at(e, i);
		int64_t at = since(&w->queue, &w->moments, all, INT64_MAX);

		oldest = at < oldest ? at : oldest;
	}
	if (oldest == INT64_MAX)
		return 0;
	return oldest < now ? now - oldest : 1;
}
