/*
 * soon/job.h - a job, and what it may call about itself.
 *
 * All calls here may be made anywhere; each says what it does outside a job.
 */
#ifndef SOON_JOB_H
#define SOON_JOB_H

#include <soon/future.h>
#include <soon/version.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A job; the shape of a pthread start routine.
 *
 * One that leaves by pthread_exit(), or whose thread is cancelled with
 * pthread_cancel() while it runs, fails with SOON_EEXITED, and so does every
 * job that waits below it on the same stack.  Each one's own cleanup handlers
 * run first, then its free_arg.  The thread ends, after worker_fini if it is a
 * worker, which the pool replaces; a thread that is no worker and runs the job
 * (SOON_HELP, SOON_INLINE, a worker of another pool) ends as well, and of a
 * submit that was running several the rest fail too.  The stack is unwound:
 * frames of C++ may not stop that, nor may there be code that was compiled
 * without unwind tables (32-bit ARM: -funwind-tables).  No exception may leave
 * a job, or anything else that the library calls.
 *
 * No call of this library is a cancellation point: a cancellation that comes
 * during one, soon_sleep() and waits included, is acted on at the next point of
 * the job's own, or of the next job's if there is none, unless the job was
 * disabling it.  Hooks, callbacks, destructors, worker_init and worker_fini may
 * not end their thread, nor may a job that one of them waits for and runs
 * itself; cancellation is disabled while they run.  A job may not call the
 * library, or return to it, while its thread can be cancelled asynchronously.
 *
 * What else a job changes of its thread (signal mask, cancelability, locale,
 * rounding mode, name, priority) stays changed: a later job may find it so, and one
 * that minds has to put it back.  The pool works all the same.
 */
typedef void *soon_fn(void *arg);

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
 * A descriptor that is readable once somebody has asked the running job to
 * stop, also if that was before the call: poll it beside what the job waits
 * for.  It is the same in every call of one job, belongs to the job, is closed
 * at the job's end, and is neither to be read nor to be closed.  -1 with errno
 * ENOMEM, EMFILE, ENFILE; EINVAL outside a job.
 */
SOON_API int soon_cancel_fd(void);

/*
 * Have hook(ctx) called when somebody asks the running job to stop, to get the
 * job out of what it blocks in: shutdown(fd), pthread_kill().
 *
 * Hooks are a stack.  They run once each, the newest first, on the thread that
 * asks (that of soon_future_cancel(), of soon_executor_shutdown()), before its
 * call returns; at the limit of run_within on one of the library's.  Who asks
 * again, meanwhile or later, runs none and does not wait for them.  If the job
 * was asked to stop already, hook runs at once, in the caller; and a job that
 * finds out by itself, in one of the calls here, that its pool has been told to
 * stop, runs its hooks itself.  They belong to the innermost job that the
 * thread runs.
 *
 * A hook runs without locks of the library.  It may call anything, also what is
 * here, which then is about the job that its own thread runs, if any.  It may
 * not end its thread, nor wait for its job, whose end waits for it.
 *
 * 0; ENOMEM: it will not run; EINVAL: no hook, or outside a job.
 */
SOON_API int soon_on_cancel(void (*hook)(void *ctx), void *ctx);

/*
 * Take the newest hook off the stack, whether or not it has run.  When this
 * returns it is not running and never will, except inside the hook itself.
 * Blocks while another thread runs it, with the worker's place given away.  At
 * the end of the job, before free_arg and before the future is done, the rest
 * are taken off in the same way: the hooks of a job that sees the request by
 * itself, and returns, may not have run.  Does nothing without a hook.
 */
SOON_API void soon_off_cancel(void);

/*
 * Sleep, and give the worker's place away meanwhile.  0, or ECANCELED as soon
 * as cancellation of the running job is requested.  Outside a job it sleeps.
 * Blocks.
 */
SOON_API int soon_sleep(soon_nsec duration);

/*
 * Around a call that blocks: give the place to another worker, as far as
 * max_workers allows, and take it back.  They nest, and end with the job;
 * outside a worker they do nothing.  Without them the pool finds out by itself,
 * a moment later, if other jobs are waiting.
 */
SOON_API void soon_blocking_begin(void);
SOON_API void soon_blocking_end(void);

#ifdef __cplusplus
}
#endif

#endif
