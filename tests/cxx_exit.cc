/*
 * cxx_exit.cc - the library used while a C++ program exits: in handlers of atexit()
 * and in destructors of static objects, before and after the default executor is
 * closed, and by those that are the first to use it.
 *
 * Each child does it once.  What does not hold is printed, and shows in the status.
 */
#include <soon.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

enum { ROUNDS = 10, QUEUED = 100, LIMIT = 120 };

/* What children count, for their parent. */
struct counts {
	std::atomic<int> ran;	  /* jobs of the default executor */
	std::atomic<int> own_ran; /* of the child's own */
	std::atomic<int> open;	  /* users that found the default one open */
	std::atomic<int> closed;  /* and closed */
};

counts *shared;
bool is_child;

void check(bool holds, const char *what, int line)
{
	if (holds)
		return;
	std::fprintf(stderr, "cxx_exit.cc:%d: not %s\n", line, what);
	_exit(1);
}

#define CHECK(holds) check((holds), #holds, __LINE__)

void *count(void *counter)
{
	static_cast<std::atomic<int> *>(counter)->fetch_add(1);
	return counter;
}

/* A job that is waited for. */
void run_one(soon_executor *e, std::atomic<int> *counter, soon_nsec delay)
{
	soon_job job = SOON_JOB_INIT;
	void *result = nullptr;
	soon_future *f;

	job.fn = count;
	job.arg = counter;
	job.delay = delay;
	f = soon_submit_job(e, &job);
	CHECK(f != nullptr);
	CHECK(soon_future_result(f, SOON_FOREVER, &result) == 0);
	CHECK(result == counter);
	soon_future_unref(f);
}

/* The default executor is open: it runs what it is given, and exit() waits. */
void use_open()
{
	run_one(nullptr, &shared->ran, 0);
	run_one(nullptr, &shared->ran, SOON_USEC);
	CHECK(soon_execute(nullptr, count, &shared->ran) == 0);
	shared->open++;
}

/* It is closed, for good; what it has done is there. */
void use_closed(soon_future *before)
{
	soon_job job = SOON_JOB_INIT;

	job.fn = count;
	job.arg = &shared->ran;
	errno = 0;
	CHECK(soon_submit(nullptr, count, &shared->ran) == nullptr);
	CHECK(errno == ESHUTDOWN);
	CHECK(soon_execute(nullptr, count, &shared->ran) == ESHUTDOWN);
	CHECK(soon_submit_many(nullptr, &job, nullptr, 2, nullptr) ==
	      ESHUTDOWN);
	CHECK(soon_map(nullptr, &job, nullptr, 2, SOON_FOREVER, nullptr,
		       nullptr) == ESHUTDOWN);
	job.delay = SOON_USEC;
	CHECK(soon_submit_job(nullptr, &job) == nullptr && errno == ESHUTDOWN);
	CHECK(soon_executor_shutdown(nullptr, 0, 0) == EINVAL);
	CHECK(soon_executor_shutdown(soon_default_executor(), 0,
				     SOON_FOREVER) == 0);
	soon_executor_free(soon_default_executor());
	CHECK(soon_future_wait(before, SOON_FOREVER) == 0);
	CHECK(soon_future_cancel(before) == EALREADY);
	shared->closed++;
}

/* What needs no executor, or has its own, goes on all the same. */
void use_others(soon_executor *own)
{
	soon_executor *fresh = soon_executor_new(2);
	soon_future *promise = soon_future_new(nullptr);
	soon_future *within;

	CHECK(fresh != nullptr && promise != nullptr);
	run_one(own, &shared->own_ran, 0);
	run_one(own, &shared->own_ran, SOON_USEC);
	run_one(fresh, &shared->own_ran, SOON_USEC);
	within = soon_within(promise, SOON_USEC);
	CHECK(soon_future_wait(within, SOON_FOREVER) == 0);
	CHECK(soon_future_error(within) == ETIMEDOUT);
	CHECK(soon_future_state(promise) == SOON_CANCELLED);
	soon_future_unref(within);
	soon_future_unref(promise);
	soon_executor_free(fresh);
}

/* Static objects; those of other processes do nothing. */

struct own_pool {
	soon_executor *executor = nullptr;

	~own_pool()
	{
		int before = is_child ? shared->own_ran.load() : 0;

		if (executor == nullptr)
			return;
		for (int i = 0; i < QUEUED; i++)
			CHECK(soon_execute(executor, count, &shared->own_ran) ==
			      0);
		soon_executor_free(executor);
		CHECK(shared->own_ran == before + QUEUED);
	}
};

struct late_user {
	soon_future *before = nullptr; /* of the default executor */

	~late_user();
};

struct early_user {
	~early_user()
	{
		use_open();
	}
};

/* The user goes first, being made last. */
own_pool own;
late_user late;

late_user::~late_user()
{
	if (!is_child)
		return;
	use_others(own.executor);
	if (before == nullptr) {
		use_open();
		return;
	}
	use_closed(before);
	soon_future_unref(before);
}

void handle_late()
{
	use_closed(late.before);
}

void handle_early()
{
	use_open();
}

/* Made before, and during, the default executor's life. */
[[noreturn]] void exit_after_use()
{
	std::atexit(handle_late);
	late.before = soon_submit(nullptr, count, &shared->ran);
	CHECK(late.before != nullptr);
	std::atexit(handle_early);
	static early_user early;
	for (int i = 0; i < QUEUED; i++)
		CHECK(soon_execute(nullptr, count, &shared->ran) == 0);
	std::exit(0);
}

/* Nobody has used it yet. */
[[noreturn]] void exit_before_use()
{
	std::exit(0);
}

/* In a child: a hang ends it. */
void run_child(void (*leave)())
{
	pid_t pid = fork();
	int status = -1;

	CHECK(pid >= 0);
	if (pid == 0) {
		alarm(LIMIT);
		is_child = true;
		own.executor = soon_executor_new(2);
		CHECK(own.executor != nullptr);
		leave();
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(status == 0);
}

void reset()
{
	shared->ran = shared->own_ran = shared->open = shared->closed = 0;
}

} // namespace

int main()
{
	void *memory = mmap(nullptr, sizeof(counts), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	shared = new (memory) counts;
	for (int i = 0; i < ROUNDS; i++) {
		reset();
		run_child(exit_after_use);
		CHECK(shared->open == 2 && shared->closed == 2);
		CHECK(shared->ran == 1 + QUEUED + 2 * 3);
		CHECK(shared->own_ran == 3 + QUEUED);
		reset();
		run_child(exit_before_use);
		CHECK(shared->open == 1 && shared->closed == 0);
		CHECK(shared->ran == 3);
		CHECK(shared->own_ran == 3 + QUEUED);
	}
	return 0;
}
