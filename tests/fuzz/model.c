/*
 * model.c - jobs, workers, promises; see model.h.
 */
#include "model.h"

#include <errno.h>
#include <string.h>

static struct mfuture futures[MOST_FUTURES];
static unsigned used;
static unsigned turns;
unsigned model_moment;

void model_clear(void)
{
	memset(futures, 0, sizeof(futures));
	used = 0;
	turns = 0;
	model_moment = 0;
}

/* All but a promise hold themselves until they are done. */
struct mfuture *model_new(enum kind kind)
{
	struct mfuture *f = &futures[used];

	if (used == MOST_FUTURES)
		return NULL;
	used++;
	f->kind = kind;
	f->refs = kind == PROMISE ? 1 : 2;
	return f;
}

unsigned model_futures(void)
{
	return used;
}

struct mfuture *model_future(unsigned i)
{
	return &futures[i];
}

bool model_done(const struct mfuture *f)
{
	return f->state >= SOON_SUCCEEDED;
}

int model_error(const struct mfuture *f)
{
	switch (f->state) {
	case SOON_SUCCEEDED:
		return 0;
	case SOON_FAILED:
		return f->code;
	case SOON_CANCELLED:
		return ECANCELED;
	default:
		return EBUSY;
	}
}

struct mfuture *model_root(struct mfuture *f)
{
	while (f->kind == WITHIN || f->kind == SHIELD)
		f = f->input[0];
	return f;
}

/* References */

void model_unref(struct mfuture *f)
{
	if (--f->refs > 0)
		return;
	if (!model_done(f)) /* only promises can */
		model_settle(f, SOON_FAILED, SOON_EDROPPED, NULL);
	else if (f->kind != THEN)
		for (unsigned i = 0; i < f->inputs; i++)
			model_unref(f->input[i]);
}

/* One way to the end */

static void unqueue(struct mfuture *f)
{
	if (f->turn != 0) {
		f->pool->pending--;
		f->pool->crowd -= f->kind == JOB;
	}
	if (f->delayed)
		f->pool->delayed--;
	f->turn = 0;
	f->delayed = false;
}

static void count(struct mfuture *f)
{
	struct counts *c = &f->pool->counts;

	c->succeeded += f->state == SOON_SUCCEEDED;
	c->failed += f->state == SOON_FAILED;
	c->cancelled += f->state == SOON_CANCELLED;
}

static bool has_counted(const struct mfuture *f)
{
	return f->pool != NULL &&
	       (f->turn != 0 || f->delayed || f->state == SOON_RUNNING);
}

/* What hangs on f gets to know. */
static void tell(struct mfuture *f)
{
	if (f->state == SOON_CANCELLED && (f->kind == ALL || f->kind == WITHIN))
		for (unsigned i = 0; i < f->inputs; i++)
			model_cancel(f->input[i]);
	for (unsigned i = 0; i < used; i++)
		model_input_done(&futures[i], f);
	if (f->kind == THEN)
		model_unref(f->input[0]);
	if (f->kind != PROMISE)
		model_unref(f);
	if (f->group != NULL) {
		f->group->members--;
		model_group_stop(f->group, model_error(f));
	}
}

/* What is made of others waits while these are told: first come, first told. */
static void tell_in_turn(struct mfuture *f)
{
	static struct mfuture *line[MOST_FUTURES];
	static unsigned told, waiting;

	if (waiting > 0 && (f->kind == JOB || f->kind == PROMISE)) {
		tell(f);
		return;
	}
	line[waiting++] = f;
	if (waiting > 1)
		return;
	for (told = 0; told < waiting; told++)
		tell(line[told]);
	waiting = 0;
}

void model_settle(struct mfuture *f, enum soon_state state, int code,
		  const void *result)
{
	bool counts = has_counted(f);

	f->state = state;
	f->code = code;
	f->moment = model_moment;
	f->asked = f->asked || state == SOON_CANCELLED;
	f->result = result;
	if (counts)
		count(f);
	if (f->pool != NULL)
		unqueue(f);
	tell_in_turn(f);
}

int model_cancel(struct mfuture *f)
{
	if (f->state == SOON_CANCELLED)
		return 0;
	if (model_done(f))
		return EALREADY;
	f->asked = true;
	if (f->state == SOON_RUNNING)
		return EBUSY;
	model_settle(f, SOON_CANCELLED, 0, NULL);
	return 0;
}

void model_group_stop(struct mgroup *g, int code)
{
	if (code == 0 || g->code != 0)
		return;
	g->code = code;
	for (unsigned i = 0; i < used; i++)
		if (futures[i].group == g)
			model_cancel(&futures[i]);
}

/* Pools */

bool model_here(const struct mpool *p, unsigned n)
{
	return p->without_threads ||
	       (p->max_pending > 0 && p->crowd + n > p->max_pending);
}

/* More than ever fit are bad input, whatever the pool's state. */
int model_admit(struct mpool *p, unsigned n)
{
	if (!p->without_threads && p->when_full == SOON_BLOCK &&
	    p->max_pending > 0 && n > p->max_pending)
		return EINVAL;
	if (p->closed)
		return ESHUTDOWN;
	if (p->without_threads || !model_here(p, n))
		return 0;
	switch (p->when_full) {
	case SOON_REJECT:
		p->counts.rejected += n;
		return EAGAIN;
	case SOON_CALLER_RUNS:
		return 0;
	default:
		return BLOCKS;
	}
}

static void finish(struct mfuture *f)
{
	const struct task *t = f->task;

	if (t->ending == FAILS)
		model_settle(f, SOON_FAILED, TASK_CODE, NULL);
	else if (t->ending == FAILS_IF_ASKED && f->asked)
		model_settle(f, SOON_FAILED, ECANCELED, NULL);
	else if (t->ending == RETURNS_NULL)
		model_settle(f, SOON_SUCCEEDED, 0, NULL);
	else
		model_settle(f, SOON_SUCCEEDED, 0, &t->result);
}

static void start(struct mfuture *f)
{
	unqueue(f);
	f->state = SOON_RUNNING;
}

void model_accept(struct mfuture *f, bool here)
{
	f->pool->counts.submitted++;
	if (here) {
		start(f);
		finish(f);
	} else if (f->delayed) {
		f->pool->delayed++;
	} else {
		f->turn = ++turns;
		f->pool->pending++;
		f->pool->crowd += f->kind == JOB;
	}
}

static bool is_queued(const struct mfuture *f, const struct mpool *p)
{
	return f->pool == p && f->turn != 0;
}

/* Of the jobs with the highest priority, the one that was queued first. */
static struct mfuture *next_job(const struct mpool *p)
{
	struct mfuture *next = NULL;

	for (unsigned i = 0; i < used; i++) {
		struct mfuture *f = &futures[i];

		if (!is_queued(f, p) || f->kind != JOB)
			continue;
		if (next == NULL || f->priority > next->priority ||
		    (f->priority == next->priority && f->turn < next->turn))
			next = f;
	}
	return next;
}

/* One that may be next and has started; one that is over, by preference, as it was
 * before what is held now. */
static struct mfuture *started_of(const struct mpool *p, struct mfuture *job)
{
	struct mfuture *next = NULL;

	for (unsigned i = 0; i < used; i++) {
		struct mfuture *f = &futures[i];

		if (!is_queued(f, p) || (f != job && f->kind != THEN) ||
		    atomic_load(&f->task->started) == 0)
			continue;
		if (!f->task->held)
			return f;
		next = f;
	}
	return next;
}

/* What is next, if that is known; else any of what may be. */
static struct mfuture *candidate(const struct mpool *p, bool *known)
{
	struct mfuture *job = next_job(p), *next = job;
	unsigned n = job != NULL;

	for (unsigned i = 0; i < used; i++)
		if (is_queued(&futures[i], p) && futures[i].kind == THEN) {
			next = &futures[i];
			n++;
		}
	*known = n < 2;
	return next;
}

/* Continuations have no order, among themselves or against jobs, so there the
 * library says which one it is.  What was over before a held one started is seen
 * in the second look, which comes after. */
static struct mfuture *next_of(const struct mpool *p)
{
	struct mfuture *job = next_job(p), *next, *started;
	bool known;
	int tries = 0;

	next = candidate(p, &known);
	if (known)
		return next;
	while ((started = started_of(p, job)) == NULL && tries++ < PATIENCE)
		fuzz_nap();
	return started != NULL ? started_of(p, job) : next;
}

static void run_pool(struct mpool *p)
{
	struct mfuture *f;

	while (p->stuck < p->workers && (f = next_of(p)) != NULL) {
		start(f);
		if (f->task->held)
			p->stuck++;
		else
			finish(f);
	}
}

void model_run(void)
{
	for (unsigned i = 0; i < used; i++)
		if (futures[i].pool != NULL)
			run_pool(futures[i].pool);
}

void model_let_go(struct mfuture *f)
{
	f->pool->stuck--;
	finish(f);
	model_run();
}

/* A thread that helps runs what it waits for, if that may start. */
bool model_await(struct mfuture *f)
{
	if (!model_done(f) && f->turn != 0 && f->pool->helped && !f->limited) {
		start(f);
		finish(f);
	}
	return model_done(f);
}

void model_shutdown(struct mpool *p, unsigned flags)
{
	p->closed = true;
	for (unsigned i = 0; i < used; i++) {
		struct mfuture *f = &futures[i];

		if (f->pool != p || !has_counted(f))
			continue;
		if (flags & (f->state == SOON_RUNNING ? SOON_CANCEL_RUNNING
						      : SOON_CANCEL_PENDING))
			model_cancel(f);
	}
}
