/*
 * support.h - what the tests share: gates, tallies, logs, threads, chance.
 *
 * Nothing here sleeps for a length of time or fails a test off the main thread.
 * Waiting has no deadline: a test that hangs is ended by its Check timeout.
 */
#ifndef SOON_TEST_SUPPORT_H
#define SOON_TEST_SUPPORT_H

#include <check.h>
#include <pthread.h>
#include <soon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Seconds after which Check ends a test: for hangs only. */
#define TEST_TIMEOUT 120

/* Elements of an array. */
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/*
 * n times the factor in the environment's SOON_TEST_SCALE ("0.1", "10"), and at
 * least 1.  When unset the factor is 1, and less in a build with a sanitizer.
 */
unsigned test_scale(unsigned n);

/* Run a suite as Check's variables say; what main() returns. */
int test_run(Suite *suite);

/*
 * A gate holds whoever passes until it is opened, and counts arrivals.  It
 * blocks in a plain condition variable that the library knows nothing of.
 */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned arrived;
	unsigned inside;
	bool open;
};

void gate_init(struct gate *g);
/* Waits for those who are just leaving: nobody else may know when they have, as of
 * a thread that was written off. */
void gate_fini(struct gate *g);
/* Count oneself in, then wait until the gate is open. */
void gate_pass(struct gate *g);
/* Wait until n in all have arrived, since gate_init(). */
void gate_await(struct gate *g, unsigned n);
unsigned gate_arrived(struct gate *g);
void gate_open(struct gate *g);
/* Let the next ones be held again; arrivals are counted on. */
void gate_shut(struct gate *g);
/* A job: passes the gate given as its argument and returns it. */
void *gate_job(void *gate);

/*
 * A count that can be waited for.  tally_free() has the shape of a destructor
 * and tally_job() that of a job; both add one to the tally they are given.
 */
struct tally {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned count;
};

void tally_init(struct tally *t);
void tally_fini(struct tally *t);
void tally_add(struct tally *t, unsigned n);
unsigned tally_get(struct tally *t);
/* Wait until the count is at least n. */
void tally_await(struct tally *t, unsigned n);
void tally_free(void *tally);
void *tally_job(void *tally);

/* A list to which any thread appends; the order is that of the appends. */
struct logbook {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t n;
	size_t room;
	int *entry;
};

void logbook_init(struct logbook *l, size_t room);
void logbook_fini(struct logbook *l);
void logbook_add(struct logbook *l, int value);
size_t logbook_size(struct logbook *l);
/* Wait until there are n entries. */
void logbook_await(struct logbook *l, size_t n);
/* Entry i; to be read once nobody appends, or for an i below the size. */
int logbook_at(struct logbook *l, size_t i);

/* A thread beside the main one. */
struct actor {
	pthread_t thread;
	void *(*fn)(void *arg);
	void *arg;
	struct gate ready;
	pid_t tid;
};

/* Start fn(arg) and return when the thread is about to enter it. */
void actor_start(struct actor *a, void *(*fn)(void *arg), void *arg);
/*
 * Wait until the kernel says that the thread sleeps or that it has ended; where
 * the kernel does not say, return at once.  Makes it likely that a waiter
 * waits; no test may depend on it to pass.
 */
void actor_await_asleep(struct actor *a);
/* Join it; what fn returned. */
void *actor_join(struct actor *a);

/* The kernel's number of the calling thread; of another's, whether it sleeps. */
pid_t thread_id(void);
void thread_await_asleep(pid_t tid);
/* Threads of this process now; 0 where the kernel does not say. */
unsigned thread_count(void);

/* A job that returns its argument, and one that returns NULL. */
void *return_arg(void *arg);
void *return_null(void *arg);

/* The monotonic clock. */
soon_nsec now(void);

/* A small number as a pointer and back. */
void *box(long value);
long unbox(const void *p);

/* A seeded random number generator (splitmix64); one per thread. */
struct rng {
	uint64_t state;
};

struct rng rng_seed(uint64_t seed);
uint64_t rng_next(struct rng *r);
/* Uniform enough in 0..n-1; n > 0. */
unsigned rng_below(struct rng *r, unsigned n);

/*
 * What follows calls the library and is here so that support.c need not: tests
 * of bricks link without the executor.
 */

/* A pool of n threads that grows beyond them for nobody but its own waiters.
 * Its threads never end for idleness, which would make good a lost wake-up. */
static inline soon_executor *pool_of(unsigned n)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = n;
	o.max_workers = n;
	o.idle_timeout = SOON_FOREVER;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

/* One without threads. */
static inline soon_executor *inline_pool(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.flags = SOON_INLINE;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

/* Put n jobs behind the gate and wait until n workers stand there. */
static inline void pool_hold(soon_executor *e, struct gate *g, unsigned n)
{
	unsigned before = gate_arrived(g);

	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(soon_execute(e, gate_job, g), 0);
	gate_await(g, before + n);
}

/* soon_submit() that must succeed. */
static inline soon_future *submit(soon_executor *e, soon_fn *fn, void *arg)
{
	soon_future *f = soon_submit(e, fn, arg);

	ck_assert_ptr_nonnull(f);
	return f;
}

static inline soon_future *submit_job(soon_executor *e, const soon_job *job)
{
	soon_future *f = soon_submit_job(e, job);

	ck_assert_ptr_nonnull(f);
	return f;
}

#endif
