/*
 * soon/stats.h - looking into a running program.
 */
#ifndef SOON_STATS_H
#define SOON_STATS_H

#include <soon/executor.h>
#include <soon/future.h>
#include <soon/version.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What an executor has done and is doing.  The first fields count from its
 * beginning and never go down, the others are as of now.
 *
 * submitted is succeeded + failed + cancelled + the jobs not finished yet,
 * those that run included.  threads is running + blocked + idle.
 */
typedef struct soon_stats {
	size_t size;
	uint64_t submitted; /* jobs accepted */
	uint64_t succeeded;
	uint64_t failed;
	uint64_t cancelled;	     /* before they started */
	uint64_t expired;	     /* of those that failed: for time */
	uint64_t rejected;	     /* jobs refused for lack of room */
	uint64_t claimed_by_waiters; /* run by a thread that waited for them */
	uint64_t stolen;	     /* by a worker from another's queue */
	uint64_t wakeups;	     /* calls of an idle thread to work */
	uint64_t threads_started;
	size_t pending;	  /* jobs that wait to start, those delayed not */
	size_t delayed;	  /* that may not start yet */
	unsigned threads; /* of the executor */
	unsigned running; /* of these, in a job or a callback */
	unsigned blocked; /* found asleep in a job, or waiting in the library */
	unsigned idle;	  /* without a job */
	unsigned written_off;	  /* beside these: stuck, and given up */
	soon_nsec oldest_pending; /* how long the job has waited that waits
				     longest; 0: none waits */
} soon_stats;

#define SOON_STATS_INIT                                                       \
	{                                                                     \
		sizeof(soon_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
			0, 0, 0, 0                                            \
	}

/*
 * Fill in *stats, of which stats->size bytes are written and no more; a program
 * that knows more fields than the library finds 0 in them.  e == NULL is the
 * default executor.  0; EINVAL for NULL, and for a size smaller than the size
 * itself; ENOMEM if the default executor could not be made.  Takes no lock and
 * never blocks; may be called at any rate, beside anything but the executor's
 * end.
 *
 * When nothing happens all figures are exact: what a thread knows to have
 * happened is counted.  Otherwise each is read at a moment of its own, and two
 * that belong together may be apart by what happened in between; but the sums
 * above hold always, no more have expired than failed, and nothing goes below
 * 0.
 *
 * oldest_pending costs a submit nothing, and is only so precise: to some
 * milliseconds for a job that came when none waited; else it is too long by at
 * most the time in which 16 jobs, or a sixteenth of those queued there, were
 * submitted.  A job that was cancelled while it waited counts until a worker
 * has come past it.
 */
SOON_API int soon_executor_stats(soon_executor *e, soon_stats *stats);

/*
 * Write what the executor's threads are doing to `out`, and flush that: how
 * many there are, and how many jobs wait and how long, then a line for each,
 * for threads that run a job of the executor without being its own, and for
 * those on which these wait:
 *
 *	pool: 2 threads (1 running, 1 blocked, 0 idle), about 0 jobs pending
 *	pool-2: "parse", running for 1.204 s
 *	pool-1: "main" on top of "all", waiting 1.203 s for "parse" (on pool-2)
 *
 * A job is called by soon_job.name, cut if long, one without a name by the
 * address of its function.  Where it is not known how long a job has been
 * running, a line says how long it has at least been, if it was seen before.  A
 * job whose last wait returned EDEADLK has the chain of waits on its line,
 * until it waits again or ends.  A thread that was written off is no worker any
 * more, and is shown until its job returns.  This is for people: the words may
 * change.
 *
 * e == NULL is the default executor.  May be called at any time, also from
 * jobs; meanwhile jobs cannot end for a moment.  0; EINVAL; ENOMEM; or what
 * errno says of a failed write.  Blocks as writing does, without a lock.
 */
SOON_API int soon_executor_dump(soon_executor *e, FILE *out);

/*
 * From now on write down each job that runs, on any thread of the process, with
 * its times and its outcome: a file for viewers of Chromium's Trace Event
 * Format (ui.perfetto.dev, chrome://tracing).  Jobs bear their labels, else the
 * addresses of their functions; long labels and messages are cut.
 *
 * path is created or emptied.  A job that had started before the start is left
 * out, and so is one that has not returned at the stop.  0; EBUSY while a trace
 * is being written; what opening and writing the file gave; ENOMEM, EAGAIN (no
 * more thread-specific data); EINVAL for NULL.  Blocks for the file.
 */
SOON_API int soon_trace_start(const char *path);

/*
 * Write out what all threads have, and close the file.  0; EALREADY without a
 * trace; else the first error in writing it: what came after that is not in the
 * file.  Events lost otherwise, for want of memory, are counted in an event of
 * the file.  Blocks for the file.
 *
 * The file of a process that ends without a stop lacks the latest events of
 * each thread and the closing bracket; viewers load it all the same.  In a
 * child after fork() no trace is being written.
 */
SOON_API int soon_trace_stop(void);

#ifdef __cplusplus
}
#endif

#endif
