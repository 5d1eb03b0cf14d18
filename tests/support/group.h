/*
 * group.h - what the tests of groups share.
 */
#ifndef SOON_TEST_GROUP_H
#define SOON_TEST_GROUP_H

#include "many.h"

#include <string.h>

static inline soon_group *group_of(soon_executor *e)
{
	soon_group *g = soon_group_new(e);

	ck_assert_ptr_nonnull(g);
	return g;
}

/* A submit that must succeed. */
static inline void join(soon_group *g, soon_fn *fn, void *arg)
{
	ck_assert_int_eq(soon_group_submit(g, fn, arg), 0);
}

/* One item more, with both destructors; the code. */
static inline int submit_item(soon_group *g, struct item *item)
{
	soon_job job = item_job;

	job.arg = item;
	return soon_group_submit_job(g, &job);
}

static inline void join_items(soon_group *g, struct item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(submit_item(g, &items[i]), 0);
}

/* Nothing is left, and this has stopped the group; NULL: nothing has. */
static inline void expect_end(soon_group *g, int code, const char *message)
{
	ck_assert_int_eq(soon_group_wait(g, SOON_FOREVER), 0);
	ck_assert_int_eq(soon_group_wait(g, 0), 0);
	ck_assert_int_eq(soon_group_error(g), code);
	ck_assert_str_eq(soon_group_message(g), message);
}

#endif
