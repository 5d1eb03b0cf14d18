/*
 * footprint.h - what a pool takes beside time: memory, and CPU while idle.
 */
#ifndef BENCH_FOOTPRINT_H
#define BENCH_FOOTPRINT_H

#include <dirent.h>

#define IDLE_NS 2000000000
#define SETTLE_NS 10000000
#define TRICKLE_NS 10000000

#ifndef NO_MEMORY
#ifdef CALLER_RUNS
#define BLOCKERS(r) ((r)->workers - 1)
#else
#define BLOCKERS(r) ((r)->workers)
#endif

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int waiting;
	int open;
} latch = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

static void *wait_at_latch(void *x)
{
	pthread_mutex_lock(&latch.lock);
	latch.waiting++;
	pthread_cond_broadcast(&latch.changed);
	while (!latch.open)
		pthread_cond_wait(&latch.changed, &latch.lock);
	pthread_mutex_unlock(&latch.lock);
	return x;
}

static void latch_await(int waiting)
{
	pthread_mutex_lock(&latch.lock);
	while (latch.waiting < waiting)
		pthread_cond_wait(&latch.changed, &latch.lock);
	pthread_mutex_unlock(&latch.lock);
}

static void latch_open(void)
{
	pthread_mutex_lock(&latch.lock);
	latch.open = 1;
	pthread_cond_broadcast(&latch.changed);
	pthread_mutex_unlock(&latch.lock);
}

static double resident_bytes(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (statm == NULL || fscanf(statm, "%*d %ld", &pages) != 1)
		exit(1);
	fclose(statm);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* With every worker held at the latch, jobs can only pile up. */
static void memory_body(struct run *r)
{
	int blockers = BLOCKERS(r);
	handle *held = NEW_ARRAY(handle, blockers);
	handle *handles;
	double before;
	long sum = 0;
	group g;

	for (int i = 0; i < blockers; i++)
		spawn(&g, &held[i], wait_at_latch, pack(i));
	latch_await(blockers);
	before = resident_bytes();
	handles = NEW_ARRAY(handle, r->n);
	for (long i = 0; i < r->n; i++)
		spawn(&g, &handles[i], identity, pack(i));
	report(r, (resident_bytes() - before) / (double)r->n);
	latch_open();
	group_wait(&g);
	for (long i = 0; i < r->n; i++)
		sum += unpack(collect(&handles[i]));
	expect(sum, sum_below(r->n));
	for (int i = 0; i < blockers; i++)
		expect(unpack(collect(&held[i])), i);
	FREE_ARRAY(handles);
	FREE_ARRAY(held);
}

/* memory: what a pending job adds to the resident set, its handle included. */
static void run_memory(struct run *r)
{
	in_pool(r, memory_body);
}
#endif

struct sleeper {
	long thread;
	long sleeps;
};

/* How often a thread has gone to sleep so far; -1 once it has ended. */
static long sleeps_of(const char *thread)
{
	char line[128];
	long sleeps = -1;
	FILE *status;

	snprintf(line, sizeof(line), "/proc/self/task/%.20s/status", thread);
	status = fopen(line, "r");
	if (status == NULL)
		return -1;
	while (fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &sleeps) == 1)
			break;
	fclose(status);
	return sleeps;
}

/* All threads of this process; -1 where there is no /proc to read. */
static int list_sleepers(struct sleeper *sleepers, int max)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	int n = 0;

	if (tasks == NULL)
		return -1;
	while (n < max && (task = readdir(tasks)) != NULL) {
		long sleeps = -1;

		if (task->d_name[0] != '.')
			sleeps = sleeps_of(task->d_name);
		if (sleeps < 0)
			continue;
		sleepers[n].thread = atol(task->d_name);
		sleepers[n].sleeps = sleeps;
		n++;
	}
	closedir(tasks);
	return n;
}

/*
 * A thread that slept between two lists has woken as often.  One that came
 * counts all its sleeps, one that went had to wake for it.
 */
static long wake_ups(const struct sleeper *before, int nbefore,
		     const struct sleeper *after, int nafter)
{
	long sum = 0;

	for (int i = 0; i < nafter; i++)
		sum += after[i].sleeps;
	for (int i = 0; i < nbefore; i++) {
		int j = 0;

		while (j < nafter && after[j].thread != before[i].thread)
			j++;
		sum += j < nafter ? -before[i].sleeps : 1;
	}
	return sum;
}

static void idle_body(struct run *r)
{
	expect(submit_and_sum(identity, r->n), sum_below(r->n));
}

/*
 * idle: CPU time of the whole process in the 2 s after the last result, and
 * how often its threads woke once they had had 10 ms to fall asleep.  What this
 * thread burns to look into /proc is taken off, as is its own sleep.
 */
static void run_idle(struct run *r)
{
	enum { MAX = 1024 };
	static struct sleeper before[MAX], after[MAX];
	double process, looking, burnt;
	int nbefore, nafter;

	pool_open(r->workers);
	pool_enter(r, idle_body);
	process = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
	looking = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
	pause_ns(SETTLE_NS);
	nbefore = list_sleepers(before, MAX);
	looking = clock_seconds(CLOCK_THREAD_CPUTIME_ID) - looking;
	pause_ns(IDLE_NS - SETTLE_NS);
	burnt = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - process - looking;
	nafter = list_sleepers(after, MAX);
	report(r, burnt * 1e3);
	if (nbefore >= 0 && nafter >= 0)
		report(r, (double)wake_ups(before, nbefore, after, nafter) - 1);
	pool_close();
}

/* trickle: one job every 10 ms, in per cent of a CPU. */
static void trickle_body(struct run *r)
{
	double cpu;

	warm_up();
	cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
	r->start = now();
	for (long i = 0; i < r->n; i++) {
		pause_ns(TRICKLE_NS);
		expect(round_trip(i), i);
	}
	cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	report(r, cpu / (now() - r->start) * 100);
}

static void run_trickle(struct run *r)
{
	in_pool(r, trickle_body);
}

/* lifecycle: open a pool, one round trip, close it. */
#ifndef NO_LIFECYCLE
static void lifecycle_body(struct run *r)
{
	expect(round_trip(r->n), r->n);
}

static void run_lifecycle(struct run *r)
{
	r->start = now();
	for (long i = 0; i < r->n; i++)
		in_pool(r, lifecycle_body);
	report(r, (now() - r->start) * 1e6 / (double)r->n);
}
#endif

#endif
