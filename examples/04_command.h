/*
 * 04_command.h - a shell command: the jobs that read one and run one.
 *
 * It is a process group of its own.  When its time is over, or the job that runs
 * it is cancelled, the group is killed; so that job, which waits for it, returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <soon.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct command {
	char *line;
	FILE *output;
};

extern char **environ;
static double option[128]; /* by letter: --timeout is 't', --retries 'r' */

static void free_command(struct command *c)
{
	if (c->output)
		fclose(c->output);
	free(c->line);
	free(c);
}

/* The next command of the input; NULL at its end. */
static void *read_command(void *input)
{
	struct command *c = calloc(1, sizeof(*c));
	size_t size = 0;

	if (c && getline(&c->line, &size, input) > 0) {
		c->line[strcspn(c->line, "\n")] = '\0';
		return c;
	}
	if (c)
		free_command(c);
	return feof((FILE *)input) ? NULL : soon_fail(errno, NULL);
}

static void kill_group(void *pid)
{
	kill(-*(pid_t *)pid, SIGKILL);
}

static void *time_is_over(void *pid)
{
	kill_group(pid);
	return NULL;
}

/* Nobody can kill it any more when waitpid() gives its number back. */
static void *wait_for(pid_t pid)
{
	soon_nsec limit = (soon_nsec)(option['t'] * 1e9);
	const soon_job *job =
		SOON_JOB(.fn = time_is_over, .arg = &pid, .delay = limit);
	soon_future *timer = limit > 0 ? soon_submit_job(NULL, job) : NULL;
	siginfo_t end;

	if (soon_on_cancel(kill_group, &pid) || (limit > 0 && !timer))
		kill_group(&pid); /* since it could not be done later */
	waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT);
	soon_off_cancel();
	soon_future_cancel(timer);
	soon_future_wait(timer, SOON_FOREVER); /* it may be running */
	bool late = soon_future_error(timer) == 0;
	soon_future_unref(timer);
	waitpid(pid, NULL, 0);
	if (end.si_code != CLD_EXITED)
		return soon_fail(EINTR, "%s", late ? "timed out" : "killed");
	if (end.si_status != 0)
		return soon_fail(ECHILD, "exit status %d", end.si_status);
	return NULL;
}

/* Then its output is there to be read, from each time that it was run. */
static void *run_command(void *command)
{
	struct command *c = command;
	const char *argv[] = { "sh", "-c", "--", c->line, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	double left = option['r'];
	sigset_t none;
	void *failure;
	pid_t pid;
	int bad, code;

	c->output = tmpfile();
	if (!c->output)
		return soon_fail(errno, NULL);
	fcntl(fileno(c->output), F_SETFD, FD_CLOEXEC); /* no other's */
	sigemptyset(&none); /* in a worker all signals are blocked */
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&files);
	bad = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", 0, 0) ||
	      posix_spawn_file_actions_adddup2(&files, fileno(c->output), 1) ||
	      posix_spawn_file_actions_adddup2(&files, 1, 2);
	do {
		code = bad ? ENOMEM
			   : posix_spawn(&pid, "/bin/sh", &files, &attr,
					 (char **)argv, environ);
		failure = code ? soon_fail(code, NULL) : wait_for(pid);
	} while (failure && left-- > 0 && !soon_cancel_requested());
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	rewind(c->output);
	return failure;
}
