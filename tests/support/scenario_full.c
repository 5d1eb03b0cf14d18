/*
 * scenario_full.c - pools that are full, and jobs whose time runs out.
 */
#include "scenario.h"

enum { ROOM = 2, N = 6 };

static struct item items[N];
static void *args[N];

/* Whether each of those accepted ran, or only gave its argument back. */
static bool all_gone(const bool *accepted)
{
	bool holds = true;

	for (int i = 0; i < N; i++)
		holds &= atomic_load(&items[i].arg_freed) == accepted[i] &&
			 atomic_load(&items[i].ran) <= accepted[i];
	return holds;
}

/* Its only worker, if there is one, stands at the gate. */
static const char *fill(soon_executor *e, enum soon_overflow when_full)
{
	int n = when_full == SOON_BLOCK ? ROOM : N;
	bool accepted[N] = { false };
	struct gate gate;
	int held, rc;

	gate_init(&gate);
	items_init(items, args, N);
	held = soon_execute(e, gate_job, &gate);
	EXPECT(held == 0 || refused(held));
	if (held == 0)
		gate_await(&gate, 1);
	for (int i = 0; i < n && held == 0; i++) {
		soon_job job = item_job;
		soon_future *f;

		job.arg = args[i];
		f = soon_submit_job(e, &job);
		accepted[i] = f != NULL;
		EXPECT(accepted[i] || refused(errno) ||
		       (when_full == SOON_REJECT && errno == EAGAIN));
		soon_future_unref(f);
	}
	gate_open(&gate);
	rc = soon_executor_shutdown(e, 0, SOON_FOREVER);
	EXPECT(rc == 0);
	EXPECT(all_gone(accepted));
	gate_fini(&gate);
	return NULL;
}

const char *scenario_full(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	o.workers = 1;
	o.max_workers = 1;
	o.max_pending = ROOM;
	o.stack_size = (size_t)1 << 20;
	for (int when = 0; when <= SOON_CALLER_RUNS; when++) {
		soon_executor *e;
		const char *claim;

		o.when_full = (enum soon_overflow)when;
		e = soon_executor_open(&o);
		NEED_POOL(e);
		claim = fill(e, o.when_full);
		if (claim != NULL)
			return claim;
		soon_executor_free(e);
	}
	return NULL;
}

/* Behind a job that does not end they expire, or are cancelled in time. */
const char *scenario_expire(void)
{
	soon_executor *e = soon_executor_new(1);
	soon_future *f[N] = { NULL };
	bool accepted[N] = { false };
	struct gate gate;
	int held, rc;

	NEED_POOL(e);
	gate_init(&gate);
	items_init(items, args, N);
	held = soon_execute(e, gate_job, &gate);
	EXPECT(held == 0 || refused(held));
	for (int i = 0; i < N && held == 0; i++) {
		soon_job job = item_job;

		job.arg = args[i];
		job.start_within = 2 * SOON_SEC * 1000;
		if (i % 3 == 0)
			job.start_within = SOON_USEC;
		if (i % 3 == 2)
			job.delay = SOON_SEC * 1000;
		f[i] = soon_submit_job(e, &job);
		accepted[i] = f[i] != NULL;
		EXPECT(accepted[i] || refused(errno));
	}
	for (int i = 0; i < N; i++) {
		if (!accepted[i])
			continue;
		rc = i % 3 == 0 ? ETIMEDOUT : ECANCELED;
		EXPECT(i % 3 == 0 || soon_future_cancel(f[i]) == 0);
		EXPECT(soon_future_result(f[i], SOON_FOREVER, NULL) == rc);
	}
	gate_open(&gate);
	unref_n(f, N);
	soon_executor_free(e);
	EXPECT(all_gone(accepted));
	gate_fini(&gate);
	return NULL;
}

/* Time that is up before anything happens. */
const char *scenario_time(void)
{
	soon_executor *e = soon_executor_new(1);
	soon_completions *set;
	soon_future *f = NULL, *next;
	struct gate gate;
	size_t done;
	int rc;

	NEED_POOL(e);
	gate_init(&gate);
	f = soon_submit(e, gate_job, &gate);
	EXPECT(f != NULL || refused(errno));
	set = f == NULL ? NULL : soon_as_completed(&f, 1);
	EXPECT(set != NULL || f == NULL || refused(errno));
	if (f != NULL) {
		EXPECT(soon_future_wait(f, SOON_USEC) == ETIMEDOUT);
		rc = soon_wait(&f, 1, SOON_ALL_COMPLETED, SOON_USEC, &done);
		EXPECT(rc == ETIMEDOUT || refused(rc));
		rc = soon_gather(&f, 1, SOON_USEC, NULL, NULL);
		EXPECT(rc == ETIMEDOUT || refused(rc));
		EXPECT(soon_executor_shutdown(e, 0, SOON_USEC) == ETIMEDOUT);
	}
	if (set != NULL)
		EXPECT(soon_completions_next(set, SOON_USEC, &next) ==
		       ETIMEDOUT);
	gate_open(&gate);
	soon_completions_free(set);
	soon_executor_free(e);
	EXPECT(f == NULL || soon_future_done(f));
	soon_future_unref(f);
	gate_fini(&gate);
	return NULL;
}
