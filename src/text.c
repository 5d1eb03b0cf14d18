/*
 * text.c - see text.h.
 */
#include "text.h"

#include <soon/future.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_ROOM = 4096 };

int sooni_text_grow(struct sooni_text *t)
{
	free(t->start);
	t->room = t->used < FIRST_ROOM ? FIRST_ROOM : 2 * t->used;
	t->used = 0;
	t->start = malloc(t->room);
	if (t->start == NULL)
		return ENOMEM;
	t->start[0] = '\0';
	return 0;
}

void sooni_text_add(struct sooni_text *t, const char *format, ...)
{
	size_t used = t->used < t->room ? t->used : t->room;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->start + used, t->room - used, format, args);
	va_end(args);
	if (n > 0)
		t->used += (size_t)n;
}

void sooni_text_add_time(struct sooni_text *t, int64_t nsec)
{
	if (nsec >= SOON_SEC)
		sooni_text_add(t, "%lld.%03d s", (long long)(nsec / SOON_SEC),
			       (int)(nsec % SOON_SEC / SOON_MSEC));
	else
		sooni_text_add(t, "%d.%03d ms", (int)(nsec / SOON_MSEC),
			       (int)(nsec % SOON_MSEC / SOON_USEC));
}
