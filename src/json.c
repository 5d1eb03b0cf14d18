/*
 * json.c - see json.h.
 */
#include "json.h"

#include <stdio.h>
#include <string.h>

static int is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * The bytes of the UTF-8 sequence at s, 0 if there is none: no longer than need
 * be, no surrogates, nothing above U+10FFFF.  Reads no further than a '\0'.
 */
static size_t sequence(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || !is_tail(s[1]))
		return 0;
	if (s[0] < 0xe0)
		return 2;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) ||
	    !is_tail(s[2]))
		return 0;
	if (s[0] < 0xf0)
		return 3;
	return is_tail(s[3]) ? 4 : 0;
}

size_t sooni_json_string(char *to, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	const unsigned char *end = s + SOONI_JSON_LONGEST;
	char *begin = to;

	*to++ = '"';
	while (*s != '\0' && s < end) {
		size_t n = sequence(s);

		if (n > (size_t)(end - s))
			break;
		if (n == 0) {
			to += sprintf(to, "\\ufffd");
			n = 1;
		} else if (*s < 0x20 || *s == 0x7f) {
			to += sprintf(to, "\\u%04x", (unsigned)*s);
		} else {
			if (*s == '"' || *s == '\\')
				*to++ = '\\';
			memcpy(to, s, n);
			to += n;
		}
		s += n;
	}
	to += sprintf(to, *s != '\0' ? "...\"" : "\"");
	return (size_t)(to - begin);
}
