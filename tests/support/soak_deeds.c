/*
 * soak_deeds.c - what threads and jobs do, by chance; see soak.h.
 */
#include "soak.h"

#include "child.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

soon_nsec soak_time(struct rng *r, unsigned microseconds)
{
	return 1 + (soon_nsec)rng_below(r, microseconds * 1000);
}

/* What takes time */

static void spin(struct rng *r, unsigned depth)
{
	(void)depth;
	for (volatile unsigned i = rng_below(r, 20000); i > 0; i--)
		;
}

static void block(struct rng *r, unsigned depth)
{
	struct timespec t = { .tv_nsec = (long)soak_time(r, 300) };

	(void)depth;
	nanosleep(&t, NULL);
}

/* The hints may nest, and may be left to the job's end. */
static void block_with_hints(struct rng *r, unsigned depth)
{
	soon_blocking_begin();
	if (rng_below(r, 4) == 0)
		soon_blocking_begin();
	block(r, depth);
	if (rng_below(r, 8) > 0 || soon_self() == NULL)
		soon_blocking_end();
}

static void sleep_there(struct rng *r, unsigned depth)
{
	int rc = soon_sleep(soak_time(r, 300));

	(void)depth;
	SOAK_CLAIM(rc == 0 || (rc == ECANCELED && soon_cancel_requested()));
}

/* Being asked to stop */

static void hook(void *task)
{
	struct soak_task *t = task;
	struct rng r = rng_seed(t->seed + 2);

	SOAK_CLAIM(atomic_load(&t->ran) == 1);
	SOAK_CLAIM(atomic_load(&t->arg_freed) == 0);
	if (rng_below(&r, 4) == 0)
		soak_submit_leaf(&r);
}

static void poll_cancel(struct rng *r)
{
	struct pollfd p = { .fd = soon_cancel_fd(), .events = POLLIN };
	bool hints = rng_below(r, 2) == 0;

	SOAK_CLAIM(p.fd >= 0 && soon_cancel_fd() == p.fd);
	if (hints)
		soon_blocking_begin();
	if (poll(&p, 1, 1) == 1)
		SOAK_CLAIM(soon_cancel_requested());
	if (hints)
		soon_blocking_end();
}

static void await_cancel(struct rng *r, unsigned depth)
{
	void *task = soon_future_arg(soon_self());
	unsigned hooks = rng_below(r, 4);

	if (task == NULL)
		return;
	soak_forbid_exit();
	for (unsigned i = 0; i < hooks; i++)
		SOAK_CLAIM(soon_on_cancel(hook, task) == 0);
	if (rng_below(r, 2) == 0)
		poll_cancel(r);
	else
		sleep_there(r, depth);
	for (unsigned i = rng_below(r, hooks + 1); i > 0; i--)
		soon_off_cancel();
	soak_allow_exit();
}

static void leave_thread(struct rng *r, unsigned depth)
{
	(void)depth;
	if (rng_below(r, 2) == 0)
		soon_blocking_begin();
	if (soon_self() == NULL || !soak_may_exit())
		return;
	if (rng_below(r, 2) == 0)
		pthread_exit(NULL);
	pthread_cancel(pthread_self());
	pthread_testcancel();
}

/* Promises */

static void unref(void *f)
{
	soon_future_unref(f);
}

static void call_leaf(soon_future *f, void *unused)
{
	struct rng r = rng_seed((uint64_t)(uintptr_t)f);

	(void)unused;
	soak_submit_leaf(&r);
}

static void await_promise(struct rng *r, unsigned depth)
{
	soon_future *f = soak_promise();
	int rc;

	(void)depth;
	if (rng_below(r, 4) == 0)
		SOAK_CLAIM(soon_future_on_done(f, call_leaf, NULL) == 0);
	if (rng_below(r, 8) == 0)
		soon_future_cancel(f);
	pthread_cleanup_push(unref, f);
	if (rng_below(r, 4) == 0) {
		soon_future_wait(f, soak_time(r, 200));
	} else {
		rc = soon_future_result(f, SOON_FOREVER, NULL);
		SOAK_CLAIM(rc == 0 || rc == EPROTO || rc == ECANCELED);
	}
	pthread_cleanup_pop(1);
}

static void expect_dropped(soon_future *f, void *count)
{
	SOAK_CLAIM(soon_future_error(f) == SOON_EDROPPED);
	++*(unsigned *)count;
}

static void drop_promise(struct rng *r, unsigned depth)
{
	soon_future *f = soon_future_new(NULL);
	unsigned told = 0;

	(void)r;
	(void)depth;
	SOAK_CLAIM(soon_future_on_done(f, expect_dropped, &told) == 0);
	soon_future_unref(f);
	SOAK_CLAIM(told == 1);
}

/* Jobs of others */

static void wait_on_board(soon_future *f, struct rng *r)
{
	int rc;

	if (rng_below(r, 2) == 0) {
		rc = soon_future_wait(f, soak_time(r, 200));
		SOAK_CLAIM(rc == 0 || rc == ETIMEDOUT);
		return;
	}
	rc = soon_future_wait(f, SOON_FOREVER);
	SOAK_CLAIM(rc == 0 || (rc == EDEADLK && soon_self() != NULL));
}

static void use_board(struct rng *r, unsigned depth)
{
	soon_future *f = soak_board_get(rng_below(r, 1000));
	struct soak_batch b = { .f = { f }, .n = 1 };

	(void)depth;
	if (f == NULL)
		return;
	pthread_cleanup_push(soak_batch_drop, &b);
	if (rng_below(r, 3) == 0)
		wait_on_board(f, r);
	else
		soak_batch_collect(&b, r);
	pthread_cleanup_pop(1);
}

/* Looking in */

static void look_at(soon_executor *e)
{
	soon_stats s = SOON_STATS_INIT;

	SOAK_CLAIM(soon_executor_stats(e, &s) == 0);
	SOAK_CLAIM(s.submitted >= s.succeeded + s.failed + s.cancelled);
	SOAK_CLAIM(s.failed >= s.expired);
	SOAK_CLAIM(s.threads == s.running + s.blocked + s.idle);
	soak_figures_note(&s);
}

static void look_in(struct rng *r, unsigned depth)
{
	soon_executor *e = soak.pool[rng_below(r, SOAK_POOLS)];
	FILE *out;

	(void)depth;
	look_at(e);
	if (rng_below(r, 2) == 0)
		return;
	out = fopen("/dev/null", "w");
	SOAK_CLAIM(out != NULL);
	SOAK_CLAIM(soon_executor_dump(e, out) == 0);
	fclose(out);
}

static void trace(struct rng *r, unsigned depth)
{
	int rc;

	(void)depth;
	if (rng_below(r, 2) == 0) {
		rc = soon_trace_start("/dev/null");
		SOAK_CLAIM(rc == 0 || rc == EBUSY);
	} else {
		rc = soon_trace_stop();
		SOAK_CLAIM(rc == 0 || rc == EALREADY);
	}
}

/* Processes */

/* What a job may have come to, in the child. */
static bool is_outcome(int rc)
{
	return rc == 0 || rc == EIO || rc == ETIMEDOUT || rc == ECANCELED ||
	       rc == SOON_EEXITED || rc == SOON_EFORKED;
}

static const char *look_from_child(struct soak_batch *b)
{
	CLAIM(soon_self() == NULL);
	CLAIM(soon_wait_all(b->f, b->n, SOON_FOREVER) == 0);
	for (size_t i = 0; i < b->n; i++)
		CLAIM(is_outcome(soon_future_error(b->f[i])));
	for (unsigned i = 0; i < SOAK_POOLS; i++) {
		soon_future *f = soon_submit(soak.pool[i], return_arg, b);
		void *result = NULL;

		CLAIM(f != NULL ||
		      (errno == ESHUTDOWN && atomic_load(&soak.closed[i])));
		CLAIM(f == NULL ||
		      soon_future_result(f, SOON_FOREVER, &result) == 0);
		CLAIM(f == NULL || result == b);
		soon_future_unref(f);
	}
	return pool_works(NULL);
}

static void fork_here(struct rng *r, unsigned depth)
{
	struct soak_batch b = { .n = 0 };
	pid_t pid;

	if (atomic_fetch_sub(&soak.forks_left, 1) <= 0)
		return;
	soak_forbid_exit();
	soak_batch_submit(&b, r, depth);
	soak_allow_exit();
	pid = fork_child();
	/* A sanitizer's own locks do not survive it. */
	if (pid == 0)
		child_end(TEST_SANITIZED ? NULL : look_from_child(&b));
	SOAK_CLAIM(child_ended(pid, ENDED_WELL));
	soak_batch_drop(&b);
}

/* Ends */

static void close_pool(struct rng *r, unsigned depth)
{
	unsigned i = rng_below(r, SOAK_POOLS);
	soon_nsec timeout = rng_below(r, 2) == 0 ? 0 : soak_time(r, 300);
	int rc;

	(void)depth;
	if (!soak.may_close || rng_below(r, 8) > 0)
		return;
	atomic_store(&soak.closed[i], true);
	rc = soon_executor_shutdown(soak.pool[i], rng_below(r, 4), timeout);
	SOAK_CLAIM(rc == 0 || rc == (timeout > 0 ? ETIMEDOUT : EINPROGRESS));
}

/* A job cannot wait for its pool's end; one whose time may be up is no longer the
 * pool's then. */
static void wait_for_own_pool(struct rng *r, unsigned depth)
{
	struct soak_task *t = soon_future_arg(soon_self());

	(void)depth;
	if (t != NULL && t->job.run_within == 0)
		SOAK_CLAIM(soon_executor_shutdown(soak.pool[t->pool], 0,
						  soak_time(r, 300)) ==
			   EDEADLK);
}

static const struct deed {
	void (*fn)(struct rng *r, unsigned depth);
	/* Of 100, more or less: in a thread, a job, and a job that may not
	 * submit. */
	unsigned weight[3];
} deeds[] = {
	{ spin, { 4, 20, 40 } },
	{ block, { 1, 10, 20 } },
	{ block_with_hints, { 1, 10, 15 } },
	{ sleep_there, { 1, 6, 10 } },
	{ await_cancel, { 0, 8, 10 } },
	{ leave_thread, { 0, 3, 4 } },
	{ soak_batch, { 45, 20, 0 } },
	{ soak_map, { 5, 4, 0 } },
	{ soak_group, { 5, 4, 0 } },
	{ soak_compose, { 8, 4, 0 } },
	{ soak_then, { 6, 4, 0 } },
	{ soak_imap, { 5, 4, 0 } },
	{ soak_poll, { 4, 2, 0 } },
	{ await_promise, { 6, 5, 0 } },
	{ drop_promise, { 2, 2, 2 } },
	{ use_board, { 24, 10, 0 } },
	{ look_in, { 4, 2, 2 } },
	{ trace, { 2, 1, 1 } },
	{ fork_here, { 2, 1, 0 } },
	{ close_pool, { 3, 0, 0 } },
	{ wait_for_own_pool, { 0, 2, 2 } },
};

void soak_do(struct rng *r, unsigned depth)
{
	unsigned who = depth == SOAK_DEPTH ? 0 : depth > 0 ? 1 : 2;
	unsigned sum = 0;
	unsigned at;

	for (size_t i = 0; i < COUNT_OF(deeds); i++)
		sum += deeds[i].weight[who];
	at = rng_below(r, sum);
	for (size_t i = 0; i < COUNT_OF(deeds); i++) {
		if (at < deeds[i].weight[who]) {
			deeds[i].fn(r, depth);
			return;
		}
		at -= deeds[i].weight[who];
	}
}
