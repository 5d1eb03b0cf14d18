/*
 * map.c - submit many, then gather.
 */
#include "job.h"

#include <soon/wait.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* The results are the caller's now. */
static void hand_over(soon_future *const *futures, size_t n, void **results)
{
	size_t i;

	for (i = 0; i < n; i++)
		results[i] = soon_future_take(futures[i]);
}

static void give_up(soon_future *const *futures, size_t n, void **results)
{
	size_t i;

	for (i = n; i-- > 0;) {
		/* The caller will never see them: it has this error instead. */
		sooni_future_read(futures[i]);
		sooni_future_cancel_idle(futures[i]);
	}
	for (i = 0; i < n && results != NULL; i++)
		results[i] = NULL;
}

int soon_map(soon_executor *e, const soon_job *each, void *const *args,
	     size_t n, soon_nsec timeout, void **results, int *errors)
{
	soon_future **futures;
	size_t i;
	int rc;

	for (i = 0; i < n && results != NULL; i++)
		results[i] = NULL;
	for (i = 0; i < n && errors != NULL; i++)
		errors[i] = 0;
	if (n > SIZE_MAX / sizeof(*futures))
		return ENOMEM;
	futures = malloc(n > 0 ? n * sizeof(*futures) : 1);
	if (futures == NULL)
		return ENOMEM;
	rc = soon_submit_many(e, each, args, n, futures);
	if (rc != 0) {
		free(futures);
		return rc;
	}
	rc = soon_gather(futures, n, timeout, results, errors);
	if (rc != 0)
		give_up(futures, n, results);
	else if (results != NULL)
		hand_over(futures, n, results);
	for (i = 0; i < n; i++)
		soon_future_unref(futures[i]);
	free(futures);
	return rc;
}
