/*
 * soon/group.h - jobs that end together: structured concurrency, as in Python's
 * asyncio.TaskGroup and Go's errgroup.
 *
 * A group hands jobs, its members, to an executor, and ends after the last of
 * them.  The first failure stops the group: the other members are cancelled,
 * and it takes no more.
 *
 *	soon_group *g = soon_group_new(pool);
 *
 *	for (i = 0; i < n; i++)
 *		soon_group_submit(g, fetch, urls[i]);
 *	soon_group_wait(g, SOON_FOREVER);
 *	if (soon_group_error(g) != 0)
 *		puts(soon_group_message(g));
 *	soon_group_free(g);
 *
 * Members have no futures.  Their arguments are freed as soon_job says.  Their
 * results belong to the group, which gives each to free_result; without that, as
 * the job returns, it is lost, so a result goes where the argument says.  A
 * member's memory is freed as it ends, not with the group: a group may take
 * members for ever.
 *
 * A member has ended for its group when its outcome is final, its free_arg and
 * free_result have returned, and, if it stopped the group, the others have been
 * cancelled; not always its callbacks (soon_future_on_done() in a member).  One
 * that is written off (run_within) ends so at its limit: it may still run, and
 * then what it uses must last.  What has ended happens before what follows on a
 * wait that returned 0.
 *
 * Hooks, free_arg and free_result of a member may use the group, but neither
 * wait for it nor free it: its end waits for them.
 *
 * Groups outlive their executor: every call but a submit works after the
 * executor was freed.  In a child of fork the members that had not ended have
 * failed: the group has stopped with SOON_EFORKED, unless it had before, and
 * nothing is left to wait for; other groups go on.
 */
#ifndef SOON_GROUP_H
#define SOON_GROUP_H

#include <soon/executor.h>
#include <soon/future.h>
#include <soon/job.h>
#include <soon/version.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct soon_group soon_group;

/*
 * A group without members; e == NULL is the default executor.  NULL with errno
 * ENOMEM.
 */
SOON_API soon_group *soon_group_new(soon_executor *e);

/*
 * Submit fn(arg) as a member, as soon_submit() does.  May be called while others
 * wait, by members too, and after a wait that returned 0.
 *
 * ECANCELED once the group has stopped; EINVAL, ENOMEM and the other codes of
 * soon_submit().  A failed submit leaves the group as it was.  Where the caller
 * runs the job (SOON_INLINE, a full pool), it has ended on return, and may have
 * failed: that is no error of the submit.  Blocks as soon_submit() does.
 */
SOON_API int soon_group_submit(soon_group *g, soon_fn *fn, void *arg);

/* The same with attributes, as soon_submit_job(). */
SOON_API int soon_group_submit_job(soon_group *g, const soon_job *job);

/*
 * Wait until all members have ended, in whichever way: those that there are now
 * and those that join meanwhile.
 *
 * A job that waits without a timeout runs members that have not started itself,
 * as in soon_wait_all(); otherwise it gives its place away.  0; ETIMEDOUT, which
 * cancels nothing; EDEADLK as in soon_future_wait(), also if a member waits for
 * its own group without a timeout; EINVAL.  Blocks.
 */
SOON_API int soon_group_wait(soon_group *g, soon_nsec timeout);

/*
 * What has stopped the group: 0, nothing; the code of the member that was the
 * first to fail; ECANCELED after soon_group_cancel(), or if a shutdown of the
 * executor cancelled a member (SOON_CANCEL_PENDING); EINVAL for NULL.  It is
 * known before the other members have ended, and does not change: what fails in
 * a group that has stopped is not told.  So 0 after a wait that returned 0
 * says that all have succeeded.
 *
 * Of all failures in a group only the one that stopped it goes to unread_error,
 * when the group is freed, and only if neither this nor the message was asked
 * for after it.
 */
SOON_API int soon_group_error(soon_group *g);

/*
 * The same in words: the message given to soon_fail(), else the code's own text;
 * "" for 0.  Never NULL; lives as long as the group.
 */
SOON_API const char *soon_group_message(soon_group *g);

/*
 * Stop the group: cancel the members that have not started, and ask those that
 * run to stop, as soon_future_cancel() does, on this thread.  Does nothing for
 * NULL and in a group that has stopped, even while another thread is still
 * cancelling its members.
 *
 * A member may cancel its own group, and is then asked to stop like the others.
 */
SOON_API void soon_group_cancel(soon_group *g);

/*
 * Wait for all members, however long (soon_group_cancel() first makes that
 * short), then free the group; allows NULL.  A job that the caller runs while it
 * waits may end the thread: the group is waited for and freed all the same.
 *
 * Not in one of its own members, and not while another thread may still use the
 * group, other than members.  Where jobs wait for each other in a ring this
 * waits for ever, not being able to say so.  Blocks.
 */
SOON_API void soon_group_free(soon_group *g);

#ifdef __cplusplus
}
#endif

#endif
