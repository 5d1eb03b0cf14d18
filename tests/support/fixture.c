/*
 * fixture.c - see fixture.h.
 */
#include "fixture.h"

#include <stdatomic.h>

soon_executor *pool;
struct gate gate;
static atomic_uint wrong;

void fixture_open(soon_executor *e)
{
	pool = e;
	gate_init(&gate);
	atomic_store(&wrong, 0);
}

void fixture_close(void)
{
	fixture_end_pool();
	gate_fini(&gate);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}

void fixture_use(const soon_executor_options *o)
{
	soon_executor_free(pool);
	pool = soon_executor_open(o);
	ck_assert_ptr_nonnull(pool);
}

void fixture_end_pool(void)
{
	gate_open(&gate);
	soon_executor_free(pool);
	pool = NULL;
}

void fixture_expect(bool holds)
{
	if (!holds)
		atomic_fetch_add(&wrong, 1);
}
