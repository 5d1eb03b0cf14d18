/*
 * wait.c - see soon/wait.h.
 */
#include "many.h"
#include "ptrset.h"
#include "watch.h"

#include <soon/wait.h>

#include <errno.h>

static bool one_ends(soon_future *const *futures, size_t n, enum soon_when when)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (sooni_watch_ends(futures[i], when))
			return true;
	return false;
}

/* Wait for the first, or for all if none ends the wait. */
static int await_first(soon_future *const *futures, size_t n,
		       enum soon_when when, int64_t deadline)
{
	struct sooni_watch *w;
	int rc;

	if (n == 0 || one_ends(futures, n, when))
		return 0;
	w = sooni_watch_open(futures, n, when);
	if (w == NULL)
		return ENOMEM;
	rc = sooni_watch_wait(w, deadline);
	sooni_watch_close(w);
	return rc;
}

/* How many distinct ones are done; distinct has room for all. */
static size_t count_done(soon_future *const *futures, size_t n,
			 struct sooni_ptrset *distinct)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (soon_future_done(futures[i]))
			sooni_ptrset_add(distinct, futures[i]);
	return distinct->count;
}

static int await(soon_future *const *futures, size_t n, enum soon_when when,
		 int64_t deadline)
{
	return when == SOON_ALL_COMPLETED
		       ? sooni_await_all(futures, n, deadline)
		       : await_first(futures, n, when, deadline);
}

/* Also when a job that was run while waiting has ended the thread. */
static void forget(void *distinct)
{
	sooni_ptrset_fini(distinct);
}

int soon_wait(soon_future *const *futures, size_t n, enum soon_when when,
	      soon_nsec timeout, size_t *done)
{
	struct sooni_ptrset distinct;
	int64_t deadline;
	int rc;

	if (done != NULL)
		*done = 0;
	if ((unsigned)when > SOON_FIRST_ERROR ||
	    sooni_check_futures(futures, n) != 0)
		return EINVAL;
	deadline = sooni_deadline(timeout);
	if (done == NULL)
		return await(futures, n, when, deadline);
	/* First, so that a wait does not end without memory to count in. */
	if (sooni_ptrset_init(&distinct, n) != 0)
		return ENOMEM;
	pthread_cleanup_push(forget, &distinct);
	rc = await(futures, n, when, deadline);
	*done = count_done(futures, n, &distinct);
	pthread_cleanup_pop(1);
	return rc;
}

int soon_wait_all(soon_future *const *futures, size_t n, soon_nsec timeout)
{
	return soon_wait(futures, n, SOON_ALL_COMPLETED, timeout, NULL);
}

int soon_wait_any(soon_future *const *futures, size_t n, soon_nsec timeout,
		  size_t *index)
{
	size_t i;
	int rc;

	if (index != NULL)
		*index = 0;
	if (n == 0 || index == NULL)
		return EINVAL;
	rc = soon_wait(futures, n, SOON_FIRST_COMPLETED, timeout, NULL);
	for (i = 0; rc == 0 && i < n; i++)
		if (soon_future_done(futures[i])) {
			*index = i;
			break;
		}
	return rc;
}
