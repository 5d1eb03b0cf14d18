/*
 * soak_compose.c - futures made of others; see soak.h.
 */
#include "soak.h"

#include <errno.h>
#include <pthread.h>

static struct soak_task *task_of(soon_future *f)
{
	return soon_future_arg(f);
}

static bool is_input(struct soak_batch *b, const soon_future *f)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->f[i] == f)
			return true;
	return false;
}

static bool succeeded(const soon_future *f)
{
	return soon_future_state(f) == SOON_SUCCEEDED;
}

/* What it says once it is done, and what the inputs say. */

static void audit_all(struct soak_batch *b, soon_future *made)
{
	for (size_t i = 0; i < b->n && succeeded(made); i++)
		SOAK_CLAIM(succeeded(b->f[i]));
}

static void audit_any(struct soak_batch *b, soon_future *made)
{
	void *first = NULL;

	if (soon_future_result(made, 0, &first) != 0)
		return; /* it was cancelled */
	SOAK_CLAIM(is_input(b, first));
	SOAK_CLAIM(soon_future_done(first));
}

static void audit_success(struct soak_batch *b, soon_future *made)
{
	void *first = NULL;

	if (soon_future_result(made, 0, &first) == 0) {
		SOAK_CLAIM(is_input(b, first));
		SOAK_CLAIM(succeeded(first));
		return;
	}
	for (size_t i = 0; i < b->n; i++)
		SOAK_CLAIM(soon_future_state(made) == SOON_CANCELLED ||
			   (soon_future_done(b->f[i]) && !succeeded(b->f[i])));
}

/* Of the first alone: what is taken is taken from both. */
static void audit_same(struct soak_batch *b, soon_future *made)
{
	void *result;

	if (!succeeded(made))
		return;
	SOAK_CLAIM(succeeded(b->f[0]));
	result = soon_future_take(made);
	SOAK_CLAIM(result == NULL || result == task_of(b->f[0]));
	SOAK_CLAIM(soon_future_take(b->f[0]) == NULL);
	if (result != NULL)
		atomic_fetch_add(&task_of(b->f[0])->taken, 1);
}

/* Making them */

static soon_future *all_of(struct soak_batch *b, struct rng *r)
{
	(void)r;
	return soon_when_all(b->f, b->n);
}

static soon_future *any_of(struct soak_batch *b, struct rng *r)
{
	(void)r;
	return soon_when_any(b->f, b->n);
}

static soon_future *success_of(struct soak_batch *b, struct rng *r)
{
	(void)r;
	return soon_first_success(b->f, b->n);
}

static soon_future *within(struct soak_batch *b, struct rng *r)
{
	return soon_within(b->f[0], rng_below(r, 4) == 0 ? SOON_FOREVER
							 : soak_time(r, 300));
}

static soon_future *shield(struct soak_batch *b, struct rng *r)
{
	(void)r;
	return soon_shield(b->f[0]);
}

static const struct {
	soon_future *(*make)(struct soak_batch *b, struct rng *r);
	void (*audit)(struct soak_batch *b, soon_future *made);
} kinds[] = {
	{ all_of, audit_all },	       { any_of, audit_any },
	{ success_of, audit_success }, { within, audit_same },
	{ shield, audit_same },
};

/* Nobody is told of a ring of jobs that such a future closes: so jobs do not wait
 * for ever. */
static void wait_for(soon_future *made, struct rng *r)
{
	int rc;

	if (soon_self() != NULL || rng_below(r, 3) == 0) {
		rc = soon_future_wait(made, soak_time(r, 300));
		SOAK_CLAIM(rc == 0 || rc == ETIMEDOUT);
		return;
	}
	rc = soon_future_wait(made, SOON_FOREVER);
	SOAK_CLAIM(rc == 0);
}

static void cancel(soon_future *made)
{
	int rc = soon_future_cancel(made);

	SOAK_CLAIM(rc == 0 || rc == EALREADY);
	SOAK_CLAIM(soon_future_done(made));
	SOAK_CLAIM((rc == 0) == (soon_future_state(made) == SOON_CANCELLED));
}

static void use(struct soak_batch *b, struct rng *r)
{
	unsigned kind = rng_below(r, COUNT_OF(kinds));
	soon_future *made;

	soak_batch_note_reading(b);
	soak_forbid_exit();
	made = kinds[kind].make(b, r);
	SOAK_CLAIM(made != NULL);
	if (rng_below(r, 4) == 0)
		cancel(made);
	else if (rng_below(r, 4) > 0)
		wait_for(made, r);
	if (soon_future_done(made))
		kinds[kind].audit(b, made);
	soon_future_unref(made);
	soak_allow_exit();
}

void soak_compose(struct rng *r, unsigned depth)
{
	struct soak_batch b = { .n = 0 };

	pthread_cleanup_push(soak_batch_drop, &b);
	soak_batch_submit(&b, r, depth);
	for (unsigned i = b.n > 0 ? 1 + rng_below(r, 2) : 0; i > 0; i--)
		use(&b, r);
	pthread_cleanup_pop(1);
}

/* Continuations */

/* On whichever thread: an executor without threads has it where its input is
 * done. */
static void *go_on(soon_future *done, void *task)
{
	void *result;

	SOAK_CLAIM(soon_future_done(done));
	soak_forbid_exit();
	result = soak_run(task);
	soak_allow_exit();
	return result;
}

/* Nobody cancels it but its pool, which has had it in a queue then. */
static void settled(soon_future *f, void *task)
{
	struct soak_task *t = task;

	if (atomic_load(&t->ran) != 0 ||
	    soon_future_state(f) == SOON_CANCELLED) {
		atomic_store(&t->is_accepted, true);
		soak_settled(f, t);
	} else {
		SOAK_CLAIM(soon_future_error(f) == ESHUTDOWN);
		SOAK_CLAIM(atomic_load(&soak.closed[t->pool]));
	}
	atomic_store(&t->is_over, true);
}

static void hang(soon_future *input, struct rng *r)
{
	struct soak_task *t = soak_task_new(r, rng_below(r, SOAK_POOLS), 0);
	soon_future *f;

	if (t == NULL)
		return;
	t->is_plain = true;
	t->has_future = true;
	soak_without_limits(&t->job);
	atomic_store(&t->is_hung, true);
	f = soon_then(input, soak.pool[t->pool], go_on, t);
	SOAK_CLAIM(f != NULL);
	if (t->seed % 2 == 0) {
		SOAK_CLAIM(soon_future_own(f, soak_free_result) == 0);
		atomic_store(&t->is_owned, true);
	}
	SOAK_CLAIM(soon_future_on_done(f, settled, t) == 0);
	soon_future_unref(f);
}

void soak_then(struct rng *r, unsigned depth)
{
	soon_future *f = rng_below(r, 2) == 0
				 ? soak_board_get(rng_below(r, 1000))
				 : NULL;

	(void)depth;
	soak_forbid_exit();
	if (f == NULL)
		f = soak_promise();
	for (unsigned i = 1 + rng_below(r, 2); i > 0; i--)
		hang(f, r);
	soon_future_unref(f);
	soak_allow_exit();
}
