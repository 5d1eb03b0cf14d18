/*
 * thread.c - looking at the jobs that other threads run: thread.c.
 *
 * A job that somebody looks at must not end; its block is freed as soon as it
 * has ended, so that a look at it later faults.
 */
#include "scene.h"

#include "job.h"
#include "run.h"
#include "thread.h"

#include <stdlib.h>

static unsigned seen;
static struct sooni_home home;

static void *job(void *unused)
{
	return unused;
}

static void run_one(void)
{
	struct soon_future *f = sooni_future_new(0, 0);

	f->fn = job;
	f->arg = NULL;
	f->home = &home;
	sched_check(sooni_future_claim(f, false, false));
	/* Nobody refers to it: settling frees it. */
	sooni_job_run(f);
}

static void *run_two(void *unused)
{
	(void)unused;
	sooni_thread_join_list();
	run_one();
	run_one();
	sooni_thread_leave_list();
	return NULL;
}

static void look_at(struct soon_future *f, void *ctx)
{
	sched_check(ctx == &seen && f->fn == job);
	sooni_future_ask(f);
	sched_check(!(f->state & SOONI_DONE));
	seen++;
}

static void *look(void *unused)
{
	(void)unused;
	sooni_threads_look(look_at, &seen);
	return NULL;
}

static void looking(void)
{
	unsigned a;
	unsigned b;

	seen = 0;
	a = sched_spawn("A", run_two, NULL);
	b = sched_spawn("B", run_two, NULL);
	look(NULL);
	sched_join(a);
	sched_join(b);
	sched_check(seen <= 2);
}

/* Two look, one after the other, while a job ends. */
static void looking_twice(void)
{
	unsigned a;
	unsigned b;

	seen = 0;
	a = sched_spawn("A", run_two, NULL);
	b = sched_spawn("B", look, NULL);
	look(NULL);
	sched_join(a);
	sched_join(b);
	sched_check(seen <= 2);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "thread: looking", looking, 2, 0, 0, false },
		{ "thread: looking twice", looking_twice, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
