/*
 * consumer.c - a program outside the library's tree: it was compiled with the
 * headers of the library that it runs with, and that works.
 */
#include <soon.h>
#include <stdio.h>
#include <string.h>

static void *add_one(void *arg)
{
	++*(int *)arg;
	return arg;
}

int main(void)
{
	int numbers[] = { 1, 2, 3 };
	void *args[] = { &numbers[0], &numbers[1], &numbers[2] };
	soon_executor *pool = soon_executor_new(2);
	int code;

	code = soon_map(pool, SOON_JOB(.fn = add_one), args, 3, SOON_FOREVER,
			NULL, NULL);
	soon_executor_free(pool);
	if (code != 0) {
		fprintf(stderr, "consumer: %s\n", soon_strerror(code));
		return 1;
	}
	if (strcmp(soon_version(), SOON_VERSION_STRING) != 0) {
		fprintf(stderr, "consumer: headers of %s, library of %s\n",
			SOON_VERSION_STRING, soon_version());
		return 1;
	}
	printf("%d %d %d\n", numbers[0], numbers[1], numbers[2]);
	return 0;
}
