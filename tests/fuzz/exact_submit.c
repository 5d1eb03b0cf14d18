/*
 * exact_submit.c - handing jobs to an executor, whose end is known; see exact.c.
 */
#include "exact.h"

#include <errno.h>

/* A pool's life */

static void open_pool(void)
{
	soon_executor_options o = fuzz_options(now.in, true);
	struct mpool *p = &now.pools[now.opened++];

	p->workers = o.workers;
	p->max_pending = o.max_pending;
	p->when_full = o.when_full;
	p->without_threads = (o.flags & SOON_INLINE) != 0;
	p->helped = (o.flags & SOON_HELP) != 0;
	now.pool = p;
	now.executor = soon_executor_open(&o);
	CLAIM(now.executor != NULL);
}

void exact_let_go(struct mfuture *f)
{
	task_let_go(f->task);
	model_let_go(f);
}

/* Let go one of those that are held, the n-th. */
static bool let_go(unsigned n)
{
	for (unsigned i = 0; i < model_futures(); i++) {
		struct mfuture *f = model_future(i);

		if (f->state == SOON_RUNNING && f->pool != NULL && n-- == 0) {
			exact_let_go(f);
			return true;
		}
	}
	return false;
}

void exact_release(void)
{
	let_go(now.pool->stuck > 0 ? pick(now.in, now.pool->stuck) : 0);
}

/* Where nothing is left to run the threads may be gone already, or not. */
static void close_pool(unsigned flags)
{
	bool over, waits = pick(now.in, 4) == 1;
	int code;

	model_shutdown(now.pool, flags);
	model_run();
	over = now.pool->stuck == 0 && now.pool->delayed == 0;
	code = soon_executor_shutdown(now.executor, flags,
				      !waits ? 0
				      : over ? AGES
					     : 1);
	if (!over)
		CLAIM(code == (waits ? ETIMEDOUT : EINPROGRESS));
	else
		CLAIM(code == 0 || (!waits && code == EINPROGRESS));
}

void exact_shutdown(void)
{
	if (now.executor != NULL)
		close_pool(pick(now.in, 4));
}

/* End one executor, then have another, with what is left of the futures. */
void exact_reopen(void)
{
	if (now.executor != NULL) {
		close_pool(SOON_CANCEL_PENDING);
		while (let_go(0))
			;
		fuzz_end_pool(now.executor);
		now.executor = NULL;
	}
	if (now.in->left > 0 && now.opened < POOLS)
		open_pool();
}

/* Submits */

struct mfuture *exact_job(soon_job *job, bool plain)
{
	struct task *t = task_new();
	struct mfuture *f = t != NULL ? model_new(JOB) : NULL;
	unsigned how = pick(now.in, 256);

	if (f == NULL)
		return NULL;
	t->ending = (enum ending)pick(now.in, 4);
	t->held = !plain && how % 2 == 0;
	t->hooked = (how & 2) != 0;
	t->owns_arg = (how & 4) != 0;
	t->owned = plain || (how & 8) != 0;
	*job = task_job(t);
	f->task = t;
	f->pool = now.pool;
	if (plain)
		return f;
	job->name = (how & 16) != 0 ? "a job" : NULL;
	f->priority = job->priority = (int)pick(now.in, 3) - 1;
	f->limited = (how & 32) != 0;
	job->run_within = f->limited ? AGES : 0;
	f->delayed = (how & 192) == 192 && !now.pool->without_threads;
	job->delay = f->delayed ? AGES : 0;
	job->start_within = (how & 192) == 64 ? AGES : 0;
	return f;
}

/* What becomes of n jobs that are alike but for their tasks. */
static int admitted(struct mfuture *const *f, unsigned n)
{
	bool delayed = n > 0 && f[0]->delayed;
	bool here = now.pool->without_threads;
	int code = now.pool->closed ? ESHUTDOWN : 0;

	if (!delayed) {
		here = model_here(now.pool, n);
		code = model_admit(now.pool, n);
	}
	if (code != 0)
		return code;
	for (unsigned i = 0; i < n; i++) {
		f[i]->task->accepted = true;
		model_accept(f[i], here);
	}
	return 0;
}

/* Nobody refers to a job that was not accepted, or that has no future. */
static void forget(struct mfuture *f, int code)
{
	if (code != 0)
		f->pool = NULL;
	else
		model_unref(f);
}

int exact_admit_member(struct mfuture *f)
{
	int code = ECANCELED;

	f->group = now.mgroup;
	f->group->members++;
	if (f->group->code == 0)
		code = admitted(&f, 1);
	if (code != 0) {
		f->group->members--;
		f->group = NULL;
	}
	forget(f, code);
	return code;
}

void exact_submit(void)
{
	soon_job job;
	struct mfuture *f = exact_job(&job, false);
	soon_future *real;
	int code;

	if (f == NULL || now.executor == NULL)
		return;
	code = admitted(&f, 1);
	if (code == BLOCKS) {
		forget(f, code);
		return;
	}
	errno = 0;
	real = soon_submit_job(now.executor, &job);
	CLAIM((real == NULL) == (code != 0) && (code == 0 || errno == code));
	if (code != 0)
		forget(f, code);
	else
		exact_keep(f, real);
}

void exact_execute(void)
{
	soon_job job;
	struct mfuture *f = exact_job(&job, true);
	int code;

	if (f == NULL || now.executor == NULL)
		return;
	f->task->owned = f->task->owns_arg = false;
	f->task->held = pick(now.in, 2) == 1;
	code = admitted(&f, 1);
	if (code != BLOCKS)
		CLAIM(soon_execute(now.executor, task_run, f->task) == code);
	forget(f, code);
}

/* Tasks alike for one job; how many. */
static unsigned alike(struct mfuture **f, void **args, soon_job *job,
		      bool plain)
{
	unsigned n = pick(now.in, MOST_INPUTS);
	soon_job other;

	for (unsigned i = 0; i < n; i++) {
		f[i] = exact_job(i == 0 ? job : &other, true);
		if (f[i] == NULL)
			return 0;
		f[i]->task->owns_arg = f[0]->task->owns_arg;
		f[i]->task->held = !plain && pick(now.in, 2) == 1;
		args[i] = f[i]->task;
	}
	return n;
}

void exact_submit_many(void)
{
	struct mfuture *f[MOST_INPUTS];
	soon_future *real[MOST_INPUTS] = { NULL };
	void *args[MOST_INPUTS];
	soon_job job;
	unsigned n = alike(f, args, &job, false);
	bool kept = pick(now.in, 2) == 1;
	int code;

	if (n == 0 || now.executor == NULL)
		return;
	code = admitted(f, n);
	if (code != BLOCKS)
		CLAIM(soon_submit_many(now.executor, &job, args, n,
				       kept ? real : NULL) == code);
	for (unsigned i = 0; i < n; i++)
		if (code == 0 && kept)
			exact_keep(f[i], real[i]);
		else
			forget(f[i], code);
}

/* Whether what is submitted now runs at once, and is nobody's business. */
static bool runs_all(void)
{
	return now.executor != NULL && !now.pool->closed &&
	       now.pool->max_pending == 0 &&
	       (now.pool->without_threads ||
		now.pool->stuck < now.pool->workers);
}

static void expect_results(struct mfuture *const *f, void *const *results,
			   const int *errors, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		CLAIM(errors[i] == model_error(f[i]));
		CLAIM(results[i] == f[i]->result);
		if (results[i] != NULL)
			task_took(results[i]);
	}
}

/* Either all run, or no worker is free; then the map is given up. */
static void map(struct mfuture *const *f, const soon_job *job, void **args,
		unsigned n)
{
	void *results[MOST_INPUTS];
	int errors[MOST_INPUTS], code;
	bool ends;

	model_run();
	ends = model_done(f[n - 1]);
	code = soon_map(now.executor, job, args, n, ends ? SOON_FOREVER : 0,
			results, errors);
	CLAIM(code == (ends ? 0 : ETIMEDOUT));
	if (ends)
		expect_results(f, results, errors, n);
	for (unsigned i = 0; i < n; i++) {
		CLAIM(ends || (results[i] == NULL && errors[i] == EBUSY));
		model_cancel(f[i]);
		forget(f[i], 0);
	}
}

void exact_map(void)
{
	struct mfuture *f[MOST_INPUTS];
	void *args[MOST_INPUTS];
	soon_job job;
	unsigned n = alike(f, args, &job, true);
	int code;

	if (n == 0 || now.executor == NULL)
		return;
	code = admitted(f, n);
	if (code == 0) {
		map(f, &job, args, n);
		return;
	}
	if (code != BLOCKS)
		CLAIM(soon_map(now.executor, &job, args, n, SOON_FOREVER, NULL,
			       NULL) == code);
	for (unsigned i = 0; i < n; i++)
		forget(f[i], code);
}

struct drawn {
	struct mfuture *f[MOST_INPUTS];
	unsigned n, next;
};

static int draw(void *drawn, void **arg)
{
	struct drawn *d = drawn;

	if (d->next == d->n)
		return ENODATA;
	*arg = d->f[d->next++]->task;
	return 0;
}

/* To its end, since how far it has drawn before is not known. */
void exact_imap(void)
{
	struct drawn d = { .next = 0 };
	void *args[MOST_INPUTS];
	soon_future *real;
	soon_job job;
	soon_imap *m;

	d.n = alike(d.f, args, &job, true);
	if (d.n == 0 || !runs_all()) {
		for (unsigned i = 0; i < d.n; i++)
			d.f[i]->pool = NULL;
		return;
	}
	m = soon_imap_new(now.executor, &job, draw, &d, 1 + pick(now.in, 3));
	CLAIM(m != NULL && admitted(d.f, d.n) == 0);
	model_run();
	for (unsigned i = 0; i < d.n; i++) {
		CLAIM(soon_imap_next(m, SOON_FOREVER, &real) == 0);
		CLAIM(soon_future_error(real) == model_error(d.f[i]));
		forget(d.f[i], 0);
	}
	CLAIM(soon_imap_next(m, SOON_FOREVER, &real) == ENODATA);
	soon_imap_free(m);
}
