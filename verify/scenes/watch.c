/*
 * watch.c - waiting for the first of several, and for all of them: watch.c,
 * wait.c, many.c and gather.c.
 */
#include "scene.h"

#include <errno.h>
#include <soon/future.h>
#include <soon/wait.h>

enum { FUTURES = 2 };

static soon_future *futures[FUTURES];
static char results[FUTURES];

static void open_futures(void)
{
	size_t i;

	for (i = 0; i < FUTURES; i++)
		futures[i] = soon_future_new(NULL);
}

static void close_futures(void)
{
	size_t i;

	for (i = 0; i < FUTURES; i++)
		soon_future_unref(futures[i]);
}

static void *complete(void *i)
{
	size_t n = (size_t)i;

	sched_check(soon_future_set_result(futures[n], &results[n]) == 0);
	return NULL;
}

static void *cancel(void *i)
{
	sched_check(soon_future_cancel(futures[(size_t)i]) == 0);
	return NULL;
}

static void against(void *(*one)(void *), void *(*other)(void *),
		    void (*wait)(void))
{
	unsigned a;
	unsigned b;

	open_futures();
	a = sched_spawn("A", one, (void *)0);
	b = sched_spawn("B", other, (void *)1);
	wait();
	sched_join(a);
	sched_join(b);
	close_futures();
}

static void wait_any(void)
{
	size_t i;

	sched_check(soon_wait_any(futures, FUTURES, SOON_FOREVER, &i) == 0);
	sched_check(soon_future_done(futures[i]));
}

static void wait_any_a_moment(void)
{
	size_t i;
	int rc = soon_wait_any(futures, FUTURES, 1, &i);

	sched_check(rc == ETIMEDOUT ||
		    (rc == 0 && soon_future_done(futures[i])));
}

static void wait_all(void)
{
	sched_check(soon_wait_all(futures, FUTURES, SOON_FOREVER) == 0);
	sched_check(soon_future_done(futures[0]));
	sched_check(soon_future_done(futures[1]));
}

static void gather(void)
{
	void *got[FUTURES];

	sched_check(soon_gather(futures, FUTURES, SOON_FOREVER, got, NULL) ==
		    0);
	sched_check(got[0] == &results[0] && got[1] == &results[1]);
}

static void gather_failure(void)
{
	sched_check(soon_gather(futures, FUTURES, SOON_FOREVER, NULL, NULL) ==
		    ECANCELED);
	sched_check(soon_future_done(futures[1]));
}

static void any(void)
{
	against(complete, complete, wait_any);
}

static void any_for_a_moment(void)
{
	against(complete, cancel, wait_any_a_moment);
}

static void all(void)
{
	against(complete, cancel, wait_all);
}

static void gathering(void)
{
	against(complete, complete, gather);
}

static void gathering_a_failure(void)
{
	against(complete, cancel, gather_failure);
}

static void *wait_any_too(void *unused)
{
	(void)unused;
	wait_any();
	return NULL;
}

/* Two watch the same futures; one of these is never done. */
static void never_done(void)
{
	unsigned a;
	unsigned b;

	open_futures();
	a = sched_spawn("A", complete, (void *)0);
	b = sched_spawn("B", wait_any_too, NULL);
	wait_any();
	sched_join(a);
	sched_join(b);
	complete((void *)1);
	close_futures();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "watch: any", any, 2, 0, 0, false },
		{ "watch: any for a moment", any_for_a_moment, 2, 1, 0, false },
		{ "watch: all", all, 3, 0, 0, false },
		{ "watch: gathering", gathering, 2, 0, 0, false },
		{ "watch: gathering a failure", gathering_a_failure, 2, 0, 0,
		  false },
		{ "watch: never done", never_done, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
