/*
 * api_release.c - who drops the last reference to a job's future: whoever it is,
 * in whichever order, argument and result are freed once, and not before.
 *
 * Four hold a reference each: one who waits, the worker, a callback, and a set of
 * completions.  The first, the second and the last drop theirs early, before the
 * job is done, or late.  The callback runs on the worker when it is done; or was
 * registered late, and runs at once; or there is none.  Of these 24 rows 16 have
 * all four.  Each row goes through all orders in which the turns can come.
 */
#include "support/fixture.h"
#include "support/support.h"

#include <errno.h>

enum role { WAITER, WORKER, SET, CALLBACK, ROLES };
enum { TOLD, TOLD_LATE, UNTOLD, CALLBACKS };
enum { EARLY_ROWS = 1 << CALLBACK, ROWS = CALLBACKS * EARLY_ROWS };

static struct {
	soon_future *f;
	soon_completions *set;
	struct actor waiter;
	bool early[ROLES];
	unsigned callback;
	struct gate turn[ROLES]; /* opened when it comes */
	struct gate finish;	 /* the job may end */
	struct tally dropped, args, results;
} it;

static void setup(void)
{
	fixture_open(pool_of(1));
}

static void row_is(unsigned row)
{
	it.early[WAITER] = row & 1u << WAITER;
	it.early[WORKER] = row & 1u << WORKER;
	it.early[SET] = row & 1u << SET;
	it.callback = row / EARLY_ROWS;
}

static void drop(soon_future *f)
{
	soon_future_unref(f);
	tally_add(&it.dropped, 1);
}

/* The roles */

static void *wait_and_drop(void *unused)
{
	if (it.early[WAITER])
		fixture_expect(soon_future_wait(it.f, 1) == ETIMEDOUT);
	else
		fixture_expect(soon_future_wait(it.f, SOON_FOREVER) == 0);
	gate_pass(&it.turn[WAITER]);
	drop(it.f);
	return unused;
}

static void *job(void *unused)
{
	(void)unused;
	if (it.early[WORKER]) {
		gate_pass(&it.turn[WORKER]);
		drop(soon_self());
	}
	gate_pass(&it.finish);
	return &it.results;
}

static void *drop_later(void *f)
{
	drop(f);
	return NULL;
}

static void call_back(soon_future *f, void *unused)
{
	(void)unused;
	fixture_expect(soon_future_done(f));
	gate_pass(&it.turn[CALLBACK]);
	drop(f);
}

static void drop_set(void)
{
	soon_future *done = NULL;

	if (!it.early[SET]) {
		ck_assert_int_eq(
			soon_completions_next(it.set, SOON_FOREVER, &done), 0);
		ck_assert_ptr_eq(done, it.f);
	}
	soon_completions_free(it.set);
	tally_add(&it.dropped, 1);
}

/* A round: all hold one, then each has its turn */

static void begin(void)
{
	for (unsigned i = 0; i < ROLES; i++)
		gate_init(&it.turn[i]);
	gate_init(&it.finish);
	tally_init(&it.dropped);
	tally_init(&it.args);
	tally_init(&it.results);
	it.f = submit_job(pool, SOON_JOB(.fn = job, .arg = &it.args,
					 .free_arg = tally_free,
					 .free_result = tally_free));
	it.set = soon_as_completed(&it.f, 1);
	ck_assert_ptr_nonnull(it.set);
	soon_future_ref(it.f); /* the worker's */
	if (it.callback != UNTOLD)
		soon_future_ref(it.f);
	if (it.callback == TOLD)
		ck_assert_int_eq(soon_future_on_done(it.f, call_back, NULL), 0);
	actor_start(&it.waiter, wait_and_drop, NULL);
}

static void take_turn(enum role role)
{
	gate_open(&it.turn[role]);
	if (role == WORKER && !it.early[WORKER])
		ck_assert_int_eq(soon_execute(pool, drop_later, it.f), 0);
	else if (role == CALLBACK && it.callback == TOLD_LATE)
		ck_assert_int_eq(soon_future_on_done(it.f, call_back, NULL), 0);
	else if (role == SET)
		drop_set();
}

static void end(void)
{
	actor_join(&it.waiter);
	for (unsigned i = 0; i < ROLES; i++)
		gate_fini(&it.turn[i]);
	gate_fini(&it.finish);
	tally_fini(&it.dropped);
	tally_fini(&it.args);
	tally_fini(&it.results);
}

/* Orders */

static unsigned roles(void)
{
	return it.callback == UNTOLD ? CALLBACK : ROLES;
}

static bool is_possible(const enum role order[])
{
	bool late = false;
	bool told = false;

	for (unsigned i = 0; i < roles(); i++) {
		enum role role = order[i];

		if (it.early[role] && late)
			return false;
		late |= !it.early[role];
		/* The worker is in the callback until that has had its turn. */
		if (role == WORKER && !it.early[WORKER] && !told &&
		    it.callback == TOLD)
			return false;
		told |= role == CALLBACK;
	}
	return true;
}

/* Nobody but the last frees it; then nothing is freed again. */
static void play(const enum role order[])
{
	unsigned n = roles();

	begin();
	for (unsigned i = 0; i < n; i++) {
		ck_assert_uint_eq(tally_get(&it.results), 0);
		if (!it.early[order[i]])
			gate_open(&it.finish);
		take_turn(order[i]);
		tally_await(&it.dropped, i + 1);
	}
	gate_open(&it.finish);
	tally_await(&it.results, 1);
	ck_assert_int_eq(soon_map(pool, SOON_JOB(.fn = return_null), NULL, 1,
				  SOON_FOREVER, NULL, NULL),
			 0);
	ck_assert_uint_eq(tally_get(&it.results), 1);
	ck_assert_uint_eq(tally_get(&it.args), 1);
	end();
}

static unsigned play_all(enum role order[], unsigned fixed)
{
	unsigned played = 0;

	if (fixed == roles()) {
		if (is_possible(order)) {
			play(order);
			played++;
		}
		return played;
	}
	for (unsigned i = fixed; i < roles(); i++) {
		enum role chosen = order[i];

		order[i] = order[fixed];
		order[fixed] = chosen;
		played += play_all(order, fixed + 1);
		order[fixed] = order[i];
		order[i] = chosen;
	}
	return played;
}

START_TEST(whoever_drops_last_frees_all_once)
{
	enum role order[ROLES] = { WAITER, WORKER, SET, CALLBACK };
	unsigned rounds = test_scale(10);

	row_is((unsigned)_i);
	while (rounds-- > 0)
		ck_assert_uint_gt(play_all(order, 0), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("release");
	TCase *t = tcase_create("release");

	tcase_add_checked_fixture(t, setup, fixture_close);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, whoever_drops_last_frees_all_once, 0, ROWS);
	suite_add_tcase(s, t);
	return test_run(s);
}
