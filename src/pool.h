/*
 * pool.h - a running pool: its queues, its threads, and how work reaches them.
 */
#ifndef SOONI_POOL_H
#define SOONI_POOL_H

#include "compiler.h"
#include "deque.h"
#include "job.h"
#include "list.h"
#include "moments.h"
#include "os.h"
#include "park.h"
#include "thread.h"

#include <soon/executor.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SOONI_MOST_SHARDS = 32,
	/* Behind them, a queue for each priority that is not the normal one. */
	SOONI_RANKS = 2
};

/* A queue for threads that are no workers; one thread stays with one. */
struct sooni_shard {
	struct sooni_deque queue; /* its owner is who holds the lock */
	alignas(SOONI_APART) pthread_mutex_t lock;
	struct sooni_moments moments;
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
	unsigned turn;	    /* jobs since it looked elsewhere first */
	bool steal_is_next; /* at the other workers then, or at the shards */
	unsigned shard;	    /* where it found something last */
	struct sooni_worker *victim; /* from whom it stole last, or NULL */
	bool blocking;		     /* in soon_blocking_begin() */
	bool searching;		     /* it counts as that: see park.h */
	uint32_t random;
	/* see sooni_deque_take_pushed() */
	int64_t seen[SOONI_MOST_SHARDS + SOONI_RANKS];
	unsigned ranked_turn; /* jobs since it passed by the high ones */
	bool low_is_next;     /* for the low ones then, or for the others */

	/* the thread writes, the monitor reads */
	alignas(SOONI_APART) _Atomic uint32_t place; /* enum sooni_place */
	_Atomic uint32_t jobs;			     /* finished so far */
	_Atomic int32_t thread_id;		     /* the system's */
	_Atomic uint64_t woke;	      /* see sooni_worker_wakes() */
	struct sooni_counts counts;   /* anybody reads */
	struct sooni_moments moments; /* of queue */

	/* the monitor's */
	uint32_t jobs_seen;
	int64_t cpu_seen; /* -1: not looked at yet */
	bool slept;	  /* at the last look */

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
	struct sooni_door *door;    /* see door.h */
	struct sooni_shard *shards; /* and SOONI_RANKS more */
	unsigned shard_mask;
	uint32_t born; /* the state in which jobs begin, but for references:
			  QUEUED, and where some cannot be, PLACED */
	soon_executor_options options; /* name: see below */
	char name[16];

	_Atomic uint32_t phase; /* enum sooni_phase; goes one way */

	_Atomic bool ranked; /* a job had a priority; goes one way */

	_Atomic unsigned shutdown_flags; /* of all shutdowns so far */

	/* Jobs that are not due yet: see delay.c.  Each counts as a guest. */
	pthread_mutex_t early_lock;
	struct sooni_link *early; /* under it */
	_Atomic size_t delayed;	  /* how many; changes under it */

	/* Threads that have not ended, by 2: bit 0 is SOONI_SLEEPERS, for those
	 * who wait for the last. */
	_Atomic uint32_t threads;
	/* Those that will look at the queues again; lowered under all the
	 * shards' locks. */
	_Atomic uint32_t alive;
	_Atomic uint32_t starting; /* of these, in worker_init */
	_Atomic uint32_t waiting;  /* of these, asleep in the library */
	_Atomic uint32_t spinning; /* of these, about to sleep */
	_Atomic uint64_t started;  /* so far; changes under lock */

	/* the monitor's; two bools, as RISC-V exchanges no bytes */
	_Atomic uint32_t is_short; /* a thread could not be started */
	_Atomic uint32_t watched;
	_Atomic int64_t since; /* jobs wait for a worker; 0: none; oldest.c */
	struct soon_executor *next_watched;
	int64_t looked; /* when */
	uint32_t peak;	/* of how many more than `workers` might run */

	/* for soon_executor_stats() */
	_Atomic uint64_t came_due;  /* delayed jobs that were queued; under a
				       shard's lock */
	_Atomic uint64_t submitted; /* the most that it has told */

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

/* Whether anything is queued, as of one moment after all that was published
 * before the call. */
bool sooni_pool_has_work(struct soon_executor *e);

/* How many entries there are, about. */
size_t sooni_pool_backlog(struct soon_executor *e);

/* Take an entry from any queue, for nobody in particular; NULL: none left. */
struct soon_future *sooni_pool_take_any(struct soon_executor *e);

/* Fail all that is queued in a broken pool. */
void sooni_pool_fail_all(struct soon_executor *e);

void sooni_pool_lock_shards(struct soon_executor *e);
void sooni_pool_unlock_shards(struct soon_executor *e);

/* No submits from now on; those under way are over on return. */
void sooni_pool_close(struct soon_executor *e, enum sooni_phase phase);

/* put.c */

/*
 * Queue n claimable jobs, which begin QUEUED, and call a worker.  0, ENOMEM,
 * ESHUTDOWN, SOON_EBROKEN, EAGAIN: then none was queued.
 */
int sooni_pool_put(struct soon_executor *e, struct soon_future *const *jobs,
		   size_t n);

/* The same with a priority. */
int sooni_pool_put_ranked(struct soon_executor *e, int priority,
			  struct soon_future *const *jobs, size_t n);

/*
 * Queue a job that is due, also in a full pool, and in a closed one whose end
 * must still be to come.  0, or ENOMEM, EAGAIN: try again later.  To be followed
 * by a call.
 */
int sooni_pool_put_due(struct soon_executor *e, int priority,
		       struct soon_future *f);

/* Why the pool takes no jobs: ESHUTDOWN, SOON_EBROKEN; 0: it does. */
int sooni_pool_refusal(struct soon_executor *e);

/*
 * Count the calling thread as a guest of an open pool, to be given back with
 * sooni_home_leave(); 0, ESHUTDOWN, SOON_EBROKEN.
 */
int sooni_pool_enter(struct soon_executor *e);

/* There is work: call a worker, or start one.  False: none could be started,
 * and there is still work. */
bool sooni_pool_call(struct soon_executor *e, enum sooni_urge urge);

/* Call every idle worker of a closed pool. */
void sooni_pool_call_all(struct soon_executor *e);

/* Looking at it */

static inline enum sooni_phase sooni_pool_phase(struct soon_executor *e)
{
	/* seq_cst: a worker that goes idle looks at it after announcing so. */
	return (enum sooni_phase)atomic_load_explicit(&e->phase,
						      memory_order_seq_cst);
}

/* Whether the queues of other priorities are to be looked into as well. */
static inline bool sooni_pool_is_ranked(struct soon_executor *e)
{
	/* seq_cst: comes before the look into the queues.  Pairs with the store
	 * in sooni_pool_put_ranked(). */
	return sooni_unlikely(
		atomic_load_explicit(&e->ranked, memory_order_seq_cst));
}

/* How many queues there are to look into, beside the workers' own. */
static inline unsigned sooni_pool_shards(struct soon_executor *e)
{
	return e->shard_mask + 1 + (sooni_pool_is_ranked(e) ? SOONI_RANKS : 0);
}

/* The queue of a priority that is not the normal one. */
static inline unsigned sooni_pool_rank(struct soon_executor *e, int priority)
{
	return e->shard_mask + (priority == SOON_LOW ? 1 : 2);
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

/* admit.c */

/*
 * As sooni_pool_put_ranked(), in a pool with max_pending, for jobs that begin
 * PLACED: waits for room, or does what the pool does instead.  Also EINVAL, or
 * SOONI_RUN_HERE: the caller is to run them itself, and none was queued.
 */
#define SOONI_RUN_HERE (-1)
int sooni_pool_admit(struct soon_executor *e, int priority,
		     struct soon_future *const *jobs, size_t n);

/* Whether the caller is a worker of it: such do not wait for room. */
bool sooni_pool_has_caller(struct soon_executor *e);

/* oldest.c */

/* Jobs are queued, and nobody is there to take them. */
void sooni_pool_jobs_wait(struct soon_executor *e);

/* A worker has found all queues empty. */
static inline void sooni_pool_no_jobs_wait(struct soon_executor *e)
{
	/* relaxed, both: see oldest.c. */
	if (sooni_unlikely(
		    atomic_load_explicit(&e->since, memory_order_relaxed) != 0))
		atomic_store_explicit(&e->since, 0, memory_order_relaxed);
}

/* The queue's owner has pushed, up to `place`. */
void sooni_pool_note_push(struct sooni_deque *q, struct sooni_moments *m,
			  int64_t place);

/* How long the job that has waited longest may have waited, in ns; 0: there is
 * none.  soon/stats.h says how precise it is. */
int64_t sooni_pool_oldest(struct soon_executor *e);

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
 * again by another: off the stack of idle ones, or on it; or has left it to
 * another long ago; or ends because it finds itself in a child of fork, where it
 * is no worker. */
enum sooni_end {
	SOONI_STAYS,
	SOONI_LEFT,
	SOONI_RETIRED,
	SOONI_LOST,
	SOONI_ORPHANED
};

/* Nothing was found: go idle, or leave.  The worker runs before, and runs and
 * searches after SOONI_STAYS. */
enum sooni_end sooni_rest(struct sooni_worker *w);

/* The same, if more run than may. */
enum sooni_end sooni_rest_if_surplus(struct sooni_worker *w);

/*
 * The worker's job has ended its thread, which counts as running.  Another takes
 * its place, if there is work; it waits until one could be started, unless others
 * are left that will do it.
 */
void sooni_abandon(struct sooni_worker *w);

/* find.c */

/* The worker's next job, taken from a queue; NULL: none was found. */
struct soon_future *sooni_find(struct sooni_worker *w);

/* Whether there is more where the last came from; a hint. */
bool sooni_has_more(struct sooni_worker *w);

/* hooks.c: what a worker's thread sets in sooni_me */
extern const struct sooni_hooks sooni_worker_hooks;

/* Whether the calling thread, which is a worker's, may run one more job on top of
 * others. */
bool sooni_worker_has_stack(void);

/* worker.c: what a pool's threads run; arg: the worker. */
void *sooni_worker_main(void *worker);

/*
 * For dumps: when the worker woke up, for a job, in milliseconds, and below that
 * how many it had finished then.
 */
enum { SOONI_WOKE_BITS = 24 };

static inline void sooni_worker_wakes(struct sooni_worker *w)
{
	/* relaxed, here and below: the thread's own; a dump only tells it. */
	uint32_t jobs = atomic_load_explicit(&w->jobs, memory_order_relaxed);
	uint64_t msec = (uint64_t)(sooni_now_coarse() / SOON_MSEC);

	atomic_store_explicit(&w->woke,
			      msec << SOONI_WOKE_BITS |
				      (jobs & ((1U << SOONI_WOKE_BITS) - 1)),
			      memory_order_relaxed);
}

/* When it woke up, if its job is the first since then; -1: another. */
static inline int64_t sooni_worker_woke_for_job(struct sooni_worker *w)
{
	uint32_t jobs = atomic_load_explicit(&w->jobs, memory_order_relaxed);
	uint64_t woke = atomic_load_explicit(&w->woke, memory_order_relaxed);

	return ((woke ^ jobs) & ((1U << SOONI_WOKE_BITS) - 1)) == 0
		       ? (int64_t)(woke >> SOONI_WOKE_BITS) * SOON_MSEC
		       : -1;
}

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
/* In a child of fork: nobody is watched. */
void sooni_monitor_after_fork(void);

#endif
