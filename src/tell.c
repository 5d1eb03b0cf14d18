/*
 * tell.c - see tell.h; the proof is in doc/protocols.md.
 */
#include "tell.h"

#include "os.h"
#include "waiter.h"

/* Telling the library's own of so many futures takes a while. */
enum { MANY = 32 };

static void append(struct sooni_queue *q, struct sooni_told *t,
		   struct soon_future *f)
{
	t->future = f;
	t->next = NULL;
	if (q->first == NULL)
		q->first = t;
	else
		q->last->next = t;
	q->last = t;
}

/* NULL: it is empty. */
static struct soon_future *shift(struct sooni_queue *q)
{
	struct sooni_told *t = q->first;

	if (t == NULL)
		return NULL;
	q->first = t->next;
	return t->future;
}

static bool is_composed(const struct soon_future *f)
{
	return sooni_is_marked(f, SOONI_COMPOSED);
}

/* The relay to which the thread adds; NULL: it would have to open one. */
static struct sooni_relay *current(void)
{
	struct sooni_relay *r = sooni_me.relay;

	return r != NULL && !r->paused ? r : NULL;
}

/* The first half: the library's own.  Returns the user's, to be told later. */
static struct sooni_link *tell_own(struct soon_future *f)
{
	struct sooni_link *users;

	if (sooni_unlikely(is_composed(f)) && sooni_composed(f)->done != NULL)
		sooni_composed(f)->done(f);
	users = sooni_waiters_fire(f);
	/* Before the user's code, which may fork, and in the child free the
	 * executor.  relaxed: it is done. */
	if (atomic_load_explicit(&f->state, memory_order_relaxed) &
	    SOONI_FAILED)
		sooni_unread_hold(f);
	return users;
}

static void call_free_arg(struct soon_future *f, void (*free_arg)(void *))
{
	/* What is composed frees its own, which is no user's code. */
	bool paused = !is_composed(f) && sooni_relay_pause();

	free_arg(f->arg);
	sooni_relay_resume(paused);
}

/* The user's part of it, which may not end the thread. */
static void tell_users(struct soon_future *f, void (*free_arg)(void *),
		       struct sooni_link *users)
{
	int old = sooni_uncancellable_begin();

	sooni_before_user();
	if (free_arg != NULL)
		call_free_arg(f, free_arg);
	sooni_waiters_fire_users(f, users);
	sooni_uncancellable_end(old);
}

/* The second half. */
static void tell_rest(struct soon_future *f, void (*free_arg)(void *),
		      struct sooni_link *users)
{
	struct sooni_home *home = f->home;
	struct sooni_telling telling;
	uint32_t s;

	sooni_telling_push(&telling, home);
	telling.future = f;
	if (users != NULL || free_arg != NULL)
		tell_users(f, free_arg, users);
	/* acq_rel: as for any reference that goes. */
	s = atomic_fetch_and_explicit(&f->state, ~(uint32_t)SOONI_BUSY,
				      memory_order_acq_rel);
	if (sooni_is_garbage(s & ~(uint32_t)SOONI_BUSY))
		sooni_future_destroy(f);
	sooni_telling_pop(&telling);
	/* After the destructor, which the executor's end waits for. */
	if (s & SOONI_COUNTED)
		sooni_home_leave(home);
}

/* Composed futures keep in their own block what is left to do ... */
static void tell_fresh(struct sooni_relay *r, struct soon_future *f)
{
	struct sooni_composed *c = sooni_composed(f);

	c->users = tell_own(f);
	append(&r->later, &c->told, f);
}

/* ... and others, which were cancelled, in their list of waiters. */
static void tell_later(struct soon_future *f)
{
	struct sooni_side *side = sooni_side(f);
	struct sooni_link *users = f->waiters;

	if (is_composed(f)) {
		tell_rest(f, sooni_composed(f)->free_arg,
			  sooni_composed(f)->users);
		return;
	}
	f->waiters = NULL;
	tell_rest(f, side != NULL ? side->free_arg : NULL, users);
}

/* In a child that the user's code forked no hooks are called any more. */
static void deliver(struct sooni_relay *r)
{
	struct sooni_cancel *asked = r->asked;

	r->asked = NULL;
	/* That would have to come between the asking and this. */
	if (r->generation != sooni_generation) /* LCOV_EXCL_BR_LINE */
		return;			       /* LCOV_EXCL_LINE */
	sooni_cancel_deliver(asked);
}

static void tell_all_fresh(struct sooni_relay *r)
{
	struct soon_future *f;
	unsigned n = 0;

	while ((f = shift(&r->fresh)) != NULL) {
		/* Nobody is to rely on the thread meanwhile. */
		if (++n == MANY)
			sooni_before_user();
		tell_fresh(r, f);
	}
}

/* Do all there is to do, and what comes of that. */
static void drain(struct sooni_relay *r)
{
	struct soon_future *f;

	for (;;) {
		tell_all_fresh(r);
		if (r->asked != NULL)
			deliver(r);
		else if ((f = shift(&r->later)) != NULL)
			tell_later(f);
		else if ((f = shift(&r->dead)) != NULL)
			sooni_future_end(f);
		else
			return;
	}
}

void sooni_relay_open(struct sooni_relay *r)
{
	/* Field by field: who tells of one future opens it, too. */
	r->fresh.first = NULL;
	r->later.first = NULL;
	r->dead.first = NULL;
	r->asked = NULL;
	r->room = NULL;
	r->generation = sooni_generation;
	r->paused = false;
	r->below = sooni_me.relay;
	sooni_me.relay = r;
}

void sooni_relay_close(struct sooni_relay *r)
{
	drain(r);
	sooni_me.relay = r->below;
}

static sooni_noinline void tell_composed(struct soon_future *f,
					 void (*free_arg)(void *))
{
	struct sooni_composed *c = sooni_composed(f);
	struct sooni_relay *r = current();
	struct sooni_relay own;

	c->free_arg = free_arg;
	if (r == NULL)
		sooni_relay_open(&own);
	append(r != NULL ? &r->fresh : &own.fresh, &c->told, f);
	if (r == NULL)
		sooni_relay_close(&own);
}

/* Of a callback alone, as most have who have any, nothing comes but by the user's
 * code, which opens its own. */
static inline bool needs_relay(const struct soon_future *f)
{
	const struct sooni_link *first = f->waiters;
	const struct sooni_waiter *w;

	if (first == NULL)
		return false;
	w = sooni_container_of(first, struct sooni_waiter, link);
	return first->next != first || !w->user || w->composed;
}

static sooni_noinline void tell_in_relay(struct soon_future *f,
					 void (*free_arg)(void *))
{
	struct sooni_link *users;
	struct sooni_relay own;

	sooni_relay_open(&own);
	users = tell_own(f);
	tell_all_fresh(&own);
	tell_rest(f, free_arg, users);
	sooni_relay_close(&own);
}

/* In the place that it is lent. */
static sooni_noinline void tell_later_on(struct sooni_relay *r,
					 struct soon_future *f)
{
	struct sooni_told *room = r->room;

	r->room = NULL;
	f->waiters = tell_own(f);
	append(&r->later, room, f);
}

void sooni_tell(struct soon_future *f, void (*free_arg)(void *))
{
	struct sooni_relay *r = current();

	if (sooni_unlikely(is_composed(f)))
		tell_composed(f, free_arg);
	else if (sooni_unlikely(r != NULL && r->room != NULL))
		tell_later_on(r, f);
	else if (needs_relay(f))
		tell_in_relay(f, free_arg);
	else
		tell_rest(f, free_arg, tell_own(f));
}

void sooni_relay_cancel(struct soon_future *f, struct sooni_told *room)
{
	struct sooni_relay *r = sooni_me.relay;
	uint32_t s;

	r->room = room;
	s = sooni_future_cancel_idle(f);
	r->room = NULL;
	if ((s & (SOONI_RUNNING | SOONI_DONE)) == SOONI_RUNNING)
		sooni_future_ask_later(f, &r->asked);
}

static void mark(const struct sooni_queue *q)
{
	const struct sooni_told *t;

	for (t = q->first; t != NULL; t = t->next)
		sooni_future_mark(t->future);
}

void sooni_relay_mark(void)
{
	const struct sooni_relay *r;

	for (r = sooni_me.relay; r != NULL; r = r->below) {
		mark(&r->fresh);
		mark(&r->later);
	}
}

void sooni_relay_bury(struct soon_future *f)
{
	struct sooni_relay *r = current();
	struct sooni_relay own;

	if (r == NULL)
		sooni_relay_open(&own);
	append(r != NULL ? &r->dead : &own.dead, &sooni_composed(f)->told, f);
	if (r == NULL)
		sooni_relay_close(&own);
}
