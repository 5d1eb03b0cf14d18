/*
 * job.h - the 64 bytes that are a job, its closure and its future.
 *
 * Life of soon_future.state, the only word its threads agree on; every change
 * is a read-modify-write.
 *
 *	(none) ----claim----> RUNNING ----settle----> DONE [| FAILED]
 *	   |
 *	   +------------------cancel----------------> DONE | CANCELLED
 *	   +------------------expire----------------> DONE | FAILED
 *
 * A claim is a compare-and-swap that worker, waiter, canceller and clock race
 * for; losers leave.  A queue entry is only a hint that there may be a job to claim.
 *
 * The block is freed by whoever makes this true: DONE, and none of QUEUED, BUSY
 * and references.  As all of these are in one word, exactly one thread does,
 * and after its own last change of the word nobody else touches the block.
 */
#ifndef SOONI_JOB_H
#define SOONI_JOB_H

#include "compiler.h"
#include "count.h"
#include "list.h"
#include "room.h"
#include "slab.h"
#include "sleep.h"
#include "timer.h"

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
	/* The same bit before that: it waits to start, and has a place in
	 * home->room; until claimed or DONE. */
	SOONI_PLACED = SOONI_COUNTED,
	SOONI_REF_SHIFT = 12, /* above: how many references there are */
	/* With so many it is kept for ever: half of what there is room for. */
	SOONI_MOST_REFS = 1 << (31 - SOONI_REF_SHIFT)
};
#define SOONI_REF (UINT32_C(1) << SOONI_REF_SHIFT)

/* The bits of marks; but for MARKED, HELD and EARLY set once, never cleared. */
enum {
	SOONI_PROMISE = 1,    /* no job: completed by hand; from birth */
	SOONI_HELPED = 2,     /* waiting non-workers may run it; from birth */
	SOONI_SETTING = 4,    /* promise, LIMITED: somebody settles it */
	SOONI_TAKEN = 8,      /* the result was taken */
	SOONI_MARKED = 16,    /* for a moment: see copy_distinct() */
	SOONI_LIMITED = 32,   /* it may run only so long: limit.c; from birth */
	SOONI_HELD = 64,      /* LIMITED: it runs, and has a reference */
	SOONI_READ = 128,     /* somebody has seen the failure, or never will */
	SOONI_TIMED = 256,    /* it has a timing; from birth */
	SOONI_EARLY = 512,    /* it is not due yet; cleared by the clock */
	SOONI_COMPOSED = 1024 /* it has what tell.h says; from birth */
};

/*
 * What a future needs of its executor, which embeds this.  guests counts (by 2,
 * bit 0 being SOONI_SLEEPERS) what the executor's end waits for beside its own
 * threads: jobs that others have in hand after its queues have let go of them,
 * jobs not due yet or with a limit, submitters that wait, shutdowns.
 */
struct sooni_home {
	struct sooni_room room; /* for jobs that wait to start */
	_Atomic uint32_t guests;
	_Atomic bool stopping; /* every job that runs from now on is to stop */
	_Atomic uint32_t written_off; /* threads, not back yet: see lost.c */
	struct sooni_link *lost;      /* these; under a lock of lost.c */
	struct sooni_unread *unread;  /* r/o; NULL: nobody asks for them */
	struct sooni_counts counts;   /* of those who are no workers of it */
};

struct sooni_cancel;
/*
 * What the clock has to do with a job: see delay.c.  Until the job is due this is
 * its queue entry.
 */
struct sooni_timing {
	struct sooni_timer timer;
	struct soon_future *job;
	int64_t due;	 /* 0: at once */
	int64_t expires; /* unless it has started; INT64_MAX: never */
	int priority;
	/* The job was claimed, or is done without; waits for the clock to be
	 * through with it. */
	void (*stop)(struct soon_future *f);
	struct sooni_link link; /* under the lock of its executor's list */
	bool is_early;		/* the same: it is in that list */
};

/* Rare attributes; made with the future or by whoever needs one first. */
struct sooni_side {
	const char *name;
	uintptr_t shown; /* the function that dumps tell; 0: fn */
	void (*free_arg)(void *);
	_Atomic(void (*)(void *)) free_result;
	char *message; /* written before DONE by whoever settles */
	_Atomic(struct sooni_cancel *) cancel; /* the running job makes it */
	struct sooni_timing *timing;	       /* r/o; if TIMED */
	struct sooni_limit *limit;	       /* r/o; NULL: not LIMITED */
};

struct soon_future {
	alignas(64) _Atomic uint32_t state;
	_Atomic uint32_t marks;
	union {
		/* under LOCKED; with BUSY its owner's */
		struct sooni_link *waiters;
		/* then, of one that failed: whom to tell, or NULL */
		struct sooni_unread *unread;
	};
	soon_fn *fn;		 /* r/o; NULL: a promise */
	void *arg;		 /* r/o */
	void *result;		 /* before DONE the settler's, then r/o;
				       FAILED: the code */
	struct sooni_home *home; /* r/o once QUEUED; valid until DONE; NULL: a
				    promise, or it was never queued */
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

/* unread.c: failures that nobody has looked at */

/* The block of an executor that wants to hear of them; NULL without memory. */
struct sooni_unread *sooni_unread_new(void (*call)(soon_future *f, void *ctx),
				      void *ctx);
void sooni_unread_drop(struct sooni_unread *u);

/* f has failed, and is BUSY by the caller: from now on it knows whom to tell. */
void sooni_unread_hold(struct soon_future *f);

/* The failure of f, now or later, is known to whoever would look. */
void sooni_future_read(struct soon_future *f);

/*
 * f, which failed, ends.  True: somebody was told, and f is no longer the
 * caller's.
 */
bool sooni_unread_report(struct soon_future *f);

/* The caller has the last reference to f, which failed, but for that of its job,
 * which was written off. */
void sooni_unread_report_held(struct soon_future *f);

/* What is wrong with one that is done, for one who reads it; 0: nothing. */
static inline int sooni_error(struct soon_future *f)
{
	uint32_t s = sooni_state(f);

	if (sooni_likely(!(s & (SOONI_FAILED | SOONI_CANCELLED))))
		return 0;
	if (s & SOONI_CANCELLED)
		return ECANCELED;
	sooni_future_read(f);
	return (int)(intptr_t)f->result;
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

/* refs.c: making and freeing them */

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

/*
 * Where several would settle f: whether the caller is the one, and must do so.
 * relaxed: settling orders the rest.
 */
static inline bool sooni_future_begin_settling(struct soon_future *f)
{
	return !(atomic_fetch_or_explicit(&f->marks, SOONI_SETTING,
					  memory_order_relaxed) &
		 SOONI_SETTING);
}

/* The side block, made if need be; NULL without memory. */
struct sooni_side *sooni_future_side(struct soon_future *f);

/* acquire: pairs with the release in sooni_future_side(). */
static inline struct sooni_side *sooni_side(const struct soon_future *f)
{
	return atomic_load_explicit(&f->side, memory_order_acquire);
}

/* Free one that nobody else has seen. */
void sooni_future_discard(struct soon_future *f);

/* Whether nobody can look at it any more. */
static inline bool sooni_is_garbage(uint32_t state)
{
	return (state & (SOONI_DONE | SOONI_QUEUED | SOONI_BUSY)) ==
		       SOONI_DONE &&
	       sooni_refs(state) == 0;
}

/* The caller has made it garbage. */
void sooni_future_destroy(struct soon_future *f);

static inline bool sooni_is_marked(const struct soon_future *f, uint32_t mark)
{
	/* relaxed: for what is there from birth, and hints. */
	return atomic_load_explicit(&f->marks, memory_order_relaxed) & mark;
}

/* A timed job was claimed, or is done without and BUSY: no timer of its is left,
 * and the clock does not touch it any more. */
void sooni_future_stop_clock(struct soon_future *f);

/*
 * forked.c: in a child of fork, for every block: fail the jobs that are not done,
 * and free what is left of what other threads were doing with a future.
 */
void sooni_future_after_fork(void *block);

/* future.c: from claimed to done */

/*
 * Claim the job: true for exactly one caller, who must run or fail it.  entry:
 * the caller has taken the job's queue entry, which a true answer uses up.  The
 * executor is still there afterwards: it waits for the claimer, or for the guest,
 * which is counted before the entry that it has left is dropped.
 */
static inline bool sooni_future_claim(struct soon_future *f, bool entry,
				      bool guest)
{
	/* relaxed: the compare-and-swap judges it. */
	uint32_t s = atomic_load_explicit(&f->state, memory_order_relaxed);
	uint32_t less = SOONI_PLACED | (entry ? SOONI_QUEUED : 0);
	uint32_t more = SOONI_RUNNING | (guest ? SOONI_GUEST : 0);

	while (!(s & (SOONI_RUNNING | SOONI_DONE))) {
		/* acquire: a waiter has not read fn and arg through a queue.
		 * Pairs with the release of whatever handed f to it. */
		if (atomic_compare_exchange_weak_explicit(
			    &f->state, &s, (s & ~less) | more,
			    memory_order_acq_rel, memory_order_relaxed)) {
			if (sooni_unlikely(s & SOONI_PLACED))
				sooni_room_leave(&f->home->room, 1);
			if (sooni_unlikely(sooni_is_marked(f, SOONI_TIMED)))
				sooni_future_stop_clock(f);
			return true;
		}
	}
	return false;
}

/*
 * For a job that does not wait to start from the beginning, as it is delayed: it
 * takes a place before it is queued, even if none is free.
 */
void sooni_future_place(struct soon_future *f);

/* One that nobody else has seen yet does not wait to start: it has no place. */
static inline void sooni_future_unplace(struct soon_future *f)
{
	/* relaxed: nobody else has seen it. */
	atomic_fetch_and_explicit(&f->state, ~(uint32_t)SOONI_PLACED,
				  memory_order_relaxed);
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

/* As sooni_future_settle(), a failure; takes over message, which may be NULL. */
bool sooni_future_fail(struct soon_future *f, int code, char *message);

/* Cancel it unless it runs or is done; returns the state it was in. */
uint32_t sooni_future_cancel_idle(struct soon_future *f);

/* Fail it with ETIMEDOUT unless it runs or is done. */
void sooni_future_expire(struct soon_future *f);

/* Whether the job that the caller runs has been asked to stop. */
bool sooni_is_asked(struct soon_future *f);

/* One guest fewer. */
void sooni_home_leave(struct sooni_home *home);

/* cancel.c: asking running jobs to stop */

/*
 * Ask the job to stop; returns the state in which it was asked.  Who asks first
 * runs its hooks: so the caller holds no lock, and holds a reference or the
 * queue entry, unless it runs the job itself.
 */
uint32_t sooni_future_ask(struct soon_future *f);

/*
 * The same, for a caller that may run no hooks now: they are put on the list
 * *later, for sooni_cancel_deliver().  The job cannot end meanwhile.
 */
void sooni_future_ask_later(struct soon_future *f, struct sooni_cancel **later);
void sooni_cancel_deliver(struct sooni_cancel *later);

/* The job is over, on the calling thread: no hook of it runs from now on. */
void sooni_cancel_end(struct sooni_cancel *c);

void sooni_cancel_free(struct sooni_cancel *c);

/* limit.c: see limit.h */

/* The job's function is about to be called. */
void sooni_limit_start(struct sooni_limit *l);
/* The job will not run. */
void sooni_limit_stop(struct sooni_limit *l);
/* The future is about to be freed; l may be NULL. */
void sooni_limit_free(struct sooni_limit *l);
/* Run and settle the job on a thread that cannot be written off. */
void sooni_limit_run_here(struct soon_future *f);

/* await.c */

struct sooni_awaited;

/* Wait for f: 0, ETIMEDOUT, EDEADLK. */
int sooni_await(struct soon_future *f, int64_t deadline);

/* The same, for a thread that needs f as well as others of *a. */
int sooni_await_one_of(struct sooni_awaited *a, struct soon_future *f,
		       int64_t deadline);

/* The caller runs f itself, and would wait for it: EDEADLK, to be told in dumps. */
int sooni_await_refuse(struct soon_future *f);

/*
 * If the caller may run f on its own stack while it waits, and f has not
 * started, do so.
 */
bool sooni_run_awaited(struct soon_future *f);

#endif
