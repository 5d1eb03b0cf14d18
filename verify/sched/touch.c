/*
 * touch.c - which addresses more than one thread uses: see scene.h.
 *
 * An operation on memory that no other thread uses, or that nobody writes, comes
 * to the same whoever runs first.  Leaving these out makes a run's choices a few
 * dozen instead of a few hundred.
 */
#include "scene.h"

#include <stdint.h>
#include <string.h>

enum { SLOTS = 1 << 14 };

static struct slot {
	const volatile void *address;
	unsigned char thread; /* the first that touched it */
	bool others;	      /* and others did */
	bool written;
} slots[SLOTS];
static unsigned used;
static bool news;

void sched_touch_reset(void)
{
	memset(slots, 0, sizeof(slots));
	used = 0;
	news = false;
}

bool sched_touch_news(void)
{
	bool had = news;

	news = false;
	return had;
}

static struct slot *slot_of(const volatile void *p)
{
	uint64_t hash = (uint64_t)(uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 32) % SLOTS;

	while (slots[i].address != p && slots[i].address != NULL)
		i = (i + 1) % SLOTS;
	return &slots[i];
}

bool sched_touch(const volatile void *p, bool writes)
{
	struct slot *s;
	bool was;

	if (p == NULL || sched_replays())
		return true;
	s = slot_of(p);
	if (s->address == NULL) {
		if (++used > SLOTS / 2)
			sched_fail("more than %d addresses", SLOTS / 2);
		s->address = p;
		s->thread = (unsigned char)sched_self();
	}
	was = s->others && s->written;
	s->others |= s->thread != sched_self();
	s->written |= writes;
	if (s->others && s->written && !was)
		news = true;
	return s->others && s->written;
}
