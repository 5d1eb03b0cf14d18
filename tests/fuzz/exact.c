/*
 * exact.c - programs of one thread: each action is a call whose outcome the model
 * knows, and after each the library has to come to stand where the model does, in
 * its figures, in the state of each future and in each job that is held.
 */
#include "exact.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct exact now;

/* Choices */

struct mfuture *exact_slot(void)
{
	unsigned first = pick(now.in, SLOTS);

	for (unsigned i = 0; i < SLOTS; i++)
		if (now.slot[(first + i) % SLOTS] != NULL)
			return now.slot[(first + i) % SLOTS];
	return NULL;
}

/* Who gives up a promise that others hang on completes it. */
void exact_drop(unsigned slot)
{
	struct mfuture *f = now.slot[slot];

	if (f != NULL && f->kind == PROMISE && !model_done(f) && f->refs > 1) {
		model_settle(f, SOON_FAILED, EIO, NULL);
		CLAIM(soon_future_set_error(f->real, EIO, NULL) == 0);
	}
	now.slot[slot] = NULL;
	now.last_call[slot] = NULL;
	if (f == NULL)
		return;
	soon_future_unref(f->real);
	model_unref(f);
}

void exact_keep(struct mfuture *f, soon_future *real)
{
	unsigned slot = pick(now.in, SLOTS);

	CLAIM(real != NULL);
	f->real = real;
	exact_drop(slot);
	now.slot[slot] = f;
}

unsigned exact_some(struct mfuture **some, soon_future **real, unsigned most)
{
	unsigned n = pick(now.in, most + 1);

	for (unsigned i = 0; i < n; i++) {
		some[i] = exact_slot();
		if (some[i] == NULL)
			return 0;
		real[i] = some[i]->real;
	}
	return n;
}

soon_nsec exact_timeout(bool ends)
{
	static const soon_nsec any[] = { 0,    -1,	  SOON_FOREVER,
					 AGES, INT64_MIN, INT64_MAX - 1 };
	static const soon_nsec brief[] = { 0, -1, INT64_MIN, 1, SOON_USEC };

	if (ends)
		return any[pick(now.in, COUNT_OF(any))];
	return brief[pick(now.in, COUNT_OF(brief))];
}

/* Agreement */

static bool counts_agree(void)
{
	const struct counts *c = &now.pool->counts;
	soon_stats s = SOON_STATS_INIT;

	CLAIM(soon_executor_stats(now.executor, &s) == 0);
	CLAIM(s.submitted >= s.succeeded + s.failed + s.cancelled);
	CLAIM(s.threads == s.running + s.blocked + s.idle);
	return s.submitted == c->submitted && s.succeeded == c->succeeded &&
	       s.failed == c->failed && s.cancelled == c->cancelled &&
	       s.expired == 0 && s.rejected == c->rejected &&
	       s.pending == now.pool->pending &&
	       s.delayed == now.pool->delayed &&
	       s.running + s.blocked == now.pool->stuck;
}

static bool future_agrees(const struct mfuture *f)
{
	return soon_future_state(f->real) == f->state &&
	       soon_future_done(f->real) == model_done(f) &&
	       soon_future_cancel_requested(f->real) == f->asked;
}

/* Who is held has started, who waits has not. */
static bool task_agrees(const struct mfuture *f)
{
	const struct task *t = f->task;

	if (f->pool == NULL)
		return true;
	if (f->state == SOON_PENDING || f->state == SOON_CANCELLED)
		return atomic_load(&t->started) == 0;
	if (f->state == SOON_RUNNING)
		return atomic_load(&t->started) == 1 &&
		       atomic_load(&t->asked) == (f->asked && t->hooked);
	return true;
}

static bool call_agrees(unsigned slot)
{
	const struct call *c = now.last_call[slot];

	return c == NULL ||
	       atomic_load(&c->count) == model_done(now.slot[slot]);
}

/* A member's outcome is known before its group takes note. */
static bool group_agrees(void)
{
	const struct mgroup *g = now.mgroup;

	if (g->members == 0 && soon_group_wait(now.group, 0) != 0)
		return false;
	return g->code == 0 || soon_group_error(now.group) == g->code;
}

/* What does not agree, or NULL. */
static const char *disagreement(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (now.slot[i] != NULL && !future_agrees(now.slot[i]))
			return "a future's state";
	for (unsigned i = 0; i < model_futures(); i++)
		if (!task_agrees(model_future(i)))
			return "which jobs have started";
	for (unsigned i = 0; i < SLOTS; i++)
		if (!call_agrees(i))
			return "which callbacks have run";
	if (now.group != NULL && !group_agrees())
		return "a group";
	if (!exact_set_agrees())
		return "what a set was told";
	if (now.executor != NULL && !counts_agree())
		return "an executor's figures";
	return NULL;
}

static void print_model(const char *what)
{
	fprintf(stderr, "the model does not agree about %s\n", what);
	for (unsigned i = 0; i < SLOTS; i++)
		if (now.slot[i] != NULL)
			fprintf(stderr, "slot %u: kind %d, state %d, not %d\n",
				i, now.slot[i]->kind, now.slot[i]->state,
				soon_future_state(now.slot[i]->real));
	fprintf(stderr, "%zu pending, %zu delayed, %u stuck, %u done of %u\n",
		now.pool->pending, now.pool->delayed, now.pool->stuck,
		(unsigned)(now.pool->counts.succeeded +
			   now.pool->counts.failed +
			   now.pool->counts.cancelled),
		(unsigned)now.pool->counts.submitted);
	if (now.executor != NULL)
		soon_executor_dump(now.executor, stderr);
}

/* Workers need a moment. */
static void agree(void)
{
	const char *what;
	int tries = 0;

	model_run();
	while ((what = disagreement()) != NULL && tries++ < PATIENCE)
		fuzz_nap();
	if (what != NULL)
		print_model(what);
	CLAIM(what == NULL);
	model_moment++;
}

/* The program */

static void look(void)
{
	fuzz_look(now.in, now.executor);
}

static void bad(void)
{
	fuzz_bad(now.in, now.executor);
}

static void act(void)
{
	static void (*const actions[])(void) = {
		exact_submit,
		exact_submit,
		exact_submit_many,
		exact_execute,
		exact_map,
		exact_imap,
		exact_release,
		exact_release,
		exact_promise,
		exact_complete,
		exact_complete,
		exact_cancel,
		exact_read,
		exact_take,
		exact_call_back,
		exact_unref,
		exact_wait,
		exact_wait_any,
		exact_gather,
		exact_set_new,
		exact_set_next,
		exact_set_next,
		exact_set_free,
		exact_then,
		exact_combine,
		exact_combine,
		exact_within,
		exact_group_submit,
		exact_group_submit,
		exact_group_look,
		exact_group_cancel,
		exact_group_free,
		exact_shutdown,
		exact_reopen,
		look,
		bad,
	};

	actions[pick(now.in, COUNT_OF(actions))]();
}

/* What is left ends in any order; the promises that nobody completed last. */
static void finish(void)
{
	exact_set_free();
	exact_group_free();
	agree();
	exact_reopen();
	for (unsigned i = 0; i < SLOTS; i++)
		exact_drop(i);
}

void fuzz_exact(struct input *in)
{
	memset(&now, 0, sizeof(now));
	now.in = in;
	model_clear();
	task_never_hold_me();
	exact_reopen();
	while (in->left > 0) {
		act();
		agree();
	}
	finish();
}
