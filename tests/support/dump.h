/*
 * dump.h - reading what soon_executor_dump() writes.
 */
#ifndef SOON_TEST_DUMP_H
#define SOON_TEST_DUMP_H

#include "fixture.h"
#include "many.h"

#include <stdlib.h>
#include <string.h>

extern soon_future *promise; /* kept at the end */
extern char *text;	     /* the latest dump */

/* The fixture; its pool is "pool", of three. */
void dump_setup(void);
void dump_teardown(void);

soon_executor *named_pool(const char *name, unsigned workers, unsigned flags);

/* A dump in memory, made by any thread; NULL if it failed. */
char *dump_of(soon_executor *e);

/* Dump to text; whether it has this in it. */
bool says(soon_executor *e, const char *what);

#define expect(what) \
	ck_assert_msg(says(pool, what), "no \"%s\" in:\n%s", what, text)
#define expect_not(what) \
	ck_assert_msg(!says(pool, what), "\"%s\" in:\n%s", what, text)

/* Dump until it says so; if it never does the test's limit ends it. */
void await_saying(const char *what);

soon_future *submit_named(const char *name, soon_fn *fn, void *arg);

/* A job that waits for a future. */
void *wait_for(void *f);

/* Wait for it, and drop it. */
void finish(soon_future *f);

#endif
