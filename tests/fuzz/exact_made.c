/*
 * exact_made.c - futures made of others, and groups; see exact.c.
 */
#include "exact.h"

#include <errno.h>

static struct mfuture *made(enum kind kind, struct mfuture *const *input,
			    unsigned n)
{
	struct mfuture *f = model_new(kind);

	if (f == NULL)
		return NULL;
	for (unsigned i = 0; i < n; i++)
		f->input[i] = input[i];
	f->inputs = n;
	return f;
}

void exact_then(void)
{
	struct mfuture *input = exact_slot();
	struct task *t = task_new();
	struct mfuture *f;
	unsigned how = pick(now.in, 8);

	if (input == NULL || t == NULL || now.executor == NULL)
		return;
	f = made(THEN, &input, 1);
	if (f == NULL)
		return;
	t->ending = (enum ending)pick(now.in, 4);
	t->held = (how & 1) != 0;
	t->hooked = (how & 2) != 0;
	t->then = true;
	t->accepted = true;
	f->task = t;
	f->pool = now.pool;
	model_made(f);
	exact_keep(f, soon_then(input->real, now.executor, task_then, t));
}

void exact_combine(void)
{
	struct mfuture *input[MOST_INPUTS], *f;
	soon_future *real[MOST_INPUTS], *r;
	unsigned n = exact_some(input, real, MOST_INPUTS);
	enum kind kind = (enum kind)(ALL + pick(now.in, 3));

	f = n > 0 || kind == ALL ? made(kind, input, n) : NULL;
	if (f == NULL && n > 0)
		return;
	r = kind == ALL	  ? soon_when_all(real, n)
	    : kind == ANY ? soon_when_any(real, n)
			  : soon_first_success(real, n);
	if (f == NULL) {
		CLAIM(r == NULL && errno == EINVAL);
		return;
	}
	model_made(f);
	exact_keep(f, r);
}

/* A time that is over at once, or never. */
void exact_within(void)
{
	struct mfuture *input = exact_slot();
	unsigned how = pick(now.in, 4);
	soon_nsec timeout = how == 0 ? SOON_FOREVER : how == 1 ? AGES : 0;
	struct mfuture *f;

	f = input != NULL ? made(how == 3 ? SHIELD : WITHIN, &input, 1) : NULL;
	if (f == NULL)
		return;
	model_made(f);
	if (how == 2 && !model_done(f)) {
		model_settle(f, SOON_FAILED, ETIMEDOUT, NULL);
		model_cancel(input);
	}
	exact_keep(f, how == 3 ? soon_shield(input->real)
			       : soon_within(input->real, timeout));
}

/* Groups */

static bool grouped(void)
{
	if (now.group != NULL)
		return true;
	if (now.executor == NULL || now.grouped == POOLS)
		return false;
	now.mgroup = &now.groups[now.grouped++];
	now.mgroup->pool = now.pool;
	now.group = soon_group_new(now.executor);
	CLAIM(now.group != NULL);
	return true;
}

/* Not where the group's executor has ended before it.  Only a hook tells when a
 * worker that stops the group has asked a member. */
void exact_group_submit(void)
{
	struct mfuture *f;
	soon_job job;
	int code;

	if (now.executor == NULL || !grouped() || now.mgroup->pool != now.pool)
		return;
	f = exact_job(&job, false);
	if (f == NULL)
		return;
	if (f->task->ending == FAILS_IF_ASKED)
		f->task->hooked = true;
	code = exact_admit_member(f);
	if (code != BLOCKS)
		CLAIM(soon_group_submit_job(now.group, &job) == code);
}

void exact_group_look(void)
{
	const struct mgroup *g = now.mgroup;
	bool ends;

	if (now.group == NULL)
		return;
	ends = g->members == 0;
	CLAIM(soon_group_wait(now.group, exact_timeout(ends)) ==
	      (ends ? 0 : ETIMEDOUT));
	CLAIM(soon_group_error(now.group) == g->code);
	CLAIM((soon_group_message(now.group)[0] == '\0') == (g->code == 0));
}

void exact_group_cancel(void)
{
	if (now.group == NULL)
		return;
	model_group_stop(now.mgroup, ECANCELED);
	soon_group_cancel(now.group);
}

/* What runs has to end before. */
void exact_group_free(void)
{
	if (now.group == NULL)
		return;
	exact_group_cancel();
	for (unsigned i = 0; i < model_futures(); i++) {
		struct mfuture *f = model_future(i);

		if (f->group == now.mgroup && f->state == SOON_RUNNING)
			exact_let_go(f);
	}
	soon_group_free(now.group);
	now.group = NULL;
}
