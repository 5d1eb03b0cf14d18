/*
 * forker.h - what the tests share that fork inside a job or the like.
 */
#ifndef SOON_TEST_FORKER_H
#define SOON_TEST_FORKER_H

#include "child.h"
#include "fixture.h"

/* Made for each test, as is a pool of two. */
extern struct shared *shared;

/* The child, or -1 in it; and in the parent how many there are. */
extern _Atomic pid_t forked;
extern struct tally forks;

/* What the forking code does in the child before it returns; NULL: nothing. */
extern const char *(*in_the_child)(void);

void forker_setup(void);
void forker_teardown(void);

/* In loop 0 the child does nothing, in the next all it can, then also end the
 * pool whose job it was. */
void choose(int i);

/* Fork once; the child does what it should, and goes on if that was all right.
 * True: this is the child. */
bool fork_here(void);

/* The same, as a job, a destructor, a callback. */
void *fork_job(void *arg);
void fork_destructor(void *unused);
void fork_callback(soon_future *f, void *unused);

/* A destructor and a callback that count in shared->a and shared->b. */
void count_a(void *unused);
void count_b(soon_future *f, void *unused);

/* The thread that forked has ended in the child, all being right.  A process whose
 * last thread ends does so with 0; one in which more run was ended by this one. */
void child_ended_with_its_thread(void);

#endif
