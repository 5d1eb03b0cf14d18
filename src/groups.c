/*
 * groups.c - all groups: looking at their members, and fork; see member.h.
 */
#include "member.h"

#include <soon/error.h>

#include <stdlib.h>

static pthread_mutex_t lock_of_all = PTHREAD_MUTEX_INITIALIZER;
static struct sooni_link *all; /* under it */

static bool each_of(struct sooni_link *list,
		    bool (*visit)(soon_future *f, void *ctx), void *ctx)
{
	struct sooni_link *link = list;

	if (link == NULL)
		return true;
	do {
		if (!visit(sooni_container_of(link, struct sooni_member, link)
				   ->future,
			   ctx))
			return false;
		link = link->next;
	} while (link != list);
	return true;
}

void sooni_member_each(struct soon_group *g,
		       bool (*visit)(soon_future *f, void *ctx), void *ctx)
{
	pthread_mutex_lock(&g->lock);
	if (each_of(g->others, visit, ctx) && each_of(g->asked, visit, ctx))
		each_of(g->fresh, visit, ctx);
	pthread_mutex_unlock(&g->lock);
}

bool sooni_member_begin_wait(struct soon_group *g, uint32_t *since)
{
	uint32_t seen;

	pthread_mutex_lock(&g->lock);
	*since = g->begun;
	pthread_mutex_unlock(&g->lock);
	return sooni_member_has_left(g, *since, &seen);
}

/* All groups */

void sooni_member_init(struct soon_group *g)
{
	pthread_mutex_init(&g->lock, NULL);
	sooni_member_lock_all();
	sooni_list_append(&all, &g->all);
	sooni_member_unlock_all();
}

void sooni_member_fini(struct soon_group *g)
{
	sooni_member_lock_all();
	sooni_list_remove(&all, &g->all);
	sooni_member_unlock_all();
	pthread_mutex_lock(&g->lock);
	sooni_member_sweep(g);
	pthread_mutex_unlock(&g->lock);
	while (g->spare != NULL) {
		struct sooni_member *next = g->spare->next;

		free(g->spare);
		g->spare = next;
	}
	pthread_mutex_destroy(&g->lock);
}

void sooni_member_lock_all(void)
{
	pthread_mutex_lock(&lock_of_all);
}

void sooni_member_unlock_all(void)
{
	pthread_mutex_unlock(&lock_of_all);
}

/*
 * Members that had not ended are not touched again.  A group without, and not
 * locked, is whole; of another nothing is used that others may have been changing.
 */
static void begin_anew(struct soon_group *g)
{
	/* relaxed, here and below: nobody else is there. */
	bool is_empty = atomic_load_explicit(&g->left, memory_order_relaxed) ==
			0;
	bool is_whole = pthread_mutex_trylock(&g->lock) == 0;

	if (is_whole)
		pthread_mutex_unlock(&g->lock);
	else
		pthread_mutex_init(&g->lock, NULL);
	if (!is_empty || g->is_stopped) {
		if (g->first == NULL && g->error == 0)
			g->error = SOON_EFORKED;
		g->is_stopped = true;
	}
	if (!is_empty || !is_whole) {
		atomic_store_explicit(&g->ended, NULL, memory_order_relaxed);
		g->fresh = NULL;
		g->others = NULL;
		g->asked = NULL;
		g->linked = 0;
		g->spare = NULL;
		g->spares = 0;
	}
	atomic_store_explicit(&g->left, 0, memory_order_relaxed);
	/* The caller may come back to a wait: that is over. */
	g->begun += 2;
	atomic_store_explicit(&g->word, g->begun, memory_order_relaxed);
}

void sooni_member_after_fork(void)
{
	struct sooni_link *link = all;

	if (link == NULL)
		return;
	do {
		begin_anew(sooni_container_of(link, struct soon_group, all));
		link = link->next;
	} while (link != all);
}
