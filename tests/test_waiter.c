/*
 * test_waiter.c - what hangs on a future is fired once, or removed.
 */
#include "support/child.h"

#include "tell.h"
#include "waiter.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define WAITERS 20

/* A waiter that knows what became of it. */
struct probe {
	struct sooni_waiter waiter;
	atomic_uint fired;
	soon_future *of;
	int number;
};

static soon_future *promise;
static struct probe probes[WAITERS];
static struct logbook fired_book;
static atomic_uint wrong;

static void setup(void)
{
	promise = soon_future_new(NULL);
	ck_assert_ptr_nonnull(promise);
	logbook_init(&fired_book, WAITERS);
	atomic_store(&wrong, 0);
}

static void teardown(void)
{
	soon_future_unref(promise);
	logbook_fini(&fired_book);
}

/* Settle it in one of the ways there are. */
static void settle(soon_future *f, unsigned how)
{
	int rc = 0;

	if (how % 3 == 0)
		rc = soon_future_set_result(f, NULL);
	else if (how % 3 == 1)
		rc = soon_future_set_error(f, EIO, "no");
	else
		rc = soon_future_cancel(f);
	ck_assert_int_eq(rc, 0);
}

static void fire(struct sooni_waiter *w, struct soon_future *f)
{
	struct probe *p = sooni_container_of(w, struct probe, waiter);

	if (f != p->of || !soon_future_done(f))
		atomic_fetch_add(&wrong, 1);
	/* Its owner may do what it likes with it from now on. */
	atomic_fetch_add(&p->fired, 1);
}

static void fire_and_log(struct sooni_waiter *w, struct soon_future *f)
{
	struct probe *p = sooni_container_of(w, struct probe, waiter);

	logbook_add(&fired_book, p->number);
	fire(w, f);
}

static void probe_init(struct probe *p, soon_future *of, int number)
{
	memset(&p->waiter, 0xa5, sizeof(p->waiter));
	p->waiter.fire = fire_and_log;
	p->waiter.user = false;
	p->waiter.composed = false;
	atomic_store(&p->fired, 0);
	p->of = of;
	p->number = number;
}

START_TEST(a_done_future_takes_no_waiter_and_gives_none_back)
{
	struct probe *p = &probes[0];

	probe_init(p, promise, 0);
	settle(promise, (unsigned)_i);
	ck_assert(!sooni_waiter_add(promise, &p->waiter));
	ck_assert(!sooni_waiter_add_first(promise, &p->waiter));
	probe_init(p, promise, 0);
	ck_assert(!sooni_waiter_remove(promise, &p->waiter));
	ck_assert_uint_eq(atomic_load(&p->fired), 0);
}
END_TEST

START_TEST(a_done_future_goes_to_no_executor)
{
	settle(promise, (unsigned)_i);
	ck_assert(!sooni_future_enqueue(promise, NULL));
	ck_assert_ptr_null(sooni_future_visit(promise));
}
END_TEST

static void *set_as_well(void *with_error)
{
	int rc = with_error != NULL ? soon_future_set_error(promise, EIO, "no")
				    : soon_future_set_result(promise, &rc);

	return (void *)(intptr_t)rc;
}

/* What it is told is so by then. */
START_TEST(who_sets_a_promise_second_waits_for_the_first)
{
	struct actor second;

	ck_assert(sooni_future_begin_settling(promise));
	actor_start(&second, set_as_well, _i == 0 ? NULL : &second);
	actor_await_asleep(&second);
	ck_assert(sooni_future_settle(promise, SOONI_DONE));
	ck_assert_int_eq((int)(intptr_t)actor_join(&second), EALREADY);
	ck_assert_int_eq(soon_future_error(promise), 0);
	ck_assert_ptr_null(soon_future_take(promise));
}
END_TEST

START_TEST(a_fired_waiter_cannot_be_removed)
{
	struct probe *p = &probes[0];

	probe_init(p, promise, 0);
	ck_assert(sooni_waiter_add(promise, &p->waiter));
	ck_assert_uint_eq(atomic_load(&p->fired), 0);
	settle(promise, (unsigned)_i);
	ck_assert_uint_eq(atomic_load(&p->fired), 1);
	ck_assert(!sooni_waiter_remove(promise, &p->waiter));
	ck_assert_uint_eq(atomic_load(&p->fired), 1);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

START_TEST(the_last_reference_fires_what_still_hangs_on_a_promise)
{
	probe_init(&probes[0], promise, 0);
	ck_assert(sooni_waiter_add(promise, &probes[0].waiter));
	soon_future_unref(promise);
	promise = NULL;
	ck_assert_uint_eq(atomic_load(&probes[0].fired), 1);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

/* Of those that are there; `user` ones or the others. */
static void expect_in_order(const int *there, unsigned n, bool user,
			    size_t *logged)
{
	for (unsigned i = 0; i < n; i++)
		if (probes[there[i]].waiter.user == user)
			ck_assert_int_eq(logbook_at(&fired_book, (*logged)++),
					 there[i]);
}

START_TEST(user_waiters_fire_after_all_others_and_both_in_order)
{
	struct rng rng = rng_seed((uint64_t)_i);
	int there[WAITERS];
	unsigned n = 0;
	size_t logged = 0;

	for (int i = 0; i < WAITERS; i++) {
		probe_init(&probes[i], promise, i);
		probes[i].waiter.user = rng_below(&rng, 2);
		ck_assert(sooni_waiter_add(promise, &probes[i].waiter));
		there[n++] = i;
		while (n > 0 && rng_below(&rng, 4) == 0) {
			unsigned at = rng_below(&rng, n);
			struct probe *p = &probes[there[at]];

			ck_assert(sooni_waiter_remove(promise, &p->waiter));
			memmove(&there[at], &there[at + 1],
				(--n - at) * sizeof(*there));
		}
	}
	settle(promise, (unsigned)_i);
	expect_in_order(there, n, false, &logged);
	expect_in_order(there, n, true, &logged);
	ck_assert_uint_eq(logbook_size(&fired_book), logged);
	ck_assert_uint_eq(logged, n);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

/* Threads that hang waiters on futures and take them off as these settle. */
#define ROUND 64
#define RACERS 3
#define OWN 3

static soon_future *round_of[ROUND];

struct racer {
	struct actor actor;
	struct rng rng;
	unsigned added, fired, removed;
};

/* As whoever could not remove one does: it is fired by now or soon. */
static void await_fired(struct racer *r, struct probe *p)
{
	while (atomic_load(&p->fired) == 0)
		sched_yield();
	r->fired++;
}

/* Add and remove on one future until it is done. */
static void race_on(struct racer *r, soon_future *f)
{
	struct probe own[OWN];
	bool hangs[OWN] = { false };
	bool done = false;

	for (unsigned i = 0; i < OWN; i++)
		probe_init(&own[i], f, 0);
	while (!done) {
		unsigned i = rng_below(&r->rng, OWN);
		struct sooni_waiter *w = &own[i].waiter;

		if (!hangs[i]) {
			probe_init(&own[i], f, 0);
			w->fire = fire;
			w->user = rng_below(&r->rng, 2);
			hangs[i] = sooni_waiter_add(f, w);
			r->added += hangs[i];
			done = !hangs[i];
		} else if (sooni_waiter_remove(f, w)) {
			hangs[i] = false;
			r->removed++;
			if (atomic_load(&own[i].fired) != 0)
				atomic_fetch_add(&wrong, 1);
		} else {
			done = true;
		}
	}
	for (unsigned i = 0; i < OWN; i++) {
		if (hangs[i])
			await_fired(r, &own[i]);
		if (atomic_load(&own[i].fired) > 1)
			atomic_fetch_add(&wrong, 1);
	}
}

static void *race(void *arg)
{
	struct racer *r = arg;

	for (unsigned i = 0; i < ROUND; i++)
		race_on(r, round_of[i]);
	return NULL;
}

/* A sleeper on the same word as the lock of the list. */
static void *wait_in_turn(void *unused)
{
	for (unsigned i = 0; i < ROUND; i++)
		if (soon_future_wait(round_of[i], SOON_FOREVER) != 0)
			atomic_fetch_add(&wrong, 1);
	return unused;
}

static void run_round(unsigned seed)
{
	struct rng rng = rng_seed(seed);
	struct racer racers[RACERS];
	struct actor sleeper;

	for (unsigned i = 0; i < ROUND; i++)
		ck_assert_ptr_nonnull(round_of[i] = soon_future_new(NULL));
	actor_start(&sleeper, wait_in_turn, NULL);
	for (unsigned i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){ .rng = rng_seed(rng_next(&rng)) };
		actor_start(&racers[i].actor, race, &racers[i]);
	}
	for (unsigned i = 0; i < ROUND; i++) {
		if (rng_below(&rng, 3) == 0)
			sched_yield();
		settle(round_of[i], rng_below(&rng, 3));
	}
	for (unsigned i = 0; i < RACERS; i++) {
		struct racer *r = &racers[i];

		actor_join(&r->actor);
		ck_assert_uint_eq(r->added, r->removed + r->fired);
	}
	actor_join(&sleeper);
	for (unsigned i = 0; i < ROUND; i++)
		soon_future_unref(round_of[i]);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}

START_TEST(each_waiter_is_removed_or_fired_once_however_they_race)
{
	for (unsigned i = test_scale(2); i > 0; i--)
		run_round((unsigned)_i * 1000 + i);
}
END_TEST

static const char *promise_is_free(void *of_one)
{
	struct probe *p = &probes[0];

	CLAIM(soon_future_state(promise) == SOON_PENDING);
	probe_init(&probes[1], promise, 1);
	CLAIM(sooni_waiter_add(promise, &probes[1].waiter));
	CLAIM(soon_future_set_result(promise, NULL) == 0);
	CLAIM(atomic_load(&probes[1].fired) == 1);
	CLAIM(of_one == NULL || atomic_load(&p->fired) == 1);
	return NULL;
}

/* As of a thread that is not there. */
START_TEST(a_childs_promise_is_not_locked_by_the_parent)
{
	uint32_t s;

	probe_init(&probes[0], promise, 0);
	if (_i == 1)
		ck_assert(sooni_waiter_add(promise, &probes[0].waiter));
	s = sooni_waiters_lock(promise);
	in_child(promise_is_free, _i == 1 ? &probes[0] : NULL);
	sooni_waiters_unlock(promise, s);
	settle(promise, 0);
	ck_assert_uint_eq(atomic_load(&probes[0].fired), (unsigned)_i);
}
END_TEST

/* As of a job that falls due just as it is cancelled. */
START_TEST(a_done_future_takes_no_place_in_a_full_pool)
{
	struct sooni_home home;

	sooni_room_init(&home.room, 1);
	settle(promise, (unsigned)_i);
	promise->home = &home;
	sooni_future_place(promise);
	promise->home = NULL;
	ck_assert(sooni_room_take(&home.room, 1));
	sooni_room_fini(&home.room);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("waiter");
	TCase *t = tcase_create("waiter");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(
		t, a_done_future_takes_no_waiter_and_gives_none_back, 0, 3);
	tcase_add_loop_test(t, a_done_future_goes_to_no_executor, 0, 3);
	tcase_add_loop_test(t, who_sets_a_promise_second_waits_for_the_first, 0,
			    2);
	tcase_add_loop_test(t, a_fired_waiter_cannot_be_removed, 0, 3);
	tcase_add_test(t,
		       the_last_reference_fires_what_still_hangs_on_a_promise);
	tcase_add_loop_test(
		t, user_waiters_fire_after_all_others_and_both_in_order, 0, 30);
	tcase_add_loop_test(
		t, each_waiter_is_removed_or_fired_once_however_they_race, 0,
		4);
	tcase_add_loop_test(t, a_childs_promise_is_not_locked_by_the_parent, 0,
			    2);
	tcase_add_loop_test(t, a_done_future_takes_no_place_in_a_full_pool, 0,
			    3);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
