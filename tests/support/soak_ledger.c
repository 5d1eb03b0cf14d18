/*
 * soak_ledger.c - each job, and what became of it; see soak.h.
 */
#include "soak.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

enum { TASKS = 1 << 15 };

struct soak_round soak;

static struct soak_task tasks[TASKS];
static atomic_uint used;

static pthread_mutex_t wrong_lock = PTHREAD_MUTEX_INITIALIZER;
static char wrong[256];

void soak_claim(bool holds, const char *file, int line, const char *what)
{
	if (holds)
		return;
	pthread_mutex_lock(&wrong_lock);
	if (wrong[0] == '\0')
		snprintf(wrong, sizeof(wrong), "%s:%d: %s", file, line, what);
	pthread_mutex_unlock(&wrong_lock);
}

const char *soak_wrong(void)
{
	const char *first;

	pthread_mutex_lock(&wrong_lock);
	first = wrong[0] != '\0' ? wrong : NULL;
	pthread_mutex_unlock(&wrong_lock);
	return first;
}

void soak_ledger_clear(void)
{
	atomic_store(&used, 0);
}

static void choose_attributes(soon_job *job, struct rng *r)
{
	job->priority = (int)rng_below(r, 3) - 1;
	job->free_arg = soak_free_arg;
	job->free_result = soak_free_result;
	job->name = rng_below(r, 2) == 0 ? "soak" : NULL;
	if (rng_below(r, 6) == 0)
		job->delay = soak_time(r, 500);
	if (rng_below(r, 8) == 0)
		job->start_within = job->delay + soak_time(r, 1000);
	if (rng_below(r, 6) == 0)
		job->run_within = soak_time(r, 500);
}

struct soak_task *soak_task_new(struct rng *r, unsigned pool, unsigned depth)
{
	unsigned i = atomic_load(&used);
	struct soak_task *t;

	do {
		if (i >= soak.most_tasks || i == TASKS)
			return NULL;
	} while (!atomic_compare_exchange_weak(&used, &i, i + 1));
	t = &tasks[i];
	*t = (struct soak_task){ .pool = pool, .depth = depth };
	t->seed = rng_next(r);
	t->job = (soon_job)SOON_JOB_INIT;
	t->job.fn = soak_run;
	t->job.arg = t;
	choose_attributes(&t->job, r);
	return t;
}

static void note_exit(void *task)
{
	struct soak_task *t = task;

	atomic_store(&t->end, SOAK_EXITED);
}

void *soak_run(void *task)
{
	struct soak_task *t = task;
	struct rng r = { .state = t->seed };

	SOAK_CLAIM(atomic_fetch_add(&t->ran, 1) == 0);
	SOAK_CLAIM(soon_future_arg(soon_self()) == t);
	SOAK_CLAIM(atomic_load(&t->arg_freed) == 0);
	pthread_cleanup_push(note_exit, t);
	soak_do(&r, t->depth);
	pthread_cleanup_pop(0);
	SOAK_CLAIM(soon_future_arg(soon_self()) == t);
	if (t->seed % 8 == 0) {
		atomic_store(&t->end, SOAK_FAILED_ITSELF);
		return soon_fail(EIO, "as chance has it, %u", t->pool);
	}
	atomic_store(&t->end, SOAK_RETURNED);
	if (t->seed % 4 == 1)
		return NULL;
	atomic_store(&t->returned, 1);
	return t;
}

void soak_free_arg(void *task)
{
	struct soak_task *t = task;

	SOAK_CLAIM(atomic_load(&t->ran) ==
		   (atomic_load(&t->end) != SOAK_NOT_RUN));
	SOAK_CLAIM(atomic_fetch_add(&t->arg_freed, 1) == 0);
}

void soak_free_result(void *task)
{
	struct soak_task *t = task;

	SOAK_CLAIM(atomic_load(&t->returned) == 1);
	SOAK_CLAIM(atomic_fetch_add(&t->result_freed, 1) == 0);
}

/* Only where it cannot be told otherwise is the error read. */
static enum soak_fate fate_of(struct soak_task *t, soon_future *f)
{
	bool ran = atomic_load(&t->ran) != 0;

	switch (soon_future_state(f)) {
	case SOON_SUCCEEDED:
		return SOAK_SUCCEEDED;
	case SOON_CANCELLED:
		return SOAK_CANCELLED;
	case SOON_FAILED:
		break;
	default:
		soak_claim(false, __FILE__, __LINE__, "it is done");
	}
	if (t->job.run_within == 0)
		return ran ? SOAK_FAILED : SOAK_EXPIRED;
	atomic_store(&t->may_be_read, true);
	atomic_store(&t->is_read, true);
	return soon_future_error(f) == ETIMEDOUT ? SOAK_EXPIRED : SOAK_FAILED;
}

void soak_settled(soon_future *f, void *task)
{
	struct soak_task *t = task;
	struct rng r = { .state = t->seed + 1 };

	SOAK_CLAIM(soon_future_done(f));
	SOAK_CLAIM(soon_future_arg(f) == t);
	SOAK_CLAIM(atomic_load(&t->told) == 0);
	atomic_store(&t->fate, (int)fate_of(t, f));
	if (rng_below(&r, 16) == 0)
		soak_submit_leaf(&r);
	atomic_fetch_add(&t->told, 1);
}

void soak_unread(soon_future *f, void *unused)
{
	struct soak_task *t = soon_future_arg(f);

	(void)unused;
	SOAK_CLAIM(soon_future_state(f) == SOON_FAILED);
	SOAK_CLAIM(atomic_fetch_add(&t->unread, 1) == 0);
}

/* Of one with neither callback nor destructor the pool's end alone tells that it
 * was cancelled. */
static bool is_settled(struct soak_task *t)
{
	if (t->has_future && atomic_load(&t->told) == 0)
		return false;
	if (!t->is_plain)
		return atomic_load(&t->arg_freed) != 0;
	return t->has_future || atomic_load(&t->end) != SOAK_NOT_RUN ||
	       atomic_load(&soak.closed[t->pool]);
}

static bool is_under_way(struct soak_task *t)
{
	return atomic_load(&t->is_hung)
		       ? !atomic_load(&t->is_over)
		       : atomic_load(&t->is_accepted) && !is_settled(t);
}

/* Those that they submit come after them. */
void soak_await_settled(void)
{
	for (unsigned i = 0; i < atomic_load(&used); i++)
		while (is_under_way(&tasks[i]))
			sched_yield();
}

/* Without a future it had no limits; so it ran, unless it was cancelled, or left
 * out when another one ended the thread. */
static void find_fate(struct soak_task *t)
{
	int end = atomic_load(&t->end);

	if (t->is_unwound && end == SOAK_NOT_RUN)
		atomic_store(&t->fate, SOAK_FAILED);
	else if (!t->has_future)
		atomic_store(&t->fate, end == SOAK_NOT_RUN    ? SOAK_CANCELLED
				       : end == SOAK_RETURNED ? SOAK_SUCCEEDED
							      : SOAK_FAILED);
}

static void audit_fate(struct soak_task *t)
{
	int end = atomic_load(&t->end);
	bool ran = atomic_load(&t->ran) != 0;

	switch (atomic_load(&t->fate)) {
	case SOAK_SUCCEEDED:
		SOAK_CLAIM(end == SOAK_RETURNED);
		break;
	case SOAK_FAILED:
		SOAK_CLAIM(end == SOAK_FAILED_ITSELF || end == SOAK_EXITED ||
			   (end == SOAK_NOT_RUN && t->is_unwound));
		break;
	case SOAK_CANCELLED:
		SOAK_CLAIM(!ran);
		break;
	case SOAK_EXPIRED:
		SOAK_CLAIM(ran ? t->job.run_within > 0
			       : t->job.start_within > 0);
		break;
	default:
		soak_claim(false, __FILE__, __LINE__, "it has a fate");
	}
	SOAK_CLAIM(ran == (end != SOAK_NOT_RUN));
}

/* Failed, and surely not read; then soak_unread() is told. */
static bool is_unread(struct soak_task *t)
{
	int fate = atomic_load(&t->fate);

	return (fate == SOAK_FAILED || fate == SOAK_EXPIRED) && !t->is_mapped &&
	       !atomic_load(&t->may_be_read);
}

/* Whoever drops the last reference may not be done with that. */
static void await_frees(struct soak_task *t)
{
	while (is_unread(t) && atomic_load(&t->unread) == 0)
		sched_yield();
	while (atomic_load(&t->returned) != 0 &&
	       (!t->is_plain || atomic_load(&t->is_owned)) &&
	       atomic_load(&t->taken) + atomic_load(&t->result_freed) == 0)
		sched_yield();
}

static void audit_accepted(struct soak_task *t)
{
	bool has_free = !t->is_plain || atomic_load(&t->is_owned);

	find_fate(t);
	audit_fate(t);
	await_frees(t);
	SOAK_CLAIM(atomic_load(&t->arg_freed) == !t->is_plain);
	SOAK_CLAIM(atomic_load(&t->told) == t->has_future);
	SOAK_CLAIM(atomic_load(&t->taken) + atomic_load(&t->result_freed) ==
			   atomic_load(&t->returned) ||
		   !has_free);
	SOAK_CLAIM(has_free || atomic_load(&t->result_freed) == 0);
	if (atomic_load(&t->unread) != 0) {
		SOAK_CLAIM(atomic_load(&t->fate) == SOAK_FAILED ||
			   atomic_load(&t->fate) == SOAK_EXPIRED);
		SOAK_CLAIM(!t->is_mapped && !atomic_load(&t->is_read));
	}
}

static void audit_refused(struct soak_task *t)
{
	SOAK_CLAIM(atomic_load(&t->ran) == 0);
	SOAK_CLAIM(atomic_load(&t->told) == 0);
	SOAK_CLAIM(atomic_load(&t->arg_freed) == 0);
	SOAK_CLAIM(atomic_load(&t->result_freed) == 0);
	SOAK_CLAIM(atomic_load(&t->unread) == 0);
}

/* What was seen in all rounds: that the soak does what it is said to do. */
static struct {
	uint64_t fate[SOAK_FATES];
	uint64_t refused, late, exited, unread;
} totals;

static void add_to_totals(struct soak_task *t)
{
	int fate = atomic_load(&t->fate);

	if (!atomic_load(&t->is_accepted)) {
		totals.refused++;
		return;
	}
	totals.fate[fate]++;
	totals.late += fate == SOAK_EXPIRED && atomic_load(&t->ran) != 0;
	totals.exited += atomic_load(&t->end) == SOAK_EXITED;
	totals.unread += atomic_load(&t->unread);
}

uint64_t soak_jobs_so_far(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SOAK_FATES; i++)
		sum += totals.fate[i];
	return sum;
}

void soak_print_totals(void)
{
	printf("jobs: %" PRIu64 " succeeded, %" PRIu64 " failed (%" PRIu64
	       " left their threads), %" PRIu64 " expired (%" PRIu64
	       " came back late), %" PRIu64 " cancelled, %" PRIu64
	       " refused; %" PRIu64 " errors unread\n",
	       totals.fate[SOAK_SUCCEEDED], totals.fate[SOAK_FAILED],
	       totals.exited, totals.fate[SOAK_EXPIRED], totals.late,
	       totals.fate[SOAK_CANCELLED], totals.refused, totals.unread);
}

void soak_audit(void)
{
	for (unsigned i = 0; i < atomic_load(&used); i++) {
		if (atomic_load(&tasks[i].is_accepted))
			audit_accepted(&tasks[i]);
		else
			audit_refused(&tasks[i]);
		add_to_totals(&tasks[i]);
	}
}

static void await_rest(unsigned pool)
{
	soon_stats s = SOON_STATS_INIT;

	do {
		sched_yield();
		SOAK_CLAIM(soon_executor_stats(soak.pool[pool], &s) == 0);
	} while (s.pending + s.delayed + s.running + s.blocked +
			 s.written_off !=
		 0);
}

/* What the pool says of itself, and what the ledger knows. */
static void equal(unsigned pool, const char *what, uint64_t said,
		  uint64_t known)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "pool %u: %s: %" PRIu64 ", but %" PRIu64 " are known", pool,
		 what, said, known);
	soak_claim(said == known, __FILE__, __LINE__, text);
}

void soak_audit_stats(unsigned pool)
{
	uint64_t n[SOAK_FATES] = { 0 };
	soon_stats s = SOON_STATS_INIT;
	uint64_t accepted = 0;

	for (unsigned i = 0; i < atomic_load(&used); i++) {
		struct soak_task *t = &tasks[i];

		if (t->pool != pool || !atomic_load(&t->is_accepted))
			continue;
		find_fate(t);
		accepted++;
		n[atomic_load(&t->fate)]++;
	}
	await_rest(pool);
	SOAK_CLAIM(soon_executor_stats(soak.pool[pool], &s) == 0);
	equal(pool, "submitted", s.submitted, accepted);
	equal(pool, "succeeded", s.succeeded, n[SOAK_SUCCEEDED]);
	equal(pool, "failed", s.failed, n[SOAK_FAILED] + n[SOAK_EXPIRED]);
	equal(pool, "expired", s.expired, n[SOAK_EXPIRED]);
	equal(pool, "cancelled", s.cancelled, n[SOAK_CANCELLED]);
	equal(pool, "rejected", s.rejected, atomic_load(&soak.rejected[pool]));
	SOAK_CLAIM(s.oldest_pending == 0);
	SOAK_CLAIM(s.threads == 0 || !atomic_load(&soak.closed[pool]));
}
