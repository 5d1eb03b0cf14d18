/*
 * soon - libsoon by its public calls: one executor, one future for each job.
 */
#include "../bench.h"
#include <soon.h>

typedef struct group {
	char unused;
} group;

typedef soon_future *handle;

static soon_executor *pool;

static void check(int failed)
{
	if (failed) {
		fprintf(stderr, "libsoon fails\n");
		abort();
	}
}

static void pool_open(int workers)
{
	pool = soon_executor_new((unsigned)workers);
	check(pool == NULL);
}

static void pool_close(void)
{
	soon_executor_free(pool);
}

static void spawn(group *g, handle *h, job_fn *fn, void *arg)
{
	(void)g;
	*h = soon_submit(pool, fn, arg);
	check(*h == NULL);
}

static void *collect(handle *h)
{
	void *result = NULL;

	check(soon_future_result(*h, SOON_FOREVER, &result));
	soon_future_unref(*h);
	return result;
}

#define HAS_HELP
static void pool_open_helping(int workers)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.max_workers = (unsigned)workers;
	o.flags = SOON_HELP;
	pool = soon_executor_open(&o);
	check(pool == NULL);
}

#define HAS_COMPLETIONS
static void ascompleted_body(struct run *r);

#define HAS_GATHER
static long gather_and_sum(job_fn *fn, long n)
{
	handle *handles = NEW_ARRAY(handle, n);
	void **results = NEW_ARRAY(void *, n);
	long sum = 0;

	for (long i = 0; i < n; i++)
		spawn(NULL, &handles[i], fn, pack(i));
	check(soon_gather(handles, (size_t)n, SOON_FOREVER, results, NULL));
	for (long i = 0; i < n; i++) {
		sum += unpack(results[i]);
		soon_future_unref(handles[i]);
	}
	FREE_ARRAY(results);
	FREE_ARRAY(handles);
	return sum;
}

#define HAS_MAP
static long map_and_sum(job_fn *fn, long n)
{
	void **args = NEW_ARRAY(void *, n);
	void **results = NEW_ARRAY(void *, n);
	long sum = 0;

	for (long i = 0; i < n; i++)
		args[i] = pack(i);
	check(soon_map(pool, SOON_JOB(.fn = fn), args, (size_t)n, SOON_FOREVER,
		       results, NULL));
	for (long i = 0; i < n; i++)
		sum += unpack(results[i]);
	FREE_ARRAY(results);
	FREE_ARRAY(args);
	return sum;
}

#include "../workloads.h"

/* The set, and dropping the futures, are part of the figure. */
static void ascompleted_body(struct run *r)
{
	handle *handles = NEW_ARRAY(handle, r->n);
	soon_completions *set;
	soon_future *f;
	long sum = 0;

	r->start = now();
	for (long i = 0; i < r->n; i++)
		spawn(NULL, &handles[i], identity, pack(i));
	set = soon_as_completed(handles, (size_t)r->n);
	check(set == NULL);
	while (soon_completions_next(set, SOON_FOREVER, &f) == 0) {
		void *result = NULL;

		check(soon_future_result(f, 0, &result));
		sum += unpack(result);
	}
	soon_completions_free(set);
	expect(sum, sum_below(r->n));
	for (long i = 0; i < r->n; i++)
		soon_future_unref(handles[i]);
	report_ns_each(r);
	FREE_ARRAY(handles);
}
