/*
 * model_made.c - futures that are made of others; see model.h.
 */
#include "model.h"

#include <errno.h>

static void continue_with(struct mfuture *f)
{
	if (f->pool->closed)
		model_settle(f, SOON_FAILED, ESHUTDOWN, NULL);
	else
		model_accept(f, f->pool->without_threads);
}

static void decide_all(struct mfuture *f, const struct mfuture *input)
{
	if (input->state != SOON_SUCCEEDED)
		model_settle(f, SOON_FAILED, model_error(input), NULL);
	else if (f->seen == f->inputs)
		model_settle(f, SOON_SUCCEEDED, 0, NULL);
}

static void decide_first(struct mfuture *f, const struct mfuture *input)
{
	if (input->state == SOON_SUCCEEDED)
		model_settle(f, SOON_SUCCEEDED, 0, input->real);
	else if (f->seen == f->inputs)
		model_settle(f, SOON_FAILED, model_error(input), NULL);
}

static void decide(struct mfuture *f, const struct mfuture *input)
{
	f->seen++;
	switch (f->kind) {
	case THEN:
		continue_with(f);
		break;
	case ALL:
		decide_all(f, input);
		break;
	case ANY:
		model_settle(f, SOON_SUCCEEDED, 0, input->real);
		break;
	case FIRST:
		decide_first(f, input);
		break;
	default: /* the same outcome */
		model_settle(f, input->state, input->code, input->result);
		break;
	}
}

/* A continuation may be queued or running by then. */
static bool undecided(const struct mfuture *f)
{
	return f->state == SOON_PENDING && f->turn == 0;
}

void model_input_done(struct mfuture *f, struct mfuture *input)
{
	for (unsigned i = 0; i < f->inputs && undecided(f); i++)
		if (f->input[i] == input)
			decide(f, input);
}

/* What is done already counts in the order given. */
void model_made(struct mfuture *f)
{
	for (unsigned i = 0; i < f->inputs; i++)
		f->input[i]->refs++;
	for (unsigned i = 0; i < f->inputs && undecided(f); i++)
		if (model_done(f->input[i]))
			decide(f, f->input[i]);
	if (f->kind == ALL && f->inputs == 0)
		model_settle(f, SOON_SUCCEEDED, 0, NULL);
	if (f->kind == THEN && f->pool->closed && undecided(f))
		model_settle(f, SOON_FAILED, ESHUTDOWN, NULL);
}
