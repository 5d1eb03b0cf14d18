/*
 * cxx_use.cc - the library used from C++17: handles in smart pointers, lambdas as
 * jobs, exceptions that stay within them.
 *
 * Each failure is printed, and shows in the exit status.
 */
#include <soon.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace
{

int failures;

void check(bool holds, const char *what, int line)
{
	if (holds)
		return;
	std::fprintf(stderr, "cxx_use.cc:%d: not %s\n", line, what);
	failures++;
}

#define CHECK(holds) check((holds), #holds, __LINE__)

/* A handle that is given back when it goes. */
template <auto give_back> struct deleter {
	template <typename T> void operator()(T *handle) const
	{
		give_back(handle);
	}
};

using executor = std::unique_ptr<soon_executor, deleter<soon_executor_free>>;
using future = std::unique_ptr<soon_future, deleter<soon_future_unref>>;
using group = std::unique_ptr<soon_group, deleter<soon_group_free>>;
using completions =
	std::unique_ptr<soon_completions, deleter<soon_completions_free>>;

executor make_pool()
{
	soon_executor_options options = SOON_EXECUTOR_OPTIONS_INIT;

	options.name = "c++";
	options.workers = 2;
	options.when_full = SOON_BLOCK;
	return executor(soon_executor_open(&options));
}

/* A job that may throw: what leaves it is a failure. */
template <void *(*body)(void *)> void *guarded(void *arg)
{
	try {
		return body(arg);
	} catch (const std::invalid_argument &e) {
		return soon_fail(EINVAL, "%s", e.what());
	} catch (const std::exception &e) {
		return soon_fail(EPROTO, "%s", e.what());
	}
}

void *parse(void *text)
{
	return new int(std::stoi(*static_cast<std::string *>(text)));
}

void use_jobs(soon_executor *pool)
{
	soon_job job = SOON_JOB_INIT;
	auto text = std::make_unique<std::string>("17");
	void *result = nullptr;

	job.fn = guarded<parse>;
	job.arg = text.get();
	job.name = "parse";
	job.priority = SOON_HIGH;
	job.free_arg = [](void *arg) {
		delete static_cast<std::string *>(arg);
	};
	job.free_result = [](void *number) {
		delete static_cast<int *>(number);
	};
	future good(soon_submit_job(pool, &job));
	CHECK(good != nullptr);
	text.release();
	CHECK(soon_future_result(good.get(), SOON_FOREVER, &result) == 0);
	CHECK(result != nullptr && *static_cast<int *>(result) == 17);
	std::unique_ptr<int> mine(
		static_cast<int *>(soon_future_take(good.get())));
	CHECK(mine.get() == result);

	job.arg = new std::string("not a number");
	future bad(soon_submit_job(pool, &job));
	CHECK(soon_future_result(bad.get(), SOON_FOREVER, &result) == EINVAL);
	CHECK(result == nullptr);
	CHECK(std::string_view(soon_future_message(bad.get())) == "stoi");
	CHECK(soon_future_state(bad.get()) == SOON_FAILED);
}

void use_gather(soon_executor *pool)
{
	std::array<std::intptr_t, 16> numbers{};
	std::array<soon_future *, 16> futures{};
	std::array<void *, 16> results{};
	std::vector<future> owned;

	std::iota(numbers.begin(), numbers.end(), 1);
	for (std::size_t i = 0; i < numbers.size(); i++) {
		owned.emplace_back(soon_submit(
			pool,
			[](void *arg) -> void * {
				auto *n = static_cast<std::intptr_t *>(arg);

				*n *= *n;
				return n;
			},
			&numbers[i]));
		futures[i] = owned.back().get();
	}
	CHECK(soon_gather(futures.data(), futures.size(), SOON_FOREVER,
			  results.data(), nullptr) == 0);
	for (std::size_t i = 0; i < results.size(); i++) {
		auto n = static_cast<std::intptr_t>(i) + 1;

		CHECK(*static_cast<std::intptr_t *>(results[i]) == n * n);
	}
}

void use_completions(soon_executor *pool)
{
	std::vector<future> owned;
	std::vector<soon_future *> futures;
	std::size_t told = 0;

	for (int i = 0; i < 8; i++) {
		owned.emplace_back(soon_submit(
			pool, [](void *arg) { return arg; }, &futures));
		futures.push_back(owned.back().get());
	}
	completions set(soon_as_completed(futures.data(), futures.size()));
	CHECK(set != nullptr);
	for (soon_future *f = nullptr;
	     soon_completions_next(set.get(), SOON_FOREVER, &f) == 0; told++)
		CHECK(std::count(futures.begin(), futures.end(), f) == 1);
	CHECK(told == futures.size());
	CHECK(soon_completions_left(set.get()) == 0);
}

void use_promises()
{
	future promise(soon_future_new(
		[](void *result) { delete static_cast<int *>(result); }));
	std::atomic<int> told{ 0 };

	CHECK(soon_future_on_done(
		      promise.get(),
		      [](soon_future *f, void *ctx) {
			      static_cast<std::atomic<int> *>(ctx)->fetch_add(
				      soon_future_error(f) == 0);
		      },
		      &told) == 0);
	CHECK(!soon_future_done(promise.get()));
	CHECK(soon_future_set_result(promise.get(), new int(1)) == 0);
	CHECK(told == 1);
}

void *fail(void *)
{
	throw std::runtime_error("out of luck");
}

/* Members that work on what lies in the frame that waits for them. */
void use_groups(soon_executor *pool)
{
	std::atomic<int> sum{ 0 };
	auto add = [](void *arg) -> void * {
		static_cast<std::atomic<int> *>(arg)->fetch_add(1);
		return nullptr;
	};

	group good(soon_group_new(pool));
	CHECK(good != nullptr);
	for (int i = 0; i < 100; i++)
		CHECK(soon_group_submit(good.get(), add, &sum) == 0);
	CHECK(soon_group_wait(good.get(), SOON_FOREVER) == 0);
	CHECK(soon_group_error(good.get()) == 0);
	CHECK(sum == 100);

	group bad(soon_group_new(pool));
	CHECK(soon_group_submit(bad.get(), guarded<fail>, nullptr) == 0);
	CHECK(soon_group_wait(bad.get(), 60 * SOON_SEC) == 0);
	CHECK(soon_group_error(bad.get()) == EPROTO);
	CHECK(std::string_view(soon_group_message(bad.get())) == "out of luck");
	CHECK(soon_group_submit(bad.get(), add, &sum) == ECANCELED);
}

} // namespace

int main()
{
	executor pool = make_pool();
	soon_stats stats = SOON_STATS_INIT;

	CHECK(pool != nullptr);
	use_jobs(pool.get());
	use_gather(pool.get());
	use_completions(pool.get());
	use_promises();
	use_groups(pool.get());
	CHECK(soon_executor_shutdown(pool.get(), 0, SOON_FOREVER) == 0);
	CHECK(soon_executor_stats(pool.get(), &stats) == 0);
	CHECK(stats.succeeded == 125 && stats.failed == 2);
	return failures == 0 ? 0 : 1;
}
