/*
 * bench.h - what every adapter and every workload needs.
 *
 * An adapter is one program per peer.  It includes this file first, says how
 * its peer opens a pool, takes a job and gives a result back (the list is at
 * the top of workloads.h), and includes workloads.h last.  So the work is the
 * same source text for everybody, and only the hand-over differs.
 */
#ifndef BENCH_H
#define BENCH_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A C++ handle has a constructor, a C handle does not need one. */
#ifdef __cplusplus
#define NEW_ARRAY(type, n) (new type[(size_t)(n)])
#define FREE_ARRAY(array) delete[](array)
#else
#define NEW_ARRAY(type, n) ((type *)calloc((size_t)(n), sizeof(type)))
#define FREE_ARRAY(array) free(array)
#endif

/* A job takes a number and gives one back, both in the shape of a pointer. */
typedef void *job_fn(void *arg);

static inline void *pack(long number)
{
	return (void *)(intptr_t)number;
}

static inline long unpack(void *pointer)
{
	return (long)(intptr_t)pointer;
}

/* One measurement: what was asked for, and the figures found. */
struct run {
	long n; /* how many jobs, or how much of something */
	int workers;
	int threads; /* that submit; only "producers" looks at it */
	double start;
	double figure[3];
	int figures;
};

static inline void report(struct run *r, double figure)
{
	r->figure[r->figures++] = figure;
}

static inline double clock_seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline double now(void)
{
	return clock_seconds(CLOCK_MONOTONIC);
}

static inline void pause_ns(long ns)
{
	struct timespec t;

	t.tv_sec = (time_t)(ns / 1000000000);
	t.tv_nsec = ns % 1000000000;
	nanosleep(&t, NULL);
}

/* From the run's start until now, for each of its n jobs. */
static inline void report_ns_each(struct run *r)
{
	report(r, (now() - r->start) * 1e9 / (double)r->n);
}

/* A peer that loses or mixes up a job has no speed worth telling. */
static inline void expect(long got, long want)
{
	if (got != want) {
		printf("wrong result\n");
		exit(1);
	}
}

static inline long sum_below(long n)
{
	return n * (n - 1) / 2;
}

#endif
