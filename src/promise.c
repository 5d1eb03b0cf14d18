/*
 * promise.c - futures that are completed by hand.
 */
#include "job.h"

#include <soon/error.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_promise(const struct soon_future *f)
{
	/* relaxed: PROMISE is there from birth. */
	return f != NULL &&
	       atomic_load_explicit(&f->marks, memory_order_relaxed) &
		       SOONI_PROMISE;
}

soon_future *soon_future_new(void (*free_result)(void *))
{
	struct soon_future *f = sooni_future_new(SOONI_REF, SOONI_PROMISE);

	if (f == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	f->fn = NULL;
	f->arg = NULL;
	f->home = NULL;
	if (free_result != NULL && soon_future_own(f, free_result) != 0) {
		sooni_future_discard(f);
		errno = ENOMEM;
		return NULL;
	}
	return f;
}

/* Why a promise that is done cannot be set. */
static int too_late(const struct soon_future *f)
{
	return sooni_state(f) & SOONI_CANCELLED ? ECANCELED : EALREADY;
}

int soon_future_set_running(soon_future *f)
{
	if (!is_promise(f))
		return EINVAL;
	return sooni_future_claim(f, false, false) ? 0 : too_late(f);
}

/* Of several that set it, one goes on, and settles it at once. */
static bool begin_to_set(struct soon_future *f)
{
	if (sooni_future_begin_settling(f))
		return true;
	/* What the others are told must be so. */
	if (!sooni_spin(&f->state, SOONI_DONE, 0))
		sooni_sleep(&f->state, SOONI_DONE, 0, INT64_MAX);
	return false;
}

int soon_future_set_result(soon_future *f, void *result)
{
	if (!is_promise(f))
		return EINVAL;
	if (sooni_state(f) & SOONI_DONE || !begin_to_set(f))
		return too_late(f);
	f->result = result;
	return sooni_future_settle(f, SOONI_DONE) ? 0 : too_late(f);
}

int soon_future_set_error(soon_future *f, int code, const char *format, ...)
{
	char *message = NULL;
	va_list args;

	if (!is_promise(f) || code == 0)
		return EINVAL;
	if (sooni_state(f) & SOONI_DONE)
		return too_late(f);
	if (format != NULL) {
		va_start(args, format);
		if (vasprintf(&message, format, args) < 0)
			message = NULL;
		va_end(args);
	}
	if (!begin_to_set(f)) {
		free(message);
		return too_late(f);
	}
	return sooni_future_fail(f, code, message) ? 0 : too_late(f);
}

void sooni_promise_drop(struct soon_future *f)
{
	if (begin_to_set(f))
		sooni_future_fail(f, SOON_EDROPPED, NULL);
}
