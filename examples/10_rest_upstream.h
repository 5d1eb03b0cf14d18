/*
 * 10_rest_upstream.h - jobs that block in calls of another service, a slow one.
 */
#include "10_rest.h"
#include <netinet/in.h>
#include <sys/time.h>
#include <unistd.h>

enum { CALLS = 16, ANSWER = 4096 }; /* of a request, bytes of each; at most */

static struct sockaddr_in upstream = { .sin_family = AF_INET };
static struct timeval patience; /* with each system call */

/* Connects, asks, and reads to the end; a code of errno's. */
static int ask(int fd, const char *question, char *answer)
{
	const socklen_t size = sizeof(patience);
	size_t have = 0;
	ssize_t n;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, size) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, size) ||
	    connect(fd, (struct sockaddr *)&upstream, sizeof(upstream)) ||
	    send(fd, question, strlen(question), MSG_NOSIGNAL) < 0)
		return errno;
	while ((n = recv(fd, answer + have, ANSWER - 1 - have, 0)) > 0)
		have += (size_t)n;
	answer[have] = '\0';
	return n < 0 ? errno : have < ANSWER - 1 ? 0 : EMSGSIZE;
}

/* One call. */
static void *fetch(void *ms)
{
	char question[64], answer[ANSWER], *json = NULL;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int code = errno, status = 0;

	snprintf(question, sizeof(question),
		 "GET /sleep?ms=%jd HTTP/1.0\r\n\r\n", (intmax_t)(intptr_t)ms);
	if (fd >= 0) {
		soon_blocking_begin(); /* before the pool finds out */
		code = ask(fd, question, answer);
		soon_blocking_end();
		close(fd);
	}
	if (code == EAGAIN || code == EINPROGRESS)
		return soon_fail(504, "the upstream takes too long");
	if (code)
		return soon_fail(502, "upstream: %s", soon_strerror(code));
	if (sscanf(answer, "HTTP/1.%*d %d", &status) == 1 && status == 200)
		json = strstr(answer, "\r\n\r\n");
	if (!json)
		return soon_fail(502, "the upstream answers with %d", status);
	json = strdup(json + 4);
	return json ? json : soon_fail(ENOMEM, NULL);
}

static void *fetch_one(void *request)
{
	const struct request *r = request;
	long long ms = number(r->argument, DELAY);

	return ms < 0 ? soon_fail(400, "ms is a number")
		      : fetch((void *)(intptr_t)ms);
}

/* The numbers of "5,3,1"; returns how many, 0 for anything else. */
static size_t parse(const char *list, void **numbers)
{
	char copy[256], *rest = copy, *item;
	size_t n = 0;

	if (strlen(list) >= sizeof(copy))
		return 0;
	strcpy(copy, list);
	while ((item = strsep(&rest, ","))) {
		long long ms = number(item, DELAY);
		if (ms < 0 || n == CALLS)
			return 0;
		numbers[n++] = (void *)(intptr_t)ms;
	}
	return n;
}

/* Several calls at once; the answers are in the order of the calls. */
static void *fetch_all(void *request)
{
	const soon_job *job = SOON_JOB(.fn = fetch, .free_result = free);
	const struct request *r = request;
	void *times[CALLS], *answers[CALLS];
	soon_future *calls[CALLS];
	size_t n = parse(r->argument, times);
	char *json, *end;
	int code;

	if (n == 0)
		return soon_fail(400, "ms is a list of up to 16 numbers");
	code = soon_submit_many(pool, job, times, n, calls);
	if (code)
		return soon_fail(code, NULL);
	code = soon_gather(calls, n, SOON_FOREVER, answers, NULL);
	json = end = malloc(n * ANSWER + 2);
	for (size_t i = 0; i < n; i++) {
		if (!code && json)
			end = stpcpy(stpcpy(end, i ? "," : "["), answers[i]);
		soon_future_unref(calls[i]); /* and with it the answer */
	}
	if (!code && json)
		return strcpy(end, "]"), json;
	free(json);
	return soon_fail(code ? code : ENOMEM, "not all calls succeeded");
}
