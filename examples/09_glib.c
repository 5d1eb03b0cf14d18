/*
 * 09_glib - the server of 07_epoll, on GLib's main loop.
 *	cc 09_glib.c -o 09_glib $(pkg-config --cflags --libs soon glib-2.0)
 */
#include "07_server.h"
#include <glib-unix.h>
#include <signal.h>

static void (*ready[FDS])(int fd);
static guint sources[FDS], signals[2];

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	(void)condition, (void)data; /* reading tells */
	ready[fd](fd);
	return G_SOURCE_CONTINUE;
}

static bool watch(int fd, void (*function)(int fd))
{
	if (fd >= FDS)
		return false;
	ready[fd] = function;
	sources[fd] = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR,
				    on_readable, NULL);
	return true;
}

static void unwatch(int fd)
{
	g_source_remove(sources[fd]);
}

/* The next signal ends the program at once. */
static gboolean on_signal(gpointer data)
{
	(void)data;
	g_source_remove(signals[0]);
	g_source_remove(signals[1]);
	server_stop();
	return G_SOURCE_REMOVE;
}

int main(int argc, char **argv)
{
	signals[0] = g_unix_signal_add(SIGINT, on_signal, NULL);
	signals[1] = g_unix_signal_add(SIGTERM, on_signal, NULL);
	server_open(argc, argv);
	while (running)
		g_main_context_iteration(NULL, TRUE);
	server_close();
	return 0;
}
