/*
 * soon/future.h - one job's outcome.
 *
 * A future is a counted reference to a job's outcome.  The maker that returned
 * it gave the caller one reference; soon_future_unref() gives it back.  Futures
 * outlive their executor: every call works after the executor was freed.
 *
 * Its state goes one way and each step is atomic, for everybody at once:
 *
 *	PENDING --> RUNNING --> SUCCEEDED or FAILED
 *	   |
 *	   +------> CANCELLED, or FAILED with ETIMEDOUT	(it never ran)
 *
 * A promise may also be completed while PENDING.  What the job wrote, or the
 * thread that completed the promise, happens before any call that reports it
 * done.
 */
#ifndef SOON_FUTURE_H
#define SOON_FUTURE_H

#include <soon/version.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A length of time in nanoseconds, on the monotonic clock.  As a timeout,
 * <= 0 polls and SOON_FOREVER never ends; sums saturate.
 */
typedef int64_t soon_nsec;

#define SOON_FOREVER INT64_MAX
#define SOON_USEC INT64_C(1000)
#define SOON_MSEC INT64_C(1000000)
#define SOON_SEC INT64_C(1000000000)

typedef struct soon_future soon_future;

enum soon_state {
	SOON_PENDING, /* not started */
	SOON_RUNNING,
	SOON_SUCCEEDED, /* done, with a result */
	SOON_FAILED,	/* done, with an error code */
	SOON_CANCELLED	/* done: cancelled before it started */
};

/* SOON_FAILED for NULL. */
SOON_API enum soon_state soon_future_state(const soon_future *f);

/* Whether the outcome is final: one acquire load.  True for NULL. */
SOON_API bool soon_future_done(const soon_future *f);

/*
 * Wait until the future is done.
 *
 * A job that waits without a timeout (SOON_FOREVER) for a job that has not
 * started runs that very job itself, never an unrelated one; everywhere else a
 * waiting job gives its place to another worker.  So nested waits need no free
 * worker.  A timeout cancels nothing.
 *
 * Returns 0 once done; ETIMEDOUT; EDEADLK if it never would be, because the
 * calling job would wait for itself: through jobs that all wait without a
 * timeout, on any threads and in any pools.  Of such a ring the job that would
 * close it is told, and the others wait on.  What waits by other means, or for
 * a promise, counts as if it could end; and a job with run_within, itself
 * included, will end, as it fails at its limit, unless its submitter runs it.
 * EINVAL.  Blocks.
 */
SOON_API int soon_future_wait(soon_future *f, soon_nsec timeout);

/*
 * Wait as above, then read the outcome: 0 with the result in *result (NULL
 * discards it); ETIMEDOUT while not done (soon_future_done() is then false),
 * EDEADLK, EINVAL; ECANCELED for a cancelled one; a failed job's own code.
 * *result stays the future's, which frees it with its last reference; to keep
 * it, soon_future_take() it.  May be called any number of times.
 */
SOON_API int soon_future_result(soon_future *f, soon_nsec timeout,
				void **result);

/*
 * The result, from now on the caller's: free_result will not see it.  NULL
 * when the future has not succeeded, or its result was taken before.
 * soon_future_result() and the like still show it to whoever asks.
 */
SOON_API void *soon_future_take(soon_future *f);

/*
 * Give the future the destructor for a result that nobody takes; it runs on
 * whichever thread drops the last reference, never for NULL.  Returns 0;
 * EALREADY if it has one; ENOMEM; EINVAL.
 */
SOON_API int soon_future_own(soon_future *f, void (*free_result)(void *));

/*
 * 0 for a success, the code of a failure, ECANCELED for a cancelled one, EBUSY
 * while not done, EINVAL for NULL.
 */
SOON_API int soon_future_error(soon_future *f);

/*
 * What went wrong, in words: the message given to soon_fail() or
 * soon_future_set_error(), else the code's own text; "" for a success and while
 * not done.  Never NULL; lives as long as the future.
 */
SOON_API const char *soon_future_message(soon_future *f);

/*
 * Cancel a job that has not started, or ask a running one to stop.  The same
 * goes for a promise; who completes it has soon_future_cancel_requested() to
 * ask.
 *
 * Returns 0: it is cancelled, now or before; EBUSY: it runs, and from now on
 * soon_cancel_requested() is true in it; if it had not been asked before, its
 * hooks (soon_on_cancel()) have run on this thread; EALREADY: it has finished;
 * EINVAL.  When the call that cancelled it returns, its argument has been
 * freed, and every waiter, set and callback has been told (callbacks run on the
 * thread of that call).
 */
SOON_API int soon_future_cancel(soon_future *f);

/* Whether cancellation was asked for; true of a cancelled one too. */
SOON_API bool soon_future_cancel_requested(const soon_future *f);

/*
 * Have callback(f, ctx) run once when f is done.
 *
 * Callbacks run in the order of registration, on the thread that completes or
 * cancels the job (where it expires, on one of the library's), after its state
 * is final; a waiter may read the result before they ran.  On a future that is
 * done already, callback runs at once, on the caller, maybe while earlier ones
 * are still running.  It may do anything but end its thread; it borrows f.
 *
 * Returns 0, ENOMEM (it will not run), EINVAL.
 */
SOON_API int soon_future_on_done(soon_future *f,
				 void (*callback)(soon_future *f, void *ctx),
				 void *ctx);

/*
 * What the job was submitted with; NULL for a promise.  The pointer stays the
 * same when free_arg has freed what it leads to, so where there is a free_arg
 * only the job may follow it.
 */
SOON_API void *soon_future_arg(const soon_future *f);

/*
 * One more reference; returns f.  NULL is allowed in both.  A future that more
 * than half a million references are held to at once is kept for ever.
 */
SOON_API soon_future *soon_future_ref(soon_future *f);

/*
 * One reference less.  Dropping the last does not cancel a job that has not
 * started; that to an unfinished promise fails it with SOON_EDROPPED, here,
 * callbacks included.
 */
SOON_API void soon_future_unref(soon_future *f);

/*
 * A promise: a future that is completed by hand, with the calls below.
 * free_result may be NULL.  NULL with ENOMEM.
 */
SOON_API soon_future *soon_future_new(void (*free_result)(void *));

/*
 * Mark the promise as running, so that it can no longer be cancelled, only
 * asked to stop.  0; ECANCELED when it was cancelled first; EALREADY when it is
 * running or done; EINVAL for a job's future.
 */
SOON_API int soon_future_set_running(soon_future *f);

/*
 * Complete the promise.  0; EALREADY when it is done and ECANCELED when it was
 * cancelled (result then stays the caller's); EINVAL for a job's future.
 *
 * The call that completes it, by a result or by an error, needs f only until it
 * is done: who waits for it may drop the last reference before this returns.
 * Where others may complete or cancel it, the caller needs one of its own.
 */
SOON_API int soon_future_set_result(soon_future *f, void *result);

/*
 * Fail the promise with a code other than 0 and a printf-style message, which
 * may be NULL.  Without memory the message is lost and the code survives.
 * Returns as soon_future_set_result() does; EINVAL for code 0 as well.
 */
SOON_API int soon_future_set_error(soon_future *f, int code, const char *format,
				   ...)
#if defined(__GNUC__)
	__attribute__((format(printf, 3, 4)))
#endif
	;

#ifdef __cplusplus
}
#endif

#endif
