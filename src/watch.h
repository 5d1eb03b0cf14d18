/*
 * watch.h - one thread that waits for the first of several futures.
 *
 * Each completion costs one atomic decrement; the thread is woken only by one
 * that it waits for, or by the last.
 */
#ifndef SOONI_WATCH_H
#define SOONI_WATCH_H

#include "job.h"

#include <soon/wait.h>
#include <stddef.h>

struct sooni_watch;

/*
 * Watch n futures, borrowed until the close, for FIRST_COMPLETED or
 * FIRST_ERROR.  NULL without memory.
 */
struct sooni_watch *sooni_watch_open(soon_future *const *futures, size_t n,
				     enum soon_when when);

/* 0: the first came, or all are done; ETIMEDOUT. */
int sooni_watch_wait(struct sooni_watch *w, int64_t deadline);

/* The first that came; NULL: none. */
soon_future *sooni_watch_first(struct sooni_watch *w);

void sooni_watch_close(struct sooni_watch *w);

/* Whether one that is done ends a wait. */
bool sooni_watch_ends(const soon_future *f, enum soon_when when);

#endif
