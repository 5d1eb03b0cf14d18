/*
 * 07_epoll - a server whose requests are jobs, on a loop of epoll.
 *	cc 07_epoll.c -o 07_epoll $(pkg-config --cflags --libs soon)
 */
#include "07_server.h"
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static void (*ready[FDS])(int fd);
static int epoll;

static bool watch(int fd, void (*function)(int fd))
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (fd >= FDS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		return false;
	ready[fd] = function;
	return true;
}

static void unwatch(int fd)
{
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
	ready[fd] = NULL;
}

/* The next signal ends the program at once. */
static void on_signal(int fd)
{
	struct signalfd_siginfo info;
	sigset_t none;

	unwatch(fd);
	if (read(fd, &info, sizeof(info)) < 0)
		warn("signalfd");
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	server_stop();
}

int main(int argc, char **argv)
{
	struct epoll_event events[64];
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 || !watch(signalfd(-1, &signals, SFD_CLOEXEC), on_signal))
		err(1, "epoll");
	server_open(argc, argv);
	while (running) {
		int n = epoll_wait(epoll, events, 64, -1);
		for (int i = 0; i < n; i++)
			if (ready[events[i].data.fd]) /* it may be no more */
				ready[events[i].data.fd](events[i].data.fd);
	}
	server_close();
	return 0;
}
