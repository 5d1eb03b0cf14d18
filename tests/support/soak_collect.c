/*
 * soak_collect.c - waiting for jobs, reading and cancelling them, by all calls that
 * there are; see soak.h.
 */
#include "soak.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

static struct soak_task *task_of(soon_future *f)
{
	return soon_future_arg(f);
}

void soak_batch_note_reading(struct soak_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		atomic_store(&task_of(b->f[i])->may_be_read, true);
}

/* A code that no wait returns was read. */
static void note_read(soon_future *f, int code)
{
	if (code == EIO || code == SOON_EEXITED)
		atomic_store(&task_of(f)->is_read, true);
}

/* What an endless wait may say: a job may be in a ring of waits. */
static void claim_waited(int rc)
{
	SOAK_CLAIM(rc == 0 || (rc == EDEADLK && soon_self() != NULL));
}

static void wait_all(struct soak_batch *b, struct rng *r)
{
	(void)r;
	claim_waited(soon_wait_all(b->f, b->n, SOON_FOREVER));
}

static void wait_any(struct soak_batch *b, struct rng *r)
{
	size_t index = SOAK_BATCH;
	int rc = soon_wait_any(b->f, b->n, SOON_FOREVER, &index);

	(void)r;
	claim_waited(rc);
	SOAK_CLAIM(rc != 0 || soon_future_done(b->f[index]));
}

static void wait_error(struct soak_batch *b, struct rng *r)
{
	size_t done;
	int rc = soon_wait(b->f, b->n, SOON_FIRST_ERROR, soak_time(r, 300),
			   &done);

	SOAK_CLAIM((rc == 0 || rc == ETIMEDOUT) && done <= b->n);
}

static void gather_fast(struct soak_batch *b, struct rng *r)
{
	void *results[SOAK_BATCH];
	int rc;

	(void)r;
	soak_batch_note_reading(b);
	rc = soon_gather(b->f, b->n, SOON_FOREVER, results, NULL);
	for (size_t i = 0; i < b->n && rc == 0; i++)
		SOAK_CLAIM(soon_future_state(b->f[i]) == SOON_SUCCEEDED);
}

static void gather_all(struct soak_batch *b, struct rng *r)
{
	int errors[SOAK_BATCH];
	bool endless = rng_below(r, 2) == 0;
	int rc;

	soak_batch_note_reading(b);
	rc = soon_gather(b->f, b->n, endless ? SOON_FOREVER : soak_time(r, 300),
			 NULL, errors);
	SOAK_CLAIM(endless || rc == 0 || rc == ETIMEDOUT);
	if (endless)
		claim_waited(rc);
	for (size_t i = 0; i < b->n; i++) {
		SOAK_CLAIM(rc != 0 || errors[i] != EBUSY);
		note_read(b->f[i], errors[i]);
	}
}

static void read_each(struct soak_batch *b, struct rng *r)
{
	soak_batch_note_reading(b);
	for (size_t i = 0; i < b->n; i++) {
		void *result = NULL;
		int rc = soon_future_result(
			b->f[i],
			rng_below(r, 4) > 0 ? SOON_FOREVER : soak_time(r, 200),
			&result);

		note_read(b->f[i], rc);
		SOAK_CLAIM(rc != 0 || result == NULL ||
			   result == task_of(b->f[i]));
		SOAK_CLAIM(rc != 0 ||
			   soon_future_state(b->f[i]) == SOON_SUCCEEDED);
	}
}

static void free_set(void *set)
{
	soon_completions_free(set);
}

/* Whatever may be there, the descriptor is. */
static void poll_set(soon_completions *set)
{
	struct pollfd p = { .fd = soon_completions_fd(set), .events = POLLIN };

	SOAK_CLAIM(p.fd >= 0);
	SOAK_CLAIM(poll(&p, 1, 0) == 0 || p.revents == POLLIN);
}

static void as_completed(struct soak_batch *b, struct rng *r)
{
	soon_completions *set = soon_as_completed(b->f, b->n);
	size_t n = rng_below(r, 3) > 0 ? b->n : rng_below(r, SOAK_BATCH);
	soon_future *f;
	int rc = 0;

	SOAK_CLAIM(set != NULL);
	pthread_cleanup_push(free_set, set);
	if (rng_below(r, 2) == 0)
		poll_set(set);
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = soon_completions_next(set, SOON_FOREVER, &f);
		SOAK_CLAIM(rc != 0 || soon_future_done(f));
	}
	pthread_cleanup_pop(1);
	if (n <= b->n)
		claim_waited(rc);
	else
		SOAK_CLAIM(rc == ENODATA || rc == EDEADLK);
}

static void cancel_each(struct soak_batch *b, struct rng *r)
{
	for (size_t i = 0; i < b->n; i++) {
		int rc;

		if (rng_below(r, 4) == 0)
			continue;
		soak_forbid_exit();
		rc = soon_future_cancel(b->f[i]);
		soak_allow_exit();
		SOAK_CLAIM(rc == 0 || rc == EBUSY || rc == EALREADY);
		SOAK_CLAIM(rc != 0 ||
			   soon_future_state(b->f[i]) == SOON_CANCELLED);
	}
}

/* Without a wait, whatever there is. */
static void peek(struct soak_batch *b, struct rng *r)
{
	soak_batch_note_reading(b);
	for (size_t i = 0; i < b->n; i++) {
		soon_future *f = b->f[i];
		void *result = rng_below(r, 2) == 0 ? soon_future_take(f)
						    : NULL;

		if (result != NULL) {
			SOAK_CLAIM(result == task_of(f));
			atomic_fetch_add(&task_of(f)->taken, 1);
		}
		SOAK_CLAIM(soon_future_message(f) != NULL);
		note_read(f, soon_future_error(f));
	}
}

static void leave(struct soak_batch *b, struct rng *r)
{
	(void)b;
	(void)r;
}

void soak_batch_collect(struct soak_batch *b, struct rng *r)
{
	static void (*const ways[])(struct soak_batch *, struct rng *) = {
		wait_all,  wait_any,	 wait_error,  gather_fast, gather_all,
		read_each, as_completed, cancel_each, peek,	   leave,
	};

	for (unsigned i = b->n > 0 ? 1 + rng_below(r, 2) : 0; i > 0; i--)
		ways[rng_below(r, COUNT_OF(ways))](b, r);
}
