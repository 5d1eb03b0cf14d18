/*
 * many.c - what the tests of many futures share: pools that stand still,
 * promises by the dozen, chance orders, waiters on threads of their own.
 */
#include "many.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

void stuck_init(struct stuck *s, unsigned workers)
{
	gate_init(&s->gate);
	s->pool = pool_of(workers);
	pool_hold(s->pool, &s->gate, workers);
}

void stuck_release(struct stuck *s)
{
	gate_open(&s->gate);
}

void stuck_fini(struct stuck *s)
{
	gate_open(&s->gate);
	soon_executor_free(s->pool);
	gate_fini(&s->gate);
}

void *fail_job(void *code)
{
	return soon_fail((int)unbox(code), "failed on purpose");
}

static void *item_run(void *item)
{
	struct item *it = item;

	atomic_fetch_add(&it->ran, 1);
	if (soon_future_arg(soon_self()) != item)
		atomic_fetch_add(&it->strangers, 1);
	if (it->gate != NULL)
		gate_pass(it->gate);
	if (it->await != NULL)
		gate_await(it->await, 1);
	return it->fails != 0 ? soon_fail(it->fails, "on purpose") : it;
}

static void item_free_arg(void *item)
{
	atomic_fetch_add(&((struct item *)item)->arg_freed, 1);
}

static void item_free_result(void *item)
{
	atomic_fetch_add(&((struct item *)item)->result_freed, 1);
}

const soon_job item_job = {
	.size = sizeof(soon_job),
	.fn = item_run,
	.free_arg = item_free_arg,
	.free_result = item_free_result,
};

void items_init(struct item *items, void **args, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		items[i] = (struct item){ .fails = 0 };
		if (args != NULL)
			args[i] = &items[i];
	}
}

void items_expect(struct item *items, size_t n, unsigned ran,
		  unsigned arg_freed, unsigned result_freed)
{
	for (size_t i = 0; i < n; i++) {
		unsigned r = atomic_load(&items[i].ran);
		unsigned a = atomic_load(&items[i].arg_freed);
		unsigned f = atomic_load(&items[i].result_freed);

		if (r == ran && a == arg_freed && f == result_freed &&
		    atomic_load(&items[i].strangers) == 0)
			continue;
		ck_abort_msg("item %zu: ran %u, argument freed %u, result %u, "
			     "not itself %u; should be %u, %u, %u, 0",
			     i, r, a, f, atomic_load(&items[i].strangers), ran,
			     arg_freed, result_freed);
	}
}

soon_future *must_promise(void)
{
	soon_future *f = soon_future_new(NULL);

	ck_assert_ptr_nonnull(f);
	return f;
}

void must_promise_n(soon_future **f, size_t n)
{
	size_t made = 0;

	for (size_t i = 0; i < n; i++) {
		f[i] = soon_future_new(NULL);
		made += f[i] != NULL;
	}
	ck_assert_uint_eq(made, n);
}

soon_future *succeeded_with(void *result)
{
	soon_future *f = must_promise();

	ck_assert_int_eq(soon_future_set_result(f, result), 0);
	return f;
}

soon_future *failed_with(int code)
{
	soon_future *f = must_promise();

	ck_assert_int_eq(soon_future_set_error(f, code, "on purpose"), 0);
	return f;
}

soon_future *cancelled(void)
{
	soon_future *f = must_promise();

	ck_assert_int_eq(soon_future_cancel(f), 0);
	return f;
}

void unref_n(soon_future **f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		soon_future_unref(f[i]);
		f[i] = NULL;
	}
}

static void *waiting_main(void *arg)
{
	struct waiting *w = arg;

	w->rc = soon_wait(w->futures, w->n, w->when, w->timeout, &w->done);
	atomic_store_explicit(&w->returned, true, memory_order_release);
	return NULL;
}

void waiting_start(struct waiting *w, soon_future *const *f, size_t n,
		   enum soon_when when, soon_nsec timeout)
{
	w->futures = f;
	w->n = n;
	w->when = when;
	w->timeout = timeout;
	w->done = SIZE_MAX;
	w->rc = -1;
	atomic_init(&w->returned, false);
	actor_start(&w->actor, waiting_main, w);
	actor_await_asleep(&w->actor);
}

int waiting_join(struct waiting *w)
{
	actor_join(&w->actor);
	return w->rc;
}

void shuffled(struct rng *r, unsigned *order, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned j = rng_below(r, i + 1);

		if (j != i)
			order[i] = order[j];
		order[j] = i;
	}
}

static soon_nsec clock_read(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (soon_nsec)t.tv_sec * SOON_SEC + t.tv_nsec;
}

soon_nsec clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

soon_nsec clock_cpu(void)
{
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

size_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long all, resident;
	int n;

	if (f == NULL)
		return 0;
	n = fscanf(f, "%lu %lu", &all, &resident);
	fclose(f);
	return n == 2 ? resident * (size_t)sysconf(_SC_PAGESIZE) : 0;
}
