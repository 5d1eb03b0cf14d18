/*
 * scenario_many.c - scenarios of the calls that take many futures.
 */
#include "scenario.h"

#include <string.h>

#define N 40

static struct item items[N];
static void *args[N];
static soon_future *f[N];

/* Submit N jobs that return 1, or fewer if one is refused. */
static size_t submit_some(soon_executor *e)
{
	size_t n = 0;

	while (n < N && (f[n] = soon_submit(e, return_arg, box(1))) != NULL)
		n++;
	return n;
}

/* Each can still be waited for, whatever was refused. */
static bool wait_each_and_unref(size_t n)
{
	bool all = true;

	for (size_t i = 0; i < n; i++)
		all &= soon_future_wait(f[i], SOON_FOREVER) == 0;
	unref_n(f, n);
	return all;
}

const char *scenario_wait(void)
{
	soon_executor *e = soon_executor_new(2);
	size_t done = 99, index = 99, n;
	int rc;

	NEED_POOL(e);
	n = submit_some(e);
	for (int when = 0; when < MODES; when++) {
		rc = soon_wait(f, n, (enum soon_when)when, SOON_FOREVER, &done);
		EXPECT(rc == 0 || refused(rc));
		EXPECT(done <= n && (rc != 0 || n == 0 || done > 0));
		EXPECT(refused(rc) || when == SOON_FIRST_COMPLETED ||
		       done == n);
	}
	rc = n == 0 ? 0 : soon_wait_any(f, n, SOON_FOREVER, &index);
	EXPECT(refused(rc) || (rc == 0 && (n == 0 || index < n)));
	EXPECT(wait_each_and_unref(n));
	soon_executor_free(e);
	return NULL;
}

const char *scenario_gather(void)
{
	soon_executor *e = soon_executor_new(2);
	void *results[N];
	int errors[N], rc;
	size_t n;

	NEED_POOL(e);
	n = submit_some(e);
	rc = soon_gather(f, n, SOON_FOREVER, results, NULL);
	EXPECT(rc == 0 || refused(rc));
	for (size_t i = 0; i < n; i++)
		EXPECT(results[i] == (rc == 0 ? box(1) : NULL));
	rc = soon_gather(f, n, SOON_FOREVER, NULL, errors);
	EXPECT(rc == 0 || refused(rc));
	for (size_t i = 0; i < n && rc == 0; i++)
		EXPECT(errors[i] == 0);
	EXPECT(wait_each_and_unref(n));
	soon_executor_free(e);
	return NULL;
}

/* Nothing was accepted, or all of it, whatever came of it then. */
const char *scenario_map(void)
{
	soon_executor *e = soon_executor_new(2);
	void *results[N];
	unsigned accepted;
	int rc;

	NEED_POOL(e);
	items_init(items, args, N);
	memset(results, 1, sizeof(results));
	rc = soon_map(e, &item_job, args, N, SOON_FOREVER, results, NULL);
	EXPECT(rc == 0 || refused(rc));
	soon_executor_free(e);
	accepted = atomic_load(&items[0].arg_freed);
	for (int i = 0; i < N; i++) {
		unsigned ran = atomic_load(&items[i].ran);

		EXPECT(results[i] == (rc == 0 ? &items[i] : NULL));
		EXPECT(ran <= accepted && accepted <= 1);
		EXPECT(rc != 0 || ran == 1);
		EXPECT(atomic_load(&items[i].arg_freed) == accepted);
		EXPECT(atomic_load(&items[i].result_freed) ==
		       (rc == 0 ? 0 : ran));
	}
	return NULL;
}

static int draw(void *next, void **arg)
{
	size_t i = (*(size_t *)next)++;

	*arg = i < N ? args[i] : NULL;
	return i < N ? 0 : ENODATA;
}

/* Each argument comes in its place, as a result or as what kept it from one. */
const char *scenario_imap(void)
{
	soon_executor *e = soon_executor_new(2);
	size_t next = 0;
	soon_imap *m;

	NEED_POOL(e);
	items_init(items, args, N);
	m = soon_imap_new(e, &item_job, draw, &next, 8);
	if (m == NULL)
		EXPECT(errno == ENOMEM);
	for (int i = 0; m != NULL && i < N; i++) {
		soon_future *job;
		int rc = soon_imap_next(m, SOON_FOREVER, &job);

		EXPECT(rc == 0 ? soon_future_arg(job) == &items[i]
			       : refused(rc) && job == NULL);
		EXPECT(atomic_load(&items[i].ran) == (rc == 0));
		EXPECT(atomic_load(&items[i].arg_freed) == 1);
	}
	EXPECT(m == NULL || soon_imap_next(m, 0, &f[0]) == ENODATA);
	soon_imap_free(m);
	soon_executor_free(e);
	for (int i = 0; i < N; i++)
		EXPECT(atomic_load(&items[i].ran) ==
		       atomic_load(&items[i].result_freed));
	return NULL;
}

/* Each future that got into the set comes out once. */
const char *scenario_iterate(void)
{
	soon_executor *e = soon_executor_new(2);
	soon_completions *set;
	size_t n, in = 0;
	soon_future *next;

	NEED_POOL(e);
	n = submit_some(e);
	set = soon_as_completed(f, n / 2);
	if (set == NULL)
		EXPECT(refused(errno));
	else
		in = n / 2;
	for (size_t i = n / 2; set != NULL && i < n; i++) {
		int rc = soon_completions_add(set, f[i]);

		EXPECT(rc == 0 || refused(rc));
		in += rc == 0;
		EXPECT(soon_completions_left(set) == in);
	}
	for (; set != NULL && in > 0; in--)
		EXPECT(soon_completions_next(set, SOON_FOREVER, &next) == 0);
	EXPECT(set == NULL ||
	       soon_completions_next(set, SOON_FOREVER, &next) == ENODATA);
	soon_completions_free(set);
	EXPECT(wait_each_and_unref(n));
	soon_executor_free(e);
	return NULL;
}

/* Each member that was taken ends, and its destructors are called. */
const char *scenario_group(void)
{
	soon_executor *e = soon_executor_new(2);
	soon_group *g = soon_group_new(e);
	bool accepted[N];

	if (g == NULL)
		EXPECT(errno == ENOMEM || e == NULL);
	items_init(items, args, N);
	for (int i = 0; i < N; i++) {
		soon_job job = item_job;
		int rc;

		job.arg = &items[i];
		rc = g != NULL && e != NULL ? soon_group_submit_job(g, &job)
					    : ENOMEM;
		EXPECT(rc == 0 || refused(rc));
		accepted[i] = rc == 0;
	}
	EXPECT(g == NULL || soon_group_wait(g, SOON_FOREVER) == 0);
	EXPECT(g == NULL || soon_group_error(g) == 0);
	for (int i = 0; i < N; i++) {
		unsigned times = accepted[i] ? 1 : 0;

		EXPECT(atomic_load(&items[i].ran) == times);
		EXPECT(atomic_load(&items[i].arg_freed) == times);
		EXPECT(atomic_load(&items[i].result_freed) == times);
	}
	soon_group_free(g);
	soon_executor_free(e);
	return NULL;
}
