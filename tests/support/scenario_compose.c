/*
 * scenario_compose.c - scenarios of futures that are made of others.
 */
#include "scenario.h"

enum { KINDS = 7 };

static void *count_run(soon_future *done, void *ran)
{
	atomic_fetch_add((atomic_uint *)ran, 1);
	return done;
}

static soon_future *compose(int kind, soon_future *const in[2],
			    soon_executor *e, atomic_uint *ran)
{
	switch (kind) {
	case 0:
		return soon_then(in[0], e, count_run, ran);
	case 1:
		return soon_when_all(in, 2);
	case 2:
		return soon_when_any(in, 2);
	case 3:
		return soon_first_success(in, 2);
	case 4:
		return soon_within(in[0], 1000 * SOON_SEC);
	case 5:
		return soon_within(in[0], SOON_FOREVER);
	default:
		return soon_shield(in[0]);
	}
}

/* What can be had gets done; a continuation runs, or its future says why not. */
const char *scenario_compose(void)
{
	soon_executor *e = soon_executor_new(2);
	soon_future *in[2], *f[KINDS];
	atomic_uint ran = 0;

	NEED_POOL(e);
	in[0] = soon_future_new(NULL);
	in[1] = in[0] != NULL ? soon_future_ref(in[0]) : NULL;
	EXPECT(in[0] != NULL || errno == ENOMEM);
	for (int i = 0; i < KINDS && in[0] != NULL; i++) {
		f[i] = compose(i, in, e, &ran);
		EXPECT(f[i] != NULL || refused(errno));
	}
	if (in[0] != NULL) {
		EXPECT(soon_future_state(in[0]) == SOON_PENDING);
		EXPECT(soon_future_set_error(in[0], EIO, "a message") == 0);
	}
	for (int i = 0; i < KINDS && in[0] != NULL; i++) {
		int rc = soon_future_result(f[i], SOON_FOREVER, NULL);

		EXPECT(f[i] != NULL || rc == EINVAL);
		if (f[i] != NULL && i == 0)
			EXPECT(rc == 0 ? ran == 1 : refused(rc) && ran == 0);
		else if (f[i] != NULL)
			EXPECT(rc == (i == 2 ? 0 : EIO));
		soon_future_unref(f[i]);
	}
	soon_future_unref(in[0]);
	soon_future_unref(in[1]);
	soon_executor_free(e);
	return NULL;
}
