/*
 * soon/wait.h - many outcomes at once.
 *
 * Arrays of futures are borrowed for the call and may mix executors, hold
 * promises and name a future twice; a NULL among them is EINVAL.  n = 0 is done
 * at once unless an entry says otherwise (the array may then be NULL).
 *
 * A job that waits here gives its place away.  Waiting for all without a
 * timeout (soon_wait_all, soon_gather, soon_map) it first runs the awaited jobs
 * that have not started, as soon_future_wait() does.
 *
 * EDEADLK is as in soon_future_wait().  A wait that needs all is told of one
 * that would never be done; one that a single future may end (soon_wait_any,
 * FIRST_COMPLETED, FIRST_ERROR, soon_gather without errors, a set) only when
 * none of those left would be.
 */
#ifndef SOON_WAIT_H
#define SOON_WAIT_H

#include <soon/executor.h>
#include <soon/future.h>
#include <soon/version.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum soon_when {
	SOON_ALL_COMPLETED,
	SOON_FIRST_COMPLETED,
	/* One failed or was cancelled, or all are done.  Python ignores
	 * cancellation here; a cancelled job is an answer that will not come,
	 * so this does not. */
	SOON_FIRST_ERROR
};

/*
 * Wait until the condition holds.  *done (may be NULL) receives how many
 * distinct futures are done on return, also after ETIMEDOUT.  Returns 0,
 * ETIMEDOUT, EDEADLK, ENOMEM, EINVAL.  Blocks.
 */
SOON_API int soon_wait(soon_future *const *futures, size_t n,
		       enum soon_when when, soon_nsec timeout, size_t *done);

/* Wait for all; returns as soon_wait() does.  Blocks. */
SOON_API int soon_wait_all(soon_future *const *futures, size_t n,
			   soon_nsec timeout);

/*
 * Wait for one; *index is the lowest of those done.  n = 0 is EINVAL; otherwise
 * returns as soon_wait() does.  Blocks.
 */
SOON_API int soon_wait_any(soon_future *const *futures, size_t n,
			   soon_nsec timeout, size_t *index);

/*
 * Collect results in the order of the array, whatever the order of completion;
 * a future given twice fills both slots.  results (n slots, may be NULL) are
 * borrowed from the futures; a slot without one is NULL.
 *
 * errors == NULL fails fast: returns the code of the first seen to fail (of
 * several failed before the call, the lowest index; ECANCELED for a cancelled
 * one) and lets the others run on.  Unless it returns 0, results is all NULL.
 *
 * errors (n slots) waits for all: errors[i] is 0, the code, ECANCELED, or after
 * a timeout or EDEADLK EBUSY for one that is not done; returns 0, ETIMEDOUT or
 * EDEADLK.
 *
 * Also ENOMEM, EINVAL.  Blocks.
 */
SOON_API int soon_gather(soon_future *const *futures, size_t n,
			 soon_nsec timeout, void **results, int *errors);

/*
 * Run *each for every argument (as soon_submit_many() does) and gather.
 *
 * Returning 0, it has taken the results it stored: they are the caller's, and
 * what failed is in errors.  Otherwise it has cancelled what had not started,
 * results is all NULL and is never looked at again, and every result goes to
 * each->free_result; what had started runs on, with its argument.  errors is as
 * in soon_gather().  Also the codes of soon_submit_many().  Blocks.
 */
SOON_API int soon_map(soon_executor *e, const soon_job *each, void *const *args,
		      size_t n, soon_nsec timeout, void **results, int *errors);

/*
 * A set of futures that gives them back as they are done.
 *
 * It holds a reference to each until next() has returned it.  Any number of
 * threads may use it, except that free() comes last.  What next() returned to one
 * of them is given up by the next() of another, so the program then has to hold
 * references of its own, from before.
 */
typedef struct soon_completions soon_completions;

/* n may be 0; a future given twice counts once.  NULL with EINVAL, ENOMEM. */
SOON_API soon_completions *soon_as_completed(soon_future *const *futures,
					     size_t n);

/*
 * One more, also while iterating and after next() returned it before; one that
 * is in the set already changes nothing.  If it is done, it comes behind those
 * that were done before this call.  0, ENOMEM, EINVAL.
 */
SOON_API int soon_completions_add(soon_completions *set, soon_future *f);

/*
 * The next that is done: first those that were when the set was made, in the
 * order given, then in the order of completion.  Each once.  *f is borrowed until
 * the following next(), also one that times out, or free().  0; ENODATA: none
 * left; ETIMEDOUT; EDEADLK: none of those left would ever be done; EINVAL.
 * Blocks.
 *
 * In a child of fork, next() and add() return SOON_EFORKED for a set in which
 * another thread of the parent was busy, not asleep, at that moment.
 */
SOON_API int soon_completions_next(soon_completions *set, soon_nsec timeout,
				   soon_future **f);

/* How many next() has yet to return, done or not. */
SOON_API size_t soon_completions_left(const soon_completions *set);

/*
 * A descriptor to poll, in poll(), epoll or whatever loop there is: readable while
 * next() would not block, so also when none is left; stop watching it at ENODATA.
 * Completions that come together make it so once.  With EPOLLET, an edge comes
 * whenever there is something again after next() has returned ETIMEDOUT or
 * ENODATA.
 *
 * Made by the first call, and the same from then on.  It belongs to the set: not
 * to be read, written or closed.  In a child of fork the number is the child's
 * own, for the child's set; an epoll instance of the parent knows the parent's.
 *
 * -1 with errno: EMFILE, ENFILE, ENOMEM, EINVAL; SOON_EFORKED as in next().
 */
SOON_API int soon_completions_fd(soon_completions *set);

/* Waits for nothing; closes the descriptor; allows NULL. */
SOON_API void soon_completions_free(soon_completions *set);

/*
 * A map over arguments that need not all be there at once: they are drawn from a
 * source as results are taken, which come in the same order.  Of what was drawn
 * and not yet returned there are `window` jobs at most, queued, running or done:
 * so memory is bounded however many arguments there are.
 *
 * One thread at a time may use it.
 */
typedef struct soon_imap soon_imap;

/*
 * One more argument in *arg, and 0; ENODATA: there are no more, and it is not
 * called again; or another code, which comes in place of a result and ends
 * nothing (EINVAL instead of ETIMEDOUT and EDEADLK, which soon_imap_next() says
 * itself). Called within soon_imap_next(), with thread cancellation disabled.
 * May do anything but use the map, free the executor or end its thread.
 */
typedef int soon_source(void *ctx, void **arg);

/*
 * Draws nothing yet.  Jobs are *each, which is copied, with an argument each.  e
 * must last to the latest next(); NULL is the default executor.  NULL with errno:
 * EINVAL, also for a window of 0; ENOMEM.
 */
SOON_API soon_imap *soon_imap_new(soon_executor *e, const soon_job *each,
				  soon_source *source, void *ctx,
				  size_t window);

/*
 * The next in order: draw and submit, one in any case and more until it is done or
 * the window full; then wait as soon_future_wait() does.  *f is borrowed until the
 * following next(), also one that times out, or free().
 *
 * Returns 0 with a future that is done, whose error counts as read; ENODATA: none
 * left.  With NULL in *f and a place of its own in the order: the source's code,
 * or that of a submit that failed, whose argument free_arg has got; or SOON_EEXITED
 * if the submit itself ran the job and that ended the thread.  Also, and nothing is
 * lost: ETIMEDOUT; EDEADLK; EINVAL; EBUSY: it is in use, by another thread or below
 * on the stack; SOON_EFORKED: it was, by another thread, when the parent forked.
 *
 * In a full pool it draws more only if there is nothing else to wait for; then
 * SOON_BLOCK may take longer than the timeout, unless that is <= 0, as may the
 * source.  Blocks.
 */
SOON_API int soon_imap_next(soon_imap *m, soon_nsec timeout, soon_future **f);

/*
 * Cancels what has not started and waits for nothing: what runs goes on, and its
 * result to free_result.  Unread errors count as read.  Allows NULL.
 */
SOON_API void soon_imap_free(soon_imap *m);

#ifdef __cplusplus
}
#endif

#endif
