/*
 * ptrset.h - a set of pointers: a hash table with open addressing and linear
 * probing, at most half full.
 */
#ifndef SOONI_PTRSET_H
#define SOONI_PTRSET_H

#include <stdbool.h>
#include <stddef.h>

struct sooni_ptrset {
	const void **slots; /* NULL: free */
	size_t mask;	    /* slots - 1 */
	size_t count;
};

/* Room for n pointers before it grows; 0 or ENOMEM. */
int sooni_ptrset_init(struct sooni_ptrset *s, size_t n);
void sooni_ptrset_fini(struct sooni_ptrset *s);

/* Room for one more, so that the next add cannot fail; 0 or ENOMEM. */
int sooni_ptrset_reserve(struct sooni_ptrset *s);

/* False: it was there.  p is not NULL. */
bool sooni_ptrset_add(struct sooni_ptrset *s, const void *p);
void sooni_ptrset_remove(struct sooni_ptrset *s, const void *p);

#endif
