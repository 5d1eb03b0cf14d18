/*
 * park.c - see park.h.
 *
 * The word, from the top: a tag of 16 bits that changes with every pop, so that
 * a stalled popper's compare-and-swap fails when the same worker is on top
 * again with another below it; the index on top; how many run; how many of
 * these search.  Each fits 16 bits because there are no more workers than that.
 *
 * A stalled popper is fooled only if exactly a multiple of 65536 pops pass by
 * and leave the same top and the same counts.
 */
#include "park.h"

#include <errno.h>
#include <stdlib.h>

#define SEARCHING UINT64_C(1)
#define RUNNING (UINT64_C(1) << 16)
#define TOP_SHIFT 32
#define TAG (UINT64_C(1) << 48)

/*
 * A parker's word.  CALLED is set by whoever popped it, GONE by the worker
 * whose thread is about to end.  Exactly one of them comes first.
 */
enum { CALLED = 2, GONE = 4 };

static uint32_t searching(uint64_t w)
{
	return (uint32_t)(w & 0xffff);
}

static uint32_t running(uint64_t w)
{
	return (uint32_t)(w >> 16 & 0xffff);
}

static uint32_t top(uint64_t w)
{
	return (uint32_t)(w >> TOP_SHIFT & 0xffff);
}

static uint64_t with_top(uint64_t w, uint32_t index)
{
	return (w & ~(UINT64_C(0xffff) << TOP_SHIFT)) | (uint64_t)index
								<< TOP_SHIFT;
}

void sooni_park_init(struct sooni_park *p, uint32_t limit, uint32_t most)
{
	size_t i;

	atomic_init(&p->word, with_top(0, SOONI_PARK_NONE));
	atomic_init(&p->limit, limit);
	atomic_init(&p->most, most);
	atomic_init(&p->blocked, 0);
	atomic_init(&p->count, 0);
	for (i = 0; i < sizeof(p->chunks) / sizeof(p->chunks[0]); i++)
		atomic_init(&p->chunks[i], NULL);
}

void sooni_park_reset(struct sooni_park *p, uint32_t limit)
{
	/* relaxed: nobody else is left. */
	atomic_store_explicit(&p->word, with_top(0, SOONI_PARK_NONE),
			      memory_order_relaxed);
	atomic_store_explicit(&p->limit, limit, memory_order_relaxed);
	atomic_store_explicit(&p->blocked, 0, memory_order_relaxed);
}

void sooni_park_fini(struct sooni_park *p)
{
	size_t i;

	/* relaxed: nobody else is left. */
	for (i = 0; i < sizeof(p->chunks) / sizeof(p->chunks[0]); i++)
		free(atomic_load_explicit(&p->chunks[i], memory_order_relaxed));
}

int sooni_park_add(struct sooni_park *p, struct sooni_parker *k)
{
	/* relaxed: count changes under the caller's lock only. */
	uint32_t i = atomic_load_explicit(&p->count, memory_order_relaxed);
	_Atomic(struct sooni_parker *) *chunk;

	if (i >= SOONI_PARK_MOST)
		return EAGAIN;
	chunk = atomic_load_explicit(&p->chunks[i / SOONI_PARK_CHUNK],
				     memory_order_relaxed);
	if (chunk == NULL) {
		chunk = calloc(SOONI_PARK_CHUNK, sizeof(*chunk));
		if (chunk == NULL)
			return ENOMEM;
		/* release: the zeros.  Pairs with sooni_park_at(). */
		atomic_store_explicit(&p->chunks[i / SOONI_PARK_CHUNK], chunk,
				      memory_order_release);
	}
	atomic_init(&k->word, 0);
	atomic_init(&k->below, SOONI_PARK_NONE);
	k->index = i;
	/* release: *k.  Pairs with sooni_park_at(). */
	atomic_store_explicit(&chunk[i % SOONI_PARK_CHUNK], k,
			      memory_order_release);
	/* seq_cst: whoever looks through all queues after k's worker has
	 * published something counts k in. */
	atomic_store_explicit(&p->count, i + 1, memory_order_seq_cst);
	return 0;
}

uint32_t sooni_park_count(struct sooni_park *p)
{
	/* seq_cst: see sooni_park_add(). */
	return atomic_load_explicit(&p->count, memory_order_seq_cst);
}

struct sooni_parker *sooni_park_at(struct sooni_park *p, uint32_t index)
{
	/* acquire, twice: pairs with sooni_park_add(). */
	_Atomic(struct sooni_parker *) *chunk = atomic_load_explicit(
		&p->chunks[index / SOONI_PARK_CHUNK], memory_order_acquire);

	return atomic_load_explicit(&chunk[index % SOONI_PARK_CHUNK],
				    memory_order_acquire);
}

/*
 * How many more may run than do; below 0, how many less.  relaxed: a limit that
 * rises makes its own call, and a worker that blocks or stops being blocked
 * looks at the queues afterwards.
 */
static int room(struct sooni_park *p, uint64_t w)
{
	int limit = (int)atomic_load_explicit(&p->limit, memory_order_relaxed);
	int most = (int)atomic_load_explicit(&p->most, memory_order_relaxed) -
		   (int)atomic_load_explicit(&p->blocked, memory_order_relaxed);

	return (limit < most ? limit : most) - (int)running(w);
}

/* The word after its top was popped, to run and to search. */
static uint64_t popped(struct sooni_park *p, uint64_t w)
{
	/* relaxed: if k is no longer on top, the tag has changed and the
	 * compare-and-swap that uses this fails. */
	struct sooni_parker *k = sooni_park_at(p, top(w));
	uint32_t below = atomic_load_explicit(&k->below, memory_order_relaxed);

	return with_top(w, below) + TAG + RUNNING + SEARCHING;
}

/* Whether k has a thread, which has then been called. */
static bool call(struct sooni_parker *k)
{
	/* acq_rel: all that was published before is seen by the worker called,
	 * and by the thread to be started.  Pairs with sooni_park_wait(). */
	uint32_t old = atomic_fetch_or_explicit(&k->word, CALLED,
						memory_order_acq_rel);

	if (old & GONE)
		return false;
	sooni_wake(&k->word, old);
	return true;
}

/* One try, from the word *w; LATE: *w is another now, or might be. */
static enum sooni_called try_to_call(struct sooni_park *p, enum sooni_urge urge,
				     uint64_t *w, struct sooni_parker **k)
{
	uint64_t was = *w;
	bool idle = top(was) != SOONI_PARK_NONE;
	uint64_t next = idle ? 0 : was + RUNNING + SEARCHING;

	if (searching(was) > 0 && urge != SOONI_ONE_MORE)
		return SOONI_CALLED;
	if (room(p, was) <= 0 || (!idle && urge == SOONI_ONLY_IDLE))
		return SOONI_CALL_FULL;
	if (idle)
		next = popped(p, was);
	/* seq_cst, both: see park.h. */
	if (!atomic_compare_exchange_weak_explicit(&p->word, w, next,
						   memory_order_seq_cst,
						   memory_order_seq_cst))
		return SOONI_CALL_LATE;
	sooni_busy(1);
	*k = idle ? sooni_park_at(p, top(was)) : NULL;
	return idle && call(*k) ? SOONI_CALLED : SOONI_CALL_START;
}

enum sooni_called sooni_park_call(struct sooni_park *p, enum sooni_urge urge,
				  struct sooni_parker **k)
{
	/* seq_cst: see park.h. */
	uint64_t w = atomic_load_explicit(&p->word, memory_order_seq_cst);
	enum sooni_called called;

	do
		called = try_to_call(p, urge, &w, k);
	while (called == SOONI_CALL_LATE);
	return called;
}

enum sooni_called sooni_park_call_seen(struct sooni_park *p, uint64_t seen,
				       struct sooni_parker **k)
{
	return try_to_call(p, SOONI_ANYBODY, &seen, k);
}

/* Put k on the stack and subtract what it stops to be. */
static void push(struct sooni_park *p, struct sooni_parker *k, uint64_t less)
{
	/* relaxed: the compare-and-swap below judges it. */
	uint64_t w = atomic_load_explicit(&p->word, memory_order_relaxed);

	do {
		atomic_store_explicit(&k->below, top(w), memory_order_relaxed);
		/* seq_cst: announces before the look that follows; also
		 * releases `below` to whoever pops k. */
	} while (!atomic_compare_exchange_weak_explicit(
		&p->word, &w, with_top(w, k->index) - less,
		memory_order_seq_cst, memory_order_relaxed));
}

void sooni_park_call_all(struct sooni_park *p)
{
	/* seq_cst: as in sooni_park_call(). */
	uint64_t w = atomic_load_explicit(&p->word, memory_order_seq_cst);

	while (top(w) != SOONI_PARK_NONE) {
		struct sooni_parker *k = sooni_park_at(p, top(w));

		if (!atomic_compare_exchange_weak_explicit(
			    &p->word, &w, popped(p, w), memory_order_seq_cst,
			    memory_order_seq_cst))
			continue;
		sooni_busy(1);
		if (!call(k))
			sooni_park_exit(p, true);
		w = atomic_load_explicit(&p->word, memory_order_seq_cst);
	}
}

void sooni_park_search(struct sooni_park *p)
{
	/* seq_cst: as in sooni_park_call(). */
	atomic_fetch_add_explicit(&p->word, SEARCHING, memory_order_seq_cst);
}

bool sooni_park_found(struct sooni_park *p)
{
	/* seq_cst: comes before the look that a true answer asks for. */
	return searching(atomic_fetch_sub_explicit(&p->word, SEARCHING,
						   memory_order_seq_cst)) == 1;
}

void sooni_park_announce(struct sooni_park *p, struct sooni_parker *k,
			 bool is_searching)
{
	/* relaxed: only this worker looks at its word until it is pushed. */
	atomic_store_explicit(&k->word, 0, memory_order_relaxed);
	push(p, k, is_searching ? RUNNING + SEARCHING : RUNNING);
	sooni_busy(-1);
}

bool sooni_park_is_over(struct sooni_park *p)
{
	/* relaxed: sooni_park_surplus() makes sure. */
	return room(p, atomic_load_explicit(&p->word, memory_order_relaxed)) <
	       0;
}

bool sooni_park_surplus(struct sooni_park *p, struct sooni_parker *k)
{
	/* relaxed: the compare-and-swap below judges it. */
	uint64_t w = atomic_load_explicit(&p->word, memory_order_relaxed);

	do {
		if (sooni_likely(room(p, w) >= 0))
			return false;
		atomic_store_explicit(&k->word, 0, memory_order_relaxed);
		atomic_store_explicit(&k->below, top(w), memory_order_relaxed);
		/* seq_cst: as in push(). */
	} while (!atomic_compare_exchange_weak_explicit(
		&p->word, &w, with_top(w, k->index) - RUNNING,
		memory_order_seq_cst, memory_order_relaxed));
	sooni_busy(-1);
	return true;
}

int sooni_park_wait(struct sooni_parker *k, int64_t deadline)
{
	return sooni_sleep(&k->word, CALLED, 0, deadline);
}

void sooni_park_look(struct sooni_parker *k)
{
	sooni_spin_for(&k->word, CALLED, 0, SOONI_SPIN_IDLE);
}

bool sooni_park_leave(struct sooni_parker *k)
{
	/* acq_rel: a worker that is gone has done all it did; a worker that was
	 * called sees what it was called for. */
	return !(
		atomic_fetch_or_explicit(&k->word, GONE, memory_order_acq_rel) &
		CALLED);
}

void sooni_park_exit(struct sooni_park *p, bool is_searching)
{
	/* seq_cst: as in sooni_park_call(). */
	atomic_fetch_sub_explicit(&p->word,
				  is_searching ? RUNNING + SEARCHING : RUNNING,
				  memory_order_seq_cst);
	sooni_busy(-1);
}

void sooni_park_block(struct sooni_park *p, bool counted)
{
	/* relaxed: see room(). */
	if (counted)
		atomic_fetch_add_explicit(&p->blocked, 1, memory_order_relaxed);
	/* seq_cst: comes before the look at the queues that follows. */
	atomic_fetch_sub_explicit(&p->word, RUNNING, memory_order_seq_cst);
	sooni_busy(-1);
}

void sooni_park_unblock(struct sooni_park *p, bool counted)
{
	/* release: in this order, so that the worker is never counted twice: a
	 * publisher would call nobody, and nobody would look.  One too many
	 * may run instead, until the end of a job. */
	if (counted)
		atomic_fetch_sub_explicit(&p->blocked, 1, memory_order_release);
	/* seq_cst: as in sooni_park_call(). */
	atomic_fetch_add_explicit(&p->word, RUNNING, memory_order_seq_cst);
	sooni_busy(1);
}

void sooni_park_uncount(struct sooni_park *p)
{
	/* seq_cst: comes before the look at the queues that follows. */
	atomic_fetch_sub_explicit(&p->blocked, 1, memory_order_seq_cst);
}

void sooni_park_recount(struct sooni_park *p)
{
	/* relaxed: see room(). */
	atomic_fetch_add_explicit(&p->blocked, 1, memory_order_relaxed);
}

void sooni_park_set_limit(struct sooni_park *p, uint32_t limit)
{
	/* relaxed: see room(). */
	atomic_store_explicit(&p->limit, limit, memory_order_relaxed);
}

bool sooni_park_could_grow(struct sooni_park *p)
{
	/* relaxed: whoever goes wrong by it is put right at the next look. */
	uint32_t runs =
		running(atomic_load_explicit(&p->word, memory_order_relaxed));
	uint32_t blocked =
		atomic_load_explicit(&p->blocked, memory_order_relaxed);

	return runs >= atomic_load_explicit(&p->limit, memory_order_relaxed) &&
	       runs + blocked <
		       atomic_load_explicit(&p->most, memory_order_relaxed);
}

struct sooni_park_view sooni_park_view(struct sooni_park *p)
{
	/* relaxed, both: nobody relies on it. */
	uint64_t w = atomic_load_explicit(&p->word, memory_order_relaxed);
	struct sooni_park_view v = {
		.running = running(w),
		.searching = searching(w),
		.blocked =
			atomic_load_explicit(&p->blocked, memory_order_relaxed),
	};

	return v;
}
