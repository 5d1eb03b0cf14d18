/*
 * set.c - making a set of futures, and adding to it: see set.h.
 */
#include "set.h"

#include "many.h"

#include <errno.h>
#include <stdlib.h>

enum { MORE_NODES = 16 };

/* Who has it marks futures, or uses the list of all sets. */
static pthread_mutex_t lock_of_all = PTHREAD_MUTEX_INITIALIZER;
static struct sooni_link *all;

static void fire(struct sooni_waiter *waiter, soon_future *f)
{
	struct sooni_set_node *node =
		sooni_container_of(waiter, struct sooni_set_node, waiter);
	struct soon_completions *set = node->set;
	/* relaxed: the compare-and-swap judges it. */
	struct sooni_set_node *top =
		atomic_load_explicit(&set->ready, memory_order_relaxed);

	(void)f;
	do {
		node->next = top;
		/* release: *node, and the future's outcome.  Pairs with
		 * collect().  After it node and set may only be touched by who
		 * found the stack empty: see soon_completions_free().  seq_cst
		 * comes before the look at has_fd: see set_fd.c. */
	} while (!atomic_compare_exchange_weak_explicit(&set->ready, &top, node,
							memory_order_seq_cst,
							memory_order_relaxed));
	if (top != NULL)
		return;
	if (sooni_unlikely(sooni_set_has_fd(set)))
		sooni_set_fd_raise(set);
	/* acq_rel: comes after the push, and is the last.  Pairs with next(). */
	sooni_wake(&set->events,
		   atomic_fetch_add_explicit(&set->events, 2,
					     memory_order_acq_rel));
}

/* n more fresh nodes; 0 or ENOMEM. */
static int more_nodes(struct soon_completions *set, size_t n)
{
	struct sooni_set_block *b;
	const size_t most = (SIZE_MAX - sizeof(*b)) / sizeof(b->nodes[0]);

	if (n == 0)
		return 0;
	/* Nobody has an array of so many futures, and all were looked at before. */
	if (n > most)	       /* LCOV_EXCL_BR_LINE */
		return ENOMEM; /* LCOV_EXCL_LINE */
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

static struct sooni_set_node *new_node(struct soon_completions *set)
{
	struct sooni_set_node *node = set->free;

	if (node == NULL)
		return set->fresh++;
	set->free = node->next;
	return node;
}

/* f is no member yet, and there is a node for it. */
static void hang(struct soon_completions *set, soon_future *f)
{
	struct sooni_set_node *node = new_node(set);

	node->set = set;
	node->future = f;
	node->waiter.fire = fire;
	node->waiter.user = false;
	node->waiter.composed = false;
	sooni_list_append(&set->hung, &node->hung);
	if (!sooni_waiter_add(f, &node->waiter)) {
		sooni_list_remove(&set->hung, &node->hung);
		/* Those that were done before it come before it. */
		sooni_set_collect(set);
		sooni_set_append(set, node);
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
	size_t count = 0;
	size_t i;

	*unfinished = 0;
	pthread_mutex_lock(&lock_of_all);
	for (i = 0; i < n; i++) {
		if (!sooni_future_mark(futures[i]))
			continue;
		distinct[count++] = futures[i];
		*unfinished += !(sooni_state(futures[i]) & SOONI_DONE);
	}
	for (i = 0; i < count; i++)
		sooni_future_unmark(distinct[i]);
	pthread_mutex_unlock(&lock_of_all);
	return count;
}

/* Hang the set on what is not done; leave the rest in given[]. */
static void fill(struct soon_completions *set, size_t count)
{
	size_t i;

	sooni_set_change_left(set, count);
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
	/* As above: an array cannot be larger than memory. */
	if (n > SIZE_MAX / sizeof(*futures)) /* LCOV_EXCL_BR_LINE */
		return NULL;		     /* LCOV_EXCL_LINE */
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
	pthread_mutex_init(&set->fd_lock, NULL);
	fill(set, count);
	sooni_set_lock_all();
	sooni_list_append(&all, &set->all);
	sooni_set_unlock_all();
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
	struct sooni_set_node *node;
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
		node = sooni_container_of(link, struct sooni_set_node, hung);
		sooni_ptrset_add(members, node->future);
		if (link->next == set->hung)
			break;
	}
	return 0;
}

int soon_completions_add(soon_completions *set, soon_future *f)
{
	int rc;

	if (set == NULL || f == NULL)
		return EINVAL;
	rc = sooni_set_enter(set);
	if (rc != 0)
		return rc;
	if (!has_node(set))
		rc = more_nodes(set, MORE_NODES);
	if (rc == 0)
		rc = make_members(set);
	if (rc == 0 && sooni_ptrset_add(&set->members, f)) {
		sooni_set_change_left(set, 1);
		/* So that after the end there is an edge, whatever f is. */
		sooni_set_show(set);
		hang(set, soon_future_ref(f));
		if (set->first != NULL)
			sooni_set_nudge(set);
	}
	sooni_set_unlock(set);
	return rc;
}

void sooni_set_lock_all(void)
{
	pthread_mutex_lock(&lock_of_all);
}

void sooni_set_unlock_all(void)
{
	pthread_mutex_unlock(&lock_of_all);
}

void sooni_set_delist(struct soon_completions *set)
{
	sooni_set_lock_all();
	sooni_list_remove(&all, &set->all);
	sooni_set_unlock_all();
}

/*
 * The set was not locked, so it is whole.  But threads that are not there may
 * have stopped between making a future done and pushing its node, or between that
 * and the raise that follows on it.
 */
static void adopt(struct soon_completions *set)
{
	struct sooni_link *hung = NULL;
	struct sooni_link *link;

	sooni_set_collect(set);
	while ((link = sooni_list_shift(&set->hung)) != NULL) {
		struct sooni_set_node *node =
			sooni_container_of(link, struct sooni_set_node, hung);

		if (sooni_state(node->future) & SOONI_DONE)
			sooni_set_append(set, node);
		else
			sooni_list_append(&hung, link);
	}
	set->hung = hung;
	/* relaxed: nobody else is there. */
	set->expected =
		atomic_load_explicit(&set->events, memory_order_relaxed) &
		~SOONI_SLEEPERS;
	sooni_set_nudge(set);
}

void sooni_set_after_fork(void)
{
	struct sooni_link *link = all;

	if (link == NULL)
		return;
	do {
		struct soon_completions *set =
			sooni_container_of(link, struct soon_completions, all);

		set->lost = pthread_mutex_trylock(&set->lock) != 0;
		if (!set->lost) {
			adopt(set);
			sooni_set_unlock(set);
		} else {
			/* next() would not block. */
			sooni_set_show(set);
		}
		link = link->next;
	} while (link != all);
}

void sooni_set_fds_after_fork(void)
{
	struct sooni_link *link = all;

	if (link == NULL)
		return;
	do {
		sooni_set_fd_after_fork(
			sooni_container_of(link, struct soon_completions, all));
		link = link->next;
	} while (link != all);
}
