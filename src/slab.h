/*
 * slab.h - memory for futures: blocks of 64 bytes, one cache line each.
 *
 * A block may be freed by any thread.  Its memory is never given back, nor used
 * for anything but blocks: a wake-up that comes late finds a block there.
 *
 * Each thread keeps up to two magazines of free blocks, which it uses without
 * atomics; full ones are exchanged with all threads at a depot.  Source:
 * J. Bonwick and J. Adams, "Magazines and Vmem", USENIX 2001.
 *
 * The first bytes of a free block are as they were when it was freed, and zeros
 * if it never was.  By these a child of fork, which looks at all blocks, tells
 * which ones are in use.
 */
#ifndef SOONI_SLAB_H
#define SOONI_SLAB_H

#include "config.h"

#include "compiler.h"

#include <stdbool.h>
#include <stddef.h>

enum { SOONI_BLOCK_SIZE = 64, SOONI_BLOCK_KEPT = 16, SOONI_MAGAZINE = 128 };

/* Around a fork: nobody else is in the depot. */
void sooni_slab_lock(void);
void sooni_slab_unlock(void);

/* Look at all blocks, also free ones, with the caller the only thread. */
void sooni_slab_each(void (*look)(void *block));

#ifdef SOONI_SANITIZE_ADDRESS

/* One malloc a block, so that the sanitizer sees each block's life. */
void *sooni_slab_alloc(void);
void sooni_slab_free(void *block);

#else

/* A free block.  The first of a magazine in the depot also leads the next. */
struct sooni_block {
	char kept[SOONI_BLOCK_KEPT];
	struct sooni_block *next;
	struct sooni_block *next_magazine;
	unsigned count; /* in this magazine, or in the chunk it leads */
};

struct sooni_magazine {
	struct sooni_block *first;
	unsigned count;
};

/* A thread's own blocks: one magazine in use, one full or empty. */
struct sooni_cache {
	struct sooni_magazine now;
	struct sooni_magazine other;
	bool registered; /* the thread's end gives them to the depot */
};

extern sooni_tls struct sooni_cache sooni_cache;

/* The magazine in use is empty: get another; false without memory. */
bool sooni_slab_refill(void);

/* It is full: put it aside. */
void sooni_slab_put_aside(void);

/* NULL without memory. */
static inline void *sooni_slab_alloc(void)
{
	struct sooni_block *b;

	if (sooni_unlikely(sooni_cache.now.first == NULL) &&
	    !sooni_slab_refill())
		return NULL;
	b = sooni_cache.now.first;
	sooni_cache.now.first = b->next;
	sooni_cache.now.count--;
	return b;
}

static inline void sooni_slab_free(void *block)
{
	struct sooni_block *b = block;

	if (sooni_unlikely(sooni_cache.now.count >= SOONI_MAGAZINE ||
			   !sooni_cache.registered))
		sooni_slab_put_aside();
	b->next = sooni_cache.now.first;
	sooni_cache.now.first = b;
	sooni_cache.now.count++;
}

#endif

#endif
