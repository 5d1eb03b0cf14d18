/*
 * crew.h - a pool's threads: how they are started, and counted, and end.
 */
#ifndef SOONI_CREW_H
#define SOONI_CREW_H

#include "pool.h"

/*
 * A thread that park.h counts as running and searching already, on k or on
 * another worker.  0, or EAGAIN: then it no longer counts.
 */
int sooni_crew_start(struct soon_executor *e, struct sooni_parker *k);

/* A first thread if there is none that will look at the queues; the caller holds
 * a shard's lock.  0 or EAGAIN.  due: for a job that keeps a closed pool from its
 * end. */
int sooni_crew_ensure(struct soon_executor *e, bool due);

/*
 * Under e->lock: start another thread for a worker whose own was written off; it
 * begins when the lock is free.  False: none could be started.
 */
bool sooni_crew_replace(struct sooni_worker *w);

/*
 * The calling worker ends, as its last act: its thread may be joined, and its
 * record be used again, at once if it is off the stack of idle ones.
 */
void sooni_crew_end_thread(struct sooni_worker *w, bool off_stack);

/* The name of the worker's thread. */
enum { SOONI_NAME_SIZE = 16 };
void sooni_worker_name(const struct sooni_worker *w,
		       char name[SOONI_NAME_SIZE]);

/* One thread fewer will look at the queues; under all the shards' locks. */
void sooni_crew_leave(struct soon_executor *e);

/* Whether more threads are there than max_workers and the waits justify. */
bool sooni_crew_is_over(struct soon_executor *e);

/* Wait until a closed pool's threads and guests are gone: 0 or ETIMEDOUT. */
int sooni_crew_join(struct soon_executor *e, int64_t deadline);

/*
 * Close the pool and wait until all that was queued is done, and its threads
 * are gone, save the calling one if it is a worker of this pool.
 */
void sooni_pool_drain(struct soon_executor *e);

/* Whether the pool cannot end before the calling thread returns: it runs a job of
 * the pool, its callbacks or destructors, or is one of its workers. */
bool sooni_pool_is_inside(struct soon_executor *e);

/* In a child of fork: there are no threads; all workers but the caller's own are
 * spares. */
void sooni_crew_after_fork(struct soon_executor *e);

#endif
