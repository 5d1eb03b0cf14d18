/*
 * completions.c - a set of futures that gives them back as they are done.
 *
 * Each future in the set has a node on its list of waiters.  The thread that
 * completes it pushes the node on the set's ready stack (R. K. Treiber, 1986;
 * takers take the whole stack, so nothing can be on it twice) and, if the stack
 * was empty, raises `events`, on which next() sleeps.  So a burst of completions
 * costs one wake-up, and each completion is O(1) whatever the set's size.
 */
#include "many.h"
#include "ptrset.h"
#include "thread.h"
#include "waiter.h"

#include <soon/wait.h>

#include <errno.h>
#include <stdlib.h>

enum { MORE_NODES = 16 };

struct node {
	struct sooni_waiter waiter;
	struct soon_completions *set;
	soon_future *future;
	struct node *next; /* on the ready stack or in a list of the set */
	struct sooni_link hung; /* in set->hung */
};

struct block {
	struct block *next;
	struct node nodes[];
};

struct soon_completions {
	/* shared with those who complete the futures */
	alignas(SOONI_APART) _Atomic(struct node *) ready;
	_Atomic uint32_t events; /* by 2; bit 0 is SOONI_SLEEPERS */

	/* under lock */
	alignas(SOONI_APART) pthread_mutex_t lock;
	struct node *first; /* done and in order */
	struct node *last;
	struct node *returned;	 /* by the latest next() */
	struct node *free;	 /* to be used again */
	struct block *blocks;	 /* all nodes */
	struct sooni_link *hung; /* nodes not yet taken from ready */
	struct sooni_ptrset members; /* not yet returned */
	uint32_t expected; /* of events, once all that are under way are in */
	_Atomic size_t left; /* written under lock */
};

static void fire(struct sooni_waiter *waiter, soon_future *f)
{
	struct node *node = sooni_container_of(waiter, struct node, waiter);
	struct soon_completions *set = node->set;
	/* relaxed: the compare-and-swap judges it. */
	struct node *top =
		atomic_load_explicit(&set->ready, memory_order_relaxed);

	(void)f;
	do {
		node->next = top;
		/* release: *node, and the future's outcome.  Pairs with
		 * collect().  After it node and set may only be touched by who
		 * found the stack empty: see soon_completions_free(). */
	} while (!atomic_compare_exchange_weak_explicit(
		&set->ready, &top, node, memory_order_acq_rel,
		memory_order_relaxed));
	if (top == NULL)
		/* acq_rel: comes after the push.  Pairs with next(). */
		sooni_wake(&set->events,
			   atomic_fetch_add_explicit(&set->events, 2,
						     memory_order_acq_rel));
}

static void append(struct soon_completions *set, struct node *node)
{
	node->next = NULL;
	if (set->first == NULL)
		set->first = node;
	else
		set->last->next = node;
	set->last = node;
}

/* Move what is ready to the end of the list, the oldest first. */
static void collect(struct soon_completions *set)
{
	/* acq_rel: pairs with fire(). */
	struct node *node = atomic_exchange_explicit(&set->ready, NULL,
						     memory_order_acq_rel);
	struct node *oldest = NULL;

	if (node != NULL)
		set->expected += 2; /* whoever pushed the first raises events */
	while (node != NULL) {
		struct node *next = node->next;

		node->next = oldest;
		oldest = node;
		node = next;
	}
	while (oldest != NULL) {
		struct node *next = oldest->next;

		sooni_list_remove(&set->hung, &oldest->hung);
		append(set, oldest);
		oldest = next;
	}
}

/* n more nodes on the free list; 0 or ENOMEM. */
static int more_nodes(struct soon_completions *set, size_t n)
{
	struct block *b;

	if (n == 0)
		return 0;
	if (n > (SIZE_MAX - sizeof(*b)) / sizeof(b->nodes[0]))
		return ENOMEM;
	b = malloc(sizeof(*b) + n * sizeof(b->nodes[0]));
	if (b == NULL)
		return ENOMEM;
	b->next = set->blocks;
	set->blocks = b;
	while (n-- > 0) {
		b->nodes[n].next = set->free;
		set->free = &b->nodes[n];
	}
	return 0;
}

static void change_left(struct soon_completions *set, size_t change)
{
	/* relaxed: under lock; others only glance at it. */
	atomic_fetch_add_explicit(&set->left, change, memory_order_relaxed);
}

/* A node is free and the members have room. */
static void add(struct soon_completions *set, soon_future *f)
{
	struct node *node = set->free;

	if (!sooni_ptrset_add(&set->members, f))
		return;
	set->free = node->next;
	node->set = set;
	node->future = soon_future_ref(f);
	node->waiter.fire = fire;
	node->waiter.user = false;
	change_left(set, 1);
	if (sooni_state(f) & SOONI_DONE) {
		append(set, node);
		return;
	}
	sooni_list_append(&set->hung, &node->hung);
	if (!sooni_waiter_add(f, &node->waiter)) {
		sooni_list_remove(&set->hung, &node->hung);
		append(set, node);
	}
}

soon_completions *soon_as_completed(soon_future *const *futures, size_t n)
{
	struct soon_completions *set;
	size_t i;

	errno = EINVAL;
	if (sooni_check_futures(futures, n) != 0)
		return NULL;
	errno = ENOMEM;
	set = aligned_alloc(SOONI_APART, sizeof(*set));
	if (set == NULL)
		return NULL;
	*set = (struct soon_completions){ .first = NULL };
	if (sooni_ptrset_init(&set->members, n) != 0)
		goto undo_alloc;
	if (more_nodes(set, n) != 0)
		goto undo_members;
	pthread_mutex_init(&set->lock, NULL);
	for (i = 0; i < n; i++)
		add(set, futures[i]);
	return set;
undo_members:
	sooni_ptrset_fini(&set->members);
undo_alloc:
	free(set);
	return NULL;
}

/* Have those who sleep in next() look again; under lock. */
static void nudge(struct soon_completions *set)
{
	set->expected += 2;
	/* acq_rel: as in fire(). */
	sooni_wake(&set->events,
		   atomic_fetch_add_explicit(&set->events, 2,
					     memory_order_acq_rel));
}

int soon_completions_add(soon_completions *set, soon_future *f)
{
	int rc = 0;

	if (set == NULL || f == NULL)
		return EINVAL;
	pthread_mutex_lock(&set->lock);
	if (set->free == NULL)
		rc = more_nodes(set, MORE_NODES);
	if (rc == 0)
		rc = sooni_ptrset_reserve(&set->members);
	if (rc == 0) {
		add(set, f);
		if (set->first != NULL)
			nudge(set);
	}
	pthread_mutex_unlock(&set->lock);
	return rc;
}

/* Whether all that are left are jobs that the caller itself runs. */
static bool is_deadlock(struct soon_completions *set)
{
	struct sooni_link *link = set->hung;

	if (link == NULL || sooni_running() == NULL)
		return false;
	do {
		struct node *node =
			sooni_container_of(link, struct node, hung);

		if (!sooni_runs_here(node->future))
			return false;
		link = link->next;
	} while (link != set->hung);
	return true;
}

/* What the latest next() returned is no longer borrowed. */
static soon_future *give_back(struct soon_completions *set)
{
	struct node *node = set->returned;

	if (node == NULL)
		return NULL;
	set->returned = NULL;
	node->next = set->free;
	set->free = node;
	return node->future;
}

/* Take the first that is done; *seen is what events was before the look. */
static soon_future *take_first(struct soon_completions *set, uint32_t *seen)
{
	struct node *node;

	/* acquire: pairs with fire(): a push that this does not count is seen
	 * by collect(), or raises events. */
	*seen = atomic_load_explicit(&set->events, memory_order_acquire) &
		~SOONI_SLEEPERS;
	if (set->first == NULL)
		collect(set);
	node = set->first;
	if (node == NULL)
		return NULL;
	set->first = node->next;
	set->returned = node;
	sooni_ptrset_remove(&set->members, node->future);
	change_left(set, (size_t)-1);
	if (soon_completions_left(set) == 0)
		nudge(set);
	return node->future;
}

static int sleep_for_event(struct soon_completions *set, uint32_t seen,
			   int64_t deadline)
{
	int rc;

	if (sooni_spin(&set->events, ~SOONI_SLEEPERS, seen))
		return 0;
	sooni_wait_begin();
	rc = sooni_sleep(&set->events, ~SOONI_SLEEPERS, seen, deadline);
	sooni_wait_end();
	return rc;
}

int soon_completions_next(soon_completions *set, soon_nsec timeout,
			  soon_future **f)
{
	int64_t deadline;
	soon_future *old;
	uint32_t seen;
	int rc = 0;

	if (f != NULL)
		*f = NULL;
	if (set == NULL || f == NULL)
		return EINVAL;
	deadline = sooni_deadline(timeout);
	pthread_mutex_lock(&set->lock);
	old = give_back(set);
	while (rc == 0 && (*f = take_first(set, &seen)) == NULL) {
		if (soon_completions_left(set) == 0)
			rc = ENODATA;
		else if (deadline == 0)
			rc = ETIMEDOUT;
		else if (deadline == SOON_FOREVER && is_deadlock(set))
			rc = EDEADLK;
		if (rc != 0)
			break;
		pthread_mutex_unlock(&set->lock);
		rc = sleep_for_event(set, seen, deadline);
		pthread_mutex_lock(&set->lock);
	}
	pthread_mutex_unlock(&set->lock);
	soon_future_unref(old);
	return rc;
}

size_t soon_completions_left(const soon_completions *set)
{
	/* relaxed: a glance. */
	return set != NULL
		       ? atomic_load_explicit(&set->left, memory_order_relaxed)
		       : 0;
}

/* Take every node off its future's list; some are being fired just now. */
static void unhang(struct soon_completions *set)
{
	struct sooni_link *fired = NULL;
	struct sooni_link *link;
	uint32_t seen;

	while ((link = sooni_list_shift(&set->hung)) != NULL) {
		struct node *node =
			sooni_container_of(link, struct node, hung);

		if (sooni_waiter_remove(node->future, &node->waiter))
			append(set, node);
		else
			sooni_list_append(&fired, link);
	}
	set->hung = fired;
	for (;;) {
		seen = atomic_load_explicit(&set->events,
					    memory_order_acquire) &
		       ~SOONI_SLEEPERS;
		collect(set);
		if (set->hung == NULL && seen == set->expected)
			return;
		/* Either a push or a raise is under way: both raise events. */
		sooni_sleep(&set->events, ~SOONI_SLEEPERS, seen, INT64_MAX);
	}
}

void soon_completions_free(soon_completions *set)
{
	struct node *node;

	if (set == NULL)
		return;
	unhang(set);
	soon_future_unref(give_back(set));
	for (node = set->first; node != NULL; node = node->next)
		soon_future_unref(node->future);
	while (set->blocks != NULL) {
		struct block *next = set->blocks->next;

		free(set->blocks);
		set->blocks = next;
	}
	sooni_ptrset_fini(&set->members);
	pthread_mutex_destroy(&set->lock);
	free(set);
}
