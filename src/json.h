/*
 * json.h - strings of any bytes, as JSON has them.
 */
#ifndef SOONI_JSON_H
#define SOONI_JSON_H

#include <stddef.h>

enum {
	SOONI_JSON_LONGEST = 200, /* bytes of a text that are used */
	/* What a text becomes at most: each byte six, quotes, dots, the end. */
	SOONI_JSON_ROOM = 6 * SOONI_JSON_LONGEST + 6
};

/*
 * Write text as a JSON string, quotes and final '\0' included, to `to`, which has
 * SOONI_JSON_ROOM bytes; returns its length.  What is no UTF-8 becomes U+FFFD; a
 * long text is cut, and ends in dots.
 */
size_t sooni_json_string(char *to, const char *text);

#endif
