/*
 * target.c - what libFuzzer calls, and replay.c: runs one input, and asks whether
 * it left anything behind.
 */
#include "fuzz.h"

#include <stdio.h>
#include <unistd.h>

/* 0 where the system does not say.  To count /proc/self/task will not do: threads
 * that end meanwhile make it skip others. */
static unsigned threads(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	unsigned n = 0;

	if (status == NULL)
		return 0;
	while (n == 0 && fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "Threads: %u", &n) != 1)
			n = 0;
	fclose(status);
	return n;
}

/* The least that is free. */
static int descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

/* The library keeps a thread that looks at the clock for a while. */
static bool nothing_left(unsigned before, int fd)
{
	return threads() <= before + 1 && descriptor() <= fd;
}

/* A descriptor and a thread may belong to what was written off, and go soon. */
static void await_nothing_left(unsigned before, int fd)
{
	bool nothing;
	int tries = 0;

	while (!(nothing = nothing_left(before, fd)) && tries++ < PATIENCE)
		fuzz_nap();
	CLAIM(nothing);
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
