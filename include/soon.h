/*
 * soon.h - concurrent.futures for C.
 *
 * The umbrella: includes every topic, declares nothing itself.  Each topic
 * may also be included alone.
 *
 *	soon/executor.h	worker pools, submitting jobs
 *	soon/job.h	a job, and what it may call about itself
 *	soon/future.h	one job's outcome: wait, result, cancel, callbacks;
 *			promises
 *	soon/wait.h	many outcomes: wait, gather, map, imap, as_completed
 *	soon/compose.h	futures made of others: then, when_all, within
 *	soon/group.h	jobs that end together
 *	soon/stats.h	looking into a running program
 *	soon/error.h	the library's own error codes and their texts
 *	soon/version.h	which library this is
 *
 * Rules that hold everywhere, unless an entry says otherwise:
 *
 * - Threads: every call may be made from any thread, from a job and from a
 *   callback, but none in a signal handler.  No user code ever runs while the
 *   library holds a lock.
 * - Errors: makers return a pointer, or NULL with errno set.  Everything else
 *   that can fail returns 0 or a positive code, errno's or soon/error.h's, and
 *   sets its outputs to NULL or 0 first.  NULL where a handle, a function or
 *   an output is required is EINVAL.  No call aborts, prints or reads the
 *   environment.
 * - All or nothing: after an error nothing was queued, leaked or half done,
 *   and what was passed in is still the caller's.
 * - Time is soon_nsec: nanoseconds, relative, on the monotonic clock.
 *
 * Fork.  A program may fork at any moment, on any thread, but not in a signal
 * handler.  In the child each executor begins anew, empty, and works, unless it
 * was shut down or broken.  The jobs that the parent had not finished are
 * failed there, with SOON_EFORKED, so that waits for them return; their
 * callbacks and destructors are not called, nor is unread_error.  So have futures
 * made of others that were not done.  Promises are left as they are.  Nothing
 * changes in the parent.
 *
 * A job that forks goes on in the child on its own: soon_self() is NULL there,
 * and when it returns nothing is settled and its thread ends, as do the jobs
 * that wait for it on that stack.  Since a process ends with its last thread, a
 * child that has used pools should call _exit() or exec; signals are blocked in
 * it as in any worker.  A callback, destructor or hook that forks returns in
 * the child too; if its thread was a worker, that then ends.  vfork and
 * posix_spawn are of no concern; after _Fork or clone the child may not use the
 * library.
 */
#ifndef SOON_H
#define SOON_H

#include <soon/compose.h>
#include <soon/error.h>
#include <soon/executor.h>
#include <soon/future.h>
#include <soon/group.h>
#include <soon/job.h>
#include <soon/stats.h>
#include <soon/version.h>
#include <soon/wait.h>

#endif
