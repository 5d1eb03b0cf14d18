/*
 * ring.c - see ring.h.
 */
#include "ring.h"

#include <errno.h>
#include <sched.h>

soon_executor *ring_pool[POOLS];
struct gate start;
struct tally waited, ended;
struct waiter waiters[MOST];
soon_future *job[MOST];
unsigned jobs;

void ring_setup(void)
{
	for (int i = 0; i < POOLS; i++)
		ring_pool[i] = pool_of(MOST);
	gate_init(&start);
	tally_init(&waited);
	tally_init(&ended);
	jobs = 0;
}

void ring_teardown(void)
{
	for (int i = 0; i < POOLS; i++)
		soon_executor_free(ring_pool[i]);
	unref_n(job, jobs); /* children may have waited for these to the end */
	gate_fini(&start);
	tally_fini(&waited);
	tally_fini(&ended);
}

int wait_by(enum way way, soon_future **f, size_t n, soon_nsec timeout)
{
	soon_completions *set;
	soon_future *next;
	int errors[MOST];
	size_t index;
	int rc = 0;

	switch (way) {
	case WAIT:
		return soon_future_wait(f[0], timeout);
	case RESULT:
		return soon_future_result(f[0], timeout, NULL);
	case WAIT_ALL:
		return soon_wait_all(f, n, timeout);
	case GATHER:
		return soon_gather(f, n, timeout, NULL, errors);
	case GATHER_FAST:
		return soon_gather(f, n, timeout, NULL, NULL);
	case FIRST_ERROR:
		return soon_wait(f, n, SOON_FIRST_ERROR, timeout, NULL);
	case ANY:
		return soon_wait_any(f, n, timeout, &index);
	case FIRST_COMPLETED:
		return soon_wait(f, n, SOON_FIRST_COMPLETED, timeout, NULL);
	default:
		set = soon_as_completed(f, n);
		rc = soon_completions_next(set, timeout, &next);
		soon_completions_free(set);
		return rc;
	}
}

void *pass_and_wait(void *arg)
{
	struct waiter *w = arg;

	w->tid = thread_id();
	gate_pass(&start);
	if (w->fn != NULL)
		return w->fn(w);
	w->rc = wait_by(w->way, w->awaited, w->n, w->timeout);
	tally_add(&waited, 1);
	if (w->rc == EDEADLK)
		w->again = wait_by(w->way, w->awaited, w->n, w->timeout);
	tally_add(&ended, 1);
	return w;
}

struct waiter *add(enum way way, soon_future *awaited)
{
	struct waiter *w = &waiters[jobs];

	*w = (struct waiter){ .way = way, .timeout = SOON_FOREVER };
	if (awaited != NULL)
		w->awaited[w->n++] = awaited;
	job[jobs] = submit(ring_pool[jobs % POOLS], pass_and_wait, w);
	gate_await(&start, ++jobs);
	return w;
}

void also(struct waiter *w, soon_future *awaited)
{
	w->awaited[w->n++] = awaited;
}

unsigned go(void)
{
	unsigned told = 0, again = 0;

	gate_open(&start);
	for (unsigned i = 0; i < jobs; i++) {
		ck_assert_int_eq(soon_future_wait(job[i], SOON_FOREVER), 0);
		ck_assert(waiters[i].rc == 0 || waiters[i].rc == EDEADLK);
		told += waiters[i].rc == EDEADLK;
		again += waiters[i].again == EDEADLK;
	}
	/* While the only one runs, nothing has changed. */
	if (told == 1)
		ck_assert_uint_eq(again, 1);
	return told;
}

void see_asleep(void)
{
	for (unsigned i = 0; i < jobs; i++) {
		sched_yield();
		thread_await_asleep(waiters[i].tid);
	}
}
