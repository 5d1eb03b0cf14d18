/*
 * run.c - running a job, and what it may say and ask about itself.
 */
#include "job.h"
#include "thread.h"
#include "trace.h"

#include <errno.h>
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

/* The failure that is in what the job returned; 0: none. */
static inline int code_of(const struct sooni_context *c, const void *result)
{
	if (sooni_likely(result != &failure))
		return 0;
	return c->code != 0 ? c->code : EINVAL;
}

static sooni_noinline void *call_traced(struct sooni_context *c)
{
	struct soon_future *f = c->job;
	struct sooni_trace_begin began = sooni_trace_begin();
	void *result = f->fn(f->arg);
	int code = code_of(c, result);

	sooni_trace_end(began, f, code, code != 0 ? c->message : NULL);
	return result;
}

struct sooni_outcome sooni_job_call(struct soon_future *f)
{
	struct sooni_context context = { .job = f };
	struct sooni_outcome outcome = { 0, NULL };
	void *result;

	sooni_context_push(&context);
	/* relaxed: a job more or less. */
	result = sooni_unlikely(atomic_load_explicit(&sooni_tracing,
						     memory_order_relaxed) != 0)
			 ? call_traced(&context)
			 : f->fn(f->arg);
	free_arg(f);
	sooni_context_pop(&context);
	outcome.code = code_of(&context, result);
	if (sooni_unlikely(outcome.code != 0)) {
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
	/* Counted before anybody can know. */
	if (sooni_unlikely(outcome.code != 0)) {
		sooni_count(&f->home->counts, SOONI_HAVE_FAILED);
		sooni_future_fail(f, outcome.code, outcome.message);
	} else {
		sooni_count(&f->home->counts, SOONI_SUCCEEDED);
		sooni_future_settle(f, SOONI_DONE);
	}
}

void sooni_job_run(struct soon_future *f)
{
	sooni_job_settle(f, sooni_job_call(f));
}

void sooni_guest_run(struct soon_future *f)
{
	bool list = !sooni_me.listed;

	if (list)
		sooni_thread_join_list();
	sooni_job_run(f);
	if (list)
		sooni_thread_leave_list();
}

void sooni_job_fail(struct soon_future *f, int code)
{
	free_arg(f);
	sooni_count(&f->home->counts, SOONI_HAVE_FAILED);
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
