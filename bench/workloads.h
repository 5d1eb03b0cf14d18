/*
 * workloads.h - all workloads, and main().  An adapter includes it last.
 *
 * Before that, the adapter defines
 *
 *	handle			a type: one job that was handed over
 *	group			a type: what a peer needs beside the handles
 *	void pool_open(int workers)
 *	void pool_close(void)
 *	void spawn(group *, handle *, job_fn *, void *arg)
 *	void *collect(handle *)	wait for the job and drop the handle, once
 *
 * and may define
 *
 *	HAS_GROUPS	results are there only after group_wait(group *)
 *	HAS_ENTER	pool_enter(r, body) calls body(r) inside the pool
 *	CALLER_RUNS	the submitting thread is one of the pool's workers
 *	HAS_HELP	pool_open_helping(): a waiter runs what it waits for
 *	HAS_DONE_QUEUE	done_open(n), done_push(i), done_pop() of its own
 *	HAS_COMPLETIONS	ascompleted_body(r) of its own
 *	HAS_GATHER	gather_and_sum(fn, n): all results by one call
 *	HAS_MAP		map_and_sum(fn, n): jobs and results by one call
 *	NO_PRODUCERS, NO_MEMORY, NO_LIFECYCLE
 *			what the peer cannot express is reported as n/a
 */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

#include "bench.h"

#ifndef HAS_GROUPS
static inline void group_wait(group *g)
{
	(void)g;
}
#endif

#ifndef HAS_ENTER
static inline void pool_enter(struct run *r, void (*body)(struct run *r))
{
	body(r);
}
#endif

/* Opening and closing the pool is part of no figure but where it says so. */
static inline void in_pool(struct run *r, void (*body)(struct run *r))
{
	pool_open(r->workers);
	pool_enter(r, body);
	pool_close();
}

static void *identity(void *x)
{
	return x;
}

/* Hand over fn(0) to fn(n - 1), then add the results up in that order. */
static long submit_and_sum(job_fn *fn, long n)
{
	handle *handles = NEW_ARRAY(handle, n);
	long sum = 0;
	group g;

	for (long i = 0; i < n; i++)
		spawn(&g, &handles[i], fn, pack(i));
	group_wait(&g);
	for (long i = 0; i < n; i++)
		sum += unpack(collect(&handles[i]));
	FREE_ARRAY(handles);
	return sum;
}

/* Has the threads started and the first pages touched. */
static inline void warm_up(void)
{
	expect(submit_and_sum(identity, 100), sum_below(100));
}

/* One job there and its result back. */
static inline long round_trip(long x)
{
	handle h;
	group g;

	spawn(&g, &h, identity, pack(x));
	group_wait(&g);
	return unpack(collect(&h));
}

#include "handover.h"
#include "completed.h"
#include "nested.h"
#include "jobs.h"
#include "footprint.h"

static const struct workload {
	const char *name;
	void (*run)(struct run *r);
} workloads[] = {
	{ "submit", run_submit },
#ifndef NO_PRODUCERS
	{ "producers", run_producers },
#endif
	{ "roundtrip", run_roundtrip },
	{ "warm", run_warm },
	{ "cold", run_cold },
#if defined(HAS_HELP) || defined(CALLER_RUNS)
	{ "help", run_help },
#endif
	{ "forkjoin", run_forkjoin },
	{ "fanout", run_fanout },
	{ "blocking", run_blocking },
	{ "ascompleted", run_ascompleted },
#ifndef NO_MEMORY
	{ "memory", run_memory },
#endif
	{ "idle", run_idle },
	{ "trickle", run_trickle },
#ifndef NO_LIFECYCLE
	{ "lifecycle", run_lifecycle },
#endif
	{ "work", run_work },
	{ "gather", run_gather },
	{ "map", run_map },
};

static void print_figures(const struct run *r)
{
	for (int i = 0; i < r->figures; i++)
		printf("%s%.6g", i > 0 ? " " : "", r->figure[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct run r;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: %s WORKLOAD N WORKERS [THREADS]\n",
			argv[0]);
		return 2;
	}
	memset(&r, 0, sizeof(r));
	r.n = atol(argv[2]);
	r.workers = atoi(argv[3]);
	r.threads = argc == 5 ? atoi(argv[4]) : 4;
	if (r.n < 1 || r.workers < 1 || r.threads < 1) {
		fprintf(stderr, "%s: every count is at least 1\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
		if (strcmp(argv[1], workloads[i].name) == 0) {
			workloads[i].run(&r);
			print_figures(&r);
			return 0;
		}
	printf("n/a\n");
	return 0;
}

#endif
