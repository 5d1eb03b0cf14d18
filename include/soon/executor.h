/*
 * soon/executor.h - worker pools, and what is handed to them.
 *
 * An executor owns worker threads.  They start on demand, idle ones are used
 * first, and they end when idle for long or when the executor is shut down.
 */
#ifndef SOON_EXECUTOR_H
#define SOON_EXECUTOR_H

#include <soon/future.h>
#include <soon/job.h>
#include <soon/version.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct soon_executor soon_executor;

/*
 * What a submit does with jobs for which there is no room among max_pending.
 * Jobs that run or are delayed take no room, and one that is cancelled or that
 * a waiter starts gives it back at once.
 *
 * Submitters that wait get in in the order in which they came; one of many jobs
 * waits until all fit, and nobody passes it.  A worker never sleeps on its own
 * full pool: under SOON_BLOCK too it runs the jobs itself.  Jobs that a
 * submitter runs are done when its call returns, callbacks included.  They may
 * nest, but where they do so deeply that its stack might not suffice, the next
 * is queued although there is no room.
 */
enum soon_overflow {
	SOON_BLOCK,	 /* wait for room; more at once than max_pending are
			    EINVAL; a shutdown ends the wait: ESHUTDOWN */
	SOON_REJECT,	 /* fail with EAGAIN */
	SOON_CALLER_RUNS /* run the jobs on the submitting thread */
};

/* Flags of an executor. */
enum {
	/* A thread that is no worker and waits without a timeout for a job
	 * that has not started runs it itself. */
	SOON_HELP = 1,
	/* No threads: a submit runs the job at once, on the caller. */
	SOON_INLINE = 2
};

/*
 * Zero in a field means the default.  Make one with SOON_EXECUTOR_OPTIONS_INIT
 * so that size is set: a smaller size leaves the missing fields 0, a larger one
 * must end in zeros.
 */
typedef struct soon_executor_options {
	size_t size;
	const char *name; /* threads: NAME-1...; copied, cut to fit; "soon" */
	unsigned workers; /* jobs on a CPU at once; 0: CPUs allowed, and at
			     most max_workers if that is given */
	unsigned max_workers; /* threads at most, those blocked in system calls
				 included; 0: 256, or workers if more */
	soon_nsec idle_timeout; /* an idle thread ends then; 0: 10 s;
				   SOON_FOREVER: never */
	size_t max_pending; /* jobs waiting to start, at most; 0: no limit */
	enum soon_overflow when_full; /* means nothing without that */
	size_t stack_size; /* of a worker, bytes; 0: the system's default */
	int (*worker_init)(void *ctx);	/* first on each worker; non-zero breaks
					   the executor: see below */
	void (*worker_fini)(void *ctx); /* last on each worker whose init
					   succeeded, also if a job ended it */
	void *worker_ctx;
	void (*unread_error)(soon_future *f, void *ctx); /* see below */
	void *unread_ctx;
	unsigned flags;
} soon_executor_options;

#define SOON_EXECUTOR_OPTIONS_INIT                                           \
	{                                                                    \
		sizeof(soon_executor_options), NULL, 0, 0, 0, 0, SOON_BLOCK, \
			0, NULL, NULL, NULL, NULL, NULL, 0                   \
	}

/*
 * A pool in which up to max_workers jobs may be blocked at once, while no more
 * than the CPUs allow compute; 0 takes the defaults.  NULL with errno ENOMEM,
 * or EINVAL above 65534.
 */
SOON_API soon_executor *soon_executor_new(unsigned max_workers);

/*
 * A pool with options; NULL takes the defaults.  Errors, in errno: EINVAL
 * (unknown flag or value, negative time, workers > max_workers, either above
 * 65534, bad size), ENOMEM.
 *
 * Where worker_init fails the executor is broken: what is pending fails with
 * SOON_EBROKEN, as do submits; what runs ends as usual.  Jobs that are run by
 * their submitter or by one who waits may be on a thread without worker_init.
 *
 * unread_error(f, unread_ctx) is called once for each job that failed and whose
 * error nobody had read when the last reference to its future went, with
 * soon_execute() too, which makes none; also after the executor was freed, so
 * unread_ctx must live as long as the futures.  A read is soon_future_result(),
 * soon_future_error() or soon_future_message() after the failure; soon_gather()
 * for all that had failed as it returned a code or filled in errors; soon_map()
 * for all its jobs.  Cancellation is no error, and promises have no executor.
 * It runs on the thread that dropped the last reference, for which the shutdown
 * waits if it is a worker.  It borrows f, of which it may read all but the
 * argument that free_arg freed, and may do anything but end its thread; if it
 * takes a reference, f lives on with that, and is not reported again.
 */
SOON_API soon_executor *soon_executor_open(const soon_executor_options *o);

/*
 * The process's own pool, made on first use, never freed; wherever work is
 * handed over NULL means it too.  NULL with errno ENOMEM.
 *
 * exit() closes it, as if by atexit() at the first use, and waits for what is
 * queued, delayed or running: for ever, where a job neither ends nor is written
 * off (run_within).  A job of this pool that calls exit() is not waited for;
 * but another that waits for that one is, in vain.  No other pool is waited for.
 */
SOON_API soon_executor *soon_default_executor(void);

/* Flags of a shutdown, independent of each other. */
enum {
	/* Cancel what has not started; each future is cancelled at once. */
	SOON_CANCEL_PENDING = 1,
	/* Ask the jobs that run at that moment to stop; their hooks run in this
	 * call. */
	SOON_CANCEL_RUNNING = 2
};

/*
 * Close the pool, so that submits return ESHUTDOWN, and wait until it is empty.
 * What was queued still runs unless cancelled, delayed jobs when they are due.
 * May be called again, with more flags, from any thread.
 *
 * Returns 0 when the last job and callback has ended, worker_fini has run and
 * the threads are gone, but for those that were written off (run_within);
 * ETIMEDOUT after a positive timeout; EINPROGRESS after timeout <= 0, which
 * only begins the shutdown; EDEADLK, and the pool stays as it was, for a
 * positive timeout in one of its own jobs, hooks, callbacks, destructors,
 * worker_init or worker_fini; EINVAL for NULL and unknown flags.  Blocks.
 */
SOON_API int soon_executor_shutdown(soon_executor *e, unsigned flags,
				    soon_nsec timeout);

/*
 * soon_executor_shutdown(e, 0, SOON_FOREVER), then free e.  Allows NULL and
 * ignores the default executor.  Not in one of the pool's own jobs and whatever
 * else is named above, nor while another thread may still use e.  Blocks.
 */
SOON_API void soon_executor_free(soon_executor *e);

/*
 * Queue fn(arg) and return a future on its outcome, one reference of it the
 * caller's.  e == NULL is the default executor in every submit.
 *
 * Jobs of equal priority that one thread submits start in the order of
 * submission, except one that is delayed, that a waiting job claims or that its
 * submitter runs itself.  What precedes the submit happens before the job.
 *
 * NULL with errno: EINVAL, ENOMEM, ESHUTDOWN, SOON_EBROKEN, EAGAIN (the first
 * worker could not be started, or the pool is full).  Blocks only if the pool
 * is full (see enum soon_overflow) or SOON_INLINE.
 */
SOON_API soon_future *soon_submit(soon_executor *e, soon_fn *fn, void *arg);

/* As soon_submit(), without a future: fire and forget.  0 or a code. */
SOON_API int soon_execute(soon_executor *e, soon_fn *fn, void *arg);

/*
 * A queued job starts before those of lower priority and after those of higher,
 * whoever submitted them.  But now and then, after 250 others, one of lower
 * priority goes first: none waits for ever.
 */
enum soon_priority { SOON_LOW = -1, SOON_NORMAL = 0, SOON_HIGH = 1 };

/*
 * All that can be said of a job.  SOON_JOB(.fn = f, .arg = a) makes a pointer
 * to one that lasts to the end of the block (C only); SOON_JOB_INIT initialises
 * one in C and C++.  Copied.
 */
typedef struct soon_job {
	size_t size;
	soon_fn *fn;
	void *arg;
	const char *name;	     /* label in dumps; must outlive the job */
	int priority;		     /* enum soon_priority */
	soon_nsec delay;	     /* from submit to start, at least */
	soon_nsec start_within;	     /* from submit to start, at most; 0: any */
	soon_nsec run_within;	     /* from start to end, at most; 0: any */
	void (*free_arg)(void *);    /* once, on every path of an accepted job,
					before its future is done or as it is
					cancelled or expires, but never while
					it runs; never for a failed submit */
	void (*free_result)(void *); /* with the last reference, if the result
					is not NULL and was never taken */
} soon_job;

#define SOON_JOB_INIT                                                      \
	{                                                                  \
		sizeof(soon_job), NULL, NULL, NULL, 0, 0, 0, 0, NULL, NULL \
	}
#define SOON_JOB(...) \
	(&(const soon_job){ .size = sizeof(soon_job), __VA_ARGS__ })

/*
 * As soon_submit(), with attributes.
 *
 * A job with a delay is queued when that is over, behind what is queued by
 * then, and even if the pool is full; until then nobody runs it, not even who
 * waits for it.  A closed pool still runs it.  Cancelled, it is gone at once.
 * An INLINE pool sleeps the delay.
 *
 * A job that has not started within start_within is FAILED with ETIMEDOUT at
 * that time, and never runs, even if all workers are stuck.  Its callbacks and
 * free_arg then run on a thread of the library's that no other job waits for.
 *
 * A job that has not finished run_within after its start is asked to stop, and
 * FAILED with ETIMEDOUT at once; its hooks (soon_on_cancel), then its
 * callbacks, run as above.  Its thread is written off, and another takes its
 * place, as soon as one can be started.  Shutdown and free do not wait for it
 * any more: what the job uses, its executor included, must last until it
 * returns.  Then free_arg is called, a result goes to free_result, and the
 * thread ends, without worker_fini.  Such a job is never run by who waits for
 * it, and its thread runs no others while it waits.  Where the submitter runs
 * it (SOON_INLINE, a full pool), it is only asked to stop.
 *
 * Also EINVAL: a bad size or priority, a negative time, a start_within above 0
 * but not above delay.  EAGAIN may also say that the thread which looks at the
 * clock could not be started.
 */
SOON_API soon_future *soon_submit_job(soon_executor *e, const soon_job *job);

/*
 * Queue n jobs at once, all or none, with one wake-up.  Job i is *each with
 * args[i] as its argument, or each->arg if args is NULL (free_arg then gets
 * that n times).  futures[0..n-1] receive the futures, with a reference to
 * each; futures NULL: fire and forget.  n may be 0.  Returns 0 or a code as
 * above; the array is all NULL after an error.
 */
SOON_API int soon_submit_many(soon_executor *e, const soon_job *each,
			      void *const *args, size_t n,
			      soon_future **futures);

#ifdef __cplusplus
}
#endif

#endif
