/*
 * waiter.c - see waiter.h.
 */
#include "waiter.h"

uint32_t sooni_waiters_unlocked(struct soon_future *f)
{
	/* A lock is held for a few instructions, unless its holder has lost its
	 * CPU: so look, then sleep. */
	if (!sooni_spin(&f->state, SOONI_LOCKED, SOONI_LOCKED))
		sooni_sleep(&f->state, SOONI_LOCKED, SOONI_LOCKED, INT64_MAX);
	return sooni_state(f);
}

/* Returns the state that was locked, or one that is done: then it was not. */
static uint32_t lock(struct soon_future *f)
{
	uint32_t s = sooni_state(f);

	while (!(s & SOONI_DONE)) {
		if (s & SOONI_LOCKED)
			s = sooni_waiters_unlocked(f);
		/* acquire: the list as the last holder left it.  Pairs with the
		 * release in unlock(); on failure, with the one that made f
		 * done. */
		else if (atomic_compare_exchange_weak_explicit(
				 &f->state, &s, s | SOONI_LOCKED,
				 memory_order_acquire, memory_order_acquire))
			break;
	}
	return s;
}

/* s: what lock() returned.  WAITED changes under the lock only. */
static void unlock(struct soon_future *f, uint32_t s)
{
	uint32_t waited = f->waiters != NULL ? SOONI_WAITED : 0;
	uint32_t flip = SOONI_LOCKED | ((s & SOONI_WAITED) ^ waited);

	/* release: the list.  Pairs with the acquire in lock() and with the
	 * compare-and-swap that makes f done. */
	sooni_wake(&f->state, atomic_fetch_xor_explicit(&f->state, flip,
							memory_order_acq_rel));
}

uint32_t sooni_waiters_lock(struct soon_future *f)
{
	return lock(f);
}

void sooni_waiters_unlock(struct soon_future *f, uint32_t s)
{
	unlock(f, s);
}

bool sooni_waiter_add(struct soon_future *f, struct sooni_waiter *w)
{
	uint32_t s = lock(f);

	if (s & SOONI_DONE)
		return false;
	sooni_list_append(&f->waiters, &w->link);
	unlock(f, s);
	return true;
}

bool sooni_waiter_add_first(struct soon_future *f, struct sooni_waiter *w)
{
	uint32_t s = lock(f);

	if (s & SOONI_DONE)
		return false;
	sooni_list_prepend(&f->waiters, &w->link);
	unlock(f, s);
	return true;
}

bool sooni_waiter_remove(struct soon_future *f, struct sooni_waiter *w)
{
	uint32_t s = lock(f);

	if (s & SOONI_DONE)
		return false;
	sooni_list_remove(&f->waiters, &w->link);
	unlock(f, s);
	return true;
}

static struct sooni_waiter *waiter_of(struct sooni_link *link)
{
	return sooni_container_of(link, struct sooni_waiter, link);
}

/* As the next of the list, which is the caller's: see below. */
void sooni_waiter_fire_again(struct soon_future *f, struct sooni_waiter *w)
{
	w->user = true;
	sooni_list_prepend(&f->waiters, &w->link);
}

/*
 * The list is the caller's: f is done, so nobody else locks it.  Those who
 * remove a waiter count on its being fired soon; therefore the user's code,
 * which may take any time, comes last.
 */
struct sooni_link *sooni_waiters_fire(struct soon_future *f)
{
	struct sooni_link *users = NULL;
	struct sooni_link *link = f->waiters;

	/* One callback, as most have, need not change lists. */
	if (link != NULL && link->next == link && waiter_of(link)->user) {
		f->waiters = NULL;
		return link;
	}
	while ((link = sooni_list_shift(&f->waiters)) != NULL) {
		struct sooni_waiter *w = waiter_of(link);

		if (w->user)
			sooni_list_append(&users, link);
		else
			w->fire(w, f);
	}
	return users;
}

/* The list may be in the middle of a change: see list.h. */
void sooni_waiters_after_fork(struct soon_future *f)
{
	struct sooni_link *first = f->waiters;
	struct sooni_link *link = first;

	f->waiters = NULL;
	if (first == NULL)
		return;
	do {
		struct sooni_waiter *w = waiter_of(link);

		link = link->next;
		if (!w->user && !w->composed)
			w->fire(w, f);
	} while (link != first);
}

void sooni_waiters_fire_users(struct soon_future *f, struct sooni_link *users)
{
	struct sooni_link *link;

	while ((link = sooni_list_shift(&users)) != NULL)
		waiter_of(link)->fire(waiter_of(link), f);
}
