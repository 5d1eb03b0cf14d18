/*
 * many.h - waiting for several futures without watching each.
 */
#ifndef SOONI_MANY_H
#define SOONI_MANY_H

#include "job.h"

#include <stddef.h>

/* An array that a program gave: 0, or EINVAL for a NULL in it. */
int sooni_check_futures(soon_future *const *futures, size_t n);

/* Wait for all: 0, ETIMEDOUT, EDEADLK. */
int sooni_await_all(soon_future *const *futures, size_t n, int64_t deadline);

#endif
