/*
 * user.c - a pool as programs use it, by public calls alone: jobs are cancelled,
 * waited for with a limit, collected and dropped, and the pool ends meanwhile.
 */
#include "pools.h"

#include <soon/future.h>
#include <soon/group.h>
#include <soon/wait.h>

static unsigned args_freed, results_freed, told;

static void free_arg(void *unused)
{
	(void)unused;
	args_freed++;
}

static void free_result(void *unused)
{
	(void)unused;
	results_freed++;
}

static void count_told(soon_future *f, void *unused)
{
	(void)unused;
	sched_check(soon_future_done(f));
	told++;
}

static void open_account(void)
{
	args_freed = 0;
	results_freed = 0;
	told = 0;
}

/* A job whose argument and result have destructors. */
static soon_future *submit_counted(void)
{
	soon_job job = { .size = sizeof(job),
			 .fn = quick,
			 .arg = &ran,
			 .free_arg = free_arg,
			 .free_result = free_result };
	soon_future *f;

	use_shard();
	f = soon_submit_job(pool, &job);
	accepted += f != NULL;
	return f;
}

static void *unref(void *future)
{
	soon_future_unref(future);
	return NULL;
}

static void *cancel_and_unref(void *future)
{
	int rc = soon_future_cancel(future);

	sched_check(rc == 0 || rc == EBUSY || rc == EALREADY);
	soon_future_unref(future);
	return NULL;
}

static void *get_and_unref(void *future)
{
	void *result = NULL;
	int rc = soon_future_result(future, SOON_FOREVER, &result);

	sched_check(rc == ECANCELED ? result == NULL
				    : rc == 0 && result == &ran);
	soon_future_unref(future);
	return NULL;
}

/* Nobody has it any more, so each destructor has run as often as it must. */
static void end_account(unsigned jobs)
{
	end_pool();
	sched_check(args_freed == jobs);
	sched_check(results_freed == ran);
	sched_check(ran <= jobs);
}

/* One thread submits, one cancels, one gets the result, and each drops it. */
static void cancelled_while_got(void)
{
	soon_future *f;
	unsigned a, b;

	open_account();
	open_pool(1, 1);
	f = submit_counted();
	sched_check(soon_future_on_done(f, count_told, NULL) == 0);
	a = sched_spawn("A", cancel_and_unref, soon_future_ref(f));
	b = sched_spawn("B", unref, soon_future_ref(f));
	get_and_unref(f);
	sched_join(a);
	sched_join(b);
	end_account(1);
	sched_check(told == 1);
}

/* Takes the result from those who would free it. */
static void *take_and_unref(void *future)
{
	sched_check(soon_future_wait(future, SOON_FOREVER) == 0);
	results_freed += soon_future_take(future) != NULL;
	soon_future_unref(future);
	return NULL;
}

/* The pool is freed; futures are not its own. */
static void freed_while_held(void)
{
	soon_future *f;
	unsigned a, b;

	open_account();
	open_pool(1, 1);
	f = submit_counted();
	a = sched_spawn("A", take_and_unref, soon_future_ref(f));
	b = sched_spawn("B", cancel_and_unref, soon_future_ref(f));
	sched_check(soon_future_on_done(f, count_told, NULL) == 0);
	end_pool();
	sched_check(told == 1 && args_freed == 1);
	sched_join(a);
	sched_join(b);
	sched_check(soon_future_error(f) == (ran == 1 ? 0 : ECANCELED));
	soon_future_unref(f);
	sched_check(results_freed == ran);
}

/* A wait with a limit leaves nothing behind on the future. */
static void timed_out(void)
{
	soon_future *f;
	int rc;

	open_account();
	open_pool(1, 1);
	f = submit_counted();
	rc = soon_future_wait(f, 1);
	sched_check(rc == ETIMEDOUT || (rc == 0 && soon_future_done(f)));
	soon_future_unref(f);
	end_account(1);
	sched_check(ran == 1);
}

/* ... nor on any of many. */
static void timed_out_of_many(void)
{
	soon_future *f[2];
	size_t i = 2;
	int rc;

	open_account();
	open_pool(1, 1);
	f[0] = submit_counted();
	f[1] = submit_counted();
	rc = soon_wait_any(f, 2, 1, &i);
	sched_check(rc == ETIMEDOUT || (rc == 0 && soon_future_done(f[i])));
	rc = soon_wait_all(f, 2, 1);
	sched_check(rc == ETIMEDOUT || (rc == 0 && ran == 2));
	soon_future_unref(f[0]);
	soon_future_unref(f[1]);
	end_account(2);
	sched_check(ran == 2);
}

/* A set is given up while its jobs are completed; it may have said so of one. */
static void set_freed(void)
{
	soon_completions *set;
	soon_future *f[2];
	soon_future *next;
	unsigned a;
	int rc;

	open_account();
	open_pool(1, 1);
	f[0] = submit_counted();
	f[1] = submit_counted();
	set = soon_as_completed(f, 2);
	sched_check(set != NULL);
	a = sched_spawn("A", cancel_and_unref, f[1]);
	soon_future_unref(f[0]);
	rc = soon_completions_next(set, 1, &next);
	sched_check(rc == ETIMEDOUT || (rc == 0 && soon_future_done(next)));
	soon_completions_free(set);
	sched_join(a);
	end_account(2);
}

/* Groups */

static soon_group *group;

/* What is refused never runs, though one who waits for the group could run it. */
static void *submit_to_group(void *refused)
{
	int rc;

	use_shard();
	rc = soon_group_submit(group, quick, NULL);
	sched_check(rc == 0 || rc == ESHUTDOWN || rc == ECANCELED);
	accepted += rc == 0;
	*(bool *)refused = rc != 0;
	return NULL;
}

static void open_group(void)
{
	options.flags = SOON_HELP;
	open_pool(1, 1);
	group = soon_group_new(pool);
	sched_check(group != NULL);
}

static void *close_to_submits(void *unused)
{
	soon_executor_shutdown(pool, 0, 0);
	return unused;
}

static void group_refused(void)
{
	bool refused = false;
	unsigned a, b;

	open_group();
	a = sched_spawn("A", submit_to_group, &refused);
	b = sched_spawn("B", close_to_submits, NULL);
	sched_check(soon_group_wait(group, SOON_FOREVER) == 0);
	sched_join(b);
	sched_join(a);
	soon_group_free(group);
	end_all_ran();
	sched_check(!refused || ran == 0);
}

static void *cancel_group(void *unused)
{
	soon_group_cancel(group);
	return unused;
}

/* Members end before the group does, run by whom they may be. */
static void group_cancelled(void)
{
	bool refused = false;
	unsigned a;

	open_group();
	submit_to_group(&refused);
	a = sched_spawn("A", cancel_group, NULL);
	submit_to_group(&refused);
	sched_check(soon_group_wait(group, 1) != EINVAL);
	sched_join(a);
	soon_group_free(group);
	sched_check(ran <= accepted);
	end_pool();
}

/* Maps from a source */

static int two_args(void *count, void **arg)
{
	unsigned *given = count;

	*arg = &ran;
	return ++*given > 2 ? ENODATA : 0;
}

static void *shut_down(void *unused)
{
	soon_executor_shutdown(pool, SOON_CANCEL_PENDING, SOON_FOREVER);
	return unused;
}

/* Given up with a job in hand, and the pool may end: what was drawn is freed. */
static void map_freed(void)
{
	soon_job each = { .size = sizeof(each),
			  .fn = quick,
			  .free_arg = free_arg,
			  .free_result = free_result };
	unsigned given = 0;
	soon_future *f;
	soon_imap *m;
	unsigned a;
	int rc;

	open_account();
	open_pool(1, 1);
	use_shard();
	m = soon_imap_new(pool, &each, two_args, &given, 2);
	sched_check(m != NULL);
	a = sched_spawn("A", shut_down, NULL);
	rc = soon_imap_next(m, 1, &f);
	sched_check(rc == 0 || rc == ETIMEDOUT || rc == ESHUTDOWN);
	sched_check(rc != 0 || soon_future_done(f));
	soon_imap_free(m);
	sched_join(a);
	end_account(given > 2 ? 2 : given);
}

/* Two ends at once, with submits */

static void *submit_and_drop(void *unused)
{
	soon_future_unref(submit_counted());
	return unused;
}

static void ended_by_two(void)
{
	unsigned a, b;

	open_account();
	open_pool(1, 1);
	a = sched_spawn("A", submit_and_drop, NULL);
	b = sched_spawn("B", shut_down, NULL);
	sched_check(soon_executor_shutdown(pool, 0, SOON_FOREVER) == 0);
	sched_join(a);
	sched_join(b);
	end_account(accepted);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "user: cancelled while got", cancelled_while_got, 1, 0, 0,
		  false },
		{ "user: freed while held", freed_while_held, 1, 0, 0, false },
		{ "user: timed out", timed_out, 2, 1, 0, false },
		{ "user: timed out of many", timed_out_of_many, 2, 2, 0,
		  false },
		{ "user: set freed", set_freed, 1, 1, 0, false },
		{ "user: group refused", group_refused, 2, 0, 0, false },
		{ "user: group cancelled", group_cancelled, 1, 1, 0, false },
		{ "user: map freed", map_freed, 1, 1, 0, false },
		{ "user: ended by two", ended_by_two, 1, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
