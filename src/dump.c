/*
 * dump.c - what each thread of a pool is doing, in words.
 *
 * The lines are written to memory while the threads are held, so that no job
 * that is named can end, and to the stream afterwards.
 *
 * How long: a look at the clock for every job would cost a tenth of what is done
 * with a short one.  So a job is known to have run since the worker woke up for it,
 * or else since it was seen first: when it began to wait, or by an earlier dump.
 */
#include "crew.h"
#include "job.h"
#include "pool.h"
#include "text.h"
#include "thread.h"
#include "waiter.h"

#include <soon/stats.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	MOST_NAMED = 4, /* of the futures that one waits for */
	MOST_STACKED = 8,
	PENDING_SIZE = 128 /* words on what waits */
};

struct dump {
	struct soon_executor *executor;
	int64_t now;

	/* by the number of a worker: whether the system says that it sleeps */
	bool *asleep;
	uint32_t asleep_count;

	struct sooni_text text;
	unsigned running, blocked, idle;
};

/* A job that cannot end meanwhile. */
static void add_label(struct dump *d, const struct soon_future *f)
{
	char label[SOONI_LABEL_SIZE];

	sooni_label(f, label);
	sooni_text_add(&d->text, "%s", label);
}

static void add_thread(struct dump *d, struct sooni_me *me)
{
	char name[SOONI_NAME_SIZE];

	if (me->member == NULL) {
		sooni_text_add(&d->text, "thread %d", (int)me->thread_id);
		return;
	}
	sooni_worker_name(me->member, name);
	sooni_text_add(&d->text, "%s", name);
}

/* Of the futures that a thread waits for. */
struct members {
	struct dump *dump;
	unsigned named;
	size_t left_out;
};

/* A future that is not done: what it is called, and where it runs; that thread
 * gets a line of its own. */
static void add_member(struct dump *d, const struct soon_future *f)
{
	struct sooni_context *c = sooni_context_find(f);

	add_label(d, f);
	if (c != NULL) {
		c->me->is_reached = true;
		sooni_text_add(&d->text, " (on ");
		add_thread(d, c->me);
		sooni_text_add(&d->text, ")");
	} else if (f->fn != NULL && !(sooni_state(f) & SOONI_RUNNING)) {
		sooni_text_add(&d->text, " (not started)");
	}
}

/*
 * What is found among those that run cannot get done now, and a promise has no
 * name that could go then.  Others, which are rare, are locked meanwhile: that
 * wakes who sleeps for them.
 */
static bool visit_member(struct soon_future *f, void *ctx)
{
	struct members *m = ctx;
	bool is_safe = f->fn == NULL || sooni_context_find(f) != NULL;
	uint32_t s = is_safe || m->named >= MOST_NAMED ? sooni_state(f)
						       : sooni_waiters_lock(f);

	if (s & SOONI_DONE)
		return true;
	if (m->named >= MOST_NAMED) {
		m->left_out++;
		return true;
	}
	if (m->named++ > 0)
		sooni_text_add(&m->dump->text, ", ");
	add_member(m->dump, f);
	if (!is_safe)
		sooni_waiters_unlock(f, s);
	return true;
}

static void add_awaited(struct dump *d, struct sooni_awaited *a)
{
	static const char *const which[] = { [SOONI_NEED_ALL] = "all of ",
					     [SOONI_NEED_ONE] = "one of ",
					     [SOONI_NEED_ERROR] =
						     "an error or all of " };
	struct members m = { d, 0, 0 };

	if (a->need == SOONI_NEED_TIME) {
		sooni_text_add(&d->text, ", asleep for ");
		sooni_text_add_time(&d->text, d->now - a->since);
		return;
	}
	sooni_text_add(&d->text, ", waiting ");
	sooni_text_add_time(&d->text, d->now - a->since);
	sooni_text_add(&d->text, " for %s", a->n == 1 ? "" : which[a->need]);
	sooni_awaited_each(a, visit_member, &m);
	if (m.left_out > 0)
		sooni_text_add(&d->text, " and %zu more", m.left_out);
	if (m.named == 0)
		sooni_text_add(&d->text, "what is done now");
}

/* How long the innermost job has been running. */
static void add_age(struct dump *d, struct sooni_me *me,
		    struct sooni_context *c)
{
	int64_t woke = -1;

	if (me->member != NULL && c->below == NULL)
		woke = sooni_worker_woke_for_job(me->member);
	if (woke >= 0) {
		sooni_text_add(&d->text, " for ");
		sooni_text_add_time(&d->text,
				    d->now > woke ? d->now - woke : 0);
	} else if (d->now > c->since) {
		sooni_text_add(&d->text, " for at least ");
		sooni_text_add_time(&d->text, d->now - c->since);
	}
}

static bool is_asleep(struct dump *d, struct sooni_worker *w)
{
	uint32_t i = w->parker.index;

	/* relaxed: a guess. */
	return atomic_load_explicit(&w->place, memory_order_relaxed) !=
		       SOONI_PLACE_HELD ||
	       (w->executor == d->executor && i < d->asleep_count &&
		d->asleep[i]);
}

static void add_jobs(struct dump *d, struct sooni_context *c)
{
	unsigned depth = 0;

	add_label(d, c->job);
	while ((c = c->below) != NULL && depth++ < MOST_STACKED) {
		sooni_text_add(&d->text, " on top of ");
		add_label(d, c->job);
	}
	for (depth = 0; c != NULL; c = c->below)
		depth++;
	if (depth > 0)
		sooni_text_add(&d->text, " and %u more", depth);
}

/* Whether the thread, which has this job on top, was written off: the one below
 * all has been settled without it. */
static bool is_written_off(const struct sooni_me *me,
			   const struct sooni_context *c)
{
	if (me->member != NULL)
		return false;
	while (c->below != NULL)
		c = c->below;
	return sooni_is_marked(c->job, SOONI_LIMITED) &&
	       sooni_state(c->job) & SOONI_DONE;
}

/* What a thread with a job does; whether that is not running. */
static bool add_doing(struct dump *d, struct sooni_me *me,
		      struct sooni_context *c)
{
	bool asleep = me->member != NULL && is_asleep(d, me->member);

	add_jobs(d, c);
	if (is_written_off(me, c))
		sooni_text_add(&d->text, ", written off");
	if (me->awaited != NULL) {
		add_awaited(d, me->awaited);
	} else {
		sooni_text_add(&d->text,
			       asleep ? ", blocked, running" : ", running");
		add_age(d, me, c);
	}
	for (; c != NULL; c = c->below)
		if (c->deadlock != NULL)
			sooni_text_add(&d->text, "; deadlock: %s", c->deadlock);
	return asleep || me->awaited != NULL;
}

static bool is_member(struct dump *d, struct sooni_me *me)
{
	return me->member != NULL && me->member->executor == d->executor;
}

static void add_line(struct dump *d, struct sooni_me *me)
{
	struct sooni_context *c = sooni_contexts_list(me, d->now);
	unsigned *count = &d->idle;

	add_thread(d, me);
	sooni_text_add(&d->text, ": ");
	if (c != NULL) {
		count = add_doing(d, me, c) ? &d->blocked : &d->running;
	} else if (me->awaited != NULL) {
		sooni_text_add(&d->text, "in a callback");
		add_awaited(d, me->awaited);
		count = &d->blocked;
	} else if (me->member != NULL && !is_asleep(d, me->member)) {
		sooni_text_add(&d->text, "between jobs, or in a callback");
		count = &d->running;
	} else {
		sooni_text_add(&d->text, "idle");
	}
	sooni_text_add(&d->text, "\n");
	if (is_member(d, me))
		++*count;
}

/* Whether the thread is one of the pool's, or has a job of it. */
static bool belongs(struct dump *d, struct sooni_me *me)
{
	struct sooni_context *c = sooni_contexts_list(me, d->now);

	if (is_member(d, me))
		return true;
	while (c != NULL && c->job->home != &d->executor->home)
		c = c->below;
	return c != NULL;
}

/* A line for each thread of the pool, then for those on which they depend. */
static void add_lines(struct dump *d)
{
	struct sooni_me *first = sooni_threads_hold();
	struct sooni_me *me;
	bool more = true;

	d->now = sooni_now();
	d->running = d->blocked = d->idle = 0;
	/* All, so that those on which others depend are found. */
	for (me = first; me != NULL; me = me->next)
		me->is_reached = belongs(d, me);
	while (more) {
		more = false;
		for (me = first; me != NULL; me = me->next) {
			if (!me->is_reached || me->is_told)
				continue;
			add_line(d, me);
			me->is_told = true;
			more = true;
		}
	}
	for (me = first; me != NULL; me = me->next) {
		me->is_reached = false;
		me->is_told = false;
	}
	sooni_threads_let_go();
}

/* Ask the system which workers sleep, before they are held: it takes long. */
static int look_who_sleeps(struct dump *d)
{
	struct sooni_park *park = &d->executor->park;
	uint32_t i;

	d->asleep_count = sooni_park_count(park);
	d->asleep = calloc(d->asleep_count + 1, sizeof(*d->asleep));
	if (d->asleep == NULL)
		return ENOMEM;
	for (i = 0; i < d->asleep_count; i++) {
		struct sooni_worker *w = sooni_worker_at(d->executor, i);
		/* relaxed, both: guesses. */
		int32_t id = atomic_load_explicit(&w->thread_id,
						  memory_order_relaxed);

		d->asleep[i] =
			id != 0 &&
			atomic_load_explicit(&w->place, memory_order_relaxed) ==
				SOONI_PLACE_HELD &&
			sooni_thread_asleep(id);
	}
	return 0;
}

/* All lines, in as much memory as they need. */
static int fill(struct dump *d)
{
	do {
		if (sooni_text_grow(&d->text) != 0)
			return ENOMEM;
		add_lines(d);
	} while (d->text.used >= d->text.room);
	return 0;
}

/* What waits, and for how long, if anything does. */
static void add_pending(struct dump *d, char text[PENDING_SIZE])
{
	soon_stats s = SOON_STATS_INIT;
	int n;

	soon_executor_stats(d->executor, &s);
	n = snprintf(text, PENDING_SIZE, "about %zu jobs pending", s.pending);
	if (s.pending > 0)
		n += snprintf(text + n, (size_t)(PENDING_SIZE - n),
			      ", the oldest for %lld.%03d s",
			      (long long)(s.oldest_pending / SOON_SEC),
			      (int)(s.oldest_pending % SOON_SEC / SOON_MSEC));
	if (s.delayed > 0)
		snprintf(text + n, (size_t)(PENDING_SIZE - n), ", %zu delayed",
			 s.delayed);
}

static int print(struct dump *d, FILE *out)
{
	static const char *const phases[] = { [SOONI_OPEN] = "",
					      [SOONI_CLOSED] = ", shut down",
					      [SOONI_BROKEN] = ", broken" };
	struct soon_executor *e = d->executor;
	char pending[PENDING_SIZE];
	int rc;

	add_pending(d, pending);
	errno = 0;
	rc = fprintf(out,
		     "%s: %u threads (%u running, %u blocked, %u idle), %s%s\n",
		     e->name, d->running + d->blocked + d->idle, d->running,
		     d->blocked, d->idle, pending, phases[sooni_pool_phase(e)]);
	if (rc >= 0 &&
	    fwrite(d->text.start, 1, d->text.used, out) == d->text.used &&
	    fflush(out) == 0)
		return 0;
	return errno != 0 ? errno : EIO;
}

static int dump(struct soon_executor *e, FILE *out)
{
	struct dump d = { .executor = e };
	int rc = look_who_sleeps(&d);

	if (rc == 0)
		rc = fill(&d);
	if (rc == 0)
		rc = print(&d, out);
	free(d.text.start);
	free(d.asleep);
	return rc;
}

int soon_executor_dump(soon_executor *e, FILE *out)
{
	int old;
	int rc;

	if (out == NULL)
		return EINVAL;
	if (e == NULL)
		e = soon_default_executor();
	if (e == NULL)
		return ENOMEM;
	old = sooni_uncancellable_begin();
	rc = dump(e, out);
	sooni_uncancellable_end(old);
	return rc;
}
