/*
 * callback.c - calling back when a future is done.
 */
#include "os.h"
#include "tell.h"
#include "waiter.h"

#include <errno.h>
#include <stdlib.h>

struct callback {
	struct sooni_waiter waiter;
	void (*call)(soon_future *f, void *ctx);
	void *ctx;
};

static void fire(struct sooni_waiter *w, struct soon_future *f)
{
	struct callback *c = sooni_container_of(w, struct callback, waiter);
	void (*call)(soon_future * f, void *ctx) = c->call;
	void *ctx = c->ctx;
	bool paused = sooni_relay_pause();

	free(c);
	call(f, ctx);
	sooni_relay_resume(paused);
}

int soon_future_on_done(soon_future *f,
			void (*callback)(soon_future *f, void *ctx), void *ctx)
{
	struct callback *c;

	if (f == NULL || callback == NULL)
		return EINVAL;
	c = malloc(sizeof(*c));
	if (c == NULL)
		return ENOMEM;
	c->waiter.fire = fire;
	c->waiter.user = true;
	c->waiter.composed = false;
	c->call = callback;
	c->ctx = ctx;
	if (!sooni_waiter_add(f, &c->waiter)) {
		int old = sooni_uncancellable_begin();

		fire(&c->waiter, f);
		sooni_uncancellable_end(old);
	}
	return 0;
}
