/*
 * job.h - the 64 bytes that are a job, its closure and its future.
 *
 * Life of soon_future.state, the only word its threads agree on; every change
 * is a read-modify-write.
 *
 *	(none) ----claim----> RUNNING ----settle----> DONE [| FAILED]
 *	   |
 *	   +------------------cancel----------------> DONE | CANCELLED
 *
 * A claim is a compare-and-swap that worker, waiter and canceller race for;
 * losers leave.  A queue entry is only a hint that there may be a job to claim.
 *
 * The block is freed by whoever makes this true: DONE, and none of QUEUED, BUSY
 * and references.  As all of these are in one word, exactly one thread does,
 * and after its own last change of the word nobody else touches the block.
 */
#ifndef SOONI_JOB_H
#define SOONI_JOB_H

#include "compiler.h"
#include "list.h"
#include "slab.h"
#include "sleep.h"

#include <errno.h>
#include <soon/executor.h>
#include <soon/future.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The bits of state. */
enum {
	/* Bit 0 is SOONI_SLEEPERS: somebody may sleep on the word. */
	SOONI_RUNNING = 1 << 1,	  /* claimed; its claimer will settle it */
	SOONI_DONE = 1 << 2,	  /* the outcome is final */
	SOONI_FAILED = 1 << 3,	  /* with DONE: result holds a code */
	SOONI_CANCELLED = 1 << 4, /* with DONE: it never ran */
	SOONI_QUEUED = 1 << 5,	  /* a queue entry points here */
	SOONI_BUSY = 1 << 6,	  /* with DONE: whoever made it done still tells
				     waiters, and will clear this */
	SOONI_WAITED = 1 << 7,	  /* waiters may be non-empty; until DONE */
	SOONI_LOCKED = 1 << 8,	  /* somebody edits waiters; until DONE */
	SOONI_ASKED = 1 << 9,	  /* cancellation was requested */
	SOONI_GUEST = 1 << 10,	  /* claimed by a thread that its executor does
				     not wait for anyhow */
	SOONI_COUNTED = 1 << 11,  /* that thread is counted in home->guests */
	SOONI_REF_SHIFT = 12	  /* above: how many references there are */
};
#define SOONI_REF (UINT32_C(1) << SOONI_REF_SHIFT)

/* The bits of marks; but for the last they are set once, never cleared. */
enum {
	SOONI_PROMISE = 1, /* no job: completed by hand; from birth */
	SOONI_HELPED = 2,  /* waiting non-workers may run it; from birth */
	SOONI_SETTING = 4, /* promise: somebody has set its outcome */
	SOONI_TAKEN = 8,   /* the result was taken */
	SOONI_MARKED = 16  /* for a moment: see copy_distinct() */
};

/*
 * What a future needs of its executor, which embeds this.  guests counts (by 2,
 * bit 0 being SOONI_SLEEPERS) the jobs of this executor that other threads have
 * in hand after its own queues have let go of them.
 */
struct sooni_home {
	_Atomic uint32_t guests;
	_Atomic bool stopping; /* every job that runs from now on is to stop */
};

/* Rare attributes; made with the future or by whoever needs one first. */
struct sooni_side {
	const char *name;
	void (*free_arg)(void *);
	_Atomic(void (*)(void *)) free_result;
	char *message; /* written before DONE by whoever settles */
};

struct soon_future {
	alignas(64) _Atomic uint32_t state;
	_Atomic uint32_t marks;
	struct sooni_link *waiters; /* under LOCKED; with BUSY its owner's */
	soon_fn *fn;		    /* r/o; NULL: a promise */
	void *arg;		    /* r/o */
	void *result;		    /* before DONE the settler's, then r/o;
				       FAILED: the code */
	struct sooni_home *home;    /* r/o; valid until DONE; NULL: a promise */
	_Atomic(struct sooni_side *) side;
};

_Static_assert(sizeof(struct soon_future) == 64, "a future is a cache line");

static inline uint32_t sooni_refs(uint32_t state)
{
	return state >> SOONI_REF_SHIFT;
}

/* acquire: pairs with the release that made it done; the outcome is visible. */
static inline uint32_t sooni_state(const struct soon_future *f)
{
	return atomic_load_explicit(&f->state, memory_order_acquire);
}

/* What is wrong with one that is done; 0: nothing. */
static inline int sooni_error(const struct soon_future *f)
{
	uint32_t s = sooni_state(f);

	if (sooni_likely(!(s & (SOONI_FAILED | SOONI_CANCELLED))))
		return 0;
	return s & SOONI_CANCELLED ? ECANCELED : (int)(intptr_t)f->result;
}

/* Mark f; whether it was not.  relaxed: under the marker's lock. */
static inline bool sooni_future_mark(struct soon_future *f)
{
	return !(atomic_fetch_or_explicit(&f->marks, SOONI_MARKED,
					  memory_order_relaxed) &
		 SOONI_MARKED);
}

static inline void sooni_future_unmark(struct soon_future *f)
{
	atomic_fetch_and_explicit(&f->marks, ~(uint32_t)SOONI_MARKED,
				  memory_order_relaxed);
}

/* future.c: states and references */

/* A new future in this state; NULL without memory. */
static inline struct soon_future *sooni_future_new(uint32_t state,
						   uint32_t marks)
{
	struct soon_future *f = sooni_slab_alloc();

	if (f == NULL)
		return NULL;
	/* Published by the queue or by whoever hands the future on. */
	atomic_init(&f->state, state);
	atomic_init(&f->marks, marks);
	atomic_init(&f->side, NULL);
	f->waiters = NULL;
	f->result = NULL;
	return f;
}

/* Free one that nobody else has seen. */
void sooni_future_discard(struct soon_future *f);

/*
 * forked.c: in a child of fork, for every block: fail the jobs that are not done, and free
 * what is left of what other threads were doing with a future.
 */
void sooni_future_after_fork(void *block);

/*
 * Claim the job: true for exactly one caller, who must run or fail it.  entry:
 * the caller has taken the job's queue entry, which a true answer uses up.
 */
static inline bool sooni_future_claim(struct soon_future *f, bool entry,
				      bool guest)
{
	/* relaxed: the compare-and-swap judges it. */
	uint32_t s = atomic_load_explicit(&f->state, memory_order_relaxed);
	uint32_t less = entry ? SOONI_QUEUED : 0;
	uint32_t more = SOONI_RUNNING | (guest ? SOONI_GUEST : 0);

	while (!(s & (SOONI_RUNNING | SOONI_DONE))) {
		/* acquire: a waiter has not read fn and arg through a queue.
		 * Pairs with the release of whatever handed f to it. */
		if (atomic_compare_exchange_weak_explicit(
			    &f->state, &s, (s & ~less) | more,
			    memory_order_acq_rel, memory_order_relaxed))
			return true;
	}
	return false;
}

/* A queue entry was taken whose job had been claimed or cancelled. */
void sooni_future_drop_entry(struct soon_future *f);

/*
 * Settle what the caller claimed, with f->result already written: outcome is
 * SOONI_DONE, or that with SOONI_FAILED.  False if it was done before, which
 * only a promise can be.
 */
bool sooni_future_settle(struct soon_future *f, uint32_t outcome);

/* promise.c: the last reference to an unfinished promise goes. */
void sooni_promise_drop(struct soon_future *f);

/* As sooni_future_settle(), a failure; takes over message, which may be NULL.*/
bool sooni_future_fail(struct soon_future *f, int code, char *message);

/* Cancel it unless it runs or is done; returns the state it was in. */
uint32_t sooni_future_cancel_idle(struct soon_future *f);

/* Ask the job to stop; returns the state in which it was asked. */
uint32_t sooni_future_ask(struct soon_future *f);

/* Whether the job that the caller runs has been asked to stop. */
bool sooni_is_asked(struct soon_future *f);

/* One guest fewer. */
void sooni_home_leave(struct sooni_home *home);

/* The side block, made if need be; NULL without memory. */
struct sooni_side *sooni_future_side(struct soon_future *f);

/* acquire: pairs with the release in sooni_future_side(). */
static inline struct sooni_side *sooni_side(const struct soon_future *f)
{
	return atomic_load_explicit(&f->side, memory_order_acquire);
}

/* run.c: running jobs */

/* What a job's function came to. */
struct sooni_outcome {
	int code;      /* 0: success, with the result in the future; or
			  SOONI_FORKED */
	char *message; /* of a failure; may be NULL */
};

/* The job forked, and this is the child: nothing more is to be done with it, and
 * the thread ends. */
enum { SOONI_FORKED = -1 };

/* Run the job that the caller claimed, on the caller's stack. */
struct sooni_outcome sooni_job_call(struct soon_future *f);

/* Then settle it. */
void sooni_job_settle(struct soon_future *f, struct sooni_outcome outcome);

/* Both. */
void sooni_job_run(struct soon_future *f);

/* Both, on a thread that need not be a worker. */
void sooni_guest_run(struct soon_future *f);

/* Fail the job that the caller claimed, without running it. */
void sooni_job_fail(struct soon_future *f, int code);

/* await.c */

/* Wait for f: 0, ETIMEDOUT, EDEADLK. */
int sooni_await(struct soon_future *f, int64_t deadline);

/*
 * If the caller may run f on its own stack while it waits, and f has not
 * started, do so.
 */
bool sooni_run_awaited(struct soon_future *f);

#endif
