/*
 * unread.c - see unread.h.
 */
#include "unread.h"

#include <errno.h>
#include <string.h>

struct unread_report unread_reports[UNREAD_MOST];
struct tally unread_reported;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void unread_note(soon_future *f, void *ctx)
{
	struct unread_report *r;
	unsigned i;

	pthread_mutex_lock(&lock);
	i = tally_get(&unread_reported);
	if (i < UNREAD_MOST) {
		r = &unread_reports[i];
		r->arg = soon_future_arg(f);
		r->code = soon_future_error(f);
		strncpy(r->message, soon_future_message(f),
			sizeof(r->message) - 1);
		r->state = soon_future_state(f);
		r->thread = pthread_self();
		r->ctx = ctx;
	}
	tally_add(&unread_reported, 1);
	pthread_mutex_unlock(&lock);
}

soon_executor *unread_pool(unread_hook *hook, unsigned workers, unsigned flags)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = workers;
	o.max_workers = workers;
	o.unread_error = hook;
	o.unread_ctx = &unread_reports;
	o.flags = flags;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

void unread_setup(void)
{
	tally_init(&unread_reported);
	memset(unread_reports, 0, sizeof(unread_reports));
	fixture_open(unread_pool(unread_note, 1, 0));
}

void unread_teardown(void)
{
	fixture_close();
	tally_fini(&unread_reported);
}

void *unread_fail(void *arg)
{
	(void)arg;
	return soon_fail(EIO, "read %s", "disk");
}

void unread_pass_worker(void)
{
	soon_future *f = submit(pool, return_null, NULL);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}

soon_future *unread_failed(void)
{
	soon_future *f = submit(pool, unread_fail, &unread_reported);

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	unread_pass_worker();
	return f;
}

void unread_expect(unsigned n)
{
	ck_assert_uint_eq(tally_get(&unread_reported), n);
}
