/*
 * glib - GThreadPool with its shared threads, which grow on demand; a future
 * of GMutex and GCond; GAsyncQueue for the order of completion.
 */
#include "../bench.h"
#include <glib.h>

typedef struct group {
	char unused;
} group;

struct job {
	GMutex lock;
	GCond finished;
	gboolean done;
	job_fn *fn;
	void *arg;
	void *result;
};

typedef struct job *handle;

static GThreadPool *pool;
static GAsyncQueue *completed;

static void run_job(gpointer data, gpointer unused)
{
	struct job *job = data;
	void *result = job->fn(job->arg);

	(void)unused;
	g_mutex_lock(&job->lock);
	job->result = result;
	job->done = TRUE;
	g_cond_signal(&job->finished);
	g_mutex_unlock(&job->lock);
}

static void pool_open(int workers)
{
	pool = g_thread_pool_new(run_job, NULL, workers, FALSE, NULL);
}

static void pool_close(void)
{
	g_thread_pool_free(pool, FALSE, TRUE);
}

static void spawn(group *g, handle *h, job_fn *fn, void *arg)
{
	struct job *job = g_malloc(sizeof(*job));

	(void)g;
	g_mutex_init(&job->lock);
	g_cond_init(&job->finished);
	job->done = FALSE;
	job->fn = fn;
	job->arg = arg;
	*h = job;
	g_thread_pool_push(pool, job, NULL);
}

static void *collect(handle *h)
{
	struct job *job = *h;
	void *result;

	g_mutex_lock(&job->lock);
	while (!job->done)
		g_cond_wait(&job->finished, &job->lock);
	result = job->result;
	g_mutex_unlock(&job->lock);
	g_mutex_clear(&job->lock);
	g_cond_clear(&job->finished);
	g_free(job);
	return result;
}

/* GAsyncQueue takes no NULL, so a number travels as one more. */
#define HAS_DONE_QUEUE
static void done_open(long n)
{
	(void)n;
	completed = g_async_queue_new();
}

static void done_push(long item)
{
	g_async_queue_push(completed, pack(item + 1));
}

static long done_pop(void)
{
	return unpack(g_async_queue_pop(completed)) - 1;
}

#include "../workloads.h"
