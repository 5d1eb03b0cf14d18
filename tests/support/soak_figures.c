/*
 * soak_figures.c - how a long soak is getting on, in a line every so often, and
 * whether its memory stays flat; see soak.h.
 */
#include "soak.h"

#include "sanitized.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* From so many seconds on the thirds of a soak are long enough to compare. */
enum { SHORTEST_COMPARED = 60 };

static struct {
	soon_nsec start;
	soon_nsec interval;
	soon_nsec next;
	unsigned seconds;
} figures;

/* Resident memory after the rounds that ended in each third of the time. */
static struct {
	uint64_t kib;
	uint64_t rounds;
} thirds[3];

/* Since the last line. */
static atomic_uint most_threads;
static _Atomic soon_nsec oldest_pending;

void soak_figures_start(unsigned seconds, unsigned interval)
{
	figures.seconds = seconds;
	figures.start = now();
	figures.interval = interval * SOON_SEC;
	figures.next = figures.start + figures.interval;
	memset(thirds, 0, sizeof(thirds));
}

void soak_figures_note(const soon_stats *s)
{
	unsigned threads = thread_count();
	unsigned most = atomic_load(&most_threads);
	soon_nsec oldest = atomic_load(&oldest_pending);

	while (threads > most &&
	       !atomic_compare_exchange_weak(&most_threads, &most, threads))
		;
	while (s->oldest_pending > oldest &&
	       !atomic_compare_exchange_weak(&oldest_pending, &oldest,
					     s->oldest_pending))
		;
}

/* 0 where the system does not say. */
static uint64_t resident_kib(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024);
}

static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 3; /* two folders, and this one */
}

static void print_line(soon_nsec at, unsigned rounds, uint64_t kib)
{
	printf("soak: %4" PRId64 " s, %u rounds, %" PRIu64
	       " jobs; %u threads, %u at most; %" PRIu64
	       " KiB; %u descriptors; oldest pending %" PRId64 " us\n",
	       (int64_t)((at - figures.start) / SOON_SEC), rounds,
	       soak_jobs_so_far(), thread_count(),
	       atomic_exchange(&most_threads, 0), kib, descriptors(),
	       (int64_t)(atomic_exchange(&oldest_pending, 0) / SOON_USEC));
	fflush(stdout);
}

void soak_figures_memory(soon_nsec after, uint64_t kib)
{
	soon_nsec all = figures.seconds * SOON_SEC;
	size_t third = (size_t)(3 * after / all);

	if (third < 3) {
		thirds[third].kib += kib;
		thirds[third].rounds++;
	}
}

void soak_figures_round(unsigned rounds)
{
	soon_nsec at = now();
	uint64_t kib;

	if (figures.seconds == 0)
		return;
	kib = resident_kib();
	soak_figures_memory(at - figures.start, kib);
	if (at >= figures.next) {
		print_line(at, rounds, kib);
		figures.next = at + figures.interval;
	}
}

/* A sanitizer keeps what is freed for a while, and more the longer it runs. */
bool soak_is_flat(void)
{
	uint64_t first, last;

	if (TEST_SANITIZED || figures.seconds < SHORTEST_COMPARED ||
	    thirds[0].rounds == 0 || thirds[2].rounds == 0)
		return true;
	first = thirds[0].kib / thirds[0].rounds;
	last = thirds[2].kib / thirds[2].rounds;
	printf("soak: resident %" PRIu64 " KiB in the first third, %" PRIu64
	       " in the last\n",
	       first, last);
	return last <= first + SOAK_SLACK_KIB;
}
