/*
 * waiter.h - the one list on which everything that waits for a future hangs:
 * callbacks, waits for several, sets.
 *
 * A waiter is embedded in what it belongs to.  It is fired exactly once, or
 * removed; never both.
 */
#ifndef SOONI_WAITER_H
#define SOONI_WAITER_H

#include "job.h"
#include "list.h"

#include <stdbool.h>

struct sooni_waiter {
	struct sooni_link link;
	/*
	 * Called once when f is done, on the thread that made it so, without
	 * locks.  `user` waiters run the user's code, after all others, in the
	 * order in which they stand; the others do not block, and *w
	 * may be gone once they have told its owner.
	 */
	void (*fire)(struct sooni_waiter *w, struct soon_future *f);
	bool user;
	bool composed; /* one of another future: a child of fork forgets it */
};

/* Hang w on f.  False: f is done, and w was neither added nor fired. */
bool sooni_waiter_add(struct soon_future *f, struct sooni_waiter *w);

/* The same, before all others. */
bool sooni_waiter_add_first(struct soon_future *f, struct sooni_waiter *w);

/* Hang w on f, which nobody else has seen yet. */
static inline void sooni_waiter_add_new(struct soon_future *f,
					struct sooni_waiter *w)
{
	sooni_list_append(&f->waiters, &w->link);
	/* relaxed: nobody else has seen it. */
	atomic_fetch_or_explicit(&f->state, SOONI_WAITED, memory_order_relaxed);
}

/* Take w off.  False: f is done, and w was fired or will be presently. */
bool sooni_waiter_remove(struct soon_future *f, struct sooni_waiter *w);

/*
 * In fire(), of one of the library's: have w fired once more, as the first of the
 * user's that are left.
 */
void sooni_waiter_fire_again(struct soon_future *f, struct sooni_waiter *w);

/*
 * For whoever made f done: fire the library's own, and return the user's, to be
 * fired next.
 */
struct sooni_link *sooni_waiters_fire(struct soon_future *f);
void sooni_waiters_fire_users(struct soon_future *f, struct sooni_link *users);

/*
 * Lock the list of f, which cannot get done until it is unlocked: soon.  Returns
 * the state that was locked, for the unlock, or one that is done: then it was
 * not.
 */
uint32_t sooni_waiters_lock(struct soon_future *f);
void sooni_waiters_unlock(struct soon_future *f, uint32_t s);

/*
 * In a child of fork: f is done, and who was to tell its waiters is not there.
 * Fire the library's own; the user's are dropped.
 */
void sooni_waiters_after_fork(struct soon_future *f);

/* Wait until the list of f is not locked; returns its state. */
uint32_t sooni_waiters_unlocked(struct soon_future *f);

#endif
