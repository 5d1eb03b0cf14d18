/*
 * bad.c - calls that look on, and calls with bad arguments.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What looks on */

static void look_names(struct input *in)
{
	int code = (int)pick(in, 256) + (rarely(in, 2) ? SOON_EBROKEN - 2 : 0);
	const char *name = soon_error_name(code);

	CLAIM(name == NULL || name[0] != '\0');
	CLAIM(soon_strerror(code)[0] != '\0');
	CLAIM(soon_strerror(-code) != NULL);
	CLAIM(strcmp(soon_version(), SOON_VERSION_STRING) == 0);
}

static void look_dump(soon_executor *e)
{
	char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");
	int rc;

	CLAIM(out != NULL);
	rc = soon_executor_dump(e, out);
	CLAIM(rc == 0 || rc == ENOSPC);
	fclose(out);
}

static void look_trace(void)
{
	int rc = soon_trace_start("/dev/null");

	CLAIM(rc == 0 || rc == EBUSY);
	rc = soon_trace_stop();
	CLAIM(rc == 0 || rc == EALREADY);
}

static void look_outside(void)
{
	CLAIM(soon_self() == NULL && !soon_cancel_requested());
	CLAIM(soon_cancel_fd() == -1 && errno == EINVAL);
	CLAIM(soon_on_cancel(task_free_result, NULL) == EINVAL);
	soon_off_cancel();
	soon_blocking_end();
	soon_blocking_begin();
	CLAIM(soon_sleep(INT64_MIN) == 0 && soon_sleep(1) == 0);
}

void fuzz_look(struct input *in, soon_executor *e)
{
	soon_stats s = SOON_STATS_INIT;

	switch (pick(in, 5)) {
	case 0:
		look_names(in);
		break;
	case 1:
		if (e != NULL)
			look_dump(e);
		break;
	case 2:
		look_trace();
		break;
	case 3:
		look_outside();
		break;
	default:
		s.size = sizeof(s.size) +
			 pick(in, sizeof(s) - sizeof(s.size) + 1);
		if (e != NULL)
			CLAIM(soon_executor_stats(e, &s) == 0);
		break;
	}
}

/* What is bad */

static void nothing(soon_future *f, void *ctx)
{
	(void)f;
	(void)ctx;
}

static void bad_future(void)
{
	void *result = &result;

	CLAIM(soon_future_state(NULL) == SOON_FAILED);
	CLAIM(soon_future_done(NULL));
	CLAIM(soon_future_wait(NULL, SOON_FOREVER) == EINVAL);
	CLAIM(soon_future_result(NULL, 0, &result) == EINVAL);
	CLAIM(result == NULL);
	CLAIM(soon_future_take(NULL) == NULL);
	CLAIM(soon_future_own(NULL, task_free_result) == EINVAL);
	CLAIM(soon_future_error(NULL) == EINVAL);
	CLAIM(soon_future_message(NULL) != NULL);
	CLAIM(soon_future_cancel(NULL) == EINVAL);
	CLAIM(soon_future_on_done(NULL, nothing, NULL) == EINVAL);
	CLAIM(soon_future_arg(NULL) == NULL);
	CLAIM(soon_future_ref(NULL) == NULL);
	soon_future_unref(NULL);
	CLAIM(soon_future_set_running(NULL) == EINVAL);
	CLAIM(soon_future_set_result(NULL, NULL) == EINVAL);
	CLAIM(soon_future_set_error(NULL, EIO, NULL) == EINVAL);
}

/* A NULL among the futures, and counts that no array has. */
static void bad_wait(void)
{
	soon_future *none[2] = { NULL, NULL };
	size_t n = 9;

	CLAIM(soon_wait(none, 2, SOON_ALL_COMPLETED, 0, &n) == EINVAL);
	CLAIM(n == 0);
	CLAIM(soon_wait(NULL, 1, SOON_FIRST_ERROR, 0, NULL) == EINVAL);
	CLAIM(soon_wait(NULL, 0, (enum soon_when)7, 0, NULL) == EINVAL);
	CLAIM(soon_wait_all(NULL, SIZE_MAX, 0) == EINVAL);
	CLAIM(soon_wait_any(none, 1, 0, NULL) == EINVAL);
	CLAIM(soon_gather(none, 1, 0, NULL, NULL) == EINVAL);
	CLAIM(soon_as_completed(none, 2) == NULL && errno == EINVAL);
	CLAIM(soon_completions_add(NULL, NULL) == EINVAL);
	CLAIM(soon_completions_next(NULL, 0, none) == EINVAL);
	CLAIM(soon_completions_left(NULL) == 0);
	CLAIM(soon_completions_fd(NULL) == -1 && errno == EINVAL);
	soon_completions_free(NULL);
	CLAIM(soon_imap_next(NULL, 0, none) == EINVAL);
	soon_imap_free(NULL);
}

static void bad_made(void)
{
	soon_future *none[2] = { NULL, NULL };

	CLAIM(soon_then(NULL, NULL, task_then, NULL) == NULL);
	CLAIM(soon_when_all(none, 2) == NULL && errno == EINVAL);
	CLAIM(soon_when_any(none, 2) == NULL && errno == EINVAL);
	CLAIM(soon_when_any(NULL, 0) == NULL && errno == EINVAL);
	CLAIM(soon_first_success(none, 1) == NULL && errno == EINVAL);
	CLAIM(soon_within(NULL, 1) == NULL && errno == EINVAL);
	CLAIM(soon_shield(NULL) == NULL && errno == EINVAL);
	CLAIM(soon_group_submit(NULL, task_run, NULL) == EINVAL);
	CLAIM(soon_group_submit_job(NULL, NULL) == EINVAL);
	CLAIM(soon_group_wait(NULL, 0) == EINVAL);
	CLAIM(soon_group_error(NULL) == EINVAL);
	CLAIM(soon_group_message(NULL) != NULL);
	soon_group_cancel(NULL);
	soon_group_free(NULL);
}

/* One field is wrong, and all others are right. */
static void bad_job(struct input *in, soon_executor *e)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f[2];

	job.fn = task_run;
	switch (pick(in, 7)) {
	case 0:
		job.fn = NULL;
		break;
	case 1:
		job.size = pick(in, 2) == 0 ? 0 : SIZE_MAX / 2;
		if (job.size != 0)
			return; /* it would be read to its end */
		break;
	case 2:
		job.priority = 2 + (int)pick(in, 200);
		break;
	case 3:
		job.delay = -1;
		break;
	case 4:
		job.start_within = INT64_MIN;
		break;
	case 5:
		job.run_within = -1 - (soon_nsec)pick(in, 200);
		break;
	default:
		job.delay = job.start_within = AGES;
		break;
	}
	CLAIM(soon_submit_job(e, &job) == NULL && errno == EINVAL);
	CLAIM(soon_submit_many(e, &job, NULL, 2, f) == EINVAL);
	CLAIM(f[0] == NULL && f[1] == NULL);
	CLAIM(soon_imap_new(e, &job, NULL, NULL, 1) == NULL);
}

static void bad_open(struct input *in)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;

	switch (pick(in, 5)) {
	case 0:
		o.size = 0;
		break;
	case 1:
		o.workers = 2;
		o.max_workers = 1;
		break;
	case 2:
		o.flags = 1U << (2 + pick(in, 30));
		break;
	case 3:
		o.when_full = (enum soon_overflow)(3 + pick(in, 200));
		break;
	default:
		o.idle_timeout = -1;
		break;
	}
	CLAIM(soon_executor_open(&o) == NULL && errno == EINVAL);
	CLAIM(soon_executor_new(65535) == NULL && errno == EINVAL);
}

static void bad_executor(soon_executor *e)
{
	soon_stats s = SOON_STATS_INIT;

	CLAIM(soon_submit(e, NULL, NULL) == NULL && errno == EINVAL);
	CLAIM(soon_execute(e, NULL, NULL) == EINVAL);
	CLAIM(soon_submit_job(e, NULL) == NULL && errno == EINVAL);
	CLAIM(soon_submit_many(e, NULL, NULL, 1, NULL) == EINVAL);
	CLAIM(soon_map(e, NULL, NULL, 1, 0, NULL, NULL) == EINVAL);
	CLAIM(soon_executor_shutdown(NULL, 0, 0) == EINVAL);
	CLAIM(soon_executor_shutdown(e, 4, 0) == EINVAL);
	CLAIM(soon_executor_stats(e, NULL) == EINVAL);
	s.size = sizeof(s.size) - 1;
	CLAIM(soon_executor_stats(e, &s) == EINVAL);
	CLAIM(soon_executor_dump(e, NULL) == EINVAL);
	CLAIM(soon_trace_start(NULL) == EINVAL);
	soon_executor_free(NULL);
}

void fuzz_bad(struct input *in, soon_executor *e)
{
	switch (pick(in, 6)) {
	case 0:
		bad_future();
		break;
	case 1:
		bad_wait();
		break;
	case 2:
		bad_made();
		break;
	case 3:
		if (e != NULL)
			bad_job(in, e);
		break;
	case 4:
		bad_open(in);
		break;
	default:
		if (e != NULL)
			bad_executor(e);
		break;
	}
}
