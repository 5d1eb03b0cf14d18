/*
 * park.pml - how work finds a worker: announcing and looking again, the throttle
 * on searchers and the chain of calls, the limit on those who run, blocking,
 * threads that cannot be started, threads that leave, and the pool's end.
 *
 * Publishers have one job each and a shard of their own.  Workers do what
 * worker.c and idle.c do, from atomic operation to atomic operation; taking from
 * a queue is one (deque.c is explored elsewhere).  A start of a thread is one as
 * well, for it happens under a lock.  Jobs:
 *
 *	QUICK	ends at once
 *	MEET	goes on when all such jobs have begun, and holds its place until then
 *	NEST	pushes a quick job to the worker's own queue and waits for it,
 *		having given its place away
 *	HINT	gives its place away until another job has begun, and still counts
 *		against the second limit
 *
 * When nothing moves any more nothing may be queued, and nobody may count as
 * running or searching.
 *
 * scene MEETING: two jobs that need a worker each
 * scene LIMITED: one may run
 * scene NESTING: one may run, and waits for another
 * scene BLOCKING: one may run, and blocks until another has begun
 * scene RETIRING: workers time out
 * scene UNSTARTABLE: a thread cannot be started
 * scene CLOSING: the pool is closed at any moment
 * scene CLOSING_NEST: ... also while more threads are there than may be
 * large MEETING_THREE: three jobs that need a worker each
 * large NESTING_TWICE: two that wait for others, one may run
 * large RETIRING_UNSTARTABLE: workers time out, and a thread cannot be started
 * large CLOSING_RETIRING: workers time out, and the pool is closed
 *
 * mutation NO_LOOK in MEETING: a worker that announced itself does not look again
 * mutation NO_CHAIN in MEETING: the last searcher that finds something calls
 *	nobody
 * mutation CLEARED_LATE in MEETING: a worker clears its own word after it has
 *	announced itself
 * mutation NO_TAG in RETIRING: the word has no tag
 * mutation NO_LIMIT in LIMITED: a call looks at no limit
 * mutation BLOCK_BLIND in NESTING: a worker that gives its place away does not look
 *	at the queues
 * mutation SURPLUS_SEARCHES in NESTING: a surplus worker that is called does not
 *	know that it counts as searching
 * mutation LEAVE_UNLOCKED in UNLOCKED: a worker leaves without the locks of the
 *	shards
 * mutation LEAVE_BLIND in RETIRING: ... or without a last look
 * mutation NOBODY_ALIVE in UNLOCKED: a submit relies on threads that have left
 * mutation FAILED_UNSEEN in UNSTARTABLE: nobody looks after a start that failed
 * mutation CLOSE_SILENT in CLOSING: closing calls nobody
 * mutation CLOSE_UNSEEN in CLOSING: a worker that goes idle does not look whether
 *	the pool was closed
 * mutation SURPLUS_UNSEEN in CLOSING_NEST: ... nor one that is surplus
 */

/* Sizes and jobs of the scenes.  UNLOCKED is for mutations only. */
#define QUICK 0
#define MEET 1
#define NEST 2
#define HINT 3

#define PUBLISHERS 2
#define WORKERS 2
#define LIMIT 2
#define MOST 2
#define TIMEOUTS 0
#define FAILURES 0
#define JOB QUICK
#define LAST_JOB JOB

#if defined(MEETING)
#undef JOB
#define JOB MEET
#elif defined(MEETING_THREE)
#undef JOB
#define JOB MEET
#undef PUBLISHERS
#define PUBLISHERS 3
#undef WORKERS
#define WORKERS 3
#undef LIMIT
#define LIMIT 3
#undef MOST
#define MOST 3
#endif
