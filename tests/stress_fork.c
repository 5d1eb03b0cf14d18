/*
 * stress_fork.c - fork at any moment, from any thread, while others submit, wait,
 * settle and cancel: every child ends by itself, and finds all as it should be.
 */
#include "support/child.h"

#include <errno.h>
#include <stdlib.h>

enum { POOLS = 3, ACTORS = 3, JOBS = 24, FORKS = 6 };

static soon_executor *pools[POOLS]; /* the last is the default one */
static atomic_bool stop;
static atomic_uint wrong_children;

/* Forks by jobs and callbacks, to come and over. */
static atomic_uint forks_begun;
static struct tally forks_over;

/* A promise that any thread may keep, whenever it is made. */
static soon_future *_Atomic shared_promise;

static void *spin_job(void *arg)
{
	for (volatile long i = 0; i < unbox(arg) % 512; i++)
		;
	return arg;
}

static soon_executor *any_pool(struct rng *r)
{
	return pools[rng_below(r, POOLS)];
}

static void *nest_job(void *arg)
{
	struct rng r = rng_seed((uint64_t)unbox(arg));
	soon_future *f = soon_submit(any_pool(&r), spin_job, arg);
	void *result = NULL;

	if (f == NULL)
		return arg;
	if (soon_future_result(f, SOON_FOREVER, &result) != 0)
		result = NULL;
	soon_future_unref(f);
	return result;
}

/* What any child can count on: the pools work, and end. */
static const char *pools_go_on(struct rng *r)
{
	const char *wrong = NULL;
	soon_executor *fresh;

	for (int i = 0; i < POOLS && wrong == NULL; i++)
		wrong = pool_works(pools[i]);
	if (wrong != NULL)
		return wrong;
	if (rng_below(r, 2) == 0) {
		soon_executor_free(pools[0]);
		soon_executor_free(pools[1]);
	}
	if (rng_below(r, 4) == 0) {
		fresh = soon_executor_new(2);
		CLAIM(fresh != NULL);
		wrong = pool_works(fresh);
		soon_executor_free(fresh);
	}
	return wrong;
}

static void count_if_wrong(pid_t pid)
{
	if (!child_ended(pid, ENDED_WELL))
		atomic_fetch_add(&wrong_children, 1);
}

static void *fork_job(void *arg)
{
	struct rng r = rng_seed((uint64_t)unbox(arg));
	pid_t pid = fork_child();

	if (pid == 0)
		child_end(soon_self() == NULL ? pools_go_on(&r)
					      : "soon_self()");
	count_if_wrong(pid);
	tally_add(&forks_over, 1);
	return arg;
}

static void fork_callback(soon_future *f, void *arg)
{
	(void)f;
	fork_job(arg);
}

/* What the other threads do meanwhile */

static void act_set(struct rng *r, soon_future **f, size_t n)
{
	soon_completions *set = soon_as_completed(f, n);
	soon_future *done;

	if (set == NULL)
		return;
	for (unsigned i = rng_below(r, (unsigned)n + 1); i > 0; i--)
		soon_completions_next(
			set, rng_below(r, 2) ? SOON_FOREVER : 1000, &done);
	soon_completions_free(set);
}

static void act_wait(struct rng *r, soon_future **f, size_t n)
{
	size_t index;

	switch (rng_below(r, 5)) {
	case 0:
		soon_wait_all(f, n, SOON_FOREVER);
		break;
	case 1:
		soon_wait_any(f, n, SOON_FOREVER, &index);
		break;
	case 2:
		soon_wait(f, n, SOON_FIRST_ERROR, 20 * SOON_USEC, NULL);
		break;
	case 3:
		act_set(r, f, n);
		break;
	default:
		for (size_t i = 0; i < n; i++)
			soon_future_cancel(f[i]);
	}
}

static void act_promise(struct rng *r)
{
	soon_future *f = soon_future_new(NULL);
	soon_future *old;

	if (f == NULL)
		return;
	soon_future_ref(f);
	old = atomic_exchange(&shared_promise, f);
	if (old != NULL) {
		soon_future_set_result(old, NULL);
		soon_future_unref(old);
	}
	act_set(r, &f, 0);
	soon_future_wait(f, 10 * SOON_USEC);
	soon_future_set_result(f, NULL);
	soon_future_unref(f);
}

/* A job, or a callback, that forks; nobody cancels it. */
static void act_fork(struct rng *r)
{
	soon_executor *e = any_pool(r);
	bool in_job = rng_below(r, 2) == 0;
	void *arg = box(1 + (long)rng_below(r, 100000));
	soon_future *f = soon_submit(e, in_job ? fork_job : spin_job, arg);

	if (f == NULL)
		return;
	atomic_fetch_add(&forks_begun, 1);
	if (!in_job)
		soon_future_on_done(f, fork_callback, arg);
	soon_future_unref(f);
}

static int fail_init(void *unused)
{
	(void)unused;
	return 1;
}

/* A pool that comes and goes, and may break. */
static void act_pool(struct rng *r)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.max_workers = 2;
	if (rng_below(r, 3) == 0)
		o.worker_init = fail_init;
	e = soon_executor_open(&o);
	for (unsigned i = rng_below(r, 10); e != NULL && i > 0; i--)
		soon_execute(e, spin_job, box((long)i));
	if (rng_below(r, 2) == 0 && e != NULL)
		soon_executor_shutdown(e, SOON_CANCEL_PENDING, 0);
	soon_executor_free(e);
}

static void *act(void *seed)
{
	struct rng r = rng_seed((uint64_t)unbox(seed));
	soon_future *f[8];

	while (!atomic_load(&stop)) {
		soon_job each = SOON_JOB_INIT;
		size_t n = 1 + rng_below(&r, COUNT_OF(f));

		each.fn = rng_below(&r, 3) == 0 ? nest_job : spin_job;
		each.arg = box(1 + (long)rng_below(&r, 100000));
		if (soon_submit_many(any_pool(&r), &each, NULL, n, f) != 0)
			continue;
		act_wait(&r, f, n);
		unref_n(f, n);
		act_promise(&r);
		if (rng_below(&r, 100) == 0)
			act_fork(&r);
		if (rng_below(&r, 10) == 0)
			act_pool(&r);
	}
	return NULL;
}

/* What the main thread has in hand when it forks */
struct mine {
	soon_future *f[JOBS];
	soon_future *promise;
	soon_completions *set;
	void *args[JOBS];
};

static void mine_init(struct mine *m, struct rng *r)
{
	soon_future *members[JOBS + 1];

	for (size_t i = 0; i < JOBS; i++) {
		m->args[i] = box(1 + (long)rng_below(r, 100000));
		m->f[i] = submit(any_pool(r),
				 rng_below(r, 3) == 0 ? nest_job : spin_job,
				 m->args[i]);
		members[i] = m->f[i];
	}
	m->promise = must_promise();
	members[JOBS] = m->promise;
	m->set = soon_as_completed(members, JOBS + 1);
	ck_assert_ptr_nonnull(m->set);
}

static void mine_fini(struct mine *m)
{
	soon_completions_free(m->set);
	soon_future_unref(m->promise);
	unref_n(m->f, JOBS);
}

/* Take what the set has; each future once. */
static const char *empty_set(struct mine *m)
{
	size_t seen = 0;
	soon_future *f;

	CLAIM(soon_future_set_result(m->promise, NULL) == 0);
	while (soon_completions_next(m->set, SOON_FOREVER, &f) == 0) {
		CLAIM(soon_future_done(f));
		seen++;
	}
	CLAIM(seen <= JOBS + 1);
	CLAIM(soon_completions_left(m->set) == 0);
	CLAIM(soon_completions_next(m->set, 0, &f) == ENODATA);
	return NULL;
}

/* is_child: a job may have been left to the parent. */
static const char *all_are_right(struct mine *m, bool is_child)
{
	CLAIM(soon_wait_all(m->f, JOBS, SOON_FOREVER) == 0);
	for (size_t i = 0; i < JOBS; i++) {
		void *result;
		int rc = soon_future_result(m->f[i], SOON_FOREVER, &result);

		CLAIM(rc == 0 || (is_child && rc == SOON_EFORKED));
		CLAIM(rc != 0 || result == m->args[i]);
	}
	return empty_set(m);
}

static _Noreturn void be_child(struct mine *m, struct rng *r)
{
	soon_future *p = atomic_load(&shared_promise);
	const char *wrong = all_are_right(m, true);

	if (wrong == NULL && p != NULL) {
		/* It may be that nobody keeps it any more, but us. */
		soon_future_set_result(p, NULL);
		if (soon_future_wait(p, SOON_FOREVER) != 0)
			wrong = "a promise of many";
	}
	if (wrong == NULL)
		wrong = pools_go_on(r);
	mine_fini(m);
	if (wrong == NULL && rng_below(r, 3) == 0)
		exit(ENDED_WELL);
	child_end(wrong);
}

static void fork_once(struct rng *r)
{
	struct mine m;
	soon_future *f;
	pid_t pid;

	mine_init(&m, r);
	for (unsigned i = rng_below(r, 4); i > 0; i--)
		soon_completions_next(m.set, SOON_FOREVER, &f);
	for (volatile unsigned i = rng_below(r, 20000); i > 0; i--)
		;
	pid = fork_child();
	if (pid == 0)
		be_child(&m, r);
	ck_assert_ptr_null(all_are_right(&m, false));
	mine_fini(&m);
	ck_assert(child_ended(pid, ENDED_WELL));
}

START_TEST(children_of_a_busy_program_end_well)
{
	struct rng r = rng_seed((uint64_t)_i);
	struct actor actors[ACTORS];

	atomic_store(&stop, false);
	atomic_store(&wrong_children, 0);
	atomic_store(&forks_begun, 0);
	tally_init(&forks_over);
	for (int i = 0; i < POOLS - 1; i++)
		pools[i] = soon_executor_new(1 + rng_below(&r, 3));
	pools[POOLS - 1] = soon_default_executor();
	for (int i = 0; i < ACTORS; i++)
		actor_start(&actors[i], act, box(1 + _i * ACTORS + i));
	for (int i = 0; i < FORKS; i++)
		fork_once(&r);
	atomic_store(&stop, true);
	for (int i = 0; i < ACTORS; i++)
		actor_join(&actors[i]);
	tally_await(&forks_over, atomic_load(&forks_begun));
	tally_fini(&forks_over);
	soon_executor_free(pools[0]);
	soon_executor_free(pools[1]);
	soon_future_unref(atomic_exchange(&shared_promise, NULL));
	ck_assert_uint_eq(atomic_load(&wrong_children), 0);
}
END_TEST

int main(void)
{
	Suite *suite;
	TCase *tc;

	if (CHILDREN_MAY_HANG) {
		puts("stress_fork: the address sanitizer's own locks do not "
		     "survive a fork while other threads use memory");
		return 77;
	}
	suite = suite_create("stress_fork");
	tc = tcase_create("stress_fork");
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, children_of_a_busy_program_end_well, 0,
			    (int)test_scale(40));
	suite_add_tcase(suite, tc);
	return test_run(suite);
}
