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
	char *first; /* when the program began */
	char *kept;
} sections[2];

static void copy(char *to, const char *from, size_t size)
{
	if (size > 0)
		memcpy(to, from, size);
}

static void open_section(struct section *s, char *start, char *stop)
{
	s->start = start;
	s->size = (size_t)(stop - start);
	if (s->size == 0)
		return;
	s->first = malloc(2 * s->size);
	if (s->first == NULL) {
		perror("malloc");
		exit(2);
	}
	s->kept = s->first + s->size;
	copy(s->first, s->start, s->size);
	copy(s->kept, s->start, s->size);
}

void sched_statics_open(void)
{
	open_section(&sections[0], __start_sched_data, __stop_sched_data);
	open_section(&sections[1], __start_sched_bss, __stop_sched_bss);
}

void sched_statics_keep(void)
{
	size_t i;

	for (i = 0; i < 2; i++)
		copy(sections[i].kept, sections[i].start, sections[i].size);
}

void sched_statics_restore(void)
{
	size_t i;

	for (i = 0; i < 2; i++)
		copy(sections[i].start, sections[i].kept, sections[i].size);
}

void sched_statics_forget(void)
{
	size_t i;

	for (i = 0; i < 2; i++)
		copy(sections[i].kept, sections[i].first, sections[i].size);
}
