/*
 * sizes - how many jobs a second a pool does, by max_workers, when each job
 * computes for some time and is asleep for some: the figures of doc/sizes.md.
 *
 * Prints lines of CSV.  "ideal" is what the threads, or else the CPUs, allow.
 */
#include "bench.h"

#include <soon.h>
#include <stdatomic.h>

enum { MOST = 256 };

static const struct kind {
	double cpu, asleep; /* ms of each job */
} kinds[] = {
	{ 0, 1 }, { 0, 10 }, { 0, 100 }, { 1, 9 }, { 5, 5 }, { 10, 0 },
};

static soon_executor *pool;
static const struct kind *kind;
static atomic_long done;

/* By the thread's own clock: what others take of the CPU does not count. */
static void compute(double seconds)
{
	double end = clock_seconds(CLOCK_THREAD_CPUTIME_ID) + seconds;

	while (clock_seconds(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

/*
 * Followed by another, so that as many as before are queued or under way, until
 * the pool takes no more.
 */
static void *job(void *unused)
{
	if (kind->cpu > 0)
		compute(kind->cpu / 1e3);
	if (kind->asleep > 0)
		pause_ns((long)(kind->asleep * 1e6));
	/* relaxed: a count alone. */
	atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
	soon_execute(pool, job, unused);
	return NULL;
}

/* Jobs a second, once the threads are there. */
static double measure(int max_workers)
{
	double each = (kind->cpu + kind->asleep) / 1e3;
	double window = each > 0.04 ? 10 * each : 0.4;
	double start;
	long count;

	pool = soon_executor_new((unsigned)max_workers);
	if (pool == NULL)
		abort();
	for (int i = 0; i < 2 * max_workers; i++)
		if (soon_execute(pool, job, NULL) != 0)
			abort();
	pause_ns((long)((0.1 + 1.5 * each) * 1e9));
	start = now();
	count = atomic_load_explicit(&done, memory_order_relaxed);
	pause_ns((long)(window * 1e9));
	count = atomic_load_explicit(&done, memory_order_relaxed) - count;
	window = now() - start;
	soon_executor_shutdown(pool, SOON_CANCEL_PENDING, SOON_FOREVER);
	soon_executor_free(pool);
	return (double)count / window;
}

static double ideal(int max_workers, long cpus)
{
	double threads = max_workers / (kind->cpu + kind->asleep) * 1e3;
	double computing = (double)cpus / kind->cpu * 1e3;

	return kind->cpu > 0 && computing < threads ? computing : threads;
}

int main(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	printf("cpu_ms,asleep_ms,max_workers,jobs_per_s,ideal\n");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		kind = &kinds[i];
		for (int n = 1; n <= MOST; n *= 2) {
			printf("%g,%g,%d,%.1f,%.1f\n", kind->cpu, kind->asleep,
			       n, measure(n), ideal(n, cpus));
			fflush(stdout);
		}
	}
	return 0;
}
