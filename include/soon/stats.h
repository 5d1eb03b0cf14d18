/*
 * soon/stats.h - looking into a running program.
 */
#ifndef SOON_STATS_H
#define SOON_STATS_H

#include <soon/executor.h>
#include <soon/version.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Write what the executor's threads are doing to `out`, and flush that: how many
 * there are, then a line for each, for threads that run a job of the executor
 * without being its own, and for those on which these wait:
 *
 *	pool-2: "parse", running for 1.204 s
 *	pool-1: "main" on top of "all", waiting 1.203 s for "parse" (on pool-2)
 *
 * A job is called by soon_job.name, cut if long, one without a name by the
 * address of its function.  Where it is not known how long a job has been
 * running, a line says how long it has at least been, if it was seen before.  A
 * job whose last wait returned EDEADLK has the chain of waits on its line, until
 * it waits again or ends.  This is for people: the words may change.
 *
 * e == NULL is the default executor.  May be called at any time, also from jobs;
 * meanwhile jobs cannot end for a moment.  0; EINVAL; ENOMEM; or what errno says
 * of a failed write.  Blocks as writing does, without a lock.
 */
SOON_API int soon_executor_dump(soon_executor *e, FILE *out);

#ifdef __cplusplus
}
#endif

#endif
