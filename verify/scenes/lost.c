/*
 * lost.c - jobs that may run only so long, between the thread that runs them, the
 * clock that writes it off, and the end of their pool: limit.c, lost.c, hooks.c and
 * a whole pool.
 */
#include "pools.h"

#include <soon/wait.h>

static unsigned limited; /* jobs that were accepted */
static count freed;	 /* their results */
static unsigned freed_args;
static unsigned called_back;
static count called;   /* hooks of theirs */
static count released; /* jobs and hooks that wait for this */
static bool ended;     /* no hook runs from here on */

static void free_arg(void *arg)
{
	sched_check(arg == &ran);
	ended = true;
	freed_args++;
}

static void free_result(void *result)
{
	sched_check(result == &ran && count_now(&freed) < limited);
	count_up(&freed);
}

/* Where a thread may fail to start, it tries until none does. */
static soon_future *submit_limited(soon_fn *fn)
{
	soon_job job = { .size = sizeof(job),
			 .fn = fn,
			 .arg = &ran,
			 .run_within = 1,
			 .free_arg = free_arg,
			 .free_result = free_result };
	soon_future *f;

	limited++;
	do {
		use_shard();
		f = soon_submit_job(pool, &job);
		sched_check(f != NULL || errno == EAGAIN);
	} while (f == NULL);
	return f;
}

static void open_clock(unsigned max_workers)
{
	limited = 0;
	freed_args = 0;
	called_back = 0;
	ended = false;
	atomic_init(&freed, 0);
	atomic_init(&called, 0);
	atomic_init(&released, 0);
	open_pool(1, max_workers);
}

/* All jobs with a limit return at last; each result is freed once, late or
 * not. */
static void await_freed(void)
{
	count_await(&freed, limited);
	sched_check(freed_args == limited);
}

static void see(soon_future *f)
{
	void *result = NULL;
	int code = soon_future_result(f, SOON_FOREVER, &result);

	sched_check(code == 0 ? result == &ran : code == ETIMEDOUT);
	soon_future_unref(f);
}

static void see_late(soon_future *f)
{
	sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
	sched_check(soon_future_error(f) == ETIMEDOUT);
	soon_future_unref(f);
}

/* The race */

static void *look(void *arg)
{
	soon_cancel_requested();
	return quick(arg);
}

/* In time or not: the pool has a thread for the next job. */
static void returning(void)
{
	open_clock(1);
	see(submit_limited(look));
	warm();
	end_pool();
	await_freed();
}

static void *stay(void *arg)
{
	count_await(&released, 1);
	return quick(arg);
}

/* It comes back when the pool has gone. */
static void writing_off(void)
{
	open_clock(1);
	see_late(submit_limited(stay));
	warm();
	end_pool();
	count_up(&released);
	await_freed();
}

static void *release(void *unused)
{
	count_up(&released);
	return unused;
}

/* ... or while it goes. */
static void coming_back(void)
{
	soon_future *f;
	unsigned a;

	open_clock(1);
	f = submit_limited(stay);
	a = sched_spawn("A", release, NULL);
	see(f);
	end_pool();
	sched_join(a);
	await_freed();
}

static void call_back(soon_future *f, void *unused)
{
	(void)f;
	(void)unused;
	/* The pool does not end before. */
	sched_check(pool->options.size > 0);
	called_back++;
}

/* The job has the only reference. */
static void ending(void)
{
	soon_future *f;

	open_clock(1);
	f = submit_limited(look);
	sched_check(soon_future_on_done(f, call_back, NULL) == 0);
	soon_future_unref(f);
	end_pool();
	sched_check(called_back == 1);
	await_freed();
}

/* Threads that cannot be replaced at once */

static void not_replaced(void)
{
	open_clock(1);
	see_late(submit_limited(stay));
	count_up(&released);
	warm();
	end_pool();
	await_freed();
}

static void *stay_until_begun(void *arg)
{
	count_await(&begun, 1);
	return quick(arg);
}

/* The job returns only when another, which needs a thread, has begun. */
static void replaced_later(void)
{
	open_clock(1);
	see_late(submit_limited(stay_until_begun));
	execute(begin);
	count_await(&begun, 1);
	end_pool();
	await_freed();
}

/* Jobs that have given their place away when they are written off */

static void *submit_and_wait(void *arg)
{
	soon_future *f = submit(quick);
	size_t i;

	sched_check(f != NULL);
	count_up(&begun);
	sched_check(soon_wait_any(&f, 1, SOON_FOREVER, &i) == 0);
	soon_future_unref(f);
	return quick(arg);
}

static void waiting(void)
{
	soon_future *f;

	open_clock(1);
	f = submit_limited(submit_and_wait);
	count_await(&begun, 1);
	see(f);
	end_pool();
	await_freed();
}

static void *sleep_until_asked(void *arg)
{
	sched_check(soon_sleep(SOON_FOREVER) == ECANCELED);
	return quick(arg);
}

/* Nothing wakes it but the clock; the pool goes at once. */
static void sleeping(void)
{
	open_clock(1);
	soon_future_unref(submit_limited(sleep_until_asked));
	end_pool();
	await_freed();
}

static void *block(void *arg)
{
	soon_blocking_begin();
	count_await(&begun, 1);
	soon_blocking_end();
	return quick(arg);
}

static void blocking(void)
{
	soon_future *f;

	open_clock(2);
	f = submit_limited(block);
	execute(begin);
	see(f);
	end_pool();
	await_freed();
}

/* Hooks */

static void hook(void *unused)
{
	(void)unused;
	sched_check(!ended && count_now(&called) == 0);
	count_up(&called);
	sched_check(!ended);
}

/* If the request is not delivered it waits for ever. */
static void *await_call(void *arg)
{
	sched_check(soon_on_cancel(hook, NULL) == 0);
	count_up(&begun);
	count_await(&called, 1);
	return quick(arg);
}

static void *cancel_and_unref(void *future)
{
	int rc = soon_future_cancel(future);

	sched_check(rc == EBUSY || rc == EALREADY);
	soon_future_unref(future);
	return NULL;
}

/* Clock and canceller ask, and one of them runs the hook. */
static void asking(void)
{
	soon_future *f;
	unsigned a;

	open_clock(1);
	f = submit_limited(await_call);
	count_await(&begun, 1);
	a = sched_spawn("A", cancel_and_unref, soon_future_ref(f));
	see(f);
	warm();
	end_pool();
	sched_join(a);
	await_freed();
}

static void wait_in_hook(void *unused)
{
	count_await(&released, 1);
	hook(unused);
}

static void *await_slow_call(void *arg)
{
	sched_check(soon_on_cancel(wait_in_hook, NULL) == 0);
	count_await(&called, 1);
	return quick(arg);
}

/* The hook returns only when it is known that the job was late. */
static void telling_first(void)
{
	open_clock(1);
	see_late(submit_limited(await_slow_call));
	warm();
	count_up(&released);
	end_pool();
	await_freed();
}

/* On a thread that cannot be replaced */

static void run_here(soon_fn *fn)
{
	soon_future *f;

	options.flags = SOON_INLINE;
	open_clock(1);
	f = submit_limited(fn);
	end_pool();
	sched_check(soon_future_error(f) == 0);
	soon_future_unref(f);
	await_freed();
}

static void here(void)
{
	run_here(look);
}

static void asking_here(void)
{
	run_here(await_call);
	sched_check(count_now(&called) == 1);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "lost: returning", returning, 2, 1, 0, false },
		{ "lost: writing off", writing_off, 2, 1, 0, false },
		{ "lost: coming back", coming_back, 2, 1, 0, false },
		{ "lost: ending", ending, 2, 1, 0, false },
		{ "lost: not replaced", not_replaced, 2, 3, 2, false },
		{ "lost: replaced later", replaced_later, 2, 3, 2, false },
		{ "lost: waiting", waiting, 2, 1, 0, false },
		{ "lost: sleeping", sleeping, 2, 1, 0, false },
		{ "lost: blocking", blocking, 2, 1, 0, false },
		{ "lost: asking", asking, 2, 1, 0, false },
		{ "lost: telling first", telling_first, 2, 1, 0, false },
		{ "lost: here", here, 2, 1, 0, false },
		{ "lost: asking here", asking_here, 2, 1, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
