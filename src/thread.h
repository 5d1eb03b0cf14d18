/*
 * thread.h - what each thread is doing: the jobs that it runs, and how it
 * waits.
 *
 * A waiting worker gives its place to another and may run the awaited job
 * itself; only hooks.c, on a floor above, knows how.  So a worker's thread brings
 * these hooks with it.  Threads that are no workers have none.
 */
#ifndef SOONI_THREAD_H
#define SOONI_THREAD_H

#include "compiler.h"
#include "count.h"
#include "timer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct soon_future;
struct sooni_home;
struct sooni_limit;
struct sooni_relay;
struct sooni_worker;

/* A running job; these lie on the stack of the thread that runs them. */
struct sooni_context {
	struct soon_future *job; /* NULL: it forked, and this is the child */
	struct sooni_context *below; /* the job that waits for this one */
	int code;		     /* of the latest soon_fail(); 0: none */
	char *message;

	/* Under the threads' lock, once the job is listed: see cycle.c. */
	struct sooni_me *me; /* its thread; NULL: not listed */
	struct sooni_context *next;
	struct sooni_context **link;
	int64_t since;	/* it has been running since then, if not longer */
	char *deadlock; /* who waits for whom, if its last wait was refused */
};

/* What a thread sleeps for; lies with whoever sleeps. */
enum sooni_need {
	SOONI_NEED_ALL,	  /* until all of these are done */
	SOONI_NEED_ONE,	  /* until one is */
	SOONI_NEED_ERROR, /* until one has failed, or all are done */
	SOONI_NEED_TIME	  /* no futures: until the time has come */
};

struct sooni_awaited {
	enum sooni_need need;
	bool timed; /* it ends by itself */
	struct soon_future *const *futures;
	size_t n;
	/*
	 * In place of the array: call visit(f, ctx) for each, until that is
	 * false.  It may take locks under which nobody takes the threads'.
	 */
	void (*each)(struct sooni_awaited *a,
		     bool (*visit)(struct soon_future *f, void *ctx),
		     void *ctx);
	/* NEED_ERROR: wake the sleeper for every one that is done from now on,
	 * so that it looks again. */
	void (*alert)(struct sooni_awaited *a);

	/* under the threads' lock */
	int64_t since;
	uint64_t looked; /* see sooni_await_begin(); 0: not yet */
	bool alerted;
};

/* Callbacks or a destructor of a job are running on this thread. */
struct sooni_telling {
	const struct sooni_home *home;
	const struct soon_future *future; /* whose BUSY is ours, or NULL */
	struct sooni_telling *below;
};

struct sooni_hooks {
	/* The worker is about to sleep, outside the library or in it. */
	void (*begin_blocking)(struct sooni_worker *w);
	void (*end_blocking)(struct sooni_worker *w);
	void (*begin_wait)(struct sooni_worker *w);
	void (*end_wait)(struct sooni_worker *w);
	/* Whether jobs need the place given away, but no thread could be
	 * started to take it; tries again first. */
	bool (*is_short)(struct sooni_worker *w);
	/* Claim the job that the worker waits for, to be run at once. */
	bool (*claim)(struct sooni_worker *w, struct soon_future *f);
	/* Start a thread that is this worker from now on, in place of one that
	 * is in so many waits and never comes back to the pool.  False: none
	 * could be started, and nothing has changed. */
	bool (*replace)(struct sooni_worker *w, unsigned waits);
};

/* One to a thread. */
struct sooni_me {
	/* the innermost job; the thread writes, sooni_threads_look() reads */
	_Atomic(struct sooni_context *) running;
	struct sooni_telling *telling;
	struct sooni_relay *relay;   /* see tell.h; NULL: none is open */
	struct sooni_worker *worker; /* NULL: no worker, or see limit.h */
	struct sooni_limit *limit;   /* of the job that a worker runs; or NULL*/
	const struct sooni_hooks *hooks;
	struct sooni_counts *counts; /* a worker's, beside ... */
	struct sooni_counts *all;    /* ... those of its executor; or NULL */
	struct sooni_trace_buffer *trace; /* see trace.c; NULL: none yet */
	unsigned blocking;    /* how deep in soon_blocking_begin() */
	char *stack_limit;    /* of a worker's: below this it runs no jobs on
				 top of others; NULL: not known yet */
	unsigned shard;	      /* where it submits; 0: not chosen yet */
	unsigned short_waits; /* the last so many: see thread.c */
	bool listed;	      /* it is in the list of threads that run jobs */
	struct sooni_me *next;
	struct sooni_me **link;

	/* under the threads' lock */
	int32_t thread_id;	       /* the system's */
	struct sooni_worker *member;   /* worker, for others while listed */
	struct sooni_awaited *awaited; /* it sleeps for this; NULL: it is awake,
					  or sleeps for no futures */
	struct sooni_me *earlier;      /* see cycle.c, this and the next */
	struct sooni_me *later;
	bool is_reached;
	bool is_stuck;
	bool is_told;
};

extern sooni_tls struct sooni_me sooni_me;

/*
 * How many forks lie between this process and the first.  Who runs the user's
 * code looks at this before and after, where what it goes on with belongs to the
 * parent only.
 */
extern unsigned sooni_generation;

/*
 * In a child of fork: there is no thread but this one, which is no worker, and
 * whose jobs are no jobs any more.
 */
void sooni_thread_after_fork(void);

/* Whether the calling thread is telling those who wait for f. */
bool sooni_tells(const struct soon_future *f);

/*
 * The list of threads that may run jobs.  A worker joins it for its life,
 * another thread while it runs a job.
 */
void sooni_thread_join_list(void);
void sooni_thread_leave_list(void);

/*
 * The threads' lock.  While they are held, moreover, none of the jobs that are
 * seen to run can end; the list is first, first->next, and so on.
 */
void sooni_threads_lock(void);
void sooni_threads_unlock(void);
struct sooni_me *sooni_threads_hold(void);
void sooni_threads_let_go(void);

/*
 * Call look(job, ctx) for every job that runs, on any thread, while none of
 * them can end.  It must be quick and call nobody's code.
 */
void sooni_threads_look(void (*look)(struct soon_future *job, void *ctx),
			void *ctx);

/*
 * The library is about to run a callback or a destructor on this thread: those
 * who rely on it for something else must not wait for that.
 */
static inline void sooni_before_user(void)
{
	if (sooni_user_hook != NULL)
		sooni_user_hook();
}

/* Count one, for the executor that has these counts. */
static inline void sooni_count(struct sooni_counts *all,
			       enum sooni_counter which)
{
	if (sooni_likely(sooni_me.all == all))
		sooni_counts_bump(sooni_me.counts, which, 1);
	else
		sooni_counts_add(all, which, 1);
}

static inline void sooni_telling_push(struct sooni_telling *t,
				      const struct sooni_home *home)
{
	t->home = home;
	t->future = NULL;
	t->below = sooni_me.telling;
	sooni_me.telling = t;
}

static inline void sooni_telling_pop(struct sooni_telling *t)
{
	sooni_me.telling = t->below;
}

static inline struct sooni_context *sooni_running(void)
{
	/* relaxed: the thread's own. */
	return atomic_load_explicit(&sooni_me.running, memory_order_relaxed);
}

/* Somebody looks at running jobs: see thread.c. */
extern _Atomic uint32_t sooni_lookers;
/* The number of the trace that is being written; 0: none. */
extern _Atomic uint32_t sooni_tracing;
void sooni_wait_for_lookers(void);
void sooni_context_forget(struct sooni_context *c);

/* The job in c runs on this thread; it must be popped before it is settled. */
static inline void sooni_context_push(struct sooni_context *c)
{
	c->below = sooni_running();
	/* release: *c, for a looker. */
	atomic_store_explicit(&sooni_me.running, c, memory_order_release);
}

static inline void sooni_context_pop(struct sooni_context *c)
{
	/* seq_cst, both: see thread.c. */
	atomic_store_explicit(&sooni_me.running, c->below,
			      memory_order_seq_cst);
	if (sooni_unlikely(atomic_load_explicit(&sooni_lookers,
						memory_order_seq_cst) != 0))
		sooni_wait_for_lookers();
	if (sooni_unlikely(c->me != NULL))
		sooni_context_forget(c);
}

/*
 * Either a shutdown that cancels all sees the innermost job, or `stopping` is seen
 * by the look that follows this.
 */
static inline void sooni_context_show(void)
{
	/* seq_cst: before the load of `stopping` in sooni_is_asked(); the
	 * shutdown sets that before it looks. */
	atomic_exchange_explicit(&sooni_me.running, sooni_running(),
				 memory_order_seq_cst);
}

/* Whether this thread, which is no worker, may run one more job on its stack. */
bool sooni_may_nest(void);

/* Whether the thread is a worker's, with a limit to its job or none. */
static inline bool sooni_is_worker(void)
{
	return sooni_me.worker != NULL || sooni_me.limit != NULL;
}

/* Whether f is a job that this thread is running, and that does not get done
 * before it returns. */
bool sooni_runs_here(const struct soon_future *f);

/*
 * lost.c: the hooks of a worker that runs a job with a limit.  They do nothing
 * once it was written off.  waits: by how many more its thread waits then.
 */
void sooni_limit_account(struct sooni_limit *l,
			 void (*hook)(struct sooni_worker *w), int waits);
bool sooni_limit_is_short(struct sooni_limit *l);

/* Whether l, which may be NULL, is the limit of that job, which the clock then
 * settles. */
bool sooni_limit_ends(const struct sooni_limit *l,
		      const struct soon_future *job);

/* Whether job, which the thread runs, is to stop because its pool is stopping or
 * has written it off. */
bool sooni_limit_is_stopping(struct sooni_limit *l,
			     const struct soon_future *job);

/*
 * sooni_sleep() on somebody else's behalf: a worker gives its place away
 * meanwhile.  a: what it sleeps for, NULL for no futures.  Then also EDEADLK:
 * that is not timed, and waits for the caller's own job.
 */
int sooni_wait_for(struct sooni_awaited *a, _Atomic uint32_t *word,
		   uint32_t mask, uint32_t was, int64_t deadline);
int sooni_wait(_Atomic uint32_t *word, uint32_t mask, uint32_t was,
	       int64_t deadline);

/* cycle.c: who waits for whom */

/*
 * The thread, which runs a job or is a worker, is going to sleep for *a, until
 * the end.  EDEADLK, unless that is timed: it would never wake; then it did not
 * begin.
 */
int sooni_await_begin(struct sooni_awaited *a);
void sooni_await_end(void);

/* In a child of fork: no jobs are listed. */
void sooni_cycle_after_fork(void);

/* All that a thread sleeps for; until visit() is false. */
void sooni_awaited_each(struct sooni_awaited *a,
			bool (*visit)(struct soon_future *f, void *ctx),
			void *ctx);

/* Under the threads' lock: list the jobs of a thread, which is the caller's or
 * held, and return the innermost; find a listed one, NULL: it is not. */
struct sooni_context *sooni_contexts_list(struct sooni_me *me, int64_t now);
struct sooni_context *sooni_context_find(const struct soon_future *job);

/*
 * What people call a job that is not done yet: its name in quotes, or its
 * function's address; returns the length.
 */
enum { SOONI_LABEL_SIZE = 48 };
size_t sooni_label(const struct soon_future *f, char text[SOONI_LABEL_SIZE]);

#endif
