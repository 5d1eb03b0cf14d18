/*
 * gather.c - results in the order of the futures, not of their completion.
 */
#include "many.h"
#include "watch.h"

#include <soon/wait.h>

#include <errno.h>

/* The code of the first, for the caller, who then has been told of them all. */
static int failure(soon_future *const *futures, size_t n, soon_future *first)
{
	while (n-- > 0)
		if (sooni_state(futures[n]) & SOONI_FAILED)
			sooni_future_read(futures[n]);
	return soon_future_error(first);
}

static int first_failure(soon_future *const *futures, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (sooni_watch_ends(futures[i], SOON_FIRST_ERROR))
			return failure(futures, n, futures[i]);
	return 0;
}

/* Run what the caller may run, until one fails. */
static int run_awaited(soon_future *const *futures, size_t n)
{
	size_t i;

	for (i = n; i-- > 0;)
		if (sooni_run_awaited(futures[i]) &&
		    sooni_watch_ends(futures[i], SOON_FIRST_ERROR))
			return failure(futures, n, futures[i]);
	return 0;
}

static bool all_done(soon_future *const *futures, size_t n)
{
	while (n > 0 && soon_future_done(futures[n - 1]))
		n--;
	return n == 0;
}

/* Wait for all; the code of the first seen to fail, at once. */
static int await_success(soon_future *const *futures, size_t n,
			 int64_t deadline)
{
	struct sooni_watch *w;
	soon_future *first;
	int rc = first_failure(futures, n);

	if (rc == 0 && deadline == SOON_FOREVER)
		rc = run_awaited(futures, n);
	if (rc != 0)
		return rc;
	if (all_done(futures, n))
		return first_failure(futures, n);
	w = sooni_watch_open(futures, n, SOON_FIRST_ERROR);
	if (w == NULL)
		return ENOMEM;
	rc = sooni_watch_wait(w, deadline);
	first = sooni_watch_first(w);
	if (first != NULL)
		rc = failure(futures, n, first);
	sooni_watch_close(w);
	return rc;
}

int soon_gather(soon_future *const *futures, size_t n, soon_nsec timeout,
		void **results, int *errors)
{
	int64_t deadline;
	size_t i;
	int rc;

	if (n > SIZE_MAX / sizeof(*futures))
		return EINVAL;
	for (i = 0; i < n && results != NULL; i++)
		results[i] = NULL;
	for (i = 0; i < n && errors != NULL; i++)
		errors[i] = 0;
	if (sooni_check_futures(futures, n) != 0)
		return EINVAL;
	deadline = sooni_deadline(timeout);
	rc = errors == NULL ? await_success(futures, n, deadline)
			    : sooni_await_all(futures, n, deadline);
	if (rc != 0 && errors == NULL)
		return rc;
	for (i = 0; i < n; i++) {
		int error = soon_future_error(futures[i]);

		if (errors != NULL)
			errors[i] = error;
		if (results != NULL && error == 0)
			results[i] = futures[i]->result;
	}
	return rc;
}
