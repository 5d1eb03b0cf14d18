/*
 * 07_server.h - a server of jobs on an event loop: 07_epoll, 08_libuv, 09_glib.
 *
 * The loop defines watch() and unwatch(), and runs between server_open() and
 * server_close() while `running'; server_stop() is for its handler of signals.
 */
#include "07_clients.h"
#include <arpa/inet.h>
#include <err.h>

static bool running = true;
static soon_future *stop; /* a promise in the set, which so is never empty */
static int listener;

/* Is called when the set's descriptor is readable. */
static void collect(int fd)
{
	soon_future *f;
	int code;

	while ((code = soon_completions_next(set, 0, &f)) == 0)
		if (f != stop)
			answer(soon_future_take(f));
	if (code == ENODATA) { /* stopped, and all is answered */
		unwatch(fd);
		running = false;
	}
}

static void accept_client(int fd)
{
	int s = accept(fd, NULL, NULL);
	struct client *c = s >= 0 && s < FDS ? calloc(1, sizeof(*c)) : NULL;

	if (c) {
		c->fd = s;
		clients[s] = c;
		proceed(c);
	} else if (s >= 0) {
		close(s);
	}
}

/* Listens on the port of 127.0.0.1 that the command line names; prints it. */
static void server_open(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	char *end = NULL;
	long port = argc == 2 ? strtol(argv[1], &end, 10) : -1;

	if (port < 0 || port > 65535 || end == argv[1] || *end)
		errx(2, "usage: %s PORT", argv[0]);
	address.sin_port = htons((uint16_t)port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 },
		   sizeof(int));
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) ||
	    listen(listener, SOMAXCONN) ||
	    getsockname(listener, (struct sockaddr *)&address, &size) ||
	    !watch(listener, accept_client))
		err(1, "port %ld", port);
	pool = soon_executor_new(0);
	set = soon_as_completed(NULL, 0);
	stop = soon_future_new(NULL);
	if (!pool || !set || !stop || soon_completions_add(set, stop) ||
	    soon_completions_fd(set) < 0 ||
	    !watch(soon_completions_fd(set), collect))
		errx(1, "%s", soon_strerror(errno));
	printf("127.0.0.1:%u\n", ntohs(address.sin_port));
	fflush(stdout);
}

/* Nothing more is read; what was is answered. */
static void server_stop(void)
{
	unwatch(listener);
	close(listener);
	for (int fd = 0; fd < FDS; fd++)
		if (clients[fd]) {
			clients[fd]->ended = true;
			proceed(clients[fd]);
		}
	soon_future_set_result(stop, NULL);
}

static void server_close(void)
{
	soon_future_unref(stop);
	soon_completions_free(set);
	soon_executor_free(pool);
}
