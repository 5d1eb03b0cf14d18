/*
 * version.c - see soon/version.h.
 */
#include <soon/version.h>

const char *soon_version(void)
{
	return SOON_VERSION_STRING;
}
