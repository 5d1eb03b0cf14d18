/*
 * asio - Boost.Asio's thread_pool; post with use_future makes a std::future.
 */
#include "../bench.h"
#include <boost/asio.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>

struct group {
};
typedef std::future<void *> handle;

static std::unique_ptr<boost::asio::thread_pool> pool;

static void pool_open(int workers)
{
	pool.reset(new boost::asio::thread_pool((size_t)workers));
}

static void pool_close()
{
	pool->join();
	pool.reset();
}

static inline void spawn(group *, handle *h, job_fn *fn, void *arg)
{
	*h = boost::asio::post(
		*pool, boost::asio::use_future([=] { return fn(arg); }));
}

static inline void *collect(handle *h)
{
	return h->get();
}

#include "../workloads.h"
