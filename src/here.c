/*
 * here.c - jobs that their submitter runs: of a pool without threads, or a full
 * one.
 */
#include "pool.h"
#include "run.h"
#include "submit.h"
#include "thread.h"

#include <soon/error.h>

#include <pthread.h>

/* Jobs that the thread which submits them is to run. */
struct here {
	struct soon_executor *e;
	struct soon_future *const *jobs;
	size_t n;
	size_t next;		   /* how many have been run */
	struct soon_future *given; /* the caller is to have a reference to it */
	unsigned generation;
	struct sooni_telling telling;
};

/* Not a child that a job or a callback forked: there the rest have failed. */
static bool is_parent(const struct here *h)
{
	return sooni_likely(h->generation == sooni_generation);
}

static void end_here(struct here *h)
{
	sooni_telling_pop(&h->telling);
	if (is_parent(h))
		sooni_home_leave(&h->e->home);
}

/* A job has ended the thread that was to run the rest, too, and to return. */
static void exited_here(void *here)
{
	struct here *h = here;

	while (h->next < h->n && is_parent(h)) {
		struct soon_future *f = h->jobs[h->next++];

		if (sooni_future_claim(f, true, false))
			sooni_job_fail(f, SOON_EEXITED);
		else
			sooni_future_drop_entry(f);
	}
	end_here(h);
	soon_future_unref(h->given);
}

/* As a worker would, had it taken f's entry from a queue; but as nobody else can
 * cancel f meanwhile, one that was asked to stop is cancelled here. */
static void run_one(struct soon_executor *e, struct soon_future *f)
{
	/* relaxed: a shutdown that comes just now may be seen at the next. */
	unsigned flags =
		atomic_load_explicit(&e->shutdown_flags, memory_order_relaxed);

	if (sooni_unlikely(flags & SOON_CANCEL_PENDING ||
			   sooni_state(f) & SOONI_ASKED))
		sooni_future_cancel_idle(f);
	if (!sooni_future_claim(f, true, false))
		sooni_future_drop_entry(f);
	else if (sooni_unlikely(sooni_pool_phase(e) == SOONI_BROKEN))
		sooni_job_fail(f, SOON_EBROKEN);
	else
		sooni_guest_run(f);
}

/* Unless it is asked to stop before that. */
static void sleep_until_due(struct soon_future *f, int64_t delay)
{
	sooni_wait(&f->state, SOONI_ASKED, 0, sooni_deadline(delay));
}

int sooni_run_here(struct soon_executor *e, struct soon_future *const *jobs,
		   size_t n, int64_t delay, struct soon_future *given)
{
	struct here h = { .e = e,
			  .jobs = jobs,
			  .n = n,
			  .given = given,
			  .generation = sooni_generation };
	int rc = sooni_pool_enter(e);

	if (rc != 0)
		return rc;
	sooni_counts_add(&e->home.counts, SOONI_SUBMITTED, n);
	sooni_telling_push(&h.telling, &e->home);
	if (sooni_unlikely(delay > 0))
		sleep_until_due(jobs[0], delay);
	pthread_cleanup_push(exited_here, &h);
	while (h.next < n && is_parent(&h))
		run_one(e, jobs[h.next++]);
	pthread_cleanup_pop(0);
	end_here(&h);
	return 0;
}
