/*
 * soon.h - concurrent.futures for C.
 *
 * The umbrella: includes every topic, declares nothing itself.  Each topic
 * may also be included alone.
 *
 *	soon/executor.h	worker pools, submitting jobs, what a job may call
 *	soon/future.h	one job's outcome: wait, result, cancel, callbacks
 *	soon/wait.h	many outcomes: wait, gather, map, as_completed
 *	soon/stats.h	looking into a running program
 *	soon/error.h	the library's own error codes and their texts
 *	soon/version.h	which library this is
 *
 * Rules that hold everywhere, unless an entry says otherwise:
 *
 * - Threads: every call may be made from any thread, from a job and from a
 *   callback.  No user code ever runs while the library holds a lock.
 * - Errors: makers return a pointer, or NULL with errno set.  Everything else
 *   that can fail returns 0 or a positive code, errno's or soon/error.h's, and
 *   sets its outputs to NULL or 0 first.  NULL where a handle, a function or
 *   an output is required is EINVAL.  No call aborts, prints or reads the
 *   environment.
 * - All or nothing: after an error nothing was queued, leaked or half done,
 *   and what was passed in is still the caller's.
 * - Time is soon_nsec: nanoseconds, relative, on the monotonic clock.
 */
#ifndef SOON_H
#define SOON_H

#include <soon/error.h>
#include <soon/executor.h>
#include <soon/future.h>
#include <soon/stats.h>
#include <soon/version.h>
#include <soon/wait.h>

#endif
