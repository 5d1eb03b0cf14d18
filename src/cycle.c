/*
 * cycle.c - who waits for whom: jobs that would wait for each other for ever.
 *
 * A thread that runs a job and is about to sleep says for what, and in the same
 * critical section looks whether that can ever come.  The jobs on the stacks of
 * such threads are listed under their addresses, so that it can be found which
 * sleeping thread runs the job that another sleeps for.
 *
 * Of all threads that the sleeper depends on, those are stuck that sleep without
 * a limit and for jobs of stuck threads: of one such job if they need all, of
 * nothing else if they need one.  This is the largest set of which that is true,
 * found by taking away who is not stuck until nothing changes (waits for one and
 * for all: K. M. Chandy, J. Misra and L. M. Haas, "Distributed Deadlock
 * Detection", 1983).  No memory is needed: the threads themselves are linked.
 *
 * The threads' lock guards all of it.  That nothing is missed and nobody is
 * refused in vain is argued in doc/protocols.md.
 */
#include "job.h"
#include "thread.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUCKET_BITS = 12, /* of the table of listed jobs */
	MOST_STEPS = 8	  /* of a chain that is told */
};

/* All under the threads' lock. */
static struct sooni_context *buckets[1 << BUCKET_BITS];
static uint64_t begun = 1; /* waits without a limit so far, and one */

/* Listing jobs */

static struct sooni_context **bucket_of(const struct soon_future *job)
{
	/* Multiplicative hashing: D. E. Knuth, The Art of Computer Programming,
	 * 6.4. */
	uint64_t hash = (uintptr_t)job * UINT64_C(0x9e3779b97f4a7c15);

	return &buckets[hash >> (64 - BUCKET_BITS)];
}

/* Where a job is listed, all below it are. */
struct sooni_context *sooni_contexts_list(struct sooni_me *me, int64_t now)
{
	/* seq_cst: as in sooni_threads_look(). */
	struct sooni_context *innermost =
		atomic_load_explicit(&me->running, memory_order_seq_cst);
	struct sooni_context *c;

	for (c = innermost; c != NULL && c->me == NULL; c = c->below) {
		struct sooni_context **bucket = bucket_of(c->job);

		c->me = me;
		c->since = now;
		c->next = *bucket;
		c->link = bucket;
		if (c->next != NULL)
			c->next->link = &c->next;
		*bucket = c;
	}
	return innermost;
}

/* The job ends; it is settled after this. */
void sooni_context_forget(struct sooni_context *c)
{
	sooni_threads_lock();
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	sooni_threads_unlock();
	free(c->deadlock);
}

struct sooni_context *sooni_context_find(const struct soon_future *job)
{
	struct sooni_context *c = *bucket_of(job);

	while (c != NULL && c->job != job)
		c = c->next;
	return c;
}

/* Looking for those who are stuck */

void sooni_awaited_each(struct sooni_awaited *a,
			bool (*visit)(struct soon_future *f, void *ctx),
			void *ctx)
{
	size_t i;

	if (a->each != NULL) {
		a->each(a, visit, ctx);
		return;
	}
	for (i = 0; i < a->n && visit(a->futures[i], ctx); i++)
		;
}

/* Whether the clock will settle the job, however long its thread sleeps, and not
 * only ask it to stop, as where others than a worker run it. */
static bool has_limit(const struct sooni_context *c)
{
	return sooni_limit_ends(c->me->limit, c->job);
}

/* The thread that sleeps without a limit while it has f to run; or NULL. */
static struct sooni_me *sleeper_with(struct soon_future *f)
{
	uint32_t s = sooni_state(f);
	struct sooni_context *c;

	if ((s & (SOONI_RUNNING | SOONI_DONE)) != SOONI_RUNNING)
		return NULL;
	c = sooni_context_find(f);
	if (c == NULL || c->me->awaited == NULL || c->me->awaited->timed ||
	    has_limit(c))
		return NULL;
	return c->me;
}

/* The threads that somebody depends on, in the order in which they were found.
 * Each is stuck until it is known not to be. */
struct walk {
	struct sooni_me *first;
	struct sooni_me *last;
	bool grew;
};

static void reach(struct walk *w, struct sooni_me *me)
{
	me->is_reached = true;
	me->is_stuck = true;
	me->earlier = w->last;
	me->later = NULL;
	if (w->last != NULL)
		w->last->later = me;
	else
		w->first = me;
	w->last = me;
	w->grew = true;
}

/* What one wait depends on. */
struct view {
	struct walk *walk;
	enum sooni_need need;
	bool ends;	/* it is over, though its thread may not know yet */
	bool has_stuck; /* a job that will not be done */
	bool has_other; /* one that may be */
	struct soon_future *stuck; /* the first of them */
};

static bool ends_wait(uint32_t s, enum sooni_need need)
{
	return need == SOONI_NEED_ONE || (need == SOONI_NEED_ERROR &&
					  s & (SOONI_FAILED | SOONI_CANCELLED));
}

/* Whether the rest matters. */
static bool view_one(struct soon_future *f, void *ctx)
{
	struct view *v = ctx;
	struct sooni_me *me = sleeper_with(f);
	uint32_t s = sooni_state(f);

	if (me != NULL && !me->is_reached)
		reach(v->walk, me);
	if (s & SOONI_DONE) {
		v->ends = ends_wait(s, v->need);
		return !v->ends;
	}
	if (me != NULL && me->is_stuck) {
		v->stuck = v->has_stuck ? v->stuck : f;
		v->has_stuck = true;
	} else {
		v->has_other = true;
	}
	switch (v->need) {
	case SOONI_NEED_ALL:
		return !v->has_stuck;
	case SOONI_NEED_ONE:
		return !v->has_other;
	default:
		return true;
	}
}

static struct view view(struct walk *w, struct sooni_me *me)
{
	struct sooni_awaited *a = me->awaited;
	struct view v = { .walk = w, .need = a->need };

	sooni_awaited_each(a, view_one, &v);
	return v;
}

/*
 * A wait for an error or for all may get stuck when a job succeeds, without
 * anybody beginning to wait: then its thread is to look again.  After the alert
 * one that has been done meanwhile is seen to be so here.
 */
static bool is_stuck(struct walk *w, struct sooni_me *me)
{
	struct sooni_awaited *a = me->awaited;
	struct view v = view(w, me);

	if (a->need == SOONI_NEED_ERROR && !v.ends && v.has_stuck &&
	    v.has_other && !a->alerted) {
		a->alerted = true;
		a->alert(a);
		v = view(w, me);
	}
	return v.has_stuck && !v.ends &&
	       (a->need == SOONI_NEED_ALL || !v.has_other);
}

/* Find all on whom `me` depends, then who of them is stuck. */
static void look(struct walk *w, struct sooni_me *self)
{
	struct sooni_me *me;
	bool changed = true;

	reach(w, self);
	for (me = self; me != NULL && self->is_stuck; me = me->later)
		me->is_stuck = is_stuck(w, me);
	while (changed && self->is_stuck) {
		w->grew = false;
		changed = false;
		/* The last first: of a chain, the others depend on those. */
		for (me = w->last; me != NULL; me = me->earlier)
			if (me->is_stuck && !is_stuck(w, me)) {
				me->is_stuck = false;
				changed = true;
			}
		changed |= w->grew;
	}
}

/* Telling who waits for whom */

size_t sooni_label(const struct soon_future *f, char text[SOONI_LABEL_SIZE])
{
	struct sooni_side *side = sooni_side(f);
	const char *name = side != NULL ? side->name : NULL;
	size_t n = 0;

	if (f->fn == NULL)
		return (size_t)sprintf(text, "%s %p",
				       sooni_is_marked(f, SOONI_PROMISE)
					       ? "promise"
					       : "combinator",
				       (const void *)f);
	if (name == NULL)
		return (size_t)sprintf(text, "0x%" PRIxPTR "()",
				       side != NULL && side->shown != 0
					       ? side->shown
					       : (uintptr_t)f->fn);
	text[n++] = '"';
	for (; *name != '\0' && n < SOONI_LABEL_SIZE - 2; name++)
		text[n++] = (unsigned char)*name < ' ' ? '?' : *name;
	text[n++] = '"';
	text[n] = '\0';
	return n;
}

/* "a" -> "b" -> "a"; NULL without memory. */
static sooni_noinline char *tell(struct walk *w, struct sooni_me *self)
{
	char text[(MOST_STEPS + 2) * (SOONI_LABEL_SIZE + 4)];
	struct sooni_me *me = self;
	size_t used = sooni_label(sooni_running()->job, text);
	unsigned steps;

	for (steps = 0; !me->is_told && steps < MOST_STEPS; steps++) {
		struct soon_future *f = view(w, me).stuck;

		me->is_told = true;
		used += (size_t)sprintf(text + used, " -> ");
		used += sooni_label(f, text + used);
		me = sleeper_with(f);
	}
	if (!me->is_told)
		sprintf(text + used, " -> ...");
	return strdup(text);
}

/*
 * Whether the thread would sleep for ever; then *chain says why.  Not inlined, as
 * linkers (binutils 2.40) spoil the flags by which the undefined behaviour
 * sanitizer sees that the address of sooni_me is not NULL.
 */
static sooni_noinline bool is_deadlock(struct sooni_me *self, char **chain)
{
	struct walk w = { NULL, NULL, false };
	struct sooni_me *me;

	look(&w, self);
	if (self->is_stuck)
		*chain = tell(&w, self);
	for (me = w.first; me != NULL; me = me->later) {
		me->is_reached = false;
		me->is_told = false;
	}
	return self->is_stuck;
}

/*
 * In a callback, after its job, nobody depends on the thread; but dumps tell.
 *
 * A wait for all that sleeps once for each of many looks only if anybody else
 * has begun to sleep since its last look, when it was seen by all who did.
 */
int sooni_await_begin(struct sooni_awaited *a)
{
	struct sooni_context *c = sooni_running();
	char *chain = NULL;
	char *old = NULL;
	int rc = 0;

	a->since = sooni_now();
	sooni_threads_lock();
	sooni_contexts_list(&sooni_me, a->since);
	sooni_me.awaited = a;
	if (c != NULL && !a->timed &&
	    (a->need != SOONI_NEED_ALL || a->looked != begun)) {
		if (is_deadlock(c->me, &chain)) {
			sooni_me.awaited = NULL;
			rc = EDEADLK;
		}
		begun++;
	}
	a->looked = begun;
	if (c != NULL) {
		old = c->deadlock;
		c->deadlock = chain;
	}
	sooni_threads_unlock();
	free(old);
	return rc;
}

/* The jobs of threads that are not here, and the caller's, which are none now. */
void sooni_cycle_after_fork(void)
{
	memset(buckets, 0, sizeof(buckets));
}

void sooni_await_end(void)
{
	sooni_threads_lock();
	sooni_me.awaited = NULL;
	sooni_threads_unlock();
}
