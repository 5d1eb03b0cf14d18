/*
 * fork.c - a fork at any moment of what other threads do: fork.c, forked.c, and
 * what each file has for the child.
 *
 * Each scene is run with the parent, which must go on as if nothing had happened,
 * and with the child, in which the forking thread alone is left.  Memory that the
 * others had in hand is lost there.
 *
 * with: fork.c
 * with: forked.c
 * with: monitor.c
 */
#include "pools.h"

#include <soon/compose.h>
#include <soon/future.h>
#include <soon/group.h>
#include <soon/wait.h>

static soon_future *future;
static soon_future *promise;

static void *quick_job(void *arg)
{
	return arg;
}

/* It has ended, as it would have or by the fork. */
static void expect_done(soon_future *f)
{
	int code;

	sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
	code = soon_future_error(f);
	sched_check(code == 0 || code == SOON_EFORKED || code == ECANCELED ||
		    code == ESHUTDOWN);
}

/* A pool runs jobs, in the child without any of the threads it had. */
static void expect_works(soon_executor *e)
{
	soon_future *f;
	void *result = NULL;

	use_shard();
	f = soon_submit(e, quick_job, &begun);
	sched_check(f != NULL);
	sched_check(soon_future_result(f, SOON_FOREVER, &result) == 0);
	sched_check(result == &begun);
	soon_future_unref(f);
}

static void expect_new_works(void)
{
	soon_executor_options o = { .size = sizeof(o),
				    .workers = 1,
				    .max_workers = 1,
				    .idle_timeout = SOON_FOREVER };
	soon_executor *e = soon_executor_open(&o);

	sched_check(e != NULL);
	expect_works(e);
	soon_executor_free(e);
}

/* Submits and waits, and does not know of the fork. */
static void *use_pool(void *unused)
{
	warm();
	execute(quick);
	return unused;
}

/* While a worker is started, and jobs are queued, run and settled. */
static void using(enum sched_side side)
{
	unsigned a;

	open_pool(1, 1);
	future = submit(quick);
	a = sched_spawn("A", use_pool, NULL);
	sched_fork(side);
	expect_done(future);
	soon_future_unref(future);
	if (side == SCHED_PARENT)
		sched_join(a);
	expect_works(pool);
	soon_executor_free(pool);
	expect_new_works();
}

static void using_as_parent(void)
{
	using(SCHED_PARENT);
}

static void using_as_child(void)
{
	using(SCHED_CHILD);
}

/* Opens a pool of its own, and frees it. */
static void *open_and_free(void *unused)
{
	expect_new_works();
	return unused;
}

static void opening(enum sched_side side)
{
	unsigned a = sched_spawn("A", open_and_free, NULL);

	sched_fork(side);
	if (side == SCHED_PARENT)
		sched_join(a);
	expect_new_works();
}

static void opening_as_parent(void)
{
	opening(SCHED_PARENT);
}

static void opening_as_child(void)
{
	opening(SCHED_CHILD);
}

/* The pool ends in the parent; the child has no such end to wait for. */
static void *shut_down(void *unused)
{
	soon_executor_shutdown(pool, SOON_CANCEL_PENDING, SOON_FOREVER);
	return unused;
}

static void closing(enum sched_side side)
{
	unsigned a;

	open_pool(1, 1);
	future = submit(quick);
	a = sched_spawn("A", shut_down, NULL);
	sched_fork(side);
	expect_done(future);
	soon_future_unref(future);
	if (side == SCHED_PARENT)
		sched_join(a);
	soon_executor_free(pool);
	expect_new_works();
}

static void closing_as_parent(void)
{
	closing(SCHED_PARENT);
}

static void closing_as_child(void)
{
	closing(SCHED_CHILD);
}

/* Someone else completes, waits for and cancels futures. */
static void *complete(void *unused)
{
	int rc = soon_future_set_result(promise, NULL);

	sched_check(rc == 0 || rc == ECANCELED);
	soon_future_unref(promise);
	return unused;
}

static void *wait_for(void *f)
{
	soon_future *any = f;
	size_t i;

	sched_check(soon_wait_any(&any, 1, SOON_FOREVER, &i) == 0);
	soon_future_unref(f);
	return NULL;
}

/* A promise is the child's to keep, if nobody had. */
static void completing(enum sched_side side)
{
	soon_future *all;
	unsigned a, b;

	promise = soon_future_new(NULL);
	all = soon_when_all(&promise, 1);
	sched_check(all != NULL);
	a = sched_spawn("A", complete, soon_future_ref(promise));
	b = sched_spawn("B", wait_for, soon_future_ref(all));
	sched_fork(side);
	if (side == SCHED_PARENT) {
		sched_join(a);
		sched_join(b);
	} else {
		int rc = soon_future_set_result(promise, NULL);

		sched_check(rc == 0 || rc == EALREADY || rc == ECANCELED);
	}
	expect_done(promise);
	expect_done(all);
	soon_future_unref(all);
	soon_future_unref(promise);
}

static void completing_as_parent(void)
{
	completing(SCHED_PARENT);
}

static void completing_as_child(void)
{
	completing(SCHED_CHILD);
}

/* Sets and groups */

static soon_group *group;

static void *use_group(void *unused)
{
	int rc;

	use_shard();
	rc = soon_group_submit(group, quick_job, NULL);
	sched_check(rc == 0 || rc == ECANCELED);
	soon_group_cancel(group);
	return unused;
}

static void grouping(enum sched_side side)
{
	unsigned a;
	int code;

	open_pool(1, 1);
	group = soon_group_new(pool);
	use_shard();
	sched_check(soon_group_submit(group, quick_job, NULL) == 0);
	a = sched_spawn("A", use_group, NULL);
	sched_fork(side);
	sched_check(soon_group_wait(group, SOON_FOREVER) == 0);
	if (side == SCHED_PARENT)
		sched_join(a);
	code = soon_group_error(group);
	sched_check(code == 0 || code == ECANCELED || code == SOON_EFORKED);
	soon_group_free(group);
	expect_works(pool);
	soon_executor_free(pool);
}

static void grouping_as_parent(void)
{
	grouping(SCHED_PARENT);
}

static void grouping_as_child(void)
{
	grouping(SCHED_CHILD);
}

/* The set is this thread's, and one of its futures is completed meanwhile. */
static void collecting(enum sched_side side)
{
	soon_completions *set;
	soon_future *next;
	int rc;

	open_pool(1, 1);
	future = submit(quick);
	set = soon_as_completed(&future, 1);
	sched_check(set != NULL);
	sched_fork(side);
	rc = soon_completions_next(set, SOON_FOREVER, &next);
	sched_check(rc == 0 && next == future);
	sched_check(soon_completions_next(set, 0, &next) == ENODATA);
	soon_completions_free(set);
	expect_done(future);
	soon_future_unref(future);
	expect_works(pool);
	soon_executor_free(pool);
}

static void collecting_as_parent(void)
{
	collecting(SCHED_PARENT);
}

static void collecting_as_child(void)
{
	collecting(SCHED_CHILD);
}

/* A job forks: in the child its thread is no worker, and returns from it. */
static enum sched_side job_side;

static void *fork_in_job(void *arg)
{
	sched_fork(job_side);
	if (job_side == SCHED_CHILD) {
		sched_check(soon_self() == NULL);
		expect_done(future);
		expect_works(pool);
		expect_new_works();
		soon_executor_free(pool);
	}
	soon_future_unref(future);
	return quick(arg);
}

static void forking_in_a_job(enum sched_side side)
{
	job_side = side;
	open_pool(2, 2);
	future = submit(quick);
	execute(fork_in_job);
	await_all_ran();
}

static void job_as_parent(void)
{
	forking_in_a_job(SCHED_PARENT);
}

static void job_as_child(void)
{
	forking_in_a_job(SCHED_CHILD);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "fork: using, the parent", using_as_parent, 1, 0, 0, false },
		{ "fork: using, the child", using_as_child, 2, 0, 0, true },
		{ "fork: opening, the parent", opening_as_parent, 1, 0, 0,
		  false },
		{ "fork: opening, the child", opening_as_child, 2, 0, 0, true },
		{ "fork: closing, the parent", closing_as_parent, 1, 0, 0,
		  false },
		{ "fork: closing, the child", closing_as_child, 2, 0, 0, true },
		{ "fork: completing, the parent", completing_as_parent, 1, 0, 0,
		  false },
		{ "fork: completing, the child", completing_as_child, 2, 0, 0,
		  true },
		{ "fork: grouping, the parent", grouping_as_parent, 1, 0, 0,
		  false },
		{ "fork: grouping, the child", grouping_as_child, 2, 0, 0,
		  true },
		{ "fork: collecting, the parent", collecting_as_parent, 1, 0, 0,
		  false },
		{ "fork: collecting, the child", collecting_as_child, 2, 0, 0,
		  true },
		{ "fork: in a job, the parent", job_as_parent, 1, 0, 0, false },
		{ "fork: in a job, the child", job_as_child, 2, 0, 0, true },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
