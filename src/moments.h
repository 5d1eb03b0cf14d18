/*
 * moments.h - when the items of a queue came, about, without a look at the clock
 * for each.
 *
 * At one push of many the queue's owner notes its place and the time: what is
 * pushed from that place on comes then or later.  There is room for a few such
 * moments.  When it is used up those that are of no use any more make room, or
 * else every second one; then they are noted half as often.
 */
#ifndef SOONI_MOMENTS_H
#define SOONI_MOMENTS_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	SOONI_MOMENTS = 32,	 /* room */
	SOONI_MOMENT_PUSHES = 16 /* from one to the next, at least */
};

struct sooni_moments {
	/* the owner's */
	int64_t next; /* the place at which to note one */
	int64_t stride;
	unsigned used;
	/*
	 * The owner writes, anybody reads.  Both only grow, and the place is
	 * written first: so a time that is read comes with its own place or
	 * with a later one, of which it is true too.
	 */
	_Atomic int64_t place[SOONI_MOMENTS];
	_Atomic int64_t when[SOONI_MOMENTS]; /* 0: none */
};

void sooni_moments_init(struct sooni_moments *m);

/*
 * The owner: all that is pushed at `place` or behind comes now or later; what
 * lay before `top` is gone.  Does nothing unless m->next has been reached.
 */
void sooni_moments_note(struct sooni_moments *m, int64_t place, int64_t top,
			int64_t now);

/* The latest time of which it is known that what lies at `place` came no
 * earlier; 0 if there is none. */
int64_t sooni_moments_before(const struct sooni_moments *m, int64_t place);

#endif
