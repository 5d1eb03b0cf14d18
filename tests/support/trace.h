/*
 * trace.h - reading what soon_trace_start() makes: strictly.
 */
#ifndef SOON_TEST_TRACE_H
#define SOON_TEST_TRACE_H

#include <stdbool.h>
#include <stddef.h>

enum { TRACE_MOST = 40000 };

/* An event; strings as they are in the file, escapes and all. */
struct event {
	char phase;
	char *name;
	char *args;
	double ts; /* microseconds */
	double dur;
	long pid;
	long tid;
};

struct trace {
	char *text;
	size_t n;
	struct event *events;
	bool closed; /* it has its last bracket */
};

/* Whether text is one JSON value and nothing else. */
bool json_is_valid(const char *text);

/*
 * Read a file, which may lack its last bracket.  Fails the test, on its thread, if
 * it is no JSON or an event lacks what the format asks for.
 */
void trace_read(struct trace *t, const char *path);
void trace_free(struct trace *t);

/* How many jobs have this name, and the last of them. */
size_t trace_count(const struct trace *t, const char *name,
		   const struct event **last);

/* The name of a thread, or NULL. */
const char *trace_thread(const struct trace *t, long tid);

#endif
