/*
 * member.c - how members of a group come and go: see member.h.
 */
#include "member.h"

#include "tell.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>

enum {
	SWEPT = 32,	 /* have ended, and are then unlinked at once */
	MOST_SPARES = 64 /* memory of a group for so many */
};

static struct sooni_member *member_of(struct sooni_link *link)
{
	return sooni_container_of(link, struct sooni_member, link);
}

static uint32_t flags_of(const struct sooni_member *m)
{
	/* acquire: as in set_flag(). */
	return atomic_load_explicit(&m->flags, memory_order_acquire);
}

/* acq_rel: SHOWN comes after the submit, GONE after all else that is done with *m;
 * who sets the second of them frees it. */
static uint32_t set_flag(struct sooni_member *m, uint32_t flag)
{
	return atomic_fetch_or_explicit(&m->flags, flag, memory_order_acq_rel);
}

/* One more to wait for; under lock. */
static void enter(struct soon_group *g)
{
	/* acq_rel: see leave(), with which it pairs. */
	if (atomic_fetch_add_explicit(&g->left, 1, memory_order_acq_rel) == 0)
		g->begun += 2;
}

/*
 * One less.  acq_rel, both: what members did is visible to who waits for them.
 * Whoever comes to nothing raises `word`, and who frees the group waits for that:
 * so here it may be gone after the last change.
 */
static void leave(struct soon_group *g)
{
	if (atomic_fetch_sub_explicit(&g->left, 1, memory_order_acq_rel) == 1)
		sooni_wake(&g->word,
			   atomic_fetch_add_explicit(&g->word, 2,
						     memory_order_acq_rel));
}

/* Members that have ended; all under lock */

static void link_to(struct sooni_member *m, struct sooni_link **list)
{
	m->list = list;
	sooni_list_append(list, &m->link);
}

static void move(struct sooni_member *m, struct sooni_link **list)
{
	sooni_list_remove(m->list, &m->link);
	link_to(m, list);
}

static void discard(struct soon_group *g, struct sooni_member *m)
{
	if (g->spares == MOST_SPARES) {
		free(m);
		return;
	}
	m->next = g->spare;
	g->spare = m;
	g->spares++;
}

static void unlink_member(struct soon_group *g, struct sooni_member *m)
{
	sooni_list_remove(m->list, &m->link);
	g->linked--;
}

/* Unlink what has ended.  Dropping the reference runs no code of the user's: that
 * has had the result, and will hear of no failure. */
void sooni_member_sweep(struct soon_group *g)
{
	/* acq_rel: pairs with end(). */
	struct sooni_member *m =
		atomic_exchange_explicit(&g->ended, NULL, memory_order_acq_rel);

	while (m != NULL) {
		struct sooni_member *next = m->next;

		unlink_member(g, m);
		soon_future_unref(m->future);
		if (set_flag(m, SOONI_GONE) & SOONI_SHOWN)
			discard(g, m);
		m = next;
	}
}

/* The last that is done with *m by who ends it, who sweeps every so often, unless
 * others have the lock: who joins does so as well. */
static void end(struct sooni_member *m)
{
	struct soon_group *g = m->group;
	/* relaxed: the compare-and-swap judges it. */
	struct sooni_member *top =
		atomic_load_explicit(&g->ended, memory_order_relaxed);

	do {
		m->next = top;
		/* release: *m.  Pairs with sooni_member_sweep(). */
	} while (!atomic_compare_exchange_weak_explicit(&g->ended, &top, m,
							memory_order_acq_rel,
							memory_order_relaxed));
	/* relaxed: just a number. */
	if (atomic_load_explicit(&g->left, memory_order_relaxed) % SWEPT == 0 &&
	    pthread_mutex_trylock(&g->lock) == 0) {
		sooni_member_sweep(g);
		pthread_mutex_unlock(&g->lock);
	}
	leave(g);
}

/* Cancelling */

/*
 * Cancel the next member; false: there is none.  One that has not been shown is
 * left to its submit, but asked to stop, as that may be running it just now.
 */
static bool stop_next(struct soon_group *g)
{
	struct sooni_cancel *later = NULL;
	soon_future *f = NULL;
	struct sooni_link *link;

	pthread_mutex_lock(&g->lock);
	link = g->fresh != NULL ? g->fresh : g->others;
	if (link != NULL) {
		struct sooni_member *m = member_of(link);

		move(m, &g->asked);
		if (set_flag(m, SOONI_STOP) & SOONI_SHOWN)
			f = soon_future_ref(m->future);
		else
			sooni_future_ask_later(m->future, &later);
	}
	pthread_mutex_unlock(&g->lock);
	soon_future_cancel(f); /* if there is one */
	soon_future_unref(f);
	sooni_cancel_deliver(later);
	return link != NULL;
}

/* The group is stopped, and has something left.  Runs the user's code; that may
 * fork, and then the group is no longer the caller's. */
static void cancel_all(struct soon_group *g)
{
	unsigned generation = sooni_generation;

	while (generation == sooni_generation && stop_next(g))
		;
}

void sooni_member_stop(struct soon_group *g, int code)
{
	unsigned generation = sooni_generation;

	pthread_mutex_lock(&g->lock);
	if (g->is_stopped) {
		pthread_mutex_unlock(&g->lock);
		return;
	}
	g->is_stopped = true;
	g->error = code;
	enter(g);
	pthread_mutex_unlock(&g->lock);
	cancel_all(g);
	if (generation == sooni_generation)
		leave(g);
}

/* Ending */

/*
 * Whether the user's code has to do with the end of f: its destructors, or hooks
 * of one that was written off.  That comes before the group may be told of it.
 */
static bool concerns_users(const soon_future *f, uint32_t s)
{
	struct sooni_side *side = sooni_side(f);

	if (sooni_likely(side == NULL))
		return false;
	/* relaxed: the job is over. */
	if (!(s & (SOONI_FAILED | SOONI_CANCELLED)))
		return f->result != NULL &&
		       atomic_load_explicit(&side->free_result,
					    memory_order_relaxed) != NULL;
	return side->free_arg != NULL || side->limit != NULL;
}

/* f has not succeeded: whether it is the first. */
static bool stop(struct soon_group *g, struct sooni_member *m, soon_future *f,
		 uint32_t s)
{
	pthread_mutex_lock(&g->lock);
	if (!g->is_stopped) {
		g->is_stopped = true;
		m->is_first = true;
		if (s & SOONI_FAILED)
			g->first = soon_future_ref(f);
		else
			g->error = ECANCELED;
	}
	pthread_mutex_unlock(&g->lock);
	if (s & SOONI_FAILED && !m->is_first)
		sooni_future_read(f);
	return m->is_first;
}

/* The group is the one that has the result. */
static void free_result(soon_future *f)
{
	struct sooni_side *side = sooni_side(f);
	void (*destroy)(void *);
	void *result;

	if (side == NULL)
		return;
	destroy =
		atomic_load_explicit(&side->free_result, memory_order_relaxed);
	if (destroy == NULL)
		return;
	result = soon_future_take(f);
	if (result != NULL)
		destroy(result);
}

/* As one of the user's callbacks. */
static void end_with_users(struct sooni_member *m, soon_future *f)
{
	unsigned generation = sooni_generation;
	bool paused = sooni_relay_pause();

	free_result(f);
	if (generation == sooni_generation && m->is_first)
		cancel_all(m->group);
	sooni_relay_resume(paused);
	if (generation != sooni_generation)
		return;
	end(m);
}

static void fire(struct sooni_waiter *w, soon_future *f)
{
	struct sooni_member *m =
		sooni_container_of(w, struct sooni_member, waiter);
	uint32_t s = sooni_state(f);
	bool again;

	/* In a child of fork: see groups.c. */
	if (sooni_unlikely(m->generation != sooni_generation))
		return;
	if (w->user) {
		end_with_users(m, f);
		return;
	}
	again = concerns_users(f, s);
	if (sooni_unlikely(s & (SOONI_FAILED | SOONI_CANCELLED)))
		again |= stop(m->group, m, f, s);
	if (sooni_likely(!again)) {
		/* So that no later owner's destructor runs in a sweep. */
		if (sooni_unlikely(sooni_refs(s) > 1 || f->waiters != NULL))
			soon_future_take(f);
		end(m);
		return;
	}
	sooni_waiter_fire_again(f, w);
}

/* Coming */

static struct sooni_member *new_member(struct soon_group *g)
{
	struct sooni_member *m = g->spare;

	if (m == NULL)
		return malloc(sizeof(*m));
	g->spare = m->next;
	g->spares--;
	return m;
}

/* Under lock. */
static int join(struct soon_group *g, soon_future *f, bool is_fresh,
		struct sooni_member **member)
{
	struct sooni_member *m;

	if (g->is_stopped)
		return ECANCELED;
	/* relaxed: so many at least have ended. */
	if (g->linked >=
	    SWEPT + atomic_load_explicit(&g->left, memory_order_relaxed))
		sooni_member_sweep(g);
	m = new_member(g);
	if (m == NULL)
		return ENOMEM;
	*m = (struct sooni_member){ .waiter.fire = fire,
				    .group = g,
				    .future = f,
				    .generation = sooni_generation };
	sooni_waiter_add_new(f, &m->waiter);
	enter(g);
	g->linked++;
	link_to(m, is_fresh ? &g->fresh : &g->others);
	*member = m;
	return 0;
}

int sooni_member_join(struct soon_group *g, soon_future *f, bool is_fresh,
		      struct sooni_member **member)
{
	int rc;

	pthread_mutex_lock(&g->lock);
	rc = join(g, f, is_fresh, member);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

void sooni_member_withdraw(struct sooni_member *m)
{
	struct soon_group *g = m->group;

	pthread_mutex_lock(&g->lock);
	unlink_member(g, m);
	discard(g, m);
	pthread_mutex_unlock(&g->lock);
	leave(g);
}

/* The group was stopped while the job was being submitted, so that it falls to the
 * caller to cancel that, unless it is gone. */
static void stop_late(struct sooni_member *m)
{
	soon_future *f = NULL;

	pthread_mutex_lock(&m->group->lock);
	if (!(flags_of(m) & SOONI_GONE))
		f = soon_future_ref(m->future);
	pthread_mutex_unlock(&m->group->lock);
	soon_future_cancel(f); /* if there is one */
	soon_future_unref(f);
}

void sooni_member_show(struct sooni_member *m)
{
	uint32_t none = 0;

	/* As in set_flag(). */
	if (sooni_likely(atomic_compare_exchange_strong_explicit(
		    &m->flags, &none, SOONI_SHOWN, memory_order_acq_rel,
		    memory_order_acquire)))
		return;
	if (!(none & SOONI_GONE))
		stop_late(m);
	if (m->generation == sooni_generation &&
	    set_flag(m, SOONI_SHOWN) & SOONI_GONE)
		free(m);
}

/* Waiting */

soon_future *sooni_member_newest(struct soon_group *g)
{
	soon_future *f = NULL;
	struct sooni_link *link;
	struct sooni_link *older;

	pthread_mutex_lock(&g->lock);
	link = g->fresh != NULL ? g->fresh->prev : NULL;
	for (; link != NULL && f == NULL; link = older) {
		struct sooni_member *m = member_of(link);

		older = link != g->fresh ? link->prev : NULL;
		if (sooni_state(m->future) & (SOONI_RUNNING | SOONI_DONE))
			move(m, &g->others);
		else if (flags_of(m) & SOONI_SHOWN)
			f = soon_future_ref(m->future);
	}
	pthread_mutex_unlock(&g->lock);
	return f;
}
