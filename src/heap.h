/*
 * heap.h - started timers in the order of their time: a binary heap.
 */
#ifndef SOONI_HEAP_H
#define SOONI_HEAP_H

#include "timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sooni_entry {
	int64_t when;
	uint64_t turn; /* of its start, among those for the same time */
	struct sooni_timer *timer;
};

/* All zero at first. */
struct sooni_heap {
	struct sooni_entry *entries; /* from 1 */
	size_t count;
	size_t room; /* for so many, and one that is being fired */
	uint64_t turns;
};

/* Have room for one more, and for that which is being fired; 0 or ENOMEM. */
int sooni_heap_reserve(struct sooni_heap *h);

/* Add t for t->when, where there is room.  Whether it is the first now. */
bool sooni_heap_add(struct sooni_heap *h, struct sooni_timer *t);

bool sooni_heap_has(const struct sooni_heap *h, const struct sooni_timer *t);
void sooni_heap_remove(struct sooni_heap *h, struct sooni_timer *t);

/* Let t, which is there, be for that time, if its own is later.  Whether that made
 * it the first. */
bool sooni_heap_hasten(struct sooni_heap *h, struct sooni_timer *t,
		       int64_t when);

/* Give up the room of an empty one. */
void sooni_heap_free(struct sooni_heap *h);

#endif
