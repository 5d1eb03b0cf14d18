/*
 * fault_clock.c - the clock that people set jumps by years while threads wait:
 * nobody notices, for nobody looks at it.
 */
#include "support/fault.h"
#include "support/wall.h"

#include <errno.h>

#define TEN_YEARS (INT64_C(10) * 365 * 24 * 3600)
#define LIMIT (100 * SOON_MSEC)

/* Waits for what does not come, each by a thread of its own. */
enum way {
	BY_FUTURE,
	BY_ALL,
	BY_ANY,
	BY_GATHER,
	BY_SET,
	BY_IMAP,
	BY_GROUP,
	BY_SHUTDOWN,
	BY_SLEEP,
	WAYS
};

struct wait {
	struct actor actor;
	enum way way;
	soon_nsec took;
	int rc;
};

static soon_executor *pool; /* its only worker stands at the gate */
static soon_executor *idle; /* its worker ends when it is idle */
static soon_group *group;
static soon_completions *set;
static soon_imap *imap;
static soon_future *promise;
static struct gate gate;
static struct tally ran, gone, ended;

static int draw_null(void *unused, void **arg)
{
	(void)unused;
	*arg = NULL;
	return 0;
}

/* A written-off job's result, the gate, goes last. */
static void count_gate(void *unused)
{
	(void)unused;
	tally_add(&ended, 1);
}

static soon_executor *idle_pool(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.workers = 1;
	o.idle_timeout = LIMIT;
	o.worker_fini = tally_free;
	o.worker_ctx = &gone;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	return e;
}

static void setup(void)
{
	soon_future *f;

	gate_init(&gate);
	tally_init(&ran);
	tally_init(&gone);
	tally_init(&ended);
	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	idle = idle_pool();
	promise = soon_future_new(NULL);
	ck_assert_ptr_nonnull(promise);
	set = soon_as_completed(&promise, 1);
	ck_assert_ptr_nonnull(set);
	imap = soon_imap_new(pool, SOON_JOB(.fn = return_null), draw_null, NULL,
			     1);
	ck_assert_ptr_nonnull(imap);
	/* Draws now, from a pool that is not closed. */
	ck_assert_int_eq(soon_imap_next(imap, 0, &f), ETIMEDOUT);
	group = soon_group_new(pool);
	ck_assert_ptr_nonnull(group);
	ck_assert_int_eq(soon_group_submit(group, return_null, NULL), 0);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_group_free(group);
	soon_imap_free(imap);
	soon_completions_free(set);
	soon_future_unref(promise);
	soon_executor_free(idle);
	soon_executor_free(pool);
	tally_fini(&ended);
	tally_fini(&gone);
	tally_fini(&ran);
	gate_fini(&gate);
}

static int wait_by(enum way way)
{
	soon_future *f;
	size_t index;

	switch (way) {
	case BY_FUTURE:
		return soon_future_wait(promise, LIMIT);
	case BY_ALL:
		return soon_wait_all(&promise, 1, LIMIT);
	case BY_ANY:
		return soon_wait_any(&promise, 1, LIMIT, &index);
	case BY_GATHER:
		return soon_gather(&promise, 1, LIMIT, NULL, NULL);
	case BY_SET:
		return soon_completions_next(set, LIMIT, &f);
	case BY_IMAP:
		return soon_imap_next(imap, LIMIT, &f);
	case BY_GROUP:
		return soon_group_wait(group, LIMIT);
	case BY_SHUTDOWN:
		return soon_executor_shutdown(pool, 0, LIMIT);
	default:
		return soon_sleep(LIMIT) == 0 ? ETIMEDOUT : -1;
	}
}

static void *wait_in_vain(void *wait)
{
	struct wait *w = wait;
	soon_nsec start = now();

	w->rc = wait_by(w->way);
	w->took = now() - start;
	return NULL;
}

static void begin_waits(struct wait *waits)
{
	for (int way = 0; way < WAYS; way++) {
		waits[way].way = (enum way)way;
		actor_start(&waits[way].actor, wait_in_vain, &waits[way]);
	}
	for (int way = 0; way < WAYS; way++)
		actor_await_asleep(&waits[way].actor);
}

static void jump(int round)
{
	wall_jump(round == 0 ? TEN_YEARS : -TEN_YEARS);
}

static void expect_unseen(void)
{
	ck_assert_uint_eq(wall_asked(), 0);
	ck_assert_uint_gt(wall_steady_asked(), 0);
	ck_assert_uint_gt(wall_slept(), 0);
}

START_TEST(a_jump_of_the_clock_ends_no_wait_and_prolongs_none)
{
	struct wait waits[WAYS];

	begin_waits(waits);
	jump(_i);
	for (size_t i = 0; i < WAYS; i++) {
		actor_join(&waits[i].actor);
		ck_assert_msg(waits[i].rc == ETIMEDOUT, "way %d: %d",
			      (int)waits[i].way, waits[i].rc);
		ck_assert_int_ge(waits[i].took, LIMIT);
	}
	expect_unseen();
}
END_TEST

/* Ends with the code no earlier than at its limit. */
static void expect_end(soon_future *f, int code, soon_nsec start)
{
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), code);
	ck_assert_int_ge(now() - start, LIMIT);
	soon_future_unref(f);
}

START_TEST(a_jump_of_the_clock_moves_no_delay_and_no_limit)
{
	soon_executor *e = pool_of(2);
	soon_future *delayed, *late, *slow, *within;
	soon_nsec start = now();

	delayed = submit_job(e, SOON_JOB(.fn = tally_job, .arg = &ran,
					 .delay = LIMIT));
	late = submit_job(pool,
			  SOON_JOB(.fn = return_null, .start_within = LIMIT));
	within = soon_within(promise, LIMIT);
	ck_assert_ptr_nonnull(within);
	slow = submit_job(e, SOON_JOB(.fn = gate_job, .arg = &gate,
				      .run_within = LIMIT,
				      .free_result = count_gate));
	ck_assert_int_eq(soon_execute(idle, return_null, NULL), 0);
	gate_await(&gate, 2);
	jump(_i);
	expect_end(delayed, 0, start);
	expect_end(late, ETIMEDOUT, start);
	expect_end(within, ETIMEDOUT, start);
	expect_end(slow, ETIMEDOUT, start);
	tally_await(&gone, 1);
	expect_unseen();
	gate_open(&gate);
	tally_await(&ended, 1); /* what was written off */
	soon_executor_free(e);
	ck_assert_uint_eq(tally_get(&ran), 1);
}
END_TEST

/* What is told of jobs' ages and times. */
START_TEST(figures_dumps_and_traces_do_not_look_at_it)
{
	soon_stats stats = SOON_STATS_INIT;
	FILE *null = fopen("/dev/null", "w");

	ck_assert_ptr_nonnull(null);
	ck_assert_int_eq(soon_trace_start("/dev/null"), 0);
	ck_assert_int_eq(soon_execute(idle, return_null, NULL), 0);
	jump(_i);
	ck_assert_int_eq(soon_executor_stats(pool, &stats), 0);
	ck_assert_int_eq(soon_executor_dump(pool, null), 0);
	ck_assert_int_eq(soon_executor_shutdown(idle, 0, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_trace_stop(), 0);
	fclose(null);
	ck_assert_uint_eq(wall_asked(), 0);
	ck_assert_uint_gt(wall_steady_asked(), 0);
}
END_TEST

static Suite *clock_suite(void)
{
	Suite *s = suite_create("fault_clock");
	TCase *t = tcase_create("fault_clock");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
		t, a_jump_of_the_clock_ends_no_wait_and_prolongs_none, 0, 2);
	tcase_add_loop_test(t, a_jump_of_the_clock_moves_no_delay_and_no_limit,
			    0, 2);
	tcase_add_loop_test(t, figures_dumps_and_traces_do_not_look_at_it, 0,
			    2);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fault_run(clock_suite());
}
