/*
 * list.h - an intrusive, circular, doubly linked list without a head object:
 * the owner keeps a pointer to the first link, whose prev is the last.
 */
#ifndef SOONI_LIST_H
#define SOONI_LIST_H

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
		*first = link;
		return;
	}
	link->next = head;
	link->prev = head->prev;
	head->prev->next = link;
	head->prev = link;
}

static inline void sooni_list_remove(struct sooni_link **first,
				     struct sooni_link *link)
{
	if (link->next == link) {
		*first = NULL;
		return;
	}
	link->prev->next = link->next;
	link->next->prev = link->prev;
	if (*first == link)
		*first = link->next;
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
