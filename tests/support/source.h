/*
 * source.h - what the tests of soon_imap_*() share: a source of items.
 */
#ifndef SOON_TEST_SOURCE_H
#define SOON_TEST_SOURCE_H

#include "many.h"

/* Arguments in order, and codes in place of some. */
struct drawn {
	struct item *items;
	size_t n;
	size_t calls; /* of the source, its end included */
	size_t ends;
	int code;	     /* instead of each `nth`, counting from it */
	size_t nth;	     /* 0: none */
	int (*before)(void); /* called first; its code, unless 0 */
};

/* The source; `drawn` is its context. */
int draw_item(void *drawn, void **arg);

/* A map with item_job. */
soon_imap *must_imap(soon_executor *e, struct drawn *from, size_t window);

/* The next, after any wait, is the result of this item; or this code. */
void expect_item(soon_imap *m, struct item *item);
void expect_code(soon_imap *m, soon_nsec timeout, int code);
/* The next is a future that failed so. */
void expect_failed(soon_imap *m, int code);

#endif
