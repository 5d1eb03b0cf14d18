/*
 * 06_deflate.h - a block of the input: the source that reads one, and the job that
 * deflates it, so that it may stand between others in one gzip file.
 */
#include <errno.h>
#include <soon.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Blocks refer to the DICT bytes before them. */
enum { BLOCK = 128 << 10, DICT = 32 << 10 };

struct text {
	unsigned dict, n; /* bytes of each, one behind the other */
	unsigned char bytes[DICT + BLOCK];
};

struct packed {
	uLong text, n,
		crc; /* bytes that were packed, and are; the first's sum */
	unsigned char bytes[2 * BLOCK];
};

static int level = 6;

/* The source.  All but the last are whole blocks. */
static int read_block(void *before, void **block)
{
	struct text *last = before;
	struct text *b = malloc(sizeof(*b));
	int rc;

	if (!b)
		return ENOMEM;
	b->dict = last->n == BLOCK ? DICT : 0;
	memcpy(b->bytes, last->bytes + BLOCK, DICT);
	b->n = (unsigned)fread(b->bytes + DICT, 1, BLOCK, stdin);
	rc = ferror(stdin) ? errno : 0;
	if (rc == 0 && b->n == 0)
		rc = ENODATA;
	if (rc != 0) {
		free(b);
		return rc;
	}
	*last = *b;
	*block = b;
	return 0;
}

/* The job.  A flush ends the block at a whole byte, where the next goes on. */
static void *pack(void *block)
{
	struct text *b = block;
	struct packed *p = malloc(sizeof(*p));
	z_stream z = { .next_in = b->bytes + DICT, .avail_in = b->n };

	if (!p)
		return soon_fail(ENOMEM, NULL);
	if (deflateInit2(&z, level, Z_DEFLATED, -MAX_WBITS, 8, 0) != Z_OK) {
		free(p);
		return soon_fail(ENOMEM, NULL);
	}
	z.next_out = p->bytes;
	z.avail_out = sizeof(p->bytes);
	deflateSetDictionary(&z, b->bytes, b->dict);
	deflate(&z, Z_SYNC_FLUSH);
	p->text = b->n;
	p->n = z.total_out;
	p->crc = crc32(0, b->bytes + DICT, b->n);
	deflateEnd(&z);
	return p;
}
