/*
 * park.c - publishers and workers around one counter of jobs: park.c and
 * sleep.c, in a pool cut down to what calls them.
 *
 * A worker does what worker.c and idle.c do, in the same order.
 */
#include "scene.h"

#include "count.h"
#include "os.h"
#include "park.h"

#include <errno.h>
#include <pthread.h>

enum { MOST = 3 };

static struct sooni_park park;
static struct worker {
	struct sooni_parker parker;
	unsigned thread;
	bool has_thread;
} workers[MOST];
static pthread_mutex_t lock; /* starting threads */
static _Atomic uint32_t queue;
static _Atomic uint32_t closed;
static count ran;
static uint32_t published;
static uint32_t limit;
static uint32_t in_jobs; /* workers, those who block aside */
static uint32_t most_in_jobs;
static int64_t patience; /* of idle workers */
static void (*job)(void);

static void *worker_main(void *worker);

static bool has_work(void)
{
	return atomic_load_explicit(&queue, memory_order_seq_cst) > 0;
}

static bool take(void)
{
	uint32_t n = atomic_load_explicit(&queue, memory_order_seq_cst);

	while (n > 0)
		if (atomic_compare_exchange_weak_explicit(&queue, &n, n - 1,
							  memory_order_seq_cst,
							  memory_order_seq_cst))
			return true;
	return false;
}

/* On the worker of k, whose thread has left, or on a new one. */
static void start(struct sooni_parker *k)
{
	struct worker *w;

	pthread_mutex_lock(&lock);
	if (k != NULL) {
		w = sooni_container_of(k, struct worker, parker);
		sched_join(w->thread);
	} else {
		w = &workers[sooni_park_count(&park)];
		sched_check(w < workers + MOST);
		sched_check(sooni_park_add(&park, &w->parker) == 0);
	}
	w->thread = sched_spawn("worker", worker_main, w);
	w->has_thread = true;
	pthread_mutex_unlock(&lock);
}

static void call(void)
{
	struct sooni_parker *k = NULL;

	if (sooni_park_call(&park, SOONI_ANYBODY, &k) == SOONI_CALL_START)
		start(k);
}

static void publish(void)
{
	atomic_fetch_add_explicit(&queue, 1, memory_order_seq_cst);
	call();
}

static void do_job(void)
{
	if (++in_jobs > most_in_jobs)
		most_in_jobs = in_jobs;
	job();
	in_jobs--;
	count_up(&ran);
}

/* False: the thread has left. */
static bool wait_for_call(struct worker *w)
{
	while (sooni_park_wait(&w->parker, patience) != 0)
		if (sooni_park_leave(&w->parker))
			return false;
	return true;
}

/* Nothing was found; false: the thread ends. */
static bool rest(struct worker *w, bool searching)
{
	if (atomic_load_explicit(&closed, memory_order_seq_cst)) {
		sooni_park_exit(&park, searching);
		if (has_work())
			call();
		return false;
	}
	sooni_park_announce(&park, &w->parker, searching);
	if (atomic_load_explicit(&closed, memory_order_seq_cst))
		sooni_park_call_all(&park);
	else if (has_work())
		call();
	return wait_for_call(w);
}

static bool rest_if_surplus(struct worker *w, bool *searching)
{
	if (!sooni_park_is_over(&park) ||
	    !sooni_park_surplus(&park, &w->parker))
		return true;
	*searching = true;
	if (atomic_load_explicit(&closed, memory_order_seq_cst))
		sooni_park_call_all(&park);
	return wait_for_call(w);
}

static void *worker_main(void *worker)
{
	struct worker *w = worker;
	bool searching = true;
	bool stays = true;

	while (stays) {
		if (!take()) {
			stays = rest(w, searching);
			searching = true;
			continue;
		}
		if (searching && sooni_park_found(&park) && has_work())
			call();
		searching = false;
		do_job();
		stays = rest_if_surplus(w, &searching);
	}
	return NULL;
}

/* Jobs */

static void yield(void)
{
	sooni_yield();
}

/* Goes on once all jobs have begun, and holds its place meanwhile. */
static count begun;

static void meet(void)
{
	count_up(&begun);
	count_await(&begun, published);
}

/* The same, but gives its place away. */
static void block(void)
{
	sooni_park_block(&park, false);
	in_jobs--;
	if (has_work())
		call();
	meet();
	in_jobs++;
	sooni_park_unblock(&park, false);
}

/* Pools */

static void open_park(void (*what)(void), uint32_t jobs, uint32_t may_run)
{
	uint32_t i;

	sooni_park_init(&park, may_run, MOST);
	pthread_mutex_init(&lock, NULL);
	atomic_init(&queue, 0);
	atomic_init(&closed, 0);
	atomic_init(&ran, 0);
	atomic_init(&begun, 0);
	for (i = 0; i < MOST; i++)
		workers[i].has_thread = false;
	published = jobs;
	limit = may_run;
	in_jobs = 0;
	most_in_jobs = 0;
	patience = INT64_MAX;
	job = what;
}

/* All jobs are run by themselves; then all threads end. */
static void close_park(void)
{
	uint32_t i;

	count_await(&ran, published);
	atomic_exchange_explicit(&closed, 1, memory_order_seq_cst);
	sooni_park_call_all(&park);
	for (i = 0; i < MOST; i++)
		if (workers[i].has_thread)
			sched_join(workers[i].thread);
	/* Nobody runs, nobody searches. */
	sched_check((park.word & UINT32_MAX) == 0);
	sooni_park_fini(&park);
}

static void *publish_one(void *unused)
{
	publish();
	return unused;
}

static void two_publish(void)
{
	unsigned a = sched_spawn("A", publish_one, NULL);

	publish();
	sched_join(a);
}

/* Jobs that wait for each other: so all must have a worker at once. */
static void meeting(void)
{
	open_park(meet, 2, 2);
	two_publish();
	close_park();
}

/* One job before them, so that there is a worker, idle now or soon. */
static void warm(void)
{
	published = 1;
	publish();
	count_await(&ran, 1);
	published = 2;
	atomic_init(&begun, 0);
	atomic_init(&ran, 0);
}

static void meeting_again(void)
{
	open_park(meet, 2, 2);
	warm();
	two_publish();
	close_park();
}

static void limited(void)
{
	open_park(yield, 2, 1);
	two_publish();
	close_park();
	sched_check(most_in_jobs <= limit);
}

/* One may run, but those that block give their place to another. */
static void blocking(void)
{
	open_park(block, 2, 1);
	two_publish();
	close_park();
}

/* Idle workers leave, at a bad moment. */
static void retiring(void)
{
	open_park(meet, 2, 2);
	patience = 2;
	warm();
	two_publish();
	close_park();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "park: meeting", meeting, 1, 0, 0, false },
		{ "park: meeting again", meeting_again, 1, 0, 0, false },
		{ "park: limited", limited, 2, 0, 0, false },
		{ "park: blocking", blocking, 1, 0, 0, false },
		{ "park: retiring", retiring, 1, 1, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
