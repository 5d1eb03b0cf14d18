/*
 * slab.c - see slab.h.
 */
#include "config.h"

#include "slab.h"

#include "compiler.h"
#include "os.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef SOONI_SANITIZE_ADDRESS

/*
 * What precedes a block: its place in the list of all.  The pointers are
 * complemented, so that a block to which nothing else points is a leak.
 */
struct header {
	alignas(SOONI_BLOCK_SIZE) uintptr_t next;
	uintptr_t prev;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t blocks = UINTPTR_MAX; /* under lock */

static struct header *uncover(uintptr_t covered)
{
	return (struct header *)~covered;
}

static uintptr_t cover(const struct header *h)
{
	return ~(uintptr_t)h;
}

void *sooni_slab_alloc(void)
{
	struct header *h =
		aligned_alloc(SOONI_BLOCK_SIZE, sizeof(*h) + SOONI_BLOCK_SIZE);

	if (h == NULL)
		return NULL;
	memset(h + 1, 0, SOONI_BLOCK_KEPT);
	pthread_mutex_lock(&lock);
	h->next = blocks;
	h->prev = cover(NULL);
	if (uncover(blocks) != NULL)
		uncover(blocks)->prev = cover(h);
	blocks = cover(h);
	pthread_mutex_unlock(&lock);
	return h + 1;
}

void sooni_slab_free(void *block)
{
	struct header *h = (struct header *)block - 1;

	pthread_mutex_lock(&lock);
	if (uncover(h->next) != NULL)
		uncover(h->next)->prev = h->prev;
	if (uncover(h->prev) != NULL)
		uncover(h->prev)->next = h->next;
	else
		blocks = h->next;
	pthread_mutex_unlock(&lock);
	free(h);
}

void sooni_slab_lock(void)
{
	pthread_mutex_lock(&lock);
}

void sooni_slab_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void sooni_slab_each(void (*look)(void *block))
{
	uintptr_t at;

	for (at = blocks; uncover(at) != NULL; at = uncover(at)->next)
		look(uncover(at) + 1);
}

#else

enum {
	FIRST_CHUNK = 16 * SOONI_MAGAZINE * SOONI_BLOCK_SIZE,
	LARGEST_CHUNK = 64 * FIRST_CHUNK
};

sooni_tls struct sooni_cache sooni_cache;

/* Full magazines, what threads left behind, and memory not yet used. */
static struct depot {
	pthread_mutex_t lock;
	struct sooni_block *magazines;
	struct sooni_block *chunks; /* their first blocks, which serve for this */
	char *fresh;
	char *fresh_end;
	size_t next_chunk; /* bytes */
} depot = { .lock = PTHREAD_MUTEX_INITIALIZER, .next_chunk = FIRST_CHUNK };

static pthread_key_t thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool have_key;

static void push_magazine(struct sooni_magazine *m)
{
	if (m->first == NULL)
		return;
	m->first->count = m->count;
	m->first->next_magazine = depot.magazines;
	depot.magazines = m->first;
	*m = (struct sooni_magazine){ NULL, 0 };
}

/* Other destructors of the thread may still use the sooni_cache: then it registers
 * again and this runs again. */
static void leave(void *unused)
{
	(void)unused;
	sooni_cache.registered = false;
	pthread_mutex_lock(&depot.lock);
	push_magazine(&sooni_cache.now);
	push_magazine(&sooni_cache.other);
	pthread_mutex_unlock(&depot.lock);
}

static void make_key(void)
{
	have_key = pthread_key_create(&thread_end, leave) == 0;
}

static void register_thread(void)
{
	if (sooni_cache.registered)
		return;
	pthread_once(&once, make_key);
	/* Without a key, or memory for its value, a thread that ends takes its
	 * free blocks with it. */
	sooni_cache.registered =
		!have_key || pthread_setspecific(thread_end, &sooni_cache) == 0;
}

static bool new_chunk(void)
{
	size_t size = depot.next_chunk;
	struct sooni_block *chunk = sooni_alloc(size);

	if (chunk == NULL)
		return false;
	chunk->next = depot.chunks;
	chunk->count = (unsigned)(size / SOONI_BLOCK_SIZE);
	depot.chunks = chunk;
	depot.fresh = (char *)chunk + SOONI_BLOCK_SIZE;
	depot.fresh_end = (char *)chunk + size;
	if (size < LARGEST_CHUNK)
		depot.next_chunk = 2 * size;
	return true;
}

/* A magazine of memory that was never used, in the order of addresses. */
static bool fresh_magazine(struct sooni_magazine *m)
{
	size_t n;
	size_t i;

	if (depot.fresh == depot.fresh_end && !new_chunk())
		return false;
	n = (size_t)(depot.fresh_end - depot.fresh) / SOONI_BLOCK_SIZE;
	if (n > SOONI_MAGAZINE)
		n = SOONI_MAGAZINE;
	for (i = n; i-- > 0;) {
		struct sooni_block *b =
			(struct sooni_block *)(void *)(depot.fresh +
						       i * SOONI_BLOCK_SIZE);

		memset(b->kept, 0, sizeof(b->kept));
		b->next = m->first;
		m->first = b;
	}
	m->count = (unsigned)n;
	depot.fresh += n * SOONI_BLOCK_SIZE;
	return true;
}

sooni_noinline bool sooni_slab_refill(void)
{
	bool filled;

	register_thread();
	if (sooni_cache.other.first != NULL) {
		sooni_cache.now = sooni_cache.other;
		sooni_cache.other = (struct sooni_magazine){ NULL, 0 };
		return true;
	}
	pthread_mutex_lock(&depot.lock);
	if (depot.magazines != NULL) {
		sooni_cache.now.first = depot.magazines;
		sooni_cache.now.count = depot.magazines->count;
		depot.magazines = depot.magazines->next_magazine;
		filled = true;
	} else {
		filled = fresh_magazine(&sooni_cache.now);
	}
	pthread_mutex_unlock(&depot.lock);
	return filled;
}

/* And what lay there away. */
sooni_noinline void sooni_slab_put_aside(void)
{
	register_thread();
	if (sooni_cache.now.count < SOONI_MAGAZINE)
		return;
	if (sooni_cache.other.first != NULL) {
		pthread_mutex_lock(&depot.lock);
		push_magazine(&sooni_cache.other);
		pthread_mutex_unlock(&depot.lock);
	}
	sooni_cache.other = sooni_cache.now;
	sooni_cache.now = (struct sooni_magazine){ NULL, 0 };
}

void sooni_slab_lock(void)
{
	pthread_mutex_lock(&depot.lock);
}

void sooni_slab_unlock(void)
{
	pthread_mutex_unlock(&depot.lock);
}

void sooni_slab_each(void (*look)(void *block))
{
	struct sooni_block *chunk;
	char *block;
	char *end;

	for (chunk = depot.chunks; chunk != NULL; chunk = chunk->next) {
		block = (char *)chunk + SOONI_BLOCK_SIZE;
		/* Only the latest has memory that was not used yet. */
		end = chunk == depot.chunks
			      ? depot.fresh
			      : (char *)chunk +
					(size_t)chunk->count * SOONI_BLOCK_SIZE;
		for (; block < end; block += SOONI_BLOCK_SIZE)
			look(block);
	}
}

#endif
