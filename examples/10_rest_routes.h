/*
 * 10_rest_routes.h - what is served, by which jobs on which executor.
 */
#include "10_rest_http.h"
#include "10_rest_items.h"
#include "10_rest_upstream.h"

static soon_executor *caller; /* its jobs run on the thread that submits them */

/* What is going on; also told while all workers are busy. */
static void *stats(void *request)
{
	soon_stats s = SOON_STATS_INIT;
	char *json;

	(void)request;
	soon_executor_stats(pool, &s);
	pthread_mutex_lock(&lock);
	size_t n = requests;
	pthread_mutex_unlock(&lock);
	if (asprintf(&json,
		     "{\"requests\":%zu,\"pending\":%zu,\"delayed\":%zu,"
		     "\"threads\":%u,\"blocked\":%u}",
		     n, s.pending, s.delayed, s.threads, s.blocked) < 0)
		return soon_fail(ENOMEM, NULL);
	return json;
}

/* The job was delayed for as long as it says, and no thread with it. */
static void *slept(void *request)
{
	const struct request *r = request;
	char *json;

	if (asprintf(&json, "{\"slept_ms\":%s}", r->argument) < 0)
		return soon_fail(ENOMEM, NULL);
	return json;
}

static struct route routes[] = {
	{ "/items", list_items, add_item, &pool, "after", false },
	{ "/items/", get_item, NULL, &pool, NULL, false },
	{ "/fetch", fetch_one, NULL, &pool, "ms", false },
	{ "/gather", fetch_all, NULL, &pool, "ms", false },
	{ "/sleep", slept, NULL, &pool, "ms", true },
	{ "/stats", stats, NULL, &caller, NULL, false },
	{ 0 },
};

/* Tries out one job, and with it worker_init: does the database open? */
static void open_executors(unsigned jobs, size_t max_pending, char *path)
{
	soon_executor_options workers = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor_options none = SOON_EXECUTOR_OPTIONS_INIT;
	struct request all = { .argument = "" };
	const soon_job *job =
		SOON_JOB(.fn = list_items, .arg = &all, .free_result = free);
	static soon_future *first;

	workers.max_workers = jobs;
	workers.max_pending = max_pending;
	workers.when_full = SOON_REJECT;
	workers.worker_init = open_db;
	workers.worker_fini = close_db;
	workers.worker_ctx = path;
	none.flags = SOON_INLINE;
	pool = soon_executor_open(&workers);
	caller = soon_executor_open(&none);
	if (!pool || !caller || !(first = soon_submit_job(pool, job)))
		errx(1, "%s", soon_strerror(errno));
	if (soon_future_result(first, SOON_FOREVER, NULL)) {
		warnx("%s: %s", path, soon_future_message(first));
		soon_executor_free(pool);
		exit(1);
	}
	soon_future_unref(first);
}
