/*
 * stress_submit.c - many threads submit at once: every job runs exactly once,
 * in the order that its submitter gave, and nobody starves.
 */
#include "support/many.h"

#include <sched.h>
#include <stdlib.h>

#define PRODUCERS 4

/* A job's place in the tally, and how many more it submits itself. */
struct task {
	atomic_uint ran;
	unsigned children; /* the first of them follows at `first` */
	unsigned first;
};

static struct task *tasks;
static unsigned ntasks;
static atomic_uint refused;
static soon_executor *pool;

static void *run_task(void *arg);

/* Hand over one task by one of the calls, and forget its future. */
static void submit_one(struct task *t, unsigned how)
{
	soon_future *f = NULL;
	void *args[1] = { t };
	int rc = 0;

	if (how == 0)
		f = soon_submit(pool, run_task, t);
	else if (how == 1)
		f = soon_submit_job(pool, SOON_JOB(.fn = run_task, .arg = t));
	else if (how == 2)
		rc = soon_execute(pool, run_task, t);
	else
		rc = soon_submit_many(pool, SOON_JOB(.fn = run_task), args, 1,
				      &f);
	if (rc != 0 || (how != 2 && f == NULL))
		atomic_fetch_add(&refused, 1);
	soon_future_unref(f);
}

static void *run_task(void *arg)
{
	struct task *t = arg;

	atomic_fetch_add_explicit(&t->ran, 1, memory_order_relaxed);
	for (unsigned i = 0; i < t->children; i++)
		submit_one(&tasks[t->first + i], (t->first + i) % 4);
	return t;
}

struct producer {
	struct actor actor;
	unsigned from, to; /* its tasks */
	struct rng rng;
};

/* Submits its tasks one by one or in batches, as chance has it. */
static void *produce(void *arg)
{
	struct producer *p = arg;
	soon_future *futures[16];
	void *args[16];

	for (unsigned i = p->from; i < p->to;) {
		unsigned n = rng_below(&p->rng, 16);

		if (n < 4 || i + n > p->to) {
			submit_one(&tasks[i++], n % 4);
			continue;
		}
		for (unsigned k = 0; k < n; k++)
			args[k] = &tasks[i + k];
		if (soon_submit_many(pool, SOON_JOB(.fn = run_task), args, n,
				     n % 2 ? futures : NULL) != 0)
			atomic_fetch_add(&refused, 1);
		for (unsigned k = 0; k < n && n % 2; k++)
			soon_future_unref(futures[k]);
		i += n;
	}
	return NULL;
}

/* Some of the tasks are submitted from outside, the rest by those. */
static unsigned plan(struct rng *rng, unsigned outside, unsigned all)
{
	unsigned next = outside;

	tasks = calloc(all, sizeof(*tasks));
	ck_assert_ptr_nonnull(tasks);
	for (unsigned i = 0; i < all && next < all; i++) {
		if (i >= next)
			break;
		tasks[i].children = rng_below(rng, 5);
		if (tasks[i].children > all - next)
			tasks[i].children = all - next;
		tasks[i].first = next;
		next += tasks[i].children;
	}
	return next;
}

START_TEST(every_job_runs_exactly_once)
{
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned each = test_scale(2000);
	unsigned outside = each * PRODUCERS, wrong = 0;
	struct producer p[PRODUCERS];

	ntasks = plan(&rng, outside, outside * 3);
	pool = pool_of(1 + rng_below(&rng, 4));
	atomic_store(&refused, 0);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		p[i].from = i * each;
		p[i].to = (i + 1) * each;
		p[i].rng = rng_seed(rng_next(&rng));
		actor_start(&p[i].actor, produce, &p[i]);
	}
	for (unsigned i = 0; i < PRODUCERS; i++)
		actor_join(&p[i].actor);
	/* A nested submit after the shutdown would be refused: await all. */
	for (unsigned i = 0; i < ntasks; i++)
		while (atomic_load_explicit(&tasks[i].ran,
					    memory_order_relaxed) == 0)
			sched_yield();
	soon_executor_free(pool);
	for (unsigned i = 0; i < ntasks; i++)
		wrong += atomic_load(&tasks[i].ran) != 1;
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(atomic_load(&refused), 0);
	free(tasks);
}
END_TEST

/* What the only worker ran, in order: producer and number. */
static struct logbook book;

static void *log_job(void *entry)
{
	logbook_add(&book, (int)unbox(entry));
	return entry;
}

#define RUN 1000

static void *produce_in_order(void *number)
{
	struct rng rng = rng_seed((uint64_t)unbox(number) + 1);
	long base = unbox(number) * RUN;
	void *args[32];

	for (unsigned i = 0; i < RUN;) {
		unsigned n = rng_below(&rng, 32) + 1;

		if (n > RUN - i)
			n = RUN - i;
		for (unsigned k = 0; k < n; k++)
			args[k] = box(base + (long)(i + k));
		if (n == 1)
			soon_future_unref(soon_submit(pool, log_job, args[0]));
		else if (n % 8 == 0)
			soon_submit_many(pool, SOON_JOB(.fn = log_job), args, n,
					 NULL);
		else
			for (unsigned k = 0; k < n; k++)
				soon_execute(pool, log_job, args[k]);
		i += n;
	}
	return NULL;
}

/* Each producer's numbers appear in their order; nothing is missing. */
static void expect_in_order(unsigned producers)
{
	int next[PRODUCERS] = { 0 };

	ck_assert_uint_eq(logbook_size(&book), producers * RUN);
	for (size_t i = 0; i < producers * RUN; i++) {
		int entry = logbook_at(&book, i);

		if (entry % RUN != next[entry / RUN])
			ck_abort_msg("at %zu producer %d: %d, should be %d", i,
				     entry / RUN, entry % RUN,
				     next[entry / RUN]);
		next[entry / RUN]++;
	}
}

START_TEST(one_worker_runs_each_submitters_jobs_in_order)
{
	struct actor a[PRODUCERS];

	logbook_init(&book, PRODUCERS * RUN);
	pool = pool_of(1);
	for (int i = 0; i < PRODUCERS; i++)
		actor_start(&a[i], produce_in_order, box(i));
	for (int i = 0; i < PRODUCERS; i++)
		actor_join(&a[i]);
	soon_executor_free(pool);
	expect_in_order(PRODUCERS);
	logbook_fini(&book);
}
END_TEST

/* A job is a submitter like any other thread, and so are several. */
START_TEST(one_worker_runs_a_jobs_jobs_in_order)
{
	struct gate gate;

	gate_init(&gate);
	logbook_init(&book, PRODUCERS * RUN);
	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	for (int i = 0; i < PRODUCERS; i++)
		ck_assert_int_eq(soon_execute(pool, produce_in_order, box(i)),
				 0);
	gate_open(&gate);
	while (logbook_size(&book) < PRODUCERS * RUN)
		sched_yield();
	soon_executor_free(pool);
	expect_in_order(PRODUCERS);
	logbook_fini(&book);
	gate_fini(&gate);
}
END_TEST

static atomic_bool stop;

static void *again(void *unused)
{
	if (!atomic_load(&stop))
		soon_execute(pool, again, unused);
	return NULL;
}

static void *stop_it(void *unused)
{
	(void)unused;
	atomic_store(&stop, true);
	return NULL;
}

/* Two of these keep two workers busy with their own; a third comes through. */
START_TEST(a_worker_that_submits_to_itself_starves_nobody)
{
	soon_future *f;

	atomic_store(&stop, false);
	pool = pool_of((unsigned)_i + 1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(soon_execute(pool, again, NULL), 0);
	f = submit(pool, stop_it, NULL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	soon_executor_free(pool);
}
END_TEST

static void *ping(void *rounds)
{
	long bad = 0;

	for (long i = 0; i < unbox(rounds); i++) {
		soon_future *f = soon_submit(pool, return_arg, box(i));
		void *result = NULL;

		if (soon_future_result(f, SOON_FOREVER, &result) != 0 ||
		    unbox(result) != i)
			bad++;
		soon_future_unref(f);
	}
	return box(bad);
}

/* Workers and waiters fall asleep and wake all the time here. */
START_TEST(no_wake_up_is_lost_between_submit_and_result)
{
	unsigned rounds = test_scale(10000) / ((unsigned)_i + 1);
	struct actor a[PRODUCERS];

	pool = pool_of((unsigned)_i % 3 + 1);
	for (int i = 0; i <= _i; i++)
		actor_start(&a[i], ping, box((long)rounds));
	for (int i = 0; i <= _i; i++)
		ck_assert_int_eq(unbox(actor_join(&a[i])), 0);
	soon_executor_free(pool);
}
END_TEST

/* Idle for a moment between bursts, so that workers come and go. */
START_TEST(workers_that_come_and_go_lose_nothing)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	struct rng rng = rng_seed((uint64_t)_i);
	soon_future *f[8];

	o.workers = o.max_workers = 3;
	o.idle_timeout = 20 * SOON_USEC;
	pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(pool);
	for (unsigned i = 0; i < test_scale(500); i++) {
		unsigned n = rng_below(&rng, 8) + 1;

		for (unsigned k = 0; k < n; k++)
			f[k] = submit(pool, return_arg, NULL);
		ck_assert_int_eq(soon_wait_all(f, n, SOON_FOREVER), 0);
		unref_n(f, n);
		if (rng_below(&rng, 2) == 0)
			soon_sleep(rng_below(&rng, 100) * SOON_USEC);
	}
	soon_executor_free(pool);
}
END_TEST

START_TEST(pools_come_and_go_with_their_jobs)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct tally ran;
	unsigned n = 0;

	tally_init(&ran);
	for (unsigned i = 0; i < test_scale(300); i++) {
		soon_executor *e = soon_executor_new(rng_below(&rng, 4));

		ck_assert_ptr_nonnull(e);
		for (unsigned k = rng_below(&rng, 6); k > 0; k--, n++)
			ck_assert_int_eq(soon_execute(e, tally_job, &ran), 0);
		soon_executor_free(e);
		ck_assert_uint_eq(tally_get(&ran), n);
	}
	tally_fini(&ran);
}
END_TEST

static Suite *submit_suite(void)
{
	Suite *s = suite_create("stress_submit");
	TCase *tc = tcase_create("stress_submit");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, every_job_runs_exactly_once, 0,
			    (int)test_scale(8));
	tcase_add_loop_test(tc, one_worker_runs_each_submitters_jobs_in_order,
			    0, 3);
	tcase_add_loop_test(tc, one_worker_runs_a_jobs_jobs_in_order, 0, 2);
	tcase_add_loop_test(tc, a_worker_that_submits_to_itself_starves_nobody,
			    0, 2);
	tcase_add_loop_test(tc, no_wake_up_is_lost_between_submit_and_result, 0,
			    PRODUCERS);
	tcase_add_loop_test(tc, workers_that_come_and_go_lose_nothing, 0, 3);
	tcase_add_loop_test(tc, pools_come_and_go_with_their_jobs, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(submit_suite());
}
