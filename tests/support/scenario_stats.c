/*
 * scenario_stats.c - looking in while memory or threads run out.
 */
#include "scenario.h"

#include <unistd.h>

enum { N = 20 };

static atomic_uint reported;

static void report(soon_future *f, void *ctx)
{
	if (soon_future_error(f) == EIO && soon_future_message(f)[0] != '\0')
		atomic_fetch_add((atomic_uint *)ctx, 1);
}

static void *fail_luckless(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "no %s", "luck");
}

/* A failure that was accepted is reported, whatever else is missing. */
const char *scenario_unread(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	unsigned accepted = 0;

	o.max_workers = 2;
	o.unread_error = report;
	o.unread_ctx = &reported;
	e = soon_executor_open(&o);
	NEED_POOL(e);
	atomic_store(&reported, 0);
	for (int i = 0; i < N; i++) {
		int rc = soon_execute(e, fail_luckless, NULL);

		EXPECT(rc == 0 || refused(rc));
		accepted += rc == 0;
	}
	soon_executor_free(e);
	EXPECT(atomic_load(&reported) == accepted);
	return NULL;
}

/* Jobs run whether or not there is room to write them down. */
const char *scenario_trace(void)
{
	static const char path[] = "scenario_trace.json";
	soon_executor *e = soon_executor_new(2);
	soon_stats s = SOON_STATS_INIT;
	unsigned accepted = 0;
	int started, stopped;

	NEED_POOL(e);
	started = soon_trace_start(path);
	EXPECT(started == 0 || refused(started));
	for (int i = 0; i < N; i++)
		accepted += soon_execute(e, fail_luckless, NULL) == 0;
	EXPECT(soon_executor_shutdown(e, 0, SOON_FOREVER) == 0);
	stopped = soon_trace_stop();
	EXPECT(started == 0 ? stopped == 0 || refused(stopped)
			    : stopped == EALREADY);
	unlink(path);
	EXPECT(soon_executor_stats(e, &s) == 0);
	EXPECT(s.submitted == accepted && s.failed == accepted);
	soon_executor_free(e);
	return NULL;
}
