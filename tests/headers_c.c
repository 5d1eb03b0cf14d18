/*
 * headers_c.c - a header compiles with nothing before it, and twice.
 *
 * check-headers.sh gives each public one as HEADER.
 */
#ifndef HEADER
#define HEADER <soon.h>
#endif
#include HEADER
#include HEADER

int main(void)
{
	return SOON_VERSION_MAJOR < 0;
}
