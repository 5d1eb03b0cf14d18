/*
 * lost.c - threads that run a job with a limit, and may have lost their pool by
 * it: what they may still do there, and the list of those that have lost it.
 */
#include "limit.h"

#include <pthread.h>

/* Guards the lists of lost threads of all pools; taken last. */
static pthread_mutex_t lost_lock = PTHREAD_MUTEX_INITIALIZER;

/* Those that were written off, and are not back yet */

void sooni_lost_add(struct sooni_limit *l)
{
	struct sooni_home *home = l->job->home;

	pthread_mutex_lock(&lost_lock);
	l->home = home;
	sooni_list_append(&home->lost, &l->link);
	/* relaxed: it changes under the lock; others only look. */
	atomic_fetch_add_explicit(&home->written_off, 1, memory_order_relaxed);
	pthread_mutex_unlock(&lost_lock);
}

void sooni_lost_remove(struct sooni_limit *l)
{
	pthread_mutex_lock(&lost_lock);
	if (l->home != NULL) {
		sooni_list_remove(&l->home->lost, &l->link);
		/* relaxed: as above. */
		atomic_fetch_sub_explicit(&l->home->written_off, 1,
					  memory_order_relaxed);
	}
	pthread_mutex_unlock(&lost_lock);
}

void sooni_limit_forget(struct sooni_home *home)
{
	struct sooni_link *link;

	pthread_mutex_lock(&lost_lock);
	while ((link = sooni_list_shift(&home->lost)) != NULL)
		sooni_container_of(link, struct sooni_limit, link)->home = NULL;
	pthread_mutex_unlock(&lost_lock);
}

void sooni_limit_after_fork(void)
{
	pthread_mutex_init(&lost_lock, NULL);
}

/* While the job runs */

void sooni_limit_account(struct sooni_limit *l,
			 void (*hook)(struct sooni_worker *w), int waits)
{
	pthread_mutex_lock(&l->lock);
	if (l->worker != NULL) {
		hook(l->worker);
		l->waits += (unsigned)waits;
	}
	pthread_mutex_unlock(&l->lock);
}

/* As the hook may come to run the user's code, it is called without the lock,
 * but as a guest, so that the pool stays whatever happens to the thread. */
bool sooni_limit_is_short(struct sooni_limit *l)
{
	struct sooni_home *home = l->job->home;
	unsigned generation = sooni_generation;
	struct sooni_worker *w;
	bool is_short;

	pthread_mutex_lock(&l->lock);
	w = l->worker;
	if (w != NULL)
		/* relaxed: what keeps it from ending goes later, with a
		 * release. */
		atomic_fetch_add_explicit(&home->guests, 2,
					  memory_order_relaxed);
	pthread_mutex_unlock(&l->lock);
	if (w == NULL)
		return false;
	is_short = l->hooks->is_short(w);
	if (generation == sooni_generation)
		sooni_home_leave(home);
	return is_short;
}

bool sooni_limit_is_stopping(struct sooni_limit *l,
			     const struct soon_future *job)
{
	bool mine = job == l->job;
	bool is_stopping;

	/* Once it is written off the pool may have gone.  A job that the thread
	 * runs for itself meanwhile has its pool. */
	pthread_mutex_lock(&l->lock);
	is_stopping = (mine && l->worker == NULL) ||
		      /* seq_cst: see sooni_is_asked(). */
		      atomic_load_explicit(&job->home->stopping,
					   memory_order_seq_cst);
	pthread_mutex_unlock(&l->lock);
	return is_stopping;
}

bool sooni_limit_ends(const struct sooni_limit *l,
		      const struct soon_future *job)
{
	return l != NULL && l->job == job;
}

static bool is_lost(struct sooni_limit *l)
{
	bool lost;

	pthread_mutex_lock(&l->lock);
	lost = l->worker == NULL;
	pthread_mutex_unlock(&l->lock);
	return lost;
}

bool sooni_limit_has_lost(const struct soon_future *job)
{
	return sooni_limit_ends(sooni_me.limit, job) && is_lost(sooni_me.limit);
}

bool sooni_limit_holds(const struct sooni_home *home)
{
	return sooni_me.limit != NULL && sooni_me.limit->job->home == home &&
	       !is_lost(sooni_me.limit);
}
