/*
 * test_wrap.c - counters that begin just below where they wrap, or where their
 * room ends: what is counted comes out as ever.
 *
 * Those that cannot be reached from here are in test_wrap_inside.c.
 */
#include "support/fixture.h"
#include "support/support.h"

#include "job.h"
#include "member.h"
#include "pool.h"
#include "set.h"

#include <errno.h>
#include <stdatomic.h>

/* Of counters by 2, whose bit 0 says that somebody sleeps. */
static const uint32_t words[] = { 0, UINT32_C(0x80000000) - 100,
				  UINT32_MAX - 99 };
/* More steps than these lie below. */
enum { ROUNDS = 120 };

static struct tally ran;

static void setup(void)
{
	tally_init(&ran);
	fixture_open(pool_of(2));
}

static void teardown(void)
{
	fixture_close();
	tally_fini(&ran);
}

/* Groups */

static soon_group *group_at(uint32_t start)
{
	soon_group *g = soon_group_new(pool);

	ck_assert_ptr_nonnull(g);
	g->begun = start;
	atomic_store(&g->word, start);
	return g;
}

static void *wait_for_group(void *g)
{
	return box(soon_group_wait(g, SOON_FOREVER));
}

START_TEST(a_group_is_waited_for_each_time_it_fills)
{
	soon_group *g = group_at(words[_i]);

	for (unsigned i = 1; i <= ROUNDS; i++) {
		ck_assert_int_eq(soon_group_submit(g, tally_job, &ran), 0);
		ck_assert_int_eq(soon_group_submit(g, tally_job, &ran), 0);
		ck_assert_int_eq(soon_group_wait(g, SOON_FOREVER), 0);
		ck_assert_uint_eq(tally_get(&ran), 2 * i);
	}
	soon_group_free(g);
}
END_TEST

START_TEST(who_waits_for_a_group_sleeps_until_it_is_empty)
{
	soon_group *g = group_at(words[_i]);

	for (unsigned i = 1; i <= ROUNDS; i++) {
		struct actor waiter;

		gate_shut(&gate);
		ck_assert_int_eq(soon_group_submit(g, gate_job, &gate), 0);
		gate_await(&gate, i);
		ck_assert_int_eq(soon_group_wait(g, 1), ETIMEDOUT);
		actor_start(&waiter, wait_for_group, g);
		if (i % 8 == 0)
			actor_await_asleep(&waiter);
		gate_open(&gate);
		ck_assert_int_eq(unbox(actor_join(&waiter)), 0);
	}
	soon_group_free(g);
}
END_TEST

START_TEST(a_group_is_freed_after_its_jobs)
{
	for (uint32_t i = 0; i < 6; i++) {
		soon_group *g = group_at(words[_i] - 4 + 2 * i);

		ck_assert_int_eq(soon_group_submit(g, tally_job, &ran), 0);
		soon_group_free(g);
		ck_assert_uint_eq(tally_get(&ran), i + 1);
	}
}
END_TEST

/* Sets */

START_TEST(a_set_gives_each_future_and_is_freed)
{
	soon_completions *set = soon_as_completed(NULL, 0);
	soon_future *f, *done;

	ck_assert_ptr_nonnull(set);
	set->expected = words[_i];
	atomic_store(&set->events, words[_i]);
	for (unsigned i = 1; i <= ROUNDS; i++) {
		gate_shut(&gate);
		f = submit(pool, gate_job, &gate);
		ck_assert_int_eq(soon_completions_add(set, f), 0);
		gate_await(&gate, i);
		ck_assert_int_eq(soon_completions_next(set, 1, &done),
				 ETIMEDOUT);
		gate_open(&gate);
		ck_assert_int_eq(
			soon_completions_next(set, SOON_FOREVER, &done), 0);
		ck_assert_ptr_eq(done, f);
		soon_future_unref(f);
	}
	ck_assert_uint_ne(atomic_load(&set->events), words[_i]);
	soon_completions_free(set);
}
END_TEST

/* Whoever completes it may be inside: free() waits for what is expected. */
START_TEST(a_set_is_freed_while_its_futures_get_done)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		soon_future *f = submit(pool, tally_job, &ran);
		soon_completions *set = soon_as_completed(&f, 1);

		ck_assert_ptr_nonnull(set);
		soon_completions_free(set);
		gate_shut(&gate);
		soon_future_unref(f);
		f = submit(pool, gate_job, &gate);
		set = soon_as_completed(&f, 1);
		ck_assert_ptr_nonnull(set);
		set->expected += words[_i] + i / 2 * 2;
		atomic_fetch_add(&set->events, words[_i] + i / 2 * 2);
		gate_open(&gate);
		if (i % 2 == 1)
			ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		soon_completions_free(set);
		soon_future_unref(f);
	}
}
END_TEST

/* The stack of idle workers */

static struct sooni_park park;
static struct sooni_parker parkers[3];

static struct sooni_parker *call_one(void)
{
	struct sooni_parker *k = NULL;

	ck_assert_int_eq(sooni_park_call(&park, SOONI_ONE_MORE, &k),
			 SOONI_CALLED);
	return k;
}

static void park_all(uint64_t tag)
{
	sooni_park_init(&park, 3, 3);
	atomic_fetch_or(&park.word, tag << 48);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(sooni_park_add(&park, &parkers[i]), 0);
		sooni_park_unblock(&park, false);
		sooni_park_announce(&park, &parkers[i], false);
	}
}

START_TEST(the_stack_of_idle_workers_outlives_its_tag)
{
	park_all(0xffff - (unsigned)_i);
	for (unsigned round = 0; round < 8; round++) {
		for (unsigned i = 3; i-- > 0;)
			ck_assert_ptr_eq(call_one(), &parkers[i]);
		ck_assert_uint_eq(sooni_park_view(&park).running, 3);
		ck_assert_uint_eq(sooni_park_view(&park).searching, 3);
		for (unsigned i = 0; i < 3; i++)
			sooni_park_announce(&park, &parkers[i], true);
		ck_assert_uint_eq(sooni_park_view(&park).running, 0);
		ck_assert_uint_eq(sooni_park_view(&park).searching, 0);
	}
	sooni_park_fini(&park);
}
END_TEST

START_TEST(a_stalled_call_sees_that_the_tag_has_wrapped)
{
	struct sooni_parker *k = NULL;
	uint64_t seen;

	park_all(0xffff);
	ck_assert_int_eq(sooni_park_glance(&park, &seen), SOONI_CALL_START);
	ck_assert_ptr_eq(call_one(), &parkers[2]);
	sooni_park_announce(&park, &parkers[2], true);
	ck_assert_uint_eq(atomic_load(&park.word) & UINT64_MAX >> 16,
			  seen & UINT64_MAX >> 16);
	ck_assert_int_eq(sooni_park_call_seen(&park, seen, &k),
			 SOONI_CALL_LATE);
	ck_assert_int_eq(sooni_park_glance(&park, &seen), SOONI_CALL_START);
	ck_assert_int_eq(sooni_park_call_seen(&park, seen, &k), SOONI_CALLED);
	ck_assert_ptr_eq(k, &parkers[2]);
	sooni_park_fini(&park);
}
END_TEST

/* Queues, and a pool with all of it */

static const int64_t places[] = { 0, (INT64_C(1) << 31) - 100,
				  (INT64_C(1) << 32) - 100 };

static void deque_from(struct sooni_deque *d, int64_t start)
{
	atomic_store(&d->top, start);
	atomic_store(&d->bottom, start);
	d->top_seen = start;
}

START_TEST(a_queue_keeps_its_order_at_any_place)
{
	enum { N = 500 };
	static char items[N];
	struct sooni_deque d;
	unsigned taken = 0;

	ck_assert_int_eq(sooni_deque_init(&d), 0);
	deque_from(&d, places[_i]);
	for (unsigned i = 0; i < N; i++) {
		ck_assert_int_eq(sooni_deque_push_one(&d, &items[i]), 0);
		if (i % 3 == 2)
			ck_assert_ptr_eq(sooni_deque_take(&d), &items[taken++]);
	}
	ck_assert_uint_eq(sooni_deque_count(&d), N - taken);
	ck_assert(sooni_deque_pop_if(&d, &items[N - 1]));
	while (taken < N - 1)
		ck_assert_ptr_eq(sooni_deque_take(&d), &items[taken++]);
	ck_assert(sooni_deque_is_empty(&d));
	sooni_deque_fini(&d);
}
END_TEST

static void *submit_another(void *unused)
{
	soon_future *f = soon_submit(pool, tally_job, &ran);

	(void)unused;
	fixture_expect(f != NULL && soon_future_wait(f, SOON_FOREVER) == 0);
	soon_future_unref(f);
	return NULL;
}

START_TEST(jobs_go_round_a_pool_whose_counters_wrap)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	unsigned rounds = test_scale(5000);

	o.workers = o.max_workers = 1 + (unsigned)_i;
	o.idle_timeout = SOON_FOREVER;
	fixture_use(&o);
	atomic_fetch_or(&pool->park.word, UINT64_C(0xffff) << 48);
	for (unsigned i = 0; i <= pool->shard_mask; i++)
		deque_from(&pool->shards[i].queue, places[_i]);
	for (unsigned i = 0; i < rounds; i++) {
		soon_future *f = submit(pool, submit_another, NULL);

		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		soon_future_unref(f);
	}
	ck_assert_uint_eq(tally_get(&ran), rounds);
}
END_TEST

/* References */

static soon_future *kept;

static void count_from(uint32_t refs)
{
	uint32_t rest = atomic_load(&kept->state) & (SOONI_REF - 1);

	atomic_store(&kept->state, rest | refs * SOONI_REF);
}

static void keep(uint32_t refs)
{
	kept = soon_future_new(tally_free);
	ck_assert_ptr_nonnull(kept);
	ck_assert_int_eq(soon_future_set_result(kept, &ran), 0);
	count_from(refs);
}

/* The count is as it would be after so many had been given back. */
static void drop_kept(void)
{
	ck_assert_uint_eq(tally_get(&ran), 0);
	count_from(1);
	soon_future_unref(kept);
	ck_assert_uint_eq(tally_get(&ran), 1);
}

START_TEST(references_are_counted_up_to_the_limit)
{
	keep(SOONI_MOST_REFS - 2);
	soon_future_ref(kept);
	ck_assert_uint_eq(sooni_refs(kept->state), SOONI_MOST_REFS - 1);
	soon_future_unref(kept);
	soon_future_unref(kept);
	ck_assert_uint_eq(sooni_refs(kept->state), SOONI_MOST_REFS - 3);
	drop_kept();
}
END_TEST

START_TEST(beyond_the_limit_no_unref_brings_the_count_down)
{
	keep(SOONI_MOST_REFS - 1);
	for (unsigned i = 0; i < 10; i++)
		soon_future_ref(kept);
	for (unsigned i = 0; i < 1000; i++)
		soon_future_unref(kept);
	ck_assert_uint_ge(sooni_refs(kept->state), SOONI_MOST_REFS);
	ck_assert_int_eq(soon_future_wait(kept, 0), 0);
	drop_kept();
}
END_TEST

static void *ref_and_unref(void *unused)
{
	unsigned n = test_scale(100000);

	(void)unused;
	for (unsigned i = 0; i < n; i++) {
		soon_future_ref(kept);
		soon_future_unref(kept);
	}
	return NULL;
}

START_TEST(threads_that_come_to_the_limit_together_free_nothing)
{
	struct actor actors[4];

	keep(SOONI_MOST_REFS - 1 - (unsigned)_i);
	for (unsigned i = 0; i < COUNT_OF(actors); i++)
		actor_start(&actors[i], ref_and_unref, NULL);
	for (unsigned i = 0; i < COUNT_OF(actors); i++)
		actor_join(&actors[i]);
	ck_assert_uint_ge(sooni_refs(kept->state),
			  SOONI_MOST_REFS - 1 - (unsigned)_i);
	drop_kept();
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("wrap");
	TCase *t = tcase_create("wrap");
	int n = (int)COUNT_OF(words);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, a_group_is_waited_for_each_time_it_fills, 0, n);
	tcase_add_loop_test(t, who_waits_for_a_group_sleeps_until_it_is_empty,
			    0, n);
	tcase_add_loop_test(t, a_group_is_freed_after_its_jobs, 0, n);
	tcase_add_loop_test(t, a_set_gives_each_future_and_is_freed, 0, n);
	tcase_add_loop_test(t, a_set_is_freed_while_its_futures_get_done, 0, n);
	tcase_add_loop_test(t, the_stack_of_idle_workers_outlives_its_tag, 0,
			    4);
	tcase_add_test(t, a_stalled_call_sees_that_the_tag_has_wrapped);
	tcase_add_loop_test(t, a_queue_keeps_its_order_at_any_place, 0, 3);
	tcase_add_loop_test(t, jobs_go_round_a_pool_whose_counters_wrap, 0, 3);
	tcase_add_test(t, references_are_counted_up_to_the_limit);
	tcase_add_test(t, beyond_the_limit_no_unref_brings_the_count_down);
	tcase_add_loop_test(
		t, threads_that_come_to_the_limit_together_free_nothing, 0, 4);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
