/*
 * 06_gzip - compresses standard input to standard output, as gzip does, on all
 * CPUs: blocks are deflated side by side, and make up one gzip file.
 *	cc 06_gzip.c -o 06_gzip $(pkg-config --cflags --libs soon zlib)
 */
#include "06_deflate.h"

#include <err.h>
#include <getopt.h>
#include <limits.h>

enum { WINDOW = 64 }; /* blocks that are under way at most */

static int put(const void *bytes, size_t n)
{
	return fwrite(bytes, 1, n, stdout) == n ? 0 : errno;
}

/* A last block, which is empty, and the sums; all of it is then written. */
static int put_end(uLong crc, uLong size)
{
	unsigned char end[10] = { 0x03, 0x00 };
	int rc;

	for (int i = 0; i < 4; i++) {
		end[2 + i] = (unsigned char)(crc >> (8 * i));
		end[6 + i] = (unsigned char)(size >> (8 * i));
	}
	rc = put(end, sizeof(end));
	if (rc == 0 && fflush(stdout) != 0)
		rc = errno;
	return rc;
}

/* 0, or why what was written is not whole. */
static int write_all(soon_imap *blocks)
{
	static const unsigned char head[10] = { 0x1f, 0x8b, 8, [9] = 3 };
	uLong crc = 0, size = 0;
	soon_future *f;
	void *result;
	int rc = put(head, sizeof(head));

	while (rc == 0) {
		rc = soon_imap_next(blocks, SOON_FOREVER, &f);
		if (rc == ENODATA)
			return put_end(crc, size);
		if (rc == 0)
			rc = soon_future_result(f, 0, &result);
		if (rc == 0) {
			const struct packed *p = result;

			crc = crc32_combine(crc, p->crc, (z_off_t)p->text);
			size += p->text;
			rc = put(p->bytes, p->n);
		}
	}
	return rc;
}

/* Threads to use, 0 for one on each CPU; sets the level. */
static unsigned parse(int argc, char **argv)
{
	static const char usage[] = "usage: 06_gzip [-1..-9] [-p THREADS]";
	static const struct option help[] = { { "help", 0, NULL, 'h' }, { 0 } };
	long threads = 0;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "123456789p:", help, NULL)) != -1) {
		if (c == 'h')
			exit(puts(usage) == EOF);
		if (c == '?')
			exit(2); /* getopt_long() has said why */
		if (c != 'p') {
			level = c - '0';
			continue;
		}
		threads = strtol(optarg, &end, 10);
		if (end == optarg || *end || threads < 0 || threads > INT_MAX)
			errx(2, "%s", usage);
	}
	if (optind < argc)
		errx(2, "%s", usage);
	return (unsigned)threads;
}

int main(int argc, char **argv)
{
	static const soon_job job = { sizeof(job), .fn = pack, .free_arg = free,
				      .free_result = free };
	static struct text last;
	soon_executor *pool = soon_executor_new(parse(argc, argv));
	soon_imap *blocks = NULL;
	const char *where = "";
	int rc;

	if (pool)
		blocks = soon_imap_new(pool, &job, read_block, &last, WINDOW);
	rc = blocks ? write_all(blocks) : errno;
	soon_imap_free(blocks); /* cancels what is left after an error */
	soon_executor_free(pool);
	if (ferror(stdin))
		where = "input: ";
	else if (ferror(stdout))
		where = "output: ";
	if (rc != 0)
		errx(1, "%s%s", where, soon_strerror(rc));
	return 0;
}
