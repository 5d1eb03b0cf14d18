/*
 * limited.c - see limited.h.
 */
#include "limited.h"

struct gate limited_start;
struct tally limited_ended, limited_told;
static unsigned made;

void limited_setup(void)
{
	fixture_open(pool_of(1));
	gate_init(&limited_start);
	tally_init(&limited_ended);
	tally_init(&limited_told);
	made = 0;
}

void limited_teardown(void)
{
	gate_open(&limited_start);
	fixture_end_pool();
	tally_await(&limited_ended, made);
	ck_assert_uint_eq(tally_get(&limited_ended), made);
	fixture_close();
	tally_fini(&limited_told);
	tally_fini(&limited_ended);
	gate_fini(&limited_start);
}

static void count_end(void *result)
{
	(void)result;
	tally_add(&limited_ended, 1);
}

soon_job limited_job(soon_fn *fn, void *arg, soon_nsec within)
{
	soon_job job = SOON_JOB_INIT;

	job.fn = fn;
	job.arg = arg;
	job.run_within = within;
	job.free_result = count_end;
	made++;
	return job;
}

soon_future *limited_submit(soon_fn *fn, void *arg, soon_nsec within)
{
	soon_job job = limited_job(fn, arg, within);

	return submit_job(pool, &job);
}
