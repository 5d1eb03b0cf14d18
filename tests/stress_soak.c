/*
 * stress_soak.c - all that the library offers at once, by chance, on several pools;
 * and at the end of each round every job, argument, result and thread is accounted
 * for.
 *
 * SOON_SOAK_SECONDS says for how long, SOON_SOAK_INTERVAL after how many seconds it
 * prints figures each time, SOON_SOAK_ROUND that one round only is run.
 */
#include "support/child.h"
#include "support/soak.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACTORS = 3, DEEDS = 60, STUCK_SECONDS = TEST_TIMEOUT - 20 };

static unsigned seconds; /* 0: a few rounds */
static unsigned round_number;
static struct shared *shown; /* a: the round, for who outlives this process */

static unsigned environment(const char *name, unsigned otherwise)
{
	const char *s = getenv(name);

	return s != NULL && *s != '\0' ? (unsigned)strtoul(s, NULL, 0)
				       : otherwise;
}

/* How to have this round again. */
static const char *how_to_repeat(void)
{
	static char text[100];
	const char *seed = getenv("SOON_TEST_SEED");

	snprintf(text, sizeof(text), "SOON_TEST_SEED=%s SOON_SOAK_ROUND=%u",
		 seed != NULL ? seed : "0", atomic_load(&shown->a));
	return text;
}

/* A round that does not end: show where it hangs. */

static struct {
	struct actor actor;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned round;
	bool over;
} watchdog = { .lock = PTHREAD_MUTEX_INITIALIZER,
	       .changed = PTHREAD_COND_INITIALIZER };

_Noreturn static void bark(void)
{
	const char *wrong = soak_wrong();

	fprintf(stderr, "%s: the round does not end\n%s\n", how_to_repeat(),
		wrong != NULL ? wrong : "no claim failed before");
	for (unsigned i = 0; i < SOAK_POOLS; i++)
		soon_executor_dump(soak.pool[i], stderr);
	abort();
}

static void *watch(void *unused)
{
	pthread_mutex_lock(&watchdog.lock);
	while (!watchdog.over) {
		unsigned before = watchdog.round;
		struct timespec limit;
		int rc = 0;

		clock_gettime(CLOCK_REALTIME, &limit);
		limit.tv_sec += STUCK_SECONDS;
		while (rc == 0 && before == watchdog.round && !watchdog.over)
			rc = pthread_cond_timedwait(&watchdog.changed,
						    &watchdog.lock, &limit);
		if (rc != 0 && before == watchdog.round && !watchdog.over)
			bark();
	}
	pthread_mutex_unlock(&watchdog.lock);
	return unused;
}

static void tell_watchdog(bool over)
{
	pthread_mutex_lock(&watchdog.lock);
	watchdog.round++;
	watchdog.over = over;
	pthread_cond_broadcast(&watchdog.changed);
	pthread_mutex_unlock(&watchdog.lock);
}

/* The rounds */

static void open_pool(unsigned i, struct rng *r)
{
	soon_executor_options *o = &soak.options[i];

	*o = (soon_executor_options)SOON_EXECUTOR_OPTIONS_INIT;
	o->worker_init = soak_worker_init;
	o->worker_fini = soak_worker_fini;
	o->unread_error = soak_unread;
	o->idle_timeout = rng_below(r, 3) == 0 ? soak_time(r, 300) : 0;
	switch (i) {
	case 0:
		o->name = "few";
		o->workers = 1 + rng_below(r, 2);
		o->max_workers = o->workers + rng_below(r, 3);
		o->max_pending = 1 + rng_below(r, 12);
		o->when_full = (enum soon_overflow)(round_number % 3);
		o->flags = rng_below(r, 2) == 0 ? SOON_HELP : 0;
		break;
	case 1:
		o->name = "plain";
		o->max_workers = 1 + rng_below(r, 8);
		break;
	default:
		o->flags = SOON_INLINE;
	}
	atomic_store(&soak.closed[i], false);
	atomic_store(&soak.rejected[i], 0);
	soak.pool[i] = soon_executor_open(o);
	ck_assert_ptr_nonnull(soak.pool[i]);
}

static void *act(void *seed)
{
	struct rng r = rng_seed((uint64_t)unbox(seed));

	for (unsigned i = 0; i < DEEDS; i++)
		soak_do(&r, SOAK_DEPTH);
	return NULL;
}

static void act_all(struct rng *r)
{
	struct actor actors[ACTORS];

	for (int i = 0; i < ACTORS; i++)
		actor_start(&actors[i], act, box((long)rng_below(r, 1u << 31)));
	for (unsigned i = 0; i < DEEDS / 4; i++)
		soak_do(r, SOAK_DEPTH);
	for (int i = 0; i < ACTORS; i++)
		actor_join(&actors[i]);
}

/* All begin to close before one is waited for: their jobs may need each other. */
static void close_pools(struct rng *r)
{
	for (unsigned i = 0; i < SOAK_POOLS; i++) {
		int rc;

		atomic_store(&soak.closed[i], true);
		rc = soon_executor_shutdown(soak.pool[i], rng_below(r, 4), 0);
		SOAK_CLAIM(rc == 0 || rc == EINPROGRESS);
	}
	for (unsigned i = 0; i < SOAK_POOLS; i++) {
		int rc = soon_executor_shutdown(soak.pool[i], rng_below(r, 4),
						soak_time(r, 1000));

		SOAK_CLAIM(rc == 0 || rc == ETIMEDOUT);
		SOAK_CLAIM(soon_executor_shutdown(soak.pool[i], 0,
						  SOON_FOREVER) == 0);
	}
}

static void free_pools(void)
{
	for (unsigned i = 0; i < SOAK_POOLS; i++) {
		soak_audit_stats(i);
		soon_executor_free(soak.pool[i]);
	}
	SOAK_CLAIM(atomic_load(&soak.finis) <= atomic_load(&soak.inits));
}

/* Without jobs nobody makes promises; but that one is kept may submit a job. */
static void await_end_of_jobs(void)
{
	soak_await_settled();
	soak_keeper_stop();
	soak_await_settled();
}

static void run_round(void)
{
	struct rng r = rng_seed(round_number);
	bool calm = rng_below(&r, 2) == 0;

	soak_ledger_clear();
	soak.may_close = !calm && rng_below(&r, 2) == 0;
	soak.most_tasks = 300 + test_scale(3000);
	atomic_store(&soak.forks_left, rng_below(&r, 4) == 0 ? 2 : 0);
	for (unsigned i = 0; i < SOAK_POOLS; i++)
		open_pool(i, &r);
	soak_keeper_start(rng_next(&r));
	act_all(&r);
	if (calm) {
		await_end_of_jobs();
		for (unsigned i = 0; i < SOAK_POOLS; i++)
			soak_audit_stats(i);
	}
	close_pools(&r);
	if (!calm)
		await_end_of_jobs();
	if (rng_below(&r, 2) == 0)
		soak_board_clear();
	free_pools();
	soak_board_clear();
	soak_audit();
	soak_audit_promises();
}

static void count_and_run(void)
{
	run_round();
	tell_watchdog(false);
	ck_assert_msg(soak_wrong() == NULL, "%s: %s", how_to_repeat(),
		      soak_wrong());
}

/* What the threads need that are left: the watchdog and the library's clock. */
static void expect_no_threads(unsigned before)
{
	while (thread_count() > before + 2)
		sched_yield();
}

static bool goes_on(soon_nsec start, unsigned rounds)
{
	return seconds > 0 ? now() - start < seconds * SOON_SEC
			   : round_number < rounds;
}

START_TEST(all_is_accounted_for)
{
	unsigned only = environment("SOON_SOAK_ROUND", UINT32_MAX);
	unsigned before = thread_count();
	soon_nsec start = now();

	soak_figures_start(seconds, environment("SOON_SOAK_INTERVAL", 60));
	actor_start(&watchdog.actor, watch, NULL);
	if (only != UINT32_MAX)
		round_number = only;
	do {
		atomic_store(&shown->a, round_number);
		count_and_run();
		expect_no_threads(before);
		round_number++;
		soak_figures_round(round_number);
	} while (only == UINT32_MAX && goes_on(start, test_scale(20)));
	soon_trace_stop();
	tell_watchdog(true);
	actor_join(&watchdog.actor);
	if (seconds > 0) {
		printf("stress_soak: %u rounds\n", round_number);
		soak_print_totals();
	}
	ck_assert(soak_is_flat());
}
END_TEST

/* Once, in the process that sees the test end. */
static void setup(void)
{
	shown = shared_new();
}

int main(void)
{
	Suite *suite = suite_create("stress_soak");
	TCase *tc = tcase_create("soak");
	int status;

	seconds = environment("SOON_SOAK_SECONDS", 0);
	tcase_add_unchecked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, seconds + TEST_TIMEOUT);
	tcase_add_test(tc, all_is_accounted_for);
	suite_add_tcase(suite, tc);
	status = test_run(suite);
	if (status != EXIT_SUCCESS)
		fprintf(stderr, "the last round: %s\n", how_to_repeat());
	shared_free(shown);
	return status;
}
