/*
 * nested.h - jobs that hand over jobs.
 *
 * Here a pool whose waiting jobs hold their threads comes to a stop: every
 * worker waits for a job that no worker is left to run.
 */
#ifndef BENCH_NESTED_H
#define BENCH_NESTED_H

static long fib_serial(long n)
{
	return n < 2 ? n : fib_serial(n - 1) + fib_serial(n - 2);
}

static void *fib_of_larger(long n);

static void *fib(void *n)
{
	return unpack(n) < 2 ? n : fib_of_larger(unpack(n));
}

/* Apart, so that in C++ a leaf makes no group. */
static void *fib_of_larger(long n)
{
	handle child;
	long other;
	group g;

	spawn(&g, &child, fib, pack(n - 1));
	other = unpack(fib(pack(n - 2)));
	group_wait(&g);
	return pack(unpack(collect(&child)) + other);
}

/* forkjoin: one job for each call of fib(n) but the second of a pair. */
static void forkjoin_body(struct run *r)
{
	handle root;
	double elapsed;
	long result;
	group g;

	r->start = now();
	spawn(&g, &root, fib, pack(r->n));
	group_wait(&g);
	result = unpack(collect(&root));
	elapsed = now() - r->start;
	expect(result, fib_serial(r->n));
	/* fib(n) spawns fib(n + 1) - 1 jobs; the root is one more. */
	report(r, elapsed * 1e9 / (double)fib_serial(r->n + 1));
}

static void run_forkjoin(struct run *r)
{
	in_pool(r, forkjoin_body);
}

static void *fan_out(void *n)
{
	return pack(submit_and_sum(identity, unpack(n)));
}

/* fanout: submit, from inside a job. */
static void fanout_body(struct run *r)
{
	handle parent;
	group g;

	r->start = now();
	spawn(&g, &parent, fan_out, pack(r->n));
	group_wait(&g);
	expect(unpack(collect(&parent)), sum_below(r->n));
	report_ns_each(r);
}

static void run_fanout(struct run *r)
{
	in_pool(r, fanout_body);
}

#endif
