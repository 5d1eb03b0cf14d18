/*
 * 07_clients.h - the clients of a server.  Each line that one sends is a job, and
 * its answer is sent as soon as it is known.
 *
 * All of this runs in the thread of an event loop, and does not block.
 */
#include "07_jobs.h"
#include <sys/socket.h>
#include <unistd.h>

enum { FDS = 512, JOBS = 16 }; /* descriptors, jobs of a client; at most */

/* The loop's: call ready(fd) whenever fd is readable; false if that cannot be. */
static bool watch(int fd, void (*ready)(int fd));
static void unwatch(int fd);

struct client {
	int fd;
	bool watched, ended; /* ended: no more is read from it */
	unsigned jobs;	     /* under way */
	size_t length;
	char input[LINE];
};

static struct client *clients[FDS];
static soon_executor *pool;
static soon_completions *set; /* of all jobs that are not answered */

/* Makes a job of the line with which the input begins. */
static bool hand_over(struct client *c, size_t length)
{
	struct job *j = calloc(1, sizeof(*j));
	soon_future *f = NULL;
	int code;

	if (j) {
		j->client = c;
		memcpy(j->line, c->input, length);
		f = soon_submit_job(pool, SOON_JOB(.fn = run, .arg = j,
						   .free_result = free));
	}
	if (!f) {
		free(j);
		return false;
	}
	code = soon_completions_add(set, f);
	soon_future_unref(f); /* the set has a reference of its own */
	c->jobs += code == 0;
	return code == 0;
}

/* If there were still something to read, close() would take back answers. */
static void forget(struct client *c)
{
	for (int i = 0; i < 65536 / LINE; i++)
		if (recv(c->fd, c->input, LINE, MSG_DONTWAIT) <= 0)
			break;
	clients[c->fd] = NULL;
	close(c->fd);
	free(c);
}

static void receive(int fd);

/* Does for the client what can be done, whenever something has changed. */
static void proceed(struct client *c)
{
	char *end;

	while (c->jobs < JOBS && (end = memchr(c->input, '\n', c->length))) {
		c->ended |= !hand_over(c, (size_t)(end++ - c->input));
		c->length -= (size_t)(end - c->input);
		memmove(c->input, end, c->length);
	}
	bool listen = !c->ended && c->jobs < JOBS;
	if (listen && !c->watched)
		c->watched = watch(c->fd, receive);
	else if (!listen && c->watched)
		unwatch(c->fd), c->watched = false;
	if (!c->watched && c->jobs == 0)
		forget(c);
}

static void receive(int fd)
{
	struct client *c = clients[fd];
	ssize_t n =
		recv(fd, c->input + c->length, LINE - c->length, MSG_DONTWAIT);

	if (n > 0)
		c->length += (size_t)n;
	else
		c->ended = n == 0 || (errno != EAGAIN && errno != EINTR);
	if (c->length == LINE && !memchr(c->input, '\n', LINE))
		c->ended = true; /* too long */
	proceed(c);
}

/* Whoever does not read what it asked for is cut off. */
static void answer(struct job *j)
{
	struct client *c = j->client;
	size_t n = strlen(j->answer);

	if (send(c->fd, j->answer, n, MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    (ssize_t)n) {
		shutdown(c->fd, SHUT_RDWR);
		c->ended = true;
		c->length = 0;
	}
	free(j);
	c->jobs--;
	proceed(c);
}
