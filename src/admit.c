/*
 * admit.c - queueing jobs in a pool that takes so many and no more.
 */
#include "limit.h"
#include "pool.h"
#include "thread.h"

#include <errno.h>

/* Whether the stack has room for one more job on top of those. */
static bool may_nest(void)
{
	return sooni_is_worker() ? sooni_worker_has_stack() : sooni_may_nest();
}

/* The jobs have their places, and keep them only if they are queued. */
static int put_placed(struct soon_executor *e, int priority,
		      struct soon_future *const *jobs, size_t n)
{
	int rc = sooni_pool_put_ranked(e, priority, jobs, n);

	if (rc != 0)
		sooni_room_leave(&e->home.room, n);
	return rc;
}

/*
 * Wait in line for the places.  The caller is a guest of the pool until it is out
 * again: whoever closes that refuses those in line, and must not free it before
 * they have left.
 */
static int put_when_admitted(struct soon_executor *e, int priority,
			     struct soon_future *const *jobs, size_t n)
{
	uint32_t answer = SOONI_ADMITTED | SOONI_REFUSED;
	unsigned generation = sooni_generation;
	struct sooni_asker me;
	int rc = sooni_pool_enter(e);

	if (rc != 0)
		return rc;
	sooni_room_line_up(&e->home.room, &me, n);
	if (!sooni_spin(&me.word, answer, 0))
		sooni_wait(&me.word, answer, 0, INT64_MAX);
	/* In a child that was forked in this wait the jobs were taken, and have
	 * failed. */
	if (sooni_unlikely(generation != sooni_generation))
		return 0;
	/* relaxed: the word is the caller's own now. */
	if (atomic_load_explicit(&me.word, memory_order_relaxed) &
	    SOONI_ADMITTED)
		rc = put_placed(e, priority, jobs, n);
	else
		rc = sooni_pool_refusal(e);
	sooni_home_leave(&e->home);
	return rc;
}

bool sooni_pool_has_caller(struct soon_executor *e)
{
	return sooni_worker_self(e) != NULL || sooni_limit_holds(&e->home);
}

int sooni_pool_admit(struct soon_executor *e, int priority,
		     struct soon_future *const *jobs, size_t n)
{
	enum soon_overflow when_full = e->options.when_full;
	int rc;

	if (when_full == SOON_BLOCK && n > e->options.max_pending)
		return EINVAL;
	if (sooni_room_take(&e->home.room, n))
		return put_placed(e, priority, jobs, n);
	if (when_full == SOON_REJECT) {
		rc = sooni_pool_refusal(e);
		return rc != 0 ? rc : EAGAIN;
	}
	/* A worker makes room itself: it would wait for its own work. */
	if (when_full == SOON_BLOCK && !sooni_pool_has_caller(e))
		return put_when_admitted(e, priority, jobs, n);
	if (may_nest())
		return SOONI_RUN_HERE;
	sooni_room_overfill(&e->home.room, n);
	return put_placed(e, priority, jobs, n);
}
