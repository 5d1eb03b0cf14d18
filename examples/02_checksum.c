/*
 * 02_checksum - SHA-256 of all files below the given paths, as by sha256sum:
 * lines in the order found, a progress bar, bounded memory, Ctrl-C cancels.
 *	cc 02_checksum.c -o 02_checksum $(pkg-config --cflags --libs soon libcrypto)
 */
#include <err.h>
#include <errno.h>
#include <fts.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <signal.h>
#include <soon.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RING = 65536, CANCEL = SOON_CANCEL_PENDING | SOON_CANCEL_RUNNING };
static volatile sig_atomic_t interrupted;

static void on_sigint(int number)
{
	interrupted = number;
}

/* The argument is a path and, behind it, room for the result: the hash. */
static void *checksum(void *path)
{
	unsigned char buf[32768], *md = (void *)(strchr(path, '\0') + 1);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	FILE *file = fopen(path, "re");

	for (size_t n; ok && file && (n = fread(buf, 1, sizeof(buf), file));)
		ok = !soon_cancel_requested() && EVP_DigestUpdate(ctx, buf, n);
	if (!ok || !file || ferror(file) || !EVP_DigestFinal_ex(ctx, md, NULL))
		md = soon_fail(errno, NULL);
	EVP_MD_CTX_free(ctx);
	if (file)
		fclose(file);
	return md;
}

/* A line as sha256sum prints it, or what went wrong; 0 or 1. */
static int print(soon_future *f)
{
	char *path = soon_future_arg(f);
	unsigned char *hash = soon_future_take(f);
	FILE *out = hash ? stdout : stderr;

	fputs(hash && strpbrk(path, "\\\n\r") ? "\\" : "", out);
	for (int i = 0; hash && i < 32; i++)
		printf("%02x", hash[i]);
	fputs(hash ? "  " : "02_checksum: ", out);
	for (const char *c = path; *c; c++) {
		if (strchr("\\\n\r", *c))
			putc('\\', out);
		putc(*c == '\n' ? 'n' : *c == '\r' ? 'r' : *c, out);
	}
	fprintf(out, "%s%s\n", hash ? "" : ": ", soon_future_message(f));
	soon_future_unref(f);
	free(path);
	return out == stderr;
}

int main(int argc, char **argv)
{
	static const char usage[] = "usage: 02_checksum [-j JOBS] PATH...";
	static const struct option opts[] = { { "help", 0, NULL, 'h' }, { 0 } };
	static soon_future *ring[RING], *f; /* of files not yet printed */
	size_t in = 0, out = 0, left;
	int c, jobs = 0, status = 0;
	char none[] = "", *end = none, *path;
	FTSENT *e = NULL;

	while ((c = getopt_long(argc, argv, "j:", opts, NULL)) == 'j')
		jobs = (int)strtol(optarg, &end, 10);
	if (c != -1)
		return c == 'h' ? puts(usage) == EOF : 2;
	for (c = optind; c <= optind || c < argc; c++)
		if (*end || jobs < 0 || c == argc || !strcmp(argv[c], "-"))
			errx(2, "%s", usage);
	soon_executor *pool = soon_executor_new((unsigned)jobs);
	soon_completions *set = soon_as_completed(NULL, 0);
	FTS *fts = fts_open(argv + optind,
			    FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!pool || !set || !fts)
		errx(1, "%s", soon_strerror(errno));
	signal(SIGINT, on_sigint);
	do {
		while (!interrupted && in - out < RING && (e = fts_read(fts))) {
			if (e->fts_info != FTS_F && !e->fts_errno &&
			    (e->fts_level || S_ISDIR(e->fts_statp->st_mode)))
				continue; /* a link counts only if named */
			path = malloc(strlen(e->fts_path) + 33);
			if (!path || !strcpy(path, e->fts_path) ||
			    !(f = soon_submit(pool, checksum, path)) ||
			    soon_completions_add(set, f))
				errx(1, "%s", soon_strerror(errno));
			ring[in++ % RING] = f;
		}
		soon_completions_next(set, SOON_SEC / 10, &f); /* or Ctrl-C */
		while (out < in && soon_future_done(ring[out % RING]))
			status |= print(ring[out++ % RING]);
		left = soon_completions_left(set);
		if (in > 0 && isatty(STDERR_FILENO))
			fprintf(stderr, "[%-16.*s] %zu left \r%s",
				(int)(16 - 16 * left / in), "################",
				left, left > 0 ? "" : "\033[K");
	} while (!interrupted && (e || left > 0));
	fts_close(fts);
	soon_completions_free(set);
	if (fflush(stdout))
		err(1, "standard output");
	if (interrupted && soon_executor_shutdown(pool, CANCEL, SOON_SEC))
		_exit(130); /* leaving a job that is stuck */
	soon_executor_free(pool);
	return interrupted ? 130 : status;
}
