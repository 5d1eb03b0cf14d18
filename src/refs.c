/*
 * refs.c - who holds a future, and its end.
 */
#include "job.h"

#include "tell.h"
#include "thread.h"

#include <stdlib.h>

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

/* The end */

static void release(struct soon_future *f)
{
	struct sooni_side *side = sooni_side(f);

	if (side != NULL) {
		if (sooni_is_marked(f, SOONI_COMPOSED) &&
		    sooni_composed(f)->release != NULL)
			sooni_composed(f)->release(f);
		/* relaxed: nobody else can look. */
		sooni_cancel_free(atomic_load_explicit(&side->cancel,
						       memory_order_relaxed));
		sooni_limit_free(side->limit);
		free(side->message);
		free(side->timing);
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

/* Runs the user's code. */
static void call_free_result(struct soon_future *f, void (*free_result)(void *))
{
	int old = sooni_uncancellable_begin();
	bool paused = sooni_relay_pause();

	sooni_before_user();
	free_result(f->result);
	sooni_relay_resume(paused);
	sooni_uncancellable_end(old);
}

void sooni_future_end(struct soon_future *f)
{
	struct sooni_side *side = sooni_side(f);
	/* relaxed, here and below: see above. */
	uint32_t s = atomic_load_explicit(&f->state, memory_order_relaxed);

	if (sooni_unlikely(s & SOONI_FAILED) && sooni_unread_report(f))
		return;
	if (sooni_unlikely(side != NULL)) {
		void (*free_result)(void *) = atomic_load_explicit(
			&side->free_result, memory_order_relaxed);
		uint32_t marks =
			atomic_load_explicit(&f->marks, memory_order_relaxed);

		if (free_result != NULL && f->result != NULL &&
		    !(s & (SOONI_FAILED | SOONI_CANCELLED)) &&
		    !(marks & SOONI_TAKEN))
			call_free_result(f, free_result);
	}
	release(f);
}

void sooni_future_destroy(struct soon_future *f)
{
	/* What it holds may end with it, and what that holds, and so on. */
	if (sooni_unlikely(sooni_side(f) != NULL) &&
	    sooni_is_marked(f, SOONI_COMPOSED))
		sooni_relay_bury(f);
	else
		sooni_future_end(f);
}

/* References */

/*
 * There are too many: from now on f is kept for ever rather than freed under
 * somebody.  The count is put so far up that those who drop references at this
 * moment cannot bring it down again, and then left alone.  It is set, not raised:
 * after some of these have dropped theirs, others may come here too.
 */
static void keep_for_ever(struct soon_future *f, uint32_t s)
{
	uint32_t next;

	/* relaxed, both: as in soon_future_ref(). */
	do
		next = (s & (SOONI_REF - 1)) |
		       SOONI_REF * (SOONI_MOST_REFS / 2 * 3);
	while (!atomic_compare_exchange_weak_explicit(&f->state, &s, next,
						      memory_order_relaxed,
						      memory_order_relaxed));
}

soon_future *soon_future_ref(soon_future *f)
{
	uint32_t s;

	if (f == NULL)
		return NULL;
	/* relaxed: the caller reaches f by something that keeps it alive. */
	s = atomic_fetch_add_explicit(&f->state, SOONI_REF,
				      memory_order_relaxed);
	if (sooni_unlikely(sooni_refs(s) >= SOONI_MOST_REFS - 1))
		keep_for_ever(f, s + SOONI_REF);
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

/* One of a job that may have been written off. */
static uint32_t unref_limited(struct soon_future *f)
{
	uint32_t lost = SOONI_DONE | SOONI_FAILED;
	uint32_t s = sooni_state(f);

	do {
		if (sooni_refs(s) == 2 && (s & (lost | SOONI_BUSY)) == lost &&
		    sooni_is_marked(f, SOONI_HELD))
			sooni_unread_report_held(f);
		/* acq_rel: as in soon_future_unref().  acquire: the same as in
		 * sooni_state(). */
	} while (!atomic_compare_exchange_weak_explicit(
		&f->state, &s, s - SOONI_REF, memory_order_acq_rel,
		memory_order_acquire));
	return s;
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
		sooni_future_destroy(f);
		return;
	}
	if (sooni_unlikely(sooni_refs(s) >= SOONI_MOST_REFS))
		return;
	if (f->fn == NULL && !(s & SOONI_DONE))
		s = unref_promise(f);
	else if (sooni_unlikely(sooni_is_marked(f, SOONI_LIMITED)))
		s = unref_limited(f);
	else
		/* acq_rel: what others did with f comes before its end.  Pairs
		 * with itself and with the other changes of state. */
		s = atomic_fetch_sub_explicit(&f->state, SOONI_REF,
					      memory_order_acq_rel);
	if (sooni_is_garbage(s - SOONI_REF))
		sooni_future_destroy(f);
}
