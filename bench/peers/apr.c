/*
 * apr - apr_thread_pool with a hand-written future, apr_queue for the order of
 * completion.
 */
#include "../future.h"
#include <apr_general.h>
#include <apr_queue.h>
#include <apr_thread_pool.h>

static apr_pool_t *memory;
static apr_thread_pool_t *pool;
static apr_queue_t *completed;

static void *APR_THREAD_FUNC run_job(apr_thread_t *thread, void *job)
{
	(void)thread;
	future_run(job);
	return NULL;
}

static void pool_open(int workers)
{
	apr_size_t threads = (apr_size_t)workers;

	apr_initialize();
	apr_pool_create(&memory, NULL);
	apr_thread_pool_create(&pool, threads, threads, memory);
}

static void pool_close(void)
{
	apr_thread_pool_destroy(pool);
	apr_pool_destroy(memory);
}

static void spawn(group *g, handle *h, job_fn *fn, void *arg)
{
	(void)g;
	*h = future_new(fn, arg);
	apr_thread_pool_push(pool, run_job, *h, APR_THREAD_TASK_PRIORITY_NORMAL,
			     NULL);
}

/* The queue returns NULL on failure, so a number travels as one more. */
#define HAS_DONE_QUEUE
static void done_open(long n)
{
	apr_queue_create(&completed, (unsigned)n, memory);
}

static void done_push(long item)
{
	apr_queue_push(completed, pack(item + 1));
}

static long done_pop(void)
{
	void *item = NULL;

	apr_queue_pop(completed, &item);
	return unpack(item) - 1;
}

#include "../workloads.h"
