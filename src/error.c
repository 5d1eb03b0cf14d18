/*
 * error.c - names and texts of error codes.
 */
#include "config.h"

#include "compiler.h"
#include "error.h"

#include <soon/error.h>

#include <stdio.h>
#include <string.h>

static const struct {
	int code;
	const char *name;
	const char *text;
} ours[] = {
	{ SOON_EBROKEN, "SOON_EBROKEN",
	  "The executor is broken: a worker could not be initialised" },
	{ SOON_EFORKED, "SOON_EFORKED",
	  "The job belongs to the parent of this process" },
	{ SOON_EEXITED, "SOON_EEXITED",
	  "The job ended its thread without returning" },
	{ SOON_EDROPPED, "SOON_EDROPPED",
	  "The promise was dropped before it was kept" },
};

const char *sooni_error_text(int code)
{
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ours[i].code == code)
			return ours[i].text;
#ifdef HAVE_STRERRORDESC_NP
	if (strerrordesc_np(code) != NULL)
		return strerrordesc_np(code);
#elif !defined(__GLIBC__)
	/* Elsewhere the texts of known codes are static. */
	if (code >= 0 && code < 4096)
		return strerror(code);
#endif
	return NULL;
}

const char *soon_strerror(int code)
{
	static sooni_tls char unknown[32];
	const char *text = sooni_error_text(code);

	if (text != NULL)
		return text;
	snprintf(unknown, sizeof(unknown), "Unknown error %d", code);
	return unknown;
}

const char *soon_error_name(int code)
{
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ours[i].code == code)
			return ours[i].name;
#ifdef HAVE_STRERRORNAME_NP
	return strerrorname_np(code);
#else
	return code == 0 ? "0" : NULL;
#endif
}
