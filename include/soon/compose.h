/*
 * soon/compose.h - futures that are made of others.
 *
 * Each call returns a new future, with one reference, the caller's.  All that can
 * be done with a future can be done with these: wait, cancel, call back, compose
 * again.  They need no thread of their own, and chains may have any length.
 *
 * Inputs may belong to any executor, be promises, be done already, and be given
 * twice; arrays are borrowed for the call.  An input gets a reference, given back
 * by soon_then()'s future when it is done and by the others' with their last one.
 * So an unfinished promise among the inputs is not failed with SOON_EDROPPED when
 * all other references go: its producer has to complete it.  Dropping the last
 * reference to a future made here changes nothing for those who hang on it; one
 * that nobody needs any more should be cancelled first, or it hangs on its inputs
 * for as long as these take.
 *
 * What is said to happen when an input is done happens on the thread that made it
 * so, before any callback on the input runs; callbacks come after, each on a
 * future that is done like all that depend on it.
 *
 * An error that these futures pass on, with its message, counts as read.  Their
 * own is not reported to unread_error, except that of a continuation that was
 * queued.  They cannot be completed by hand: soon_future_set_result() and the
 * like return EINVAL.  A wait for one counts as a wait for a promise where jobs
 * wait for each other: it gives the worker's place away, but no EDEADLK comes of
 * it.
 *
 * In a child of fork those that were not done have failed, with SOON_EFORKED, also
 * where all of their inputs are promises.
 *
 * Errors, all in errno with NULL: EINVAL, ENOMEM; then nothing has changed.  No
 * call blocks, unless it runs a continuation (SOON_INLINE).
 */
#ifndef SOON_COMPOSE_H
#define SOON_COMPOSE_H

#include <soon/executor.h>
#include <soon/future.h>
#include <soon/group.h>
#include <soon/version.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A continuation.  It borrows done, whose outcome it may read, and take; what it
 * returns is its own future's result, so a result of done's that it passes on
 * has to be taken; soon_future_own() says what frees it if nobody takes it.  It
 * is a job like any other: soon_fail(), soon_self() and all of soon/job.h mean
 * its own future.
 */
typedef void *soon_then_fn(soon_future *done, void *ctx);

/*
 * Run fn(f, ctx) as a job of e (NULL: the default executor) once f is done,
 * whatever its outcome.  It is queued at that moment, by the thread that
 * completes f, and also if the pool is full; so there is no order between it and
 * jobs that other threads submit.  In the executor's figures it counts from then
 * on.  In an INLINE executor it runs at once, on the thread that completes f or
 * is in this call, in its turn among the callbacks; there it may not end its
 * thread.  soon_future_arg() returns ctx.
 *
 * Cancelled before it starts it never runs, and f is left alone; it comes off f at
 * once.  A running one is asked to stop.
 *
 * An executor's end does not wait for a continuation whose input is not done, nor
 * does SOON_CANCEL_PENDING, or a broken executor, touch it: it fails when the
 * input is done, with ESHUTDOWN or SOON_EBROKEN, and does not run; also where the
 * executor was freed long ago.  So wait for a chain before you shut its executor
 * down; exit() shuts the default one down.  Called when the executor is shut down
 * or broken, this returns a future that has failed so.  If the continuation cannot
 * be queued, since the first worker cannot be started or there is no memory, it
 * fails with EAGAIN or ENOMEM.
 *
 * EINVAL: f or fn is NULL.
 */
SOON_API soon_future *soon_then(soon_future *f, soon_executor *e,
				soon_then_fn *fn, void *ctx);

/*
 * Succeeds, with the result NULL, when all have succeeded; at once for n = 0.
 * Fails at once with the first failure, which is ECANCELED for a cancelled input;
 * the others run on.  Cancelled before that, it is CANCELLED, and so is every
 * input that has not started; those that run are asked to stop.
 */
SOON_API soon_future *soon_when_all(soon_future *const *futures, size_t n);

/*
 * Succeeds when the first is done, whatever its outcome.  The result is that
 * future (of those done before the call, the lowest in the array), borrowed, also
 * if it is taken: valid as long as the new future.  Cancelling it leaves the
 * inputs alone.  n = 0: EINVAL.
 */
SOON_API soon_future *soon_when_any(soon_future *const *futures, size_t n);

/*
 * The same for the first that succeeds.  If none does it fails with the error of
 * the last, ECANCELED for a cancelled one.  The errors of all that failed until it
 * was done count as read.
 */
SOON_API soon_future *soon_first_success(soon_future *const *futures, size_t n);

/*
 * Has the outcome of f, its message included, if f is done within that time.
 * Otherwise it fails with ETIMEDOUT, and f is cancelled, or asked to stop if it
 * runs, unless it gets done just then: whoever sees the failure sees that too.
 * Hooks and callbacks run on a thread of the library's, whose work the end of f's
 * executor waits for.  A timeout <= 0 is over at once, SOON_FOREVER never.
 * Cancelling it cancels f.
 *
 * The result stays that of f: soon_future_take() takes it from both, and only f
 * frees it; soon_future_own() is passed on to f.
 *
 * Also EAGAIN: the thread that looks at the clock could not be started.
 */
SOON_API soon_future *soon_within(soon_future *f, soon_nsec timeout);

/*
 * Has the outcome of f, as above, but cancelling it leaves f alone.
 */
SOON_API soon_future *soon_shield(soon_future *f);

#ifdef __cplusplus
}
#endif

#endif
