/*
 * os_event_pipe.c - a descriptor that becomes readable, with a pipe, for systems
 * without eventfd(2).
 */
#include "config.h"

#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Neither blocks nor is inherited by programs that are executed. */
static int open_pipe(int fds[2])
{
#ifdef HAVE_PIPE2
	return pipe2(fds, O_CLOEXEC | O_NONBLOCK);
#else
	int i;

	if (pipe(fds) != 0)
		return -1;
	for (i = 0; i < 2; i++) {
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
#endif
}

int sooni_event_open(int fds[2])
{
	if (open_pipe(fds) == 0)
		return 0;
	fds[0] = -1;
	fds[1] = -1;
	return errno;
}

void sooni_event_raise(const int fds[2])
{
	int old = sooni_uncancellable_begin();
	/* Fails when the pipe is full: then it is readable. */
	ssize_t n = write(fds[1], "", 1);

	(void)n;
	sooni_uncancellable_end(old);
}

void sooni_event_clear(const int fds[2])
{
	int old = sooni_uncancellable_begin();
	char byte;
	ssize_t n = read(fds[0], &byte, 1);

	(void)n;
	sooni_uncancellable_end(old);
}

int sooni_event_renew(int fds[2])
{
	int fresh[2];
	int rc = sooni_event_open(fresh);

	/* Nobody else is there to execute a program in between. */
	if (rc == 0 && (dup2(fresh[0], fds[0]) < 0 ||
			fcntl(fds[0], F_SETFD, FD_CLOEXEC) != 0))
		rc = errno;
	if (rc == 0) {
		close(fresh[0]);
		close(fds[1]);
		fds[1] = fresh[1];
		return 0;
	}
	if (fresh[0] >= 0)
		sooni_event_close(fresh);
	sooni_event_close(fds);
	fds[0] = -1;
	fds[1] = -1;
	return rc;
}

void sooni_event_close(const int fds[2])
{
	int old = sooni_uncancellable_begin();

	close(fds[0]);
	close(fds[1]);
	sooni_uncancellable_end(old);
}
