/*
 * dump.c - see dump.h.
 */
#include "dump.h"

#include <sched.h>
#include <stdio.h>

soon_future *promise;
char *text;

soon_executor *named_pool(const char *name, unsigned workers, unsigned flags)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.name = name;
	o.workers = o.max_workers = workers;
	o.idle_timeout = SOON_FOREVER;
	o.flags = flags;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

void dump_setup(void)
{
	pool = named_pool("pool", 3, 0);
	gate_init(&gate);
	promise = must_promise();
	text = NULL;
}

void dump_teardown(void)
{
	gate_open(&gate);
	soon_future_set_result(promise, NULL);
	soon_executor_free(pool);
	soon_future_unref(promise);
	gate_fini(&gate);
	free(text);
}

char *dump_of(soon_executor *e)
{
	char *written = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&written, &size);
	int rc = out != NULL ? soon_executor_dump(e, out) : -1;

	if (out != NULL)
		fclose(out);
	if (rc == 0 && strlen(written) == size)
		return written;
	free(written);
	return NULL;
}

bool says(soon_executor *e, const char *what)
{
	free(text);
	text = dump_of(e);
	ck_assert_ptr_nonnull(text);
	return strstr(text, what) != NULL;
}

void await_saying(const char *what)
{
	while (!says(pool, what))
		sched_yield();
}

soon_future *submit_named(const char *name, soon_fn *fn, void *arg)
{
	return submit_job(pool, SOON_JOB(.fn = fn, .arg = arg, .name = name));
}

void *wait_for(void *f)
{
	return box(soon_future_wait(f, SOON_FOREVER));
}

void finish(soon_future *f)
{
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}
