// consumer.cc - a C++ program outside the library's tree.

#include <iostream>
#include <memory>
#include <soon.h>
#include <string>
#include <vector>

struct Unref {
	void operator()(soon_future *f) const
	{
		soon_future_unref(f);
	}
};
using Future = std::unique_ptr<soon_future, Unref>;

int main()
{
	auto delete_string = [](void *text) {
		delete static_cast<std::string *>(text);
	};
	std::vector<Future> futures;
	soon_job job = SOON_JOB_INIT;

	job.free_result = delete_string;
	job.fn = [](void *arg) -> void * {
		return new std::string(static_cast<const char *>(arg));
	};
	for (const char *word : { "two", "four", "three" }) {
		job.arg = const_cast<char *>(word);
		futures.emplace_back(soon_submit_job(nullptr, &job));
	}
	for (const auto &f : futures) {
		void *result;

		if (soon_future_result(f.get(), SOON_FOREVER, &result) != 0)
			return 1;
		std::cout << static_cast<std::string *>(result)->size() - 1
			  << (f == futures.back() ? "\n" : " ");
	}
	return soon_version() != std::string(SOON_VERSION_STRING);
}
