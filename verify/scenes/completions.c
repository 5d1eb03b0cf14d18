/*
 * completions.c - a set of futures against those who complete them: the ready
 * stack and the events of completions.c.
 */
#include "scene.h"

#include <errno.h>
#include <soon/future.h>
#include <soon/wait.h>

enum { FUTURES = 2 };

static soon_future *futures[FUTURES];
static soon_completions *set;
static unsigned returned[FUTURES];

static void open_set(size_t n)
{
	size_t i;

	for (i = 0; i < FUTURES; i++) {
		futures[i] = soon_future_new(NULL);
		returned[i] = 0;
	}
	set = soon_as_completed(futures, n);
	sched_check(set != NULL);
}

static void close_futures(void)
{
	size_t i;

	for (i = 0; i < FUTURES; i++)
		soon_future_unref(futures[i]);
}

static void *complete(void *i)
{
	soon_future *f = futures[(size_t)i];

	sched_check(soon_future_set_result(f, NULL) == 0);
	return NULL;
}

static void note(soon_future *f)
{
	size_t i;

	sched_check(soon_future_done(f));
	for (i = 0; i < FUTURES; i++)
		if (f == futures[i])
			sched_check(++returned[i] == 1);
}

/* Until none is left. */
static void *take_all(void *unused)
{
	soon_future *f;
	int rc;

	(void)unused;
	while ((rc = soon_completions_next(set, SOON_FOREVER, &f)) == 0)
		note(f);
	sched_check(rc == ENODATA);
	return NULL;
}

static void start_completing(unsigned *threads)
{
	threads[0] = sched_spawn("A", complete, (void *)0);
	threads[1] = sched_spawn("B", complete, (void *)1);
}

static void join_completing(const unsigned *threads)
{
	sched_join(threads[0]);
	sched_join(threads[1]);
	close_futures();
}

/* Each comes back once; nobody sleeps for ever. */
static void taking_all(void)
{
	unsigned threads[2];

	open_set(FUTURES);
	start_completing(threads);
	take_all(NULL);
	sched_check(returned[0] + returned[1] == FUTURES);
	soon_completions_free(set);
	join_completing(threads);
}

/* free() waits for those who are just inside, and for nobody else. */
static void freeing_early(void)
{
	unsigned threads[2];
	soon_future *f;
	int rc;

	open_set(FUTURES);
	start_completing(threads);
	rc = soon_completions_next(set, 0, &f);
	sched_check(rc == 0 || rc == ETIMEDOUT);
	soon_completions_free(set);
	join_completing(threads);
}

static void freeing_at_once(void)
{
	unsigned threads[2];

	open_set(FUTURES);
	start_completing(threads);
	soon_completions_free(set);
	join_completing(threads);
}

/* One that never completes does not hold free() up. */
static void freeing_unfinished(void)
{
	unsigned a;

	open_set(FUTURES);
	a = sched_spawn("A", complete, (void *)0);
	soon_completions_free(set);
	sched_join(a);
	complete((void *)1);
	close_futures();
}

/* Two take from the set, one puts in. */
static void two_takers(void)
{
	unsigned threads[2];
	unsigned taker;

	open_set(FUTURES);
	start_completing(threads);
	taker = sched_spawn("taker", take_all, NULL);
	take_all(NULL);
	sched_join(taker);
	sched_check(returned[0] + returned[1] == FUTURES);
	soon_completions_free(set);
	join_completing(threads);
}

static void *take_one(void *unused)
{
	soon_future *f;

	(void)unused;
	sched_check(soon_completions_next(set, SOON_FOREVER, &f) == 0);
	note(f);
	return NULL;
}

/* One that is done when it is added wakes a taker who sleeps, though the others
 * are never done. */
static void adding_done(void)
{
	unsigned taker;

	open_set(1);
	complete((void *)1);
	taker = sched_spawn("taker", take_one, NULL);
	sched_check(soon_completions_add(set, futures[1]) == 0);
	sched_join(taker);
	sched_check(returned[1] == 1);
	soon_completions_free(set);
	complete((void *)0);
	close_futures();
}

static void adding(void)
{
	unsigned a;
	unsigned taker;

	open_set(1);
	complete((void *)1);
	taker = sched_spawn("taker", take_one, NULL);
	a = sched_spawn("A", complete, (void *)0);
	sched_check(soon_completions_add(set, futures[1]) == 0);
	take_one(NULL);
	sched_join(taker);
	sched_join(a);
	sched_check(returned[0] + returned[1] == 2);
	soon_completions_free(set);
	close_futures();
}

static void open_fd(void)
{
	sched_check(soon_completions_fd(set) >= 0);
}

/* Until none is left; what is readable does not block. */
static void *poll_all(void *alone)
{
	soon_future *f;
	int rc;

	do {
		sched_poll();
		rc = soon_completions_next(set, 0, &f);
		if (rc == 0)
			note(f);
		else if (rc == ETIMEDOUT)
			sched_check(alone == NULL);
	} while (rc != ENODATA);
	return NULL;
}

/* The descriptor is made when they have begun. */
static void polling(void)
{
	unsigned threads[2];

	open_set(FUTURES);
	start_completing(threads);
	open_fd();
	poll_all(&set);
	sched_check(returned[0] + returned[1] == FUTURES);
	sched_check(sched_is_readable());
	soon_completions_free(set);
	join_completing(threads);
}

/* One polls, one sleeps in next(). */
static void polling_beside(void)
{
	unsigned threads[2];
	unsigned taker;

	open_set(FUTURES);
	open_fd();
	start_completing(threads);
	taker = sched_spawn("taker", take_all, NULL);
	poll_all(NULL);
	sched_join(taker);
	sched_check(returned[0] + returned[1] == FUTURES);
	soon_completions_free(set);
	join_completing(threads);
}

/* What is over is not readable, whoever took it; free() lets nobody raise. */
static void polling_for_nothing(void)
{
	unsigned threads[2];
	soon_future *f;

	open_set(FUTURES);
	open_fd();
	threads[0] = sched_spawn("A", complete, (void *)0);
	sched_poll();
	sched_check(soon_completions_next(set, 0, &f) == 0);
	sched_join(threads[0]);
	sched_check(!sched_is_readable());
	threads[1] = sched_spawn("B", complete, (void *)1);
	soon_completions_free(set);
	sched_join(threads[1]);
	close_futures();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "completions: taking all", taking_all, 2, 0, 0, false },
		{ "completions: freeing early", freeing_early, 2, 0, 0, false },
		{ "completions: freeing at once", freeing_at_once, 3, 0, 0,
		  false },
		{ "completions: freeing unfinished", freeing_unfinished, 3, 0,
		  0, false },
		{ "completions: two takers", two_takers, 2, 0, 0, false },
		{ "completions: adding a done one", adding_done, 2, 0, 0,
		  false },
		{ "completions: adding", adding, 2, 0, 0, false },
		{ "completions: polling", polling, 2, 0, 0, false },
		{ "completions: polling beside", polling_beside, 2, 0, 0,
		  false },
		{ "completions: polling for nothing", polling_for_nothing, 3, 0,
		  0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
