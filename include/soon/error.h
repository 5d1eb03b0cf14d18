/*
 * soon/error.h - the library's own error codes.
 *
 * Calls return errno's codes wherever errno has a word for what happened.
 * These are the rest; their values lie outside errno's range.
 */
#ifndef SOON_ERROR_H
#define SOON_ERROR_H

#include <soon/version.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	/* worker_init failed: the executor runs no more jobs */
	SOON_EBROKEN = 0x50001,
	/* the job belongs to the parent of this forked process; or the set
	   does, which was in use there */
	SOON_EFORKED = 0x50002,
	/* the job, or one that it waited for and ran itself, left by
	   pthread_exit() or was cancelled by pthread_cancel() */
	SOON_EEXITED = 0x50003,
	/* the last reference to an unfinished promise went */
	SOON_EDROPPED = 0x50004
};

/*
 * A sentence for a code of ours or of errno's; never NULL, also for an unknown
 * code.  The text is static or belongs to the calling thread until its next
 * call; it is never freed.  Thread-safe.
 */
SOON_API const char *soon_strerror(int code);

/*
 * The name of a code: "EIO", "SOON_EBROKEN"; "0" for 0; NULL for a code that
 * has none.  Static; never freed.
 */
SOON_API const char *soon_error_name(int code);

#ifdef __cplusplus
}
#endif

#endif
