/*
 * api_limits.c - a system that gives few threads and little memory: a pool goes on
 * with what it has, and loses nothing.
 */
#include "support/child.h"

#include <errno.h>
#include <stdio.h>

#if TEST_SANITIZED

int main(void)
{
	puts("skipped: a sanitizer needs threads and memory of its own");
	return 77;
}

#else

#include <sys/resource.h>

#define JOBS 500
#define WORKERS 40
#define STACK ((size_t)4 << 20)

static struct item items[JOBS];
static void *args[JOBS];
static soon_future *accepted[JOBS];

/* The pool would have all its threads: each of its jobs holds one. */
static const char *flood(soon_executor *e, unsigned *refused)
{
	struct gate gate;
	size_t n = 0;

	items_init(items, args, JOBS);
	gate_init(&gate);
	*refused = 0;
	for (int i = 0; i < JOBS; i++) {
		soon_job job = item_job;

		items[i].gate = &gate;
		job.arg = &items[i];
		accepted[n] = soon_submit_job(e, &job);
		if (accepted[n] != NULL) {
			n++;
			continue;
		}
		CLAIM(errno == EAGAIN || errno == ENOMEM);
		items[i].gate = NULL; /* a mark */
		++*refused;
	}
	gate_open(&gate);
	CLAIM(n == 0 || soon_wait_all(accepted, n, SOON_FOREVER) == 0);
	while (n > 0)
		soon_future_unref(accepted[--n]);
	for (int i = 0; i < JOBS; i++) {
		unsigned once = items[i].gate != NULL;

		CLAIM(atomic_load(&items[i].ran) == once);
		CLAIM(atomic_load(&items[i].arg_freed) == once);
	}
	gate_fini(&gate);
	return NULL;
}

enum limited { THREADS, MEMORY };

/* The C libraries differ in what type these have. */
static int get_limit(enum limited what, struct rlimit *limit)
{
	return what == THREADS ? getrlimit(RLIMIT_NPROC, limit)
			       : getrlimit(RLIMIT_AS, limit);
}

static int set_limit(enum limited what, const struct rlimit *limit)
{
	return what == THREADS ? setrlimit(RLIMIT_NPROC, limit)
			       : setrlimit(RLIMIT_AS, limit);
}

/* Set the limit, flood a pool, lift the limit, flood it again. */
static const char *flood_within(enum limited what, rlim_t soft,
				unsigned *refused)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	struct rlimit old, low;
	soon_executor *e;
	const char *wrong;
	unsigned none;

	o.workers = WORKERS;
	o.max_workers = WORKERS;
	o.stack_size = STACK;
	e = soon_executor_open(&o);
	CLAIM(e != NULL);
	CLAIM(get_limit(what, &old) == 0);
	low = old;
	low.rlim_cur = soft;
	CLAIM(set_limit(what, &low) == 0);
	wrong = flood(e, refused);
	CLAIM(set_limit(what, &old) == 0);
	if (wrong == NULL)
		wrong = flood(e, &none);
	CLAIM(wrong != NULL || none == 0);
	soon_executor_free(e);
	return wrong;
}

/*
 * Root has no such limit, so it becomes somebody who has no other process.  The
 * limit counts those of the whole system: another run of this, at the same time,
 * has to be somebody else.
 */
static const char *with_threads(void *limit)
{
	uid_t nobody_else = 30000 + (uid_t)getpid() % 30000;
	bool root = getuid() == 0;
	unsigned refused;
	const char *wrong;

	CLAIM(!root || setuid(nobody_else) == 0);
	wrong = flood_within(THREADS, (rlim_t)unbox(limit), &refused);
	/* One thread is this, and one is enough for all the jobs. */
	CLAIM(wrong != NULL || !root || unbox(limit) < 2 || refused == 0);
	return wrong;
}

START_TEST(with_few_threads_a_pool_loses_nothing)
{
	static const long limits[] = { 0, 1, 2, 3, 5, 12 };

	in_child(with_threads, box(limits[_i]));
}
END_TEST

/* Bytes of address space in use; 0 where the system does not say. */
static unsigned long in_use(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f != NULL && fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return pages * (unsigned long)sysconf(_SC_PAGESIZE);
}

static const char *with_memory(void *more)
{
	unsigned long now = in_use();
	unsigned refused;

	if (now == 0)
		return NULL;
	return flood_within(MEMORY, now + (rlim_t)unbox(more), &refused);
}

START_TEST(with_little_memory_a_pool_loses_nothing)
{
	static const long more[] = { 0, 1 << 20, 6 << 20, 20 << 20, 70 << 20 };

	in_child(with_memory, box(more[_i]));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("limits");
	TCase *t = tcase_create("limits");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, with_few_threads_a_pool_loses_nothing, 0, 6);
	tcase_add_loop_test(t, with_little_memory_a_pool_loses_nothing, 0, 5);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}

#endif
