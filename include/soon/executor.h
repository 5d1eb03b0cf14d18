/*
 * soon/executor.h - worker pools, and what is handed to them.
 *
 * An executor owns worker threads.  They start on demand, idle ones are used
 * first, and they end when idle for long or when the executor is shut down.
 *
 * Fork.  A program may fork at any moment, on any thread, but not in a signal
 * handler.  In the child each executor begins anew, empty, and works.  The jobs
 * that the parent had not finished are failed there, with SOON_EFORKED, so that
 * waits for them return; their callbacks and destructors are not called.  Promises
 * are left as they are.  Nothing changes in the parent.
 *
 * A job that forks goes on in the child on its own: soon_self() is NULL there, and
 * when it returns nothing is settled and its thread ends, as do the jobs that wait
 * for it on that stack.  Since a process ends with its last thread, a child that
 * has used pools should call _exit() or exec; signals are blocked in it as in any
 * worker.  A callback, destructor or hook that forks returns in the child too; if
 * its thread was a worker, that then ends.  vfork and posix_spawn are of no concern;
 * after _Fork or clone the child may not use the library.
 */
#ifndef SOON_EXECUTOR_H
#define SOON_EXECUTOR_H

#include <soon/future.h>
#include <soon/version.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct soon_executor soon_executor;

/* A job; the shape of a pthread start routine.  It must return: one that ends
 * its thread instead is not supported by this release. */
typedef void *soon_fn(void *arg);

/* What a submit does while max_pending jobs wait to start. */
enum soon_overflow {
	SOON_BLOCK,	 /* wait for room */
	SOON_REJECT,	 /* fail with EAGAIN */
	SOON_CALLER_RUNS /* run the job on the submitting thread */
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
	const char *name; /* threads are NAME-1, NAME-2...; copied; "soon" */
	unsigned workers; /* jobs on a CPU at once; 0: CPUs allowed, and at
			     most max_workers if that is given */
	unsigned max_workers; /* threads at most, those blocked in system calls
				 included; 0: 256, or workers if more */
	soon_nsec idle_timeout; /* an idle thread ends then; 0: 10 s;
				   SOON_FOREVER: never */
	size_t max_pending;	/* jobs waiting to start; 0: no limit */
	enum soon_overflow when_full;
	size_t stack_size; /* of a worker, bytes; 0: the system's default */
	int (*worker_init)(void *ctx);	/* first on each worker; non-zero breaks
					   the executor */
	void (*worker_fini)(void *ctx); /* last on each worker whose init
					   succeeded */
	void *worker_ctx;
	void (*unread_error)(soon_future *f, void *ctx);
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
 * than the CPUs allow compute; 0 takes the defaults.  NULL with errno ENOMEM, or
 * EINVAL above 65534.
 */
SOON_API soon_executor *soon_executor_new(unsigned max_workers);

/*
 * A pool with options; NULL takes the defaults.  Errors, in errno: EINVAL
 * (unknown flag or value, workers > max_workers, bad size), ENOTSUP (an option
 * that this release does not offer yet: max_pending, when_full, unread_error),
 * ENOMEM.
 */
SOON_API soon_executor *soon_executor_open(const soon_executor_options *o);

/*
 * The process's own pool, made on first use, never freed; wherever work is
 * handed over NULL means it too.  At exit it finishes what was queued.  NULL
 * with errno ENOMEM.
 */
SOON_API soon_executor *soon_default_executor(void);

/* Flags of a shutdown, independent of each other. */
enum {
	/* Cancel what has not started; each future is cancelled at once. */
	SOON_CANCEL_PENDING = 1,
	/* Ask the running jobs to stop. */
	SOON_CANCEL_RUNNING = 2
};

/*
 * Close the pool and wait until it is empty.
 *
 * From the first call on, submits return ESHUTDOWN.  What was queued still runs
 * unless cancelled.  May be called again, with more flags, from any thread.
 *
 * Returns 0 when the last job and callback has ended and the threads are gone;
 * ETIMEDOUT after a positive timeout; EINPROGRESS after timeout <= 0, which
 * only begins the shutdown; EDEADLK, and the pool stays open, for a positive
 * timeout in one of the pool's own jobs or callbacks; EINVAL.  Blocks.
 */
SOON_API int soon_executor_shutdown(soon_executor *e, unsigned flags,
				    soon_nsec timeout);

/*
 * soon_executor_shutdown(e, 0, SOON_FOREVER), then free e.  Allows NULL and
 * ignores the default executor.  Not from one of the pool's own jobs.  Blocks.
 */
SOON_API void soon_executor_free(soon_executor *e);

/*
 * Queue fn(arg) and return a future on its outcome, one reference of it the
 * caller's.  e == NULL is the default executor in every submit.
 *
 * Jobs that one thread submits start in the order of submission, except one
 * that a waiting job claims.  What precedes the submit happens before the job.
 *
 * NULL with errno: EINVAL, ENOMEM, ESHUTDOWN, SOON_EBROKEN, EAGAIN (the first
 * worker could not be started).  Never blocks for long.
 */
SOON_API soon_future *soon_submit(soon_executor *e, soon_fn *fn, void *arg);

/* As soon_submit(), without a future: fire and forget.  0 or a code. */
SOON_API int soon_execute(soon_executor *e, soon_fn *fn, void *arg);

enum soon_priority { SOON_LOW = -1, SOON_NORMAL = 0, SOON_HIGH = 1 };

/*
 * All that can be said of a job.  SOON_JOB(.fn = f, .arg = a) makes a pointer
 * to one (C only); SOON_JOB_INIT initialises one in C and C++.  Copied.
 */
typedef struct soon_job {
	size_t size;
	soon_fn *fn;
	void *arg;
	const char *name;	     /* label in dumps; must outlive the job */
	int priority;		     /* enum soon_priority */
	soon_nsec delay;	     /* start no earlier than this */
	soon_nsec start_within;	     /* fail unless started by then */
	soon_nsec run_within;	     /* fail unless finished so long after it */
	void (*free_arg)(void *);    /* once, on every path of an accepted job,
					before its future is done or as it is
					cancelled; never for a failed submit */
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
 * As soon_submit(), with attributes.  Also ENOTSUP: priority, delay,
 * start_within or run_within, which this release does not offer yet.
 */
SOON_API soon_future *soon_submit_job(soon_executor *e, const soon_job *job);

/*
 * Queue n jobs at once, all or none, with one wake-up.  Job i is *each with
 * args[i] as its argument, or each->arg if args is NULL.  futures[0..n-1]
 * receive the futures; futures NULL: fire and forget.  n may be 0.  Returns 0
 * or a code as above; the array is all NULL after an error.
 */
SOON_API int soon_submit_many(soon_executor *e, const soon_job *each,
			      void *const *args, size_t n,
			      soon_future **futures);

/*
 * What a job may call about itself.
 */

/*
 * `return soon_fail(EIO, "read %s", path);` makes the job fail if it returns
 * this value.  The message may be NULL; without memory it is lost and the code
 * survives.  Code 0 counts as EINVAL.
 */
SOON_API void *soon_fail(int code, const char *format, ...)
#if defined(__GNUC__)
	__attribute__((format(printf, 2, 3)))
#endif
	;

/* The running job's future, borrowed; NULL outside a job. */
SOON_API soon_future *soon_self(void);

/* Whether somebody asked the running job to stop; false outside a job. */
SOON_API bool soon_cancel_requested(void);

/*
 * Sleep, and give the worker's place away meanwhile.  0, or ECANCELED as soon
 * as cancellation of the running job is requested.  Outside a job it sleeps.
 */
SOON_API int soon_sleep(soon_nsec duration);

/*
 * Around a call that blocks: give the place to another worker, take it back.
 * They nest; outside a worker they do nothing.
 */
SOON_API void soon_blocking_begin(void);
SOON_API void soon_blocking_end(void);

#ifdef __cplusplus
}
#endif

#endif
