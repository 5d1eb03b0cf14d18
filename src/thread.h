/*
 * thread.h - what each thread is doing: the jobs that it runs, and how it
 * waits.
 *
 * A waiting worker gives its place to another and may run the awaited job
 * itself; only worker.c knows how, so it fills in these hooks when a worker
 * starts.  Threads that are no workers have none.
 */
#ifndef SOONI_THREAD_H
#define SOONI_THREAD_H

#include "compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct soon_future;
struct sooni_home;
struct sooni_worker;

/* A running job; these lie on the stack of the thread that runs them. */
struct sooni_context {
	struct soon_future *job; /* NULL: it forked, and this is the child */
	struct sooni_context *below; /* the job that waits for this one */
	int code;		     /* of the latest soon_fail(); 0: none */
	char *message;
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
	/* The worker is about to run code of the user's that is no job. */
	void (*before_user)(struct sooni_worker *w);
};

/* One to a thread. */
struct sooni_me {
	/* the innermost job; the thread writes, sooni_threads_look() reads */
	_Atomic(struct sooni_context *) running;
	struct sooni_telling *telling;
	struct sooni_worker *worker; /* NULL: no worker */
	const struct sooni_hooks *hooks;
	unsigned blocking; /* how deep in soon_blocking_begin() */
	unsigned shard;	   /* where it submits; 0: not chosen yet */
	bool listed;	   /* it is in the list of threads that run jobs */
	struct sooni_me *next;
	struct sooni_me **link;
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
	if (sooni_me.worker != NULL)
		sooni_me.hooks->before_user(sooni_me.worker);
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
void sooni_wait_for_lookers(void);

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

/* Whether f is a job that this thread is running. */
bool sooni_runs_here(const struct soon_future *f);

/*
 * sooni_sleep() on somebody else's behalf: a worker gives its place away
 * meanwhile.
 */
int sooni_wait(_Atomic uint32_t *word, uint32_t mask, uint32_t was,
	       int64_t deadline);

#endif
