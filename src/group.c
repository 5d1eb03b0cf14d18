/*
 * group.c - see soon/group.h, and member.h for the inside.
 */
#include "error.h"
#include "member.h"
#include "submit.h"
#include "thread.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

soon_group *soon_group_new(soon_executor *e)
{
	soon_group *g = aligned_alloc(SOONI_APART, sizeof(*g));

	if (g == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	*g = (soon_group){ .executor = e };
	sooni_member_init(g);
	return g;
}

/* Submitting */

/* A job that the submit ran has ended the thread; or forked, and this is the
 * child. */
static void exited(void *member)
{
	struct sooni_member *m = member;

	if (m->generation == sooni_generation)
		sooni_member_show(m);
}

/* Hand over what is a member by now. */
static int hand_over(struct sooni_submission *s, struct sooni_member *m)
{
	int rc;

	pthread_cleanup_push(exited, m);
	rc = sooni_submit_end(s);
	pthread_cleanup_pop(0);
	if (sooni_unlikely(m->generation != sooni_generation))
		return rc;
	if (sooni_likely(rc == 0)) {
		sooni_member_show(m);
		return 0;
	}
	sooni_member_withdraw(m);
	sooni_future_discard(s->future);
	return rc;
}

/* Who waits neither may run what can be written off, nor what is not due. */
static bool is_fresh(const soon_job *job)
{
	return job == NULL || (job->run_within == 0 && job->delay == 0);
}

static int submit(soon_group *g, soon_fn *fn, void *arg, const soon_job *given)
{
	struct sooni_submission s;
	struct sooni_member *m;
	int rc = sooni_submit_begin(&s, g->executor, fn, arg, given);

	if (rc != 0)
		return rc;
	rc = sooni_member_join(g, s.future, is_fresh(s.job), &m);
	if (rc == 0)
		return hand_over(&s, m);
	sooni_future_discard(s.future);
	return rc;
}

int soon_group_submit(soon_group *g, soon_fn *fn, void *arg)
{
	return g != NULL ? submit(g, fn, arg, NULL) : EINVAL;
}

int soon_group_submit_job(soon_group *g, const soon_job *job)
{
	return g != NULL && job != NULL ? submit(g, NULL, NULL, job) : EINVAL;
}

/* Waiting */

/* Is f a job that this thread runs?  Then that is all. */
static bool find_own(soon_future *f, void *own)
{
	if ((sooni_state(f) & (SOONI_RUNNING | SOONI_DONE)) != SOONI_RUNNING ||
	    !sooni_runs_here(f))
		return true;
	*(soon_future **)own = f;
	return false;
}

/* The member that the caller runs, or NULL. */
static soon_future *own_member(soon_group *g)
{
	soon_future *own = NULL;

	if (sooni_running() != NULL)
		sooni_member_each(g, find_own, &own);
	return own;
}

static void unref(void *f)
{
	soon_future_unref(f);
}

/*
 * Run what the caller may run itself, the newest first, as in a wait for all of
 * some futures; as long as none of it was the last.
 */
static void run_members(soon_group *g, uint32_t since)
{
	bool go_on = true;
	soon_future *f;
	uint32_t seen;

	while (go_on && sooni_member_has_left(g, since, &seen) &&
	       (f = sooni_member_newest(g)) != NULL) {
		pthread_cleanup_push(unref, f);
		/* If not, because it has started or the caller may run none. */
		go_on = sooni_run_awaited(f) ||
			sooni_state(f) & (SOONI_RUNNING | SOONI_DONE);
		pthread_cleanup_pop(1);
	}
}

/* What a thread that waits sleeps for. */
struct awaited {
	struct sooni_awaited awaited;
	soon_group *group;
};

static void visit_members(struct sooni_awaited *a,
			  bool (*visit)(soon_future *f, void *ctx), void *ctx)
{
	sooni_member_each(sooni_container_of(a, struct awaited, awaited)->group,
			  visit, ctx);
}

/* Until nothing is left, or was at some time since then. */
static int sleep_until_none(soon_group *g, uint32_t since, int64_t deadline)
{
	struct awaited a = { .awaited = { .need = SOONI_NEED_ALL,
					  .timed = deadline != SOON_FOREVER,
					  .each = visit_members },
			     .group = g };
	uint32_t seen;
	int rc = 0;

	while (rc == 0 && sooni_member_has_left(g, since, &seen)) {
		if (!sooni_spin(&g->word, ~SOONI_SLEEPERS, seen))
			rc = sooni_wait_for(&a.awaited, &g->word,
					    ~SOONI_SLEEPERS, seen, deadline);
	}
	return rc;
}

int soon_group_wait(soon_group *g, soon_nsec timeout)
{
	int64_t deadline;
	soon_future *own;
	uint32_t since;

	if (g == NULL)
		return EINVAL;
	deadline = sooni_deadline(timeout);
	if (!sooni_member_begin_wait(g, &since))
		return 0;
	if (deadline == 0)
		return ETIMEDOUT;
	if (deadline == SOON_FOREVER) {
		own = own_member(g);
		if (own != NULL)
			return sooni_await_refuse(own);
		run_members(g, since);
	}
	return sleep_until_none(g, since, deadline);
}

/* Outcome */

int soon_group_error(soon_group *g)
{
	soon_future *first;
	int error;

	if (g == NULL)
		return EINVAL;
	pthread_mutex_lock(&g->lock);
	first = g->first;
	error = g->error;
	pthread_mutex_unlock(&g->lock);
	return first != NULL ? soon_future_error(first) : error;
}

const char *soon_group_message(soon_group *g)
{
	int code = soon_group_error(g);
	const char *text;

	if (code == 0)
		return "";
	/* Where there is an error it does not change any more. */
	if (g != NULL && g->first != NULL)
		return soon_future_message(g->first);
	text = sooni_error_text(code);
	return text != NULL ? text : "Unknown error";
}

void soon_group_cancel(soon_group *g)
{
	if (g != NULL)
		sooni_member_stop(g, ECANCELED);
}

/* The end */

/* A wait that would close a ring of jobs waits all the same. */
static void await_end(soon_group *g, bool run)
{
	uint32_t since;
	uint32_t seen;

	sooni_member_begin_wait(g, &since);
	if (run)
		run_members(g, since);
	if (sleep_until_none(g, since, SOON_FOREVER) == 0)
		return;
	while (sooni_member_has_left(g, since, &seen))
		sooni_wait(&g->word, ~SOONI_SLEEPERS, seen, INT64_MAX);
}

static void destroy(soon_group *g)
{
	soon_future *first = g->first;

	sooni_member_fini(g);
	free(g);
	soon_future_unref(first); /* may report it */
}

struct freeing {
	soon_group *group;
	unsigned generation;
};

/* A member that the caller ran meanwhile has ended the thread: nevertheless no job
 * outlives the group. */
static void exited_free(void *freeing)
{
	struct freeing *f = freeing;

	if (f->generation != sooni_generation)
		return;
	await_end(f->group, false);
	destroy(f->group);
}

void soon_group_free(soon_group *g)
{
	struct freeing f = { g, sooni_generation };

	if (g == NULL)
		return;
	assert(own_member(g) == NULL);
	pthread_cleanup_push(exited_free, &f);
	await_end(g, true);
	pthread_cleanup_pop(0);
	destroy(g);
}
