/*
 * jobs.h - jobs that do something: sleep, compute, or one each of a range.
 */
#ifndef BENCH_JOBS_H
#define BENCH_JOBS_H

#define BLOCKED_NS 2000000
#define WORK_ROUNDS 4200 /* about 10 us */

static void *sleep_2ms(void *x)
{
	pause_ns(BLOCKED_NS);
	return x;
}

static void blocking_body(struct run *r)
{
	expect(submit_and_sum(sleep_2ms, r->n), sum_below(r->n));
	report(r, (now() - r->start) * 1e3);
}

/* blocking: jobs asleep in a system call; starting the threads counts. */
static void run_blocking(struct run *r)
{
	r->start = now();
	in_pool(r, blocking_body);
}

/* Xorshift, so that no compiler can shorten it. */
static void *compute(void *seed)
{
	uint64_t x = (uint64_t)unpack(seed) + 88172645463325252u;

	for (int i = 0; i < WORK_ROUNDS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return pack((long)(x >> 8));
}

/* Without a call that waits for all, waiting for each is how it is done. */
#ifndef HAS_GATHER
static long gather_and_sum(job_fn *fn, long n)
{
	return submit_and_sum(fn, n);
}
#endif

#ifndef HAS_MAP
static long map_and_sum(job_fn *fn, long n)
{
	return submit_and_sum(fn, n);
}
#endif

/* What the jobs take one after another on this thread, before any pool. */
static double serial_seconds(long n, long *sum)
{
	double start = now();

	*sum = 0;
	for (long i = 0; i < n; i++)
		*sum += unpack(compute(pack(i)));
	return now() - start;
}

static long serial_sum;

static void work_body(struct run *r)
{
	r->start = now();
	expect(submit_and_sum(compute, r->n), serial_sum);
	report(r, now() - r->start);
}

static void gather_body(struct run *r)
{
	r->start = now();
	expect(gather_and_sum(compute, r->n), serial_sum);
	report(r, now() - r->start);
}

/* The time taken, as a multiple of what the workers need at the very least. */
static void against_ideal(struct run *r, void (*body)(struct run *r))
{
	double serial = serial_seconds(r->n, &serial_sum);

	in_pool(r, body);
	r->figure[0] /= serial / r->workers;
}

/* work: jobs of about 10 us, each result waited for in turn. */
static void run_work(struct run *r)
{
	against_ideal(r, work_body);
}

/* gather: the same jobs, waited for all at once where the peer can. */
static void run_gather(struct run *r)
{
	against_ideal(r, gather_body);
}

static void map_body(struct run *r)
{
	warm_up();
	r->start = now();
	expect(map_and_sum(identity, r->n), sum_below(r->n));
	report_ns_each(r);
}

/* map: one function over n arguments, by the peer's own call if it has one. */
static void run_map(struct run *r)
{
	in_pool(r, map_body);
}

#endif
