/*
 * sized.h - reading the option structs of programs that were compiled against
 * another version of the library.
 */
#ifndef SOONI_SIZED_H
#define SOONI_SIZED_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

/*
 * Copy a struct whose first member gives its size, as the program knows it,
 * into the one that the library knows: what is missing becomes 0, and what the
 * library does not know must be 0.  Returns 0 or EINVAL.
 */
static inline int sooni_read_struct(void *to, size_t size, const void *from,
				    size_t given)
{
	const char *bytes = from;
	size_t i;

	if (given < sizeof(size_t))
		return EINVAL;
	for (i = size; i < given; i++)
		if (bytes[i] != 0)
			return EINVAL;
	memset(to, 0, size);
	memcpy(to, from, given < size ? given : size);
	return 0;
}

#endif
