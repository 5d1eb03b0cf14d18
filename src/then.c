/*
 * then.c - jobs that begin when a future is done.
 *
 * Such a job is in no queue, and has no executor, until then: only a door to
 * one, see door.h.  It hangs on its input by a waiter, which holds a reference to
 * it until it is fired or removed.
 */
#include "door.h"
#include "os.h"
#include "pool.h"
#include "run.h"
#include "tell.h"
#include "waiter.h"

#include <soon/compose.h>

#include <errno.h>
#include <stdlib.h>

struct then {
	struct sooni_composed composed; /* first */
	struct sooni_waiter waiter;
	bool hung; /* r/o; it was, at first */
	struct soon_future *job;
	struct soon_future *input; /* counted */
	struct sooni_door *door;   /* the same */
	soon_then_fn *fn;
	void *ctx;
};

static void *then_main(void *then)
{
	struct then *t = then;
	bool paused = sooni_relay_pause();
	void *result = t->fn(t->input, t->ctx);

	sooni_relay_resume(paused);
	return result;
}

/* The job's free_arg: it is over, or was cancelled. */
static void leave_input(void *then)
{
	struct then *t = then;

	if (t->hung && sooni_waiter_remove(t->input, &t->waiter))
		soon_future_unref(t->job);
	soon_future_unref(t->input);
	sooni_door_drop(t->door);
}

/* Claim the job as a guest that its executor, which is there, waits for until all
 * have been told.  False: somebody else has it, or it was cancelled. */
static bool claim_as_guest(struct soon_future *f)
{
	bool claimed = sooni_future_claim(f, false, true);

	sooni_counts_add(&f->home->counts, SOONI_SUBMITTED, 1);
	if (claimed)
		sooni_count(&f->home->counts, SOONI_STALE);
	sooni_future_drop_entry(f);
	return claimed;
}

static void run_here(struct soon_future *f, struct soon_executor *e)
{
	struct sooni_telling telling;

	sooni_telling_push(&telling, &e->home);
	if (claim_as_guest(f))
		sooni_guest_run(f);
	sooni_telling_pop(&telling);
}

/* The job is queued now. */
static void put(struct soon_future *f, struct soon_executor *e)
{
	int rc = sooni_pool_put(e, &f, 1);

	/* Nobody is there to be told; so its future is. */
	if (sooni_unlikely(rc != 0) && claim_as_guest(f))
		sooni_job_fail(f, rc);
}

/* The input is done. */
static void begin(struct then *t)
{
	unsigned generation = sooni_generation;
	struct soon_future *f = t->job;
	struct soon_executor *e;
	int rc;

	/* In a child of fork it is not in order. */
	if (sooni_state(f) & SOONI_DONE)
		return;
	rc = sooni_door_enter(t->door, &e);
	if (e == NULL) {
		sooni_future_fail_idle(f, rc);
		return;
	}
	/* Not if it was cancelled since that look. */
	if (sooni_future_enqueue(f, &e->home)) { /* LCOV_EXCL_BR_LINE */
		if (e->options.flags & SOON_INLINE)
			run_here(f, e);
		else
			put(f, e);
	}
	if (generation == sooni_generation)
		sooni_home_leave(&e->home);
}

static void fire(struct sooni_waiter *w, struct soon_future *input)
{
	struct then *t = sooni_container_of(w, struct then, waiter);
	struct soon_future *f = t->job;

	(void)input;
	begin(t);
	soon_future_unref(f);
}

static struct then *new_then(struct soon_executor *e, soon_then_fn *fn,
			     void *ctx)
{
	unsigned helped = e->options.flags & SOON_HELP ? SOONI_HELPED : 0;
	struct then *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->job = sooni_future_new(SOONI_REF, SOONI_COMPOSED | helped);
	if (t->job == NULL) {
		free(t);
		return NULL;
	}
	t->job->fn = then_main;
	t->job->arg = t;
	t->job->home = NULL;
	atomic_init(&t->job->side, &t->composed.side);
	t->composed.side.shown = (uintptr_t)fn;
	t->composed.side.free_arg = leave_input;
	t->composed.arg = ctx;
	t->waiter.fire = fire;
	t->waiter.composed = true;
	/* The job runs in that place. */
	t->waiter.user = e->options.flags & SOON_INLINE;
	t->fn = fn;
	t->ctx = ctx;
	return t;
}

/* The input is done, or it makes no difference. */
static void begin_now(struct then *t, int refusal)
{
	int old = sooni_uncancellable_begin();

	if (refusal != 0)
		sooni_future_fail_idle(t->job, refusal);
	else
		begin(t);
	sooni_uncancellable_end(old);
}

soon_future *soon_then(soon_future *input, soon_executor *executor,
		       soon_then_fn *fn, void *ctx)
{
	struct soon_executor *e = executor;
	struct soon_future *f;
	struct then *t;
	int refusal;

	if (input == NULL || fn == NULL) {
		errno = EINVAL;
		return NULL;
	}
	if (e == NULL)
		e = soon_default_executor();
	t = e != NULL ? new_then(e, fn, ctx) : NULL;
	if (t == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	f = t->job;
	t->input = soon_future_ref(input);
	t->door = e->door;
	sooni_door_hold(t->door);
	refusal = sooni_pool_refusal(e);
	t->hung = refusal == 0;
	soon_future_ref(f); /* the waiter's */
	if (refusal != 0 || !sooni_waiter_add(input, &t->waiter)) {
		begin_now(t, refusal);
		soon_future_unref(f);
	}
	return f;
}
