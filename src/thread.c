/*
 * thread.c - see thread.h.
 *
 * Looking at another thread's jobs: the looker sets `sooni_lookers`, then reads
 * which job the thread runs.  A thread that ends a job first takes it off its
 * list, then reads `sooni_lookers`, and settles the job only when it is clear.
 * All four are sequentially consistent: either the looker does not see the job
 * or the job's thread sees the looker, and waits.
 */
#include "thread.h"

#include "sleep.h"

#include <soon/executor.h>

sooni_tls struct sooni_me sooni_me;
unsigned sooni_generation;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sooni_me *threads; /* under lock */

/* LOOKING under lock, or 0; bit 0 is SOONI_SLEEPERS. */
enum { LOOKING = 2 };

/* Between tries to start a thread. */
#define RETRY_NSEC (10 * SOON_MSEC)
alignas(SOONI_APART) _Atomic uint32_t sooni_lookers;

void sooni_thread_join_list(void)
{
	pthread_mutex_lock(&lock);
	sooni_me.next = threads;
	sooni_me.link = &threads;
	if (threads != NULL)
		threads->link = &sooni_me.next;
	threads = &sooni_me;
	sooni_me.listed = true;
	pthread_mutex_unlock(&lock);
}

void sooni_thread_leave_list(void)
{
	pthread_mutex_lock(&lock);
	*sooni_me.link = sooni_me.next;
	sooni_me.listed = false;
	if (sooni_me.next != NULL)
		sooni_me.next->link = sooni_me.link;
	pthread_mutex_unlock(&lock);
}

void sooni_thread_after_fork(void)
{
	struct sooni_context *c;
	struct sooni_telling *t;

	sooni_generation++;
	pthread_mutex_init(&lock, NULL);
	threads = NULL;
	/* relaxed, both: nobody else is there. */
	atomic_store_explicit(&sooni_lookers, 0, memory_order_relaxed);
	for (c = sooni_running(); c != NULL; c = c->below)
		c->job = NULL;
	atomic_store_explicit(&sooni_me.running, NULL, memory_order_relaxed);
	/* They are popped one after the other. */
	for (t = sooni_me.telling; t != NULL; t = t->below)
		t->home = NULL;
	sooni_me.worker = NULL;
	sooni_me.blocking = 0;
	sooni_me.listed = false;
}

bool sooni_tells(const struct soon_future *f)
{
	const struct sooni_telling *t;

	for (t = sooni_me.telling; t != NULL; t = t->below)
		if (t->future == f)
			return true;
	return false;
}

void sooni_threads_look(void (*look)(struct soon_future *job, void *ctx),
			void *ctx)
{
	struct sooni_me *me;
	struct sooni_context *c;

	pthread_mutex_lock(&lock);
	/* seq_cst: see above. */
	atomic_exchange_explicit(&sooni_lookers, LOOKING, memory_order_seq_cst);
	for (me = threads; me != NULL; me = me->next)
		for (c = atomic_load_explicit(&me->running,
					      memory_order_seq_cst);
		     c != NULL; c = c->below)
			look(c->job, ctx);
	/* release: the looks come before the jobs' ends.  Pairs with the
	 * acquire in sooni_sleep(). */
	sooni_wake(&sooni_lookers,
		   atomic_exchange_explicit(&sooni_lookers, 0,
					    memory_order_acq_rel));
	pthread_mutex_unlock(&lock);
}

void sooni_wait_for_lookers(void)
{
	sooni_sleep(&sooni_lookers, LOOKING, LOOKING, INT64_MAX);
}

bool sooni_runs_here(const struct soon_future *f)
{
	const struct sooni_context *c;

	for (c = sooni_running(); c != NULL; c = c->below)
		if (c->job == f)
			return true;
	return false;
}

/*
 * The job that this worker waits for may be queued behind it in a pool that has
 * no other thread, and there may be none to be had just now: then it wakes now
 * and then to try again.
 */
static int wait_as_worker(_Atomic uint32_t *word, uint32_t mask, uint32_t was,
			  int64_t deadline)
{
	struct sooni_worker *w = sooni_me.worker;
	int64_t until;
	int rc;

	sooni_me.hooks->begin_wait(w);
	do {
		until = sooni_me.hooks->is_short(w) ? sooni_deadline(RETRY_NSEC)
						    : INT64_MAX;
		if (until > deadline)
			until = deadline;
		rc = sooni_sleep(word, mask, was, until);
	} while (rc != 0 && until != deadline);
	/* Not in a child that a destructor, called by is_short(), forked. */
	if (sooni_me.worker == w)
		sooni_me.hooks->end_wait(w);
	return rc;
}

int sooni_wait(_Atomic uint32_t *word, uint32_t mask, uint32_t was,
	       int64_t deadline)
{
	return sooni_me.worker != NULL
		       ? wait_as_worker(word, mask, was, deadline)
		       : sooni_sleep(word, mask, was, deadline);
}

void soon_blocking_begin(void)
{
	if (sooni_me.blocking++ == 0 && sooni_me.worker != NULL)
		sooni_me.hooks->begin_blocking(sooni_me.worker);
}

void soon_blocking_end(void)
{
	if (sooni_me.blocking > 0 && --sooni_me.blocking == 0 &&
	    sooni_me.worker != NULL)
		sooni_me.hooks->end_blocking(sooni_me.worker);
}
