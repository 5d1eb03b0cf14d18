/*
 * 04_parallel - runs the commands on standard input, a line each, several at a
 * time.  Main waits for one set of futures: the commands and the next line.
 *	cc 04_parallel.c -o 04_parallel $(pkg-config --cflags --libs soon)
 */
#include "04_command.h"
#include <err.h>
#include <getopt.h>
#include <unistd.h>

enum { RING = 512, CANCEL = SOON_CANCEL_PENDING | SOON_CANCEL_RUNNING };
static soon_future *ring[RING]; /* with -k: in order, what is not printed */
static soon_completions *set;
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static soon_future *start(soon_executor *e, soon_fn *fn, void *arg)
{
	soon_future *f = soon_submit(e, fn, arg);

	if (!f || soon_completions_add(set, f))
		errx(1, "no memory, or no thread");
	return f;
}

static void print(soon_future *f)
{
	struct command *c = soon_future_arg(f);
	char buf[65536];

	fputs(option['p'] > 0 ? "\r\033[K" : "", stderr);
	for (size_t n;
	     c->output && (n = fread(buf, 1, sizeof(buf), c->output));)
		fwrite(buf, 1, n, stdout);
	fflush(stdout);
	if (soon_future_error(f))
		warnx("%s: %s", soon_future_message(f), c->line);
	free_command(c);
	soon_future_unref(f);
}

/* Until all has ended, or a signal came; returns how many failed. */
static size_t run_all(soon_executor *pool)
{
	soon_future *reader = start(NULL, read_command, stdin), *f;
	size_t in = 0, out = 0, done = 0, failed = 0;
	struct command *c;

	while (!interrupted && soon_completions_left(set) > 0) {
		if (soon_completions_next(set, SOON_SEC / 10, &f))
			continue;
		failed += soon_future_error(f) != 0;
		if (f != reader) {
			done++;
			if (option['k'] == 0)
				print(f), out++;
		} else if ((c = soon_future_take(f))) {
			ring[in++ % RING] = start(pool, run_command, c);
			soon_future_unref(f);
			reader = NULL;
		}
		while (option['k'] > 0 && out < in &&
		       soon_future_done(ring[out % RING]))
			print(ring[out++ % RING]);
		if (!reader && in - out < RING)
			reader = start(NULL, read_command, stdin);
		if (option['p'] > 0 && in > 0)
			fprintf(stderr, "\r[%-20.*s] %zu/%zu, %zu failed%s",
				(int)(20 * done / in), "####################",
				done, in, failed,
				soon_completions_left(set) ? "" : "\n");
	}
	soon_future_unref(reader);
	return failed;
}

int main(int argc, char **argv)
{
	static const char usage[] = "usage: 04_parallel [-j JOBS] [-kp] "
				    "[--timeout SECONDS] [--retries N]";
	static const struct option opts[] = { { "timeout", 1, NULL, 't' },
					      { "retries", 1, NULL, 'r' },
					      { "progress", 0, NULL, 'p' },
					      { "help", 0, NULL, 'h' },
					      { 0 } };
	char none[] = "", *end = none;
	int c, bad = 0;

	option['j'] = (double)sysconf(_SC_NPROCESSORS_ONLN);
	while ((c = getopt_long(argc, argv, "j:kp", opts, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return c == 'h' ? puts(usage) == EOF : 2;
		option[c] = optarg ? strtod(optarg, &end) : 1;
		bad |= *end || !(option[c] >= 0 && option[c] < 1e6);
	}
	if (bad || optind < argc || option['j'] < 1 || option['j'] > RING)
		errx(2, "%s", usage);
	soon_executor *pool = soon_executor_new((unsigned)option['j']);
	if (!pool || !(set = soon_as_completed(NULL, 0)))
		errx(1, "%s", soon_strerror(errno));
	signal(SIGCHLD, SIG_DFL); /* who started us might have ignored it */
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	size_t failed = run_all(pool);
	if (interrupted) {
		soon_executor_shutdown(pool, CANCEL, SOON_SEC);
		_exit(128 + interrupted);
	}
	soon_completions_free(set);
	soon_executor_free(pool);
	if (failed > 0 || ferror(stdout))
		errx(1, "%zu failed%s", failed,
		     ferror(stdout) ? ", and so did writing" : "");
	return 0;
}
