/*
 * ledger.c - each job, argument, result and callback, and what became of it.
 */
#include "fuzz.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

soon_executor *_Atomic fuzz_pool;
const char *fuzz_failed;

static struct task tasks[MOST_TASKS];
static atomic_uint tasks_used;
static struct call calls[MOST_CALLS];
static atomic_uint calls_used;
static struct counts counted;

/* Held jobs wait here. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static _Thread_local bool never_held;

void fuzz_claim(bool holds, const char *file, int line, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	if (fuzz_failed != NULL)
		fputs(fuzz_failed, stderr);
	abort();
}

void fuzz_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 }, NULL);
}

unsigned pick(struct input *in, unsigned n)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++ % n;
}

bool rarely(struct input *in, unsigned n)
{
	return pick(in, n) == 1;
}

/* Jobs */

struct task *task_new(void)
{
	unsigned i = atomic_fetch_add(&tasks_used, 1);

	return i < MOST_TASKS ? &tasks[i] : NULL;
}

static void hold(struct task *t)
{
	if (!t->held || never_held)
		return;
	pthread_mutex_lock(&gate);
	while (!gate_open && !atomic_load(&t->let_go))
		pthread_cond_wait(&gate_changed, &gate);
	pthread_mutex_unlock(&gate);
}

void task_let_go(struct task *t)
{
	pthread_mutex_lock(&gate);
	atomic_store(&t->let_go, true);
	pthread_cond_broadcast(&gate_changed);
	pthread_mutex_unlock(&gate);
}

void task_let_all_go(void)
{
	pthread_mutex_lock(&gate);
	gate_open = true;
	pthread_cond_broadcast(&gate_changed);
	pthread_mutex_unlock(&gate);
}

void task_never_hold_me(void)
{
	never_held = true;
}

static void hook(void *task)
{
	struct task *t = task;

	CLAIM(atomic_fetch_add(&t->asked, 1) == 0);
	CLAIM(atomic_load(&t->arg_freed) == 0);
}

static void poll_cancel(void)
{
	struct pollfd p = { .fd = soon_cancel_fd(), .events = POLLIN };

	CLAIM(p.fd >= 0);
	if (poll(&p, 1, 0) == 1)
		CLAIM(soon_cancel_requested());
}

static void have_child(struct task *parent)
{
	struct task *t = parent->may_child ? task_new() : NULL;
	soon_job job;
	soon_future *f;

	if (t == NULL)
		return;
	job = task_job(t);
	f = soon_submit_job(atomic_load(&fuzz_pool), &job);
	CLAIM(f != NULL || errno == ESHUTDOWN || errno == EAGAIN);
	atomic_store(&t->accepted, f != NULL);
	if (f != NULL && parent->deed == AWAITS_CHILD) {
		CLAIM(soon_future_wait(f, SOON_FOREVER) == 0);
		CLAIM(soon_future_done(f));
	}
	soon_future_unref(f);
}

static void act(struct task *t)
{
	int rc;

	switch (t->deed) {
	case SLEEPS:
		rc = soon_sleep(50 * SOON_USEC);
		CLAIM(rc == 0 || (rc == ECANCELED && soon_cancel_requested()));
		break;
	case POLLS:
		poll_cancel();
		break;
	case HAS_CHILD:
	case AWAITS_CHILD:
		have_child(t);
		break;
	default:
		break;
	}
}

static bool fails(const struct task *t)
{
	return t->ending == FAILS ||
	       (t->ending == FAILS_IF_ASKED && soon_cancel_requested());
}

void *task_run(void *task)
{
	struct task *t = task;
	bool failed;

	CLAIM(atomic_fetch_add(&t->started, 1) == 0);
	CLAIM(atomic_load(&t->arg_freed) == 0);
	CLAIM(soon_future_state(soon_self()) != SOON_CANCELLED);
	if (t->hooked)
		CLAIM(soon_on_cancel(hook, t) == 0);
	hold(t);
	act(t);
	failed = fails(t);
	atomic_store(&t->returned, !failed && t->ending != RETURNS_NULL);
	atomic_store(&t->ended, 1);
	if (failed && t->ending == FAILS)
		return soon_fail(TASK_CODE, "no %d", TASK_CODE);
	if (failed)
		return soon_fail(ECANCELED, NULL);
	return t->ending == RETURNS_NULL ? NULL : &t->result;
}

void *task_then(soon_future *done, void *task)
{
	CLAIM(soon_future_done(done));
	CLAIM(soon_future_error(done) != EBUSY);
	return task_run(task);
}

/* Here and below: what the account waits for comes last. */
void task_free_arg(void *task)
{
	struct task *t = task;

	CLAIM(t->owns_arg);
	CLAIM(atomic_load(&t->started) == atomic_load(&t->ended));
	CLAIM(atomic_fetch_add(&t->arg_freed, 1) == 0);
}

static struct task *of_result(void *result)
{
	return (struct task *)((char *)result - offsetof(struct task, result));
}

void task_free_result(void *result)
{
	struct task *t = of_result(result);

	CLAIM(atomic_load(&t->owned) && !atomic_load(&t->taken));
	CLAIM(atomic_fetch_add(&t->result_freed, 1) == 0);
}

/* when_any() and the like succeed with futures. */
void task_took(void *result)
{
	if ((uintptr_t)result - (uintptr_t)tasks < sizeof(tasks))
		CLAIM(!atomic_exchange(&of_result(result)->taken, true));
}

void *task_result(struct task *t)
{
	return &t->result;
}

soon_job task_job(struct task *t)
{
	soon_job job = SOON_JOB_INIT;

	job.fn = task_run;
	job.arg = t;
	if (t->owns_arg)
		job.free_arg = task_free_arg;
	if (atomic_load(&t->owned))
		job.free_result = task_free_result;
	return job;
}

/* Callbacks */

static void on_done(soon_future *f, void *call)
{
	struct call *c = call;

	CLAIM(soon_future_done(f) && soon_future_error(f) != EBUSY);
	CLAIM(c->after == NULL || atomic_load(&c->after->count) == 1);
	CLAIM(atomic_fetch_add(&c->count, 1) == 0);
}

struct call *call_on_done(soon_future *f, const struct call *after)
{
	unsigned i = atomic_fetch_add(&calls_used, 1);
	struct call *c;

	if (i >= MOST_CALLS)
		return NULL;
	c = &calls[i];
	c->after = after;
	CLAIM(soon_future_on_done(f, on_done, c) == 0);
	return c;
}

void fuzz_unread(soon_future *f, void *unused)
{
	(void)unused;
	CLAIM(soon_future_state(f) == SOON_FAILED);
}

/* The account */

void fuzz_end_pool(soon_executor *e)
{
	soon_stats s = SOON_STATS_INIT;

	CLAIM(soon_executor_shutdown(e, 0, SOON_FOREVER) == 0);
	CLAIM(soon_executor_stats(e, &s) == 0);
	CLAIM(s.submitted == s.succeeded + s.failed + s.cancelled);
	CLAIM(s.expired <= s.failed && s.pending == 0 && s.delayed == 0);
	counted.submitted += s.submitted;
	counted.succeeded += s.succeeded;
	counted.failed += s.failed;
	counted.cancelled += s.cancelled;
	counted.expired += s.expired;
	counted.rejected += s.rejected;
	soon_executor_free(e);
}

void ledger_open(void)
{
	memset(tasks, 0, sizeof(tasks));
	memset(calls, 0, sizeof(calls));
	memset(&counted, 0, sizeof(counted));
	atomic_store(&tasks_used, 0);
	atomic_store(&calls_used, 0);
	gate_open = false;
}

/* Whether a job has come to its end, in no way that it may not. */
static bool is_over(const struct task *t)
{
	bool accepted = atomic_load(&t->accepted);
	unsigned started = atomic_load(&t->started);
	unsigned freed = atomic_load(&t->result_freed);
	bool has_result = atomic_load(&t->promised) ||
			  atomic_load(&t->returned);

	CLAIM(started <= (accepted ? 1 : 0));
	CLAIM(atomic_load(&t->arg_freed) <= (accepted && t->owns_arg));
	return started == atomic_load(&t->ended) &&
	       atomic_load(&t->arg_freed) == (accepted && t->owns_arg) &&
	       freed == (has_result && atomic_load(&t->owned) &&
			 !atomic_load(&t->taken)) &&
	       atomic_load(&t->asked) <= started;
}

/* Nobody can wait for a job that was written off, which may not even have made its
 * first step, but it soon returns.  Its free_arg tells when. */
static void close_task(const struct task *t)
{
	int tries = 0;

	while (!is_over(t) && tries++ < PATIENCE)
		fuzz_nap();
	CLAIM(is_over(t));
}

/* A limit of time makes its calls in the library's thread, and a future is done
 * before they are. */
static void close_call(const struct call *c)
{
	int tries = 0;

	while (atomic_load(&c->count) == 0 && tries++ < PATIENCE)
		fuzz_nap();
	CLAIM(atomic_load(&c->count) == 1);
}

static unsigned used(const atomic_uint *n, unsigned most)
{
	return atomic_load(n) < most ? atomic_load(n) : most;
}

/* What started was not cancelled before, nor does it go if it did not expire; but a
 * continuation that a shutdown overtakes may be counted, and fail. */
void ledger_close(void)
{
	uint64_t accepted = 0, started = 0, late = 0;

	for (unsigned i = 0; i < used(&tasks_used, MOST_TASKS); i++) {
		struct task *t = &tasks[i];

		close_task(t);
		accepted += atomic_load(&t->accepted);
		started += atomic_load(&t->started);
		late += t->then && atomic_load(&t->started) == 0;
	}
	CLAIM(counted.submitted <= accepted);
	CLAIM(counted.submitted + late >= accepted);
	CLAIM(started + counted.cancelled <= counted.submitted);
	CLAIM(started + counted.cancelled + counted.expired + late >=
	      counted.submitted);
	for (unsigned i = 0; i < used(&calls_used, MOST_CALLS); i++)
		close_call(&calls[i]);
}
