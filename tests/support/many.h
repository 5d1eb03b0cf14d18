/*
 * many.h - what the tests of many futures share: pools that stand still,
 * promises by the dozen, chance orders, waiters on threads of their own.
 */
#ifndef SOON_TEST_MANY_H
#define SOON_TEST_MANY_H

#include "sanitized.h"
#include "support.h"

#include <soon.h>
#include <stdatomic.h>
#include <stddef.h>

/* Of the modes of soon_wait() there are so many; a loop index is one. */
#define MODES 3

/*
 * A pool all of whose workers stand at a gate: what is submitted to it stays
 * pending until stuck_release().
 */
struct stuck {
	soon_executor *pool;
	struct gate gate;
};

void stuck_init(struct stuck *s, unsigned workers);
void stuck_release(struct stuck *s);
/* Release, and free the pool. */
void stuck_fini(struct stuck *s);

/* A job that fails with its argument, a boxed code. */
void *fail_job(void *code);

/*
 * An argument that counts what becomes of it.  Its job returns it, so that it
 * is the result too, or fails.
 */
struct item {
	atomic_uint ran, arg_freed, result_freed;
	atomic_uint strangers; /* runs in which soon_self() was another job */
	int fails;	       /* with this code, unless 0 */
	struct gate *gate;     /* to pass first, unless NULL */
	struct gate *await;    /* at which somebody must stand first */
};

/* A job for items, with both destructors; .arg is NULL. */
extern const soon_job item_job;

/* Zero all of them; point args[i], unless NULL, to item i. */
void items_init(struct item *items, void **args, size_t n);
/* For each of n: ran and freed so often. */
void items_expect(struct item *items, size_t n, unsigned ran,
		  unsigned arg_freed, unsigned result_freed);

/* Promises that must be had. */
soon_future *must_promise(void);
void must_promise_n(soon_future **f, size_t n);
/* Promises already done in the three ways. */
soon_future *succeeded_with(void *result);
soon_future *failed_with(int code);
soon_future *cancelled(void);

/* Drop one reference of each. */
void unref_n(soon_future **f, size_t n);

/* A thread that makes one soon_wait(). */
struct waiting {
	struct actor actor;
	soon_future *const *futures;
	size_t n;
	enum soon_when when;
	soon_nsec timeout;
	size_t done;
	int rc;
	atomic_bool returned;
};

/* Start it and see it fall asleep, if the system lets us see that. */
void waiting_start(struct waiting *w, soon_future *const *f, size_t n,
		   enum soon_when when, soon_nsec timeout);
/* What soon_wait() returned; w->done is its count. */
int waiting_join(struct waiting *w);

/* Fill order with 0..n-1 in an order of chance. */
void shuffled(struct rng *r, unsigned *order, unsigned n);

/* Nanoseconds on the monotonic clock, and of this thread's CPU time. */
soon_nsec clock_now(void);
soon_nsec clock_cpu(void);

/*
 * Bytes of this process in memory; 0 where the system does not say.  They may
 * grow by MEMORY_NOISE for reasons of the system's own.
 */
size_t resident_bytes(void);
#define MEMORY_NOISE ((size_t)256 << 10)

#endif
