/*
 * child.h - what the tests of fork share: children that say what went wrong.
 *
 * A child makes no assertions of Check's.  It ends with ENDED_WELL, or writes the
 * claim that did not hold and ends otherwise.
 */
#ifndef SOON_TEST_CHILD_H
#define SOON_TEST_CHILD_H

#include "many.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

/* The thread sanitizer gives up in a child of a program with threads. */
#define NO_CHILDREN (TEST_SANITIZED && !CHILD_ADDRESS_SANITIZER)
#if defined(__SANITIZE_ADDRESS__)
#define CHILD_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHILD_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef CHILD_ADDRESS_SANITIZER
#define CHILD_ADDRESS_SANITIZER 0
#endif

enum { ENDED_WELL = 42, ENDED_BADLY = 43 };

/* fork(), and a limit on the child's life. */
pid_t fork_child(void);

/* In a child: end, saying what did not hold unless NULL. */
_Noreturn void child_end(const char *wrong);

/* Wait for a child's end: its exit status, or -1. */
int child_await(pid_t pid);

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
