/*
 * source.c - see source.h.
 */
#include "source.h"

#include <errno.h>

int draw_item(void *drawn, void **arg)
{
	struct drawn *d = drawn;
	size_t i = d->calls++;
	int code = d->before != NULL ? d->before() : 0;

	if (code != 0)
		return code;
	if (i >= d->n) {
		d->ends++;
		return ENODATA;
	}
	if (d->nth > 0 && i % d->nth == d->nth - 1)
		return d->code;
	*arg = &d->items[i];
	return 0;
}

soon_imap *must_imap(soon_executor *e, struct drawn *from, size_t window)
{
	soon_imap *m = soon_imap_new(e, &item_job, draw_item, from, window);

	ck_assert_ptr_nonnull(m);
	return m;
}

void expect_item(soon_imap *m, struct item *item)
{
	soon_future *f = NULL;
	void *result = NULL;

	ck_assert_int_eq(soon_imap_next(m, SOON_FOREVER, &f), 0);
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(soon_future_result(f, 0, &result), 0);
	ck_assert_ptr_eq(result, item);
	ck_assert_uint_eq(atomic_load(&item->ran), 1);
	ck_assert_uint_eq(atomic_load(&item->result_freed), 0);
}

void expect_code(soon_imap *m, soon_nsec timeout, int code)
{
	soon_future *f = (void *)m; /* must be overwritten */

	ck_assert_int_eq(soon_imap_next(m, timeout, &f), code);
	ck_assert_ptr_null(f);
}

void expect_failed(soon_imap *m, int code)
{
	soon_future *f = NULL;

	ck_assert_int_eq(soon_imap_next(m, SOON_FOREVER, &f), 0);
	ck_assert_int_eq(soon_future_state(f), SOON_FAILED);
	ck_assert_int_eq(soon_future_error(f), code);
}
