/*
 * forked.c - what a child of fork does with the futures of its parent.
 *
 * The caller is the only thread, so orders of memory do not matter.
 */
#include "job.h"

#include "thread.h"
#include "waiter.h"

#include <soon/error.h>

_Static_assert(offsetof(struct soon_future, waiters) + sizeof(void *) <=
		       SOONI_BLOCK_KEPT,
	       "a free block can be told from a job");

static void set_state(struct soon_future *f, uint32_t state)
{
	atomic_store_explicit(&f->state, state, memory_order_relaxed);
}

/* All but the promise's own state is left as it is. */
static void promise_after_fork(struct soon_future *f, uint32_t s)
{
	uint32_t gone = SOONI_LOCKED | SOONI_WAITED;

	if (s & SOONI_LOCKED) {
		sooni_list_repair(f->waiters);
		set_state(f, (s & ~gone) |
				     (f->waiters != NULL ? SOONI_WAITED : 0));
	}
	/* Who has set this and not gone on is not there. */
	if (atomic_load_explicit(&f->marks, memory_order_relaxed) &
	    SOONI_SETTING)
		atomic_fetch_and_explicit(&f->marks, ~(uint32_t)SOONI_SETTING,
					  memory_order_relaxed);
}

/* The entry is gone; nobody is a guest; and maybe nobody tells its waiters. */
static void done_after_fork(struct soon_future *f, uint32_t s)
{
	uint32_t gone = SOONI_QUEUED | SOONI_COUNTED;
	bool is_mine = sooni_tells(f) || sooni_is_marked(f, SOONI_MARKED);
	bool is_told = s & SOONI_BUSY && !is_mine;

	sooni_future_unmark(f);
	set_state(f, s & ~(gone | (is_told ? SOONI_BUSY : 0)));
	/* Of a failure that is told the list has given way to something else. */
	if (is_told && (f->home == NULL || f->unread != f->home->unread))
		sooni_waiters_after_fork(f);
}

/*
 * A block that is free, or was never used, is done or 0.  One that is just being
 * made may look like anything a future can be; nobody will use it, and its list
 * is empty.  What has no references left is abandoned.
 */
void sooni_future_after_fork(void *block)
{
	struct soon_future *f = block;
	uint32_t s = atomic_load_explicit(&f->state, memory_order_relaxed);
	uint32_t kept = ~(SOONI_REF - 1) | SOONI_ASKED;

	if (s & SOONI_DONE) {
		if (s & (SOONI_QUEUED | SOONI_BUSY | SOONI_COUNTED))
			done_after_fork(f, s);
		return;
	}
	if (s == 0)
		return;
	if (atomic_load_explicit(&f->marks, memory_order_relaxed) &
	    SOONI_PROMISE) {
		promise_after_fork(f, s);
		return;
	}
	f->result = (void *)(intptr_t)SOON_EFORKED;
	set_state(f, (s & kept) | SOONI_DONE | SOONI_FAILED);
	sooni_waiters_after_fork(f);
}
