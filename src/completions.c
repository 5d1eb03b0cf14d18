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
	struct node *next;	/* on the ready stack or in a list of the set */
	struct sooni_link hung; /* in set->hung */
};

struct block {
	struct block *next;
	struct node nodes[];
};

/*
 * Futures that were done when the set was made need no node: they lie in
 * `given`.  Members are looked up only in a set to which more are added; until
 * then there is no table of them.
 */

struct soon_completions {
	/* shared with those who complete the futures */
	alignas(SOONI_APART) _Atomic(struct node *) ready;
	_Atomic uint32_t events; /* by 2; bit 0 is SOONI_SLEEPERS */

	/* under lock */
	alignas(SOONI_APART) pthread_mutex_t lock;
	soon_future **given; /* done from the outset, in order */
	size_t given_next;
	size_t given_end;
	struct node *first; /* done since, in order */
	struct node *last;
	soon_future *returned;	 /* by the latest next() */
	struct sooni_link *hung; /* nodes not yet taken from ready */
	struct node *free;	 /* nodes to be used again */
	struct node *fresh;	 /* nodes never used */
	struct node *fresh_end;
	struct block *blocks;	     /* all nodes */
	struct sooni_ptrset members; /* not yet returned */
	bool has_members;
	uint32_t expected;   /* of events, once all that are under way are in */
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
	} while (!atomic_compare_exchange_weak_explicit(&set->ready, &top, node,
							memory_order_acq_rel,
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

/* n more fresh nodes; 0 or ENOMEM. */
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
	set->fresh = b->nodes;
	set->fresh_end = b->nodes + n;
	return 0;
}

static bool has_node(const struct soon_completions *set)
{
	return set->free != NULL || set->fresh != set->fresh_end;
}

static struct node *new_node(struct soon_completions *set)
{
	struct node *node = set->free;

	if (node == NULL)
		return set->fresh++;
	set->free = node->next;
	return node;
}

static void change_left(struct soon_completions *set, size_t change)
{
	/* relaxed: under lock; others only glance at it. */
	atomic_fetch_add_explicit(&set->left, change, memory_order_relaxed);
}

/* f is no member yet, and there is a node for it. */
static void hang(struct soon_completions *set, soon_future *f)
{
	struct node *node = new_node(set);

	node->set = set;
	node->future = f;
	node->waiter.fire = fire;
	node->waiter.user = false;
	sooni_list_append(&set->hung, &node->hung);
	if (!sooni_waiter_add(f, &node->waiter)) {
		sooni_list_remove(&set->hung, &node->hung);
		append(set, node);
	}
}

/*
 * Copy the distinct ones of n futures to distinct[]; returns how many, and of
 * these how many are not done.  A mark in each future tells what was seen before;
 * so only one thread marks at a time.
 */
static size_t copy_distinct(soon_future *const *futures, size_t n,
			    soon_future **distinct, size_t *unfinished)
{
	static pthread_mutex_t marking = PTHREAD_MUTEX_INITIALIZER;
	size_t count = 0;
	size_t i;

	*unfinished = 0;
	pthread_mutex_lock(&marking);
	for (i = 0; i < n; i++) {
		if (!sooni_future_mark(futures[i]))
			continue;
		distinct[count++] = futures[i];
		*unfinished += !(sooni_state(futures[i]) & SOONI_DONE);
	}
	for (i = 0; i < count; i++)
		sooni_future_unmark(distinct[i]);
	pthread_mutex_unlock(&marking);
	return count;
}

/* Hang the set on what is not done; leave the rest in given[]. */
static void fill(struct soon_completions *set, size_t count)
{
	size_t i;

	change_left(set, count);
	for (i = 0; i < count; i++) {
		soon_future *f = soon_future_ref(set->given[i]);

		if (sooni_state(f) & SOONI_DONE)
			set->given[set->given_end++] = f;
		else
			hang(set, f);
	}
}

soon_completions *soon_as_completed(soon_future *const *futures, size_t n)
{
	struct soon_completions *set;
	size_t unfinished;
	size_t count;

	errno = EINVAL;
	if (sooni_check_futures(futures, n) != 0)
		return NULL;
	errno = ENOMEM;
	if (n > SIZE_MAX / sizeof(*futures))
		return NULL;
	set = aligned_alloc(SOONI_APART, sizeof(*set));
	if (set == NULL)
		return NULL;
	*set = (struct soon_completions){ .first = NULL };
	set->given = malloc(n > 0 ? n * sizeof(*futures) : 1);
	if (set->given == NULL)
		goto undo_alloc;
	count = copy_distinct(futures, n, set->given, &unfinished);
	if (more_nodes(set, unfinished) != 0)
		goto undo_given;
	pthread_mutex_init(&set->lock, NULL);
	fill(set, count);
	return set;
undo_given:
	free(set->given);
undo_alloc:
	free(set);
	return NULL;
}

/* The table of members; 0 or ENOMEM. */
static int make_members(struct soon_completions *set)
{
	struct sooni_ptrset *members = &set->members;
	struct sooni_link *link = set->hung;
	struct node *node;
	size_t i;

	if (set->has_members)
		return sooni_ptrset_reserve(members);
	if (sooni_ptrset_init(members, soon_completions_left(set) + 1) != 0)
		return ENOMEM;
	set->has_members = true;
	for (i = set->given_next; i < set->given_end; i++)
		sooni_ptrset_add(members, set->given[i]);
	for (node = set->first; node != NULL; node = node->next)
		sooni_ptrset_add(members, node->future);
	for (; link != NULL; link = link->next) {
		node = sooni_container_of(link, struct node, hung);
		sooni_ptrset_add(members, node->future);
		if (link->next == set->hung)
			break;
	}
	return 0;
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
	if (!has_node(set))
		rc = more_nodes(set, MORE_NODES);
	if (rc == 0)
		rc = make_members(set);
	if (rc == 0 && sooni_ptrset_add(&set->members, f)) {
		change_left(set, 1);
		hang(set, soon_future_ref(f));
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
		struct node *node = sooni_container_of(link, struct node, hung);

		if (!sooni_runs_here(node->future))
			return false;
		link = link->next;
	} while (link != set->hung);
	return true;
}

/* The first that is done, as far as that is known; NULL: none. */
static soon_future *shift(struct soon_completions *set)
{
	struct node *node;

	if (set->given_next < set->given_end)
		return set->given[set->given_next++];
	if (set->first == NULL)
		collect(set);
	node = set->first;
	if (node == NULL)
		return NULL;
	set->first = node->next;
	node->next = set->free;
	set->free = node;
	return node->future;
}

/* Take the first that is done; *seen is what events was before the look. */
static soon_future *take_first(struct soon_completions *set, uint32_t *seen)
{
	soon_future *f;

	/* acquire: pairs with fire(): a push that this does not count is seen
	 * by collect(), or raises events. */
	*seen = atomic_load_explicit(&set->events, memory_order_acquire) &
		~SOONI_SLEEPERS;
	f = shift(set);
	if (f == NULL)
		return NULL;
	if (set->has_members)
		sooni_ptrset_remove(&set->members, f);
	change_left(set, (size_t)-1);
	if (soon_completions_left(set) == 0)
		nudge(set);
	return f;
}

static int sleep_for_event(struct soon_completions *set, uint32_t seen,
			   int64_t deadline)
{
	int rc;

	if (sooni_spin(&set->events, ~SOONI_SLEEPERS, seen))
		return 0;
	rc = sooni_wait(&set->events, ~SOONI_SLEEPERS, seen, deadline);
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
	/* What the call before returned is no longer borrowed. */
	old = set->returned;
	set->returned = *f;
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
		struct node *node = sooni_container_of(link, struct node, hung);

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
	soon_future_unref(set->returned);
	for (; set->given_next < set->given_end; set->given_next++)
		soon_future_unref(set->given[set->given_next]);
	for (node = set->first; node != NULL; node = node->next)
		soon_future_unref(node->future);
	while (set->blocks != NULL) {
		struct block *next = set->blocks->next;

		free(set->blocks);
		set->blocks = next;
	}
	if (set->has_members)
		sooni_ptrset_fini(&set->members);
	pthread_mutex_destroy(&set->lock);
	free(set->given);
	free(set);
}
