/*
 * many.c - see many.h.
 */
#include "many.h"

#include "thread.h"

#include <errno.h>

int sooni_check_futures(soon_future *const *futures, size_t n)
{
	size_t i;

	if (futures == NULL && n > 0)
		return EINVAL;
	for (i = 0; i < n; i++)
		if (futures[i] == NULL)
			return EINVAL;
	return 0;
}

int sooni_check_deadlock(soon_future *const *futures, size_t n, bool all)
{
	size_t mine = 0;
	size_t others = 0;
	size_t i;

	if (sooni_running() == NULL)
		return 0;
	for (i = 0; i < n; i++) {
		if (sooni_state(futures[i]) & SOONI_DONE)
			continue;
		if (sooni_runs_here(futures[i]))
			mine++;
		else
			others++;
	}
	return mine > 0 && (!all || others == 0) ? EDEADLK : 0;
}

/*
 * What the caller may run itself it runs first, the newest first: thieves take
 * the oldest.  Then it sleeps on the last that is not done; jobs that began
 * before that one mostly are, and need no sleep of their own.
 */
int sooni_await_all(soon_future *const *futures, size_t n, int64_t deadline)
{
	size_t i;
	int rc;

	if (deadline == SOON_FOREVER) {
		rc = sooni_check_deadlock(futures, n, false);
		if (rc != 0)
			return rc;
		for (i = n; i-- > 0;)
			sooni_run_awaited(futures[i]);
	}
	for (i = n; i-- > 0;) {
		rc = sooni_await(futures[i], deadline);
		if (rc != 0)
			return rc;
	}
	return 0;
}
