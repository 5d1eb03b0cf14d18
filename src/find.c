/*
 * find.c - where a worker looks for its next job.
 */
#include "pool.h"

enum {
	/* Jobs from its own queue before a worker looks elsewhere first, so that
	 * one that feeds itself does not starve what comes from outside. */
	TURNS = 61,
	/* Jobs before one goes first that is not of high priority. */
	RANKED_TURNS = 251
};

static struct soon_future *take_pushed(struct sooni_worker *w, unsigned at)
{
	void *item;

	do
		item = sooni_deque_take_pushed(&w->executor->shards[at].queue,
					       &w->seen[at]);
	while (item == SOONI_DEQUE_RETRY);
	return item;
}

static struct soon_future *find_in_shards(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;
	unsigned i;

	for (i = 0; i <= e->shard_mask; i++) {
		unsigned at = (w->shard + i) & e->shard_mask;
		struct soon_future *f = take_pushed(w, at);

		if (f != NULL) {
			w->shard = at;
			return f;
		}
	}
	return NULL;
}

/* xorshift: G. Marsaglia, "Xorshift RNGs", 2003. */
static uint32_t next_random(struct sooni_worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return w->random;
}

static struct soon_future *steal_from(struct sooni_worker *w,
				      struct sooni_worker *victim)
{
	struct soon_future *f = sooni_queue_take(&victim->queue);

	w->victim = f != NULL ? victim : NULL;
	return f;
}

static struct soon_future *steal(struct sooni_worker *w)
{
	struct soon_executor *e = w->executor;
	uint32_t n = sooni_park_count(&e->park);
	uint32_t start = next_random(w) % n;
	struct soon_future *f = NULL;
	uint32_t i;

	if (w->victim != NULL)
		f = steal_from(w, w->victim);
	for (i = 0; i < n && f == NULL; i++) {
		struct sooni_worker *victim =
			sooni_worker_at(e, (start + i) % n);

		if (victim != w)
			f = steal_from(w, victim);
	}
	if (f != NULL)
		sooni_counts_bump(&w->counts, SOONI_STOLEN, 1);
	return f;
}

/*
 * Others have their turn before the worker's own jobs: the shards, one after the
 * other, so that a thread that keeps its own full does not starve the rest; and
 * as often another worker, any, which may not come to its jobs itself.
 */
static sooni_noinline struct soon_future *find_elsewhere(struct sooni_worker *w)
{
	w->turn = 0;
	w->steal_is_next = !w->steal_is_next;
	if (w->steal_is_next) {
		w->victim = NULL;
		return steal(w);
	}
	w->shard = (w->shard + 1) & w->executor->shard_mask;
	return find_in_shards(w);
}

/* The worker's own jobs begin in the order in which it submitted them. */
sooni_inline struct soon_future *find_normal(struct sooni_worker *w)
{
	struct soon_future *f = NULL;

	if (sooni_unlikely(++w->turn >= TURNS))
		f = find_elsewhere(w);
	if (f == NULL)
		f = sooni_queue_take(&w->queue);
	if (f == NULL)
		f = find_in_shards(w);
	return f != NULL ? f : steal(w);
}

/*
 * High ones first, low ones last.  But now and then a low one goes before all,
 * and as often a normal one before the high ones: so nothing waits for ever.
 */
static sooni_noinline struct soon_future *find_ranked(struct sooni_worker *w)
{
	unsigned high = sooni_pool_rank(w->executor, SOON_HIGH);
	unsigned low = sooni_pool_rank(w->executor, SOON_LOW);
	struct soon_future *f = NULL;

	if (++w->ranked_turn >= RANKED_TURNS) {
		w->ranked_turn = 0;
		w->low_is_next = !w->low_is_next;
		f = w->low_is_next ? take_pushed(w, low) : find_normal(w);
	}
	if (f == NULL)
		f = take_pushed(w, high);
	if (f == NULL)
		f = find_normal(w);
	return f != NULL ? f : take_pushed(w, low);
}

struct soon_future *sooni_find(struct sooni_worker *w)
{
	return sooni_pool_is_ranked(w->executor) ? find_ranked(w)
						 : find_normal(w);
}

static bool shard_has_more(struct sooni_worker *w, unsigned at)
{
	return !sooni_deque_is_empty(&w->executor->shards[at].queue);
}

static sooni_noinline bool ranks_have_more(struct sooni_worker *w)
{
	return shard_has_more(w, sooni_pool_rank(w->executor, SOON_HIGH)) ||
	       shard_has_more(w, sooni_pool_rank(w->executor, SOON_LOW));
}

bool sooni_has_more(struct sooni_worker *w)
{
	return !sooni_deque_is_empty(&w->queue) ||
	       (w->victim != NULL &&
		!sooni_deque_is_empty(&w->victim->queue)) ||
	       shard_has_more(w, w->shard) ||
	       (sooni_pool_is_ranked(w->executor) && ranks_have_more(w));
}
