/*
 * tbb_enqueue - oneTBB's task_arena::enqueue with std::promise: all workers
 * are the arena's own, the submitting thread runs no job.
 */
#include "../bench.h"
#include <future>
#include <memory>
#include <oneapi/tbb.h>

struct group {
};
typedef std::future<void *> handle;

static std::unique_ptr<tbb::global_control> limit;
static std::unique_ptr<tbb::task_arena> arena;

static void pool_open(int workers)
{
	limit.reset(new tbb::global_control(
		tbb::global_control::max_allowed_parallelism,
		(size_t)workers + 1));
	arena.reset(new tbb::task_arena(workers, 0));
}

static void pool_close()
{
	arena.reset();
	limit.reset();
}

static inline void spawn(group *, handle *h, job_fn *fn, void *arg)
{
	auto promise = std::make_shared<std::promise<void *>>();

	*h = promise->get_future();
	arena->enqueue([promise, fn, arg] { promise->set_value(fn(arg)); });
}

static inline void *collect(handle *h)
{
	return h->get();
}

#include "../workloads.h"
