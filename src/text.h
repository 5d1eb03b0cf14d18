/*
 * text.h - text in memory that is there already.
 *
 * Who writes while others are held up gets no memory meanwhile: what there is no
 * room for is counted only, and the whole is written again with more.
 */
#ifndef SOONI_TEXT_H
#define SOONI_TEXT_H

#include "compiler.h"

#include <stddef.h>
#include <stdint.h>

/* All zero at first. */
struct sooni_text {
	char *start; /* to be freed */
	size_t room;
	size_t used; /* written, or what would have been with more room */
};

/* Have room for what was written last and more, and begin anew; 0 or ENOMEM. */
int sooni_text_grow(struct sooni_text *t);

sooni_printf(2, 3) void sooni_text_add(struct sooni_text *t, const char *format,
				       ...);

/* A time in ns, with its unit. */
void sooni_text_add_time(struct sooni_text *t, int64_t nsec);

#endif
