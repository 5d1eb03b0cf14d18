/*
 * soak_stream.c - jobs whose results come one after the other: maps from a source,
 * and sets with a descriptor; see soak.h.
 */
#include "soak.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

/* Maps */

/* What was drawn: a task, or NULL for a code of the source's own. */
struct drawn {
	struct soak_task *t[SOAK_BATCH];
	size_t n, most;
	unsigned pool;
	struct rng rng;
	soon_job each;
};

static int draw(void *drawn, void **arg)
{
	struct drawn *d = drawn;
	struct soak_task *t;

	if (d->n == d->most)
		return ENODATA;
	if (rng_below(&d->rng, 8) == 0) {
		d->t[d->n++] = NULL;
		return EPROTO;
	}
	t = soak_task_new(&d->rng, d->pool, 0);
	if (t == NULL)
		return ENODATA;
	t->job = d->each; /* without limits, as no callback tells of it */
	t->is_mapped = true;
	d->t[d->n++] = t;
	*arg = t;
	return 0;
}

static void note_next(struct soak_task *t, soon_future *f, struct rng *r)
{
	void *result;

	SOAK_CLAIM(soon_future_done(f) && soon_future_arg(f) == t);
	atomic_store(&t->is_accepted, true);
	if (rng_below(r, 2) == 0)
		return;
	result = soon_future_take(f);
	SOAK_CLAIM(result == NULL || result == t);
	if (result != NULL)
		atomic_fetch_add(&t->taken, 1);
}

/* Its argument was freed, as it had been drawn. */
static void note_refused(struct soak_task *t, int code)
{
	SOAK_CLAIM(atomic_exchange(&t->arg_freed, 0) == 1);
	soak_refused(t->pool, code, 1);
}

/* The next in order; false at the end. */
static bool next(soon_imap *m, struct drawn *d, size_t *seen, struct rng *r)
{
	soon_nsec limit = rng_below(r, 2) == 0 ? SOON_FOREVER
					       : soak_time(r, 300);
	soon_future *f;
	int rc = soon_imap_next(m, limit, &f);

	if (rc == ETIMEDOUT) {
		SOAK_CLAIM(limit != SOON_FOREVER);
		return true;
	}
	if (rc == ENODATA) {
		SOAK_CLAIM(*seen == d->n);
		return false;
	}
	SOAK_CLAIM(*seen < d->n && (rc == 0) == (f != NULL));
	if (d->t[*seen] == NULL)
		SOAK_CLAIM(rc == EPROTO);
	else if (rc == 0)
		note_next(d->t[*seen], f, r);
	else
		note_refused(d->t[*seen], rc);
	++*seen;
	return true;
}

/* Then what was drawn was accepted. */
static bool refuses_nothing(unsigned pool)
{
	return !soak.may_close && soon_self() == NULL &&
	       (soak.options[pool].when_full != SOON_REJECT ||
		soak.options[pool].max_pending == 0);
}

static void leave_rest(struct drawn *d, size_t seen)
{
	for (size_t i = seen; i < d->n; i++)
		if (d->t[i] != NULL)
			atomic_store(&d->t[i]->is_accepted, true);
}

void soak_imap(struct rng *r, unsigned depth)
{
	unsigned pool = rng_below(r, SOAK_POOLS);
	struct drawn d = { .most = rng_below(r, SOAK_BATCH + 1),
			   .pool = pool,
			   .rng = rng_seed(rng_next(r)),
			   .each = SOON_JOB_INIT };
	size_t seen = 0;
	soon_imap *m;

	(void)depth;
	d.each.fn = soak_run;
	d.each.free_arg = soak_free_arg;
	d.each.free_result = soak_free_result;
	d.each.priority = (int)rng_below(r, 3) - 1;
	if (rng_below(r, 4) == 0)
		d.each.delay = soak_time(r, 300);
	soak_forbid_exit();
	m = soon_imap_new(soak.pool[pool], &d.each, draw, &d,
			  1 + rng_below(r, SOAK_BATCH));
	SOAK_CLAIM(m != NULL);
	while (next(m, &d, &seen, r))
		if (rng_below(r, 8) == 0 && refuses_nothing(pool))
			break;
	soon_imap_free(m);
	leave_rest(&d, seen);
	soak_allow_exit();
}

/* Descriptors */

static void free_set(void *set)
{
	soon_completions_free(set);
}

/* A job does not wait for others in a call of the system's: nobody would be told of
 * a ring. */
static bool is_readable(soon_completions *set)
{
	struct pollfd p = { .fd = soon_completions_fd(set), .events = POLLIN };
	int n = poll(&p, 1, soon_self() == NULL ? -1 : 1);

	SOAK_CLAIM(p.fd >= 0);
	SOAK_CLAIM(n >= 0 || errno == EINTR);
	SOAK_CLAIM(n <= 0 || p.revents == POLLIN);
	return n > 0;
}

/* As often as it says, something is there, or nothing is left. */
static void take_ready(soon_completions *set, size_t n)
{
	soon_future *f;
	int rc = 0;

	while (rc == 0 && is_readable(set)) {
		rc = soon_completions_next(set, 0, &f);
		SOAK_CLAIM(rc == (n > 0 ? 0 : ENODATA));
		SOAK_CLAIM(rc != 0 || soon_future_done(f));
		n -= rc == 0;
	}
	SOAK_CLAIM(soon_completions_left(set) == n);
}

void soak_poll(struct rng *r, unsigned depth)
{
	struct soak_batch b = { .n = 0 };
	soon_completions *set;
	soon_future *promise;

	pthread_cleanup_push(soak_batch_drop, &b);
	soak_batch_submit(&b, r, depth);
	set = soon_as_completed(b.f, b.n);
	SOAK_CLAIM(set != NULL);
	pthread_cleanup_push(free_set, set);
	if (rng_below(r, 2) == 0)
		SOAK_CLAIM(soon_completions_fd(set) >= 0);
	promise = soak_promise();
	SOAK_CLAIM(soon_completions_add(set, promise) == 0);
	soon_future_unref(promise);
	take_ready(set, b.n + 1);
	pthread_cleanup_pop(1);
	pthread_cleanup_pop(1);
}
