/*
 * run.c - running a job, and what it may say and ask about itself.
 */
#include "run.h"

#include "os.h"
#include "thread.h"
#include "trace.h"

#include <soon/error.h>

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Its address is what soon_fail() returns. */
static char failure;

static void call_free_arg(struct soon_future *f, struct sooni_side *side)
{
	int old = sooni_uncancellable_begin();

	side->free_arg(f->arg);
	sooni_uncancellable_end(old);
}

static void free_arg(struct soon_future *f)
{
	struct sooni_side *side = sooni_side(f);

	if (side != NULL && side->free_arg != NULL)
		call_free_arg(f, side);
}

/* The job's function is through. */
static sooni_noinline void end_with_side(struct soon_future *f,
					 struct sooni_side *side)
{
	/* relaxed: it is made by the thread that runs the job. */
	struct sooni_cancel *c =
		atomic_load_explicit(&side->cancel, memory_order_relaxed);
	unsigned generation = sooni_generation;

	if (c != NULL)
		sooni_cancel_end(c);
	if (side->free_arg == NULL)
		return;
	call_free_arg(f, side);
	if (generation != sooni_generation)
		return;
	/* What that has pushed. */
	c = atomic_load_explicit(&side->cancel, memory_order_relaxed);
	if (c != NULL)
		sooni_cancel_end(c);
}

/* False: this is a child, which the job or its destructor forked. */
static inline bool end(struct sooni_context *c)
{
	struct soon_future *f = c->job;
	struct sooni_side *side;

	if (sooni_unlikely(f == NULL))
		return false;
	side = sooni_side(f);
	if (sooni_likely(side == NULL))
		return true;
	end_with_side(f, side);
	return c->job != NULL;
}

/* The job has ended its thread, whose stack is being unwound.  One with a limit is
 * settled by limit.c, which is called next. */
static void exited_limited(void *context)
{
	struct sooni_context *c = context;

	if (!end(c))
		return;
	sooni_context_pop(c);
	free(c->message);
}

/* The same with others.  For the jobs that wait below it this is called next. */
static void exited(void *context)
{
	struct sooni_context *c = context;

	exited_limited(c);
	if (c->job != NULL)
		sooni_job_settle(c->job,
				 (struct sooni_outcome){ SOON_EEXITED, NULL });
}

/* The failure that is in what the job returned; 0: none. */
static inline int code_of(const struct sooni_context *c, const void *result)
{
	if (sooni_likely(result != &failure))
		return 0;
	return c->code != 0 ? c->code : EINVAL;
}

/* A job in a trace. */
struct traced {
	struct soon_future *job;
	struct sooni_trace_begin began;
};

static void exited_traced(void *traced)
{
	const struct traced *t = traced;

	sooni_trace_end(t->began, t->job, SOON_EEXITED, NULL);
}

static sooni_noinline void *call_traced(struct sooni_context *c)
{
	struct soon_future *f = c->job;
	struct traced t = { f, sooni_trace_begin() };
	void *result;
	int code;

	pthread_cleanup_push(exited_traced, &t);
	result = f->fn(f->arg);
	pthread_cleanup_pop(0);
	code = code_of(c, result);
	sooni_trace_end(t.began, f, code, code != 0 ? c->message : NULL);
	return result;
}

sooni_inline struct sooni_outcome call(struct soon_future *f,
				       struct sooni_limit *limit, void **to)
{
	struct sooni_context context = { .job = f };
	struct sooni_outcome outcome = { 0, NULL };
	void *result;

	sooni_context_push(&context);
	pthread_cleanup_push(limit != NULL ? exited_limited : exited, &context);
	if (limit != NULL)
		sooni_limit_start(limit);
	/* relaxed: a job more or less. */
	result = sooni_unlikely(atomic_load_explicit(&sooni_tracing,
						     memory_order_relaxed) != 0)
			 ? call_traced(&context)
			 : f->fn(f->arg);
	pthread_cleanup_pop(0);
	if (sooni_unlikely(!end(&context))) {
		outcome.code = SOONI_FORKED;
		return outcome;
	}
	sooni_context_pop(&context);
	outcome.code = code_of(&context, result);
	if (sooni_unlikely(outcome.code != 0)) {
		outcome.message = context.message;
	} else {
		*to = result;
		if (sooni_unlikely(context.message != NULL))
			free(context.message);
	}
	return outcome;
}

struct sooni_outcome sooni_job_call(struct soon_future *f)
{
	return call(f, NULL, &f->result);
}

struct sooni_outcome sooni_job_call_limited(struct soon_future *f,
					    struct sooni_limit *limit,
					    void **result)
{
	return call(f, limit, result);
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
	struct sooni_outcome outcome = sooni_job_call(f);

	/* The jobs below on this stack are the parent's too. */
	if (sooni_unlikely(outcome.code == SOONI_FORKED))
		pthread_exit(NULL);
	sooni_job_settle(f, outcome);
}

static void leave_list(void *joined)
{
	/* In a child that the job or a callback forked the list is a new one. */
	if (joined != NULL && sooni_me.listed)
		sooni_thread_leave_list();
}

void sooni_guest_run(struct soon_future *f)
{
	bool list = !sooni_me.listed;

	if (list)
		sooni_thread_join_list();
	pthread_cleanup_push(leave_list, list ? &sooni_me : NULL);
	if (sooni_unlikely(sooni_is_marked(f, SOONI_LIMITED)))
		sooni_limit_run_here(f);
	else
		sooni_job_run(f);
	pthread_cleanup_pop(1);
}

void sooni_job_fail(struct soon_future *f, int code)
{
	unsigned generation = sooni_generation;

	if (sooni_unlikely(sooni_is_marked(f, SOONI_LIMITED)))
		sooni_limit_stop(sooni_side(f)->limit);
	free_arg(f);
	if (sooni_unlikely(generation != sooni_generation))
		return;
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

/* seq_cst: see below. */
static bool is_stopping(struct soon_future *f)
{
	if (sooni_unlikely(sooni_me.limit != NULL))
		return sooni_limit_is_stopping(sooni_me.limit, f);
	return atomic_load_explicit(&f->home->stopping, memory_order_seq_cst);
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
	if (f->home == NULL || !is_stopping(f))
		return false;
	sooni_future_ask(f);
	return true;
}

bool soon_cancel_requested(void)
{
	soon_future *f = soon_self();

	return f != NULL && sooni_is_asked(f);
}
