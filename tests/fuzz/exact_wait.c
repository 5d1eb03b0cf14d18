/*
 * exact_wait.c - waits for several futures; see exact.c.
 */
#include "exact.h"

#include <errno.h>

static unsigned done_of(struct mfuture *const *f, unsigned n)
{
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++) {
		bool again = false;

		for (unsigned k = 0; k < i; k++)
			again = again || f[k] == f[i];
		done += !again && model_done(f[i]);
	}
	return done;
}

static bool all_done(struct mfuture *const *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!model_done(f[i]))
			return false;
	return true;
}

static bool one_failed(struct mfuture *const *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (model_done(f[i]) && model_error(f[i]) != 0)
			return true;
	return false;
}

void exact_wait(void)
{
	struct mfuture *f[MOST_INPUTS];
	soon_future *real[MOST_INPUTS];
	unsigned n = exact_some(f, real, MOST_INPUTS);
	enum soon_when when = (enum soon_when)pick(now.in, 3);
	size_t done = 99;
	bool ends = all_done(f, n);
	int code;

	if (when == SOON_FIRST_COMPLETED)
		ends = ends || done_of(f, n) > 0;
	if (when == SOON_FIRST_ERROR)
		ends = ends || one_failed(f, n);
	code = soon_wait(real, n, when, exact_timeout(ends), &done);
	CLAIM(code == (ends ? 0 : ETIMEDOUT));
	CLAIM(done == done_of(f, n));
	if (when == SOON_ALL_COMPLETED)
		CLAIM(soon_wait_all(real, n, exact_timeout(ends)) == code);
}

void exact_wait_any(void)
{
	struct mfuture *f[MOST_INPUTS];
	soon_future *real[MOST_INPUTS];
	unsigned n = exact_some(f, real, MOST_INPUTS), first = 0;
	size_t index = 99;
	int code;

	while (first < n && !model_done(f[first]))
		first++;
	code = soon_wait_any(real, n, exact_timeout(first < n), &index);
	if (n == 0)
		CLAIM(code == EINVAL && index == 0);
	else if (first == n)
		CLAIM(code == ETIMEDOUT);
	else
		CLAIM(code == 0 && index == first);
}

/* Fails fast: by the first of those that failed, without results. */
static void gather_fast(struct mfuture *const *f, soon_future *const *real,
			unsigned n)
{
	void *results[MOST_INPUTS];
	int expected = all_done(f, n) ? 0 : ETIMEDOUT;
	int code;

	for (unsigned i = n; i-- > 0;)
		if (model_done(f[i]) && model_error(f[i]) != 0)
			expected = model_error(f[i]);
	code = soon_gather(real, n, exact_timeout(expected != ETIMEDOUT),
			   results, NULL);
	CLAIM(code == expected);
	for (unsigned i = 0; i < n; i++)
		CLAIM(results[i] == (code == 0 ? f[i]->result : NULL));
}

void exact_gather(void)
{
	struct mfuture *f[MOST_INPUTS];
	soon_future *real[MOST_INPUTS];
	void *results[MOST_INPUTS];
	int errors[MOST_INPUTS];
	unsigned n = exact_some(f, real, MOST_INPUTS);
	bool ends = all_done(f, n);

	if (pick(now.in, 2) == 0) {
		gather_fast(f, real, n);
		return;
	}
	CLAIM(soon_gather(real, n, exact_timeout(ends), results, errors) ==
	      (ends ? 0 : ETIMEDOUT));
	for (unsigned i = 0; i < n; i++) {
		CLAIM(errors[i] == model_error(f[i]));
		CLAIM(results[i] == f[i]->result);
	}
}
