/*
 * scenario_hooks.c - a job that is told to stop, with what memory there is.
 */
#include "scenario.h"

static unsigned called;

static void call(void *number)
{
	called += (unsigned)unbox(number);
}

/* Returns the claim that does not hold, as scenarios do. */
static const char *hook_and_cancel(void)
{
	unsigned expected = 0;
	int rc, fd;

	called = 0;
	for (int i = 0; i < 6; i++) {
		rc = soon_on_cancel(call, box(1));
		EXPECT(rc == 0 || refused(rc));
		expected += rc == 0;
		errno = 0;
		fd = soon_cancel_fd();
		EXPECT(fd >= 0 || refused(errno));
	}
	if (expected > 1) {
		soon_off_cancel();
		expected--;
	}
	EXPECT(soon_future_cancel(soon_self()) == EBUSY);
	EXPECT(called == expected);
	rc = soon_on_cancel(call, box(10));
	EXPECT(rc == 0 || refused(rc));
	EXPECT(called == expected + (rc == 0 ? 10 : 0));
	return NULL;
}

static void *hooked(void *claim)
{
	*(const char **)claim = hook_and_cancel();
	return NULL;
}

const char *scenario_hooks(void)
{
	soon_executor *e = soon_executor_new(1);
	const char *claim = NULL;
	soon_future *f;

	NEED_POOL(e);
	f = soon_submit(e, hooked, &claim);
	if (f == NULL)
		EXPECT(refused(errno));
	else
		EXPECT(soon_future_result(f, SOON_FOREVER, NULL) == 0);
	soon_future_unref(f);
	soon_executor_free(e);
	return claim;
}
