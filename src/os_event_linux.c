/*
 * os_event_linux.c - a descriptor that becomes readable, with eventfd(2).
 */
#include "os.h"

#include <errno.h>
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

void sooni_event_close(const int fds[2])
{
	int old = sooni_uncancellable_begin();

	close(fds[0]);
	sooni_uncancellable_end(old);
}
