/*
 * trace.h - writing down each job that runs, for soon_trace_start().
 */
#ifndef SOONI_TRACE_H
#define SOONI_TRACE_H

#include <stdint.h>

struct soon_future;

/* When a job began, and in which trace. */
struct sooni_trace_begin {
	uint32_t session; /* 0: in none */
	int64_t when;
};

struct sooni_trace_begin sooni_trace_begin(void);

/* The job f, which began then on the calling thread, is through; code: of its
 * failure, or 0; message: of that, or NULL. */
void sooni_trace_end(struct sooni_trace_begin began, struct soon_future *f,
		     int code, const char *message);

/* Around a fork: nobody starts or stops a trace, or writes into its file. */
void sooni_trace_lock(void);
void sooni_trace_unlock(void);

/* In a child of fork: no trace is being written. */
void sooni_trace_after_fork(void);

#endif
