/*
 * pool.h - a running pool: its queues, its threads, and how work reaches them.
 */
#ifndef SOONI_POOL_H
#define SOONI_POOL_H

#include "compiler.h"
#include "deque.h"
#include "job.h"
#include "list.h"
#include "os.h"
#include "park.h"
#include "thread.h"

#include <soon/executor.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOONI_MOST_SHARDS = 32 };

/* A queue for threads that are no workers; one thread stays with one. */
struct sooni_shard {
	struct sooni_deque queue; /* its owner is who holds the lock */
	alignas(SOONI_APART) pthread_mutex_t lock;
};

/* Whether a worker counts as running: see monitor.c. */
enum sooni_place {
	SOONI_PLACE_NONE, /* no: it is idle, or has given its place away */
	SOONI_PLACE_HELD, /* yes */
	SOONI_PLACE_TAKEN /* no: the monitor has found its job blocked */
};

struct sooni_worker {
	struct sooni_parker parker;
	struct sooni_deque queue;
	struct soon_executor *executor;

	/* the thread's own */
	char *stack_limit; /* below this it runs no awaited jobs; NULL: not
			      known yet */
	unsigned turn;	   /* jobs since it looked at the shards first */
	unsigned shard;	   /* where it found something last */
	struct sooni_worker *victim; /* from whom it stole last, or NULL */
	bool blocking;		     /* in soon_blocking_begin() */
	bool searching;		     /* it counts as that: see park.h */
	uint32_t random;
	int64_t seen[SOONI_MOST_SHARDS]; /* see sooni_deque_take_pushed() */

	/* the thread writes, the monitor reads */
	alignas(SOONI_APART) _Atomic uint32_t place; /* enum sooni_place */
	_Atomic uint32_t jobs;			     /* finished so far */
	_Atomic int32_t thread_id;		     /* the system's */

	/* the monitor's */
	uint32_t jobs_seen;
	int64_t cpu_seen; /* -1: not looked at yet */

	/* under the executor's lock */
	bool ended;	/* it needs nothing of the pool any more */
	bool off_stack; /* a spare, once ended */
	struct sooni_worker *next_spare;
};

enum sooni_phase { SOONI_OPEN, SOONI_CLOSED, SOONI_BROKEN };

struct soon_executor {
	struct sooni_home home;
	struct sooni_park park;

	/* r/o after opening */
	struct sooni_shard *shards;
	unsigned shard_mask;
	soon_executor_options options; /* name: see below */
	char name[16];

	_Atomic uint32_t phase; /* enum sooni_phase; goes one way */

	_Atomic unsigned shutdown_flags; /* of all shutdowns so far */

	/* Threads that have not ended, by 2: bit 0 is SOONI_SLEEPERS, for those
	 * who wait for the last. */
	_Atomic uint32_t threads;
	/* Those that will look at the queues again; lowered under all the
	 * shards' locks. */
	_Atomic uint32_t alive;
	_Atomic uint32_t starting; /* of these, in worker_init */
	_Atomic uint32_t waiting;  /* of these, asleep in the library */
	_Atomic uint32_t spinning; /* of these, about to sleep */

	/* the monitor's, see monitor.c */
	_Atomic bool is_short; /* a thread could not be started */
	_Atomic bool watched;
	bool ever_watched;
	struct soon_executor *next_watched;
	int64_t looked; /* when */

	pthread_mutex_t lock;	     /* starting and ending threads */
	struct sooni_worker *spares; /* without a thread, not on the stack */
	pthread_t last_ended;	     /* to be joined, if there is one */
	bool has_last_ended;
	pthread_mutex_t joining; /* one at a time waits for them all */

	struct sooni_link all; /* in the list of all: see fork.c */
};

/* pool.c */

int sooni_pool_init(struct soon_executor *e);
void sooni_pool_fini(struct soon_executor *e);

/* In a child of fork: no threads, and nothing is queued. */
void sooni_pool_after_fork(struct soon_executor *e);

/*
 * Queue n claimable jobs, which begin QUEUED, and call a worker.  0, ENOMEM,
 * ESHUTDOWN, SOON_EBROKEN, EAGAIN: then none was queued.
 */
int sooni_pool_put(struct soon_executor *e, struct soon_future *const *jobs,
		   size_t n);

void sooni_pool_lock_shards(struct soon_executor *e);
void sooni_pool_unlock_shards(struct soon_executor *e);

/*
 * Count the calling thread as a guest of an open pool, to be given back with
 * sooni_home_leave(); 0, ESHUTDOWN, SOON_EBROKEN.
 */
int sooni_pool_enter(struct soon_executor *e);

/* There is work: call a worker, or start one.  False: none could be started,
 * and there is still work. */
bool sooni_pool_call(struct soon_executor *e, enum sooni_urge urge);

/* Whether anything is queued, as of one moment after all that was published
 * before the call. */
bool sooni_pool_has_work(struct soon_executor *e);

/* How many entries there are, about. */
size_t sooni_pool_backlog(struct soon_executor *e);

/* Fail all that is queued in a broken pool. */
void sooni_pool_fail_all(struct soon_executor *e);

/* Call every idle worker of a closed pool. */
void sooni_pool_call_all(struct soon_executor *e);

/* Take an entry from any queue, for nobody in particular; NULL: none left. */
struct soon_future *sooni_pool_take_any(struct soon_executor *e);

/* No submits from now on; those under way are over on return. */
void sooni_pool_close(struct soon_executor *e, enum sooni_phase phase);

/*
 * Close the pool and wait until all that was queued is done, and its threads
 * are gone, save the calling one if it is a worker of this pool.
 */
void sooni_pool_drain(struct soon_executor *e);

/* Whether the pool cannot end before the calling thread returns: it runs a job of
 * the pool, its callbacks or destructors, or is one of its workers. */
bool sooni_pool_is_inside(struct soon_executor *e);

static inline enum sooni_phase sooni_pool_phase(struct soon_executor *e)
{
	/* seq_cst: a worker that goes idle looks at it after announcing so. */
	return (enum sooni_phase)atomic_load_explicit(&e->phase,
						      memory_order_seq_cst);
}

static inline struct sooni_worker *sooni_worker_of(struct sooni_parker *k)
{
	return sooni_container_of(k, struct sooni_worker, parker);
}

static inline struct sooni_worker *sooni_worker_at(struct soon_executor *e,
						   uint32_t i)
{
	return sooni_worker_of(sooni_park_at(&e->park, i));
}

/* Take the oldest item of a queue, whoever competes for it. */
static inline struct soon_future *sooni_queue_take(struct sooni_deque *q)
{
	void *item;

	do
		item = sooni_deque_take(q);
	while (item == SOONI_DEQUE_RETRY);
	return item;
}

/* crew.c: the pool's threads */

/*
 * A thread that park.h counts as running and searching already, on k or on
 * another worker.  0, or EAGAIN: then it no longer counts.
 */
int sooni_crew_start(struct soon_executor *e, struct sooni_parker *k);

/* A first thread if there is none that will look at the queues; the caller holds
 * a shard's lock.  0 or EAGAIN. */
int sooni_crew_ensure(struct soon_executor *e);

/*
 * The calling worker ends, as its last act: its thread may be joined, and its
 * record be used again, at once if it is off the stack of idle ones.
 */
void sooni_crew_end_thread(struct sooni_worker *w, bool off_stack);

/* One thread fewer will look at the queues; under all the shards' locks. */
void sooni_crew_leave(struct soon_executor *e);

/* Whether more threads are there than max_workers and the waits justify. */
bool sooni_crew_is_over(struct soon_executor *e);

/* Wait until a closed pool's threads and guests are gone: 0 or ETIMEDOUT. */
int sooni_crew_join(struct soon_executor *e, int64_t deadline);

/* In a child of fork: there are no threads; all workers but the caller's own are
 * spares. */
void sooni_crew_after_fork(struct soon_executor *e);

/* default.c */
bool sooni_is_default(const struct soon_executor *e);
/* Around a fork: nobody is making it. */
void sooni_default_lock(void);
void sooni_default_unlock(void);

/* fork.c */

/* From now on a child of fork finds e, and begins anew with it; 0 or ENOMEM. */
int sooni_fork_enlist(struct soon_executor *e);
void sooni_fork_delist(struct soon_executor *e);

/* idle.c */

/* The worker has a job; it counts as running. */
void sooni_hold_place(struct sooni_worker *w);

/* The worker counts as running, whatever the monitor found; it has no job. */
void sooni_regain_place(struct sooni_worker *w);

/* Whether a worker's thread goes on, or ends and leaves its parker to be used
 * again by another: off the stack of idle ones, or on it; or ends because it
 * finds itself in a child of fork, where it is no worker. */
enum sooni_end { SOONI_STAYS, SOONI_LEFT, SOONI_RETIRED, SOONI_ORPHANED };

/* Nothing was found: go idle, or leave.  The worker runs before, and runs and
 * searches after SOONI_STAYS. */
enum sooni_end sooni_rest(struct sooni_worker *w);

/* The same, if more run than may and the worker does not search. */
enum sooni_end sooni_rest_if_surplus(struct sooni_worker *w);

/* worker.c: what a pool's threads run; arg: the worker. */
void *sooni_worker_main(void *worker);

/* The worker that runs the calling thread, if it is one of e's. */
static inline struct sooni_worker *sooni_worker_self(struct soon_executor *e)
{
	struct sooni_worker *w = sooni_me.worker;

	return w != NULL && w->executor == e ? w : NULL;
}

/* monitor.c */

/* Work is queued and as many run as may: watch for those that are blocked. */
void sooni_monitor_watch(struct soon_executor *e);
/* e is about to go. */
void sooni_monitor_forget(struct soon_executor *e);
/* In a child of fork: nobody is watched, and there is no thread. */
void sooni_monitor_after_fork(void);

#endif
