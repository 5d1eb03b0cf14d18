/*
 * test_wrap_inside.c - the counters that the clock and the queues keep to
 * themselves begin just below where they wrap.
 *
 * Both files are part of this program, in place of the library's.
 */
#include "support/fixture.h"
#include "support/support.h"

#include "put.c"
#include "timer.c"

static const uint32_t words[] = { 0, UINT32_C(0x80000000) - 100,
				  UINT32_MAX - 99 };
enum { ROUNDS = 120 };

static void teardown(void)
{
	sooni_timer_forget();
}

static void count_from(uint32_t start)
{
	atomic_store(&fired, start);
	atomic_store(&changed, start);
}

/* A timer stands at the gate as it fires. */
static struct gate held;

static void hold(struct sooni_timer *t)
{
	(void)t;
	gate_pass(&held);
}

static void *stop(void *t)
{
	return box(sooni_timer_stop(t));
}

START_TEST(who_stops_a_timer_waits_while_it_fires)
{
	gate_init(&held);
	count_from(words[_i]);
	for (unsigned i = 1; i <= ROUNDS; i++) {
		struct sooni_timer t = { .fire = hold };
		struct actor stopper;

		gate_shut(&held);
		ck_assert_int_eq(sooni_timer_start(&t), 0);
		gate_await(&held, i);
		actor_start(&stopper, stop, &t);
		if (i % 8 == 0)
			actor_await_asleep(&stopper);
		gate_open(&held);
		ck_assert_int_eq(unbox(actor_join(&stopper)), false);
	}
	ck_assert_uint_eq(atomic_load(&fired) & ~SOONI_SLEEPERS,
			  words[_i] + 2 * ROUNDS);
	sooni_timer_forget();
	gate_fini(&held);
}
END_TEST

static void count(struct sooni_timer *t)
{
	(void)t;
	gate_pass(&held);
}

START_TEST(the_clock_is_waited_for_when_it_ends)
{
	gate_init(&held);
	gate_open(&held);
	count_from(words[_i]);
	for (unsigned i = 1; i <= ROUNDS; i++) {
		struct sooni_timer t = { .fire = count };

		ck_assert_int_eq(sooni_timer_start(&t), 0);
		gate_await(&held, i);
		sooni_timer_stop(&t);
		sooni_timer_forget();
		pthread_mutex_lock(&lock);
		ck_assert_uint_eq(present, 0);
		pthread_mutex_unlock(&lock);
	}
	gate_fini(&held);
}
END_TEST

static void *ask_twice(void *e)
{
	struct sooni_shard *first = my_shard(e);

	return box(first == my_shard(e));
}

/* Else its jobs might start out of order. */
START_TEST(each_thread_keeps_its_queue)
{
	soon_executor *e = pool_of(8);

	/* So many threads have submitted before. */
	atomic_store(&dealt, (unsigned)words[_i] + 98);
	for (unsigned i = 0; i < 4; i++) {
		struct actor a;

		actor_start(&a, ask_twice, e);
		ck_assert(unbox(actor_join(&a)));
	}
	soon_executor_free(e);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("wrap_inside");
	TCase *t = tcase_create("wrap_inside");
	int n = (int)COUNT_OF(words);

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, who_stops_a_timer_waits_while_it_fires, 0, n);
	tcase_add_loop_test(t, the_clock_is_waited_for_when_it_ends, 0, n);
	tcase_add_loop_test(t, each_thread_keeps_its_queue, 0, n);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
