/*
 * api_sandbox.c - a closed set of system calls, as a sandboxed program would have:
 * the library gets by with those of a program with threads, and goes on without
 * some more that it would use.
 */
#include "config.h"

#include "support/child.h"

#include <errno.h>
#include <stdio.h>

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#endif

/* A sanitizer, or what writes down which lines ran, has calls of its own. */
#if TEST_SANITIZED || defined(SOONI_COVERAGE) || !defined(PR_SET_SECCOMP) || \
	!defined(SYS_clone3)

int main(void)
{
	puts("skipped: no seccomp, or a build with calls of its own");
	return 77;
}

#else

/* Memory, threads and how they sleep, signals; and what the test itself and the
 * C library's start and end of threads do. */
static const int needed[] = {
	SYS_brk,
	SYS_clock_gettime,
	SYS_clone,
	SYS_clone3,
	SYS_close,
	SYS_exit,
	SYS_exit_group,
	SYS_futex,
	SYS_getpid,
	SYS_gettid,
	SYS_mprotect,
	SYS_munmap,
	SYS_read,
	SYS_rseq,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sched_yield,
	SYS_set_robust_list,
	SYS_tkill, /* musl's */
	SYS_write,
	SYS_writev, /* musl's stdio */
#ifdef SYS_clock_gettime64
	SYS_clock_gettime64,
#endif
#ifdef SYS_mmap
	SYS_mmap,
#endif
#ifdef SYS_mmap2
	SYS_mmap2,
#endif
#ifdef SYS_set_thread_area
	SYS_set_thread_area,
#endif
};

/* Names, CPUs, large pages, what /proc says, a descriptor to poll. */
static const int used[] = {
	SYS_eventfd2,
	SYS_fcntl, /* musl's stdio, and so readv; its threads, membarrier */
	SYS_fstat,
	SYS_madvise,
	SYS_membarrier,
	SYS_openat,
	SYS_pipe2,
	SYS_prctl,
	SYS_readv,
	SYS_sched_getaffinity,
	SYS_sched_getscheduler,
#ifdef SYS_fstat64
	SYS_fstat64,
#endif
#ifdef SYS_fstatat64
	SYS_fstatat64,
#endif
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
#ifdef SYS_open
	SYS_open,
#endif
#ifdef SYS_statx
	SYS_statx,
#endif
};

static const int refusals[] = { EPERM, ENOSYS };

#define MOST 128
static struct sock_filter code[MOST];
static unsigned short length;

static void emit(struct sock_filter f)
{
	if (length == MOST)
		abort();
	code[length++] = f;
}

/* The answer to one call; to all, if none of those before it matched. */
static void answer(int call, unsigned what)
{
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					  (unsigned)call, 0, 1));
	emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

/* What is in neither list: say which, and end. */
static void forbidden(int signal, siginfo_t *info, void *context)
{
	char text[] = "a forbidden system call: 0000\n";
	int n = info->si_syscall;

	(void)signal;
	(void)context;
	for (size_t i = sizeof(text) - 3; n > 0; i--, n /= 10)
		text[i] = (char)('0' + n % 10);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(ENDED_BADLY);
	_exit(ENDED_BADLY);
}

/* From now on `refused', or all that is used if -1, fails with this code. */
static bool enter_sandbox(int refused, int error)
{
	struct sock_fprog program = { .filter = code };
	struct sigaction action;
	unsigned refusal = SECCOMP_RET_ERRNO | (unsigned)error;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = forbidden;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGSYS, &action, NULL);
	length = 0;
	emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					  offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < COUNT_OF(needed); i++)
		answer(needed[i], SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < COUNT_OF(used); i++)
		answer(used[i], refused == -1 || refused == used[i]
					? refusal
					: SECCOMP_RET_ALLOW);
	emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
	program.len = length;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int expected; /* of soon_cancel_fd(): 0, or a code */

static void *ask_for_descriptor(void *unused)
{
	int fd = soon_cancel_fd();

	(void)unused;
	if (expected == 0 ? fd < 0 : fd >= 0 || errno != expected)
		return soon_fail(EPROTO, "soon_cancel_fd() said %d", fd);
	return NULL;
}

static void *sleep_a_little(void *unused)
{
	soon_sleep(SOON_MSEC);
	return unused;
}

static void *submit_and_wait(void *pool)
{
	soon_future *f = soon_submit(pool, sleep_a_little, NULL);
	int rc = soon_future_wait(f, SOON_FOREVER);

	soon_future_unref(f);
	return rc == 0 ? NULL : soon_fail(rc, NULL);
}

static const char *succeeds(soon_executor *e, soon_fn *fn)
{
	soon_future *f = soon_submit(e, fn, e);

	CLAIM(f != NULL);
	CLAIM(soon_future_result(f, SOON_FOREVER, NULL) == 0);
	soon_future_unref(f);
	return NULL;
}

/* Growing, naming, waiting inside and outside, with and without a clock. */
static const char *use(void)
{
	soon_executor_options o = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *e;
	soon_stats stats = SOON_STATS_INIT;
	soon_job late = { .size = sizeof(late), .fn = return_arg };
	soon_future *f;
	const char *wrong = NULL;

	o.workers = 4;
	o.name = "sandbox";
	e = soon_executor_open(&o);
	CLAIM(e != NULL);
	for (int i = 0; i < 20 && wrong == NULL; i++)
		wrong = succeeds(e, submit_and_wait);
	if (wrong == NULL)
		wrong = pool_works(e);
	if (wrong == NULL)
		wrong = succeeds(e, ask_for_descriptor);
	late.delay = SOON_MSEC;
	late.run_within = 1000 * SOON_SEC;
	f = soon_submit_job(e, &late);
	CLAIM(f != NULL && soon_future_wait(f, SOON_FOREVER) == 0);
	soon_future_unref(f);
	CLAIM(soon_executor_stats(e, &stats) == 0);
	soon_executor_free(e);
	return wrong;
}

struct sandbox {
	int refused;
	int error;
};

/* By which call this build makes a descriptor to poll. */
static int descriptor_call(void)
{
	soon_completions *set = soon_as_completed(NULL, 0);
	struct stat st = { .st_mode = 0 };

	fstat(soon_completions_fd(set), &st);
	soon_completions_free(set);
	return S_ISFIFO(st.st_mode) ? SYS_pipe2 : SYS_eventfd2;
}

static const char *in_sandbox(void *arg)
{
	const struct sandbox *s = arg;
	int call = descriptor_call();

	if (!enter_sandbox(s->refused, s->error))
		return NULL; /* an emulator, or a sandbox around this one */
	expected = s->refused == -1 || s->refused == call ? s->error : 0;
	return use();
}

START_TEST(threads_memory_and_futexes_are_enough)
{
	struct sandbox s = { .refused = -1, .error = refusals[_i] };

	in_child(in_sandbox, &s);
}
END_TEST

START_TEST(each_other_call_may_be_refused)
{
	struct sandbox s = { .error = refusals[_i % 2] };

	s.refused = used[_i / 2];
	in_child(in_sandbox, &s);
}
END_TEST

START_TEST(no_other_call_is_made)
{
	struct sandbox s = { .refused = -2 };

	in_child(in_sandbox, &s);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("sandbox");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, threads_memory_and_futexes_are_enough, 0, 2);
	tcase_add_loop_test(t, each_other_call_may_be_refused, 0,
			    (int)(2 * COUNT_OF(used)));
	tcase_add_test(t, no_other_call_is_made);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}

#endif
