/*
 * api_order.c - in which order jobs start, and that all get their turn.
 */
#include "support/support.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static soon_executor *pool;
static struct gate gate;
static struct logbook book;

static void setup(void)
{
	pool = NULL;
	gate_init(&gate);
	logbook_init(&book, test_scale(20000) + 20000);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
	logbook_fini(&book);
}

static void end_pool(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

static void *note(void *number)
{
	logbook_add(&book, (int)unbox(number));
	return NULL;
}

/* Hand over the jobs from..to-1 by one of the calls there are. */
static int hand_over(int kind, int from, int to)
{
	void *args[64];
	int rc = 0;

	for (int i = from; i < to; i++) {
		args[i - from] = box(i);
		if (kind == 0)
			soon_future_unref(soon_submit(pool, note, box(i)));
		else if (kind == 1)
			rc = soon_execute(pool, note, box(i));
		else if (kind == 2)
			soon_future_unref(soon_submit_job(
				pool, SOON_JOB(.fn = note, .arg = box(i))));
	}
	if (kind == 3)
		rc = soon_submit_many(pool, SOON_JOB(.fn = note), args,
				      (size_t)(to - from), NULL);
	return rc;
}

/* Jobs 0..n-1 in lots of random size and kind; 0 or a code. */
static int hand_over_all(uint64_t seed, int n)
{
	struct rng rng = rng_seed(seed);
	int rc = 0;

	for (int i = 0; i < n && rc == 0;) {
		int to = i + 1 + (int)rng_below(&rng, 64);

		to = to < n ? to : n;
		rc = hand_over((int)rng_below(&rng, 4), i, to);
		i = to;
	}
	return rc;
}

/*
 * With one worker the log is the order of starts.  With w of them a job that
 * started may be overtaken in the log by later ones, but at most w - 1 at a
 * time are on their way to it.
 */
static void expect_order(int n, int w)
{
	bool *logged = calloc((size_t)n, sizeof(*logged));
	int next = 0;

	ck_assert_uint_eq(logbook_size(&book), (size_t)n);
	ck_assert_ptr_nonnull(logged);
	for (size_t i = 0; i < (size_t)n; i++) {
		int job = logbook_at(&book, i), missing = 0;

		logged[job] = true;
		while (next < n && logged[next])
			next++;
		for (int j = next; j < job; j++)
			missing += !logged[j];
		ck_assert_msg(missing < w, "%d jobs before %d not started",
			      missing, job);
	}
	free(logged);
}

START_TEST(one_worker_starts_jobs_in_the_order_of_submission)
{
	int n = (int)test_scale(5000);

	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
	ck_assert_int_eq(hand_over_all((uint64_t)_i, n), 0);
	end_pool();
	expect_order(n, 1);
}
END_TEST

START_TEST(one_worker_keeps_the_order_while_jobs_arrive)
{
	int n = (int)test_scale(20000);

	pool = pool_of(1);
	ck_assert_int_eq(hand_over_all((uint64_t)_i, n), 0);
	end_pool();
	expect_order(n, 1);
}
END_TEST

START_TEST(workers_overtake_by_no_more_than_their_number)
{
	static const unsigned workers[] = { 2, 3, 8 };
	unsigned w = workers[(unsigned)_i % COUNT_OF(workers)];
	int n = (int)test_scale(5000);

	pool = pool_of(w);
	pool_hold(pool, &gate, w);
	ck_assert_int_eq(hand_over_all((uint64_t)_i, n), 0);
	end_pool();
	expect_order(n, (int)w);
}
END_TEST

/* The arguments of submit_from_job(). */
struct lot {
	uint64_t seed;
	int n;
};

static void *submit_from_job(void *arg)
{
	struct lot *lot = arg;

	return box(hand_over_all(lot->seed, lot->n));
}

START_TEST(the_jobs_of_a_job_start_in_the_order_of_submission)
{
	unsigned w = _i % 2 == 0 ? 1 : 3;
	struct lot lot = { (uint64_t)_i, (int)test_scale(5000) };
	void *rc = NULL;
	soon_future *f;

	pool = pool_of(w);
	if (w > 1)
		pool_hold(pool, &gate, w - 1);
	f = submit(pool, submit_from_job, &lot);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &rc), 0);
	ck_assert_int_eq(unbox(rc), 0);
	end_pool();
	expect_order(lot.n, (int)w);
	soon_future_unref(f);
}
END_TEST

enum { SUBMITTERS = 4, EACH = 2000 };

static void *submit_numbered(void *arg)
{
	int base = (int)unbox(arg) * EACH;
	int rc = 0;

	for (int i = 0; i < EACH && rc == 0; i++)
		rc = soon_execute(pool, note, box(base + i));
	return box(rc);
}

START_TEST(each_submitting_thread_keeps_its_own_order)
{
	struct actor submitter[SUBMITTERS];
	int next[SUBMITTERS] = { 0 };

	pool = pool_of(1);
	for (int i = 0; i < SUBMITTERS; i++)
		actor_start(&submitter[i], submit_numbered, box(i));
	for (int i = 0; i < SUBMITTERS; i++)
		ck_assert_int_eq(unbox(actor_join(&submitter[i])), 0);
	end_pool();
	ck_assert_uint_eq(logbook_size(&book), SUBMITTERS * EACH);
	for (size_t i = 0; i < SUBMITTERS * EACH; i++) {
		int value = logbook_at(&book, i);

		ck_assert_int_eq(value % EACH, next[value / EACH]++);
	}
}
END_TEST

static atomic_bool enough;

/* Keeps the pool busy with itself until somebody says that it is enough. */
static void *go_on(void *arg)
{
	if (!atomic_load(&enough))
		soon_execute(pool, go_on, arg);
	return NULL;
}

static void *say_enough(void *arg)
{
	atomic_store(&enough, true);
	return arg;
}

START_TEST(a_worker_that_feeds_itself_does_not_starve_the_others)
{
	soon_future *f;

	pool = pool_of(1);
	atomic_store(&enough, false);
	for (int i = 0; i < 1 + _i * 10; i++)
		ck_assert_int_eq(soon_execute(pool, go_on, NULL), 0);
	f = submit(pool, say_enough, NULL);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
}
END_TEST

static void *say_enough_from_job(void *arg)
{
	(void)arg;
	return box(soon_execute(pool, say_enough, NULL));
}

/* The other way round: a job's own job has its turn although there is always
 * something in the queue from outside. */
START_TEST(outside_jobs_do_not_starve_those_of_jobs)
{
	enum { AHEAD = 500 };
	static soon_future *ring[AHEAD];
	soon_future *f;

	pool = pool_of(1);
	atomic_store(&enough, false);
	for (int i = 0; i < AHEAD; i++)
		ring[i] = submit(pool, return_null, NULL);
	f = submit(pool, say_enough_from_job, NULL);
	for (int i = 0; !atomic_load(&enough); i = (i + 1) % AHEAD) {
		ck_assert_int_eq(soon_future_wait(ring[i], SOON_FOREVER), 0);
		soon_future_unref(ring[i]);
		ring[i] = submit(pool, return_null, NULL);
	}
	for (int i = 0; i < AHEAD; i++)
		soon_future_unref(ring[i]);
	soon_future_unref(f);
}
END_TEST

/* Submits jobs of its own behind those that have been queued meanwhile. */
static void *pass_and_hand_over(void *to)
{
	gate_pass(&gate);
	return box(hand_over(3, 0, (int)unbox(to)));
}

START_TEST(a_workers_own_jobs_go_first_but_for_one_now_and_then)
{
	enum { OWN = 50, OTHERS = 50 };
	int last = 0;

	pool = pool_of(1);
	ck_assert_int_eq(soon_execute(pool, pass_and_hand_over, box(OWN)), 0);
	gate_await(&gate, 1);
	ck_assert_int_eq(hand_over(0, OWN, OWN + OTHERS), 0);
	gate_open(&gate);
	logbook_await(&book, OWN + OTHERS);
	for (int i = 0; i < OWN + OTHERS; i++)
		if (logbook_at(&book, (size_t)i) < OWN)
			last = i;
	ck_assert_int_le(last, OWN);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("order");
	TCase *t = tcase_create("order");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(
		t, one_worker_starts_jobs_in_the_order_of_submission, 0, 3);
	tcase_add_loop_test(t, one_worker_keeps_the_order_while_jobs_arrive, 0,
			    3);
	tcase_add_loop_test(t, workers_overtake_by_no_more_than_their_number, 0,
			    9);
	tcase_add_loop_test(
		t, the_jobs_of_a_job_start_in_the_order_of_submission, 0, 6);
	tcase_add_test(t, each_submitting_thread_keeps_its_own_order);
	suite_add_tcase(s, t);

	t = tcase_create("fairness");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(
		t, a_worker_that_feeds_itself_does_not_starve_the_others, 0, 3);
	tcase_add_test(t, a_workers_own_jobs_go_first_but_for_one_now_and_then);
	tcase_add_test(t, outside_jobs_do_not_starve_those_of_jobs);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
