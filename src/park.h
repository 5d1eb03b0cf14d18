/*
 * park.h - which workers are idle, and whom to call when there is work.
 *
 * One 64-bit word says it all: the stack of idle workers (the latest on top,
 * its caches still warm), how many run and how many of those are searching.
 *
 * A worker that runs counts against the limit: it has a job in hand or is
 * looking for one.  It stops counting while it is idle and while it is blocked;
 * those blocked outside the library still count against a second limit.
 * A worker that searches has none in hand and will look at every queue before
 * it goes idle.
 *
 * Publisher: publish the item, then sooni_park_call().  It calls nobody while
 * somebody is searching, who will find it, or while as many run as may: they
 * look before they go idle.
 * Worker: announce itself as idle, then look at all queues once more, then
 * sleep.  The last searcher that finds work calls the next.
 *
 * Publishing, the word and that last look are sequentially consistent, so a
 * publisher that does not see the worker idle is seen by it.  The full
 * argument is in doc/protocols.md.  The scheme is that of the Go scheduler and
 * of rayon's sleep module, with the idle stack in the same word.
 */
#ifndef SOONI_PARK_H
#define SOONI_PARK_H

#include "compiler.h"
#include "sleep.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	SOONI_PARK_NONE = 0xffff, /* index: the end of the stack */
	SOONI_PARK_MOST = 0xfffe, /* workers of one pool */
	SOONI_PARK_CHUNK = 64
};

/* A worker's own line, on which it waits to be called. */
struct sooni_parker {
	alignas(SOONI_APART) _Atomic uint32_t word; /* see park.c */
	_Atomic uint32_t below; /* next idle one; owner writes, while on top */
	uint32_t index;		/* r/o */
};

struct sooni_park {
	alignas(SOONI_APART) _Atomic uint64_t word; /* see park.c */
	/* read mostly */
	alignas(SOONI_APART) _Atomic uint32_t limit; /* how many may run */
	_Atomic uint32_t most;	  /* ... and be blocked, together */
	_Atomic uint32_t blocked; /* not running, but in a job */
	_Atomic uint32_t count;	  /* parkers added so far */
	_Atomic(_Atomic(struct sooni_parker *) *)
		chunks[SOONI_PARK_MOST / SOONI_PARK_CHUNK + 1];
};

void sooni_park_init(struct sooni_park *p, uint32_t limit, uint32_t most);
void sooni_park_fini(struct sooni_park *p);

/* Nobody runs, searches or is idle; nobody else uses it. */
void sooni_park_reset(struct sooni_park *p, uint32_t limit);

/*
 * A new parker, index and all; the caller holds the lock that guards adding.
 * ENOMEM; EAGAIN when there are too many.
 */
int sooni_park_add(struct sooni_park *p, struct sooni_parker *k);
struct sooni_parker *sooni_park_at(struct sooni_park *p, uint32_t index);

/* How many there are; they are never taken away. */
uint32_t sooni_park_count(struct sooni_park *p);

/* What sooni_park_call() did, or leaves to be done. */
enum sooni_called {
	SOONI_CALLED,	  /* a worker was called, or need not be */
	SOONI_CALL_FULL,  /* as many run as may */
	SOONI_CALL_START, /* start a thread on *k, or on a new parker if NULL;
			     it is counted as running and searching already */
	SOONI_CALL_LATE	  /* the word has changed: see sooni_park_call_seen() */
};

/*
 * Before sooni_park_call() for ANYBODY: whether that would do nothing, which is
 * so most of the time, because somebody searches (CALLED) or because no pool
 * could even grow by being watched (CALL_FULL); else CALL_START.  *seen is for
 * sooni_park_call_seen().  seq_cst, as there.
 */
static inline enum sooni_called sooni_park_glance(struct sooni_park *p,
						  uint64_t *seen)
{
	uint64_t w = atomic_load_explicit(&p->word, memory_order_seq_cst);
	uint32_t runs = (uint32_t)(w >> 16 & 0xffff);

	*seen = w;
	if ((w & 0xffff) > 0)
		return SOONI_CALLED;
	/* relaxed: see room() in park.c. */
	return runs + atomic_load_explicit(&p->blocked, memory_order_relaxed) >=
			       atomic_load_explicit(&p->most,
						    memory_order_relaxed)
		       ? SOONI_CALL_FULL
		       : SOONI_CALL_START;
}

enum sooni_urge {
	SOONI_ANYBODY,	 /* whoever searches will do */
	SOONI_ONLY_IDLE, /* ... but start no thread where none is idle */
	SOONI_ONE_MORE	 /* also beside those that search */
};

/*
 * Work was published.  A thread that SOONI_CALL_START asks for and that cannot
 * be started is taken back with sooni_park_exit(p, true); its parker is no
 * longer on the stack.
 */
enum sooni_called sooni_park_call(struct sooni_park *p, enum sooni_urge urge,
				  struct sooni_parker **k);

/*
 * The same for ANYBODY, if nobody was called, began or ceased to run or to search
 * since sooni_park_glance() gave `seen`; else LATE.  So what the caller saw in
 * between still holds.
 */
enum sooni_called sooni_park_call_seen(struct sooni_park *p, uint64_t seen,
				       struct sooni_parker **k);

/* Call every idle worker, when the pool ends. */
void sooni_park_call_all(struct sooni_park *p);

/* The worker begins to search. */
void sooni_park_search(struct sooni_park *p);

/* It found something.  Whether it was the last: then, if there is more work, it
 * calls the next. */
bool sooni_park_found(struct sooni_park *p);

/*
 * Go idle: on the stack, no longer running nor, if it did, searching.  After
 * this the worker looks at all queues once more.
 */
void sooni_park_announce(struct sooni_park *p, struct sooni_parker *k,
			 bool searching);

/* Whether more run than may; a glance. */
bool sooni_park_is_over(struct sooni_park *p);

/*
 * Go idle if more run than may.  Needs no further look: as many as may run are
 * running.
 */
bool sooni_park_surplus(struct sooni_park *p, struct sooni_parker *k);

/*
 * Sleep until called: 0, and the worker is running and searching; or ETIMEDOUT.
 */
int sooni_park_wait(struct sooni_parker *k, int64_t deadline);

/* Look for a moment whether it is being called, before it sleeps. */
void sooni_park_look(struct sooni_parker *k);

/*
 * After ETIMEDOUT: the thread ends and leaves its parker on the stack without
 * one.  False: it was called meanwhile.
 */
bool sooni_park_leave(struct sooni_parker *k);

/* A worker ends while running, and searching or not. */
void sooni_park_exit(struct sooni_park *p, bool searching);

/*
 * A worker blocks in its job, and so no longer runs; and runs again, at once,
 * however many do.  counted: it still counts against `most`.
 */
void sooni_park_block(struct sooni_park *p, bool counted);
void sooni_park_unblock(struct sooni_park *p, bool counted);

/* A blocked worker no longer counts against `most`, or counts again. */
void sooni_park_uncount(struct sooni_park *p);
void sooni_park_recount(struct sooni_park *p);

/* How many may run from now on.  A rise is followed by calls. */
void sooni_park_set_limit(struct sooni_park *p, uint32_t limit);

static inline uint32_t sooni_park_limit(struct sooni_park *p)
{
	/* relaxed: see room() in park.c. */
	return atomic_load_explicit(&p->limit, memory_order_relaxed);
}

/* How many run, search, and are blocked but counted against `most`; a glance. */
struct sooni_park_view {
	uint32_t running;
	uint32_t searching; /* of these */
	uint32_t blocked;
};
struct sooni_park_view sooni_park_view(struct sooni_park *p);

/* Whether as many run as may, but not as many as could with a higher limit. */
bool sooni_park_could_grow(struct sooni_park *p);

#endif
