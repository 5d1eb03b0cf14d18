/*
 * statics.c - the library's static variables, which are the same at the beginning of
 * each run: so it does what it does whatever was run before, and may leave anything
 * in them, as a child of fork does.
 *
 * code.sh puts them all into two sections, whose bounds the linker knows.
 */
#include "scene.h"

#undef malloc

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char __start_sched_data[] __attribute__((weak));
extern char __stop_sched_data[] __attribute__((weak));
extern char __start_sched_bss[] __attribute__((weak));
extern char __stop_sched_bss[] __attribute__((weak));

static struct section {
	char *start;
	size_t size;
	char *kept;
} sections[2];

static void keep(struct section *s, char *start, char *stop)
{
	s->start = start;
	s->size = (size_t)(stop - start);
	if (s->size == 0)
		return;
	if (s->kept == NULL)
		s->kept = malloc(s->size);
	if (s->kept == NULL) {
		perror("malloc");
		exit(2);
	}
	memcpy(s->kept, s->start, s->size);
}

void sched_statics_keep(void)
{
	keep(&sections[0], __start_sched_data, __stop_sched_data);
	keep(&sections[1], __start_sched_bss, __stop_sched_bss);
}

void sched_statics_restore(void)
{
	size_t i;

	for (i = 0; i < 2; i++)
		if (sections[i].size > 0)
			memcpy(sections[i].start, sections[i].kept,
			       sections[i].size);
}
