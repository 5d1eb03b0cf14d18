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

#ifdef SOONI_SANITIZE_ADDRESS

/* One malloc a block, so that the sanitizer sees each block's life. */
void *sooni_slab_alloc(void)
{
	return aligned_alloc(SOONI_BLOCK_SIZE, SOONI_BLOCK_SIZE);
}

void sooni_slab_free(void *block)
{
	free(block);
}

#else

enum {
	MAGAZINE = 128, /* blocks in a full magazine */
	FIRST_CHUNK = 16 * MAGAZINE * SOONI_BLOCK_SIZE,
	LARGEST_CHUNK = 64 * FIRST_CHUNK
};

/* A free block.  The first of a magazine in the depot also leads the next. */
struct block {
	struct block *next;
	struct block *next_magazine;
	unsigned count; /* in this magazine */
};

struct magazine {
	struct block *first;
	unsigned count;
};

/* A thread's own blocks: one magazine in use, one full or empty. */
static sooni_tls struct cache {
	struct magazine now;
	struct magazine other;
	bool registered; /* the thread's end gives them to the depot */
} cache;

/* Full magazines, what threads left behind, and memory not yet used. */
static struct depot {
	pthread_mutex_t lock;
	struct block *magazines;
	struct block *chunks; /* their first blocks, which serve for this */
	char *fresh;
	char *fresh_end;
	size_t next_chunk; /* bytes */
} depot = { .lock = PTHREAD_MUTEX_INITIALIZER, .next_chunk = FIRST_CHUNK };

static pthread_key_t thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool have_key;

static void push_magazine(struct magazine *m)
{
	if (m->first == NULL)
		return;
	m->first->count = m->count;
	m->first->next_magazine = depot.magazines;
	depot.magazines = m->first;
	*m = (struct magazine){ NULL, 0 };
}

/* Other destructors of the thread may still use the cache: then it registers
 * again and this runs again. */
static void leave(void *unused)
{
	(void)unused;
	cache.registered = false;
	pthread_mutex_lock(&depot.lock);
	push_magazine(&cache.now);
	push_magazine(&cache.other);
	pthread_mutex_unlock(&depot.lock);
}

static void make_key(void)
{
	have_key = pthread_key_create(&thread_end, leave) == 0;
}

static void register_thread(void)
{
	if (cache.registered)
		return;
	pthread_once(&once, make_key);
	/* Without a key, or memory for its value, a thread that ends takes its
	 * free blocks with it. */
	cache.registered = !have_key ||
			   pthread_setspecific(thread_end, &cache) == 0;
}

static bool new_chunk(void)
{
	size_t size = depot.next_chunk;
	struct block *chunk = sooni_alloc(size);

	if (chunk == NULL)
		return false;
	chunk->next = depot.chunks;
	depot.chunks = chunk;
	depot.fresh = (char *)chunk + SOONI_BLOCK_SIZE;
	depot.fresh_end = (char *)chunk + size;
	if (size < LARGEST_CHUNK)
		depot.next_chunk = 2 * size;
	return true;
}

/* A magazine of memory that was never used, in the order of addresses. */
static bool fresh_magazine(struct magazine *m)
{
	size_t n;
	size_t i;

	if (depot.fresh == depot.fresh_end && !new_chunk())
		return false;
	n = (size_t)(depot.fresh_end - depot.fresh) / SOONI_BLOCK_SIZE;
	if (n > MAGAZINE)
		n = MAGAZINE;
	for (i = n; i-- > 0;) {
		struct block *b = (struct block *)(void *)(
			depot.fresh + i * SOONI_BLOCK_SIZE);

		b->next = m->first;
		m->first = b;
	}
	m->count = (unsigned)n;
	depot.fresh += n * SOONI_BLOCK_SIZE;
	return true;
}

static sooni_noinline bool refill(void)
{
	bool filled;

	register_thread();
	if (cache.other.first != NULL) {
		cache.now = cache.other;
		cache.other = (struct magazine){ NULL, 0 };
		return true;
	}
	pthread_mutex_lock(&depot.lock);
	if (depot.magazines != NULL) {
		cache.now.first = depot.magazines;
		cache.now.count = depot.magazines->count;
		depot.magazines = depot.magazines->next_magazine;
		filled = true;
	} else {
		filled = fresh_magazine(&cache.now);
	}
	pthread_mutex_unlock(&depot.lock);
	return filled;
}

/* The magazine in use is full: put it aside, and what lay there away. */
static sooni_noinline void put_aside(void)
{
	register_thread();
	if (cache.other.first != NULL) {
		pthread_mutex_lock(&depot.lock);
		push_magazine(&cache.other);
		pthread_mutex_unlock(&depot.lock);
	}
	cache.other = cache.now;
	cache.now = (struct magazine){ NULL, 0 };
}

void *sooni_slab_alloc(void)
{
	struct block *b;

	if (sooni_unlikely(cache.now.first == NULL) && !refill())
		return NULL;
	b = cache.now.first;
	cache.now.first = b->next;
	cache.now.count--;
	return b;
}

void sooni_slab_free(void *block)
{
	struct block *b = block;

	if (sooni_unlikely(cache.now.count >= MAGAZINE))
		put_aside();
	else if (sooni_unlikely(!cache.registered))
		register_thread();
	b->next = cache.now.first;
	cache.now.first = b;
	cache.now.count++;
}

#endif
