/*
 * fork.c - what becomes of pools and futures in a child of fork.
 *
 * Of all threads the child has only the one that forked, and finds the others'
 * work in the state of one moment.  It waits for nobody and needs nothing of what
 * they were doing: each pool begins anew, empty and without threads, and each job
 * that was not done has failed.  What other threads had in hand is abandoned.
 *
 * So only a few locks are taken for the fork, those of what the child goes on
 * with: the lists of pools, sets, groups and blocks, the making of the default
 * pool, and the trace's.  The others it makes anew.  doc/protocols.md says why
 * that is right.
 */
#include "job.h"
#include "limit.h"
#include "list.h"
#include "member.h"
#include "pool.h"
#include "set.h"
#include "slab.h"
#include "sleep.h"
#include "tell.h"
#include "thread.h"
#include "timer.h"
#include "trace.h"

#include <errno.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock. */
static struct sooni_link *all;
static bool registered;

/* Each may be held by a thread that takes those below it, never above.  The first
 * may be held for long: by who writes a file. */
static void lock_all(void)
{
	sooni_trace_lock();
	sooni_default_lock();
	pthread_mutex_lock(&lock);
	sooni_set_lock_all();
	sooni_member_lock_all();
	sooni_slab_lock();
}

static void unlock_all(void)
{
	sooni_slab_unlock();
	sooni_member_unlock_all();
	sooni_set_unlock_all();
	pthread_mutex_unlock(&lock);
	sooni_default_unlock();
	sooni_trace_unlock();
}

static void begin_anew(void)
{
	struct sooni_link *link = all;

	sooni_futex_after_fork();
	sooni_sleep_after_fork();
	sooni_timer_after_fork();
	sooni_monitor_after_fork();
	sooni_limit_after_fork();
	sooni_cycle_after_fork();
	sooni_trace_after_fork();
	if (link != NULL) {
		do {
			sooni_pool_after_fork(sooni_container_of(
				link, struct soon_executor, all));
			link = link->next;
		} while (link != all);
	}
	/* After the pools, which must know the worker that the caller was. */
	sooni_thread_after_fork();
	/* Now the library is in order.  Then the futures, which tell those who
	 * wait for them, and then the sets and the groups. */
	unlock_all();
	sooni_set_fds_after_fork();
	sooni_relay_mark();
	sooni_slab_each(sooni_future_after_fork);
	sooni_set_after_fork();
	sooni_member_after_fork();
}

/*
 * Early, so that those of a program that are registered later may use pools: they
 * run before these in the parent, and after these in the child.
 */
__attribute__((constructor)) static void register_handlers(void)
{
	pthread_mutex_lock(&lock);
	if (!registered)
		registered = pthread_atfork(lock_all, unlock_all, begin_anew) ==
			     0;
	pthread_mutex_unlock(&lock);
}

int sooni_fork_enlist(struct soon_executor *e)
{
	int rc = 0;

	register_handlers();
	pthread_mutex_lock(&lock);
	if (registered)
		sooni_list_append(&all, &e->all);
	else
		rc = ENOMEM;
	pthread_mutex_unlock(&lock);
	return rc;
}

void sooni_fork_delist(struct soon_executor *e)
{
	pthread_mutex_lock(&lock);
	sooni_list_remove(&all, &e->all);
	pthread_mutex_unlock(&lock);
}
