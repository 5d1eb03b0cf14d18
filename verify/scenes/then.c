/*
 * then.c - continuations whose input is completed while they are cancelled, their
 * executor ends, or somebody waits for them; and combinators likewise: then.c,
 * door.c, compose.c, tell.c and a whole pool.
 */
#include "pools.h"

#include <soon/compose.h>

static soon_future *promise;
static unsigned started; /* continuations */
static unsigned told;	 /* callbacks */

static void *continue_it(soon_future *done, void *arg)
{
	sched_check(soon_future_done(done));
	started++;
	return arg;
}

static void count_told(soon_future *f, void *unused)
{
	(void)unused;
	sched_check(soon_future_done(f));
	told++;
}

static void *complete(void *unused)
{
	int rc = soon_future_set_result(promise, &told);

	sched_check(rc == 0 || rc == ECANCELED);
	return unused;
}

static void *cancel(void *future)
{
	int rc = soon_future_cancel(future);

	sched_check(rc == 0 || rc == EBUSY || rc == EALREADY);
	return NULL;
}

static void *wait_for(void *future)
{
	sched_check(soon_future_wait(future, SOON_FOREVER) == 0);
	return NULL;
}

static soon_future *begin_then(void)
{
	soon_future *f;

	started = 0;
	told = 0;
	open_pool(1, 1);
	use_shard();
	promise = soon_future_new(NULL);
	f = soon_then(promise, pool, continue_it, &started);
	sched_check(promise != NULL && f != NULL);
	sched_check(soon_future_on_done(f, count_told, NULL) == 0);
	return f;
}

/* It has one outcome, and has told so once. */
static void end_then(soon_future *f)
{
	int code;

	sched_check(soon_future_wait(f, SOON_FOREVER) == 0);
	code = soon_future_error(f);
	sched_check(code == 0 || code == ECANCELED || code == ESHUTDOWN);
	sched_check(started == (code == 0));
	soon_future_unref(f);
	soon_future_unref(promise);
}

static void completed_while_cancelled(void)
{
	soon_future *f = begin_then();
	unsigned a = sched_spawn("A", complete, NULL);

	cancel(f);
	sched_join(a);
	end_then(f);
	end_pool();
	sched_check(told == 1);
}

/* The pool may be gone when the input is done. */
static void completed_while_the_pool_ends(void)
{
	soon_future *f = begin_then();
	unsigned a = sched_spawn("A", complete, NULL);

	end_pool();
	sched_join(a);
	end_then(f);
	sched_check(told == 1);
}

static void cancelled_while_the_pool_ends(void)
{
	soon_future *f = begin_then();
	unsigned a;

	complete(NULL);
	a = sched_spawn("A", cancel, f);
	end_pool();
	sched_join(a);
	end_then(f);
	sched_check(told == 1);
}

/* The input and the last reference to the continuation go at once. */
static void *drop(void *future)
{
	soon_future_unref(future);
	return NULL;
}

static void completed_while_dropped(void)
{
	soon_future *f = begin_then();
	unsigned a = sched_spawn("A", drop, f);

	complete(NULL);
	soon_future_unref(promise);
	sched_join(a);
	end_pool();
	sched_check(started == 1 && told == 1);
}

/* Nobody but the waiter has it while that is fired. */
static void completed_while_given_up(void)
{
	soon_future *f = begin_then();
	unsigned a = sched_spawn("A", complete, NULL);

	cancel(f);
	soon_future_unref(f);
	sched_join(a);
	soon_future_unref(promise);
	end_pool();
	sched_check(told == 1);
}

/* Combinators */

static soon_future *other;

static void *complete_other(void *unused)
{
	sched_check(soon_future_set_result(other, NULL) == 0);
	return unused;
}

static soon_future *begin_race(soon_future *make(soon_future *const *, size_t))
{
	soon_future *in[2];
	soon_future *f;

	told = 0;
	in[0] = promise = soon_future_new(NULL);
	in[1] = other = soon_future_new(NULL);
	f = make(in, 2);
	sched_check(f != NULL);
	sched_check(soon_future_on_done(f, count_told, NULL) == 0);
	return f;
}

static void end_race_as(soon_future *f, int code)
{
	wait_for(f);
	sched_check(told == 1 && soon_future_error(f) == code);
	soon_future_unref(f);
	soon_future_unref(promise);
	soon_future_unref(other);
}

static void end_race(soon_future *f)
{
	end_race_as(f, 0);
}

static void two_inputs(soon_future *make(soon_future *const *, size_t))
{
	soon_future *f = begin_race(make);
	unsigned a = sched_spawn("A", complete_other, NULL);

	complete(NULL);
	sched_join(a);
	end_race(f);
}

static void all_of_two(void)
{
	two_inputs(soon_when_all);
}

static void any_of_two(void)
{
	two_inputs(soon_when_any);
}

/* One input is done while the race is made. */
static void made_while_completed(void)
{
	soon_future *in[2];
	soon_future *f;
	unsigned a;

	in[0] = other = soon_future_new(NULL);
	in[1] = promise = soon_future_new(NULL);
	a = sched_spawn("A", complete_other, NULL);
	f = soon_when_any(in, 2);
	sched_join(a);
	sched_check(f != NULL && soon_future_done(f));
	soon_future_unref(f);
	soon_future_unref(promise);
	soon_future_unref(other);
}

/* Whichever of them is done first, the failure counts, or does not. */
static void *fail_other(void *unused)
{
	sched_check(soon_future_set_error(other, EIO, NULL) == 0);
	return unused;
}

static void one_of_two_fails(soon_future *make(soon_future *const *, size_t),
			     int code)
{
	soon_future *f = begin_race(make);
	unsigned a = sched_spawn("A", fail_other, NULL);

	complete(NULL);
	sched_join(a);
	end_race_as(f, code);
}

static void all_but_one_fails(void)
{
	one_of_two_fails(soon_when_all, EIO);
}

static void success_but_one_fails(void)
{
	one_of_two_fails(soon_first_success, 0);
}

/* The only input is done while a future like it is made. */
static void shielded_while_completed(void)
{
	soon_future *f;
	unsigned a;

	promise = soon_future_new(NULL);
	sched_check(promise != NULL);
	a = sched_spawn("A", complete, NULL);
	f = soon_shield(promise);
	sched_join(a);
	sched_check(f != NULL && soon_future_error(f) == 0);
	sched_check(soon_future_take(f) == &told);
	soon_future_unref(f);
	soon_future_unref(promise);
}

static void all_cancelled(void)
{
	soon_future *f = begin_race(soon_when_all);
	unsigned a = sched_spawn("A", cancel, f);

	complete(NULL);
	sched_join(a);
	sched_check(soon_future_state(f) == SOON_CANCELLED);
	sched_check(soon_future_state(other) == SOON_CANCELLED);
	end_race_as(f, ECANCELED);
}

/* The clock and one who completes or cancels; no code of the user's holds up the
 * clock's end. */
static void within(void *(*meddle)(void *))
{
	unsigned a;
	soon_future *f;
	int code;

	promise = soon_future_new(NULL);
	f = soon_within(promise, 1);
	sched_check(f != NULL);
	a = sched_spawn("A", meddle, f);
	wait_for(f);
	sched_join(a);
	sched_check(soon_future_done(promise));
	code = soon_future_error(f);
	sched_check(code == 0 || code == ETIMEDOUT || code == ECANCELED);
	/* It may get done just as the time is over. */
	sched_check(code == soon_future_error(promise) || code == ETIMEDOUT);
	soon_future_unref(f);
	soon_future_unref(promise);
	sooni_timer_forget();
}

static void within_completed(void)
{
	within(complete);
}

static void within_cancelled(void)
{
	within(cancel);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "then: completed while cancelled", completed_while_cancelled,
		  2, 0, 0, false },
		{ "then: completed while the pool ends",
		  completed_while_the_pool_ends, 2, 0, 0, false },
		{ "then: cancelled while the pool ends",
		  cancelled_while_the_pool_ends, 1, 0, 0, false },
		{ "then: completed while dropped", completed_while_dropped, 2,
		  0, 0, false },
		{ "then: completed while given up", completed_while_given_up, 2,
		  0, 0, false },
		{ "then: all of two", all_of_two, 3, 0, 0, false },
		{ "then: any of two", any_of_two, 3, 0, 0, false },
		{ "then: made while completed", made_while_completed, 3, 0, 0,
		  false },
		{ "then: all, but one fails", all_but_one_fails, 3, 0, 0,
		  false },
		{ "then: success, but one fails", success_but_one_fails, 3, 0,
		  0, false },
		{ "then: shielded while completed", shielded_while_completed, 3,
		  0, 0, false },
		{ "then: all cancelled", all_cancelled, 2, 0, 0, false },
		{ "then: within completed", within_completed, 2, 1, 0, false },
		{ "then: within cancelled", within_cancelled, 2, 1, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
