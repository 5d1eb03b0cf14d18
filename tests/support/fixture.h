/*
 * fixture.h - what many fixtures have: a pool, a gate, and a way to expect things
 * on any thread.
 */
#ifndef SOON_TEST_FIXTURE_H
#define SOON_TEST_FIXTURE_H

#include "support.h"

extern soon_executor *pool; /* NULL once a test has freed it */
extern struct gate gate;

/* For a fixture's setup and teardown; the latter opens the gate. */
void fixture_open(soon_executor *e);
void fixture_close(void);

/* A pool with other options in place of the fixture's. */
void fixture_use(const soon_executor_options *o);

/* Open the gate and free the pool. */
void fixture_end_pool(void);

/* What does not hold, on whatever thread, fails the test in fixture_close(). */
void fixture_expect(bool holds);

#endif
