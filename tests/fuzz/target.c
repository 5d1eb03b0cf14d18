/*
 * target.c - what libFuzzer calls, and replay.c: runs one input, and asks whether
 * it left anything behind.
 */
#include "fuzz.h"

#include <dirent.h>
#include <unistd.h>

/* 0 where the system does not say. */
static unsigned threads(void)
{
	DIR *d = opendir("/proc/self/task");
	unsigned n = 0;

	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

/* The least that is free. */
static int descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

/* The library keeps a thread that looks at the clock for a while.  A descriptor
 * and a thread may belong to what was written off, and go soon. */
static void await_nothing_left(unsigned before, int fd)
{
	int tries = 0;

	while ((threads() > before + 1 || descriptor() > fd) &&
	       tries++ < PATIENCE)
		fuzz_nap();
	CLAIM(threads() <= before + 1);
	CLAIM(descriptor() <= fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned before;
	int fd = descriptor(); /* libFuzzer has some that come and go */
	struct input in = { data, size };
	unsigned drivers;

	if (before == 0)
		before = threads();
	ledger_open();
	drivers = pick(&in, 5);
	if (drivers <= 2)
		fuzz_exact(&in);
	else
		fuzz_race(&in, drivers - 1);
	ledger_close();
	await_nothing_left(before, fd);
	return 0;
}
