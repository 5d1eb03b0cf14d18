/*
 * list.h - an intrusive, circular, doubly linked list without a head object:
 * the owner keeps a pointer to the first link, whose prev is the last.
 *
 * The stores of each change are in such an order that at any moment the way
 * forward from the first leads through all links that were there before and after
 * it, and back to the first.  In a child of fork that is all that is left of a
 * change which another thread was making.
 */
#ifndef SOONI_LIST_H
#define SOONI_LIST_H

#include "compiler.h"

#include <stddef.h>

struct sooni_link {
	struct sooni_link *next;
	struct sooni_link *prev;
};

static inline void sooni_list_append(struct sooni_link **first,
				     struct sooni_link *link)
{
	struct sooni_link *head = *first;

	if (head == NULL) {
		link->next = link;
		link->prev = link;
		sooni_in_order();
		*first = link;
		return;
	}
	link->next = head;
	link->prev = head->prev;
	sooni_in_order();
	head->prev->next = link;
	head->prev = link;
}

/* The same at the front. */
static inline void sooni_list_prepend(struct sooni_link **first,
				      struct sooni_link *link)
{
	sooni_list_append(first, link);
	*first = link;
}

static inline void sooni_list_remove(struct sooni_link **first,
				     struct sooni_link *link)
{
	if (link->next == link) {
		*first = NULL;
		return;
	}
	if (*first == link)
		*first = link->next;
	sooni_in_order();
	link->prev->next = link->next;
	sooni_in_order();
	link->next->prev = link->prev;
}

/* Make good what a change that was never finished left undone. */
static inline void sooni_list_repair(struct sooni_link *first)
{
	struct sooni_link *link = first;

	if (first == NULL)
		return;
	do {
		link->next->prev = link;
		link = link->next;
	} while (link != first);
}

/* Takes the first link off; NULL when there is none. */
static inline struct sooni_link *sooni_list_shift(struct sooni_link **first)
{
	struct sooni_link *link = *first;

	if (link != NULL)
		sooni_list_remove(first, link);
	return link;
}

#endif
