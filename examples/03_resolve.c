/*
 * 03_resolve - the addresses of the names on standard input, in their order.  A
 * resolver that hangs holds up neither the names after it nor the program's end.
 *	cc 03_resolve.c -o 03_resolve $(pkg-config --cflags --libs soon)
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <soon.h>
#include <stdlib.h>
#include <string.h>

static double seconds = 5; /* for each name */

struct line {
	soon_future *addresses, *next; /* the next line: a job reads it */
	char name[];
};

/* May be stuck until the process ends: it uses nothing but a name of its own. */
static void *resolve(void *name)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int code = getaddrinfo(name, NULL, &hints, &list);

	return code ? soon_fail(EIO, "%s", gai_strerror(code)) : list;
}

static void free_list(void *list)
{
	freeaddrinfo(list);
}

/* A job, so that main() can print meanwhile; last, it submits the next such. */
static void *read_line(void *pool)
{
	static char *text, *name, *copy;
	static size_t size;
	ssize_t n;

	do {
		if ((n = getline(&text, &size, stdin)) < 0)
			return soon_fail(feof(stdin) ? ENODATA : errno, NULL);
		while ((name = memchr(text, '\0', (size_t)n)))
			*name = '?'; /* which no name has */
		while (n > 0 && strchr(" \t\r\n", text[n - 1]))
			text[--n] = '\0';
		name = text + strspn(text, " \t\r");
	} while (*name == '\0');
	struct line *l = malloc(sizeof(*l) + strlen(name) + 1);
	if (!l || !(copy = strdup(strcpy(l->name, name))) ||
	    !(l->addresses = soon_submit_job(
		      pool,
		      SOON_JOB(.fn = resolve, .arg = copy, .free_arg = free,
			       .free_result = free_list,
			       .run_within = (soon_nsec)(seconds * 1e9)))) ||
	    !(l->next = soon_submit(NULL, read_line, pool)))
		return soon_fail(errno, NULL);
	return l;
}

static int print(const struct line *l)
{
	char host[NI_MAXHOST];
	void *list; /* NULL if there is a message instead */
	int code = soon_future_result(l->addresses, SOON_FOREVER, &list);

	printf("%s\t%s", l->name, soon_future_message(l->addresses));
	for (struct addrinfo *a = list, *b = a; a; a = a->ai_next, b = list) {
		while (a->ai_addrlen != b->ai_addrlen ||
		       memcmp(a->ai_addr, b->ai_addr, a->ai_addrlen) != 0)
			b = b->ai_next;
		if (a == b && !getnameinfo(a->ai_addr, a->ai_addrlen, host,
					   NI_MAXHOST, NULL, 0, NI_NUMERICHOST))
			printf("%s%s", a == list ? "" : " ", host);
	}
	soon_future_unref(l->addresses); /* and with it the list */
	if (putchar('\n') == EOF || fflush(stdout)) {
		warn("standard output");
		_Exit(1); /* exit() would wait for read_line() */
	}
	return code != 0;
}

int main(int argc, char **argv)
{
	const char *usage = "usage: 03_resolve [-j JOBS] [-t SECONDS] <NAMES";
	static const struct option opts[] = { { "help", 0, NULL, 'h' }, { 0 } };
	char none[] = "", *end = none;
	int c, status = 0;
	long jobs = 0;

	while ((c = getopt_long(argc, argv, "j:t:", opts, NULL)) > 0 && !*end)
		if (c == 'h' || c == '?')
			return c == 'h' ? puts(usage) == EOF : 2;
		else if (c == 'j')
			jobs = strtol(optarg, &end, 10);
		else
			seconds = strtod(optarg, &end);
	if (*end || optind < argc || jobs < 0 || jobs > 65534 ||
	    !(seconds >= 1e-9 && seconds < 1e9))
		errx(2, "%s", usage);
	soon_executor *pool = soon_executor_new((unsigned)jobs);
	soon_future *f = pool ? soon_submit(NULL, read_line, pool) : NULL;
	if (!f)
		errx(1, "%s", soon_strerror(errno));
	for (void *line; !(c = soon_future_result(f, SOON_FOREVER, &line));) {
		status |= print(line);
		soon_future_unref(f);
		f = ((struct line *)line)->next;
		free(line);
	}
	soon_future_unref(f);
	if (c != ENODATA)
		errx(1, "standard input: %s", soon_strerror(c));
	soon_executor_free(pool); /* waits for none stuck; exit ends them */
	return status;
}
