/*
 * 07_jobs.h - what the server does for its clients: jobs that block.
 */
#include <errno.h>
#include <netdb.h>
#include <soon.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 256 }; /* bytes of a request, at most */

/* Argument and result in one. */
struct job {
	struct client *client;
	char line[LINE];
	char answer[2 * LINE];
};

/* Into answer[]: how many lines the file has, or why that is not known. */
static void count_lines(const char *path, char *answer, size_t size)
{
	FILE *file = fopen(path, "re");
	unsigned long lines = 0;
	char buf[65536];

	for (size_t n; file && (n = fread(buf, 1, sizeof(buf), file)) > 0;)
		for (size_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	if (!file || ferror(file))
		snprintf(answer, size, "%s\n", soon_strerror(errno));
	else
		snprintf(answer, size, "%lu\n", lines);
	if (file)
		fclose(file);
}

/* Into answer[]: an address of the host. */
static void resolve(const char *name, char *answer, size_t size)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int code = getaddrinfo(name, NULL, &hints, &list);
	char host[NI_MAXHOST];

	if (!code) {
		code = getnameinfo(list->ai_addr, list->ai_addrlen, host,
				   sizeof(host), NULL, 0, NI_NUMERICHOST);
		freeaddrinfo(list);
	}
	snprintf(answer, size, "%s\n", code ? gai_strerror(code) : host);
}

/* Returns its argument, the job, with the answer in it. */
static void *run(void *job)
{
	struct job *j = job;
	int n = snprintf(j->answer, sizeof(j->answer), "%s: ", j->line);
	char *answer = j->answer + n;
	size_t size = sizeof(j->answer) - (size_t)n;

	if (strncmp(j->line, "lines ", 6) == 0)
		count_lines(j->line + 6, answer, size);
	else if (strncmp(j->line, "resolve ", 8) == 0)
		resolve(j->line + 8, answer, size);
	else
		snprintf(answer, size, "lines FILE, or resolve NAME\n");
	return j;
}
