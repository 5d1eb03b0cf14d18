/*
 * room.h - a number of places, and a line of those who wait for some.
 *
 * One word counts the places taken.  Who wants more than are free lines up:
 * places that become free go to the first in line as soon as they are enough
 * for it, and nobody passes it meanwhile.  So nobody waits for ever who wants
 * many, and each place that becomes free wakes one at most, who then has it.
 */
#ifndef SOONI_ROOM_H
#define SOONI_ROOM_H

#include "compiler.h"
#include "list.h"
#include "sleep.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bit 0 of `taken`: the line is not empty; changes under the lock. */
#define SOONI_IN_LINE UINT64_C(1)

struct sooni_room {
	_Atomic uint64_t taken; /* places, by 2; and SOONI_IN_LINE */
	uint64_t most;		/* r/o */
	pthread_mutex_t lock;
	struct sooni_link *line; /* under lock; the first came first */
	bool closed;		 /* under lock */
};

/* What the word of an asker says, beside SOONI_SLEEPERS. */
enum {
	SOONI_ADMITTED = 2, /* it has its places */
	SOONI_REFUSED = 4   /* the room was closed */
};

/* One in line; on its own stack. */
struct sooni_asker {
	_Atomic uint32_t word;
	uint64_t n; /* how many places it wants */
	struct sooni_link link;
};

void sooni_room_init(struct sooni_room *r, uint64_t most);
void sooni_room_fini(struct sooni_room *r);

/* Whether who wants one, as of now, would have to line up. */
static inline bool sooni_room_is_full(struct sooni_room *r)
{
	/* relaxed: old when it is read. */
	uint64_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);

	return taken & SOONI_IN_LINE || taken >> 1 >= r->most;
}

/* Take n places, if there are so many and nobody waits for some. */
bool sooni_room_take(struct sooni_room *r, uint64_t n);

/* Take n places, if need be beyond those that there are. */
void sooni_room_overfill(struct sooni_room *r, uint64_t n);

/* Places are free: give them to those in line. */
void sooni_room_admit(struct sooni_room *r);

/* Give n places back. */
static inline void sooni_room_leave(struct sooni_room *r, uint64_t n)
{
	/* relaxed: all that counts is in the word; see sooni_room_line_up(). */
	uint64_t old = atomic_fetch_sub_explicit(&r->taken, 2 * n,
						 memory_order_relaxed);

	if (sooni_unlikely(old & SOONI_IN_LINE))
		sooni_room_admit(r);
}

/*
 * Line up for n places, n <= most.  The asker then sleeps until its word says
 * ADMITTED or REFUSED, which may be at once, and is nobody else's from then on.
 */
void sooni_room_line_up(struct sooni_room *r, struct sooni_asker *a,
			uint64_t n);

/* Refuse all who are in line, and all who line up from now on. */
void sooni_room_close(struct sooni_room *r);

/* In a child of fork: no place is taken, and nobody in line. */
void sooni_room_after_fork(struct sooni_room *r);

#endif
