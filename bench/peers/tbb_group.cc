/*
 * tbb_group - oneTBB's task_group, in an arena of as many slots as there are
 * workers.  The submitting thread takes one slot and runs jobs itself.
 */
#include "../bench.h"
#include <memory>
#include <oneapi/tbb.h>

typedef tbb::task_group group;
typedef void *handle;

static std::unique_ptr<tbb::global_control> limit;
static std::unique_ptr<tbb::task_arena> arena;
static tbb::concurrent_bounded_queue<long> completed;

static void pool_open(int workers)
{
	limit.reset(new tbb::global_control(
		tbb::global_control::max_allowed_parallelism, (size_t)workers));
	arena.reset(new tbb::task_arena(workers));
}

static void pool_close()
{
	arena.reset();
	limit.reset();
}

static inline void spawn(group *g, handle *h, job_fn *fn, void *arg)
{
	g->run([=] { *h = fn(arg); });
}

static inline void *collect(handle *h)
{
	return *h;
}

#define HAS_GROUPS
static inline void group_wait(group *g)
{
	g->wait();
}

#define HAS_ENTER
static void pool_enter(struct run *r, void (*body)(struct run *r))
{
	arena->execute([=] { body(r); });
}

#define HAS_DONE_QUEUE
static void done_open(long)
{
}

static void done_push(long item)
{
	completed.push(item);
}

static long done_pop()
{
	long item;

	completed.pop(item);
	return item;
}

#define HAS_MAP
static long map_and_sum(job_fn *fn, long n)
{
	void **results = NEW_ARRAY(void *, n);
	long sum = 0;

	tbb::parallel_for(0L, n, [=](long i) { results[i] = fn(pack(i)); });
	for (long i = 0; i < n; i++)
		sum += unpack(results[i]);
	FREE_ARRAY(results);
	return sum;
}

#define CALLER_RUNS
#define NO_PRODUCERS /* an arena lets in as many submitters as it has slots */
#include "../workloads.h"
