/*
 * api_group_wait.c - jobs that wait for groups, and what they run meanwhile.
 */
#include "support/dump.h"
#include "support/group.h"

#include <errno.h>
#include <pthread.h>
#include <soon/error.h>

#define N 20

static soon_group *group;
static struct item items[N];

static void setup(void)
{
	dump_setup();
	items_init(items, NULL, N);
	group = group_of(pool);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_group_free(group);
	dump_teardown();
}

/* A sum over a tree: a group at each node. */
struct sum {
	soon_executor *pool;
	long depth;
	long result;
};

static void *add_up(void *arg)
{
	struct sum *s = arg;
	struct sum child[2];
	soon_group *g;

	s->result = 1;
	if (s->depth == 0)
		return NULL;
	g = soon_group_new(s->pool);
	for (int i = 0; i < 2; i++) {
		child[i] = (struct sum){ s->pool, s->depth - 1, 0 };
		if (soon_group_submit(g, add_up, &child[i]) != 0)
			soon_group_cancel(g);
	}
	if (s->depth % 2 == 0 && soon_group_wait(g, SOON_FOREVER) != 0)
		soon_group_cancel(g);
	soon_group_free(g);
	s->result += child[0].result + child[1].result;
	return NULL;
}

/* However few threads, and without threads. */
START_TEST(groups_within_groups_need_no_free_worker)
{
	soon_executor *own = _i == 0 ? inline_pool() : pool_of((unsigned)_i);
	struct sum all = { own, 8, 0 };
	soon_group *g = group_of(own);

	join(g, add_up, &all);
	expect_end(g, 0, "");
	ck_assert_int_eq(all.result, (1 << 9) - 1);
	soon_group_free(g);
	soon_executor_free(own);
}
END_TEST

static pthread_t thread;
static atomic_uint elsewhere;

static void *note_thread(void *order)
{
	if (!pthread_equal(thread, pthread_self()))
		atomic_fetch_add(&elsewhere, 1);
	logbook_add(order, 0);
	return NULL;
}

static void *wait_for_members(void *order)
{
	soon_group *g = soon_group_new(pool);
	int rc = 0;

	thread = pthread_self();
	for (int i = 0; i < N; i++)
		rc |= soon_group_submit(g, note_thread, order);
	rc |= soon_group_wait(g, SOON_FOREVER);
	soon_group_free(g);
	return rc != 0 ? soon_fail(rc, NULL) : NULL;
}

START_TEST(who_waits_runs_members_that_have_not_started)
{
	struct logbook order;

	logbook_init(&order, N);
	pool_hold(pool, &gate, 2); /* of three */
	atomic_store(&elsewhere, 0);
	join(group, wait_for_members, &order);
	/* Not by this thread, which would not be allowed to. */
	expect_end(group, 0, "");
	ck_assert_uint_eq(logbook_size(&order), N);
	ck_assert_uint_eq(atomic_load(&elsewhere), 0);
	logbook_fini(&order);
}
END_TEST

static void *wait_for_own(void *timeout)
{
	int rc = soon_group_wait(group, *(const soon_nsec *)timeout);

	return rc != 0 ? soon_fail(rc, "not for itself") : NULL;
}

START_TEST(a_member_cannot_wait_for_its_own_group)
{
	bool forever = _i == 0;
	soon_nsec timeout = forever ? SOON_FOREVER : SOON_MSEC;

	join(group, wait_for_own, &timeout);
	expect_end(group, forever ? EDEADLK : ETIMEDOUT, "not for itself");
}
END_TEST

/* A job that waits for the group, one of whose members waits for the job. */
static void *wait_for_group(void *unused)
{
	int rc;

	gate_pass(&gate);
	rc = soon_group_wait(group, SOON_FOREVER);
	(void)unused;
	return rc != 0 ? soon_fail(rc, NULL) : NULL;
}

static void *pass_and_wait_for(void *f)
{
	int rc;

	gate_pass(&gate);
	rc = soon_future_wait(f, SOON_FOREVER);
	return rc != 0 ? soon_fail(rc, NULL) : NULL;
}

START_TEST(of_a_ring_through_a_group_one_is_told)
{
	soon_future *f = submit(pool, wait_for_group, NULL);
	int told;

	for (int i = 0; i < _i; i++)
		join(group, return_null, NULL);
	gate_await(&gate, 1);
	join(group, pass_and_wait_for, f);
	gate_await(&gate, 2);
	gate_open(&gate);
	ck_assert_int_eq(soon_group_wait(group, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	told = soon_future_error(f) == EDEADLK;
	told += soon_group_error(group) == EDEADLK;
	ck_assert_int_eq(told, 1);
	soon_future_unref(f);
}
END_TEST

/* The member that closes the ring joins while the other sleeps. */
static void *submit_ring(void *f)
{
	gate_pass(&gate);
	return soon_group_submit(group, wait_for, f) == 0
		       ? NULL
		       : soon_fail(EPROTO, NULL);
}

START_TEST(a_member_that_joins_later_may_close_the_ring)
{
	soon_future *f = submit(pool, wait_for_group, NULL);

	join(group, submit_ring, f);
	gate_await(&gate, 2);
	gate_open(&gate);
	ck_assert_int_eq(soon_group_wait(group, SOON_FOREVER), 0);
	/* Either found the other waiting, or the group had ended before. */
	soon_future_wait(f, SOON_FOREVER);
	ck_assert(soon_future_error(f) == 0 || soon_future_error(f) == EDEADLK);
	soon_future_unref(f);
}
END_TEST

static void *wait_for_named(void *unused)
{
	(void)unused;
	soon_group_wait(group, SOON_FOREVER);
	return NULL;
}

START_TEST(dumps_say_for_which_members_a_job_waits)
{
	soon_job job = SOON_JOB_INIT;
	soon_future *f;

	job.fn = gate_job;
	job.arg = &gate;
	job.name = "one";
	ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	job.name = "two";
	ck_assert_int_eq(soon_group_submit_job(group, &job), 0);
	gate_await(&gate, 2);
	f = submit_named("waits", wait_for_named, NULL);
	await_saying("\"waits\", waiting");
	expect(" for all of ");
	expect("\"one\" (on pool-");
	expect("\"two\" (on pool-");
	gate_open(&gate);
	finish(f);
}
END_TEST

static void *wait_from_outside(void *unused)
{
	(void)unused;
	return box(soon_group_wait(group, SOON_FOREVER));
}

START_TEST(many_threads_may_wait)
{
	struct actor actors[4];

	items[0].gate = &gate;
	join_items(group, items, N);
	for (size_t i = 0; i < COUNT_OF(actors); i++)
		actor_start(&actors[i], wait_from_outside, NULL);
	for (size_t i = 0; i < COUNT_OF(actors); i++)
		actor_await_asleep(&actors[i]);
	gate_open(&gate);
	for (size_t i = 0; i < COUNT_OF(actors); i++)
		ck_assert_int_eq(unbox(actor_join(&actors[i])), 0);
	items_expect(items, N, 1, 1, 1);
}
END_TEST

static void *exit_thread(void *unused)
{
	pthread_exit(unused);
}

/* The free of its own group runs a member that ends the thread. */
static void *free_and_end(void *unused)
{
	soon_group *g = soon_group_new(pool);

	for (int i = 0; i < N; i++)
		submit_item(g, &items[i]);
	soon_group_submit(g, exit_thread, NULL);
	soon_group_free(g);
	return unused;
}

START_TEST(a_free_whose_thread_is_ended_waits_all_the_same)
{
	soon_future *f;

	pool_hold(pool, &gate, 2);
	f = submit(pool, free_and_end, NULL);
	soon_future_wait(f, SOON_FOREVER);
	ck_assert(soon_future_error(f) == 0 ||
		  soon_future_error(f) == SOON_EEXITED);
	soon_future_unref(f);
	for (int i = 0; i < N; i++)
		ck_assert_uint_eq(atomic_load(&items[i].arg_freed), 1);
}
END_TEST

/* A thread that is no worker, in a pool that lets it help. */
START_TEST(a_helping_thread_runs_members)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	struct stuck helped;

	o.workers = 1;
	o.max_workers = 1;
	o.flags = SOON_HELP;
	gate_init(&helped.gate);
	helped.pool = soon_executor_open(&o);
	ck_assert_ptr_nonnull(helped.pool);
	pool_hold(helped.pool, &helped.gate, 1);
	soon_group_free(group);
	group = group_of(helped.pool);
	join_items(group, items, N);
	expect_end(group, 0, "");
	items_expect(items, N, 1, 1, 1);
	stuck_fini(&helped);
}
END_TEST

static soon_completions *ring;
static struct gate begun; /* open */
static pid_t inner, outer;

static void *wait_for_ring(void *unused)
{
	soon_future *next;

	(void)unused;
	inner = thread_id();
	gate_pass(&begun);
	return box(soon_completions_next(ring, SOON_FOREVER, &next));
}

/* Its member waits for this very job, until there is more to wait for. */
static void *free_group_of_waiter(void *e)
{
	soon_future *self = soon_self();
	soon_group *g = soon_group_new(e);

	ring = soon_as_completed(&self, 1);
	soon_group_submit(g, wait_for_ring, NULL);
	gate_await(&begun, 1);
	thread_await_asleep(inner);
	outer = thread_id();
	gate_pass(&begun);
	soon_group_free(g);
	return NULL;
}

START_TEST(the_end_of_a_group_waits_also_in_a_ring_that_may_open)
{
	soon_executor *e = pool_of(2);
	soon_future *done = succeeded_with(NULL);
	soon_future *f;

	gate_init(&begun);
	gate_open(&begun);
	f = submit(e, free_group_of_waiter, e);
	gate_await(&begun, 2);
	thread_await_asleep(outer);
	ck_assert_int_eq(soon_completions_add(ring, done), 0);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, NULL), 0);
	soon_completions_free(ring);
	soon_future_unref(f);
	soon_future_unref(done);
	soon_executor_free(e);
	gate_fini(&begun);
}
END_TEST

static Suite *wait_suite(void)
{
	Suite *s = suite_create("api_group_wait");
	TCase *tc = tcase_create("api_group_wait");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, groups_within_groups_need_no_free_worker, 0, 4);
	tcase_add_test(tc, who_waits_runs_members_that_have_not_started);
	tcase_add_loop_test(tc, a_member_cannot_wait_for_its_own_group, 0, 2);
	tcase_add_loop_test(tc, of_a_ring_through_a_group_one_is_told, 0, 20);
	tcase_add_loop_test(tc, a_member_that_joins_later_may_close_the_ring, 0,
			    20);
	tcase_add_test(tc, dumps_say_for_which_members_a_job_waits);
	tcase_add_test(tc, many_threads_may_wait);
	tcase_add_test(tc, a_free_whose_thread_is_ended_waits_all_the_same);
	tcase_add_test(tc, a_helping_thread_runs_members);
	tcase_add_test(tc,
		       the_end_of_a_group_waits_also_in_a_ring_that_may_open);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(wait_suite());
}
