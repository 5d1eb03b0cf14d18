/*
 * support.c - what the tests share: gates, tallies, logs, threads, chance.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "support.h"

#include "sanitized.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

/* What fails here is the test's own footing, on any thread: end loudly. */
static void need(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "test support: %s\n", what);
	abort();
}

/* The thread sanitizer makes threads dear: their number is squared in time. */
#if TEST_THREAD_SANITIZED
#define DEFAULT_SCALE 0.1
#elif TEST_ADDRESS_SANITIZED
#define DEFAULT_SCALE 0.3
#else
#define DEFAULT_SCALE 1.0
#endif

unsigned test_scale(unsigned n)
{
	const char *s = getenv("SOON_TEST_SCALE");
	double factor = s != NULL && *s != '\0' ? strtod(s, NULL)
						: DEFAULT_SCALE;
	double scaled = (double)n * factor;

	need(factor > 0.0 && scaled < 1e9, "bad SOON_TEST_SCALE");
	return scaled < 1.0 ? 1 : (unsigned)scaled;
}

int test_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The condition variables here are broadcast under their lock. */
static void monitor_init(pthread_mutex_t *lock, pthread_cond_t *changed)
{
	need(pthread_mutex_init(lock, NULL) == 0, "no mutex");
	need(pthread_cond_init(changed, NULL) == 0, "no condition variable");
}

static void monitor_fini(pthread_mutex_t *lock, pthread_cond_t *changed)
{
	pthread_cond_destroy(changed);
	pthread_mutex_destroy(lock);
}

void gate_init(struct gate *g)
{
	monitor_init(&g->lock, &g->changed);
	g->arrived = 0;
	g->inside = 0;
	g->open = false;
}

void gate_fini(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	while (g->open && g->inside > 0)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
	monitor_fini(&g->lock, &g->changed);
}

void gate_pass(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->arrived++;
	g->inside++;
	pthread_cond_broadcast(&g->changed);
	while (!g->open)
		pthread_cond_wait(&g->changed, &g->lock);
	if (--g->inside == 0)
		pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

void gate_await(struct gate *g, unsigned n)
{
	pthread_mutex_lock(&g->lock);
	while (g->arrived < n)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

unsigned gate_arrived(struct gate *g)
{
	unsigned n;

	pthread_mutex_lock(&g->lock);
	n = g->arrived;
	pthread_mutex_unlock(&g->lock);
	return n;
}

static void gate_set(struct gate *g, bool open)
{
	pthread_mutex_lock(&g->lock);
	g->open = open;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

void gate_open(struct gate *g)
{
	gate_set(g, true);
}

void gate_shut(struct gate *g)
{
	gate_set(g, false);
}

void *gate_job(void *gate)
{
	gate_pass(gate);
	return gate;
}

void tally_init(struct tally *t)
{
	monitor_init(&t->lock, &t->changed);
	t->count = 0;
}

void tally_fini(struct tally *t)
{
	monitor_fini(&t->lock, &t->changed);
}

void tally_add(struct tally *t, unsigned n)
{
	pthread_mutex_lock(&t->lock);
	t->count += n;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

unsigned tally_get(struct tally *t)
{
	unsigned n;

	pthread_mutex_lock(&t->lock);
	n = t->count;
	pthread_mutex_unlock(&t->lock);
	return n;
}

void tally_await(struct tally *t, unsigned n)
{
	pthread_mutex_lock(&t->lock);
	while (t->count < n)
		pthread_cond_wait(&t->changed, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

void tally_free(void *tally)
{
	tally_add(tally, 1);
}

void *tally_job(void *tally)
{
	tally_add(tally, 1);
	return tally;
}

void logbook_init(struct logbook *l, size_t room)
{
	monitor_init(&l->lock, &l->changed);
	l->n = 0;
	l->room = room;
	l->entry = calloc(room, sizeof(*l->entry));
	need(l->entry != NULL, "no memory");
}

void logbook_fini(struct logbook *l)
{
	free(l->entry);
	monitor_fini(&l->lock, &l->changed);
}

void logbook_add(struct logbook *l, int value)
{
	pthread_mutex_lock(&l->lock);
	need(l->n < l->room, "logbook full");
	l->entry[l->n++] = value;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

size_t logbook_size(struct logbook *l)
{
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->n;
	pthread_mutex_unlock(&l->lock);
	return n;
}

void logbook_await(struct logbook *l, size_t n)
{
	pthread_mutex_lock(&l->lock);
	while (l->n < n)
		pthread_cond_wait(&l->changed, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

int logbook_at(struct logbook *l, size_t i)
{
	int value;

	pthread_mutex_lock(&l->lock);
	need(i < l->n, "no such entry in the logbook");
	value = l->entry[i];
	pthread_mutex_unlock(&l->lock);
	return value;
}

pid_t thread_id(void)
{
#ifdef __linux__
	return (pid_t)syscall(SYS_gettid);
#else
	return 0;
#endif
}

/* The letter that /proc gives as the thread's state; 0 if there is none. */
static char thread_state(pid_t tid)
{
	char path[64], line[512];
	const char *end;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", (long)tid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	/* The name before the state may hold any character. */
	end = strrchr(line, ')');
	return end != NULL && end[1] == ' ' ? end[2] : 0;
}

void thread_await_asleep(pid_t tid)
{
	char state = thread_state(tid);

	while (state == 'R' || state == 'D') {
		sched_yield();
		state = thread_state(tid);
	}
}

unsigned thread_count(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned n = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			n++;
	closedir(dir);
	return n;
}

static void *actor_main(void *arg)
{
	struct actor *a = arg;

	a->tid = thread_id();
	gate_pass(&a->ready);
	return a->fn(a->arg);
}

void actor_start(struct actor *a, void *(*fn)(void *arg), void *arg)
{
	a->fn = fn;
	a->arg = arg;
	gate_init(&a->ready);
	gate_open(&a->ready);
	need(pthread_create(&a->thread, NULL, actor_main, a) == 0, "no thread");
	gate_await(&a->ready, 1);
}

void actor_await_asleep(struct actor *a)
{
	thread_await_asleep(a->tid);
}

void *actor_join(struct actor *a)
{
	void *result;

	need(pthread_join(a->thread, &result) == 0, "no such thread");
	gate_fini(&a->ready);
	return result;
}

void *return_arg(void *arg)
{
	return arg;
}

void *return_null(void *arg)
{
	(void)arg;
	return NULL;
}

soon_nsec now(void)
{
	struct timespec t;

	need(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "no clock");
	return (soon_nsec)t.tv_sec * SOON_SEC + (soon_nsec)t.tv_nsec;
}

void *box(long value)
{
	return (void *)(intptr_t)value;
}

long unbox(const void *p)
{
	return (long)(intptr_t)p;
}

/* SOON_TEST_SEED makes another sequence of each seed: see stress.sh. */
struct rng rng_seed(uint64_t seed)
{
	const char *s = getenv("SOON_TEST_SEED");
	uint64_t more = s != NULL ? strtoull(s, NULL, 0) : 0;

	return (struct rng){ .state = seed + (more << 32) };
}

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
 * 2014: each seed gives its own sequence, small seeds too. */
uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

unsigned rng_below(struct rng *r, unsigned n)
{
	return (unsigned)((rng_next(r) >> 32) % n);
}
