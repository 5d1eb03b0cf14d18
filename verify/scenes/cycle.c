/*
 * cycle.c - jobs that wait for each other, and one of them is told: cycle.c, with
 * await.c, watch.c and thread.c.
 *
 * If nobody is told they sleep for ever, which the scheduler finds.
 */
#include "scene.h"

#include "job.h"
#include "run.h"
#include "thread.h"

#include <errno.h>
#include <soon/wait.h>

enum { JOBS = 3 };

/* What a job waits for; nothing: it ends at once. */
static struct wish {
	soon_future *futures[2];
	size_t n;
	enum soon_when when;
	soon_nsec timeout;
} wishes[JOBS];

static struct soon_future *jobs[JOBS];
static struct sooni_home home;
static soon_future *promise;
static unsigned refused;

static void *wait_for(void *wish)
{
	struct wish *w = wish;
	int rc = 0;

	if (w->n > 0)
		rc = soon_wait(w->futures, w->n, w->when, w->timeout, NULL);
	sched_check(rc == 0 || rc == EDEADLK ||
		    (rc == ETIMEDOUT && w->timeout != SOON_FOREVER));
	refused += rc == EDEADLK;
	return NULL;
}

static void open_jobs(void)
{
	atomic_init(&home.guests, 0);
	atomic_init(&home.stopping, false);
	refused = 0;
	promise = soon_future_new(NULL);
	for (size_t i = 0; i < JOBS; i++) {
		wishes[i] = (struct wish){ .timeout = SOON_FOREVER };
		jobs[i] = sooni_future_new(SOONI_RUNNING | SOONI_REF, 0);
		jobs[i]->fn = wait_for;
		jobs[i]->arg = &wishes[i];
		jobs[i]->home = &home;
	}
}

static void let_wait(size_t i, soon_future *f)
{
	wishes[i].futures[wishes[i].n++] = f;
}

/* One of them, or two, one after the other. */
static void *run(void *first)
{
	struct soon_future **f = first;

	sooni_thread_join_list();
	sooni_job_run(*f);
	if (f == &jobs[1])
		sooni_job_run(jobs[2]);
	sooni_thread_leave_list();
	return NULL;
}

/* The first has a thread, and the others one. */
static void run_all(void)
{
	unsigned a = sched_spawn("A", run, &jobs[0]);
	unsigned b = sched_spawn("B", run, &jobs[1]);

	sched_check(soon_future_set_result(promise, NULL) == 0);
	sched_join(a);
	sched_join(b);
	for (size_t i = 0; i < JOBS; i++)
		soon_future_unref(jobs[i]);
	soon_future_unref(promise);
}

static void two(void)
{
	open_jobs();
	let_wait(0, jobs[1]);
	let_wait(1, jobs[0]);
	run_all();
	sched_check(refused == 1);
}

/* A job that was waited for has ended; its thread waits in another. */
static void one_after_the_other(void)
{
	open_jobs();
	let_wait(0, jobs[1]);
	let_wait(2, jobs[0]);
	run_all();
	sched_check(refused == 0);
}

static void with_a_limit(void)
{
	open_jobs();
	let_wait(0, jobs[1]);
	wishes[0].timeout = 1;
	let_wait(1, jobs[0]);
	run_all();
	sched_check(refused == 0);
}

/* It sleeps for the last first, and then, or at once, for the other. */
static void for_all(void)
{
	open_jobs();
	let_wait(0, jobs[1]);
	let_wait(0, promise);
	let_wait(1, jobs[0]);
	run_all();
	sched_check(refused == 1);
}

/* Stuck only when the promise is kept. */
static void for_an_error(void)
{
	open_jobs();
	let_wait(0, promise);
	let_wait(0, jobs[1]);
	wishes[0].when = SOON_FIRST_ERROR;
	let_wait(1, jobs[0]);
	run_all();
	sched_check(refused == 1);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "cycle: two", two, 2, 0, 0, false },
		{ "cycle: one after the other", one_after_the_other, 2, 0, 0,
		  false },
		{ "cycle: with a limit", with_a_limit, 2, 1, 0, false },
		{ "cycle: for all", for_all, 2, 0, 0, false },
		{ "cycle: for an error", for_an_error, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
