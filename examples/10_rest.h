/*
 * 10_rest.h - a request, and how it is answered.
 *
 * A job gets a request.  It returns JSON for free(), or fails with the status of
 * the answer as its code.
 */
#ifndef REST_H
#define REST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* for asprintf() */
#endif

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <soon.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY = 65536, DELAY = 999999 }; /* bytes, ms; at most */

struct route {
	const char *path;	  /* its argument follows if it ends in / */
	soon_fn *get, *post;	  /* jobs */
	soon_executor **executor; /* for them */
	const char *query;	  /* the argument's name if it is there */
	bool delayed;		  /* by so many milliseconds */
};

struct request {
	const struct route *route;
	const char *argument; /* never NULL */
	char *body;	      /* NULL: none */
	size_t length;
	int success; /* its status */
	int failure; /* its status, or a code of errno's; 0: none so far */
	soon_future *job;
};

static soon_executor *pool;

/* -1 for what is not a number, or more than `most'. */
static long long number(const char *text, long long most)
{
	size_t n = strspn(text, "0123456789");
	long long value = n < 19 ? atoll(text) : LLONG_MAX;

	return n > 0 && text[n] == '\0' && value <= most ? value : -1;
}

/* A piece of the body.  What is too long is read to its end, and not kept. */
static void receive(struct request *r, const char *data, size_t size)
{
	if (!r->body && !(r->body = malloc(BODY + 1)))
		r->failure = ENOMEM;
	else if (size > BODY - r->length)
		r->failure = 413;
	if (r->failure)
		return;
	memcpy(r->body + r->length, data, size);
	r->length += size;
	r->body[r->length] = '\0';
}

/* The result of the job, or what went wrong. */
static enum MHD_Result answer(struct MHD_Connection *c, struct request *r)
{
	int code = r->failure ? r->failure : r->success;
	unsigned status = code == EAGAIN	     ? 503
			  : code < 200 || code > 599 ? 500
						     : (unsigned)code;
	const char *what = r->job ? soon_future_message(r->job)
				  : MHD_get_reason_phrase_for(status);
	char *json = soon_future_take(r->job);

	if (!json && asprintf(&json, "{\"error\":\"%s\"}", what) < 0)
		return MHD_NO;
	struct MHD_Response *a = MHD_create_response_from_buffer(
		strlen(json), json, MHD_RESPMEM_MUST_FREE);
	if (!a) {
		free(json);
		return MHD_NO;
	}
	MHD_add_response_header(a, "Content-Type", "application/json");
	if (status == 405)
		MHD_add_response_header(a, "Allow",
					r->route->post ? "GET, HEAD, POST"
						       : "GET, HEAD");
	if (status == 503)
		MHD_add_response_header(a, "Retry-After", "1");
	enum MHD_Result result = MHD_queue_response(c, status, a);
	MHD_destroy_response(a);
	return result;
}

#endif
