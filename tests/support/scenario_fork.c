/*
 * scenario_fork.c - a process forks while calls fail, in it and in its child.
 */
#include "child.h"
#include "scenario.h"

enum { N = 10 };

/* What parent and child both have; the child counts its failures in *failed. */
static soon_executor *pool;
static soon_future *held;
static soon_completions *set;
static struct shared *failed;

/* Jobs of this pool that are accepted run. */
static const char *use(soon_executor *e)
{
	void *result;

	for (long i = 0; i < N; i++) {
		soon_future *f = soon_submit(e, return_arg, box(i));

		EXPECT(f != NULL || refused(errno));
		if (f == NULL)
			continue;
		EXPECT(soon_future_result(f, SOON_FOREVER, &result) == 0);
		EXPECT(result == box(i));
		soon_future_unref(f);
	}
	return NULL;
}

static const char *use_new_pool(void)
{
	soon_executor *e = soon_executor_new(2);
	const char *claim;

	NEED_POOL(e);
	claim = use(e);
	soon_executor_free(e);
	return claim;
}

/* The set tells of the job, and has a descriptor of its own or none. */
static const char *use_set(void)
{
	soon_future *next = NULL;

	EXPECT(soon_completions_fd(set) >= 0 || refused(errno));
	EXPECT(soon_completions_next(set, SOON_FOREVER, &next) == 0);
	EXPECT(next == held);
	soon_completions_free(set);
	return NULL;
}

static const char *be_child(void)
{
	const char *claim = use_new_pool();

	EXPECT(held == NULL || soon_future_error(held) == SOON_EFORKED);
	if (claim == NULL && set != NULL)
		claim = use_set();
	if (claim == NULL)
		claim = use(pool);
	soon_future_unref(held);
	EXPECT(soon_executor_shutdown(pool, 0, SOON_FOREVER) == 0);
	soon_executor_free(pool);
	return claim;
}

static bool fork_and_await(void)
{
	unsigned before = fault_count();
	bool ended;
	pid_t pid;

	atomic_store(&failed->a, 0);
	pid = fork_child();
	if (pid == 0) {
		const char *claim = be_child();

		atomic_store(&failed->a, fault_count() - before);
		child_end(claim);
	}
	ended = child_ended(pid, ENDED_WELL);
	fault_add(atomic_load(&failed->a));
	return ended;
}

/* The child has a new pool, and the parent's; this goes on in the parent. */
const char *scenario_fork(void)
{
	const char *claim;
	struct gate gate;
	bool ended;

	pool = soon_executor_new(2);
	NEED_POOL(pool);
	if (failed == NULL)
		failed = shared_new();
	gate_init(&gate);
	held = soon_submit(pool, gate_job, &gate);
	EXPECT(held != NULL || refused(errno));
	if (held != NULL)
		gate_await(&gate, 1);
	set = held != NULL ? soon_as_completed(&held, 1) : NULL;
	EXPECT(held == NULL || set != NULL || refused(errno));
	EXPECT(set == NULL || soon_completions_fd(set) >= 0 || refused(errno));
	ended = fork_and_await();
	EXPECT(ended);
	/* There may be no other thread. */
	gate_open(&gate);
	claim = use(pool);
	EXPECT(held == NULL || soon_future_wait(held, SOON_FOREVER) == 0);
	soon_completions_free(set);
	soon_future_unref(held);
	soon_executor_free(pool);
	gate_fini(&gate);
	return claim;
}
