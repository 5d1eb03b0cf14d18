/*
 * os_event_linux.c - a descriptor that becomes readable, with eventfd(2).
 */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

int sooni_event_open(int fds[2])
{
	fds[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fds[1] = fds[0];
	return fds[0] >= 0 ? 0 : errno;
}

void sooni_event_raise(const int fds[2])
{
	int old = sooni_uncancellable_begin();

	/* Fails when it was raised 2^64 - 2 times: then it is readable. */
	eventfd_write(fds[1], 1);
	sooni_uncancellable_end(old);
}

void sooni_event_clear(const int fds[2])
{
	int old = sooni_uncancellable_begin();
	eventfd_t count;

	eventfd_read(fds[0], &count);
	sooni_uncancellable_end(old);
}

int sooni_event_renew(int fds[2])
{
	int fresh[2];
	int rc = sooni_event_open(fresh);

	if (rc == 0 && dup3(fresh[0], fds[0], O_CLOEXEC) < 0)
		rc = errno;
	if (rc != 0) {
		sooni_event_close(fds);
		fds[0] = -1;
		fds[1] = -1;
	}
	if (fresh[0] >= 0)
		sooni_event_close(fresh);
	return rc;
}

void sooni_event_close(const int fds[2])
{
	int old = sooni_uncancellable_begin();

	close(fds[0]);
	sooni_uncancellable_end(old);
}
