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

struct mapping {
	soon_future **futures;
	size_t n;
	bool submitted;
};

/* Also when a job that was run meanwhile has ended the thread. */
static void end_mapping(void *mapping)
{
	struct mapping *m = mapping;
	size_t i;

	for (i = 0; m->submitted && i < m->n; i++)
		soon_future_unref(m->futures[i]);
	free(m->futures);
}

static void exited(void *mapping)
{
	struct mapping *m = mapping;

	if (m->submitted)
		give_up(m->futures, m->n, NULL);
	end_mapping(m);
}

static int map(soon_executor *e, const soon_job *each, void *const *args,
	       struct mapping *m, soon_nsec timeout, void **results,
	       int *errors)
{
	int rc = soon_submit_many(e, each, args, m->n, m->futures);

	if (rc != 0)
		return rc;
	m->submitted = true;
	rc = soon_gather(m->futures, m->n, timeout, results, errors);
	if (rc != 0)
		give_up(m->futures, m->n, results);
	else if (results != NULL)
		hand_over(m->futures, m->n, results);
	return rc;
}

int soon_map(soon_executor *e, const soon_job *each, void *const *args,
	     size_t n, soon_nsec timeout, void **results, int *errors)
{
	struct mapping m = { NULL, n, false };
	size_t i;
	int rc;

	if (n > SIZE_MAX / sizeof(*m.futures))
		return ENOMEM;
	for (i = 0; i < n && results != NULL; i++)
		results[i] = NULL;
	for (i = 0; i < n && errors != NULL; i++)
		errors[i] = 0;
	m.futures = malloc(n > 0 ? n * sizeof(*m.futures) : 1);
	if (m.futures == NULL)
		return ENOMEM;
	pthread_cleanup_push(exited, &m);
	rc = map(e, each, args, &m, timeout, results, errors);
	pthread_cleanup_pop(0);
	end_mapping(&m);
	return rc;
}
