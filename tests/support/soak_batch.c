/*
 * soak_batch.c - submitting jobs by all calls that there are; see soak.h.
 */
#include "soak.h"

#include <errno.h>
#include <pthread.h>

void soak_refused(unsigned pool, int code, unsigned n)
{
	const soon_executor_options *o = &soak.options[pool];

	if (code == EAGAIN && o->max_pending > 0 &&
	    o->when_full == SOON_REJECT) {
		atomic_fetch_add(&soak.rejected[pool], n);
		return;
	}
	SOAK_CLAIM(code == ESHUTDOWN);
	SOAK_CLAIM(atomic_load(&soak.closed[pool]));
}

/* Its callback comes at the end: by then all else must be known. */
static void accept(struct soak_batch *b, struct soak_task *t, soon_future *f)
{
	t->has_future = f != NULL;
	atomic_store(&t->is_accepted, true);
	if (f == NULL)
		return;
	if (t->is_plain && t->seed % 2 == 0) {
		int rc = soon_future_own(f, soak_free_result);

		SOAK_CLAIM(rc == 0);
		atomic_store(&t->is_owned, true);
	}
	b->f[b->n++] = f;
	soak_forbid_exit();
	SOAK_CLAIM(soon_future_on_done(f, soak_settled, t) == 0);
	soak_allow_exit();
}

/* They were accepted, but their futures have gone, and the thread goes too. */
struct unwound {
	struct soak_task **t;
	size_t n;
};

static void note_unwound(void *unwound)
{
	struct unwound *u = unwound;

	for (size_t i = 0; i < u->n; i++) {
		u->t[i]->is_unwound = true;
		atomic_store(&u->t[i]->is_accepted, true);
	}
}

static void submit_one(struct soak_batch *b, struct soak_task *t)
{
	soon_executor *e = soak.pool[t->pool];
	struct unwound u = { &t, 1 };
	soon_future *f;

	pthread_cleanup_push(note_unwound, &u);
	f = t->is_plain ? soon_submit(e, soak_run, t)
			: soon_submit_job(e, &t->job);
	pthread_cleanup_pop(0);
	if (f != NULL)
		accept(b, t, f);
	else
		soak_refused(t->pool, errno, 1);
}

static void execute_one(struct soak_task *t)
{
	struct unwound u = { &t, 1 };
	int rc;

	pthread_cleanup_push(note_unwound, &u);
	rc = soon_execute(soak.pool[t->pool], soak_run, t);
	pthread_cleanup_pop(0);
	if (rc == 0)
		atomic_store(&t->is_accepted, true);
	else
		soak_refused(t->pool, rc, 1);
}

/* See find_fate(). */
void soak_without_limits(soon_job *job)
{
	job->start_within = 0;
	job->run_within = 0;
}

/* All have the attributes of the first; forgotten: without futures. */
static void submit_many(struct soak_batch *b, struct soak_task **t, size_t n,
			bool forgotten)
{
	soon_future *f[SOAK_BATCH] = { NULL };
	struct unwound u = { t, n };
	void *args[SOAK_BATCH];
	int rc;

	if (forgotten || soak_may_exit())
		soak_without_limits(&t[0]->job);
	for (size_t i = 0; i < n; i++) {
		t[i]->job = t[0]->job;
		args[i] = t[i];
	}
	pthread_cleanup_push(note_unwound, &u);
	rc = soon_submit_many(soak.pool[t[0]->pool], &t[0]->job, args, n,
			      forgotten ? NULL : f);
	pthread_cleanup_pop(0);
	if (rc != 0)
		soak_refused(t[0]->pool, rc, (unsigned)n);
	for (size_t i = 0; i < n && rc == 0; i++)
		accept(b, t[i], f[i]);
}

/* As many as may be submitted at once, of the pool's own accord. */
static size_t choose_number(struct rng *r, unsigned pool)
{
	size_t n = 1 + rng_below(r, SOAK_BATCH);
	const soon_executor_options *o = &soak.options[pool];

	if (o->max_pending > 0 && n > o->max_pending)
		n = o->max_pending;
	return n;
}

static size_t new_tasks(struct soak_task **t, struct rng *r, unsigned depth)
{
	unsigned pool = rng_below(r, SOAK_POOLS);
	size_t n = choose_number(r, pool);
	size_t i;

	for (i = 0; i < n; i++) {
		t[i] = soak_task_new(r, pool, depth > 0 ? depth - 1 : 0);
		if (t[i] == NULL)
			break;
	}
	return i;
}

static void be_plain(struct soak_task *t)
{
	t->is_plain = true;
	soak_without_limits(&t->job);
	t->job.delay = 0;
}

void soak_batch_submit(struct soak_batch *b, struct rng *r, unsigned depth)
{
	struct soak_task *t[SOAK_BATCH];
	size_t n = new_tasks(t, r, depth);
	unsigned how = rng_below(r, 8);

	if (how >= 4 && n > 0) {
		submit_many(b, t, n, how == 4);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (how < 2)
			be_plain(t[i]);
		if (how == 0)
			execute_one(t[i]);
		else
			submit_one(b, t[i]);
	}
}

void soak_batch_drop(void *batch)
{
	struct soak_batch *b = batch;

	soak_forbid_exit();
	for (size_t i = 0; i < b->n; i++) {
		const struct soak_task *t = soon_future_arg(b->f[i]);
		unsigned where = (unsigned)(t->seed >> 16);

		if (where % 2 == 0)
			soak_board_put(b->f[i], where / 2);
		else
			soon_future_unref(b->f[i]);
	}
	soak_allow_exit();
}

void soak_batch(struct rng *r, unsigned depth)
{
	struct soak_batch b = { .n = 0 };

	pthread_cleanup_push(soak_batch_drop, &b);
	soak_batch_submit(&b, r, depth);
	soak_batch_collect(&b, r);
	pthread_cleanup_pop(1);
}

void soak_submit_leaf(struct rng *r)
{
	struct soak_batch b = { .n = 0 };
	struct soak_task *t = soak_task_new(r, rng_below(r, SOAK_POOLS), 0);

	soak_forbid_exit();
	if (t != NULL)
		submit_one(&b, t);
	soak_allow_exit();
	soak_batch_drop(&b);
}

/* Accepted; and what it gave is ours. */
static void note_mapped(struct soak_task **t, size_t n, void **results)
{
	for (size_t i = 0; i < n; i++) {
		if (results != NULL && results[i] != NULL) {
			SOAK_CLAIM(results[i] == t[i]);
			atomic_fetch_add(&t[i]->taken, 1);
		}
		atomic_store(&t[i]->is_accepted, true);
	}
}

void soak_map(struct rng *r, unsigned depth)
{
	struct soak_task *t[SOAK_BATCH];
	size_t n = new_tasks(t, r, depth);
	void *args[SOAK_BATCH], *results[SOAK_BATCH];
	int errors[SOAK_BATCH];
	soon_nsec limit = rng_below(r, 2) == 0 ? SOON_FOREVER
					       : soak_time(r, 500);
	int rc;

	if (n == 0)
		return;
	soak_without_limits(&t[0]->job);
	for (size_t i = 0; i < n; i++) {
		t[i]->job = t[0]->job;
		t[i]->is_mapped = true;
		args[i] = t[i];
	}
	soak_forbid_exit();
	rc = soon_map(soak.pool[t[0]->pool], &t[0]->job, args, n, limit,
		      results, rng_below(r, 2) == 0 ? errors : NULL);
	soak_allow_exit();
	if (rc == EAGAIN || rc == ESHUTDOWN)
		soak_refused(t[0]->pool, rc, (unsigned)n);
	else
		note_mapped(t, n, rc == 0 ? results : NULL);
	SOAK_CLAIM(rc != EINVAL && rc != ENOMEM);
}
