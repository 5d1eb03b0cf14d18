/*
 * run.c - running a job, and what it may say and ask about itself.
 */
#include "job.h"
#include "thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Its address is what soon_fail() returns. */
static char failure;

static void free_arg(struct soon_future *f)
{
	struct sooni_side *side = sooni_side(f);

	if (side != NULL && side->free_arg != NULL)
		side->free_arg(f->arg);
}

struct sooni_outcome sooni_job_call(struct soon_future *f)
{
	struct sooni_context context = { .job = f };
	struct sooni_outcome outcome = { 0, NULL };
	void *result;

	sooni_context_push(&context);
	result = f->fn(f->arg);
	if (sooni_likely(context.job != NULL))
		free_arg(f);
	if (sooni_unlikely(context.job == NULL)) {
		outcome.code = SOONI_FORKED;
		return outcome;
	}
	sooni_context_pop(&context);
	if (sooni_unlikely(result == &failure)) {
		outcome.code = context.code != 0 ? context.code : EINVAL;
		outcome.message = context.message;
	} else {
		f->result = result;
		if (sooni_unlikely(context.message != NULL))
			free(context.message);
	}
	return outcome;
}

void sooni_job_settle(struct soon_future *f, struct sooni_outcome outcome)
{
	if (sooni_unlikely(outcome.code != 0))
		sooni_future_fail(f, outcome.code, outcome.message);
	else
		sooni_future_settle(f, SOONI_DONE);
}

void sooni_job_run(struct soon_future *f)
{
	struct sooni_outcome outcome = sooni_job_call(f);

	/* The jobs below on this stack are the parent's too. */
	if (sooni_unlikely(outcome.code == SOONI_FORKED))
		pthread_exit(NULL);
	sooni_job_settle(f, outcome);
}

void sooni_guest_run(struct soon_future *f)
{
	bool list = !sooni_me.listed;

	if (list)
		sooni_thread_join_list();
	sooni_job_run(f);
	/* In a child that a callback forked the list is a new one. */
	if (list && sooni_me.listed)
		sooni_thread_leave_list();
}

void sooni_job_fail(struct soon_future *f, int code)
{
	unsigned generation = sooni_generation;

	free_arg(f);
	if (sooni_likely(generation == sooni_generation))
		sooni_future_fail(f, code, NULL);
}

void *soon_fail(int code, const char *format, ...)
{
	struct sooni_context *running = sooni_running();
	va_list args;

	if (running == NULL)
		return &failure;
	free(running->message);
	running->message = NULL;
	running->code = code != 0 ? code : EINVAL;
	if (format != NULL) {
		va_start(args, format);
		if (vasprintf(&running->message, format, args) < 0)
			running->message = NULL;
		va_end(args);
	}
	return &failure;
}

soon_future *soon_self(void)
{
	struct sooni_context *running = sooni_running();

	return running != NULL ? running->job : NULL;
}

/*
 * A shutdown that cancels all asks the jobs that it finds running.  One that was
 * just then on its way from the queue to its thread's list finds this out here,
 * at one of its looks; before it sleeps it makes sure: see sooni_context_show().
 */
bool sooni_is_asked(struct soon_future *f)
{
	if (soon_future_cancel_requested(f))
		return true;
	if (f->home == NULL ||
	    !atomic_load_explicit(&f->home->stopping, memory_order_seq_cst))
		return false;
	sooni_future_ask(f);
	return true;
}

bool soon_cancel_requested(void)
{
	soon_future *f = soon_self();

	return f != NULL && sooni_is_asked(f);
}
