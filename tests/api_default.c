/*
 * api_default.c - the process's own pool.
 */
#include "support/support.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_uint *shared;

static void *count_shared(void *arg)
{
	atomic_fetch_add(shared, 1);
	return arg;
}

/* The other process has no thread but the one that forked. */
START_TEST(at_exit_the_default_pool_finishes_what_was_queued)
{
	enum { N = 1000 };
	int status = -1;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		for (int i = 0; i < N; i++)
			soon_execute(NULL, count_shared, NULL);
		exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(atomic_load(shared), N);
	munmap(shared, sizeof(*shared));
}
END_TEST

static void *get_default(void *arg)
{
	(void)arg;
	return soon_default_executor();
}

START_TEST(there_is_one_default_pool)
{
	struct actor actors[8];
	soon_executor *e;

	for (size_t i = 0; i < COUNT_OF(actors); i++)
		actor_start(&actors[i], get_default, NULL);
	e = soon_default_executor();
	ck_assert_ptr_nonnull(e);
	for (size_t i = 0; i < COUNT_OF(actors); i++)
		ck_assert_ptr_eq(actor_join(&actors[i]), e);
}
END_TEST

START_TEST(null_means_the_default_pool_and_free_ignores_it)
{
	struct tally ran;

	tally_init(&ran);
	for (unsigned i = 0; i < 3; i++) {
		soon_future *f = submit(NULL, tally_job, &ran);

		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		soon_future_unref(f);
		f = submit_job(NULL, SOON_JOB(.fn = tally_job, .arg = &ran));
		ck_assert_int_eq(soon_future_wait(f, SOON_FOREVER), 0);
		soon_future_unref(f);
		ck_assert_int_eq(soon_execute(NULL, tally_job, &ran), 0);
		ck_assert_int_eq(
			soon_submit_many(NULL,
					 SOON_JOB(.fn = tally_job, .arg = &ran),
					 NULL, 2, NULL),
			0);
		tally_await(&ran, 5 * (i + 1));
		soon_executor_free(soon_default_executor());
	}
	tally_fini(&ran);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("default");
	TCase *t = tcase_create("default");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, at_exit_the_default_pool_finishes_what_was_queued);
	tcase_add_test(t, there_is_one_default_pool);
	tcase_add_test(t, null_means_the_default_pool_and_free_ignores_it);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
