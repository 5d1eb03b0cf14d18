/*
 * race.h - what programs of several threads share; see race.c.
 */
#ifndef SOON_FUZZ_RACE_H
#define SOON_FUZZ_RACE_H

#include "fuzz.h"

#include <pthread.h>

enum { SHARED = 6, PROMISES = 32, MOST_DRIVERS = 3, MOST_ALIKE = 5 };

struct race {
	soon_executor *executor;
	bool bounded;	      /* its queue */
	pthread_mutex_t lock; /* of the slots */
	soon_future *slot[SHARED];
	atomic_uint promised;
	soon_future *promise[PROMISES]; /* to be completed at the end */
};

extern struct race race;

/* A future that is shared, with a reference, or NULL. */
soon_future *race_slot(struct input *in);
/* Share a future, and with it the reference. */
void race_keep(struct input *in, soon_future *f);
/* Some microseconds at most. */
soon_nsec race_time(struct input *in);
struct task *race_task(struct input *in);

/* race_many.c */
void race_many(struct input *in);
void race_map(struct input *in);
void race_imap(struct input *in);
void race_wait(struct input *in);
void race_gather(struct input *in);
void race_set(struct input *in);
void race_combine(struct input *in);
void race_then(struct input *in);
void race_within(struct input *in);
void race_group(struct input *in);

#endif
