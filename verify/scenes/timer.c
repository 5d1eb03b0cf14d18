/*
 * timer.c - timers that are started and stopped beside the clock, and who keeps
 * it: timer.c.
 *
 * A timer is freed as soon as it was stopped or has fired, so that a clock that
 * touches it later is caught.
 */
#include "scene.h"

#include "count.h"
#include "thread.h"
#include "timer.h"

#include <stdlib.h>

struct alarm {
	struct sooni_timer timer;
	unsigned restarts; /* in its fire() */
	unsigned fired;
};

static count rung;     /* fires, in all */
static count returned; /* those that have run the user's code */

static void ring(struct sooni_timer *t)
{
	struct alarm *a = sooni_container_of(t, struct alarm, timer);

	a->fired++;
	count_up(&rung);
	if (a->restarts > 0) {
		a->restarts--;
		sched_check(sooni_timer_start(t) == 0);
	}
	sched_check(a->fired > 0);
}

/* Holds up no other timer, though it waits for one. */
static void run_user_code(struct sooni_timer *unused)
{
	(void)unused;
	sooni_before_user();
	count_await(&rung, 1);
	sooni_timer_back();
	count_up(&returned);
}

/* Presently. */
static struct alarm *start(void (*fire)(struct sooni_timer *t),
			   unsigned restarts)
{
	struct alarm *a = calloc(1, sizeof(*a));

	a->timer.fire = fire;
	a->timer.when = sooni_now();
	a->restarts = restarts;
	sched_check(sooni_timer_start(&a->timer) == 0);
	return a;
}

static void open_clock(void)
{
	atomic_init(&rung, 0);
	atomic_init(&returned, 0);
}

/* Nobody is left. */
static void end_clock(void)
{
	sooni_timer_forget();
	sched_check(sched_is_alone());
}

static void *stop_and_free(void *alarm)
{
	struct alarm *a = alarm;
	bool stopped = sooni_timer_stop(&a->timer);

	sched_check(a->timer.place == 0);
	sched_check(stopped || a->fired == 1);
	free(a);
	return NULL;
}

static void stopping(void)
{
	open_clock();
	stop_and_free(start(ring, 0));
	end_clock();
}

/* ... one that fires again, which the clock may be about to. */
static void stopping_for_good(void)
{
	struct alarm *a;

	open_clock();
	a = start(ring, 1);
	count_await(&rung, 1);
	sooni_timer_stop(&a->timer);
	sched_check(a->timer.place == 0);
	free(a);
	end_clock();
}

static void stopping_beside(void)
{
	struct alarm *one;
	unsigned a;

	open_clock();
	one = start(ring, 0);
	a = sched_spawn("A", stop_and_free, start(ring, 0));
	stop_and_free(one);
	sched_join(a);
	end_clock();
}

/* Each is fired, though the clock may be just about to sleep, or to end. */
static void starting(void)
{
	struct alarm *one;
	struct alarm *other;

	open_clock();
	one = start(ring, 0);
	count_await(&rung, 1);
	other = start(ring, 0);
	count_await(&rung, 2);
	stop_and_free(one);
	stop_and_free(other);
	end_clock();
}

static void passing_on(void)
{
	struct alarm *first;
	struct alarm *second;

	open_clock();
	first = start(run_user_code, 0);
	second = start(ring, 0);
	count_await(&returned, 1);
	sched_check(!sooni_timer_stop(&first->timer));
	free(first);
	stop_and_free(second);
	end_clock();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "timer: stopping", stopping, 2, 0, 0, false },
		{ "timer: stopping for good", stopping_for_good, 3, 0, 0,
		  false },
		{ "timer: stopping beside", stopping_beside, 1, 0, 0, false },
		{ "timer: starting", starting, 2, 0, 0, false },
		{ "timer: starting at the end", starting, 1, 1, 0, false },
		{ "timer: passing on", passing_on, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
