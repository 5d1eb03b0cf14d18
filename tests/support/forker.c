/*
 * forker.c - see forker.h.
 */
#include "forker.h"

#include <errno.h>
#include <pthread.h>

struct shared *shared;
_Atomic pid_t forked;
struct tally forks;
const char *(*in_the_child)(void);

void forker_setup(void)
{
	shared = shared_new();
	gate_init(&gate);
	tally_init(&forks);
	atomic_store(&forked, 0);
	in_the_child = NULL;
	pool = pool_of(2);
}

void forker_teardown(void)
{
	ck_assert_ptr_null(pool_works(pool));
	soon_executor_free(pool);
	gate_fini(&gate);
	tally_fini(&forks);
	shared_free(shared);
}

static void end_process(void *unused)
{
	(void)unused;
	child_end(NULL);
}

/* The process ends with this thread, though it has others by now. */
static void end_with_thread(void)
{
	pthread_key_t key;

	if (pthread_key_create(&key, end_process) != 0 ||
	    pthread_setspecific(key, &key) != 0)
		child_end("no key");
}

bool fork_here(void)
{
	const char *wrong = NULL;
	pid_t none = 0;
	pid_t pid;

	if (!atomic_compare_exchange_strong(&forked, &none, -1))
		return false;
	pid = fork_child();
	if (pid > 0) {
		atomic_store(&forked, pid);
		tally_add(&forks, 1);
	}
	if (pid == 0 && in_the_child != NULL)
		wrong = in_the_child();
	if (wrong != NULL)
		child_end(wrong);
	if (pid == 0 && in_the_child != NULL)
		end_with_thread();
	return pid == 0;
}

void *fork_job(void *arg)
{
	fork_here();
	return arg;
}

void fork_destructor(void *unused)
{
	(void)unused;
	fork_here();
}

void fork_callback(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	fork_here();
}

void count_a(void *unused)
{
	(void)unused;
	atomic_fetch_add(&shared->a, 1);
}

void count_b(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	atomic_fetch_add(&shared->b, 1);
}

void child_ended_with_its_thread(void)
{
	ck_assert(child_ended(atomic_load(&forked),
			      in_the_child != NULL ? ENDED_WELL : 0));
}

static const char *all_works(void)
{
	soon_completions *set;
	soon_future *f;

	CLAIM(soon_self() == NULL);
	CLAIM(!soon_cancel_requested());
	CLAIM(soon_fail(EIO, "not a job") != NULL);
	CLAIM(soon_sleep(1) == 0);
	soon_blocking_begin();
	soon_blocking_end();
	soon_blocking_end();
	CLAIM(pool_works(pool) == NULL);
	CLAIM(pool_works(NULL) == NULL);
	f = soon_submit(pool, return_arg, box(3));
	set = soon_as_completed(&f, 1);
	CLAIM(soon_completions_next(set, SOON_FOREVER, &f) == 0);
	soon_completions_free(set);
	CLAIM(soon_future_take(f) == box(3));
	soon_future_unref(f);
	return NULL;
}

static const char *all_works_and_ends(void)
{
	const char *wrong = all_works();

	CLAIM(soon_executor_shutdown(pool, 0, 60 * SOON_SEC) == 0);
	soon_executor_free(pool);
	return wrong;
}

void choose(int i)
{
	in_the_child = i == 0 ? NULL : i == 1 ? all_works : all_works_and_ends;
}
