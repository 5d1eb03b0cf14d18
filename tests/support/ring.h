/*
 * ring.h - jobs that wait for each other, in every way there is.
 */
#ifndef SOON_TEST_RING_H
#define SOON_TEST_RING_H

#include "many.h"

enum { MOST = 12, POOLS = 3 };

/* The ways to wait. */
enum way {
	WAIT,
	RESULT,
	WAIT_ALL,
	GATHER,
	/* From here on one of several may do. */
	GATHER_FAST,
	FIRST_ERROR,
	ANY,
	FIRST_COMPLETED,
	SET,
	WAYS
};

/* Wait for one or several of these. */
int wait_by(enum way way, soon_future **f, size_t n, soon_nsec timeout);

/* A job that passes the gate, then waits. */
struct waiter {
	enum way way;
	soon_future *awaited[MOST];
	size_t n;
	soon_nsec timeout;
	int rc;	     /* of the wait */
	int again;   /* of a second one, made after EDEADLK */
	soon_fn *fn; /* in place of the wait, unless NULL */
	pid_t tid;
};

extern soon_executor *ring_pool[POOLS];
extern struct gate start;
extern struct tally waited; /* waits that have ended */
extern struct tally ended;  /* ... and the second one of who was told */
extern struct waiter waiters[MOST];
extern soon_future *job[MOST];
extern unsigned jobs;

/* The fixture. */
void ring_setup(void);
void ring_teardown(void);

/* One more job, which stands at the gate, with a thread of its own. */
struct waiter *add(enum way way, soon_future *awaited);
/* It waits for this too. */
void also(struct waiter *w, soon_future *awaited);
/* What these jobs run; arg: a waiter. */
void *pass_and_wait(void *arg);

/* All go, and end; how many were told. */
unsigned go(void);

/* All that have passed the gate are likely to wait; both orders are right. */
void see_asleep(void);

#endif
