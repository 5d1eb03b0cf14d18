/*
 * fault_malloc.c - memory runs out at every place in turn: the n-th request
 * fails, for n = 1, 2, ... until a scenario gets through without one failing;
 * that request alone, or all from it on.
 *
 * malloc and its like, and mmap, are defined here and so take the place of
 * libc's for the whole program.
 */
#include "support/scenario.h"

#include <stdio.h>

#if TEST_SANITIZED

int main(void)
{
	puts("skipped: a sanitizer stands between this program and malloc");
	return 77;
}

#else

#include "timer.h"

#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Blocks that exist now, and the requests until one fails. */
static atomic_long blocks;
static atomic_long countdown; /* 0: the rest succeed */
static atomic_bool armed, persistent, failed;

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void (*free)(void *);
	void *(*mmap)(void *, size_t, int, int, int, off_t);
	int (*munmap)(void *, size_t);
} real;

/* For dlsym() itself, which may ask before it has answered. */
static _Alignas(64) char early[4096];
static size_t early_used;

static void *early_alloc(size_t size)
{
	void *block = early + early_used;

	early_used += (size + 63) / 64 * 64;
	if (early_used > sizeof(early))
		abort();
	return block;
}

static bool is_early(const void *block)
{
	return (const char *)block >= early &&
	       (const char *)block < early + sizeof(early);
}

static void find(void *slot, const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (symbol == NULL)
		abort();
	memcpy(slot, &symbol, sizeof(symbol));
}

/* False while it is under way: use early_alloc(). */
static bool resolved(void)
{
	static bool begun, done;

	if (!begun) {
		begun = true;
		find(&real.calloc, "calloc");
		find(&real.realloc, "realloc");
		find(&real.aligned_alloc, "aligned_alloc");
		find(&real.posix_memalign, "posix_memalign");
		find(&real.free, "free");
		find(&real.mmap, "mmap");
		find(&real.munmap, "munmap");
		find(&real.malloc, "malloc");
		done = true;
	}
	return done;
}

/* Whether this request is the one, or one of those, that fail. */
static bool must_fail(void)
{
	long left;

	if (!atomic_load(&armed))
		return false;
	left = atomic_fetch_sub(&countdown, 1) - 1;
	if (left > 0 || (left < 0 && !atomic_load(&persistent)))
		return false;
	atomic_store(&failed, true);
	errno = ENOMEM;
	return true;
}

static void *counted(void *block)
{
	if (block != NULL)
		atomic_fetch_add(&blocks, 1);
	return block;
}

void *malloc(size_t size)
{
	if (!resolved())
		return early_alloc(size);
	return must_fail() ? NULL : counted(real.malloc(size));
}

void *calloc(size_t n, size_t size)
{
	if (!resolved())
		return early_alloc(n * size);
	return must_fail() ? NULL : counted(real.calloc(n, size));
}

void *realloc(void *block, size_t size)
{
	if (!resolved() || is_early(block))
		abort();
	if (must_fail())
		return NULL;
	if (block == NULL)
		return counted(real.realloc(block, size));
	return real.realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	resolved();
	return must_fail() ? NULL
			   : counted(real.aligned_alloc(alignment, size));
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	int rc;

	resolved();
	if (must_fail())
		return ENOMEM;
	rc = real.posix_memalign(block, alignment, size);
	if (rc == 0)
		counted(*block);
	return rc;
}

void free(void *block)
{
	if (block == NULL || is_early(block))
		return;
	resolved();
	atomic_fetch_sub(&blocks, 1);
	real.free(block);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t off)
{
	void *block;

	resolved();
	if (must_fail())
		return MAP_FAILED;
	block = real.mmap(at, size, protection, flags, fd, off);
	if (block != MAP_FAILED)
		counted(block);
	return block;
}

int munmap(void *block, size_t size)
{
	resolved();
	atomic_fetch_sub(&blocks, 1);
	return real.munmap(block, size);
}

/* Let the n-th request from now fail, and those after it if so asked. */
static void arm(long n, bool from_then_on)
{
	atomic_store(&failed, false);
	atomic_store(&countdown, n);
	atomic_store(&persistent, from_then_on);
	atomic_store(&armed, true);
}

/* Whether any has failed. */
static bool disarm(void)
{
	atomic_store(&armed, false);
	return atomic_load(&failed);
}

/* Repetitions of each failure, so that a leak differs from a cache. */
#define TIMES 6

/* Whether there are no more blocks than that.  A thread that was written off, for
 * which nobody can wait, may be about to free some; but not for long. */
static bool await_blocks(long most)
{
	soon_nsec end = now() + 10 * SOON_SEC;

	while (atomic_load(&blocks) > most && now() < end)
		sched_yield();
	return atomic_load(&blocks) <= most;
}

/* Whether the n-th request was made at all. */
static bool fails_well(const struct scenario *s, long n, bool from_then_on)
{
	long before = atomic_load(&blocks);
	bool reached = false;

	for (int i = 0; i < TIMES; i++) {
		const char *claim;

		arm(n, from_then_on);
		claim = s->run();
		reached |= disarm();
		if (claim != NULL)
			ck_abort_msg("%s, request %ld%s: not %s", s->name, n,
				     from_then_on ? " and on" : "", claim);
	}
	if (!await_blocks(before + TIMES / 2))
		ck_abort_msg("%s, request %ld%s: %ld blocks leaked in %d runs",
			     s->name, n, from_then_on ? " and on" : "",
			     atomic_load(&blocks) - before, TIMES);
	return reached;
}

static const char *repeat(const struct scenario *s, int times)
{
	const char *claim = NULL;

	for (int i = 0; i < times && claim == NULL; i++)
		claim = s->run();
	return claim;
}

/* Two tests for each scenario: one failure, and failures without end. */
START_TEST(every_request_for_memory_may_fail)
{
	const struct scenario *s = &scenarios[_i / 2];
	const char *claim = repeat(s, TIMES);
	long before = atomic_load(&blocks), n = 1;

	ck_assert_msg(claim == NULL, "%s: not %s", s->name, claim);
	claim = repeat(s, 4 * TIMES);
	ck_assert_msg(claim == NULL, "%s: not %s", s->name, claim);
	ck_assert_msg(await_blocks(before + TIMES),
		      "%s leaks although nothing fails", s->name);
	while (fails_well(s, n, _i % 2 != 0))
		n++;
	ck_assert_msg(n > 1 || strcmp(s->name, "keep_promises") == 0,
		      "%s asked for no memory: is it intercepted?", s->name);
	claim = repeat(s, 1);
	ck_assert_msg(claim == NULL, "%s afterwards: not %s", s->name, claim);
}
END_TEST

static void no_fire(struct sooni_timer *t)
{
	(void)t;
}

/* More than the clock has memory for at first. */
START_TEST(a_timer_without_memory_is_refused)
{
	static struct sooni_timer timers[100];
	size_t refusals = 0;

	for (size_t i = 0; i < COUNT_OF(timers); i++) {
		struct sooni_timer *t = &timers[i];
		int rc;

		t->when = INT64_MAX;
		t->fire = no_fire;
		arm(1, true);
		rc = sooni_timer_start(t);
		disarm();
		refusals += rc != 0;
		ck_assert(rc == 0 || rc == ENOMEM);
		ck_assert(rc == 0 || !sooni_timer_stop(t));
		if (rc != 0)
			ck_assert_int_eq(sooni_timer_start(t), 0);
	}
	ck_assert_uint_ge(refusals, 2);
	for (size_t i = 0; i < COUNT_OF(timers); i++)
		ck_assert(sooni_timer_stop(&timers[i]));
	sooni_timer_forget();
}
END_TEST

/* Made once in a process: the index is the request that fails. */
START_TEST(the_default_executor_can_be_had_later)
{
	soon_executor *e;
	soon_future *f;
	void *result = NULL;

	arm(_i + 1, false);
	f = soon_submit(NULL, return_arg, &result);
	if (f == NULL)
		ck_assert(errno == ENOMEM || errno == EAGAIN);
	disarm();
	if (f != NULL)
		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
	soon_future_unref(f);
	e = soon_default_executor();
	ck_assert_ptr_nonnull(e);
	f = submit(e, return_arg, &result);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &result), 0);
	ck_assert_ptr_eq(result, &result);
	soon_future_unref(f);
}
END_TEST

static Suite *malloc_suite(void)
{
	Suite *s = suite_create("fault_malloc");
	TCase *tc = tcase_create("fault_malloc");

	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(tc, every_request_for_memory_may_fail, 0,
			    2 * (int)scenario_count);
	tcase_add_test(tc, a_timer_without_memory_is_refused);
	tcase_add_loop_test(tc, the_default_executor_can_be_had_later, 0, 30);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return test_run(malloc_suite());
}

#endif
