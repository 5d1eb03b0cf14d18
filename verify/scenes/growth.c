/*
 * growth.c - a pool that grows because its jobs block, while its threads end for
 * idleness, or it ends itself: monitor.c, and all that it looks at.
 *
 * To the monitor every worker with a job seems to be asleep, whenever it looks.
 *
 * with: monitor.c
 */
#include "pools.h"

/* Two jobs that wait for each other, with one worker: the monitor must find that
 * the first blocks. */
static void open_small(soon_nsec idle_timeout)
{
	options.idle_timeout = idle_timeout;
	open_pool(1, 2);
	sched_let_time_pass();
}

static void growing(void)
{
	open_small(SOON_FOREVER);
	both(meet, meet);
	await_all_ran();
}

/* Threads are one too many then, and go; and again. */
static void growing_again(void)
{
	open_small(1);
	both(meet, meet);
	count_await(&finished, 2);
	atomic_store_explicit(&begun, 0, memory_order_relaxed);
	both(meet, meet);
	await_all_ran();
}

/* A closed pool grows for what it still has. */
static void growing_at_the_end(void)
{
	open_small(1);
	execute(meet);
	execute(meet);
	end_all_ran();
}

/* A thread that could not be started, a worker's or the clock's, is asked for
 * again, and nothing is left of that. */
static void growing_with_few_threads(void)
{
	open_small(1);
	execute(quick);
	execute(quick);
	end_all_ran();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "growth: growing", growing, 1, 0, 0, false },
		{ "growth: growing again", growing_again, 1, 1, 0, false },
		{ "growth: growing at the end", growing_at_the_end, 1, 1, 0,
		  false },
		{ "growth: growing with few threads", growing_with_few_threads,
		  1, 0, 2, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
