/*
 * set.h - the inside of a set of futures: set.c fills it, completions.c gives
 * back what is done.
 *
 * Each future in the set has a node on its list of waiters.  The thread that
 * completes it pushes the node on the set's ready stack (R. K. Treiber, 1986;
 * takers take the whole stack, so nothing can be on it twice) and, if the stack
 * was empty, raises `events`, on which next() sleeps.  So a burst of completions
 * costs one wake-up, and each completion is O(1) whatever the set's size.
 */
#ifndef SOONI_SET_H
#define SOONI_SET_H

#include "ptrset.h"
#include "waiter.h"

#include <soon/error.h>
#include <soon/wait.h>

struct sooni_set_node {
	struct sooni_waiter waiter;
	struct soon_completions *set;
	soon_future *future;
	struct sooni_set_node
		*next;		/* on the ready stack or in a list of the set */
	struct sooni_link hung; /* in set->hung */
};

struct sooni_set_block {
	struct sooni_set_block *next;
	struct sooni_set_node nodes[];
};

/*
 * Futures that were done when the set was made need no node: they lie in
 * `given`.  Members are looked up only in a set to which more are added; until
 * then there is no table of them.
 */

struct soon_completions {
	/* shared with those who complete the futures */
	alignas(SOONI_APART) _Atomic(struct sooni_set_node *) ready;
	_Atomic uint32_t events; /* by 2; bit 0 is SOONI_SLEEPERS */

	/* under lock */
	alignas(SOONI_APART) pthread_mutex_t lock;
	soon_future **given; /* done from the outset, in order */
	size_t given_next;
	size_t given_end;
	struct sooni_set_node *first; /* done since, in order */
	struct sooni_set_node *last;
	soon_future *returned;	      /* by the latest next() */
	struct sooni_link *hung;      /* nodes not yet taken from ready */
	struct sooni_set_node *free;  /* nodes to be used again */
	struct sooni_set_node *fresh; /* nodes never used */
	struct sooni_set_node *fresh_end;
	struct sooni_set_block *blocks; /* all nodes */
	struct sooni_ptrset members;	/* not yet returned */
	bool has_members;
	uint32_t expected;   /* of events, once all that are under way are in */
	_Atomic size_t left; /* written under lock */

	struct sooni_link all; /* in the list of all sets: see set.c */

	/* what soon_completions_fd() returns: see set_fd.c */
	atomic_uint has_fd; /* a bool; goes one way, under lock */
	pthread_mutex_t fd_lock;
	bool fd_readable; /* under fd_lock, as is the descriptor's state */
	int fds[2];	  /* r/o once has_fd */

	bool lost; /* r/o; another thread of the parent had it locked when this
		      process was forked */
};

/* set.c */

/* Take the set out of the list of all, before it ends. */
void sooni_set_delist(struct soon_completions *set);

/* Around a fork: nobody else uses the list of all sets, or marks futures. */
void sooni_set_lock_all(void);
void sooni_set_unlock_all(void);

/* In a child of fork, after all futures have been seen to, with the caller the
 * only thread. */
void sooni_set_after_fork(void);

/* Before the futures are seen to, which may tell sets. */
void sooni_set_fds_after_fork(void);

/*
 * set_fd.c.  What may change whether next() would block is shown before the next
 * one can call it: by raise() after a push, else by update(), under lock.
 */
void sooni_set_fd_raise(struct soon_completions *set);
void sooni_set_fd_update(struct soon_completions *set);
void sooni_set_fd_close(struct soon_completions *set);
void sooni_set_fd_after_fork(struct soon_completions *set);

/* completions.c: move what is ready to the end of the list, the oldest first. */
void sooni_set_collect(struct soon_completions *set);

/* Lock the set: 0; or SOON_EFORKED: it is lost, and not locked. */
static inline int sooni_set_enter(struct soon_completions *set)
{
	if (sooni_unlikely(set->lost))
		return SOON_EFORKED;
	pthread_mutex_lock(&set->lock);
	return 0;
}

static inline bool sooni_set_has_fd(struct soon_completions *set)
{
	/* seq_cst: pairs with open_fd(); who completes a future asks without
	 * the lock. */
	return atomic_load_explicit(&set->has_fd, memory_order_seq_cst);
}

/* If there is a descriptor, let it say what is so; under lock. */
static inline void sooni_set_show(struct soon_completions *set)
{
	if (sooni_unlikely(sooni_set_has_fd(set)))
		sooni_set_fd_update(set);
}

static inline void sooni_set_unlock(struct soon_completions *set)
{
	sooni_set_show(set);
	pthread_mutex_unlock(&set->lock);
}

/* Append a node whose future is done. */
static inline void sooni_set_append(struct soon_completions *set,
				    struct sooni_set_node *node)
{
	node->next = NULL;
	if (set->first == NULL)
		set->first = node;
	else
		set->last->next = node;
	set->last = node;
}

/* Have those who sleep in next() look again; under lock. */
static inline void sooni_set_nudge(struct soon_completions *set)
{
	set->expected += 2;
	/* acq_rel: as in fire() of set.c. */
	sooni_wake(&set->events,
		   atomic_fetch_add_explicit(&set->events, 2,
					     memory_order_acq_rel));
}

static inline void sooni_set_change_left(struct soon_completions *set,
					 size_t change)
{
	/* relaxed: under lock; others only glance at it. */
	atomic_fetch_add_explicit(&set->left, change, memory_order_relaxed);
}

#endif
