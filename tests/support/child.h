/*
 * child.h - what the tests of fork share: children that say what went wrong.
 *
 * A child makes no assertions of Check's.  It ends with ENDED_WELL, or writes the
 * claim that did not hold and ends otherwise.
 */
#ifndef SOON_TEST_CHILD_H
#define SOON_TEST_CHILD_H

#include "many.h"
#include "sanitized.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

/*
 * The thread sanitizer cannot start threads in a child of a program with threads:
 * so there the children end at once, and only the parent is tested.  The address
 * sanitizer does not care for its own locks when a program forks, so that now and
 * then a child of a program whose other threads are at malloc hangs in it: a child
 * that its time limit ends says nothing then.
 */
#define CHILDREN_LIVE (!TEST_THREAD_SANITIZED)
#define CHILDREN_MAY_HANG TEST_ADDRESS_SANITIZED

enum { ENDED_WELL = 42, ENDED_BADLY = 43 };

/* fork(), and a limit on the child's life. */
pid_t fork_child(void);

/* In a child: the limit.  For one that does something within fork() already. */
void child_begin(void);

/* In a child: end, saying what did not hold unless NULL. */
_Noreturn void child_end(const char *wrong);

/* Wait for a child's end; whether it was an exit with this status. */
bool child_ended(pid_t pid, int status);

/* Fork a child that calls check(arg) and ends by what it returns. */
void in_child(const char *(*check)(void *arg), void *arg);

/* Numbers that parent and children share. */
struct shared {
	atomic_uint a, b, c, d;
};

struct shared *shared_new(void);
void shared_free(struct shared *s);

/* In a child: return the claim if it does not hold. */
#define CLAIM(holds)                   \
	do {                           \
		if (!(holds))          \
			return #holds; \
	} while (0)

/* Whether a pool runs jobs; NULL: it does. */
const char *pool_works(soon_executor *e);

#endif
