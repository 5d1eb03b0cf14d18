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

#include <errno.h>

sooni_tls struct sooni_me sooni_me;
unsigned sooni_generation;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sooni_me *threads; /* under lock */

/* LOOKING under lock, or 0; bit 0 is SOONI_SLEEPERS. */
enum { LOOKING = 2 };

/* Between tries to start a thread. */
#define RETRY_NSEC (10 * SOON_MSEC)

/* See wait_as_other(). */
#define NAP_NSEC (50 * SOON_USEC)
#define SHORT_NSEC (100 * SOON_USEC)
enum { MANY_SHORT_WAITS = 4 };

/* Jobs that a thread which is no worker may have on its stack. */
enum { MOST_NESTED = 64 };

/* Each job reads both, which seldom change. */
alignas(SOONI_APART) _Atomic uint32_t sooni_lookers;
_Atomic uint32_t sooni_tracing;

void sooni_thread_join_list(void)
{
	if (sooni_me.thread_id == 0)
		sooni_me.thread_id = sooni_thread_id();
	pthread_mutex_lock(&lock);
	sooni_me.next = threads;
	sooni_me.link = &threads;
	if (threads != NULL)
		threads->link = &sooni_me.next;
	threads = &sooni_me;
	sooni_me.listed = true;
	sooni_me.member = sooni_me.worker;
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
	for (c = sooni_running(); c != NULL; c = c->below) {
		c->job = NULL;
		c->me = NULL;
	}
	atomic_store_explicit(&sooni_me.running, NULL, memory_order_relaxed);
	/* They are popped one after the other. */
	for (t = sooni_me.telling; t != NULL; t = t->below)
		t->home = NULL;
	sooni_me.worker = NULL;
	sooni_me.limit = NULL;
	sooni_me.all = NULL;
	sooni_me.blocking = 0;
	sooni_me.listed = false;
	sooni_me.thread_id = 0;
	sooni_me.awaited = NULL;
	/* Marks of a thread that looked at them all just then. */
	sooni_me.is_reached = false;
	sooni_me.is_stuck = false;
	sooni_me.is_told = false;
}

bool sooni_tells(const struct soon_future *f)
{
	const struct sooni_telling *t;

	for (t = sooni_me.telling; t != NULL; t = t->below)
		if (t->future == f)
			return true;
	return false;
}

void sooni_threads_lock(void)
{
	pthread_mutex_lock(&lock);
}

void sooni_threads_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

struct sooni_me *sooni_threads_hold(void)
{
	pthread_mutex_lock(&lock);
	/* seq_cst: see above. */
	atomic_exchange_explicit(&sooni_lookers, LOOKING, memory_order_seq_cst);
	return threads;
}

void sooni_threads_let_go(void)
{
	/* release: the looks come before the jobs' ends.  Pairs with the
	 * acquire in sooni_sleep(). */
	sooni_wake(&sooni_lookers,
		   atomic_exchange_explicit(&sooni_lookers, 0,
					    memory_order_acq_rel));
	pthread_mutex_unlock(&lock);
}

void sooni_threads_look(void (*look)(struct soon_future *job, void *ctx),
			void *ctx)
{
	struct sooni_me *me;
	struct sooni_context *c;

	/* seq_cst: see above. */
	for (me = sooni_threads_hold(); me != NULL; me = me->next)
		for (c = atomic_load_explicit(&me->running,
					      memory_order_seq_cst);
		     c != NULL; c = c->below)
			look(c->job, ctx);
	sooni_threads_let_go();
}

void sooni_wait_for_lookers(void)
{
	sooni_sleep(&sooni_lookers, LOOKING, LOOKING, INT64_MAX);
}

bool sooni_may_nest(void)
{
	const struct sooni_context *c;
	int depth = 0;

	for (c = sooni_running(); c != NULL; c = c->below)
		depth++;
	return depth < MOST_NESTED;
}

bool sooni_runs_here(const struct soon_future *f)
{
	const struct sooni_context *c;

	for (c = sooni_running(); c != NULL; c = c->below)
		if (c->job == f)
			return !sooni_limit_ends(sooni_me.limit, f);
	return false;
}

static void account(void (*hook)(struct sooni_worker *w), int waits)
{
	if (sooni_likely(sooni_me.worker != NULL))
		hook(sooni_me.worker);
	else
		sooni_limit_account(sooni_me.limit, hook, waits);
}

static bool is_short(void)
{
	return sooni_likely(sooni_me.worker != NULL)
		       ? sooni_me.hooks->is_short(sooni_me.worker)
		       : sooni_limit_is_short(sooni_me.limit);
}

/*
 * Others are told what the thread sleeps for only while it does sleep, not while
 * it runs what the hooks may run: see cycle.c.
 */
static int sleep_for(struct sooni_awaited *a, _Atomic uint32_t *word,
		     uint32_t mask, uint32_t was, int64_t deadline)
{
	int rc;

	if (a == NULL || (sooni_running() == NULL && sooni_me.worker == NULL))
		return sooni_sleep(word, mask, was, deadline);
	/* acquire: as in sooni_sleep(). */
	if ((atomic_load_explicit(word, memory_order_acquire) & mask) != was)
		return 0;
	rc = sooni_await_begin(a);
	if (rc != 0)
		return rc;
	rc = sooni_sleep(word, mask, was, deadline);
	sooni_await_end();
	return rc;
}

/*
 * The job that this worker waits for may be queued behind it in a pool that has
 * no other thread, and there may be none to be had just now: then it wakes now
 * and then to try again.
 */
static int wait_as_worker(struct sooni_awaited *a, _Atomic uint32_t *word,
			  uint32_t mask, uint32_t was, int64_t deadline)
{
	unsigned generation = sooni_generation;
	int64_t until;
	int rc;

	account(sooni_me.hooks->begin_wait, 1);
	do {
		/* In a child that a destructor, called by is_short(), forked
		 * the thread is no worker. */
		until = generation == sooni_generation && is_short()
				? sooni_deadline(RETRY_NSEC)
				: INT64_MAX;
		if (until > deadline)
			until = deadline;
		rc = sleep_for(a, word, mask, was, until);
	} while (rc == ETIMEDOUT && until != deadline);
	if (generation == sooni_generation)
		account(sooni_me.hooks->end_wait, -1);
	return rc;
}

/*
 * A program that waits for one short job after the other on a busy machine would
 * be woken for each, and each time take the CPU from a worker.  After a few such
 * waits the thread naps first, for about as long as a wake-up costs both sides,
 * without asking to be woken; then most of the next results are there.
 */
static int wait_as_other(struct sooni_awaited *a, _Atomic uint32_t *word,
			 uint32_t mask, uint32_t was, int64_t deadline)
{
	static _Atomic uint32_t nobody; /* wakes a nap */
	int64_t begin = sooni_now();
	int rc;

	if (sooni_me.short_waits >= MANY_SHORT_WAITS && sooni_is_crowded() &&
	    deadline > begin + NAP_NSEC) {
		sooni_sleep(&nobody, ~SOONI_SLEEPERS, 0, begin + NAP_NSEC);
		/* acquire: as in sooni_sleep(). */
		if ((atomic_load_explicit(word, memory_order_acquire) & mask) !=
		    was)
			return 0;
		begin = sooni_now();
	}
	rc = sleep_for(a, word, mask, was, deadline);
	if (sooni_now() - begin > SHORT_NSEC)
		sooni_me.short_waits = 0;
	else if (sooni_me.short_waits < MANY_SHORT_WAITS)
		sooni_me.short_waits++;
	return rc;
}

int sooni_wait_for(struct sooni_awaited *a, _Atomic uint32_t *word,
		   uint32_t mask, uint32_t was, int64_t deadline)
{
	return sooni_is_worker() ? wait_as_worker(a, word, mask, was, deadline)
				 : wait_as_other(a, word, mask, was, deadline);
}

int sooni_wait(_Atomic uint32_t *word, uint32_t mask, uint32_t was,
	       int64_t deadline)
{
	return sooni_wait_for(NULL, word, mask, was, deadline);
}

void soon_blocking_begin(void)
{
	if (sooni_me.blocking++ > 0 || !sooni_is_worker())
		return;
	account(sooni_me.hooks->begin_blocking, 0);
	is_short(); /* calls somebody who takes the place */
}

void soon_blocking_end(void)
{
	if (sooni_me.blocking > 0 && --sooni_me.blocking == 0 &&
	    sooni_is_worker())
		account(sooni_me.hooks->end_blocking, 0);
}
