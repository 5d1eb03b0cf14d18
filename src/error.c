/*
 * error.c - names and texts of error codes.
 */
#include "config.h"

#include "compiler.h"
#include "error.h"

#include <soon/error.h>

#include <errno.h>
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

#ifndef HAVE_STRERRORNAME_NP
#define NAMED(code)         \
	{                   \
		code, #code \
	}
/* What POSIX knows, and this library returns. */
static const struct {
	int code;
	const char *name;
} named[] = {
	NAMED(E2BIG),
	NAMED(EACCES),
	NAMED(EADDRINUSE),
	NAMED(EADDRNOTAVAIL),
	NAMED(EAFNOSUPPORT),
	NAMED(EAGAIN),
	NAMED(EALREADY),
	NAMED(EBADF),
	NAMED(EBADMSG),
	NAMED(EBUSY),
	NAMED(ECANCELED),
	NAMED(ECHILD),
	NAMED(ECONNABORTED),
	NAMED(ECONNREFUSED),
	NAMED(ECONNRESET),
	NAMED(EDEADLK),
	NAMED(EDESTADDRREQ),
	NAMED(EDOM),
	NAMED(EDQUOT),
	NAMED(EEXIST),
	NAMED(EFAULT),
	NAMED(EFBIG),
	NAMED(EHOSTUNREACH),
	NAMED(EIDRM),
	NAMED(EILSEQ),
	NAMED(EINPROGRESS),
	NAMED(EINTR),
	NAMED(EINVAL),
	NAMED(EIO),
	NAMED(EISCONN),
	NAMED(EISDIR),
	NAMED(ELOOP),
	NAMED(EMFILE),
	NAMED(EMLINK),
	NAMED(EMSGSIZE),
	NAMED(ENAMETOOLONG),
	NAMED(ENETDOWN),
	NAMED(ENETRESET),
	NAMED(ENETUNREACH),
	NAMED(ENFILE),
	NAMED(ENOBUFS),
	NAMED(ENODATA),
	NAMED(ENODEV),
	NAMED(ENOENT),
	NAMED(ENOEXEC),
	NAMED(ENOLCK),
	NAMED(ENOMEM),
	NAMED(ENOMSG),
	NAMED(ENOPROTOOPT),
	NAMED(ENOSPC),
	NAMED(ENOSYS),
	NAMED(ENOTCONN),
	NAMED(ENOTDIR),
	NAMED(ENOTEMPTY),
	NAMED(ENOTRECOVERABLE),
	NAMED(ENOTSOCK),
	NAMED(ENOTSUP),
	NAMED(ENOTTY),
	NAMED(ENXIO),
	NAMED(EOVERFLOW),
	NAMED(EOWNERDEAD),
	NAMED(EPERM),
	NAMED(EPIPE),
	NAMED(EPROTO),
	NAMED(EPROTONOSUPPORT),
	NAMED(EPROTOTYPE),
	NAMED(ERANGE),
	NAMED(EROFS),
	NAMED(ESHUTDOWN),
	NAMED(ESPIPE),
	NAMED(ESRCH),
	NAMED(ESTALE),
	NAMED(ETIME),
	NAMED(ETIMEDOUT),
	NAMED(ETXTBSY),
	NAMED(EXDEV),
};

static const char *strerrorname_np(int code)
{
	size_t i;

	if (code == 0)
		return "0";
	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i].code == code)
			return named[i].name;
	return NULL;
}
#endif

const char *soon_error_name(int code)
{
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ours[i].code == code)
			return ours[i].name;
	return strerrorname_np(code);
}
