/*
 * child.c - see child.h.
 */
#include "config.h"

#include "child.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static bool is_child;

/* At once, but for the counts of what ran. */
static _Noreturn void leave(int code)
{
#ifdef SOONI_COVERAGE
	void __gcov_dump(void);

	__gcov_dump();
#endif
	_exit(code);
}

#if CHILDREN_MAY_HANG
/* What other threads of the parent alone could reach is no leak of a child's. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return is_child;
}
#endif

void child_begin(void)
{
	sigset_t limit;

	is_child = true;
	if (!CHILDREN_LIVE)
		leave(ENDED_WELL);
	/* Check's handler would end the test; and a worker blocks it. */
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&limit);
	sigaddset(&limit, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &limit, NULL);
	alarm(CHILDREN_MAY_HANG ? 10 : TEST_TIMEOUT / 2);
}

pid_t fork_child(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child_begin();
	return pid;
}

_Noreturn void child_end(const char *wrong)
{
	if (wrong == NULL)
		leave(ENDED_WELL);
	if (write(STDERR_FILENO, "child: ", 7) < 0 ||
	    write(STDERR_FILENO, wrong, strlen(wrong)) < 0 ||
	    write(STDERR_FILENO, "\n", 1) < 0)
		leave(ENDED_BADLY + 1);
	leave(ENDED_BADLY);
}

bool child_ended(pid_t pid, int expected)
{
	int status = -1;

	if (pid <= 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (CHILDREN_MAY_HANG && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGALRM)
		return true;
	if (!CHILDREN_LIVE)
		expected = ENDED_WELL;
	return WIFEXITED(status) && WEXITSTATUS(status) == expected;
}

void in_child(const char *(*check)(void *arg), void *arg)
{
	pid_t pid = fork_child();

	if (pid == 0)
		child_end(check(arg));
	ck_assert(child_ended(pid, ENDED_WELL));
}

struct shared *shared_new(void)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(s, MAP_FAILED);
	return s;
}

void shared_free(struct shared *s)
{
	munmap(s, sizeof(*s));
}

const char *pool_works(soon_executor *e)
{
	enum { N = 20 };
	void *args[N];
	void *results[N];

	for (long i = 0; i < N; i++)
		args[i] = box(i + 1);
	CLAIM(soon_map(e, SOON_JOB(.fn = return_arg), args, N, SOON_FOREVER,
		       results, NULL) == 0);
	for (long i = 0; i < N; i++)
		CLAIM(unbox(results[i]) == i + 1);
	return NULL;
}
