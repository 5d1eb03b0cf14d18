/*
 * future.c - how a future gets done: see job.h for the drawing of its states and
 * doc/protocols.md for the proofs.
 */
#include "job.h"

#include "error.h"
#include "os.h"
#include "slab.h"
#include "tell.h"
#include "thread.h"
#include "waiter.h"

#include <soon/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void sooni_home_leave(struct sooni_home *home)
{
	/* release: all that the guest did comes before the executor's end.
	 * Pairs with await_count() in crew.c. */
	uint32_t old = atomic_fetch_sub_explicit(&home->guests, 2,
						 memory_order_acq_rel);

	/* *home may be gone: only its address is used. */
	if ((old & ~SOONI_SLEEPERS) == 2)
		sooni_wake(&home->guests, old);
}

/* Somebody has the job in hand whom its executor would not wait for. */
static bool with_guest(uint32_t s)
{
	return s & SOONI_BUSY || (s & (SOONI_RUNNING | SOONI_GUEST)) ==
					 (SOONI_RUNNING | SOONI_GUEST);
}

/*
 * The entry kept the executor from ending.  If a guest still has the job, the
 * guest is counted in its stead, before the entry is dropped.
 */
void sooni_future_drop_entry(struct soon_future *f)
{
	struct sooni_home *home = f->home;
	/* relaxed: the compare-and-swap judges it. */
	uint32_t s = atomic_load_explicit(&f->state, memory_order_relaxed);
	uint32_t next;

	sooni_count(&home->counts, SOONI_DROPPED);
	for (;;) {
		bool counted = with_guest(s);

		next = (s & ~(uint32_t)SOONI_QUEUED) |
		       (counted ? SOONI_COUNTED : 0);
		/* relaxed: the guest reads COUNTED first. */
		if (counted)
			atomic_fetch_add_explicit(&home->guests, 2,
						  memory_order_relaxed);
		/* acq_rel: as for any reference that goes. */
		if (atomic_compare_exchange_weak_explicit(&f->state, &s, next,
							  memory_order_acq_rel,
							  memory_order_relaxed))
			break;
		if (counted)
			sooni_home_leave(home);
	}
	if (sooni_is_garbage(next))
		sooni_future_destroy(f);
}

bool sooni_future_enqueue(struct soon_future *f, struct sooni_home *home)
{
	uint32_t s = sooni_waiters_lock(f);

	if (s & SOONI_DONE)
		return false;
	f->home = home;
	/* release: home, to whoever claims it from now on.  Pairs with the
	 * acquire in sooni_state().  Who makes it done waits for the lock. */
	atomic_fetch_or_explicit(&f->state, SOONI_QUEUED, memory_order_acq_rel);
	sooni_waiters_unlock(f, s);
	return true;
}

struct sooni_home *sooni_future_visit(struct soon_future *f)
{
	struct soon_future *job = sooni_original(f);
	uint32_t s = sooni_waiters_lock(job);
	struct sooni_home *home;

	if (s & SOONI_DONE)
		return NULL;
	home = job->home;
	/* relaxed: the job gets done after the unlock, and its executor's end
	 * waits for that. */
	if (home != NULL)
		atomic_fetch_add_explicit(&home->guests, 2,
					  memory_order_relaxed);
	sooni_waiters_unlock(job, s);
	return home;
}

void sooni_future_place(struct soon_future *f)
{
	/* relaxed: the compare-and-swap judges it. */
	uint32_t s = atomic_load_explicit(&f->state, memory_order_relaxed);

	/* First: whoever claims it may give it back at once. */
	sooni_room_overfill(&f->home->room, 1);
	while (!(s & (SOONI_RUNNING | SOONI_DONE))) {
		/* acq_rel: as for every change of a pending job. */
		if (atomic_compare_exchange_weak_explicit(
			    &f->state, &s, s | SOONI_PLACED,
			    memory_order_acq_rel, memory_order_relaxed))
			return;
	}
	sooni_room_leave(&f->home->room, 1);
}

/*
 * Make f done, unless it is, or is in a state with `unless`.  Returns the state
 * replaced, or that one; *next is the new one.  The list of waiters is not
 * locked at that moment: from then on it belongs to the caller, if *next is
 * BUSY.
 */
sooni_inline uint32_t become_done(struct soon_future *f, uint32_t outcome,
				  uint32_t unless, uint32_t *next)
{
	/* relaxed: the compare-and-swap judges it. */
	uint32_t s = atomic_load_explicit(&f->state, memory_order_relaxed);
	uint32_t placed = unless & SOONI_RUNNING ? SOONI_PLACED : 0;
	uint32_t gone = SOONI_RUNNING | SOONI_SLEEPERS | placed;

	while (!(s & (SOONI_DONE | unless))) {
		if (sooni_unlikely(s & SOONI_LOCKED)) {
			s = sooni_waiters_unlocked(f);
			continue;
		}
		*next = (s & ~gone) | outcome;
		/* placed: home must be there until the place is given back. */
		if (s & (SOONI_WAITED | SOONI_GUEST | placed))
			*next |= SOONI_BUSY;
		/* release: the result.  acquire: the list of waiters.  Pairs
		 * with sooni_state(), sooni_sleep() and unlock(). */
		if (atomic_compare_exchange_weak_explicit(&f->state, &s, *next,
							  memory_order_acq_rel,
							  memory_order_relaxed))
			break;
	}
	return s;
}

bool sooni_future_settle(struct soon_future *f, uint32_t outcome)
{
	uint32_t next = 0;
	uint32_t s = become_done(f, outcome, 0, &next);

	if (s & SOONI_DONE)
		return false;
	/*
	 * A waiter may see DONE, return and drop the last reference before the
	 * next line.  It uses the address only, and there is a future at this
	 * address for ever: see slab.h.
	 */
	sooni_wake(&f->state, s);
	if (next & SOONI_BUSY)
		sooni_tell(f, NULL);
	else if (sooni_is_garbage(next))
		sooni_future_destroy(f);
	return true;
}

bool sooni_future_fail(struct soon_future *f, int code, char *message)
{
	uint32_t outcome = SOONI_DONE | SOONI_FAILED;
	struct sooni_side *side;

	/* A text that has the code in it must live as long as the future. */
	if (message == NULL && sooni_error_text(code) == NULL)
		message = strdup(soon_strerror(code));
	side = message != NULL ? sooni_future_side(f) : NULL;
	if (side != NULL)
		side->message = message;
	else
		free(message);
	f->result = (void *)(intptr_t)code;
	/* BUSY until it knows whom to tell if nobody reads that; and see tell.h. */
	if (sooni_is_marked(f, SOONI_COMPOSED) ||
	    (f->home != NULL && f->home->unread != NULL))
		outcome |= SOONI_BUSY;
	return sooni_future_settle(f, outcome);
}

void sooni_future_fail_like(struct soon_future *f, struct soon_future *other)
{
	int code = sooni_error(other);
	struct sooni_side *side = sooni_side(other);
	char *message = NULL;

	if (!(sooni_state(other) & SOONI_CANCELLED) && side != NULL &&
	    side->message != NULL)
		message = strdup(side->message);
	sooni_future_fail(f, code, message);
}

void sooni_future_stop_clock(struct soon_future *f)
{
	sooni_side(f)->timing->stop(f);
}

/* A job is done without having run; its executor is still there.  s: the state it
 * was in. */
static void count_idle_end(struct soon_future *f, uint32_t s, uint32_t outcome)
{
	struct sooni_counts *counts = &f->home->counts;

	if (outcome & SOONI_CANCELLED) {
		sooni_count(counts, SOONI_WERE_CANCELLED);
	} else {
		sooni_count(counts, SOONI_HAVE_FAILED);
		sooni_count(counts, SOONI_EXPIRED);
	}
	if (s & SOONI_QUEUED)
		sooni_count(counts, SOONI_STALE);
}

/* As sooni_future_cancel_idle(), with another outcome. */
static uint32_t end_idle(struct soon_future *f, uint32_t outcome)
{
	bool timed = sooni_is_marked(f, SOONI_TIMED);
	struct sooni_side *side = sooni_side(f);
	void (*free_arg)(void *) = side != NULL ? side->free_arg : NULL;
	uint32_t next = 0;
	uint32_t s;

	/* BUSY also for a job without any of it, so that its executor exists
	 * while this is counted. */
	if (!sooni_is_marked(f, SOONI_PROMISE))
		outcome |= SOONI_BUSY;
	s = become_done(f, outcome, SOONI_RUNNING, &next);
	if (s & (SOONI_DONE | SOONI_RUNNING))
		return s;
	if (f->home != NULL)
		count_idle_end(f, s, outcome);
	if (sooni_unlikely(sooni_is_marked(f, SOONI_LIMITED)))
		/* What is LIMITED has a side. */
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		sooni_limit_stop(side->limit);
	sooni_wake(&f->state, s);
	if (sooni_unlikely(s & SOONI_PLACED))
		sooni_room_leave(&f->home->room, 1);
	if (sooni_unlikely(timed))
		sooni_future_stop_clock(f);
	if (next & SOONI_BUSY)
		sooni_tell(f, free_arg);
	return s;
}

uint32_t sooni_future_cancel_idle(struct soon_future *f)
{
	return end_idle(f, SOONI_DONE | SOONI_CANCELLED | SOONI_ASKED);
}

void sooni_future_fail_idle(struct soon_future *f, int code)
{
	/* Whoever claims or cancels it instead waits for the caller before he
	 * goes on, and nobody reads the result of a cancelled one. */
	f->result = (void *)(intptr_t)code;
	end_idle(f, SOONI_DONE | SOONI_FAILED);
}

void sooni_future_expire(struct soon_future *f)
{
	sooni_future_fail_idle(f, ETIMEDOUT);
}

int soon_future_cancel(soon_future *f)
{
	uint32_t s;

	if (f == NULL)
		return EINVAL;
	s = sooni_future_cancel_idle(f);
	if (!(s & SOONI_DONE) && s & SOONI_RUNNING)
		s = sooni_future_ask(f);
	if (s & SOONI_DONE)
		return s & SOONI_CANCELLED ? 0 : EALREADY;
	return s & SOONI_RUNNING ? EBUSY : 0;
}
