/*
 * handover.h - what it costs to hand a job over and get its result back.
 */
#ifndef BENCH_HANDOVER_H
#define BENCH_HANDOVER_H

#define COLD_PAUSE_NS 1000000

/* submit: one thread hands over n empty jobs, then reads n results. */
static void submit_body(struct run *r)
{
	warm_up();
	r->start = now();
	expect(submit_and_sum(identity, r->n), sum_below(r->n));
	report_ns_each(r);
}

static void run_submit(struct run *r)
{
	in_pool(r, submit_body);
}

#ifndef NO_PRODUCERS
static void *produce(void *n)
{
	long jobs = unpack(n);

	expect(submit_and_sum(identity, jobs), sum_below(jobs));
	return NULL;
}

/* producers: the same n jobs, handed over by several threads at once. */
static void run_producers(struct run *r)
{
	pthread_t *producers = NEW_ARRAY(pthread_t, r->threads);

	pool_open(r->workers);
	warm_up();
	r->start = now();
	for (int i = 0; i < r->threads; i++)
		if (pthread_create(&producers[i], NULL, produce,
				   pack(r->n / r->threads)) != 0)
			abort();
	for (int i = 0; i < r->threads; i++)
		pthread_join(producers[i], NULL);
	report_ns_each(r);
	pool_close();
	FREE_ARRAY(producers);
}
#endif

/* roundtrip: one job at a time, back to back; the mean. */
static void roundtrip_body(struct run *r)
{
	warm_up();
	r->start = now();
	for (long i = 0; i < r->n; i++)
		expect(round_trip(i), i);
	report_ns_each(r);
}

static void run_roundtrip(struct run *r)
{
	in_pool(r, roundtrip_body);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median and the 99th percentile, from seconds to nanoseconds. */
static void report_percentiles(struct run *r, double *seconds)
{
	qsort(seconds, (size_t)r->n, sizeof(*seconds), compare_doubles);
	report(r, seconds[r->n / 2] * 1e9);
	report(r, seconds[r->n * 99 / 100] * 1e9);
}

/*
 * warm: roundtrip again, each trip timed alone.  One reading of the clock
 * ends a trip and starts the next, so a figure holds the cost of one reading.
 */
static void warm_body(struct run *r)
{
	double *trips = NEW_ARRAY(double, r->n);
	double before, after;

	warm_up();
	before = now();
	for (long i = 0; i < r->n; i++) {
		expect(round_trip(i), i);
		after = now();
		trips[i] = after - before;
		before = after;
	}
	report_percentiles(r, trips);
	FREE_ARRAY(trips);
}

static void run_warm(struct run *r)
{
	in_pool(r, warm_body);
}

/* cold: as warm, after a pause in which everybody has fallen asleep. */
static void cold_body(struct run *r)
{
	double *trips = NEW_ARRAY(double, r->n);
	double before;

	warm_up();
	for (long i = 0; i < r->n; i++) {
		pause_ns(COLD_PAUSE_NS);
		before = now();
		expect(round_trip(i), i);
		trips[i] = now() - before;
	}
	report_percentiles(r, trips);
	FREE_ARRAY(trips);
}

static void run_cold(struct run *r)
{
	in_pool(r, cold_body);
}

/* help: roundtrip where the waiter may run the job that it waits for. */
#if defined(HAS_HELP)
static void run_help(struct run *r)
{
	pool_open_helping(r->workers);
	pool_enter(r, roundtrip_body);
	pool_close();
}
#elif defined(CALLER_RUNS)
static void run_help(struct run *r)
{
	run_roundtrip(r);
}
#endif

#endif
