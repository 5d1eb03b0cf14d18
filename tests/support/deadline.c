/*
 * deadline.c - see deadline.h.
 */
#include "deadline.h"

#include <errno.h>

struct tally deadline_ran, deadline_freed, deadline_called;

void deadline_setup(void)
{
	fixture_open(pool_of(2));
	tally_init(&deadline_ran);
	tally_init(&deadline_freed);
	tally_init(&deadline_called);
}

void deadline_teardown(void)
{
	fixture_close();
	tally_fini(&deadline_ran);
	tally_fini(&deadline_freed);
	tally_fini(&deadline_called);
}

void *deadline_run(void *arg)
{
	tally_add(&deadline_ran, 1);
	return arg;
}

soon_future *deadline_submit(soon_nsec start_within)
{
	return submit_job(pool,
			  SOON_JOB(.fn = deadline_run, .arg = &deadline_freed,
				   .start_within = start_within,
				   .free_arg = tally_free));
}

void deadline_count_call(soon_future *f, void *tally)
{
	if (soon_future_error(f) == ETIMEDOUT)
		tally_add(tally, 1);
}

void deadline_expect_expired(soon_future *f)
{
	void *result = f;

	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert_int_eq(soon_future_error(f), ETIMEDOUT);
	ck_assert_str_eq(soon_future_message(f), soon_strerror(ETIMEDOUT));
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result),
			 ETIMEDOUT);
	ck_assert_ptr_null(result);
	ck_assert_ptr_null(soon_future_take(f));
	ck_assert(!soon_future_cancel_requested(f));
	ck_assert_int_eq(soon_future_cancel(f), EALREADY);
}
