/*
 * deque.h - a double-ended queue of pointers with one owner and many thieves.
 *
 * Source: D. Chase and Y. Lev, "Dynamic Circular Work-Stealing Deque", SPAA
 * 2005, in the orders of N. M. Le et al., "Correct and Efficient Work-Stealing
 * for Weak Memory Models", PPoPP 2013, with the paper's fences turned into
 * sequentially consistent operations, which ThreadSanitizer can see.
 *
 *	who			may call		at once with
 *	the owner		push, pop_if		all thieves
 *	any thread		take..., is_empty	everybody
 *	nobody else left	init, fini, reset
 *
 * The owner is a worker, or whoever holds the lock that goes with the deque.
 *
 * top	<= items taken from here, oldest first, by whoever wins the
 *	compare-and-swap on top: thieves, and the owner too when it starts
 *	its own jobs in the order of submission.
 * bottom	=> items pushed here by the owner, which may also pop the newest.
 *
 * A full ring is replaced by one four times as large.  Old rings are kept until fini, so a thief that
 * still reads one reads memory that is there; the compare-and-swap on top then
 * decides whether what it read counts.
 */
#ifndef SOONI_DEQUE_H
#define SOONI_DEQUE_H

#include "compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sooni_deque_ring {
	int64_t mask;			/* capacity - 1 */
	struct sooni_deque_ring *older; /* kept for thieves that read it */
	_Atomic(void *) slots[];
};

struct sooni_deque {
	/* moved by everybody */
	alignas(SOONI_APART) _Atomic int64_t top;
	/* written by the owner */
	alignas(SOONI_APART) _Atomic int64_t bottom;
	int64_t top_seen; /* owner only: top was at least this */
	_Atomic(struct sooni_deque_ring *) ring;
};

/* 0 or ENOMEM. */
int sooni_deque_init(struct sooni_deque *d);
void sooni_deque_fini(struct sooni_deque *d);

/* Empty it; nobody else uses it, and those who did may have stopped anywhere. */
void sooni_deque_reset(struct sooni_deque *d);

/*
 * Push the n pointers that lie at items (pointers of any type: POSIX gives them
 * all one form), which become visible together; the last is the newest.  0 or
 * ENOMEM: then nothing was pushed.
 */
int sooni_deque_push(struct sooni_deque *d, const void *items, size_t n);

/* The same for one item. */
static inline int sooni_deque_push_one(struct sooni_deque *d, void *item)
{
	/* All orders as in sooni_deque_push(). */
	int64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed);
	struct sooni_deque_ring *r =
		atomic_load_explicit(&d->ring, memory_order_relaxed);

	if (sooni_unlikely(b - d->top_seen > r->mask))
		return sooni_deque_push(d, &item, 1);
	atomic_store_explicit(&r->slots[b & r->mask], item,
			      memory_order_relaxed);
	atomic_store_explicit(&d->bottom, b + 1, memory_order_seq_cst);
	return 0;
}

/* Pop the newest item if it is this one. */
bool sooni_deque_pop_if(struct sooni_deque *d, void *item);

/*
 * Take the oldest item.  NULL: there was none.  SOONI_DEQUE_RETRY: another
 * thread got it, and there may be more.
 */
void *sooni_deque_take(struct sooni_deque *d);

/*
 * The same for a deque that its owner never pops, so that bottom only grows.
 * *seen remembers for the calling thread how far it was filled at the last look
 * and begins at 0: while there must be more, the thread leaves alone the line
 * of bottom, which the owner writes all the time.
 */
void *sooni_deque_take_pushed(struct sooni_deque *d, int64_t *seen);
#define SOONI_DEQUE_RETRY ((void *)1)

/*
 * Take the oldest item if it is this one; a false answer may also mean that
 * another thread got it.
 */
bool sooni_deque_take_if(struct sooni_deque *d, void *item);

/* False while a push that came before, in the one order of all sequentially
 * consistent operations, has not been taken. */
bool sooni_deque_is_empty(struct sooni_deque *d);

/* How many items there are, about. */
size_t sooni_deque_count(struct sooni_deque *d);

#endif
