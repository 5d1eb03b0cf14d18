/*
 * imap.c - results in the order of their arguments, which are drawn from a source
 * as they are needed.
 */
#include "job.h"
#include "os.h"
#include "pool.h"
#include "sized.h"
#include "thread.h"

#include <soon/error.h>
#include <soon/wait.h>

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* What has come of one argument: a job, or a code in its place. */
struct place {
	soon_future *job; /* NULL: code */
	int code;
};

struct soon_imap {
	/*
	 * 0, or 1 more than the generation of the process in which a thread is
	 * in a call.  All below is that thread's.
	 */
	_Atomic unsigned busy;

	soon_executor *executor; /* r/o */
	soon_job each;		 /* r/o but for its arg */
	soon_source *source;	 /* r/o */
	void *ctx;		 /* r/o */

	soon_future *returned; /* by the latest next() */
	bool ended;	       /* the source has */
	size_t head;	       /* of the ring */
	size_t count;
	size_t window;	       /* r/o */
	struct place places[]; /* ring; the oldest at head */
};

/* Begin a call: 0; EBUSY: another thread is in one, or this one below; or
 * SOON_EFORKED: a thread of the parent was when it forked. */
static int enter(struct soon_imap *m)
{
	unsigned mine = sooni_generation + 1;
	unsigned old = 0;

	/* acquire: all that the call before has left.  Pairs with leave(). */
	if (atomic_compare_exchange_strong_explicit(&m->busy, &old, mine,
						    memory_order_acquire,
						    memory_order_relaxed))
		return 0;
	return old == mine ? EBUSY : SOON_EFORKED;
}

/* Also when a job that was run in the call has ended the thread. */
static void leave(void *imap)
{
	struct soon_imap *m = imap;

	/* release: pairs with enter(). */
	atomic_exchange_explicit(&m->busy, 0, memory_order_release);
}

static struct place *place(struct soon_imap *m, size_t i)
{
	return &m->places[(m->head + i) % m->window];
}

static struct place *append(struct soon_imap *m, int code)
{
	struct place *p = place(m, m->count++);

	*p = (struct place){ .code = code };
	return p;
}

/* Whether the next result is there. */
static bool is_ready(struct soon_imap *m)
{
	const struct place *first = place(m, 0);

	return m->count > 0 && soon_future_done(first->job);
}

static bool is_full(struct soon_executor *e)
{
	return e->options.max_pending > 0 && sooni_room_is_full(&e->home.room);
}

/*
 * One is drawn in any case, so that a caller who is slow finds the next ones done,
 * and more while there is nothing to return.
 *
 * In a full pool, nobody who has something to wait for sleeps for room or is
 * refused; who has a result does not run jobs first; and a poll does not sleep.
 * Should others fill the pool after the look, the submit does what it does.
 */
static bool may_draw(struct soon_imap *m, int64_t deadline, unsigned drawn)
{
	bool ready = is_ready(m);

	if (m->ended || m->count == m->window || (ready && drawn > 0))
		return false;
	if (!is_full(m->executor))
		return true;
	switch (m->executor->options.when_full) {
	case SOON_CALLER_RUNS:
		return !ready;
	case SOON_REJECT:
		return m->count == 0;
	default: /* its workers run it themselves */
		return m->count == 0 &&
		       (deadline != 0 || sooni_pool_has_caller(m->executor));
	}
}

static int ask_source(struct soon_imap *m, void **arg)
{
	int old = sooni_uncancellable_begin();
	int rc;

	*arg = NULL;
	rc = m->source(m->ctx, arg);
	sooni_uncancellable_end(old);
	/* These would be taken for what the wait has to say. */
	return rc == ETIMEDOUT || rc == EDEADLK ? EINVAL : rc;
}

static void free_arg(const struct soon_imap *m, void *arg)
{
	int old = sooni_uncancellable_begin();

	if (m->each.free_arg != NULL)
		m->each.free_arg(arg);
	sooni_uncancellable_end(old);
}

/* One more from the source, and on its way. */
static void draw(struct soon_imap *m)
{
	struct place *p;
	void *arg;
	int rc = ask_source(m, &arg);

	if (rc == ENODATA) {
		m->ended = true;
		return;
	}
	if (rc != 0) {
		append(m, rc);
		return;
	}
	/* If the submit runs a job that ends the thread, that is what is left. */
	p = append(m, SOON_EEXITED);
	m->each.arg = arg;
	p->job = soon_submit_job(m->executor, &m->each);
	if (p->job == NULL) {
		p->code = errno;
		free_arg(m, arg);
	}
}

static int next(struct soon_imap *m, int64_t deadline, soon_future **f)
{
	struct place *first;
	unsigned drawn = 0;
	int rc;

	soon_future_unref(m->returned);
	m->returned = NULL;
	for (; may_draw(m, deadline, drawn); drawn++)
		draw(m);
	if (m->count == 0)
		return m->ended ? ENODATA : ETIMEDOUT;
	first = place(m, 0);
	rc = first->code;
	if (first->job != NULL) {
		rc = sooni_await(first->job, deadline);
		if (rc != 0)
			return rc;
		sooni_future_read(first->job);
	}
	*f = first->job;
	m->returned = first->job;
	m->head = (m->head + 1) % m->window;
	m->count--;
	return rc;
}

int soon_imap_next(soon_imap *m, soon_nsec timeout, soon_future **f)
{
	int64_t deadline;
	int rc;

	if (f != NULL)
		*f = NULL;
	if (m == NULL || f == NULL)
		return EINVAL;
	deadline = sooni_deadline(timeout);
	rc = enter(m);
	if (rc != 0)
		return rc;
	pthread_cleanup_push(leave, m);
	rc = next(m, deadline, f);
	pthread_cleanup_pop(1);
	return rc;
}

soon_imap *soon_imap_new(soon_executor *e, const soon_job *each,
			 soon_source *source, void *ctx, size_t window)
{
	struct soon_imap *m;
	size_t size;
	int rc;

	/* What a submit of no jobs says of them. */
	rc = soon_submit_many(e, each, NULL, 0, NULL);
	errno = rc != 0 ? rc : EINVAL;
	if (rc != 0 || source == NULL || window == 0)
		return NULL;
	errno = ENOMEM;
	if (e == NULL)
		e = soon_default_executor();
	if (e == NULL ||
	    window > (SIZE_MAX - sizeof(*m)) / sizeof(m->places[0]))
		return NULL;
	size = sizeof(*m) + window * sizeof(m->places[0]);
	m = malloc(size);
	if (m == NULL)
		return NULL;
	*m = (struct soon_imap){
		.executor = e, .source = source, .ctx = ctx, .window = window
	};
	sooni_read_struct(&m->each, sizeof(m->each), each, each->size);
	m->each.size = sizeof(m->each);
	return m;
}

void soon_imap_free(soon_imap *m)
{
	size_t i;
	int rc;

	if (m == NULL)
		return;
	rc = enter(m);
	assert(rc != EBUSY);
	if (rc != 0)
		return;
	for (i = m->count; i-- > 0;)
		if (place(m, i)->job != NULL) {
			/* Nobody will see it any more. */
			sooni_future_read(place(m, i)->job);
			sooni_future_cancel_idle(place(m, i)->job);
		}
	for (i = 0; i < m->count; i++)
		soon_future_unref(place(m, i)->job);
	soon_future_unref(m->returned);
	free(m);
}
