/*
 * test_fork.c - moments at which other threads may stop for a child of fork, made
 * by hand: the inside of futures, sets and pools is put into the state of each.
 */
#include "support/child.h"

#include "pool.h"
#include "set.h"

#include <errno.h>
#include <poll.h>

static soon_executor *pool;
static struct gate gate;

static void setup(void)
{
	gate_init(&gate);
	pool = pool_of(1);
	pool_hold(pool, &gate, 1);
}

static void teardown(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	gate_fini(&gate);
}

static void put_bits(soon_future *f, uint32_t bits)
{
	atomic_fetch_or(&f->state, bits);
}

static void take_bits(soon_future *f, uint32_t bits)
{
	atomic_fetch_and(&f->state, ~bits);
}

static const char *has_failed(void *arg)
{
	soon_future *f = arg;

	CLAIM(soon_future_result(f, SOON_FOREVER, NULL) == SOON_EFORKED);
	soon_future_unref(f);
	return pool_works(pool);
}

START_TEST(a_job_taken_from_its_queue_is_found)
{
	soon_future *f = submit(pool, return_arg, NULL);

	ck_assert_ptr_eq(sooni_pool_take_any(pool), f);
	ck_assert(!sooni_pool_has_work(pool));
	in_child(has_failed, f);
	ck_assert_int_eq(soon_future_cancel(f), 0);
	sooni_future_drop_entry(f);
	soon_future_unref(f);
}
END_TEST

START_TEST(a_job_just_claimed_is_found)
{
	soon_future *f = submit(pool, return_arg, NULL);

	ck_assert_ptr_eq(sooni_pool_take_any(pool), f);
	ck_assert(sooni_future_claim(f, true, _i));
	in_child(has_failed, f);
	sooni_future_settle(f, SOONI_DONE);
	soon_future_unref(f);
}
END_TEST

static const char *keep(void *arg)
{
	soon_future *f = arg;
	soon_completions *set = soon_as_completed(&f, 1);
	soon_future *g;

	CLAIM(soon_future_set_result(f, NULL) == 0);
	CLAIM(soon_completions_next(set, SOON_FOREVER, &g) == 0 && g == f);
	soon_completions_free(set);
	return NULL;
}

START_TEST(a_promise_that_was_locked_or_being_set_can_be_kept)
{
	soon_future *f = must_promise();
	soon_completions *set = soon_as_completed(&f, 1);

	put_bits(f, SOONI_LOCKED);
	atomic_fetch_or(&f->marks, SOONI_SETTING);
	in_child(keep, f);
	take_bits(f, SOONI_LOCKED);
	atomic_fetch_and(&f->marks, ~(uint32_t)SOONI_SETTING);
	soon_completions_free(set);
	soon_future_unref(f);
}
END_TEST

static const char *set_gives_one(void *arg)
{
	soon_completions *set = arg;
	soon_future *f;

	CLAIM(soon_completions_next(set, SOON_FOREVER, &f) == 0);
	CLAIM(soon_future_error(f) == SOON_EFORKED);
	CLAIM(soon_completions_next(set, SOON_FOREVER, &f) == ENODATA);
	soon_completions_free(set);
	return NULL;
}

START_TEST(a_job_whose_waiters_were_locked_still_tells_them)
{
	soon_future *f = submit(pool, return_arg, NULL);
	soon_completions *set = soon_as_completed(&f, 1);

	put_bits(f, SOONI_LOCKED);
	in_child(set_gives_one, set);
	take_bits(f, SOONI_LOCKED);
	soon_completions_free(set);
	soon_future_unref(f);
}
END_TEST

static bool is_readable(soon_completions *set)
{
	struct pollfd p = { .fd = set->fds[0], .events = POLLIN };

	return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

/* Where a thread stops that has made f done and fires its waiters. */
enum { BEFORE, TAKEN_OFF, PUSHED, SHOWING };

static const char *set_goes_on(void *arg)
{
	soon_completions *set = arg;
	soon_future *f;

	CLAIM(is_readable(set));
	CLAIM(soon_completions_next(set, SOON_FOREVER, &f) == 0);
	CLAIM(soon_completions_next(set, SOON_FOREVER, &f) == ENODATA);
	soon_completions_free(set);
	return NULL;
}

START_TEST(a_node_on_its_way_to_its_set_arrives)
{
	soon_future *f = must_promise();
	soon_completions *set = soon_as_completed(&f, 1);
	struct sooni_set_node *node = NULL;
	struct sooni_link *waiters = f->waiters;

	ck_assert_int_ge(soon_completions_fd(set), 0);
	put_bits(f, SOONI_DONE | SOONI_BUSY);
	if (_i >= TAKEN_OFF)
		node = sooni_container_of(sooni_list_shift(&f->waiters),
					  struct sooni_set_node, waiter.link);
	if (_i >= PUSHED) {
		/* and `events` is not raised */
		node->next = NULL;
		atomic_store(&set->ready, node);
	}
	if (_i == SHOWING)
		pthread_mutex_lock(&set->fd_lock);
	in_child(set_goes_on, set);
	if (_i == SHOWING)
		pthread_mutex_unlock(&set->fd_lock);
	ck_assert(!is_readable(set));
	atomic_store(&set->ready, NULL);
	f->waiters = waiters;
	take_bits(f, SOONI_DONE | SOONI_BUSY);
	soon_completions_free(set);
	soon_future_unref(f);
}
END_TEST

static void *hold_lock(void *set)
{
	pthread_mutex_lock(&((soon_completions *)set)->lock);
	gate_pass(&gate);
	pthread_mutex_unlock(&((soon_completions *)set)->lock);
	return NULL;
}

static const char *set_is_lost(void *arg)
{
	soon_completions *set = arg;
	soon_future *f = soon_future_new(NULL);

	CLAIM(soon_completions_add(set, f) == SOON_EFORKED);
	CLAIM(soon_completions_next(set, SOON_FOREVER, &f) == SOON_EFORKED);
	CLAIM(f == NULL);
	if (set->has_fd)
		CLAIM(is_readable(set));
	CLAIM(soon_completions_fd(set) == -1 && errno == SOON_EFORKED);
	soon_completions_free(set);
	return pool_works(pool);
}

START_TEST(a_set_that_another_thread_had_locked_is_lost)
{
	soon_future *f = submit(pool, return_arg, NULL);
	soon_completions *set = soon_as_completed(&f, 1);
	struct actor actor;

	if (_i == 1)
		ck_assert_int_ge(soon_completions_fd(set), 0);
	actor_start(&actor, hold_lock, set);
	gate_await(&gate, 2);
	in_child(set_is_lost, set);
	if (_i == 1)
		ck_assert(!is_readable(set));
	gate_open(&gate);
	actor_join(&actor);
	ck_assert_int_eq(soon_completions_next(set, SOON_FOREVER, &f), 0);
	soon_completions_free(set);
	soon_future_unref(f);
}
END_TEST

static void *hold_locks(void *unused)
{
	(void)unused;
	sooni_pool_lock_shards(pool);
	pthread_mutex_lock(&pool->lock);
	pthread_mutex_lock(&pool->joining);
	gate_pass(&gate);
	pthread_mutex_unlock(&pool->joining);
	pthread_mutex_unlock(&pool->lock);
	sooni_pool_unlock_shards(pool);
	return NULL;
}

static const char *pool_works_and_ends(void *unused)
{
	const char *wrong = pool_works(pool);

	(void)unused;
	soon_executor_free(pool);
	return wrong;
}

START_TEST(a_pool_of_which_others_had_every_lock_works)
{
	struct actor actor;

	actor_start(&actor, hold_locks, NULL);
	gate_await(&gate, 2);
	in_child(pool_works_and_ends, NULL);
	gate_open(&gate);
	actor_join(&actor);
}
END_TEST

static const char *nothing_to_do(void *f)
{
	CLAIM(soon_future_state(f) == SOON_SUCCEEDED);
	soon_future_unref(f);
	return pool_works(pool);
}

START_TEST(an_entry_of_a_job_that_is_done_is_gone)
{
	soon_future *f = submit(pool, return_arg, NULL);

	/* A waiter claimed it; the entry is still queued. */
	ck_assert(sooni_future_claim(f, false, true));
	sooni_future_settle(f, SOONI_DONE);
	in_child(nothing_to_do, f);
	soon_future_unref(f);
}
END_TEST

static void *count_lines(void *inline_pool)
{
	FILE *out = tmpfile();
	long lines = 0;
	int c;

	if (out == NULL || soon_executor_dump(inline_pool, out) != 0)
		return NULL;
	rewind(out);
	while ((c = getc(out)) != EOF)
		lines += c == '\n';
	fclose(out);
	return box(lines);
}

static const char *is_in_dump(void *inline_pool)
{
	soon_future *f = soon_submit(inline_pool, count_lines, inline_pool);
	void *lines = NULL;

	CLAIM(soon_future_result(f, SOON_FOREVER, &lines) == 0);
	CLAIM(lines == box(2));
	soon_future_unref(f);
	return NULL;
}

START_TEST(a_thread_of_which_others_had_written_a_line_gets_one)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;

	o.flags = SOON_INLINE;
	e = soon_executor_open(&o);
	ck_assert_ptr_nonnull(e);
	sooni_me.is_reached = true;
	sooni_me.is_told = true;
	in_child(is_in_dump, e);
	sooni_me.is_reached = false;
	sooni_me.is_told = false;
	soon_executor_free(e);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork_moments");
	TCase *tc = tcase_create("moments");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_test(tc, a_job_taken_from_its_queue_is_found);
	tcase_add_loop_test(tc, a_job_just_claimed_is_found, 0, 2);
	tcase_add_test(tc, a_promise_that_was_locked_or_being_set_can_be_kept);
	tcase_add_test(tc, a_job_whose_waiters_were_locked_still_tells_them);
	tcase_add_loop_test(tc, a_node_on_its_way_to_its_set_arrives, BEFORE,
			    SHOWING + 1);
	tcase_add_loop_test(tc, a_set_that_another_thread_had_locked_is_lost, 0,
			    2);
	tcase_add_test(tc, a_pool_of_which_others_had_every_lock_works);
	tcase_add_test(tc, an_entry_of_a_job_that_is_done_is_gone);
	tcase_add_test(tc,
		       a_thread_of_which_others_had_written_a_line_gets_one);
	suite_add_tcase(suite, tc);
	return test_run(suite);
}
