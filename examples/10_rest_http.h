/*
 * 10_rest_http.h - requests become jobs, and jobs become answers.
 *
 * libmicrohttpd has one thread, which never blocks: it suspends the connection of
 * a request when it has handed over the job.  The end of the job resumes that, and
 * handle() is called once more.
 */
#include "10_rest.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_answered = PTHREAD_COND_INITIALIZER;
static size_t requests; /* begun and not answered */
static bool draining;	/* no more are begun */

static void resume(soon_future *job, void *connection)
{
	(void)job;
	MHD_resume_connection(connection);
}

/* NULL if there is none. */
static const struct route *find(const struct route *t, const char *url)
{
	for (; t->path; t++) {
		size_t n = strlen(t->path);
		if (strncmp(url, t->path, n) == 0 &&
		    (url[n] == '\0' || t->path[n - 1] == '/'))
			return t;
	}
	return NULL;
}

/* Hands over the job; or returns what is wrong. */
static int start(struct MHD_Connection *c, struct request *r, const char *url,
		 const char *method)
{
	soon_job job = { .size = sizeof(job), .arg = r, .free_result = free };
	const struct route *t = find(r->route, url);
	long long ms;

	if (!t)
		return 404;
	r->route = t;
	if (strcmp(method, "POST") == 0)
		job.fn = t->post;
	else if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		job.fn = t->get;
	if (!job.fn)
		return 405;
	r->success = job.fn == t->post ? 201 : 200;
	url += strlen(t->path);
	if (t->query)
		url = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND,
						  t->query);
	r->argument = url ? url : "";
	ms = t->delayed ? number(r->argument, DELAY) : 0;
	if (ms < 0)
		return 400;
	job.delay = ms * SOON_MSEC;
	r->job = soon_submit_job(*t->executor, &job);
	if (!r->job)
		return errno;
	MHD_suspend_connection(c); /* before anybody may resume it */
	if (soon_future_on_done(r->job, resume, c))
		resume(r->job, c); /* no memory: so handle() will wait */
	return 0;
}

/* Is called at the beginning of a request, with each piece of its body, at its
 * end, and when its job has ended. */
static enum MHD_Result handle(void *routes, struct MHD_Connection *c,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *size, void **context)
{
	struct request *r = *context;

	(void)version;
	if (!r && (r = *context = calloc(1, sizeof(*r)))) {
		r->route = routes;
		pthread_mutex_lock(&lock);
		requests++;
		r->failure = draining ? 503 : 0;
		pthread_mutex_unlock(&lock);
		return MHD_YES;
	}
	if (!r)
		return MHD_NO;
	if (*size > 0) {
		receive(r, data, *size);
		*size = 0;
		return MHD_YES;
	}
	if (r->job)
		r->failure = soon_future_result(r->job, SOON_FOREVER, NULL);
	else if (!r->failure && !(r->failure = start(c, r, url, method)))
		return MHD_YES;
	return answer(c, r);
}

/* Is called when a request has been answered, or its client has gone. */
static void forget(void *cls, struct MHD_Connection *c, void **context,
		   enum MHD_RequestTerminationCode why)
{
	struct request *r = *context;

	(void)cls, (void)c, (void)why;
	if (!r)
		return;
	soon_future_unref(r->job);
	free(r->body);
	free(r);
	pthread_mutex_lock(&lock);
	if (--requests == 0)
		pthread_cond_signal(&all_answered);
	pthread_mutex_unlock(&lock);
}
