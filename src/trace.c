/*
 * trace.c - a file with all jobs and when they ran, as trace viewers read it.
 *
 * The format is the JSON array of the Trace Event Format (Chromium's, which
 * Perfetto reads too): complete events for the jobs, metadata for the names of
 * the threads.  An event is preceded by its comma, so that what has been
 * written lacks but the closing bracket at any time, which viewers allow.
 *
 * Each thread fills a buffer of its own and writes it out when it is full; a stop
 * writes out all of them.  Locks are taken in this order: `control`, a buffer's,
 * `file.lock`.
 */
#include "trace.h"

#include "event.h"
#include "job.h"
#include "os.h"
#include "thread.h"

#include <soon/stats.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 32 << 10 };

struct sooni_trace_buffer {
	struct sooni_event_who who; /* r/o */

	pthread_mutex_t lock; /* the thread's or a stop's */
	uint32_t session;     /* to which the text belongs */
	unsigned events;
	size_t used;
	char text[BUFFER];

	/* under control */
	struct sooni_trace_buffer *next;
	struct sooni_trace_buffer **link;
};

/* Starts, stops, and the list of buffers. */
static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;
static struct sooni_trace_buffer *buffers;
static uint32_t sessions; /* so far; never 0 in sooni_tracing */
static bool prepared;
static pthread_key_t thread_end;

static struct {
	pthread_mutex_t lock;
	int fd;
	int error;     /* the first; then nothing more is written */
	off_t length;  /* of what was written whole */
	uint64_t lost; /* events */
} file = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

/* The file: under file.lock */

/* All of it, or nothing and an error. */
static void write_whole(const char *text, size_t n)
{
	size_t done = 0;
	ssize_t wrote;

	while (file.error == 0 && done < n) {
		wrote = write(file.fd, text + done, n - done);
		if (wrote > 0)
			done += (size_t)wrote;
		else if (wrote == 0 || errno != EINTR)
			file.error = wrote == 0 ? EIO : errno;
	}
	if (file.error == 0)
		file.length += (off_t)n;
	else if (done > 0 && ftruncate(file.fd, file.length) != 0)
		return; /* no file that could be cut: its end is a torn event */
}

/* Buffers: under their lock */

static void write_out(struct sooni_trace_buffer *b)
{
	pthread_mutex_lock(&file.lock);
	if (file.error == 0)
		write_whole(b->text, b->used);
	if (file.error != 0)
		file.lost += b->events;
	pthread_mutex_unlock(&file.lock);
	b->used = 0;
	b->events = 0;
}

/* Room for an event, at the end of what there is. */
static char *room(struct sooni_trace_buffer *b)
{
	if (BUFFER - b->used < SOONI_EVENT_ROOM)
		write_out(b);
	return b->text + b->used;
}

/* Threads */

static struct sooni_event_who me(void)
{
	struct sooni_event_who who = {
		.process = (long)getpid(),
		.thread = sooni_thread_id(),
	};

	return who;
}

/* A thread ends: so does its buffer.  A cancellation may have come that no job has
 * acted on; writing must not. */
static void end_thread(void *buffer)
{
	struct sooni_trace_buffer *b = buffer;
	int old = sooni_uncancellable_begin();

	sooni_me.trace = NULL;
	pthread_mutex_lock(&control);
	*b->link = b->next;
	if (b->next != NULL)
		b->next->link = b->link;
	/* Nobody else has it now.  relaxed: it changes under control. */
	if (b->used > 0 &&
	    b->session ==
		    atomic_load_explicit(&sooni_tracing, memory_order_relaxed))
		write_out(b);
	pthread_mutex_unlock(&control);
	pthread_mutex_destroy(&b->lock);
	free(b);
	sooni_uncancellable_end(old);
}

static struct sooni_trace_buffer *new_buffer(void)
{
	struct sooni_trace_buffer *b = malloc(sizeof(*b));

	if (b == NULL)
		return NULL;
	if (pthread_setspecific(thread_end, b) != 0) {
		free(b);
		return NULL;
	}
	b->who = me();
	pthread_mutex_init(&b->lock, NULL);
	b->session = 0;
	b->used = 0;
	b->events = 0;
	pthread_mutex_lock(&control);
	b->next = buffers;
	b->link = &buffers;
	if (b->next != NULL)
		b->next->link = &b->next;
	buffers = b;
	pthread_mutex_unlock(&control);
	sooni_me.trace = b;
	return b;
}

struct sooni_trace_begin sooni_trace_begin(void)
{
	/* acquire: pairs with the release of soon_trace_start(): the key. */
	struct sooni_trace_begin began = {
		.session = atomic_load_explicit(&sooni_tracing,
						memory_order_acquire),
	};

	if (began.session != 0)
		began.when = sooni_now();
	return began;
}

static void lose(void)
{
	pthread_mutex_lock(&file.lock);
	file.lost++;
	pthread_mutex_unlock(&file.lock);
}

static void begin_session(struct sooni_trace_buffer *b, uint32_t session)
{
	b->session = session;
	b->used = 0;
	b->events = 0;
	b->used += sooni_event_thread(room(b), b->who);
}

/* Whether the clock has settled the job, whatever came of it. */
static bool was_late(const struct soon_future *f)
{
	return sooni_is_marked(f, SOONI_LIMITED) &&
	       sooni_is_marked(f, SOONI_SETTING);
}

void sooni_trace_end(struct sooni_trace_begin began, struct soon_future *f,
		     int code, const char *message)
{
	struct sooni_trace_buffer *b = sooni_me.trace;
	struct sooni_event_job job = { .began = began.when,
				       .ended = sooni_now(),
				       .code = code,
				       .message = message };
	const struct sooni_side *side;
	int old;

	/* relaxed, both: a stop clears it before it takes a buffer's lock. */
	if (began.session == 0 ||
	    atomic_load_explicit(&sooni_tracing, memory_order_relaxed) !=
		    began.session)
		return;
	/* Not before: in a child of fork that never comes so far. */
	if (was_late(f)) {
		job.code = ETIMEDOUT;
		job.message = NULL;
	}
	side = sooni_side(f);
	job.name = side != NULL ? side->name : NULL;
	job.function = side != NULL && side->shown != 0 ? side->shown
							: (uintptr_t)f->fn;
	if (b == NULL)
		b = new_buffer();
	if (b == NULL) {
		lose();
		return;
	}
	old = sooni_uncancellable_begin();
	pthread_mutex_lock(&b->lock);
	if (atomic_load_explicit(&sooni_tracing, memory_order_relaxed) ==
	    began.session) {
		if (b->session != began.session)
			begin_session(b, began.session);
		b->used += sooni_event_job(room(b), b->who, &job);
		b->events++;
	}
	pthread_mutex_unlock(&b->lock);
	sooni_uncancellable_end(old);
}

/* Forking: a child writes no trace, and may start one of its own */

void sooni_trace_lock(void)
{
	pthread_mutex_lock(&control);
	pthread_mutex_lock(&file.lock);
}

void sooni_trace_unlock(void)
{
	pthread_mutex_unlock(&file.lock);
	pthread_mutex_unlock(&control);
}

/* Buffers of threads that are not here may be locked: they are left alone, and
 * kept where they can be seen. */
void sooni_trace_after_fork(void)
{
	static struct sooni_trace_buffer *left;
	struct sooni_trace_buffer **end = &buffers;

	if (file.fd >= 0)
		close(file.fd);
	file.fd = -1;
	/* relaxed: no other thread is here. */
	atomic_store_explicit(&sooni_tracing, 0, memory_order_relaxed);
	if (sooni_me.trace != NULL)
		pthread_setspecific(thread_end, NULL);
	sooni_me.trace = NULL;
	while (*end != NULL)
		end = &(*end)->next;
	*end = left;
	left = buffers;
	buffers = NULL;
}

/* Starting and stopping: under control */

static int prepare(void)
{
	int rc = 0;

	if (!prepared)
		rc = pthread_key_create(&thread_end, end_thread);
	prepared = rc == 0;
	return rc;
}

static int open_file(const char *path)
{
	char head[SOONI_EVENT_ROOM] = "[\n";
	size_t n = 2 + sooni_event_first(head + 2, me(), SOON_VERSION_STRING);

	file.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (file.fd < 0)
		return errno;
	file.error = 0;
	file.length = 0;
	file.lost = 0;
	write_whole(head, n);
	if (file.error == 0)
		return 0;
	close(file.fd);
	file.fd = -1;
	return file.error;
}

int soon_trace_start(const char *path)
{
	int old;
	int rc;

	if (path == NULL)
		return EINVAL;
	old = sooni_uncancellable_begin();
	pthread_mutex_lock(&control);
	/* relaxed: it changes under control. */
	rc = atomic_load_explicit(&sooni_tracing, memory_order_relaxed) != 0
		     ? EBUSY
		     : prepare();
	if (rc == 0) {
		pthread_mutex_lock(&file.lock);
		rc = open_file(path);
		pthread_mutex_unlock(&file.lock);
	}
	if (rc == 0) {
		/* Once in so many starts as no test can make. */
		if (++sessions == 0)  /* LCOV_EXCL_BR_LINE */
			sessions = 1; /* LCOV_EXCL_LINE */
		/* release: pairs with sooni_trace_begin(). */
		atomic_store_explicit(&sooni_tracing, sessions,
				      memory_order_release);
	}
	pthread_mutex_unlock(&control);
	sooni_uncancellable_end(old);
	return rc;
}

/* What the threads still have; no more comes. */
static void write_out_all(uint32_t session)
{
	struct sooni_trace_buffer *b;

	for (b = buffers; b != NULL; b = b->next) {
		pthread_mutex_lock(&b->lock);
		if (b->session == session && b->used > 0)
			write_out(b);
		pthread_mutex_unlock(&b->lock);
	}
}

static int close_file(void)
{
	char tail[SOONI_EVENT_ROOM];
	size_t n = 0;

	if (file.lost > 0)
		n = sooni_event_lost(tail, me(), file.lost);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): no string. */
	memcpy(tail + n, "\n]\n", 3);
	if (file.error == 0)
		write_whole(tail, n + 3);
	if (close(file.fd) != 0 && file.error == 0)
		file.error = errno;
	file.fd = -1;
	return file.error;
}

int soon_trace_stop(void)
{
	int old = sooni_uncancellable_begin();
	uint32_t session;
	int rc = EALREADY;

	pthread_mutex_lock(&control);
	/* relaxed: the buffers' locks make it known. */
	session = atomic_exchange_explicit(&sooni_tracing, 0,
					   memory_order_relaxed);
	if (session != 0) {
		write_out_all(session);
		pthread_mutex_lock(&file.lock);
		rc = close_file();
		pthread_mutex_unlock(&file.lock);
	}
	pthread_mutex_unlock(&control);
	sooni_uncancellable_end(old);
	return rc;
}
