/*
 * future.h - the future that C programs write for themselves: a result behind
 * a mutex and a condition variable.  For the pools that come without one.
 */
#ifndef BENCH_FUTURE_H
#define BENCH_FUTURE_H

#include "bench.h"

struct future {
	pthread_mutex_t lock;
	pthread_cond_t finished;
	int done;
	job_fn *fn;
	void *arg;
	void *result;
	struct future *next; /* for the pool's queue */
};

typedef struct future *handle;

typedef struct group {
	char unused;
} group;

static inline struct future *future_new(job_fn *fn, void *arg)
{
	struct future *f = (struct future *)malloc(sizeof(*f));

	if (f == NULL)
		abort();
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->finished, NULL);
	f->done = 0;
	f->fn = fn;
	f->arg = arg;
	f->next = NULL;
	return f;
}

/* The worker's side.  Signals under the lock: the waiter frees f after it. */
static inline void future_run(struct future *f)
{
	void *result = f->fn(f->arg);

	pthread_mutex_lock(&f->lock);
	f->result = result;
	f->done = 1;
	pthread_cond_signal(&f->finished);
	pthread_mutex_unlock(&f->lock);
}

/* The waiter's side, once. */
static inline void *collect(handle *h)
{
	struct future *f = *h;
	void *result;

	pthread_mutex_lock(&f->lock);
	while (!f->done)
		pthread_cond_wait(&f->finished, &f->lock);
	result = f->result;
	pthread_mutex_unlock(&f->lock);
	pthread_cond_destroy(&f->finished);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return result;
}

#endif
