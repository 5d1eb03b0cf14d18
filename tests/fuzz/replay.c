/*
 * replay.c - the kept inputs without libFuzzer, for any compiler.
 *
 *	fuzz_replay FILE	run the inputs in FILE, one a line, in hexadecimal
 *	fuzz_replay --unpack FILE FOLDER
 *				write each into a file of its own
 *	fuzz_replay --pack FOLDER
 *				print the inputs in FOLDER as such lines, sorted
 */
#include "fuzz.h"

#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 1024, MOST_INPUTS = 4096 };

/* Seconds for one input, which takes a thousandth: for hangs only. */
enum { INPUT_TIMEOUT = 300 };

static FILE *open_file(const char *folder, const char *name, const char *mode)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(folder != NULL ? path : name, mode);
	if (file == NULL)
		err(2, "%s", folder != NULL ? path : name);
	return file;
}

/* The bytes of a line; how many. */
static size_t decode(const char *line, uint8_t *data)
{
	size_t n = 0;
	unsigned byte;

	while (n < MOST_BYTES && sscanf(line + 2 * n, "%2x", &byte) == 1)
		data[n++] = (uint8_t)byte;
	return n;
}

static void unpack(const char *folder, unsigned i, const uint8_t *data,
		   size_t n)
{
	char name[32];
	FILE *file;

	snprintf(name, sizeof(name), "%04u", i);
	file = open_file(folder, name, "w");
	if (fwrite(data, 1, n, file) != n || fclose(file) != 0)
		err(2, "%s", name);
}

/* Say which input it was if one does not end well; SIGALRM ends one that hangs. */
static void run(unsigned i, const char *line, const uint8_t *data, size_t n)
{
	static char which[2 * MOST_BYTES + 64];

	snprintf(which, sizeof(which), "input %u: %s", i, line);
	fuzz_failed = which;
	alarm(INPUT_TIMEOUT);
	LLVMFuzzerTestOneInput(data, n);
	alarm(0);
}

static int each(const char *path, const char *folder)
{
	static char line[2 * MOST_BYTES + 2];
	FILE *file = open_file(NULL, path, "r");
	unsigned i = 0;

	while (fgets(line, sizeof(line), file) != NULL) {
		uint8_t data[MOST_BYTES];
		size_t n = decode(line, data);

		if (folder != NULL)
			unpack(folder, i, data, n);
		else
			run(i, line, data, n);
		i++;
	}
	fclose(file);
	printf("%u inputs\n", i);
	return i > 0 ? 0 : 1;
}

static char *encoded(const char *folder, const char *name)
{
	FILE *file = open_file(folder, name, "r");
	char *line = calloc(1, 2 * MOST_BYTES + 1);
	int c;

	if (line == NULL)
		err(2, NULL);
	for (size_t n = 0; n < MOST_BYTES && (c = getc(file)) != EOF; n++)
		snprintf(line + 2 * n, 3, "%02x", (uint8_t)c);
	fclose(file);
	return line;
}

static int shorter(const void *a, const void *b)
{
	const char *s = *(char *const *)a, *t = *(char *const *)b;

	if (strlen(s) != strlen(t))
		return strlen(s) < strlen(t) ? -1 : 1;
	return strcmp(s, t);
}

static int pack(const char *folder)
{
	static char *line[MOST_INPUTS];
	DIR *d = opendir(folder);
	const struct dirent *entry;
	unsigned n = 0;

	if (d == NULL)
		err(2, "%s", folder);
	while (n < MOST_INPUTS && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			line[n++] = encoded(folder, entry->d_name);
	closedir(d);
	qsort(line, n, sizeof(line[0]), shorter);
	for (unsigned i = 0; i < n; i++) {
		puts(line[i]);
		free(line[i]);
	}
	return 0;
}

/* Without arguments, as a test: the corpus in the source folder. */
int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	char path[4096];

	if (argc == 4 && strcmp(argv[1], "--unpack") == 0)
		return each(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "--pack") == 0)
		return pack(argv[2]);
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus",
		 top != NULL ? top : "..");
	return each(argc == 2 ? argv[1] : path, NULL);
}
