/*
 * cancel.c - hooks that a running job pushes and takes off while others ask it
 * to stop: cancel.c, with future.c, run.c and thread.c.
 */
#include "scene.h"

#include "count.h"
#include "job.h"
#include "run.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>

enum { HOOKS = 2 };

static struct soon_future *future;
static struct sooni_home home;
static unsigned called[HOOKS]; /* times */
static bool off[HOOKS];	       /* it has been taken off */
static count calls;	       /* in all */
static unsigned inside;	       /* calls at this moment */
static bool ended;

static void hook(void *number)
{
	size_t i = (size_t)number;

	sched_check(!off[i] && !ended && called[i] == 0);
	called[i]++;
	inside++;
	count_up(&calls); /* others may go on here */
	inside--;
	sched_check(!off[i] && !ended);
}

/* It takes a hook off before it has run, or after, or leaves it. */
static void *push_and_pop(void *unused)
{
	sched_check(soon_on_cancel(hook, (void *)0) == 0);
	sched_check(soon_on_cancel(hook, (void *)1) == 0);
	soon_off_cancel();
	off[1] = true;
	return unused;
}

/* If the request is not delivered it waits for ever. */
static void *await_call(void *unused)
{
	sched_check(soon_on_cancel(hook, (void *)0) == 0);
	count_await(&calls, 1);
	return unused;
}

static void *work(void *unused)
{
	struct soon_future *f = future;
	struct sooni_outcome outcome;

	(void)unused;
	sooni_thread_join_list();
	outcome = sooni_job_call(f);
	ended = true;
	sched_check(inside == 0);
	sooni_job_settle(f, outcome);
	sooni_thread_leave_list();
	return NULL;
}

static void *cancel_and_unref(void *unused)
{
	int rc = soon_future_cancel(future);

	(void)unused;
	sched_check(rc == EBUSY || rc == EALREADY);
	soon_future_unref(future);
	return NULL;
}

static void ask(struct soon_future *f, void *later)
{
	if (f->home == &home)
		sooni_future_ask_later(f, later);
}

/* As a shutdown does. */
static void *cancel_running(void *unused)
{
	struct sooni_cancel *later = NULL;

	(void)unused;
	atomic_store_explicit(&home.stopping, true, memory_order_seq_cst);
	sooni_threads_look(ask, &later);
	sooni_cancel_deliver(later);
	return NULL;
}

/* A job that its worker has claimed, with so many references. */
static void run(soon_fn *job, uint32_t refs, void *(*first)(void *),
		void *(*second)(void *))
{
	unsigned threads[3];
	unsigned n = 0;

	atomic_init(&home.guests, 0);
	atomic_init(&home.stopping, false);
	atomic_init(&calls, 0);
	for (size_t i = 0; i < HOOKS; i++) {
		called[i] = 0;
		off[i] = false;
	}
	inside = 0;
	ended = false;
	future = sooni_future_new(SOONI_RUNNING | refs * SOONI_REF, 0);
	future->fn = job;
	future->arg = NULL;
	future->home = &home;
	threads[n++] = sched_spawn("worker", work, NULL);
	threads[n++] = sched_spawn("first", first, NULL);
	if (second != NULL)
		threads[n++] = sched_spawn("second", second, NULL);
	while (n > 0)
		sched_join(threads[--n]);
	for (size_t i = 0; i < HOOKS; i++)
		sched_check(called[i] <= 1);
}

static void a_request_is_delivered(void)
{
	run(await_call, 1, cancel_and_unref, NULL);
}

static void a_request_is_delivered_once(void)
{
	run(await_call, 2, cancel_and_unref, cancel_and_unref);
}

static void a_shutdown_is_delivered(void)
{
	run(await_call, 0, cancel_running, NULL);
}

static void hooks_come_and_go(void)
{
	run(push_and_pop, 1, cancel_and_unref, NULL);
}

static void hooks_come_and_go_at_the_end(void)
{
	run(push_and_pop, 1, cancel_and_unref, cancel_running);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "cancel: a request is delivered", a_request_is_delivered, 2,
		  0, 0, false },
		{ "cancel: a request is delivered once",
		  a_request_is_delivered_once, 2, 0, 0, false },
		{ "cancel: a shutdown is delivered", a_shutdown_is_delivered, 2,
		  0, 0, false },
		{ "cancel: hooks come and go", hooks_come_and_go, 3, 0, 0,
		  false },
		{ "cancel: hooks come and go at the end",
		  hooks_come_and_go_at_the_end, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
