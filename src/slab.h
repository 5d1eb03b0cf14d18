/*
 * slab.h - memory for futures: blocks of 64 bytes, one cache line each.
 *
 * A block may be freed by any thread.  Its memory is never given back, nor used
 * for anything but blocks: a wake-up that comes late finds a block there.
 *
 * Each thread keeps up to two magazines of free blocks, which it uses without
 * atomics; full ones are exchanged with all threads at a depot.  Source:
 * J. Bonwick and J. Adams, "Magazines and Vmem", USENIX 2001.
 */
#ifndef SOONI_SLAB_H
#define SOONI_SLAB_H

enum { SOONI_BLOCK_SIZE = 64 };

/* NULL without memory. */
void *sooni_slab_alloc(void);
void sooni_slab_free(void *block);

#endif
