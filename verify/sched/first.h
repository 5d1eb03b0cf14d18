/*
 * first.h - included before anything else into the code under the scheduler:
 * what it calls of libc that the scheduler must know of.
 */
#ifndef SCHED_FIRST_H
#define SCHED_FIRST_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Blocks of the slab come one by one from sched_malloc(): see memory.c. */
#define SOONI_SANITIZE_ADDRESS 1

struct sooni_me;

/* Thread-local memory: copies of the sources say these for `sooni_me', for
 * `sooni_user_hook', and for `me' in timer.c. */
struct sooni_me *sched_me(void);
void (**sched_user_hook(void))(void);
void **sched_keeper(void);

void *sched_malloc(size_t size);
void *sched_calloc(size_t n, size_t size);
void *sched_realloc(void *p, size_t size);
void *sched_aligned_alloc(size_t alignment, size_t size);
char *sched_strdup(const char *text);
void sched_free(void *p);

#define malloc(size) sched_malloc(size)
#define calloc(n, size) sched_calloc(n, size)
#define realloc(p, size) sched_realloc(p, size)
#define aligned_alloc(alignment, size) sched_aligned_alloc(alignment, size)
#define free(p) sched_free(p)
#undef strdup
#define strdup(text) sched_strdup(text)

void sched_mutex_init(pthread_mutex_t *m);
void sched_mutex_destroy(pthread_mutex_t *m);
void sched_mutex_lock(pthread_mutex_t *m);
int sched_mutex_trylock(pthread_mutex_t *m);
void sched_mutex_unlock(pthread_mutex_t *m);
void sched_thread_join(pthread_t thread);
void sched_thread_detach(pthread_t thread);
pthread_t sched_thread_self(void);
int sched_atfork(void (*prepare)(void), void (*parent)(void),
		 void (*child)(void));

#define pthread_mutex_init(m, attributes) sched_mutex_init(m)
#define pthread_mutex_destroy(m) sched_mutex_destroy(m)
#define pthread_mutex_lock(m) sched_mutex_lock(m)
#define pthread_mutex_trylock(m) sched_mutex_trylock(m)
#define pthread_mutex_unlock(m) sched_mutex_unlock(m)
#define pthread_join(thread, result) sched_thread_join(thread)
#define pthread_detach(thread) sched_thread_detach(thread)
#define pthread_self() sched_thread_self()
#define pthread_equal(a, b) ((a) == (b))
#define pthread_atfork(prepare, parent, child) \
	sched_atfork(prepare, parent, child)

#endif
