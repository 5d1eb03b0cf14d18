/*
 * event.h - what stands in a trace: events of Chromium's Trace Event Format,
 * each with a comma before it.
 */
#ifndef SOONI_EVENT_H
#define SOONI_EVENT_H

#include "json.h"

#include <stddef.h>
#include <stdint.h>

enum {
	/* Bytes that an event takes at most: two strings and the rest. */
	SOONI_EVENT_ROOM = 2 * SOONI_JSON_ROOM + 320
};

/* Who it happened to. */
struct sooni_event_who {
	long process;
	int32_t thread;
};

/* A job that ran, from a time to another, in ns. */
struct sooni_event_job {
	const char *name; /* NULL: call it by its function */
	uintptr_t function;
	int64_t began;
	int64_t ended;
	int code;	     /* 0: success */
	const char *message; /* of a failure, or NULL */
};

/* Each writes one event to `to` and returns its length. */
size_t sooni_event_job(char *to, struct sooni_event_who who,
		       const struct sooni_event_job *job);
/* The calling thread's name. */
size_t sooni_event_thread(char *to, struct sooni_event_who who);
/* So many events are missing. */
size_t sooni_event_lost(char *to, struct sooni_event_who who, uint64_t n);
/* What made the trace: the first event, and so without a comma. */
size_t sooni_event_first(char *to, struct sooni_event_who who,
			 const char *version);

#endif
