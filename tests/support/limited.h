/*
 * limited.h - what the tests of jobs with run_within share.
 */
#ifndef SOON_TEST_LIMITED_H
#define SOON_TEST_LIMITED_H

#include "fixture.h"

/* Long enough for whatever is to end in time. */
#define LONG (3600 * SOON_SEC)
/* The stuck jobs outlast any limit. */
#define SHORT SOON_MSEC

/* The fixture: a pool of one.  Its end waits for that of each limited_job(). */
void limited_setup(void);
void limited_teardown(void);

extern struct gate limited_start;  /* for what holds the worker before them */
extern struct tally limited_ended; /* results destroyed */
extern struct tally limited_told;  /* for whatever else is counted */

/* A job that is to end with a result, in time or late. */
soon_job limited_job(soon_fn *fn, void *arg, soon_nsec within);
soon_future *limited_submit(soon_fn *fn, void *arg, soon_nsec within);

#endif
