/*
 * openmp - OpenMP tasks: gcc's libgomp, or clang's libomp.
 *
 * The submitting thread is one of the team's and runs jobs itself.  Once some
 * hundred tasks are pending, a new one is run on the spot.
 */
#include "../bench.h"

typedef struct group {
	char unused;
} group;

typedef void *handle;

static int team;

static void pool_open(int workers)
{
	team = workers;
}

static void pool_close(void)
{
}

static inline void spawn(group *g, handle *h, job_fn *fn, void *arg)
{
	(void)g;
#pragma omp task firstprivate(h, fn, arg)
	*h = fn(arg);
}

static inline void *collect(handle *h)
{
	return *h;
}

#define HAS_GROUPS
static inline void group_wait(group *g)
{
	(void)g;
#pragma omp taskwait
}

#define HAS_ENTER
static void pool_enter(struct run *r, void (*body)(struct run *r))
{
#pragma omp parallel num_threads(team)
#pragma omp single
	body(r);
}

/* clang's own code for the loop trips over -Wsign-conversion. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"

#define HAS_MAP
static long map_and_sum(job_fn *fn, long n)
{
	void **results = NEW_ARRAY(void *, n);
	long sum = 0;

#pragma omp taskloop firstprivate(fn, results)
	for (unsigned long i = 0; i < (unsigned long)n; i++)
		results[i] = fn(pack((long)i));
	for (long i = 0; i < n; i++)
		sum += unpack(results[i]);
	FREE_ARRAY(results);
	return sum;
}

#pragma GCC diagnostic pop

#define CALLER_RUNS
#define NO_PRODUCERS /* a team has one submitter */
#define NO_MEMORY    /* jobs do not pile up */
#include "../workloads.h"
