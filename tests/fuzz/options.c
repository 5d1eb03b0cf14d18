/*
 * options.c - an executor's options from bytes.
 */
#include "fuzz.h"

#include <stdio.h>

static int begin_worker(void *began)
{
	atomic_fetch_add((atomic_uint *)began, 1);
	return 0;
}

static void end_worker(void *began)
{
	CLAIM(atomic_fetch_sub((atomic_uint *)began, 1) > 0);
}

/* An exact one does not grow, and its idle threads stay. */
soon_executor_options fuzz_options(struct input *in, bool exact)
{
	static atomic_uint began;
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	unsigned how = pick(in, 256);

	o.workers = 1 + how % 3;
	o.max_workers = o.workers;
	o.idle_timeout = SOON_FOREVER;
	if (!exact && rarely(in, 2))
		o.max_workers += pick(in, 3);
	if (!exact && rarely(in, 4))
		o.idle_timeout = 1;
	if ((how & 4) != 0)
		o.max_pending = 1 + pick(in, 4);
	o.when_full = (enum soon_overflow)(how / 8 % 3);
	if ((how & 32) != 0)
		o.flags |= SOON_HELP;
	if ((how & 192) == 192)
		o.flags |= SOON_INLINE;
	if ((how & 192) == 64)
		o.name = "a name too long for a thread";
	if (rarely(in, 4)) {
		o.worker_init = begin_worker;
		o.worker_fini = end_worker;
		o.worker_ctx = &began;
	}
	if (rarely(in, 2))
		o.unread_error = fuzz_unread;
	if (rarely(in, 4))
		o.stack_size = 256 * 1024;
	return o;
}
