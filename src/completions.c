/*
 * completions.c - giving futures back as they are done: see set.h.
 */
#include "set.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>

void sooni_set_collect(struct soon_completions *set)
{
	/* acq_rel: pairs with fire(); the descriptor has its lock. */
	struct sooni_set_node *node = atomic_exchange_explicit(
		&set->ready, NULL, memory_order_acq_rel);
	struct sooni_set_node *oldest = NULL;

	if (node != NULL)
		set->expected += 2; /* whoever pushed the first raises events */
	while (node != NULL) {
		struct sooni_set_node *next = node->next;

		node->next = oldest;
		oldest = node;
		node = next;
	}
	while (oldest != NULL) {
		struct sooni_set_node *next = oldest->next;

		sooni_list_remove(&set->hung, &oldest->hung);
		sooni_set_append(set, oldest);
		oldest = next;
	}
}

/* The first that is done, as far as that is known; NULL: none. */
static soon_future *shift(struct soon_completions *set)
{
	struct sooni_set_node *node;

	if (set->given_next < set->given_end)
		return set->given[set->given_next++];
	if (set->first == NULL)
		sooni_set_collect(set);
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
	sooni_set_change_left(set, (size_t)-1);
	if (soon_completions_left(set) == 0)
		sooni_set_nudge(set);
	return f;
}

/* What a thread in next() sleeps for. */
struct awaited {
	struct sooni_awaited awaited;
	struct soon_completions *set;
};

/* All that it could return; of those that are known to be done, one. */
static void visit_members(struct sooni_awaited *a,
			  bool (*visit)(struct soon_future *f, void *ctx),
			  void *ctx)
{
	struct soon_completions *set =
		sooni_container_of(a, struct awaited, awaited)->set;
	struct sooni_link *link;
	bool more = true;

	pthread_mutex_lock(&set->lock);
	/* Both only if another thread has come to next() before the one that
	 * sleeps has woken.  LCOV_EXCL_START */
	if (set->given_next < set->given_end)
		more = visit(set->given[set->given_next], ctx);
	if (more && set->first != NULL)
		more = visit(set->first->future, ctx);
	/* LCOV_EXCL_STOP */
	for (link = set->hung; link != NULL && more; link = link->next) {
		more = visit(sooni_container_of(link, struct sooni_set_node,
						hung)
				     ->future,
			     ctx);
		if (link->next == set->hung)
			break;
	}
	pthread_mutex_unlock(&set->lock);
}

static int sleep_for_event(struct soon_completions *set, uint32_t seen,
			   int64_t deadline)
{
	struct awaited a = { .awaited = { .need = SOONI_NEED_ONE,
					  .timed = deadline != SOON_FOREVER,
					  .each = visit_members },
			     .set = set };

	if (sooni_spin(&set->events, ~SOONI_SLEEPERS, seen))
		return 0;
	return sooni_wait_for(&a.awaited, &set->events, ~SOONI_SLEEPERS, seen,
			      deadline);
}

int soon_completions_next(soon_completions *set, soon_nsec timeout,
			  soon_future **f)
{
	int64_t deadline;
	soon_future *old;
	uint32_t seen;
	int rc;

	if (f != NULL)
		*f = NULL;
	if (set == NULL || f == NULL)
		return EINVAL;
	deadline = sooni_deadline(timeout);
	rc = sooni_set_enter(set);
	if (rc != 0)
		return rc;
	while (rc == 0 && (*f = take_first(set, &seen)) == NULL) {
		if (soon_completions_left(set) == 0)
			rc = ENODATA;
		else if (deadline == 0)
			rc = ETIMEDOUT;
		if (rc != 0)
			break;
		pthread_mutex_unlock(&set->lock);
		rc = sleep_for_event(set, seen, deadline);
		pthread_mutex_lock(&set->lock);
	}
	/* What the call before returned is no longer borrowed. */
	old = set->returned;
	set->returned = *f;
	sooni_set_unlock(set);
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
		struct sooni_set_node *node =
			sooni_container_of(link, struct sooni_set_node, hung);

		if (sooni_waiter_remove(node->future, &node->waiter))
			sooni_set_append(set, node);
		else
			sooni_list_append(&fired, link);
	}
	set->hung = fired;
	for (;;) {
		seen = atomic_load_explicit(&set->events,
					    memory_order_acquire) &
		       ~SOONI_SLEEPERS;
		sooni_set_collect(set);
		if (set->hung == NULL && seen == set->expected)
			return;
		/* Either a push or a raise is under way: both raise events. */
		sooni_sleep(&set->events, ~SOONI_SLEEPERS, seen, INT64_MAX);
	}
}

void soon_completions_free(soon_completions *set)
{
	struct sooni_set_node *node;

	if (set == NULL || set->lost)
		return;
	sooni_set_delist(set);
	unhang(set);
	soon_future_unref(set->returned);
	for (; set->given_next < set->given_end; set->given_next++)
		soon_future_unref(set->given[set->given_next]);
	for (node = set->first; node != NULL; node = node->next)
		soon_future_unref(node->future);
	while (set->blocks != NULL) {
		struct sooni_set_block *next = set->blocks->next;

		free(set->blocks);
		set->blocks = next;
	}
	if (set->has_members)
		sooni_ptrset_fini(&set->members);
	sooni_set_fd_close(set);
	pthread_mutex_destroy(&set->lock);
	free(set->given);
	free(set);
}
