/*
 * 06_gzip - compresses standard input to standard output, as gzip does, on all
 * CPUs: blocks are deflated side by side, and make up one gzip file.
 *	cc 06_gzip.c -o 06_gzip $(pkg-config --cflags --libs soon zlib)
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <soon.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Blocks refer to the DICT bytes before them; WINDOW are under way at most. */
enum { BLOCK = 128 << 10, DICT = 32 << 10, WINDOW = 64 };
static int level = 6;

struct text {
	unsigned dict, n; /* bytes of each, one behind the other */
	unsigned char bytes[DICT + BLOCK];
};

struct packed {
	uLong text, n, crc; /* the first and the last of what was packed */
	unsigned char bytes[2 * BLOCK];
};

/* The source.  All but the last are whole blocks. */
static int read_block(void *before, void **block)
{
	struct text *last = before, *b = malloc(sizeof(*b));

	if (!b)
		return ENOMEM;
	b->dict = last->n == BLOCK ? DICT : 0;
	memcpy(b->bytes, last->bytes + BLOCK, DICT);
	b->n = (unsigned)fread(b->bytes + DICT, 1, BLOCK, stdin);
	*last = *b;
	if (b->n > 0 && !ferror(stdin))
		return *block = b, 0;
	free(b);
	return ferror(stdin) ? errno : ENODATA;
}

/* The job.  A flush ends the block at a whole byte, where the next goes on. */
static void *pack(void *block)
{
	struct text *b = block;
	struct packed *p = malloc(sizeof(*p));
	z_stream z = { .avail_in = b->n, .avail_out = sizeof(p->bytes) };

	if (!p || deflateInit2(&z, level, Z_DEFLATED, -MAX_WBITS, 8, 0))
		return free(p), soon_fail(ENOMEM, NULL);
	z.next_in = b->bytes + DICT;
	z.next_out = p->bytes;
	deflateSetDictionary(&z, b->bytes, b->dict);
	deflate(&z, Z_SYNC_FLUSH);
	p->text = b->n;
	p->n = z.total_out;
	p->crc = crc32(0, b->bytes + DICT, b->n);
	deflateEnd(&z);
	return p;
}

/* 0, or why what was written is not whole. */
static int write_all(soon_imap *blocks)
{
	char tail[10] = "\x03"; /* a last block, which is empty; sums */
	uLong crc = 0, size = 0;
	soon_future *f;
	struct packed *p;
	void *got;
	int rc;

	fwrite("\x1f\x8b\x08\0\0\0\0\0\0\x03", 1, 10, stdout);
	while (!(rc = soon_imap_next(blocks, SOON_FOREVER, &f)) &&
	       !(rc = soon_future_result(f, 0, &got))) {
		p = got;
		if (fwrite(p->bytes, 1, p->n, stdout) < p->n)
			return errno;
		crc = crc32_combine(crc, p->crc, (z_off_t)p->text);
		size += p->text;
	}
	if (rc != ENODATA)
		return rc;
	for (int i = 0; i < 8; i++)
		tail[2 + i] = (char)((i < 4 ? crc : size) >> i % 4 * 8);
	return fwrite(tail, 1, 10, stdout) < 10 || fflush(stdout) ? errno : 0;
}

int main(int argc, char **argv)
{
	static const char usage[] = "usage: 06_gzip [-1..-9] [-p THREADS]";
	static const struct option opts[] = { { "help", 0, NULL, 'h' }, { 0 } };
	static const soon_job job = { sizeof(job), .fn = pack, .free_arg = free,
				      .free_result = free };
	static struct text last;
	char none[] = "", *end = none;
	int c, rc, threads = 0;

	while ((c = getopt_long(argc, argv, "123456789p:", opts, NULL)) > 0)
		if (c == 'h' || c == '?')
			return c == 'h' ? puts(usage) == EOF : 2;
		else if (c == 'p')
			threads = (int)strtol(optarg, &end, 10);
		else
			level = c - '0';
	if (*end || threads < 0 || optind < argc)
		errx(2, "%s", usage);
	soon_executor *pool = soon_executor_new((unsigned)threads);
	soon_imap *map = soon_imap_new(pool, &job, read_block, &last, WINDOW);
	rc = pool && map ? write_all(map) : errno;
	soon_imap_free(map); /* cancels what is left after an error */
	soon_executor_free(pool);
	if (rc != 0)
		errx(1, "%s: %s", ferror(stdin) ? "input" : "output",
		     soon_strerror(rc));
	return 0;
}
