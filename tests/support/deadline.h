/*
 * deadline.h - what the tests of jobs with start_within share.
 */
#ifndef SOON_TEST_DEADLINE_H
#define SOON_TEST_DEADLINE_H

#include "fixture.h"

#define LONG (1000 * SOON_SEC)
#define SHORT (2 * SOON_MSEC)

/* The fixture: a pool of two. */
void deadline_setup(void);
void deadline_teardown(void);

extern struct tally deadline_ran, deadline_freed, deadline_called;

/* A job that counts in the first; one with a limit and a destructor. */
void *deadline_run(void *arg);
soon_future *deadline_submit(soon_nsec start_within);

/* A callback that counts in its context who failed for time. */
void deadline_count_call(soon_future *f, void *tally);

/* All that can be seen of one that has not started in time. */
void deadline_expect_expired(soon_future *f);

#endif
