/*
 * scenario.c - short uses of the public calls that can fail.
 */
#include "scenario.h"

#include <sched.h>
#include <string.h>

#define N 40

static struct item items[N];
static void *args[N];
static soon_future *f[N];

/* Counted exactly so. */
static bool counts(struct item *it, unsigned ran, unsigned arg_freed,
		   unsigned result_freed)
{
	return atomic_load(&it->ran) == ran &&
	       atomic_load(&it->arg_freed) == arg_freed &&
	       atomic_load(&it->result_freed) == result_freed;
}

static void unref_all(void)
{
	for (int i = 0; i < N; i++) {
		soon_future_unref(f[i]);
		f[i] = NULL;
	}
}

static const char *make_executor(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e = soon_executor_new(2), *named;

	if (e == NULL)
		EXPECT(refused(errno));
	o.name = "a name that is too long for a thread";
	named = soon_executor_open(&o);
	if (named == NULL)
		EXPECT(refused(errno));
	soon_executor_free(e);
	EXPECT(named == NULL ||
	       soon_executor_shutdown(named, 0, SOON_FOREVER) == 0);
	soon_executor_free(named);
	return NULL;
}

/* After the pool is gone: all that was accepted ran, nothing else did. */
static const char *check_fates(const bool *accepted)
{
	for (int i = 0; i < N; i++)
		EXPECT(accepted[i] ? counts(&items[i], 1, 1, 1)
				   : counts(&items[i], 0, 0, 0));
	return NULL;
}

static const char *submit_job_by_job(void)
{
	soon_executor *e = soon_executor_new(2);
	soon_job job = item_job;
	bool accepted[N];
	void *result;

	NEED_POOL(e);
	items_init(items, args, N);
	for (int i = 0; i < N; i++) {
		job.arg = &items[i];
		job.name = i % 2 == 0 ? NULL : "labelled";
		f[i] = soon_submit_job(e, &job);
		accepted[i] = f[i] != NULL;
		if (!accepted[i])
			EXPECT(refused(errno));
	}
	for (int i = 0; i < N; i++)
		if (accepted[i]) {
			EXPECT(soon_future_result(f[i], SOON_FOREVER,
						  &result) == 0);
			EXPECT(result == &items[i]);
		}
	unref_all();
	soon_executor_free(e);
	return check_fates(accepted);
}

/* With a worker that is there already, since they are waited for. */
static const char *submit_to_the_clock(void)
{
	soon_executor *e = soon_executor_new(1);
	soon_job job = item_job;
	bool accepted[N];
	int rc;

	NEED_POOL(e);
	items_init(items, args, N);
	rc = soon_execute(e, fail_job, box(EIO));
	EXPECT(rc == 0 || refused(rc));
	for (int i = 0; i < N; i++) {
		job.arg = &items[i];
		job.delay = i % 3 == 0 ? 0 : 100 * SOON_USEC;
		job.start_within = i % 3 == 1 ? 0 : SOON_FOREVER;
		f[i] = rc == 0 ? soon_submit_job(e, &job) : NULL;
		accepted[i] = f[i] != NULL;
		EXPECT(rc != 0 || accepted[i] || refused(errno));
	}
	for (int i = 0; i < N; i++)
		EXPECT(!accepted[i] ||
		       soon_future_result(f[i], SOON_FOREVER, NULL) == 0);
	unref_all();
	soon_executor_free(e);
	return check_fates(accepted);
}

static const char *submit_plainly(void)
{
	soon_executor *e = soon_executor_new(1);
	unsigned accepted[N] = { 0 };
	int rc;

	NEED_POOL(e);
	items_init(items, args, N);
	for (int i = 0; i < N; i++) {
		f[i] = soon_submit(e, item_job.fn, &items[i]);
		if (f[i] != NULL)
			accepted[i]++;
		else
			EXPECT(refused(errno));
		rc = soon_execute(e, item_job.fn, &items[i]);
		if (rc == 0)
			accepted[i]++;
		else
			EXPECT(refused(rc));
		EXPECT(f[i] == NULL ||
		       soon_future_wait(f[i], SOON_FOREVER) == 0);
	}
	unref_all();
	soon_executor_free(e);
	for (int i = 0; i < N; i++)
		EXPECT(atomic_load(&items[i].ran) == accepted[i]);
	return NULL;
}

static const char *submit_many(void)
{
	soon_executor *e = soon_executor_new(2);
	bool accepted[N];
	int rc;

	NEED_POOL(e);
	items_init(items, args, N);
	memset(f, 1, sizeof(f));
	rc = soon_submit_many(e, &item_job, args, N / 2, f);
	EXPECT(rc == 0 || refused(rc));
	for (int i = 0; i < N / 2; i++) {
		accepted[i] = rc == 0;
		EXPECT((f[i] != NULL) == (rc == 0));
	}
	rc = soon_submit_many(e, &item_job, args + N / 2, N / 2, NULL);
	EXPECT(rc == 0 || refused(rc));
	for (int i = N / 2; i < N; i++) {
		accepted[i] = rc == 0;
		f[i] = NULL;
	}
	unref_all();
	soon_executor_free(e);
	return check_fates(accepted);
}

static const char *run_inline(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	soon_future *one;
	int rc;

	o.flags = SOON_INLINE;
	e = soon_executor_open(&o);
	NEED_POOL(e);
	items_init(items, args, N);
	one = soon_submit(e, item_job.fn, &items[0]);
	if (one == NULL)
		EXPECT(refused(errno));
	EXPECT(atomic_load(&items[0].ran) == (one != NULL));
	soon_future_unref(one);
	rc = soon_submit_many(e, &item_job, args + 1, N - 1, NULL);
	EXPECT(rc == 0 || refused(rc));
	for (int i = 1; i < N; i++)
		EXPECT(atomic_load(&items[i].ran) == (rc == 0));
	soon_executor_free(e);
	return NULL;
}

/* Whatever is lost, it is not the code, and the message is never NULL. */
static const char *fail_jobs(void)
{
	soon_executor *e = soon_executor_new(1);

	NEED_POOL(e);
	for (int i = 0; i < N; i++) {
		f[i] = soon_submit(e, fail_job, box(EIO));
		if (f[i] == NULL) {
			EXPECT(refused(errno));
			continue;
		}
		EXPECT(soon_future_wait(f[i], SOON_FOREVER) == 0);
		EXPECT(soon_future_state(f[i]) == SOON_FAILED);
		EXPECT(soon_future_error(f[i]) == EIO);
		EXPECT(soon_future_message(f[i])[0] != '\0');
	}
	unref_all();
	soon_executor_free(e);
	return NULL;
}

static atomic_uint called;

static void call(soon_future *done, void *unused)
{
	(void)done;
	(void)unused;
	atomic_fetch_add(&called, 1);
}

static const char *keep_promises(void)
{
	unsigned expected = 0, freed;
	int rc;

	atomic_store(&called, 0);
	items_init(items, args, N);
	for (int i = 0; i < N; i++) {
		soon_future *p = soon_future_new(NULL);

		if (p == NULL) {
			EXPECT(refused(errno));
			continue;
		}
		rc = soon_future_own(p, item_job.free_result);
		EXPECT(rc == 0 || refused(rc));
		freed = rc == 0 && i % 2 == 0;
		rc = soon_future_on_done(p, call, NULL);
		EXPECT(rc == 0 || refused(rc));
		expected += rc == 0;
		if (i % 2 == 0) {
			EXPECT(soon_future_set_result(p, &items[i]) == 0);
		} else {
			EXPECT(soon_future_set_error(p, EIO, "%0200d", i) == 0);
			EXPECT(soon_future_error(p) == EIO);
			EXPECT(soon_future_message(p)[0] != '\0');
		}
		soon_future_unref(p);
		EXPECT(counts(&items[i], 0, 0, freed));
		EXPECT(atomic_load(&called) == expected);
	}
	return NULL;
}

static soon_executor *own;

/* Claims what it waits for, so that it needs no other thread. */
static void *wait_for_child(void *depth)
{
	soon_future *child;
	int rc = 0;

	if (unbox(depth) == 0)
		return NULL;
	child = soon_submit(own, wait_for_child, box(unbox(depth) - 1));
	if (child == NULL)
		return refused(errno) ? NULL : soon_fail(errno, "refused");
	rc = soon_future_result(child, SOON_FOREVER, NULL);
	soon_future_unref(child);
	return rc == 0 ? NULL : soon_fail(rc, "the child failed");
}

static const char *wait_nested(void)
{
	soon_future *top;

	own = soon_executor_new(1);
	NEED_POOL(own);
	top = soon_submit(own, wait_for_child, box(10));
	if (top == NULL)
		EXPECT(refused(errno));
	else
		EXPECT(soon_future_result(top, SOON_FOREVER, NULL) == 0);
	soon_future_unref(top);
	soon_executor_free(own);
	return NULL;
}

/* Stuck jobs: without a thread to be had the pool goes on when they return. */
static const char *give_jobs_up(void)
{
	soon_executor *e = soon_executor_new(2);
	soon_job job = item_job;
	bool accepted[N];
	struct gate gate;
	int first = N;

	NEED_POOL(e);
	items_init(items, args, N);
	gate_init(&gate);
	job.run_within = SOON_USEC;
	for (int i = N; i-- > 0;) {
		items[i].gate = &gate;
		job.arg = &items[i];
		f[i] = soon_submit_job(e, &job);
		accepted[i] = f[i] != NULL;
		EXPECT(accepted[i] || refused(errno));
		if (accepted[i] && first == N)
			first = i;
	}
	if (first < N)
		EXPECT(soon_future_result(f[first], SOON_FOREVER, NULL) ==
		       ETIMEDOUT);
	gate_open(&gate);
	soon_executor_free(e);
	unref_all();
	for (int i = 0; i < N; i++)
		while (accepted[i] && atomic_load(&items[i].result_freed) == 0)
			sched_yield();
	gate_fini(&gate);
	return check_fates(accepted);
}

/* Ending must work when nothing else does. */
static const char *cancel_and_shut_down(void)
{
	soon_executor *e = soon_executor_new(1);
	soon_job job = item_job;
	bool cancelled[N];
	struct gate gate;
	int rc;

	NEED_POOL(e);
	items_init(items, args, N);
	gate_init(&gate);
	for (int i = 0; i < N; i++) {
		items[i].gate = &gate;
		job.arg = &items[i];
		f[i] = soon_submit_job(e, &job);
		cancelled[i] = i % 3 == 0 && f[i] != NULL &&
			       soon_future_cancel(f[i]) == 0;
	}
	rc = soon_executor_shutdown(e, SOON_CANCEL_PENDING, 0);
	EXPECT(rc == 0 || rc == EINPROGRESS);
	gate_open(&gate);
	EXPECT(soon_executor_shutdown(e, 0, SOON_FOREVER) == 0);
	for (int i = 0; i < N; i++) {
		EXPECT(f[i] == NULL || soon_future_done(f[i]));
		EXPECT(!cancelled[i] || counts(&items[i], 0, 1, 0));
		EXPECT(atomic_load(&items[i].arg_freed) == (f[i] != NULL));
	}
	unref_all();
	soon_executor_free(e);
	gate_fini(&gate);
	return NULL;
}

const struct scenario scenarios[] = {
	{ "make_executor", make_executor },
	{ "submit_job_by_job", submit_job_by_job },
	{ "submit_to_the_clock", submit_to_the_clock },
	{ "submit_plainly", submit_plainly },
	{ "submit_many", submit_many },
	{ "run_inline", run_inline },
	{ "fail_jobs", fail_jobs },
	{ "report_unread", scenario_unread },
	{ "trace_jobs", scenario_trace },
	{ "keep_promises", keep_promises },
	{ "wait_for_many", scenario_wait },
	{ "gather_many", scenario_gather },
	{ "map_many", scenario_map },
	{ "map_from_a_source", scenario_imap },
	{ "iterate_over_many", scenario_iterate },
	{ "use_a_group", scenario_group },
	{ "compose", scenario_compose },
	{ "wait_nested", wait_nested },
	{ "give_jobs_up", give_jobs_up },
	{ "cancel_and_shut_down", cancel_and_shut_down },
	{ "push_hooks", scenario_hooks },
	{ "give_way", scenario_give_way },
	{ "leave", scenario_leave },
	{ "wait_in_a_ring", scenario_cycle },
	{ "dump_state", scenario_dump },
	{ "fill_the_pool", scenario_full },
	{ "let_jobs_expire", scenario_expire },
	{ "wait_for_a_time", scenario_time },
	{ "fork", scenario_fork },
};
const size_t scenario_count = COUNT_OF(scenarios);
