/*
 * 08_libuv - the server of 07_epoll, on libuv's loop.
 *	cc 08_libuv.c -o 08_libuv $(pkg-config --cflags --libs soon libuv)
 */
#include "07_server.h"
#include <signal.h>
#include <uv.h>

struct poll {
	uv_poll_t handle;
	int fd;
	void (*ready)(int fd);
};

static struct poll *polls[FDS];
static uv_signal_t signals[2];

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct poll *p = handle->data;

	(void)status, (void)events; /* reading tells */
	p->ready(p->fd);
}

static void free_poll(uv_handle_t *handle)
{
	free(handle->data);
}

static void unwatch(int fd)
{
	uv_close((uv_handle_t *)&polls[fd]->handle, free_poll);
	polls[fd] = NULL;
}

static bool watch(int fd, void (*ready)(int fd))
{
	struct poll *p = fd < FDS ? calloc(1, sizeof(*p)) : NULL;

	if (!p || uv_poll_init(uv_default_loop(), &p->handle, fd)) {
		free(p);
		return false;
	}
	polls[fd] = p;
	p->fd = fd;
	p->ready = ready;
	p->handle.data = p;
	if (uv_poll_start(&p->handle, UV_READABLE, on_readable) == 0)
		return true;
	unwatch(fd);
	return false;
}

/* The next signal ends the program at once. */
static void on_signal(uv_signal_t *handle, int number)
{
	(void)handle, (void)number;
	uv_close((uv_handle_t *)&signals[0], NULL);
	uv_close((uv_handle_t *)&signals[1], NULL);
	server_stop();
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();

	if (!loop || uv_signal_init(loop, &signals[0]) ||
	    uv_signal_init(loop, &signals[1]) ||
	    uv_signal_start(&signals[0], on_signal, SIGINT) ||
	    uv_signal_start(&signals[1], on_signal, SIGTERM))
		errx(1, "libuv");
	server_open(argc, argv);
	uv_run(loop, UV_RUN_DEFAULT); /* until nothing is watched */
	uv_loop_close(loop);
	server_close();
	return 0;
}
