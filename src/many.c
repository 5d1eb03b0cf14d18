/*
 * many.c - see many.h.
 */
#include "many.h"

#include "thread.h"

#include <errno.h>

int sooni_check_futures(soon_future *const *futures, size_t n)
{
	size_t i;

	/* No array is that long: so none is looked at, or written to. */
	if ((futures == NULL && n > 0) || n > SIZE_MAX / sizeof(*futures))
		return EINVAL;
	for (i = 0; i < n; i++)
		if (futures[i] == NULL)
			return EINVAL;
	return 0;
}

/* EDEADLK if the caller itself runs one of them: before it runs the others. */
static int check_own(soon_future *const *futures, size_t n)
{
	size_t i;

	if (sooni_running() == NULL)
		return 0;
	for (i = 0; i < n; i++)
		if ((sooni_state(futures[i]) & (SOONI_RUNNING | SOONI_DONE)) ==
			    SOONI_RUNNING &&
		    sooni_runs_here(futures[i]))
			return sooni_await_refuse(futures[i]);
	return 0;
}

/*
 * What the caller may run itself it runs first, the newest first: thieves take
 * the oldest.  Then it sleeps on the last that is not done; jobs that began
 * before that one mostly are, and need no sleep of their own.
 */
int sooni_await_all(soon_future *const *futures, size_t n, int64_t deadline)
{
	struct sooni_awaited a = { .need = SOONI_NEED_ALL,
				   .timed = deadline != SOON_FOREVER,
				   .futures = futures,
				   .n = n };
	size_t i;
	int rc;

	if (deadline == SOON_FOREVER) {
		rc = check_own(futures, n);
		if (rc != 0)
			return rc;
		for (i = n; i-- > 0;)
			sooni_run_awaited(futures[i]);
	}
	for (i = n; i-- > 0;) {
		rc = sooni_await_one_of(&a, futures[i], deadline);
		if (rc != 0)
			return rc;
	}
	return 0;
}
