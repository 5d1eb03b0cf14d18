/*
 * compose.h - what the tests of combinators share: how their inputs end, and what
 * is expected of what is made of them.
 */
#ifndef SOON_TEST_COMPOSE_H
#define SOON_TEST_COMPOSE_H

#include "support.h"

#include <errno.h>

/* The result of each input that succeeds. */
static struct tally freed;

/* How an input ends. */
enum end { SUCCEED, FAIL, CANCEL };

static inline int code_of(enum end end)
{
	return end == SUCCEED ? 0 : end == FAIL ? EIO : ECANCELED;
}

static inline void finish(soon_future *f, enum end end)
{
	switch (end) {
	case SUCCEED:
		ck_assert_int_eq(soon_future_set_result(f, &freed), 0);
		break;
	case FAIL:
		ck_assert_int_eq(soon_future_set_error(f, EIO, "disk %d", 5),
				 0);
		break;
	default:
		ck_assert_int_eq(soon_future_cancel(f), 0);
	}
}

static inline void expect_pending(soon_future *f)
{
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(soon_future_state(f), SOON_PENDING);
	ck_assert_int_eq(soon_future_error(f), EBUSY);
}

/* It succeeded with that. */
static inline void expect_result(soon_future *f, const void *result)
{
	void *r = &f;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(soon_future_state(f), SOON_SUCCEEDED);
	ck_assert_int_eq(soon_future_result(f, SOON_FOREVER, &r), 0);
	ck_assert_ptr_eq(r, result);
}

/* It failed like an input that ended so. */
static inline void expect_like(soon_future *f, enum end end)
{
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert_int_eq(soon_future_result(f, 0, NULL), code_of(end));
	ck_assert_str_eq(soon_future_message(f),
			 end == FAIL ? "disk 5" : soon_strerror(ECANCELED));
}

#endif
