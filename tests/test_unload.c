/*
 * test_unload.c - a plugin's way with the library: dlopen() and dlclose(), while
 * pools of it live on.
 */
#include "support/support.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { N = 100 };

static char path[4096];

/* What the plugin would call; nothing else of the library is in this program. */
struct plugin {
	void *handle;
	soon_executor *(*executor_new)(unsigned);
	int (*execute)(soon_executor *, soon_fn *, void *);
	soon_future *(*submit)(soon_executor *, soon_fn *, void *);
	int (*wait)(soon_future *, soon_nsec);
	void (*unref)(soon_future *);
	void (*free)(soon_executor *);
};

/* Into any pointer to a function. */
static void look_up(void *handle, const char *name, void *function)
{
	void *found = dlsym(handle, name);

	ck_assert_msg(found != NULL, "%s", name);
	*(void **)function = found;
}

static struct plugin load(void)
{
	struct plugin p;

	p.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(p.handle != NULL, "%s", dlerror());
	look_up(p.handle, "soon_executor_new", &p.executor_new);
	look_up(p.handle, "soon_execute", &p.execute);
	look_up(p.handle, "soon_submit", &p.submit);
	look_up(p.handle, "soon_future_wait", &p.wait);
	look_up(p.handle, "soon_future_unref", &p.unref);
	look_up(p.handle, "soon_executor_free", &p.free);
	return p;
}

static void unload(struct plugin *p)
{
	ck_assert_int_eq(dlclose(p->handle), 0);
}

/* With jobs that run, that are queued, and none. */
START_TEST(a_pool_outlives_the_plugin_that_made_it)
{
	struct plugin p = load(), again;
	soon_executor *e = p.executor_new(2);
	struct tally ran;
	struct gate gate;

	tally_init(&ran);
	gate_init(&gate);
	ck_assert_ptr_nonnull(e);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(p.execute(e, gate_job, &gate), 0);
	gate_await(&gate, 2);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(p.execute(e, tally_job, &ran), 0);
	unload(&p);
	gate_open(&gate);
	tally_await(&ran, N);
	again = load();
	ck_assert_ptr_eq(again.execute, p.execute);
	ck_assert_int_eq(again.execute(e, tally_job, &ran), 0);
	tally_await(&ran, N + 1);
	again.free(e);
	unload(&again);
	ck_assert_uint_eq(tally_get(&ran), N + 1);
	gate_fini(&gate);
	tally_fini(&ran);
}
END_TEST

START_TEST(the_default_pool_outlives_the_plugin_too)
{
	struct plugin p = load();
	struct tally ran;

	tally_init(&ran);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(p.execute(NULL, tally_job, &ran), 0);
	unload(&p);
	p = load();
	ck_assert_int_eq(p.execute(NULL, tally_job, &ran), 0);
	unload(&p);
	tally_await(&ran, N + 1);
	tally_fini(&ran);
}
END_TEST

static void *use_and_end(void *plugin)
{
	struct plugin *p = plugin;
	soon_future *f = p->submit(NULL, return_null, NULL);
	long rc = f != NULL ? p->wait(f, SOON_FOREVER) : -1;

	if (f != NULL)
		p->unref(f);
	return box(rc);
}

/* Its thread-specific data has destructors in the library. */
START_TEST(a_thread_that_used_it_may_end_later)
{
	struct plugin p = load();
	struct actor actor;

	actor_start(&actor, use_and_end, &p);
	ck_assert_int_eq(unbox(actor_join(&actor)), 0);
	ck_assert_int_eq(unbox(use_and_end(&p)), 0);
	unload(&p);
}
END_TEST

START_TEST(plugins_come_and_go)
{
	for (int i = 0; i < 20; i++) {
		struct plugin p = load();
		soon_executor *e = p.executor_new(1);

		ck_assert_int_eq(p.execute(e, return_null, NULL), 0);
		if (i % 2 == 0)
			p.free(e);
		unload(&p);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("unload");
	TCase *t = tcase_create("unload");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, a_pool_outlives_the_plugin_that_made_it);
	tcase_add_test(t, the_default_pool_outlives_the_plugin_too);
	tcase_add_test(t, a_thread_that_used_it_may_end_later);
	tcase_add_test(t, plugins_come_and_go);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	const char *top = getenv("top_builddir");

	snprintf(path, sizeof(path), "%s/src/.libs/libsoon.so",
		 top != NULL ? top : "..");
	if (access(path, R_OK) == 0)
		return test_run(suite());
	printf("no %s\n", path);
	return 77;
}
