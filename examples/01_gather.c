/*
 * 01_gather - three jobs that block for 5, 3 and 1 seconds, side by side.
 * They start 1 2 3, end 3 2 1, and soon_gather() returns their results 1 2 3, in
 * the time of the longest.  --sync: in turn (SOON_INLINE); --trace: what ran when.
 *	cc 01_gather.c -o 01_gather $(pkg-config --cflags --libs soon) -pthread
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <soon.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char usage[] =
	"usage: 01_gather [--scale=FACTOR] [--sync] [--trace=FILE]";
static const struct option options[] = { { "help", 0, 0, 'h' },
					 { "scale", 1, 0, 'f' },
					 { "sync", 0, 0, 's' },
					 { "trace", 1, 0, 't' },
					 { 0 } };
static double scale = 1;
static struct call {
	int number, seconds;
	const char *name;
} calls[] = { { 1, 5, "call 1" }, { 2, 3, "call 2" }, { 3, 1, "call 3" } };

/* Jobs start in the order of submission, but two that start together would race
 * to standard output; so each line waits until the one before it is printed. */
static void print_start(int number)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t next = PTHREAD_COND_INITIALIZER;
	static int printed;

	pthread_mutex_lock(&lock);
	while (printed != number - 1)
		pthread_cond_wait(&next, &lock);
	printf("start %d\n", number);
	printed = number;
	pthread_cond_broadcast(&next);
	pthread_mutex_unlock(&lock);
}

/* Any call that blocks would do; the library is not told that it does. */
static void *blocking_call(void *arg)
{
	const struct call *call = arg;

	print_start(call->number);
	poll(NULL, 0, (int)(call->seconds * scale * 1e3 + 0.5));
	printf("end %d\n", call->number);
	return arg;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(soon_executor *pool)
{
	soon_future *futures[3];
	void *results[3];
	int code;

	for (int i = 0; i < 3; i++) {
		futures[i] = soon_submit_job(
			pool, SOON_JOB(.fn = blocking_call, .arg = &calls[i],
				       .name = calls[i].name));
		if (!futures[i])
			errx(1, "submit: %s", soon_strerror(errno));
	}
	code = soon_gather(futures, 3, SOON_FOREVER, results, NULL);
	if (code)
		errx(1, "gather: %s", soon_strerror(code));
	for (int i = 0; i < 3; i++) {
		printf("result %d\n", ((struct call *)results[i])->number);
		soon_future_unref(futures[i]);
	}
}

int main(int argc, char **argv)
{
	soon_executor_options sync = SOON_EXECUTOR_OPTIONS_INIT;
	soon_executor *pool;
	double start = now();
	char *end, *trace = NULL;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'h' || c == '?')
			return c == 'h' ? puts(usage) == EOF : 2;
		if (c == 's')
			sync.flags = SOON_INLINE;
		else if (c == 't')
			trace = optarg;
		else if (scale = strtod(optarg, &end),
			 *end != '\0' || !(scale > 0 && scale <= 1000))
			errx(2, "not a factor above 0: '%s'", optarg);
	}
	if (optind < argc)
		errx(2, "unexpected argument: '%s'", argv[optind]);
	pool = sync.flags ? soon_executor_open(&sync) : soon_executor_new(3);
	if (!pool || (trace && (errno = soon_trace_start(trace))))
		errx(1, "%s: %s", pool ? trace : "executor",
		     soon_strerror(errno));
	run(pool);
	printf("%.2f seconds, the sum is %.2f\n", now() - start, 9 * scale);
	soon_executor_free(pool);
	if ((trace && (errno = soon_trace_stop())) || fflush(stdout))
		err(1, "output");
	return 0;
}
