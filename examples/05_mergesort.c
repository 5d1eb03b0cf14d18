/*
 * 05_mergesort - sorts lines as LC_ALL=C sort does, by fork and join: one half
 * becomes a job; who waits for it runs it, if nobody else has begun.
 *	cc 05_mergesort.c -o 05_mergesort $(pkg-config --cflags --libs soon)
 */
#include <err.h>
#include <getopt.h>
#include <soon.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static soon_executor *pool;
static size_t grain = 4096; /* lines that are sorted without more jobs */

struct part {
	char **lines, **spare;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void merge(struct part *p, size_t half)
{
	size_t l = 0, r = half;

	memcpy(p->spare, p->lines, p->n * sizeof(*p->lines));
	for (size_t i = 0; i < p->n; i++)
		if (r == p->n ||
		    (l < half && strcmp(p->spare[l], p->spare[r]) <= 0))
			p->lines[i] = p->spare[l++];
		else
			p->lines[i] = p->spare[r++];
}

static void *merge_sort(void *part)
{
	struct part *p = part;
	size_t half = p->n / 2;
	struct part left = { p->lines, p->spare, half };
	struct part right = { p->lines + half, p->spare + half, p->n - half };

	if (p->n <= grain) {
		qsort(p->lines, p->n, sizeof(*p->lines), compare);
		return NULL;
	}
	soon_future *f = soon_submit(pool, merge_sort, &left);
	if (!f)
		merge_sort(&left); /* no memory for a job: without one */
	merge_sort(&right);
	soon_future_wait(f, SOON_FOREVER);
	soon_future_unref(f);
	merge(p, half);
	return NULL;
}

/* Makes lines those of standard input, without their newlines. */
static void read_lines(struct part *all)
{
	char *text = NULL;
	size_t size = 0, room = 1;
	ssize_t length;

	all->lines = calloc(room, sizeof(*all->lines));
	while (all->lines && (length = getline(&text, &size, stdin)) > 0) {
		length -= text[length - 1] == '\n';
		text[length] = '\0';
		all->lines[all->n++] = text;
		if (strlen(text) != (size_t)length)
			errx(1, "line %zu: a NUL byte", all->n);
		if (all->n == room)
			all->lines =
				realloc(all->lines, (room *= 2) * sizeof(text));
		text = NULL;
	}
	if (!all->lines || !feof(stdin))
		err(1, "standard input");
	free(text);
}

int main(int argc, char **argv)
{
	static const char usage[] = "usage: 05_mergesort [-j JOBS] [-q] <TEXT";
	static const struct option opts[] = { { "help", 0, NULL, 'h' }, { 0 } };
	char none[] = "", *end = none;
	static struct part all;
	int c, jobs = 0;

	while ((c = getopt_long(argc, argv, "j:q", opts, NULL)) > 0 && c != '?')
		if (c == 'h')
			return puts(usage) == EOF;
		else if (c == 'q')
			grain = SIZE_MAX;
		else
			jobs = (int)strtol(optarg, &end, 10);
	if (c == '?')
		return 2;
	if (*end || jobs < 0 || optind < argc)
		errx(2, "%s", usage);
	read_lines(&all);
	all.spare = calloc(all.n + 1, sizeof(*all.spare));
	pool = soon_executor_new((unsigned)jobs);
	if (!all.spare || !pool ||
	    soon_map(pool, SOON_JOB(.fn = merge_sort, .arg = &all), NULL, 1,
		     SOON_FOREVER, NULL, NULL))
		errx(1, "no memory, or no thread");
	soon_executor_free(pool);
	for (size_t i = 0; i < all.n; free(all.lines[i++]))
		puts(all.lines[i]);
	free(all.lines);
	free(all.spare);
	if (fflush(stdout) || ferror(stdout))
		err(1, "standard output");
	return 0;
}
