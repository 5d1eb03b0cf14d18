/*
 * statics.c - the library's static variables, for scenes that leave something in
 * them: a child of fork may know of what is never freed.
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
	*s = (struct section){ start, (size_t)(stop - start), NULL };
	if (s->size == 0)
		return;
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
