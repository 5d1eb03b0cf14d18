/*
 * future.c - states and references of a future: see job.h for the drawing and
 * doc/protocols.md for the proofs.
 */
#include "job.h"

#include "error.h"
#include "slab.h"
#include "thread.h"
#include "waiter.h"

#include <soon/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void release(struct soon_future *f)
{
	struct sooni_side *side = sooni_side(f);

	if (side != NULL) {
		free(side->message);
		free(side);
	}
	sooni_slab_free(f);
}

void sooni_future_discard(struct soon_future *f)
{
	/* relaxed: nobody else has seen it.  A child of fork must not take the
	 * free block for a job. */
	atomic_store_explicit(&f->state, 0, memory_order_relaxed);
	sooni_in_order();
	release(f);
}

/*
 * Nobody else can look: the word said DONE without QUEUED, BUSY and references,
 * and whoever made it say so is the caller.
 */
static void destroy(struct soon_future *f)
{
	struct sooni_side *side = sooni_side(f);

	if (sooni_unlikely(side != NULL)) {
		/* relaxed, both: see above. */
		void (*free_result)(void *) = atomic_load_explicit(
			&side->free_result, memory_order_relaxed);
		uint32_t marks =
			atomic_load_explicit(&f->marks, memory_order_relaxed);
		uint32_t s =
			atomic_load_explicit(&f->state, memory_order_relaxed);

		if (free_result != NULL && f->result != NULL &&
		    !(s & (SOONI_FAILED | SOONI_CANCELLED)) &&
		    !(marks & SOONI_TAKEN)) {
			sooni_before_user();
			free_result(f->result);
		}
	}
	release(f);
}

static bool is_garbage(uint32_t s)
{
	return (s & (SOONI_DONE | SOONI_QUEUED | SOONI_BUSY)) == SOONI_DONE &&
	       sooni_refs(s) == 0;
}

struct sooni_side *sooni_future_side(struct soon_future *f)
{
	struct sooni_side *side = sooni_side(f);
	struct sooni_side *made;

	if (side != NULL)
		return side;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return NULL;
	/* release: its zeros.  acquire: another thread's.  Pairs with itself
	 * and with sooni_side(). */
	if (atomic_compare_exchange_strong_explicit(&f->side, &side, made,
						    memory_order_acq_rel,
						    memory_order_acquire))
		return made;
	free(made);
	return side;
}

void sooni_home_leave(struct sooni_home *home)
{
	/* release: all that the guest did comes before the executor's end.
	 * Pairs with the sleep in sooni_crew_join(). */
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
	if (is_garbage(next))
		destroy(f);
}

/*
 * Make f done, unless it is.  Returns the state replaced, with DONE in it if
 * nothing was; *next is the new one.  The list of waiters is not locked at that
 * moment: from then on it belongs to the caller, if *next is BUSY.
 */
sooni_inline uint32_t become_done(struct soon_future *f, uint32_t outcome,
				  uint32_t *next)
{
	/* relaxed: the compare-and-swap judges it. */
	uint32_t s = atomic_load_explicit(&f->state, memory_order_relaxed);
	uint32_t unless = outcome & SOONI_CANCELLED ? SOONI_RUNNING : 0;
	uint32_t gone = SOONI_RUNNING | SOONI_SLEEPERS;

	while (!(s & (SOONI_DONE | unless))) {
		if (sooni_unlikely(s & SOONI_LOCKED)) {
			s = sooni_waiters_unlocked(f);
			continue;
		}
		*next = (s & ~gone) | outcome;
		if (s & (SOONI_WAITED | SOONI_GUEST))
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

/*
 * The rest, for whoever made f done and BUSY.  Those who wait in the library come
 * first: they may not be held up by the user's code.
 */
static void tell(struct soon_future *f, void (*free_arg)(void *))
{
	struct sooni_home *home = f->home;
	struct sooni_telling telling;
	struct sooni_link *users;
	uint32_t s;

	sooni_telling_push(&telling, home);
	telling.future = f;
	users = sooni_waiters_fire(f);
	if (users != NULL || free_arg != NULL)
		sooni_before_user();
	if (free_arg != NULL)
		free_arg(f->arg);
	sooni_waiters_fire_users(f, users);
	/* acq_rel: as for any reference that goes. */
	s = atomic_fetch_and_explicit(&f->state, ~(uint32_t)SOONI_BUSY,
				      memory_order_acq_rel);
	if (is_garbage(s & ~(uint32_t)SOONI_BUSY))
		destroy(f);
	sooni_telling_pop(&telling);
	/* After the destructor, which the executor's end waits for. */
	if (s & SOONI_COUNTED)
		sooni_home_leave(home);
}

bool sooni_future_settle(struct soon_future *f, uint32_t outcome)
{
	uint32_t next = 0;
	uint32_t s = become_done(f, outcome, &next);

	if (s & SOONI_DONE)
		return false;
	/*
	 * A waiter may see DONE, return and drop the last reference before the
	 * next line.  It uses the address only, and there is a future at this
	 * address for ever: see slab.h.
	 */
	sooni_wake(&f->state, s);
	if (next & SOONI_BUSY)
		tell(f, NULL);
	else if (is_garbage(next))
		destroy(f);
	return true;
}

bool sooni_future_fail(struct soon_future *f, int code, char *message)
{
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
	return sooni_future_settle(f, SOONI_DONE | SOONI_FAILED);
}

uint32_t sooni_future_ask(struct soon_future *f)
{
	/* acq_rel: what the canceller did before is visible to the job that
	 * sees the request. */
	uint32_t old = atomic_fetch_or_explicit(&f->state, SOONI_ASKED,
						memory_order_acq_rel);

	if (!(old & SOONI_DONE))
		sooni_wake(&f->state, old); /* it may be in soon_sleep() */
	return old;
}

uint32_t sooni_future_cancel_idle(struct soon_future *f)
{
	uint32_t outcome = SOONI_DONE | SOONI_CANCELLED | SOONI_ASKED;
	struct sooni_side *side = sooni_side(f);
	void (*free_arg)(void *) = side != NULL ? side->free_arg : NULL;
	uint32_t next = 0;
	uint32_t s;

	if (free_arg != NULL)
		outcome |= SOONI_BUSY;
	s = become_done(f, outcome, &next);
	if (s & (SOONI_DONE | SOONI_RUNNING))
		return s;
	sooni_wake(&f->state, s);
	if (next & SOONI_BUSY)
		tell(f, free_arg);
	return s;
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

/*
 * References are counted up to here.  Beyond, a future is kept for ever rather
 * than freed under somebody: the count is put so far up that those who drop
 * references at this moment cannot bring it down again, and then left alone.
 */
enum { MOST_REFS = 1 << 19 };

static void keep_for_ever(struct soon_future *f, uint32_t s)
{
	/* relaxed: as in soon_future_ref(). */
	if (sooni_refs(s) == MOST_REFS - 1)
		atomic_fetch_add_explicit(&f->state,
					  SOONI_REF * (MOST_REFS / 2),
					  memory_order_relaxed);
	else
		atomic_fetch_sub_explicit(&f->state, SOONI_REF,
					  memory_order_relaxed);
}

soon_future *soon_future_ref(soon_future *f)
{
	uint32_t s;

	if (f == NULL)
		return NULL;
	/* relaxed: the caller reaches f by something that keeps it alive. */
	s = atomic_fetch_add_explicit(&f->state, SOONI_REF,
				      memory_order_relaxed);
	if (sooni_unlikely(sooni_refs(s) >= MOST_REFS - 1))
		keep_for_ever(f, s);
	return f;
}

/* An unfinished promise: whoever drops the last reference fails it first. */
static uint32_t unref_promise(struct soon_future *f)
{
	/* relaxed: the compare-and-swap judges it. */
	uint32_t s = atomic_load_explicit(&f->state, memory_order_relaxed);

	for (;;) {
		if (sooni_refs(s) == 1 && !(s & SOONI_DONE)) {
			sooni_promise_drop(f);
			s = sooni_state(f);
		}
		/* acq_rel: as in soon_future_unref(). */
		if (atomic_compare_exchange_weak_explicit(
			    &f->state, &s, s - SOONI_REF, memory_order_acq_rel,
			    memory_order_relaxed))
			return s;
	}
}

void soon_future_unref(soon_future *f)
{
	uint32_t s;

	if (f == NULL)
		return;
	s = sooni_state(f);
	/* The only reference to a future that all else is done with: nobody can
	 * make another meanwhile. */
	if (sooni_likely((s & (SOONI_DONE | SOONI_QUEUED | SOONI_BUSY)) ==
				 SOONI_DONE &&
			 sooni_refs(s) == 1)) {
		destroy(f);
		return;
	}
	if (sooni_unlikely(sooni_refs(s) >= MOST_REFS))
		return;
	if (f->fn == NULL && !(s & SOONI_DONE))
		s = unref_promise(f);
	else
		/* acq_rel: what others did with f comes before its end.  Pairs
		 * with itself and with the other changes of state. */
		s = atomic_fetch_sub_explicit(&f->state, SOONI_REF,
					      memory_order_acq_rel);
	if (is_garbage(s - SOONI_REF))
		destroy(f);
}
