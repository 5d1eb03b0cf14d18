/*
 * uv - uv_queue_work on libuv's pool, of which a process has one.
 *
 * A result arrives on the loop of the thread that submitted the job, so every
 * thread that submits, workers included, has a loop of its own and turns it
 * while it waits.
 */
#include "../bench.h"
#include <uv.h>

typedef struct group {
	char unused;
} group;

struct job {
	uv_work_t work;
	job_fn *fn;
	void *arg;
	void *result;
	int done;
	struct job *next; /* in the order of completion */
};

typedef struct job *handle;

static _Thread_local uv_loop_t loop;
static _Thread_local int loop_is_open;
static _Thread_local struct job *first_done, *last_done;

static void run_job(uv_work_t *work)
{
	struct job *job = work->data;

	job->result = job->fn(job->arg);
}

static void job_finished(uv_work_t *work, int status)
{
	struct job *job = work->data;

	(void)status;
	job->done = 1;
	job->next = NULL;
	if (last_done != NULL)
		last_done->next = job;
	last_done = job;
	if (first_done == NULL)
		first_done = job;
}

static void pool_open(int workers)
{
	char size[16];

	snprintf(size, sizeof(size), "%d", workers);
	setenv("UV_THREADPOOL_SIZE", size, 1);
}

static void pool_close(void)
{
}

static void spawn(group *g, handle *h, job_fn *fn, void *arg)
{
	struct job *job = malloc(sizeof(*job));

	(void)g;
	if (job == NULL)
		abort();
	if (!loop_is_open) {
		uv_loop_init(&loop);
		loop_is_open = 1;
	}
	job->work.data = job;
	job->fn = fn;
	job->arg = arg;
	job->done = 0;
	*h = job;
	uv_queue_work(&loop, &job->work, run_job, job_finished);
}

static void *collect(handle *h)
{
	struct job *job = *h;
	void *result;

	while (!job->done)
		uv_run(&loop, UV_RUN_ONCE);
	result = job->result;
	if (last_done == job)
		last_done = NULL;
	if (first_done == job)
		first_done = NULL;
	free(job);
	return result;
}

/* The loop is the queue of finished jobs. */
#define HAS_DONE_QUEUE
static void done_open(long n)
{
	(void)n;
}

static void done_push(long item)
{
	(void)item;
}

static long done_pop(void)
{
	struct job *job;

	while (first_done == NULL)
		uv_run(&loop, UV_RUN_ONCE);
	job = first_done;
	first_done = job->next;
	return unpack(job->arg);
}

#define NO_LIFECYCLE /* the pool lives as long as the process */
#include "../workloads.h"
