/*
 * pool.c - a whole pool, from submit to free: pool.c, crew.c, worker.c, idle.c,
 * executor.c, submit.c and all below them.
 *
 * There is no monitor, so that whatever waits is found stuck.
 */
#include "scene.h"

#include "count.h"
#include "pool.h"
#include "thread.h"

#include <errno.h>
#include <soon/error.h>
#include <soon/wait.h>

static soon_executor *pool;
static soon_executor_options options; /* of the next pool */
static count running; /* jobs that began, in a rendezvous */
static unsigned ran;
static unsigned accepted; /* submits that returned 0 */
static unsigned inits;	  /* of workers */

/* Other files of the library that are left out. */

void sooni_monitor_watch(struct soon_executor *e)
{
	(void)e;
}

void sooni_monitor_forget(struct soon_executor *e)
{
	(void)e;
}

bool sooni_is_default(const struct soon_executor *e)
{
	(void)e;
	return false;
}

soon_executor *soon_default_executor(void)
{
	return NULL;
}

/* Jobs */

static void *quick(void *arg)
{
	ran++;
	return arg;
}

/* Blocks without a hint until another such job has begun. */
static void *meet(void *arg)
{
	count_up(&running);
	count_await(&running, 2);
	ran++;
	return arg;
}

/* Submits a job and waits for it in a way that does not run it here. */
static void *submit_and_wait(void *arg)
{
	soon_future *f = soon_submit(pool, quick, NULL);
	size_t i;

	ran++;
	if (f == NULL)
		return arg;
	accepted++;
	sched_check(soon_wait_any(&f, 1, SOON_FOREVER, &i) == 0);
	accepted -= soon_future_error(f) != 0;
	soon_future_unref(f);
	return arg;
}

/* Blocks with a hint until another job has begun. */
static void *block(void *arg)
{
	soon_blocking_begin();
	count_await(&running, 1);
	soon_blocking_end();
	ran++;
	return arg;
}

static void *unblock(void *arg)
{
	count_up(&running);
	ran++;
	return arg;
}

/* Pools */

static void open_pool(unsigned workers, unsigned max_workers)
{
	soon_executor_options o = options;

	o.size = sizeof(o);
	o.workers = workers;
	o.max_workers = max_workers;
	if (o.idle_timeout == 0)
		o.idle_timeout = SOON_FOREVER;
	ran = 0;
	accepted = 0;
	inits = 0;
	atomic_init(&running, 0);
	pool = soon_executor_open(&o);
	options = (soon_executor_options){ .size = 0 };
	sched_check(pool != NULL);
}

/* Threads get shards in turn, which would differ from run to run. */
static void use_shard(void)
{
	sched_me()->shard = 1 + sched_self();
}

static void execute(soon_fn *fn)
{
	int rc;

	use_shard();
	rc = soon_execute(pool, fn, NULL);
	accepted += rc == 0;
	sched_check(rc == 0 || rc == EAGAIN || rc == ESHUTDOWN ||
		    rc == SOON_EBROKEN);
}

static void *execute_quick(void *unused)
{
	(void)unused;
	execute(quick);
	return NULL;
}

static void *execute_meet(void *unused)
{
	(void)unused;
	execute(meet);
	return NULL;
}

static void *execute_submit_and_wait(void *unused)
{
	(void)unused;
	execute(submit_and_wait);
	return NULL;
}

static void *execute_unblock(void *unused)
{
	(void)unused;
	execute(unblock);
	return NULL;
}

/* Submit and wait, so that a worker is idle now, or just before that. */
static void warm(void)
{
	soon_future *f;

	use_shard();
	f = soon_submit(pool, quick, NULL);
	sched_check(f != NULL || errno == EAGAIN);
	accepted += f != NULL;
	if (f != NULL)
		sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
	soon_future_unref(f);
}

static void end_pool(void)
{
	soon_executor_free(pool);
	sched_check(ran == accepted);
}

/* Main and another thread submit one job each; all that was accepted runs. */
static void both(soon_fn *one, void *(*other)(void *))
{
	unsigned a = sched_spawn("A", other, NULL);

	execute(one);
	sched_join(a);
	end_pool();
}

static void submitting(void)
{
	open_pool(1, 1);
	both(quick, execute_quick);
}

/* Both must have a thread although neither job says that it blocks. */
static void meeting(void)
{
	open_pool(2, 2);
	both(meet, execute_meet);
}

static void meeting_again(void)
{
	open_pool(2, 2);
	warm();
	both(meet, execute_meet);
}

static void nesting(void)
{
	open_pool(1, 1);
	both(submit_and_wait, execute_quick);
}

/* More threads than max_workers, for a while. */
static void nesting_twice(void)
{
	open_pool(1, 1);
	both(submit_and_wait, execute_submit_and_wait);
}

static void blocking(void)
{
	open_pool(1, 2);
	both(block, execute_unblock);
}

static void retiring(void)
{
	options.idle_timeout = 1;
	open_pool(2, 2);
	warm();
	both(meet, execute_meet);
}

static void not_starting(void)
{
	open_pool(2, 2);
	both(quick, execute_quick);
}

static void retiring_and_not_starting(void)
{
	options.idle_timeout = 1;
	open_pool(2, 2);
	warm();
	both(quick, execute_quick);
}

/* A submit is refused, or accepted and its job run. */
static void closing(void)
{
	unsigned ran_by_then;
	unsigned a;

	open_pool(1, 1);
	a = sched_spawn("A", execute_quick, NULL);
	soon_executor_shutdown(pool, 0, SOON_FOREVER);
	ran_by_then = ran;
	sched_join(a);
	sched_check(accepted == ran_by_then);
	end_pool();
}

static void *wait_and_unref(void *future)
{
	int rc = soon_future_wait(future, SOON_FOREVER);

	sched_check(rc == 0);
	accepted -= soon_future_error(future) == ECANCELED;
	soon_future_unref(future);
	return NULL;
}

/* Its job is run by a worker or by the waiting thread, or cancelled. */
static void cancelling(void)
{
	soon_future *f;
	unsigned a;

	options.flags = SOON_HELP;
	open_pool(1, 1);
	use_shard();
	f = soon_submit(pool, quick, NULL);
	accepted = 1;
	a = sched_spawn("A", wait_and_unref, f);
	soon_executor_shutdown(pool, SOON_CANCEL_PENDING, SOON_FOREVER);
	soon_executor_free(pool);
	sched_join(a);
	sched_check(ran == accepted);
}

static int second_init_fails(void *unused)
{
	(void)unused;
	return ++inits == 2;
}

/* Jobs that were accepted run or fail; nobody waits for ever. */
static void breaking(void)
{
	unsigned a;

	options.worker_init = second_init_fails;
	open_pool(2, 2);
	a = sched_spawn("A", execute_quick, NULL);
	execute(submit_and_wait);
	sched_join(a);
	soon_executor_free(pool);
	sched_check(ran <= accepted);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "pool: submitting", submitting, 2, 0, 0, false },
		{ "pool: meeting", meeting, 1, 0, 0, false },
		{ "pool: meeting again", meeting_again, 1, 0, 0, false },
		{ "pool: nesting", nesting, 1, 0, 0, false },
		{ "pool: nesting twice", nesting_twice, 1, 0, 0, false },
		{ "pool: blocking", blocking, 1, 0, 0, false },
		{ "pool: retiring", retiring, 1, 2, 0, false },
		{ "pool: not starting", not_starting, 1, 0, 2, false },
		{ "pool: retiring and not starting", retiring_and_not_starting,
		  1, 2, 1, false },
		{ "pool: closing", closing, 3, 0, 0, false },
		{ "pool: cancelling", cancelling, 2, 0, 0, false },
		{ "pool: breaking", breaking, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
